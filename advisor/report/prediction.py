"""A prediction for people: each zone before and after, and what that costs."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.report.layout import Line, clean, paragraph
from advisor.report.wording import format_change, format_signed, predicted
from advisor.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advisor.predict import Prediction, Reserves, ZoneChange

_INDENT = 14


def layout(prediction: Prediction, against: Sequence[str], width: int = 100) -> list[Line]:
    """The prediction as lines.

    Args:
        prediction: of a change.
        against: what speaks against making it without asking anybody.
        width: columns to use.
    """
    lines: list[Line] = [[(clean(_headline(prediction)), "title")], []]
    lines += _zones(prediction)
    lines.append([])
    if prediction.after is not None:
        lines += _reserves(prediction.before, prediction.after, width)
    lines += paragraph(_available(prediction), indent=_INDENT, width=width, label="available")
    for item in prediction.effective:
        if item.why:
            text = f"{item.setting} {'unknown' if item.value is None else item.value}: {item.why}"
            lines += paragraph(text, indent=_INDENT, width=width, label="also")
    if prediction.smallest_effective is not None:
        text = f"the next vm.watermark_scale_factor that moves a mark is {prediction.smallest_effective}"
        lines += paragraph(text, indent=_INDENT, width=width, label="next step")
    for name in prediction.not_predicted:
        lines += paragraph(f"there is no formula for {name}", indent=_INDENT, width=width, label="not said")
    for warning in prediction.warnings:
        lines += paragraph(warning, indent=_INDENT, width=width, label="mind", style="warning")
    for objection in against:
        lines += paragraph(objection, indent=_INDENT, width=width, label="against", style="critical")
    return [*lines, [(f"  Marks are in pages of {format_bytes(prediction.settings.page_size)}.", "quiet")]]


def _headline(prediction: Prediction) -> str:
    if prediction.effect == "none":
        return f"No effect: {prediction.reason}"
    if prediction.effect == "unknown":
        return f"Cannot be predicted: {prediction.reason}"
    return predicted(prediction).partition(";")[0]


def _reserves(before: Reserves, after: Reserves, width: int) -> list[Line]:
    rows = (
        ("kept free", before.high, after.high, "Σ high: what kswapd keeps free"),
        ("gap", before.gap, after.gap, "Σ (low − min): the buffer for bursts"),
        ("atomic", before.atomic, after.atomic, "within reach of requests that cannot wait"),
    )
    lines: list[Line] = []
    for label, old, new, meaning in rows:
        text = f"{format_bytes(old)} → {format_bytes(new)} ({format_signed(new - old)}), {meaning}"
        lines += paragraph(text, indent=_INDENT, width=width, label=label)
    return lines


def _available(prediction: Prediction) -> str:
    if prediction.available_change is None:
        return "MemAvailable: cannot be told"
    now = "" if prediction.before.available is None else f" {format_bytes(prediction.before.available)}"
    return f"MemAvailable{now} {format_change(prediction.available_change)}"


def _zones(prediction: Prediction) -> list[Line]:
    rows = [_row(zone) for zone in prediction.zones if zone.managed]
    heading = ("zone", "managed", "min", "low", "high", "promo")
    widths = [max(len(row[i]) for row in [heading, *rows]) for i in range(len(heading))]
    return [
        [("  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)), style)]
        for row, style in [(heading, "label"), *((row, "") for row in rows)]
    ]


def _row(zone: ZoneChange) -> tuple[str, ...]:
    marks = []
    for name in ("min", "low", "high", "promo"):
        old, new = getattr(zone.before, name), getattr(zone.after, name, None)
        marks.append("–" if new is None else str(new) if old in {None, new} else f"{old} → {new}")
    return (f"node {zone.before.node} {zone.before.zone}", str(zone.managed), *marks)
