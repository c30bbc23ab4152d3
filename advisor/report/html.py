"""One host as one HTML file: offline, without script, for screens of any size, print, dark mode and screen readers.

The verdict comes first, then what to do first, then the findings by importance, each with evidence and remedy.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from advisor.analysis import FINDINGS, HEALTHY, Report
from advisor.findings import OPEN
from advisor.report.fleet import timestamp
from advisor.report.page import page
from advisor.report.pictures import change_bars, strips, zone_bar
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
from advisor.units import format_value

if TYPE_CHECKING:
    from advisor.findings import Finding
    from advisor.plan import Recommendation

_MOST_ENTITIES = 20
_MOST_ZONES = 64
# What stands in plans and is no setting.
_IN_WORDS = {"capacity.ram": "Add memory", "capacity.swap": "Add swap", "workload": "Let less run at a time",
             "kernel": "Upgrade the kernel", "earlyoom/oomd": "Let a service end tasks before the host stalls",
             "numa.policy": "Change the memory policy of the task"}  # fmt: skip
_FACTS = {"host.kernel": ("Kernel", ""), "host.cpus": ("Processors", "count"), "host.nodes": ("Nodes", "count"),
          "memory.total": ("Memory", "B"), "meminfo.MemAvailable": ("Available", "B"), "swap.total": ("Swap", "B"),
          "host.uptime": ("Up for", "s"), "page_size": ("Page", "B")}  # fmt: skip


def render(report: Report) -> str:
    """The page."""
    said, style = headline(report)
    if report.verdict not in {FINDINGS, HEALTHY}:
        style = "insufficient"
    known = ((name, report.host.facts.get(key), unit) for key, (name, unit) in _FACTS.items())
    return page(
        "host.html.j2",
        title=f"{said}: memory of {report.host.name or 'this host'}",
        headline=said,
        style=style,
        who=identity(report),
        taken=timestamp(report.window.taken_s),
        measured=measured(report),
        terms=terms(report.policy) if report.policy else "",
        warnings=report.warnings,
        first=_first(report),
        findings=[_finding(report, list(group)) for _rule, group in groupby(report.failed(), key=lambda f: f.rule)],
        waived=[_waived(finding) for finding in report.waived()],
        plan=[_recommendation(report, recommendation) for recommendation in report.plan.recommendations],
        has_changes=bool(report.plan.changes()),
        held_back=[held(loser) for loser in report.plan.held_back],
        pressure=strips(report.pressure),
        zones=[zone_bar(zone) for zone in report.zones[:_MOST_ZONES]],
        facts=[(name, format_value(value, unit)) for name, value, unit in known if value is not None],
        counts=report.counts,
        passed=list(report.passed.items()),
        open=[(reason, len(rules)) for reason, rules in open_reasons(report)],
        notes=report.window.notes,
        checks=_checks(report),
        source=report.window.source,
    )


def _first(report: Report) -> dict[str, Any]:
    """What to do first: the plan's first lines, or the remedy of the worst finding, or nothing."""
    if report.verdict == HEALTHY:
        opened = report.counts[OPEN]
        text = "Nothing. Leave the settings as they are."
        if opened:
            text += f" {opened} checks could not be decided; the end of this page says what they need."
        return {"title": "What to do", "text": text, "steps": []}
    if report.verdict != FINDINGS:
        reasons = [
            {"what": reason, "why": f"{len(rules)} checks need it"} for reason, rules in open_reasons(report)[:3]
        ]
        text = "Too little was measured to call this host healthy or sick. This is missing most:"
        return {"title": "What to do first", "text": text, "steps": reasons}
    worst = report.failed()[0]
    items = [{"what": _plainly(r), "why": r.because} for r in report.plan.recommendations[:3]]
    return {"title": "What to do first", "text": worst.remedy_text, "steps": items}


def _finding(report: Report, group: list[Finding]) -> dict[str, Any]:
    first = group[0]
    weighs = first.severity != "notice"
    known = [item for item in first.evidence if item.value is not None] if weighs else []
    return {
        "rule": first.rule,
        "severity": first.severity,
        "title": first.title,
        "messages": [{"entity": finding.entity, "text": finding.message} for finding in group[:_MOST_ENTITIES]],
        "more": max(0, len(group) - _MOST_ENTITIES),
        "explained_by": first.explained_by,
        "evidence": [{"signal": e.signal, "value": shown(e.value, e.unit), "source": e.source} for e in known],
        "confidence": confidence(first),
        "ruled_out": first.ruled_out if weighs else (),
        "not_ruled_out": [rival for rival, _because in first.not_ruled_out] if weighs else [],
        "largest": largest(report, first) if weighs else "",
        "remedy": first.remedy_text if weighs else "",
    }


def _plainly(r: Recommendation) -> str:
    """A recommendation in words for those who do not know the names of our plans."""
    said = describe(r)
    return f"{_IN_WORDS[r.setting]} ({said})" if r.setting in _IN_WORDS else said


def _waived(finding: Finding) -> dict[str, Any]:
    by = waiver(finding.waived.owner, finding.waived.expires, finding.waived.reason) if finding.waived else ""
    return {"rule": finding.rule, "entity": finding.entity, "message": finding.message, "by": by}


def _recommendation(report: Report, r: Recommendation) -> dict[str, Any]:
    return {
        "what": _plainly(r),
        "because": r.because,
        "limits": r.limits,
        "predicted": predicted(r.predicted) if r.predicted else "",
        "risk": f"{r.risk}: {r.risk_text}" if r.risk and r.kind in {"setting", "action"} else "",
        "undo": f"{r.undo} ({r.undo_speed})" if r.undo else "",
        "losers": [held(loser) for loser in r.losers],
        "zones": change_bars(r.predicted, report.zones) if r.predicted else (),
    }


def _checks(report: Report) -> list[tuple[str, str]]:
    names = ((f.rule + (f" ({f.entity})" if f.entity else ""), f.state) for f in report.findings)
    return sorted(names)[:2000]
