"""What a fleet's records decide, for people and as JSON values."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING, Any
from advisor.record import asdict
from advisor.report.layout import Line, clean, host_count, paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advisor.fleet.coverage import Gap, Reach, Source

SCHEMA = "memadvisor/fleet-coverage/1"
_MOST_GAPS = 12
_MOST_INPUTS = 8
_INDENT = 14


def document(sources: Sequence[Source], reaches: Sequence[Reach]) -> dict[str, Any]:
    """The coverage as JSON values."""
    return {"schema": SCHEMA, "sources": [asdict(s) for s in sources], "collectors": [asdict(r) for r in reaches]}


def layout(sources: Sequence[Source], reaches: Sequence[Reach], width: int = 100) -> list[Line]:
    """Each kind of source with its gaps; then what collectors could decide, and by which options."""
    lines: list[Line] = []
    for source in sources:
        rules = len(source.everywhere) + len(source.sometimes) + len(source.nowhere)
        lines.append([(clean(f"{source.how}"), "title"), (f"  {host_count(source.hosts)}", "")])
        counts = [len(source.everywhere), len(source.sometimes), len(source.nowhere)]
        text = f"{counts[0]} of {rules} rules are decided on every host, {counts[1]} on some, {counts[2]} on none"
        lines += paragraph(text, indent=2, width=width)
        for gap in source.gaps[:_MOST_GAPS]:
            lines += _gap(gap, source.hosts, width)
        if len(source.gaps) > _MOST_GAPS:
            text = f"and {len(source.gaps) - _MOST_GAPS} reasons more: --format json"
            lines += paragraph(text, indent=_INDENT, width=width, style="quiet")
        lines.append([])
    lines.append([("What collectors could decide", "title"), ("  by the inputs that the rules name", "quiet")])
    for reach in reaches:
        lines += _reach(reach, width)
    return lines


def _gap(gap: Gap, hosts: int, width: int) -> list[Line]:
    where = "" if gap.hosts == hosts else f" (on {gap.hosts} of {hosts} hosts)"
    rules = f"{len(gap.rules)} rule{'' if len(gap.rules) == 1 else 's'}"
    lines = paragraph(f"{gap.reason}{where}", indent=_INDENT, width=width, label=rules)
    return lines + (paragraph(gap.cure, indent=_INDENT, width=width, style="value") if gap.cure else [])


def _reach(reach: Reach, width: int) -> list[Line]:
    plain = f"{reach.plain} of {reach.rules} rules as it comes, " if reach.plain else ""
    lines: list[Line] = [[], [(f"  {reach.collector}", "title"), (f"  {plain}{reach.full} of {reach.rules} with:", "")]]
    # Not wrapped: to be copied into a command line.
    lines += [[(f"  +{step.rules}".ljust(_INDENT), "label"), (step.flag, "value")] for step in reach.steps]
    missing = ", ".join(f"{read} ({number})" for read, number in reach.without[:_MOST_INPUTS])
    if missing:
        lines += paragraph(f"{missing}: take these by advisor capture", indent=_INDENT, width=width, label="never")
    if reach.remark:
        lines += paragraph(reach.remark, indent=_INDENT, width=width, label="note", style="quiet")
    return lines
