"""The report for people: the verdict first, then what is wrong, how we know, what to do, and what that costs."""

from __future__ import annotations

from itertools import groupby

from advisor.analysis import FINDINGS, HEALTHY, NO_THRASH, ONSET, THRASH, Report, ZonePicture
from advisor.findings import NOT_APPLICABLE, OPEN, PASS, Finding
from advisor.hints import TYPE_CHECKING
from advisor.report.layout import Line, clean, paragraph
from advisor.units import format_bytes, format_percent, format_seconds, format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advisor.plan import Loser, Recommendation
    from advisor.predict import Prediction
    from advisor.signals.model import Value

_INDENT = 14
_MOST_EVIDENCE = 6
_LEAST_SOURCE = 20  # columns that the source of a number needs beside it
_MOST_OPEN = 4
_MARK = {"critical": "✖", "warning": "▲", "notice": "·"}
_PROCESS_DIAGNOSES = frozenset({
    "swap_thrash", "thrashing_file", "undersized_ram", "memory_pressure", "oom_memory_exhaustion", "swap_too_small",
    "direct_reclaim_stall",
})  # fmt: skip


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
        why = _headline(report)[0][0].lower() + _headline(report)[0][1:]
        lines = lines or [
            [("Plan", "title")],
            *paragraph(f"No setting to change: {why}.", indent=2, width=width),
        ]
    return lines


def _verdict(report: Report, width: int) -> list[Line]:
    host, facts = report.host, report.host.facts
    known = [host.name or "this host"]
    if facts["host.kernel"] is not None:
        known.append(f"Linux {facts['host.kernel']}")
    if isinstance(facts["memory.total"], float):
        known.append(format_bytes(facts["memory.total"]))
    if isinstance(facts["host.nodes"], float) and facts["host.nodes"] > 1:
        known.append(f"{facts['host.nodes']:.0f} nodes")
    if host.role:
        known.append(f"role {host.role}")
    verdict, style = _headline(report)
    text = clean(" · ".join(known))
    lines: list[Line] = [[(verdict, style), ("  " + text, "title")]]
    if len(verdict) + 2 + len(text) > width:
        lines = [[(verdict, style)], *paragraph(text, indent=2, width=width, style="title")]
    return lines + paragraph(_measured(report), indent=2, width=width, style="quiet")


def _headline(report: Report) -> tuple[str, str]:
    if report.verdict == FINDINGS:
        count = len({finding.rule for finding in report.failed() if finding.severity != "notice"})
        return f"{count} finding{'s' if count > 1 else ''}", report.worst() or "warning"
    if report.verdict == HEALTHY:
        return "Healthy: nothing to tune", "good"
    return "Could not judge: too little data", "warning"


def _measured(report: Report) -> str:
    window = report.window
    parts = []
    if window.since_boot and window.seconds is None:
        parts.append("one sample, no time known")
    elif window.since_boot:
        parts.append("one sample: counters are averages since boot")
    elif window.seconds is not None:
        parts.append(f"{window.samples} samples over {format_seconds(window.seconds)}")
    else:
        parts.append(f"{window.samples} samples, time between them unknown")
    parts.append(f"{window.decided} of {window.checks} checks decided")
    parts.append({NO_THRASH: "no thrashing", ONSET: "thrashing begins", THRASH: "thrashing",
                  None: "thrashing cannot be told"}[report.thrash])  # fmt: skip
    if window.cost:
        cost = window.cost
        parts.append(f"capture took {format_seconds(cost.cpu_s)} of CPU, {format_bytes(cost.bytes_read)} read")
    return " · ".join(parts)


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
    lines += paragraph(_confidence(first), indent=_INDENT, width=width, label="confidence", style="quiet")
    if first.severity != "notice":
        lines += _evidence(first, width)
        lines += _rivals(first, width)
        lines += _processes(report, first, width)
        lines += paragraph(first.remedy_text, indent=_INDENT, width=width, label="remedy")
    return lines


def _heading(finding: Finding, width: int) -> list[Line]:
    severity = (f"{_MARK[finding.severity]} {finding.severity.upper()}  ", finding.severity)
    title, rule = clean(finding.title), f"[{finding.rule}]"
    if len(severity[0]) + len(title) + 2 + len(rule) <= width:
        return [[severity, (title, "title"), (f"  {rule}", "quiet")]]
    (_label, first), *rest = paragraph(title, indent=len(severity[0]), width=width, style="title")
    return [[severity, first], *rest, [(" " * len(severity[0]), ""), (rule, "quiet")]]


def _confidence(finding: Finding) -> str:
    return f"{finding.confidence:.2f}" + (f": {'; '.join(finding.confidence_why)}" if finding.confidence_why else "")


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


def shown(value: Value, unit: str) -> str:
    """A value of a signal for people.

    >>> shown(0.5, "ratio"), shown(True, "bool"), shown(None, "B")
    ('50%', 'yes', 'unknown')
    """
    return clean(format_value(value, unit))


def _rivals(finding: Finding, width: int) -> list[Line]:
    lines: list[Line] = []
    for index, (rival, because) in enumerate(finding.ruled_out):
        label = "ruled out" if index == 0 else ""
        lines += paragraph(f"{rival}: {because}", indent=_INDENT, width=width, label=label)
    if finding.not_ruled_out:
        rivals = ", ".join(rival for rival, _because in finding.not_ruled_out)
        lines += paragraph(rivals, indent=_INDENT, width=width, label="may also be")
    return lines


def _processes(report: Report, finding: Finding, width: int) -> list[Line]:
    """Who holds the memory, where that matters."""
    if finding.diagnosis not in _PROCESS_DIAGNOSES or not report.processes:
        return []
    largest = []
    for process in report.processes[:4]:
        text = f"{process.name} ({process.pid}) {format_bytes(process.rss_bytes)}"
        if process.swap_bytes:
            text += f" + {format_bytes(process.swap_bytes)} in swap"
        if process.heap_max_bytes:
            text += f", heap up to {format_bytes(process.heap_max_bytes)}"
        largest.append(text)
    return paragraph("; ".join(largest), indent=_INDENT, width=width, label="largest")


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
        lines += paragraph(_held(loser), indent=_INDENT, width=width, label="held back", style="quiet")
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
        lines += paragraph(_held(loser), indent=indent, width=width, label="instead of", style="quiet")
    return lines


def describe(recommendation: Recommendation) -> str:
    """One recommendation in a few words: "vm.swappiness 60 → 30", "capacity.ram increase"."""
    now = "?" if recommendation.current is None else str(recommendation.current)
    owner = f" of {recommendation.entity}" if recommendation.entity else ""
    if recommendation.kind == "setting" and recommendation.proposed is not None:
        return clean(f"{recommendation.setting}{owner} {now} → {recommendation.proposed}")
    value = "" if recommendation.proposed is None else f" {recommendation.proposed}"
    now = f" (now {now})" if recommendation.current is not None else ""
    return clean(f"{recommendation.setting}{owner} {recommendation.direction}{value}{now}")


def predicted(prediction: Prediction) -> str:
    """What the formula says a change will do, in one sentence."""
    before, after, change = prediction.before, prediction.after, prediction.available_change
    if prediction.effect != "changes" or after is None or change is None:
        return f"no effect: {prediction.reason}" if prediction.effect == "none" else prediction.reason
    share = after.high / prediction.managed if prediction.managed else 0.0
    return (
        f"kswapd keeps {format_bytes(after.high)} free ({format_percent(share)} of memory, "
        f"now {format_bytes(before.high)}); gap between min and low "
        f"{format_bytes(before.gap)} → {format_bytes(after.gap)}; MemAvailable {format_change(change)}"
    )


def format_change(change: tuple[int, int]) -> str:
    """A change of a size from worst to best; one figure where both are the same."""
    worst, best = change
    return format_signed(worst) if worst == best else f"from {format_signed(worst)} to {format_signed(best)}"


def format_signed(value: float) -> str:
    """A change of a size with its sign.

    >>> format_signed(-1048576), format_signed(0)
    ('−1 MiB', '±0 B')
    """
    sign = "−" if value < 0 else "+" if value > 0 else "±"
    return sign + format_bytes(abs(value))


def _held(loser: Loser) -> str:
    wanted = "" if loser.wanted is None else f" {loser.wanted}"
    return f"{loser.setting}{wanted} ({loser.rule}): {loser.why}"


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
    reasons = _open(report)
    for reason, rules in reasons[:_MOST_OPEN]:
        text = f"{len(rules)} check{'s' if len(rules) > 1 else ''}: {reason}"
        lines += paragraph(text, indent=_INDENT, width=width, label="open", style="quiet")
    told = {rule for _reason, rules in reasons[:_MOST_OPEN] for rule in rules}
    left = len({rule for _reason, rules in reasons for rule in rules} - told)
    if left:
        text = f"{left} check{'s' if left > 1 else ''} for other reasons: advisor check --all"
        lines += paragraph(text, indent=_INDENT, width=width, label="", style="quiet")
    for note in report.window.notes:
        lines += paragraph(note, indent=_INDENT, width=width, label="note", style="quiet")
    return lines


def _open(report: Report) -> list[tuple[str, list[str]]]:
    """What could not be judged, by what is missing; the reason that blocks most comes first."""
    blocked: dict[str, list[str]] = {}
    for finding in report.findings:
        if finding.state != OPEN or not finding.missing:
            continue
        missing = finding.missing[0]
        reason = missing.reason + (f"; {missing.hint}" if missing.hint else "")
        rules = blocked.setdefault(reason, [])
        if finding.rule not in rules:
            rules.append(finding.rule)
    return sorted(blocked.items(), key=lambda item: -len(item[1]))


def _all(report: Report, width: int) -> list[Line]:
    lines: list[Line] = [[], [("All checks", "title")]]
    for finding in sorted(report.findings, key=lambda finding: (finding.rule, finding.entity)):
        missing = "; ".join(f"{m.signal}: {m.reason}" for m in finding.missing[:2])
        name = finding.rule + (f" ({finding.entity})" if finding.entity else "")
        lines += paragraph(f"{name}{': ' + missing if missing else ''}", indent=18, width=width, label=finding.state)
    return lines
