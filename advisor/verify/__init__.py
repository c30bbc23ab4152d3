"""Did it help? The symptom measured again, with noise bounds, and a verdict: better, same, worse, cannot tell.

    verification = verify([before], [after], rules, plan)     records
    document = verify_documents([before], [after], plan)      the same as JSON values, for playbooks

Each rule that asked for a change says in its `verify` field what to expect of it. That is compared window by window,
per unit of work, see `advisor.noise`; costs that nobody asked for are watched as well, and the plan's own predictions
are scored. Whatever makes the captures incomparable is named and gives "cannot tell", or an error where the question
itself is wrong. Nothing here reads a file: captures and plans come from the caller.
"""

from __future__ import annotations

from advisor.errors import AdvisorError, Unknown
from advisor.findings import judge as find
from advisor.hints import TYPE_CHECKING, Any, TypeVar
from advisor.record import Record, asdict, replace
from advisor.signals.host import managed, page_size
from advisor.signals.model import entities_of
from advisor.signals.view import views
from advisor.verify import changes as planned
from advisor.verify import costs as watched
from advisor.verify import predictions, weather
from advisor.verify.expectations import Sides, goals, judge_rule
from advisor.verify.model import (
    BETTER,
    LEVEL,
    SAME,
    UNCLEAR,
    WORSE,
    Change,
    Cost,
    Expectation,
    Identity,
    Verification,
    Work,
    longest,
)
from advisor.verify.sides import Measure, Windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from advisor.capture.model import Capture
    from advisor.rulebook.library import Check
    from advisor.rulebook.model import Rule
    from advisor.tunables import Value as SettingValue
    from advisor.verify.changes import Wanted

Judged = TypeVar("Judged", Expectation, Cost)

__all__ = [
    "BETTER",
    "SAME",
    "SCHEMA",
    "UNCLEAR",
    "WORSE",
    "How",
    "Measure",
    "Verification",
    "verify",
    "verify_documents",
]

SCHEMA = "memadvisor/verification/1"


class How(Record):
    """How to verify: the role of the host, for rules that ask for it, and what work is counted by."""

    role: str | None = None
    work: Measure = Measure()


def verify_documents(
    before: Sequence[Capture],
    after: Sequence[Capture],
    plan: Mapping[str, Any] | None,
    rules: Sequence[Check],
    how: How | None = None,
) -> dict[str, Any]:
    """What `verify` says, as JSON values.

    Returns:
        ``verdict`` ("better", "same", "worse", "cannot tell"), ``why`` (sentences), ``undo`` (names of the settings at
        fault, to be taken back), ``changes`` (each with its verdict, expectations and numbers), ``costs``,
        ``predictions``, ``wait_s`` (how much longer to watch, or null). Infinite ends of intervals are null.

    Raises:
        AdvisorError: see `verify`.
    """
    return document(verify(before, after, rules, plan, how))


def document(verification: Verification) -> dict[str, Any]:
    """A verification as JSON values."""
    work = verification.work
    return {
        "schema": SCHEMA,
        **_finite(asdict(verification)),
        "work": {**asdict(work), "ratio": work.ratio},
        "level": LEVEL,
    }


def _finite(value: Any) -> Any:
    """JSON knows no infinity."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and value in {float("inf"), float("-inf")} else value


def verify(
    before: Sequence[Capture],
    after: Sequence[Capture],
    rules: Sequence[Check],
    plan: Mapping[str, Any] | None = None,
    how: How | None = None,
) -> Verification:
    """Judges whether the changes between some captures did what they were made for.

    Args:
        before: captures from before the changes.
        after: captures from after them.
        rules: the rules in force; they say what to expect.
        plan: the plan that was carried out, as JSON values; None: what differs between the captures.
        how: role of the host, and what work is counted by; None: no role, pages allocated.

    Raises:
        AdvisorError: the captures are of several hosts or in the wrong order, or the plan is damaged or another's.
    """
    if not before or not after or not all(capture.samples for capture in (*before, *after)):
        raise AdvisorError("a capture without samples cannot be compared", "advisor capture --samples 6 takes some")
    before, after = weather.in_order(before), weather.in_order(after)
    weather.refuse(before, after)
    return _Verifier(before, after, rules, how or How()).verification(plan)


class _Verifier:
    """Holds both sides of one verification."""

    def __init__(self, before: Sequence[Capture], after: Sequence[Capture], rules: Sequence[Check], how: How) -> None:
        role, measure = how.role, how.work
        old, new = measure.requests or (None, None)
        self.captures = (before, after)
        self.rules = {check.id: check for check in rules}
        self.checks = rules
        self.role = role
        self.before = Windows(before, role, measure.signal, old)
        self.after = Windows(after, role, measure.signal, new)
        self.work = Work(measure.name, measure.unit, self.before.work_rate, self.after.work_rate)
        self.settings = (weather.settings(before[-1], -1), weather.settings(after[-1], -1))
        ended, began = weather.facts(before[-1], -1), weather.facts(after[-1], -1)
        self.facts = weather.facts(before[0], 0)
        known = bool(self.work.before and self.work.after)
        self.sides = Sides(
            self.before,
            self.after,
            self.work.before if known else None,
            weather.elapsed(ended, began),
            weather.same_boot(ended, began) is not False,
        )

    def verification(self, plan: Mapping[str, Any] | None) -> Verification:
        wanted = self.wanted(plan)
        blocked = self.blocked(wanted, planned_out=plan is not None)
        prediction = predictions.predicted(self.state(0), self.values(wanted))
        changes = tuple(self.change(each, blocked, self.level(wanted)) for each in wanted)
        made = [change.setting for change in changes if not self.unmade(change.setting, wanted)]
        costs = tuple(self.costs(prediction.available_change if prediction else None, made))
        verdict, why, undo = self.together(changes, costs, blocked, made)
        return Verification(
            verdict=verdict,
            why=tuple(why),
            host=self.host(),
            before=self.before.side,
            after=self.after.side,
            work=self.work,
            changes=changes,
            costs=costs,
            predictions=tuple(predictions.score(prediction, self.state(0), self.state(1))) if prediction else (),
            undo=tuple(undo),
            wait_s=longest([change.wait_s for change in changes]) if verdict == UNCLEAR and not blocked else None,
            ended_s=self.captures[1][-1].samples[-1].wall_s,
            notes=self.notes(),
        )

    def host(self) -> Identity:
        facts = weather.facts(self.captures[1][-1], -1)
        view = self.state(1)
        try:
            size: int | None = managed(view) * page_size(view)
        except Unknown:
            size = None
        name = next((capture.host for side in self.captures for capture in side if capture.host), None)
        kernel = str(facts.kernel) if facts.kernel is not None else None
        return Identity(name, facts.boot_id, kernel, size, self.role)

    def state(self, side: int) -> Any:
        """The last state of a side."""
        return views(self.captures[side][-1], self.role)[0]

    def wanted(self, plan: Mapping[str, Any] | None) -> list[Wanted]:
        """The changes to judge."""
        if plan is not None:
            facts = self.facts
            return planned.of_plan(plan, facts.host, facts.boot_id, facts.managed)
        moved = list(weather.moved(*self.settings))
        whole, parts = views(self.captures[0][-1], self.role)
        return planned.of_captures(moved, self.settings[1], find(self.checks, whole, parts) if moved else ())

    def values(self, wanted: Sequence[Wanted]) -> dict[str, SettingValue]:
        """The values that were written, by setting."""
        return {each.setting: each.proposed for each in wanted if each.proposed is not None}

    def unmade(self, setting: str, wanted: Sequence[Wanted]) -> str:
        """Why the change of a setting was not made; empty where it was."""
        return next((planned.applied(each, *self.settings) for each in wanted if each.setting == setting), "")

    def blocked(self, wanted: Sequence[Wanted], *, planned_out: bool) -> list[str]:
        """All that makes these captures incomparable; a plan tells their order, as AFTER has its values."""
        before, after = self.captures
        found = weather.differences(before, after)
        found += weather.unsteady(before, "BEFORE") + weather.unsteady(after, "AFTER")
        if not planned_out:
            found += weather.unordered(before, after)
        found += weather.too_different(self.work)
        planned_ = weather.follows(each.setting for each in wanted)
        other = [text for name, text in weather.moved(*self.settings).items() if name not in planned_]
        if other:
            found.append(f"other settings changed as well, so what did it cannot be told: {', '.join(other)}")
        for side, name in ((self.before, "BEFORE"), (self.after, "AFTER")):
            if not side.seconds:
                found.append(f"{name} has no two samples with a known time between them")
        return found

    def level(self, wanted: Sequence[Wanted]) -> float:
        """The level of each interval: all expectations together are to be wrong no more often than LEVEL."""
        return LEVEL / max(1, sum(goals(rule) for each in wanted for rule in self.asking(each)))

    def asking(self, wanted: Wanted) -> list[Rule]:
        """The rules that asked for a change, as far as they are still in force."""
        return [self.rules[name].rule() for name in wanted.rules if name in self.rules]

    def change(self, wanted: Wanted, blocked: Sequence[str], level: float) -> Change:
        expectations: list[Expectation] = []
        if self.before.seconds and self.after.seconds:
            for rule in self.asking(wanted):
                expectations += map(self.seen, judge_rule(rule, self.sides, self.entities(rule), level))
        unmade = planned.applied(wanted, *self.settings)
        return planned.judge(wanted, self.settings, expectations, unmade or "; ".join(blocked))

    def entities(self, rule: Rule) -> list[str]:
        """What a rule is judged for: the host, or the zones, nodes … for which it fired in BEFORE."""
        if rule.scope == "host":
            return [""]
        whole, parts = views(self.captures[0][-1], self.role)
        fired = [f.entity for f in find([self.rules[rule.id]], whole, parts) if f.state == "fail"]
        return fired or [entity.name for entity in entities_of(whole, rule.scope)][:1]

    def costs(self, change: tuple[int, int] | None, made: Sequence[str]) -> list[Cost]:
        if not self.before.seconds or not self.after.seconds:
            return []
        loss = max(0.0, -float(change[0])) if change else 0.0
        return list(map(self.seen, watched.judge(self.sides, LEVEL / (len(watched.WATCHED) + 1), loss, made)))

    def seen(self, judged: Judged) -> Judged:
        """What can be told where nobody knows whether the load is the same: that what has no rate got worse."""
        why = weather.unseen(self.work)
        if not why or (judged.noise is None and judged.verdict == WORSE):
            return judged
        return replace(judged, verdict=UNCLEAR, why=why, **({"wait_s": None} if hasattr(judged, "wait_s") else {}))

    def together(
        self, changes: Sequence[Change], costs: Sequence[Cost], blocked: Sequence[str], made: Sequence[str]
    ) -> tuple[str, list[str], list[str]]:
        """Verdict, reasons, and the settings at fault."""
        if blocked:
            return UNCLEAR, list(blocked), []
        if not changes:
            return UNCLEAR, ["no setting changed between the captures, and no plan says what should have"], []
        if not made:
            return UNCLEAR, [f"{change.setting}: {change.why}" for change in changes], []
        own = [change for change in changes if change.verdict == WORSE]
        dear = [cost for cost in costs if cost.verdict == WORSE]
        if own or dear:
            undo = self.at_fault(own, dear, changes, made)
            why = [f"{change.setting}: {change.why}" for change in own]
            why += [f"{cost.signal} got worse: {cost.why}" for cost in dear]
            return WORSE, why, undo
        return (*self.not_worse([change for change in changes if change.setting in made]), [])

    def at_fault(
        self, own: Sequence[Change], dear: Sequence[Cost], changes: Sequence[Change], made: Sequence[str]
    ) -> list[str]:
        """The settings that it is put down to.

        These are the changes that made their own symptom worse; and for a cost, of the settings that are known to
        move it, those that did no good themselves. A cost that no setting here is known to move, such as waiting, is
        put down to those; only where there are none, to every setting that did no good.
        """
        good = {change.setting for change in changes if change.verdict == BETTER}
        found = [change.setting for change in own]
        for cost in dear:
            able = watched.causes(cost.signal, made)
            found += [name for name in able if name not in good] or able
        found = found or [name for name in made if name not in good] or list(made)
        return list(dict.fromkeys(found))

    def not_worse(self, changes: Sequence[Change]) -> tuple[str, list[str]]:
        verdicts = {change.verdict for change in changes}
        for verdict in (BETTER, UNCLEAR, SAME):
            if verdict in verdicts:
                why = [f"{change.setting}: {change.why}" for change in changes if change.verdict == verdict]
                break
        killed = watched.new_kills(self.sides)
        if verdict == BETTER and killed:
            return UNCLEAR, [killed, *why]
        return verdict, why

    def notes(self) -> tuple[str, ...]:
        found = []
        if self.sides.elapsed_s is None:
            found.append("the captures do not tell how much time lies between them")
        return tuple(found)
