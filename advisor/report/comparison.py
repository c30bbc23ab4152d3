"""A comparison for people: what differs, the weightiest first, with small pictures."""

from __future__ import annotations

from itertools import pairwise

from advisor.hints import TYPE_CHECKING
from advisor.report.layout import Line, clean, paragraph
from advisor.report.text import bar
from advisor.report.verification import times
from advisor.report.wording import shown
from advisor.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advisor.analysis import ZonePicture
    from advisor.comparison import Comparison, Differing, Moved, Side, Verdict

_INDENT = 14
_MOST = 15
_CELLS = 10
_LEVELS = "▁▂▃▄▅▆▇█"
_BAR = 36
_MARK = {"critical": "✖", "warning": "▲", "notice": "·"}


def layout(comparison: Comparison, width: int = 100, *, everything: bool = False) -> list[Line]:
    """The whole comparison as lines; with `everything` every signal that moved, not only the first."""
    lines = _heads(comparison, width)
    lines += _differing("Host", comparison.facts, width)
    lines += _differing("Settings", comparison.settings, width)
    lines += _findings(comparison.findings, width)
    lines += _moved(comparison.moved, width, len(comparison.moved) if everything else _MOST)
    lines += _zones(comparison.zones)
    if len(lines) == len(_heads(comparison, width)):
        lines += [[], *paragraph("Nothing moved by more than a quarter.", indent=2, width=width)]
    return lines


def _heads(comparison: Comparison, width: int) -> list[Line]:
    return [
        line
        for letter, side in (("A", comparison.before), ("B", comparison.after))
        for line in paragraph(_head(side), indent=4, width=width, label=letter, style="title")
    ]


def _head(side: Side) -> str:
    span = f" over {format_seconds(side.seconds)}" if side.seconds is not None and side.samples > 1 else ""
    samples = f"{side.samples} sample{'s' if side.samples != 1 else ''}{span}"
    return " · ".join([side.name or "unknown host", samples, side.verdict, side.source or "this host"])


def _differing(title: str, differing: Sequence[Differing], width: int) -> list[Line]:
    lines: list[Line] = [[], [(title, "title")]] if differing else []
    for each in differing:
        lines += paragraph(f"{each.name} {each.before} → {each.after}", indent=4, width=width)
    return lines


def _findings(findings: Sequence[Verdict], width: int) -> list[Line]:
    lines: list[Line] = [[], [("Findings", "title")]] if findings else []
    for each in findings:
        where = f" ({each.entity})" if each.entity else ""
        became = f"{each.before} → {each.after}" if each.before and each.after else "new" if each.after else "gone"
        text = f"{became}: {each.title}{where} [{each.rule}]"
        style = each.after if each.after in {"critical", "warning"} else "good" if not each.after else ""
        lines += paragraph(text, indent=4, width=width, label=_MARK.get(each.after or "", "✔"), style=style)
    return lines


def _moved(moved: Sequence[Moved], width: int, most: int) -> list[Line]:
    if not moved:
        return []
    lines: list[Line] = [[], [("Moved", "title"), ("  the weightiest first; no verdict, see advisor verify", "quiet")]]
    widest = max(len(each.signal) for each in moved[:most])
    for each in moved[:most]:
        old, new = picture(each)
        values = clean(f"  {shown(each.before, each.unit)} → {shown(each.after, each.unit)}")
        name: Line = [("  " + each.signal.ljust(widest) + " ", ""), (f"{old} → ", "quiet"), (new, "free")]
        lines.append([*name, (values, "value"), (f"  {times(each.ratio)}", "quiet")])
    if len(moved) > most:
        text = f"and {len(moved) - most} more: advisor compare --all"
        lines += paragraph(text, indent=2, width=width, style="quiet")
    return lines


def picture(moved: Moved) -> tuple[str, str]:
    """Both sides on one scale: a line of windows where there are several, else a bar.

    >>> from advisor.comparison import Moved
    >>> picture(Moved("rate.x", "", "count/s", 8.0, 2.0, 0.25, 2.0))
    ('██████████', '██▌       ')
    >>> picture(Moved("rate.x", "", "count/s", 8.0, 2.0, 0.25, 2.0, (8.0, 4.0), (1.0, 3.0)))
    ('█▄        ', '▁▃        ')
    """
    most = max(abs(moved.before), abs(moved.after), *map(abs, moved.before_parts), *map(abs, moved.after_parts))
    if len(moved.before_parts) > 1 and len(moved.after_parts) > 1:
        return _spark(moved.before_parts, most), _spark(moved.after_parts, most)
    return _filled(moved.before, most), _filled(moved.after, most)


def _spark(values: Sequence[float], most: float) -> str:
    """The values as heights; of many, the means of neighbours."""
    count = min(_CELLS, len(values))
    edges = [len(values) * cell // count for cell in range(count + 1)]
    means = [sum(values[i:j]) / (j - i) for i, j in pairwise(edges)]
    top = len(_LEVELS) - 1
    heights = [min(top, max(0, round(abs(mean) / most * (top + 1)) - 1)) if most else 0 for mean in means]
    return "".join(_LEVELS[height] for height in heights).ljust(_CELLS)


def _filled(value: float, most: float) -> str:
    halves = round(abs(value) / most * _CELLS * 2) if most else 0
    return ("█" * (halves // 2) + "▌" * (halves % 2)).ljust(_CELLS)


def _zones(zones: Sequence[tuple[ZonePicture, ZonePicture]]) -> list[Line]:
    """Free memory of each zone against its marks, on either side."""
    legend = "  free memory against the marks m(in) l(ow) h(igh), A above B"
    lines: list[Line] = [[], [("Zones", "title"), (legend, "quiet")]]
    widest = max((len(old.name) for old, _new in zones), default=0)
    for old, new in zones:
        for zone, name in ((old, old.name), (new, "")):
            marks = "|".join(format_bytes(mark) for mark in (zone.min, zone.low, zone.high))
            lines.append([("  " + name.ljust(widest) + " ", ""), *bar(zone, _BAR),
                          (f" {format_bytes(zone.free)} free; {marks}", "quiet")])  # fmt: skip
    return lines if zones else []
