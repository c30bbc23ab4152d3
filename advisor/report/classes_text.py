"""Classes of hosts for people, and as JSON values."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING, Any
from advisor.record import asdict
from advisor.report.layout import Line, clean, paragraph
from advisor.signals.model import catalogue
from advisor.units import format_bytes, format_percent, format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advisor.fleet.classes import Advised, Class, Copied, Deviation, Outlier

SCHEMA = "memadvisor/fleet-classes/1"
_MOST_NAMES = 6
_MOST_OUTLIERS = 10
_MOST_SIGNALS = 3
_INDENT = 14


def document(classes: Sequence[Class], copies: Sequence[Copied]) -> dict[str, Any]:
    """The classes as JSON values; settings in their own unit, signals in base units."""
    return {
        "schema": SCHEMA,
        "classes": [asdict(each) for each in classes],
        "copied": [asdict(each) for each in copies],
    }


def layout(classes: Sequence[Class], copies: Sequence[Copied], width: int = 100) -> list[Line]:
    """Each class: what to set, which settings differ, who stands out; then values that were copied across sizes."""
    lines: list[Line] = []
    for each in classes:
        lines += [[(clean(each.name), "title"), (f"  {_hosts(each.hosts)}", "")]]
        for advised in each.advised:
            lines += paragraph(_advised(advised, each.hosts), indent=_INDENT, width=width, label="set", style="value")
        for deviation in each.deviations:
            lines += paragraph(_deviation(deviation), indent=_INDENT, width=width, label="differs")
        for outlier in each.outliers[:_MOST_OUTLIERS]:
            lines += paragraph(_outlier(outlier), indent=_INDENT, width=width, label="stands out")
        if len(each.outliers) > _MOST_OUTLIERS:
            text = f"and {len(each.outliers) - _MOST_OUTLIERS} hosts more: --format json"
            lines += paragraph(text, indent=_INDENT, width=width, style="quiet")
        if not (each.advised or each.deviations or each.outliers):
            lines += paragraph("nothing to tell", indent=_INDENT, width=width, style="quiet")
        lines.append([])
    for copy in copies:
        lines += paragraph(_copied(copy), indent=_INDENT, width=width, label="copied", style="warning")
    return lines or [[("No classes: size, kernel and role of no host are known.", "warning")]]


def _hosts(number: int) -> str:
    return f"{number} host{'' if number == 1 else 's'}"


def _advised(advised: Advised, hosts: int) -> str:
    asked = f"{advised.lowest}" if advised.lowest == advised.highest else f"{advised.lowest} to {advised.highest}"
    if advised.of_most:
        return f"{advised.setting} = {advised.value}, as most have; {advised.hosts} of {_hosts(hosts)} ask for {asked}"
    spread = "" if advised.lowest == advised.highest else f", from {asked}"
    return f"{advised.setting} = {advised.value}: {advised.hosts} of {_hosts(hosts)} ask for it{spread}"


def _deviation(deviation: Deviation) -> str:
    shown = [f"{name} {value}" for name, value in deviation.others[:_MOST_NAMES]]
    more = len(deviation.others) - len(shown)
    others = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
    return f"{deviation.setting} is {deviation.usual} on {format_percent(deviation.share)}; {others}"


def _outlier(outlier: Outlier) -> str:
    parts = []
    for odd in outlier.why[:_MOST_SIGNALS]:
        unit = catalogue()[odd.signal].unit
        value, middle, spread = (format_value(number, unit) for number in (odd.value, odd.middle, odd.spread))
        parts.append(f"{odd.signal} {value} (others {middle} ± {spread})")
    return f"{outlier.host}: {', '.join(parts)}"


def _copied(copy: Copied) -> str:
    names = ", ".join(copy.hosts[:_MOST_NAMES]) + (" …" if len(copy.hosts) > _MOST_NAMES else "")
    return (
        f"vm.min_free_kbytes is {copy.value} on {_hosts(len(copy.hosts))} from {format_bytes(copy.smallest)} to "
        f"{format_bytes(copy.largest)} ({names}): {format_percent(copy.share)} of the smallest. The kernel itself "
        f"would have {copy.own_least} to {copy.own_most}. A value that suits one size does not suit another."
    )
