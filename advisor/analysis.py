"""The main path: a capture in, a report object out. Pure but for the rules, which the caller loads."""

from __future__ import annotations

from collections import Counter

from advisor.errors import Unknown
from advisor.findings import FAIL, NOT_APPLICABLE, OPEN, PASS, Finding, judge
from advisor.hints import TYPE_CHECKING
from advisor.plan import Plan, make_plan
from advisor.record import Record
from advisor.rulebook.model import SEVERITIES
from advisor.signals.host import page_size, size_of, zones
from advisor.signals.table import Table
from advisor.signals.view import View, views
from advisor.signals.zones import free, mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from advisor.capture.model import Capture, Cost, Process
    from advisor.experience import Trial
    from advisor.parse.zoneinfo import Zone
    from advisor.policy.local import InForce, Local
    from advisor.policy.model import Member
    from advisor.rulebook.library import Check
    from advisor.signals.model import Value

HEALTHY, FINDINGS, INSUFFICIENT = "healthy", "findings", "insufficient"
WAIVED = "waived"

# Without one of these nobody can say whether tasks wait for memory.
DECISIVE = ("psi.memory.some", "rate.allocstall", "memory.available_share")
HOST_FACTS = ("host.kernel", "host.cpus", "host.nodes", "memory.total", "meminfo.MemAvailable", "swap.total",
               "host.uptime", "host.managed", "host.boot_id", "page_size")  # fmt: skip

NO_THRASH, ONSET, THRASH = 0, 1, 2
_THRASHING = ("thrashing_file", "swap_thrash")


class ZonePicture(Record):
    """A zone as reports draw it; bytes. The marks are without boost, which is given beside."""

    name: str
    managed: int
    free: int
    min: int
    low: int
    high: int
    boost: int


class Pressure(Record):
    """Time lost to a resource: the shares of the window in which some and all tasks waited; None is unknown.

    `parts` says the same of the windows between neighbouring samples, where there are more than two, and for memory
    only: (some, full), oldest first.
    """

    resource: str
    some: float | None
    full: float | None
    parts: tuple[tuple[float | None, float | None], ...] = ()


class Host(Record):
    """Who this is. Values are None where the capture does not tell."""

    name: str
    facts: dict[str, Value]
    role: str | None


class Window(Record):
    """What the verdict rests on; `taken_s` is the time of the last sample, in seconds since the epoch."""

    source: str
    how: str
    samples: int
    seconds: float | None
    taken_s: float | None
    since_boot: bool
    cost: Cost | None
    notes: tuple[str, ...]
    decided: int
    checks: int


class Report(Record):
    """Everything that a format may show.

    Attributes:
        verdict: healthy, findings, or insufficient: too little data to call the host healthy.
        counts: rules by state.
        passed: rules that passed, by what they are about.
        policy: what the policy comes to for this host; None when it is judged by none.
        warnings: what is wrong with the policy, a sentence each.
        thrash: 0 no thrashing, 1 onset, 2 thrashing, None when it cannot be told. The thresholds are those of
            the rules with these diagnoses.
    """

    verdict: str
    host: Host
    window: Window
    counts: dict[str, int]
    passed: dict[str, int]
    thrash: int | None
    findings: tuple[Finding, ...]
    plan: Plan
    zones: tuple[ZonePicture, ...]
    pressure: tuple[Pressure, ...]
    processes: tuple[Process, ...]
    unread: dict[str, str]
    policy: Local | None = None
    warnings: tuple[str, ...] = ()

    def failed(self) -> tuple[Finding, ...]:
        """The findings that are there and that nobody answers for, the worst first."""
        return tuple(finding for finding in self.findings if finding.state == FAIL and finding.waived is None)

    def waived(self) -> tuple[Finding, ...]:
        """The findings that somebody answers for, the worst first."""
        return tuple(finding for finding in self.findings if finding.state == FAIL and finding.waived is not None)

    def undecided(self) -> tuple[str, ...]:
        """The required values of the policy of which nobody can tell whether they hold."""
        return tuple(f.rule for f in self.findings if self.policy and f.state == OPEN and self.policy.demands(f.rule))

    def worst(self) -> str | None:
        """The highest severity among the findings, or None."""
        found = [SEVERITIES.index(finding.severity) for finding in self.failed()]
        return SEVERITIES[max(found)] if found else None


def analyse(
    capture: Capture,
    checks: Sequence[Check],
    role: str | None = None,
    policy: Local | None = None,
    past: Sequence[Trial] = (),
) -> Report:
    """Judges a capture by some rules and makes the plan that follows.

    Args:
        capture: the capture.
        checks: the rules; where there is a policy, its own stand in for them.
        role: what the host is for; what the policy says counts where this is None.
        policy: what a policy comes to for this host.
        past: what was tried before, on this host and others; see `advisor.experience`.
    """
    if policy is not None:
        checks, role = policy.checks, role or policy.role
    whole, parts = views(capture, role)
    table = Table(whole)
    findings = judge(checks, whole, parts)
    if policy is not None:
        findings = policy.waive(findings)
    facts = table.row((*HOST_FACTS, *DECISIVE)).values
    counts = counts_of(findings)
    return Report(
        verdict=verdict_of(findings, facts),
        host=Host(capture.host, {name: facts[name] for name in HOST_FACTS}, role),
        window=_window(whole, counts, len(checks)),
        counts=counts,
        passed=passed_of(findings, checks),
        thrash=thrash_of(findings, checks),
        findings=findings,
        plan=make_plan(findings, whole, demands_of(policy), past),
        zones=_pictures(whole),
        pressure=_pressure(table, parts),
        processes=capture.processes,
        unread=dict(capture.unread),
        policy=policy,
        warnings=(*policy.warnings, *policy.unused(findings)) if policy else (),
    )


def local_for(capture: Capture, policy: InForce, member: Member, role: str | None = None) -> Local:
    """What a policy comes to for the host of a capture.

    Args:
        capture: the capture.
        policy: the policy with the rules that it changes.
        member: the host's name, inventory groups and labels.
        role: what the host is for, as the user says; conditions of groups may ask for it.
    """
    whole, _parts = views(capture, role)
    return policy.local(member, Table(whole).row(policy.policy.signals).values)


def demands_of(policy: Local | None) -> dict[str, Check]:
    """The required values by setting."""
    if policy is None:
        return {}
    head = f"policy.{policy.name}."
    return {check.id.removeprefix(head): check for check in policy.checks if check.id.startswith(head)}


def counts_of(findings: Sequence[Finding]) -> dict[str, int]:
    """Rules by state; a rule with many entities counts once, with its worst state. What is waived is no failure."""
    order = (FAIL, WAIVED, OPEN, PASS, NOT_APPLICABLE)
    worst: dict[str, str] = {}
    for finding in findings:
        state = WAIVED if finding.waived else finding.state
        worst[finding.rule] = min(worst.get(finding.rule, NOT_APPLICABLE), state, key=order.index)
    counted = Counter(worst.values())
    return {state: counted[state] for state in order}


def passed_of(findings: Sequence[Finding], checks: Sequence[Check]) -> dict[str, int]:
    """Rules that passed for every entity, by family, the largest family first."""
    states: dict[str, set[str]] = {}
    for finding in findings:
        states.setdefault(finding.rule, set()).add(finding.state)
    passed = Counter(check.family for check in checks if states.get(check.id) == {PASS})
    return dict(passed.most_common())


def verdict_of(findings: Iterable[Finding], facts: Mapping[str, Value]) -> str:
    """The verdict by what was found, and by whether anything could have been: `facts` are those of DECISIVE."""
    if any(f.state == FAIL and f.severity != "notice" and f.waived is None for f in findings):
        return FINDINGS
    return HEALTHY if any(facts[name] is not None for name in DECISIVE) else INSUFFICIENT


def _window(view: View, counts: dict[str, int], checks: int) -> Window:
    capture = view.capture
    try:
        seconds = view.seconds
    except Unknown:
        seconds = None
    return Window(
        capture.source,
        capture.how,
        len(capture.samples),
        seconds,
        capture.samples[-1].wall_s if capture.samples else None,
        view.since_boot,
        capture.cost,
        capture.notes,
        checks - counts[OPEN],
        checks,
    )


def thrash_of(findings: Sequence[Finding], checks: Sequence[Check]) -> int | None:
    """The three-state verdict on thrashing, from the rules that diagnose it."""
    fired = {f.severity for f in findings if f.state == FAIL and f.diagnosis in _THRASHING and not f.explained_by}
    if "critical" in fired:
        return THRASH
    if "warning" in fired:
        return ONSET
    asked = {check.id for check in checks if check.id.endswith("-thrash")}
    states = {finding.state for finding in findings if finding.rule in asked}
    return NO_THRASH if states and OPEN not in states else None


def _pressure(whole: Table, parts: Sequence[View]) -> tuple[Pressure, ...]:
    memory = tuple(_waited(Table(part), "memory") for part in parts)
    return tuple(
        Pressure(resource, *_waited(whole, resource), memory if resource == "memory" else ())
        for resource in ("memory", "io", "cpu")
    )


def _waited(table: Table, resource: str) -> tuple[float | None, float | None]:
    names = (f"psi.{resource}.some", f"psi.{resource}.full")
    some, full = (table.row(names).values[name] for name in names)
    return (some if isinstance(some, float) else None), (full if isinstance(full, float) else None)


def _pictures(view: View) -> tuple[ZonePicture, ...]:
    try:
        size = page_size(view)
        return tuple(_picture(zone, size) for zone in zones(view))
    except Unknown:
        return ()


def _picture(zone: Zone, size: int) -> ZonePicture:
    marks = [mark(zone, name) * size for name in ("min", "low", "high")]
    name = f"node {zone.node} {zone.name}"
    return ZonePicture(
        name, size_of(zone) * size, free(zone) * size, marks[0], marks[1], marks[2], (zone.boost or 0) * size
    )
