"""Rules and signals in, findings out: each in one of four states, with evidence and confidence.

`fail` the problem is there; `pass` it is not; `open` data is missing, and the finding says which and how to get
it; `notApplicable` the rule makes no sense on this host.
"""

from __future__ import annotations

import importlib
from contextlib import suppress

from advisor.engine.message import render
from advisor.engine.rows import compile_row
from advisor.errors import Unknown
from advisor.evidence import Evidence, evidence
from advisor.hints import TYPE_CHECKING, Any
from advisor.record import Record, replace
from advisor.rulebook.model import SEVERITIES, Rule
from advisor.signals.model import Entity, Value, catalogue, entities_of
from advisor.signals.table import Row, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from advisor.engine.checked import Checked
    from advisor.policy.model import Waived
    from advisor.rulebook.library import Check
    from advisor.signals.view import View

FAIL, PASS, OPEN, NOT_APPLICABLE = "fail", "pass", "open", "notApplicable"

# A window below this says little about a host whose load comes in waves (a policy of ours).
SHORT_WINDOW_S = 60.0


class Missing(Record):
    """A signal that would have decided a rule: its name, why it is unknown, how to get it."""

    signal: str
    reason: str
    hint: str


class Advised(Record):
    """One recommendation of a finding, in base units, before clamps and merging."""

    setting: str
    direction: str
    value: float | bool | str | None
    rounding: str
    because: str


class Finding(Record):
    """What a rule says of the host, or of one of its zones, nodes, cgroups.

    Attributes:
        confidence: 0..1; how much the verdict can be trusted, and `confidence_why` says what moved it.
        harm: share of time lost to the problem, or None when the rule cannot tell.
        windows: in how many of the parts of the window the rule fired, and how many parts there were.
        explained_by: a finding with this id names the cause; this one is its symptom.
        waived: who answers for it by the policy; None when nobody does. A waived finding fails nothing.
    """

    rule: str
    state: str
    entity: str
    missing: tuple[Missing, ...] = ()
    title: str = ""
    diagnosis: str = ""
    severity: str = "notice"
    message: str = ""
    confidence: float = 0.0
    confidence_why: tuple[str, ...] = ()
    harm: float | None = None
    evidence: tuple[Evidence, ...] = ()
    ruled_out: tuple[tuple[str, str], ...] = ()
    not_ruled_out: tuple[tuple[str, str], ...] = ()
    windows: tuple[int, int] = (0, 0)
    remedy: str = "none"
    remedy_text: str = ""
    advice: tuple[Advised, ...] = ()
    explained_by: str = ""
    waived: Waived | None = None
    fingerprint: str = ""
    source: Rule | None = None

    @property
    def rank(self) -> tuple[int, float, float]:
        """Order of importance: severity, then harm, then confidence; larger is worse."""
        return SEVERITIES.index(self.severity), self.harm or 0.0, self.confidence


def state_of(check: Check, values: Mapping[str, Value]) -> str:
    """The state of a rule on one row of signals.

    This is the hot path of a fleet: two compiled conditions, no more.
    """
    for name in check.has:
        if values.get(name) is None:
            return NOT_APPLICABLE
    unless, when = check.compiled
    if unless is not None and unless(values) is True:
        return NOT_APPLICABLE
    verdict = when(values)
    return OPEN if verdict is None else FAIL if verdict else PASS


def judge(checks: Sequence[Check], whole: View, parts: Sequence[View] = ()) -> tuple[Finding, ...]:
    """Every finding of a capture, the worst first.

    Args:
        checks: the rules.
        whole: the window from the first to the last sample.
        parts: the windows between neighbouring samples, to see whether a problem repeats.
    """
    judged = _Judge(Table(whole), [Table(part) for part in parts])
    findings = [finding for check in checks for finding in judged.findings(check)]
    return explained(findings)


def explained(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings of one host, the worst first; those that are only the symptom of another are mere notices.

    The rule says to which diagnoses it yields. Of two that would each yield to the other the one that weighs less
    stands: what is explained already explains nothing.
    """
    demoted = _explained(tuple(findings))
    return tuple(sorted(demoted, key=lambda f: (f.state != FAIL, *(-x for x in f.rank), f.rule, f.entity)))


def _explained(findings: Sequence[Finding]) -> list[Finding]:
    firing = sorted((f for f in findings if f.state == FAIL), key=lambda f: f.rank, reverse=True)
    causes: dict[str, str] = {}
    for finding in firing:
        if finding.severity != "notice":
            causes.setdefault(finding.diagnosis, finding.rule)
    symptoms: dict[str, str] = {}
    for finding in firing:
        yields_to = finding.source.yields_to if finding.source else ()
        candidates = (causes[diagnosis] for diagnosis in yields_to if diagnosis in causes)
        cause = next((rule for rule in candidates if rule != finding.rule and rule not in symptoms), None)
        if cause is not None:
            symptoms[finding.rule] = cause
    return [_demoted(f, symptoms) if f.state == FAIL and f.rule in symptoms else f for f in findings]


def _demoted(finding: Finding, explained: Mapping[str, str]) -> Finding:
    """The finding as a symptom of what is at the end of the chain of causes."""
    cause = explained[finding.rule]
    while cause in explained:
        cause = explained[cause]
    return replace(finding, severity="notice", explained_by=cause)


class _Judge:
    """Judges one capture, rule by rule."""

    def __init__(self, whole: Table, parts: Sequence[Table]) -> None:
        self.whole, self.parts = whole, parts

    def findings(self, check: Check) -> Iterable[Finding]:
        if check.scope == "host":
            return [self.one(check, None)]
        try:
            entities = entities_of(self.whole.view, check.scope)
        except Unknown as reason:
            missing = (Missing(check.scope, reason.message, reason.hint),)
            return [Finding(check.id, OPEN, "", missing)]
        if not entities:
            return [Finding(check.id, NOT_APPLICABLE, "")]
        return [self.one(check, entity) for entity in entities]

    def one(self, check: Check, entity: Entity | None) -> Finding:
        row = self.whole.row((*check.names, *check.has), check.scope, entity)
        state = state_of(check, row.values)
        name = entity.name if entity else ""
        if state == OPEN:
            return Finding(check.id, OPEN, name, _missing(row, check.names))
        if state != FAIL:
            return Finding(check.id, state, name)
        return self.fired(check, entity, name)

    def fired(self, check: Check, entity: Entity | None, name: str) -> Finding:
        rule, view = check.rule(), self.whole.view
        row = self.whole.row(read_by(rule), rule.scope, entity)
        proof = evidence(view, row, shown_of(rule))
        return fired(rule, row, view.capture.host, proof, self.repeats(check, name))

    def repeats(self, check: Check, name: str) -> tuple[int, int]:
        """In how many parts of the window the rule fires as well."""
        fired = known = 0
        for table in self.parts:
            entity = self._same_entity(table, check.scope, name)
            if check.scope != "host" and entity is None:
                continue
            state = state_of(check, table.row((*check.names, *check.has), check.scope, entity).values)
            known += state in {FAIL, PASS}
            fired += state == FAIL
        return fired, known

    @staticmethod
    def _same_entity(table: Table, scope: str, name: str) -> Entity | None:
        if scope == "host":
            return None
        try:
            return next((e for e in entities_of(table.view, scope) if e.name == name), None)
        except Unknown:
            return None


def read_by(rule: Rule) -> frozenset[str]:
    """The signals that a finding of a rule is made of."""
    return rule.names() | {"window.seconds", "window.since_boot"}


def shown_of(rule: Rule) -> list[str]:
    """The signals that a finding of a rule shows as evidence, in that order."""
    return in_order(rule.when) + list(rule.evidence)


def fired(rule: Rule, row: Row, host: str, proof: tuple[Evidence, ...], windows: tuple[int, int] = (0, 0)) -> Finding:
    """The finding of a rule that fires on a row.

    Args:
        rule: the rule.
        row: at least the signals of `read_by`.
        host: the host's name.
        proof: the evidence, of the signals of `shown_of`.
        windows: in how many parts of the window it fires, and how many there are.
    """
    confidence, why = _confidence(rule, row, windows)
    advice = tuple(_advice(rule, row.values))
    return Finding(
        rule=rule.id,
        state=FAIL,
        entity=row.entity.name,
        title=rule.title,
        diagnosis=rule.diagnosis,
        severity=_severity(rule, row),
        message=render(rule.message, row.values),
        confidence=confidence,
        confidence_why=why,
        harm=_number(rule.harm, row.values),
        evidence=proof,
        ruled_out=_rivals(rule, row.values, excluded=True),
        not_ruled_out=_rivals(rule, row.values, excluded=False),
        windows=windows,
        remedy=rule.remedy,
        remedy_text=rule.remedy_text,
        advice=advice,
        fingerprint=fingerprint(rule.id, host, row.entity.name, advice),
        source=rule,
    )


def in_order(condition: Checked) -> list[str]:
    """The signals of a condition in the order in which its text names them, those of its parts last."""
    end = len(condition.text)
    places = {name: place if (place := condition.text.find(name)) >= 0 else end for name in condition.names}
    return sorted(places, key=lambda name: (places[name], name))


def _missing(row: Row, names: Iterable[str]) -> tuple[Missing, ...]:
    unknown = ((name, row.reasons.get(name)) for name in names if row.values.get(name) is None)
    return tuple(Missing(name, r.message if r else "unknown", r.hint if r else "") for name, r in unknown)


def _true(expression: Any, values: Mapping[str, Value]) -> bool:
    return compile_row(expression.tree)(values) is True


def _number(expression: Any, values: Mapping[str, Value]) -> float | None:
    value = compile_row(expression.tree)(values) if expression else None
    return value if isinstance(value, float) else None


def _deciding(rule: Rule, row: Row) -> tuple[str, frozenset[str]]:
    """The severity before caps, and the signals that it rests on."""
    if rule.critical_when is not None and _true(rule.critical_when, row.values):
        return "critical", rule.critical_when.names
    return rule.severity, rule.when.names


def _severity(rule: Rule, row: Row) -> str:
    """The severity of a finding; an average since boot is never critical."""
    severity, names = _deciding(rule, row)
    since_boot = row.values.get("window.since_boot") and measures_window(names)
    return "warning" if severity == "critical" and since_boot else severity


def measures_window(names: Iterable[str]) -> bool:
    """Whether any of the signals is a change within the window, and not a state."""
    return any(catalogue()[name].changes for name in names)


def _confidence(rule: Rule, row: Row, windows: tuple[int, int]) -> tuple[float, tuple[str, ...]]:
    """How much the verdict can be trusted, and what moved it. The steps are a policy of ours.

    A state that was read is nearly certain; a rate starts even and gains by independent witnesses and by
    repeating, and loses by a short window and by what the rule itself doubts.
    """
    measured = measures_window(_deciding(rule, row)[1])
    score, why = (0.6 if measured else 0.9), []
    if any(_true(support, row.values) for support in rule.supports):
        score += 0.2
        why.append("a second, independent signal agrees")
    fired, known = windows
    if known >= 3 and fired * 3 >= known * 2:
        score += 0.1
        why.append(f"seen in {fired} of {known} parts of the window")
    elif known >= 3 and fired * 3 < known:
        score -= 0.2
        why.append(f"seen in only {fired} of {known} parts of the window")
    for doubt in rule.doubts:
        if _true(doubt.when, row.values):
            score -= 0.2
            why.append(render(doubt.because, row.values))
    if measured:
        score, why = _window_confidence(rule, row, score, why)
    return round(min(0.95, max(0.1, score)), 2), tuple(why)


def _window_confidence(rule: Rule, row: Row, score: float, why: list[str]) -> tuple[float, list[str]]:
    seconds = row.values.get("window.seconds")
    if row.values.get("window.since_boot"):
        return min(score, 0.4), [*why, "one sample only: these are averages since boot"]
    if not isinstance(seconds, float):
        return min(score, 0.5), [*why, "the length of the window is unknown"]
    wanted = max(SHORT_WINDOW_S, rule.window_s)
    if seconds < wanted:
        return score - 0.2, [*why, f"the window of {seconds:.0f} s is shorter than {wanted:.0f} s"]
    return score, why


def _rivals(rule: Rule, values: Mapping[str, Value], *, excluded: bool) -> tuple[tuple[str, str], ...]:
    """Rival diagnoses that are excluded by the numbers, or that these numbers cannot exclude."""
    return tuple(
        (rival.rival, render(rival.because, values) if excluded else "")
        for rival in rule.rules_out
        if _true(rival.when, values) is excluded
    )


def _advice(rule: Rule, values: Mapping[str, Value]) -> Iterable[Advised]:
    for advice in rule.advice:
        if advice.when is not None and not _true(advice.when, values):
            continue
        value = compile_row(advice.value.tree)(values) if advice.value is not None else None
        yield Advised(advice.setting, advice.direction, value, advice.rounding, render(advice.because, values))


def fingerprint(rule: str, host: str, entity: str, advice: Iterable[Advised]) -> str:
    """A stable hash of rule, host, entity and proposed action: declined advice can stay declined."""
    action = ",".join(sorted(f"{a.setting} {a.direction}" for a in advice))
    text = f"{rule}\0{host}\0{entity}\0{action}"
    return str(_sha256()(text.encode("utf-8", "surrogatepass")).hexdigest()[:16])


def _sha256() -> Callable[[bytes], Any]:
    # Python's own module, as its `random` does: hashlib loads OpenSSL, which takes longer than to judge all rules.
    for module in ("_sha2", "_sha256"):  # from Python 3.12 on, and before
        with suppress(ImportError):
            return importlib.import_module(module).sha256  # type: ignore[no-any-return]
    return importlib.import_module("hashlib").sha256  # type: ignore[no-any-return]
