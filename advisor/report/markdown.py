"""One host as Markdown (GitHub's dialect), for tickets, wikis and merge requests."""

from __future__ import annotations

from itertools import groupby

from advisor.findings import NOT_APPLICABLE, PASS, Finding
from advisor.hints import TYPE_CHECKING
from advisor.report.layout import clean
from advisor.report.wording import (
    confidence,
    describe,
    headline,
    held,
    identity,
    largest,
    measured,
    open_reasons,
    predicted,
    shown,
    terms,
    waiver,
)
from advisor.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from advisor.analysis import Report
    from advisor.plan import Recommendation

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]#|~$@"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})
_MOST_ENTITIES = 20


def escape(text: str) -> str:
    r"""A text that no Markdown reader takes for markup, a mention or HTML, in one line.

    >>> print(escape("<b>a|b</b> *x*"))
    &lt;b&gt;a\|b&lt;/b&gt; \*x\*
    """
    return clean(text).translate(_SPECIAL)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table; cells are escaped already."""
    return [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows), ""]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def render(report: Report) -> str:
    """The report: verdict, findings with evidence, plan, zones, what was checked and what is open."""
    lines = [f"# {escape(headline(report)[0])}", "", f"**{escape(identity(report))}**  ", escape(measured(report))]
    if report.policy:
        lines += ["", escape(terms(report.policy))]
    lines.append("")
    for _rule, group in groupby(report.failed(), key=lambda finding: finding.rule):
        lines += _finding(report, list(group))
    lines += _waived(report)
    lines += _plan(report) + _zones(report) + _rest(report)
    return "\n".join(lines).rstrip() + "\n"


def _waived(report: Report) -> list[str]:
    """The findings that somebody answers for."""
    rows = [
        (f"`{f.rule}`", escape(f.message), escape(waiver(f.waived.owner, f.waived.expires, f.waived.reason)))
        for f in report.waived()
        if f.waived is not None
    ]
    return ["## Waived", "", *table(("Rule", "Finding", "Waived by"), rows)] if rows else []


def _finding(report: Report, group: list[Finding]) -> list[str]:
    first = group[0]
    lines = [f"## {first.severity.capitalize()}: {escape(first.title)}", "", f"Rule `{first.rule}`. ", ""]
    lines += [_message(finding) for finding in group[:_MOST_ENTITIES]]
    if len(group) > _MOST_ENTITIES:
        lines.append(f"- and {len(group) - _MOST_ENTITIES} more")
    lines.append("")
    if first.explained_by:
        return [*lines, f"A symptom of `{first.explained_by}`.", ""]
    lines += [f"Confidence {escape(confidence(first))}.", ""]
    if first.severity == "notice":
        return lines
    known = [item for item in first.evidence if item.value is not None]
    rows = [(f"`{e.signal}`", escape(shown(e.value, e.unit)), escape(e.source)) for e in known]
    lines += table(("Evidence", "Value", "Source"), rows) if rows else []
    lines += [f"- Ruled out: `{rival}`: {escape(because)}" for rival, because in first.ruled_out]
    if first.not_ruled_out:
        lines.append("- May also be: " + ", ".join(f"`{rival}`" for rival, _because in first.not_ruled_out))
    if text := largest(report, first):
        lines.append(f"- Largest processes: {escape(text)}")
    return [*lines, "", f"**Remedy:** {escape(first.remedy_text)}", ""]


def _message(finding: Finding) -> str:
    where = f"{escape(finding.entity)}: " if finding.entity else ""
    return f"- {where}{escape(finding.message)}"


def _plan(report: Report) -> list[str]:
    plan = report.plan
    if not plan.recommendations and not plan.held_back:
        return []
    lines = ["## Plan", ""]
    if not plan.changes():
        lines += ["No setting to change.", ""]
    for recommendation in plan.recommendations:
        lines += _recommendation(recommendation)
    lines += [f"- Held back: {escape(held(loser))}" for loser in plan.held_back]
    return [*lines, ""]


def _recommendation(recommendation: Recommendation) -> list[str]:
    r = recommendation
    lines = [f"- **{escape(describe(r))}**: {escape(r.because)}"]
    lines += [f"  - limited: {escape(limit)}" for limit in r.limits]
    if r.predicted:
        lines.append(f"  - predicted: {escape(predicted(r.predicted))}")
    if r.risk and r.kind in {"setting", "action"}:
        lines.append(f"  - risk {r.risk}: {escape(r.risk_text)}")
    if r.undo:
        lines.append(f"  - undo: {escape(r.undo)} ({escape(r.undo_speed)})")
    return [*lines, *(f"  - instead of: {escape(held(loser))}" for loser in r.losers)]


def _zones(report: Report) -> list[str]:
    rows = [
        (escape(zone.name), *(format_bytes(size) for size in (zone.free, zone.min, zone.low, zone.high, zone.managed)))
        for zone in report.zones
    ]
    return ["## Zones", "", *table(("Zone", "Free", "min", "low", "high", "Size"), rows)] if rows else []


def _rest(report: Report) -> list[str]:
    families = " · ".join(f"{family} {count}" for family, count in report.passed.items())
    counts = report.counts
    lines = ["## Checked", "", f"- {counts[PASS]} checks passed: {families}"]
    lines.append(f"- {counts[NOT_APPLICABLE]} do not apply here")
    for reason, rules in open_reasons(report):
        lines.append(f"- {len(rules)} could not be decided: {escape(reason)}")
    return [*lines, *(f"- Note: {escape(note)}" for note in report.window.notes)]
