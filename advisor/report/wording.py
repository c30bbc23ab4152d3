"""What every report for people says in the same words: verdict, what it rests on, values, changes, reasons."""

from __future__ import annotations

from advisor.analysis import FINDINGS, HEALTHY, NO_THRASH, ONSET, THRASH, Report
from advisor.findings import OPEN, Finding
from advisor.hints import TYPE_CHECKING
from advisor.report.layout import clean
from advisor.units import format_bytes, format_percent, format_seconds, format_value

if TYPE_CHECKING:
    from advisor.plan import Loser, Recommendation
    from advisor.policy.local import Local
    from advisor.predict import Prediction
    from advisor.signals.model import Value

_PROCESS_DIAGNOSES = frozenset({
    "swap_thrash", "thrashing_file", "undersized_ram", "memory_pressure", "oom_memory_exhaustion", "swap_too_small",
    "direct_reclaim_stall",
})  # fmt: skip


def headline(report: Report) -> tuple[str, str]:
    """The verdict in a few words, and its style: a severity, or good."""
    verdict, style = _verdict(report)
    waived = len({finding.rule for finding in report.waived()})
    return (f"{verdict}, {waived} waived" if waived else verdict), style


def _verdict(report: Report) -> tuple[str, str]:
    if report.verdict == FINDINGS:
        count = len({finding.rule for finding in report.failed() if finding.severity != "notice"})
        return f"{count} finding{'s' if count > 1 else ''}", report.worst() or "warning"
    if report.verdict == HEALTHY:
        return "Healthy: nothing to tune", "good"
    return "Could not judge: too little data", "warning"


def identity(report: Report) -> str:
    """Who this is: name, kernel, memory, nodes, role, as far as they are known."""
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
    return clean(" · ".join(known))


def terms(policy: Local) -> str:
    """By which policy the host was judged, and what that came to."""
    groups = f"groups {', '.join(policy.groups)}" if policy.groups else "in none of its groups"
    role = f" · role {policy.role}" if policy.role else ""
    gate = "never fails" if policy.fail_on == "never" else f"fails on {policy.fail_on}"
    return clean(f"policy {policy.name} · {groups}{role} · {gate}")


def waiver(owner: str, expires: str, reason: str) -> str:
    """Who answers for a finding, until when, why.

    >>> waiver("dba", "2027-01-31", "known, and watched")
    'dba until 2027-01-31: known, and watched'
    """
    return f"{owner} until {expires}: {reason}"


def measured(report: Report) -> str:
    """What the verdict rests on, in one line."""
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


def confidence(finding: Finding) -> str:
    """How much a finding can be trusted, and what moved it."""
    return f"{finding.confidence:.2f}" + (f": {'; '.join(finding.confidence_why)}" if finding.confidence_why else "")


def shown(value: Value, unit: str) -> str:
    """A value of a signal for people.

    >>> shown(0.5, "ratio"), shown(True, "bool"), shown(None, "B")
    ('50%', 'yes', 'unknown')
    """
    return clean(format_value(value, unit))


def largest(report: Report, finding: Finding) -> str:
    """Who holds the memory, where that matters; empty elsewhere."""
    if finding.diagnosis not in _PROCESS_DIAGNOSES:
        return ""
    texts = []
    for process in report.processes[:4]:
        text = f"{process.name} ({process.pid}) {format_bytes(process.rss_bytes)}"
        if process.swap_bytes:
            text += f" + {format_bytes(process.swap_bytes)} in swap"
        if process.heap_max_bytes:
            text += f", heap up to {format_bytes(process.heap_max_bytes)}"
        texts.append(text)
    return "; ".join(texts)


def describe(recommendation: Recommendation) -> str:
    """One recommendation in a few words: "vm.swappiness 60 → 30", "capacity.ram increase"."""
    r = recommendation
    return change(r.setting, r.entity, r.kind, r.current, r.proposed, r.direction)


def change(setting: str, entity: str, kind: str, current: object, proposed: object, direction: str) -> str:  # noqa: PLR0913, PLR0917  (the parts of one line, from a record or from its JSON)
    """A recommendation in a few words; None stands for unknown.

    >>> change("vm.swappiness", "", "setting", 60, 30, "set")
    'vm.swappiness 60 → 30'
    """
    owner = f" of {entity}" if entity else ""
    if kind == "setting" and proposed is not None:
        return clean(f"{setting}{owner} {'?' if current is None else current} → {proposed}")
    value = "" if proposed is None else f" {proposed}"
    now = f" (now {current})" if current is not None else ""
    return clean(f"{setting}{owner} {direction}{value}{now}")


def predicted(prediction: Prediction) -> str:
    """What the formula says a change will do, in one sentence."""
    before, after, moved = prediction.before, prediction.after, prediction.available_change
    if prediction.effect != "changes" or after is None or moved is None:
        return f"no effect: {prediction.reason}" if prediction.effect == "none" else prediction.reason
    share = after.high / prediction.managed if prediction.managed else 0.0
    return (
        f"kswapd keeps {format_bytes(after.high)} free ({format_percent(share)} of memory, "
        f"now {format_bytes(before.high)}); gap between min and low "
        f"{format_bytes(before.gap)} → {format_bytes(after.gap)}; MemAvailable {format_change(moved)}"
    )


def format_change(moved: tuple[int, int]) -> str:
    """A change of a size from worst to best; one figure where both are the same."""
    worst, best = moved
    return format_signed(worst) if worst == best else f"from {format_signed(worst)} to {format_signed(best)}"


def format_signed(value: float) -> str:
    """A change of a size with its sign.

    >>> format_signed(-1048576), format_signed(0)
    ('−1 MiB', '±0 B')
    """
    sign = "−" if value < 0 else "+" if value > 0 else "±"
    return sign + format_bytes(abs(value))


def held(loser: Loser) -> str:
    """A wish that was not followed, and why."""
    wanted = "" if loser.wanted is None else f" {loser.wanted}"
    return f"{loser.setting}{wanted} ({loser.rule}): {loser.why}"


def open_reasons(report: Report) -> list[tuple[str, list[str]]]:
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
