"""Findings in, one ordered plan out: what to change to which value, why, what it costs, and what was held back.

Rules say what they want. Here it is merged, limited by what the kernel takes and by what we let one change do,
and checked against what else was found: a change that would make another finding worse is held back and shown.
"""

from __future__ import annotations

from types import MappingProxyType

from advisor.findings import FAIL, Advised, Finding
from advisor.hints import TYPE_CHECKING
from advisor.known import Known, OfCapture
from advisor.record import Record
from advisor.tunables import TUNABLES, HostFacts, Tunable, apply_order, in_own_unit, limit, validate
from advisor.tunables import Value as SettingValue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from advisor.experience import Trial
    from advisor.predict import Prediction
    from advisor.rulebook.library import Check
    from advisor.signals.view import View

# One knob of a group in a plan: both move the same marks, and their effects could not be told apart.
_GROUPS = (("vm.min_free_kbytes", "vm.watermark_scale_factor"),)
_MARKS = frozenset(_GROUPS[0])
_SCALE = "vm.watermark_scale_factor"

# A step that our limits cut to less than this is not worth a change: the next rounds would only creep on.
_WORTH_A_CHANGE = 1.5

# Raising the marks takes memory away. Where memory itself is short, leaks, or is short for one container only,
# that makes it worse.
_NO_HIGHER_MARKS = (
    "undersized_ram",
    "swap_thrash",
    "thrashing_file",
    "slab_leak",
    "oom_memory_exhaustion",
    "memory_pressure",
)

_KINDS = {
    "capacity.ram": "capacity",
    "capacity.swap": "capacity",
    "kernel": "kernel",
    "workload": "application",
    "earlyoom/oomd": "application",
    "numa.policy": "application",
    "vm.compact_memory": "action",
    "vm.drop_caches": "action",
}


class Loser(Record):
    """A wish for the same setting that did not win, or was held back altogether."""

    setting: str
    rule: str
    wanted: SettingValue | None
    why: str


class Recommendation(Record):
    """One line of the plan.

    Attributes:
        setting: a setting of the catalogue, or a non-setting such as ``capacity.ram``.
        kind: setting, action, capacity, application or kernel.
        current: value now, in the setting's own unit; None when unknown.
        proposed: value to set; None when only the direction can be said from this capture.
        direction: increase, decrease, set, trigger, reduce, add, enable, upgrade.
        because: why, one sentence from the rule that won.
        rules: the rules that want it.
        limits: what moved the value away from what the rule computed.
        entity: the memory cgroup that the setting belongs to; empty for settings of the host.
        risk: low, medium or high, and what it costs; empty for non-settings without.
        undo: how to take it back.
        predicted: what the kernel's formula gives, for settings that move the marks; else None.
    """

    setting: str
    kind: str
    current: SettingValue | None
    proposed: SettingValue | None
    direction: str
    unit: str
    because: str
    rules: tuple[str, ...]
    limits: tuple[str, ...] = ()
    entity: str = ""
    risk: str = ""
    risk_text: str = ""
    undo: str = ""
    undo_speed: str = ""
    predicted: Prediction | None = None
    losers: tuple[Loser, ...] = ()


class Plan(Record):
    """Recommendations in the order in which they would be applied, and what was held back."""

    recommendations: tuple[Recommendation, ...] = ()
    held_back: tuple[Loser, ...] = ()

    def changes(self) -> tuple[Recommendation, ...]:
        """The settings with a value to write."""
        return tuple(r for r in self.recommendations if r.kind == "setting" and r.proposed is not None and not r.entity)


class _Wish(Record):
    """What one finding wants of a setting; `value` in the setting's own unit."""

    finding: Finding
    advised: Advised
    value: SettingValue | None


if TYPE_CHECKING:
    Objection = Callable[[str, SettingValue | None, SettingValue | None, tuple[str, ...]], str]


def make_plan(
    findings: Sequence[Finding],
    view: View,
    demands: Mapping[str, Check] = MappingProxyType({}),
    past: Sequence[Trial] = (),
) -> Plan:
    """The plan for a host.

    Only findings of warning and above count, only those of stable rules, not those that another finding explains,
    and not those that somebody answers for.

    Args:
        findings: all findings of the host.
        view: its capture.
        demands: rules of a policy by setting: no value that would break one is planned.
        past: what was tried before: what failed on this class of hosts is held back, and so is one more step where none
            was shown to help, unless a policy demands it.
    """
    host = OfCapture(view)
    if not past:
        return plan_for(host, findings, demands)
    from advisor.experience import against  # noqa: PLC0415  (few runs have a ledger)

    return plan_for(host, findings, demands, against(past, view, _GROUPS))


def plan_for(
    host: Known,
    findings: Sequence[Finding],
    demands: Mapping[str, Check],
    objection: Objection = lambda *_change: "",
) -> Plan:
    """The plan for a host of which only these things are known; see `make_plan`.

    Args:
        host: what is known of it.
        findings: likewise.
        demands: likewise.
        objection: says why a change (setting, value now and then, rules) is not to be tried again, or nothing.
    """
    return _Planner(findings, host, demands, objection).plan()


class _Planner:
    """Merges the wishes of the findings of one host."""

    def __init__(
        self, findings: Sequence[Finding], host: Known, demands: Mapping[str, Check], objection: Objection
    ) -> None:
        self.host, self.demands, self.objection = host, demands, objection
        self.counting = [f for f in findings if f.state == FAIL and f.severity != "notice" and f.source is not None]
        self.stable = [f for f in self.counting if f.source and f.source.status == "stable" and not f.waived]
        self.held: list[Loser] = []

    def plan(self) -> Plan:
        wishes: dict[tuple[str, str], list[_Wish]] = {}
        for finding in self.stable:
            for advised in finding.advice:
                # Each memory cgroup has settings of its own; a zone or node has none.
                owner = finding.entity if advised.setting.startswith("cgroup.") else ""
                wishes.setdefault((advised.setting, owner), []).append(
                    _Wish(finding, advised, in_own_unit(advised.setting, advised.value, advised.rounding))
                )
        # What is said of one cgroup by name need not be said of nobody's.
        owned = {setting for setting, owner in wishes if owner}
        wishes = {key: wanted for key, wanted in wishes.items() if key[1] or key[0] not in owned}
        merged = [self.merge(setting, owner, wanted) for (setting, owner), wanted in wishes.items()]
        kept = self.one_of_each_group([r for r in merged if r is not None])
        order = {tunable.name: rank for rank, tunable in enumerate(apply_order(TUNABLES.values()))}
        kept.sort(key=lambda r: (r.kind != "setting", order.get(r.setting, 0), r.setting))
        return Plan(tuple(kept), tuple(self.held))

    def hold(self, setting: str, wish: _Wish, why: str) -> None:
        self.held.append(Loser(setting, wish.finding.rule, wish.value, why))

    def merge(self, setting: str, owner: str, wishes: list[_Wish]) -> Recommendation | None:
        """One recommendation out of all wishes for a setting, or None when none is left."""
        wishes = self.allowed(setting, wishes)
        if not wishes:
            return None
        first = wishes[0]
        same = [wish for wish in wishes if wish.advised.direction == first.advised.direction]
        losers = tuple(
            Loser(setting, wish.finding.rule, wish.value, f"{first.finding.rule} weighs more")
            for wish in wishes
            if wish not in same
        )
        winner = _strongest(same)
        rules = tuple(dict.fromkeys(wish.finding.rule for wish in same))
        tunable = TUNABLES.get(setting)
        if tunable is None or setting in _KINDS or tunable.scope == "cgroup":
            return _other(setting, owner, winner, rules)
        if self.vetoed(setting, winner):
            return None
        return self.setting(tunable, winner, rules, losers)

    def allowed(self, setting: str, wishes: list[_Wish]) -> list[_Wish]:
        """The wishes that the policy leaves, in their order: what it demands itself first."""
        demand = self.demands.get(setting)
        left: list[_Wish] = []
        for wish in sorted(wishes, key=lambda wish: wish.finding.rank, reverse=True):
            own = demand is not None and wish.finding.rule == demand.id
            if demand is not None and not own and self.breaks(demand, setting, wish.advised.value):
                self.hold(setting, wish, f"it would break {demand.id}")
            else:
                left.insert(0 if own else len(left), wish)
        return left

    def breaks(self, demand: Check, setting: str, value: float | bool | str | None) -> bool:
        """Whether a value of a setting would break what the policy demands of it."""
        row = self.host.signals(demand.names)
        return value is not None and demand.compiled[1]({**row, setting.replace("-", "_"): value}) is True

    def vetoed(self, setting: str, wish: _Wish) -> bool:
        """Holds back higher marks where another finding says that memory itself is short."""
        if setting not in _MARKS or wish.advised.direction != "increase":
            return False
        for finding in self.counting:
            if finding.diagnosis in _NO_HIGHER_MARKS and not finding.explained_by:
                self.hold(setting, wish, f"higher marks take memory away, and {finding.rule} found too little of it")
                return True
        return False

    def setting(
        self, tunable: Tunable, wish: _Wish, rules: tuple[str, ...], losers: tuple[Loser, ...]
    ) -> Recommendation | None:
        now = self.host.now(tunable)
        if now is None and self.host.lacks(tunable):
            self.hold(tunable.name, wish, "this kernel does not have the setting")
            return None
        value, limits = self.limited(tunable, wish, now)
        if value is not None and (value == now or _turned_round(now, value, wish.advised.direction)):
            self.hold(tunable.name, wish, "; ".join(limits) or f"it is {now} already")
            return None
        refusal = validate(tunable, value, self.host.features()) if value is not None else None
        if refusal is not None:
            self.hold(tunable.name, wish, refusal)
            return None
        predicted = self.host.predicted({tunable.name: value}) if value is not None else None
        if predicted is not None and predicted.effect == "none":
            self.hold(tunable.name, wish, f"{value} would do nothing: {predicted.reason}")
            return None
        failed = "" if tunable.name in self.demands else self.objection(tunable.name, now, value, rules)
        if failed:
            self.hold(tunable.name, wish, failed)
            return None
        risk = wish.finding.source.risk if wish.finding.source else None
        return Recommendation(
            setting=tunable.name,
            kind="setting",
            current=now,
            proposed=value,
            direction=_direction(tunable, now, value, wish.advised.direction),
            unit=tunable.unit if tunable.kind == "int" else "",
            because=wish.advised.because,
            rules=rules,
            limits=limits,
            risk=risk.level if risk else "",
            risk_text=risk.text if risk else "",
            undo=tunable.undo,
            undo_speed=risk.undo if risk else "",
            predicted=predicted,
            losers=losers,
        )

    def limited(
        self, tunable: Tunable, wish: _Wish, now: SettingValue | None
    ) -> tuple[SettingValue | None, tuple[str, ...]]:
        """The value after the kernel's bounds, our limits, and the budget for the marks."""
        if wish.value is None:
            return None, ()
        facts = self.host.facts()
        if facts is None and callable(tunable.policy):
            return wish.value, ("the zones are unknown, so our limits could not be applied",)
        limited = limit(tunable, wish.value, now, facts or HostFacts(0))
        value, because = limited.value, limited.because
        if (
            facts is None
            or not self.host.predicts
            or tunable.name not in _MARKS
            or not isinstance(value, int)
            or not isinstance(now, int)
            or value <= now
        ):
            return value, because
        if tunable.name == _SCALE and value != wish.value:
            value = self.first_step(tunable, wish, value, facts)
        return self.within_budget(tunable.name, now, value, because)

    def first_step(self, tunable: Tunable, wish: _Wish, value: int, facts: HostFacts) -> int:
        """The value, or the smallest that moves a mark where the value moves none: a step has to step."""
        prediction, clamp = self.certain({_SCALE: value}), tunable.clamp(facts)
        smallest = prediction.smallest_effective
        if prediction.effect != "none" or smallest is None or not isinstance(wish.value, int):
            return value
        return smallest if smallest <= min(wish.value, clamp.hi if clamp else smallest) else value

    def within_budget(self, name: str, now: int, value: int, because: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        """The largest value up to this one that nothing speaks against; the present one where none is."""
        from advisor.objections import largest_without_objection, objections  # noqa: PLC0415  (few plans move marks)

        largest = largest_without_objection(lambda v: self.certain({name: v}), now, value)
        if largest == value:
            return value, because
        against = (*because, *objections(self.certain({name: value})))
        return now if largest is None or largest < now * _WORTH_A_CHANGE else largest, against

    def certain(self, changes: Mapping[str, SettingValue]) -> Prediction:
        prediction = self.host.predicted(changes)
        assert prediction is not None, "host_facts came from the same files"
        return prediction

    def one_of_each_group(self, recommendations: list[Recommendation]) -> list[Recommendation]:
        """Of two knobs that move the same thing, the one whose finding weighs more."""
        weight = {f.rule: f.rank for f in self.counting}
        for group in _GROUPS:
            rivals = [r for r in recommendations if r.setting in group]
            if len(rivals) < 2:
                continue
            best = max(rivals, key=lambda r: max(weight[rule] for rule in r.rules))
            for rival in rivals:
                if rival is not best:
                    why = f"one change at a time: {best.setting} moves the same marks and comes first"
                    self.held.append(Loser(rival.setting, rival.rules[0], rival.proposed, why))
                    recommendations = [r for r in recommendations if r is not rival]
        return recommendations


def _strongest(wishes: Sequence[_Wish]) -> _Wish:
    """The wish that goes furthest in the common direction; the first where there is no number."""
    numbers = [wish for wish in wishes if isinstance(wish.value, int)]
    if not numbers or wishes[0].advised.direction not in {"increase", "decrease"}:
        return wishes[0]
    pick = max if wishes[0].advised.direction == "increase" else min
    return pick(numbers, key=lambda wish: wish.value)  # type: ignore[arg-type, return-value]


def _turned_round(now: SettingValue | None, value: SettingValue, wanted: str) -> bool:
    """Whether a value lies on the other side of the present one than the advice meant: nothing to do then."""
    if not isinstance(now, int) or not isinstance(value, int) or now == 0:
        return False
    return (wanted == "increase" and value < now) or (wanted == "decrease" and value > now)


def _direction(tunable: Tunable, now: SettingValue | None, value: SettingValue | None, wanted: str) -> str:
    """Where the value goes, told by the numbers where they are known and mean an amount."""
    if now in tunable.unset:
        return wanted  # 0 of a pair such as dirty_bytes means that its twin counts, not that there is none
    if isinstance(now, int) and isinstance(value, int) and not isinstance(now, bool):
        return "increase" if value > now else "decrease"
    return wanted


def _other(setting: str, owner: str, wish: _Wish, rules: tuple[str, ...]) -> Recommendation:
    """A recommendation that we only say: memory to add, a kernel to upgrade, a limit of somebody's cgroup."""
    risk = wish.finding.source.risk if wish.finding.source else None
    return Recommendation(
        setting=setting,
        kind=_KINDS.get(setting, "setting"),
        entity=owner,
        current=None,
        proposed=wish.value,
        direction=wish.advised.direction,
        unit="",
        because=wish.advised.because,
        rules=rules,
        risk=risk.level if risk else "",
        risk_text=risk.text if risk else "",
        undo_speed=risk.undo if risk else "",
    )
