"""The report for people: the verdict first, then what is wrong, how we know, what to do, and what that costs."""

from __future__ import annotations

from itertools import groupby

from advisor.findings import NOT_APPLICABLE, PASS, Finding
from advisor.hints import TYPE_CHECKING
from advisor.report.layout import Line, clean, paragraph
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
)  # fmt: skip
from advisor.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advisor.analysis import Report, ZonePicture
    from advisor.plan import Recommendation

_INDENT = 14
_MOST_EVIDENCE = 6
_LEAST_SOURCE = 20  # columns that the source of a number needs beside it
_MOST_OPEN = 4
_MARK = {"critical": "✖", "warning": "▲", "notice": "·"}


def layout(report: Report, width: int = 100, *, everything: bool = False) -> list[Line]:
    """The whole report as lines.

    Args:
        report: what was found.
        width: columns to use.
        everything: also list each check that passed, is open, or does not apply.
    """
    lines = _verdict(report, width)
    for _rule, group in groupby(report.failed(), key=lambda finding: finding.rule):
        lines += [[], *_finding(report, list(group), width)]
    lines += _waived(report, width)
    lines += _plan(report, width)
    lines += _zones(report.zones, width, everything=everything)
    lines += _rest(report, width)
    if everything:
        lines += _all(report, width)
    return lines


def plan_layout(report: Report, width: int = 100) -> list[Line]:
    """The plan alone, as lines."""
    lines = _plan(report, width)[1:]
    if not report.plan.changes():
        why = headline(report)[0][0].lower() + headline(report)[0][1:]
        lines = lines or [
            [("Plan", "title")],
            *paragraph(f"No setting to change: {why}.", indent=2, width=width),
        ]
    return lines


def _verdict(report: Report, width: int) -> list[Line]:
    (verdict, style), text = headline(report), identity(report)
    lines: list[Line] = [[(verdict, style), ("  " + text, "title")]]
    if len(verdict) + 2 + len(text) > width:
        lines = [[(verdict, style)], *paragraph(text, indent=2, width=width, style="title")]
    lines += paragraph(measured(report), indent=2, width=width, style="quiet")
    if report.policy:
        lines += paragraph(terms(report.policy), indent=2, width=width, style="quiet")
    return lines


def _waived(report: Report, width: int) -> list[Line]:
    """The findings that somebody answers for: what, who, until when, why."""
    lines: list[Line] = []
    for finding in report.waived():
        assert finding.waived is not None, "that is what makes it one of these"
        who = waiver(finding.waived.owner, finding.waived.expires, finding.waived.reason)
        where = f"{finding.entity}: " if finding.entity else ""
        lines += [[], *_heading(finding, width, "· WAIVED  ")]
        lines += paragraph(where + finding.message, indent=_INDENT, width=width, style="quiet")
        lines += paragraph(who, indent=_INDENT, width=width, label="waived by", style="quiet")
    return lines


def _finding(report: Report, group: Sequence[Finding], width: int) -> list[Line]:
    first = group[0]
    lines = _heading(first, width)
    if first.explained_by:
        return lines + paragraph(f"{first.message} A symptom of {first.explained_by}.", indent=_INDENT, width=width)
    for finding in group[:5]:
        where = f"{finding.entity}: " if finding.entity else ""
        lines += paragraph(where + finding.message, indent=_INDENT, width=width)
    if len(group) > 5:
        lines += paragraph(f"and {len(group) - 5} more", indent=_INDENT, width=width, style="quiet")
    lines += paragraph(confidence(first), indent=_INDENT, width=width, label="confidence", style="quiet")
    if first.severity != "notice":
        lines += _evidence(first, width)
        lines += _rivals(first, width)
        if report.processes and (text := largest(report, first)):
            lines += paragraph(text, indent=_INDENT, width=width, label="largest")
        lines += paragraph(first.remedy_text, indent=_INDENT, width=width, label="remedy")
    return lines


def _heading(finding: Finding, width: int, mark: str = "") -> list[Line]:
    severity = (mark or f"{_MARK[finding.severity]} {finding.severity.upper()}  ", "" if mark else finding.severity)
    title, rule = clean(finding.title), f"[{finding.rule}]"
    if len(severity[0]) + len(title) + 2 + len(rule) <= width:
        return [[severity, (title, "title"), (f"  {rule}", "quiet")]]
    (_label, first), *rest = paragraph(title, indent=len(severity[0]), width=width, style="title")
    return [[severity, first], *rest, [(" " * len(severity[0]), ""), (rule, "quiet")]]


def _evidence(finding: Finding, width: int) -> list[Line]:
    """The numbers behind a finding, the deciding ones first; what is unknown decided nothing."""
    known = [item for item in finding.evidence if item.value is not None]
    widest = max((len(item.signal) for item in known[:_MOST_EVIDENCE]), default=0)
    lines: list[Line] = []
    for index, item in enumerate(known[:_MOST_EVIDENCE]):
        value = _cut(shown(item.value, item.unit), 40).ljust(12)
        room = width - _INDENT - widest - len(value) - 2
        label = ("  evidence".ljust(_INDENT) if index == 0 else " " * _INDENT, "label")
        name = (item.signal.ljust(widest) + " ", "")
        if room >= _LEAST_SOURCE:
            lines.append([label, name, (value + " ", "value"), (_cut(item.source, room), "quiet")])
        elif room >= 0:
            source = _cut(item.source, width - _INDENT - 2)
            lines += [[label, name, (value, "value")], [(" " * (_INDENT + 2), ""), (source, "quiet")]]
        else:
            source = _cut(item.source, width - _INDENT - 3 - len(value))
            under: Line = [(" " * (_INDENT + 2) + value + " ", "value"), (source, "quiet")]
            lines += [[label, name], under]
    if len(known) > _MOST_EVIDENCE:
        text = f"and {len(known) - _MOST_EVIDENCE} more: advisor explain {finding.rule} SOURCE"
        lines += paragraph(text, indent=_INDENT, width=width, style="quiet")
    return lines


def _cut(text: str, room: int) -> str:
    """The text, or as many of its comma-separated parts as there is room for."""
    text = clean(text)
    if len(text) <= room:
        return text
    first = text.partition(",")[0] + ", …"
    return first if len(first) <= room else text[: room - 1] + "…"


def _rivals(finding: Finding, width: int) -> list[Line]:
    lines: list[Line] = []
    for index, (rival, because) in enumerate(finding.ruled_out):
        label = "ruled out" if index == 0 else ""
        lines += paragraph(f"{rival}: {because}", indent=_INDENT, width=width, label=label)
    if finding.not_ruled_out:
        rivals = ", ".join(rival for rival, _because in finding.not_ruled_out)
        lines += paragraph(rivals, indent=_INDENT, width=width, label="may also be")
    return lines


def _plan(report: Report, width: int) -> list[Line]:
    plan = report.plan
    if not plan.recommendations and not plan.held_back:
        return []
    lines: list[Line] = [[], [("Plan", "title")]]
    if not plan.changes():
        lines += paragraph("No setting to change.", indent=2, width=width)
    for recommendation in plan.recommendations:
        lines += _recommendation(recommendation, width)
    for loser in plan.held_back:
        lines += paragraph(held(loser), indent=_INDENT, width=width, label="held back", style="quiet")
    return lines


def _recommendation(recommendation: Recommendation, width: int) -> list[Line]:
    lines = [[line[-1]] for line in paragraph(describe(recommendation), indent=4, width=width, style="value")]
    lines = [[("  " if number == 0 else "    ", ""), *line] for number, line in enumerate(lines)]
    indent = _INDENT
    lines += paragraph(recommendation.because, indent=indent, width=width, label="because")
    for limit in recommendation.limits:
        lines += paragraph(limit, indent=indent, width=width, label="limited")
    if recommendation.predicted:
        lines += paragraph(predicted(recommendation.predicted), indent=indent, width=width, label="predicted")
    if recommendation.risk and recommendation.kind in {"setting", "action"}:
        text = f"{recommendation.risk}: {recommendation.risk_text}"
        lines += paragraph(text, indent=indent, width=width, label="risk")
    if recommendation.undo:
        text = f"{recommendation.undo} ({recommendation.undo_speed})"
        lines += paragraph(text, indent=indent, width=width, label="undo")
    for loser in recommendation.losers:
        lines += paragraph(held(loser), indent=indent, width=width, label="instead of", style="quiet")
    return lines


_BAR = 44
_LEAST_BAR = 24
_MOST_ZONES = 12


def _zones(zones: Sequence[ZonePicture], width: int, *, everything: bool) -> list[Line]:
    """Free memory of each zone against its marks; of very many, those that have the least room."""
    if not zones:
        return []
    lines: list[Line] = [
        [],
        [("Zones", "title"), ("  free memory against the marks m(in) l(ow) h(igh)", "quiet")],
    ]
    shown_ = zones
    if not everything and len(zones) > _MOST_ZONES:
        tightest = sorted(zones, key=lambda zone: zone.free / max(1, zone.high))[:_MOST_ZONES]
        shown_ = [zone for zone in zones if zone in tightest][:_MOST_ZONES]
    widest = max(len(zone.name) for zone in shown_)
    scale = max(len(_scale(zone)) for zone in shown_)
    beside = width - widest - scale - 4
    for zone in shown_:
        cells = beside if beside >= _LEAST_BAR else width - widest - 3
        lines.append([("  " + zone.name.ljust(widest) + " ", ""), *bar(zone, min(_BAR, cells))])
        if beside >= _LEAST_BAR:
            lines[-1].append((f" {_scale(zone)}", "quiet"))
        else:
            lines += paragraph(_scale(zone), indent=4, width=width, style="quiet")
    if len(shown_) < len(zones):
        text = f"and {len(zones) - len(shown_)} zones with more room: advisor check --all"
        lines += paragraph(text, indent=2, width=width, style="quiet")
    return lines


def bar(zone: ZonePicture, length: int = _BAR) -> Line:
    """Draws one zone: filled up to the free memory, with the marks as letters; it ends at twice the high mark."""
    full = 2 * zone.high or 1
    filled = min(length, round(zone.free / full * length))
    cells = ["█"] * filled + ["░"] * (length - filled)
    for letter, mark in (("m", zone.min), ("l", zone.low), ("h", zone.high)):
        cells[min(length - 1, round(mark / full * length))] = letter
    if zone.free > full:
        cells[-1] = "▶"
    return [("".join(cells), "below" if zone.free < zone.low else "free")]


def _scale(zone: ZonePicture) -> str:
    boost = f", boost {format_bytes(zone.boost)}" if zone.boost else ""
    marks = "|".join(format_bytes(mark) for mark in (zone.min, zone.low, zone.high))
    return f"{format_bytes(zone.free)} free of {format_bytes(zone.managed)}; {marks}{boost}"


def _rest(report: Report, width: int) -> list[Line]:
    counts = report.counts
    lines: list[Line] = [[]]
    families = " · ".join(f"{family} {count}" for family, count in report.passed.items())
    text = f"{counts[PASS]} checks: {families}; {counts[NOT_APPLICABLE]} do not apply here"
    lines += paragraph(text, indent=_INDENT, width=width, label="passed")
    reasons = open_reasons(report)
    for reason, rules in reasons[:_MOST_OPEN]:
        text = f"{len(rules)} check{'s' if len(rules) > 1 else ''}: {reason}"
        lines += paragraph(text, indent=_INDENT, width=width, label="open", style="quiet")
    told = {rule for _reason, rules in reasons[:_MOST_OPEN] for rule in rules}
    left = len({rule for _reason, rules in reasons for rule in rules} - told)
    if left:
        text = f"{left} check{'s' if left > 1 else ''} for other reasons: advisor check --all"
        lines += paragraph(text, indent=_INDENT, width=width, label="", style="quiet")
    for warning in report.warnings:
        lines += paragraph(warning, indent=_INDENT, width=width, label="policy")
    for note in report.window.notes:
        lines += paragraph(note, indent=_INDENT, width=width, label="note", style="quiet")
    return lines


def _all(report: Report, width: int) -> list[Line]:
    lines: list[Line] = [[], [("All checks", "title")]]
    for finding in sorted(report.findings, key=lambda finding: (finding.rule, finding.entity)):
        missing = "; ".join(f"{m.signal}: {m.reason}" for m in finding.missing[:2])
        name = finding.rule + (f" ({finding.entity})" if finding.entity else "")
        lines += paragraph(f"{name}{': ' + missing if missing else ''}", indent=18, width=width, label=finding.state)
    return lines
