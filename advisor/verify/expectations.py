"""Judges the expectations that a rule states in its `verify` field, with noise bounds.

An expectation is a condition over the signals after the change and, as ``before.NAME``, those before it. Whether it
is a goal or a guard follows from itself: were nothing changed, a guard would hold and a goal would not.

* ``rate.allocstall < 0.2 * before.rate.allocstall`` is a goal: stalls must fall.
* ``psi.memory.some <= before.psi.memory.some`` is a guard: pressure must not grow.

The factor is what the rule hopes for. Better is already what falls beyond noise and by more than the margin.
"""

from __future__ import annotations

import math

from advisor.engine.checked import is_bare, signals_in
from advisor.engine.rows import compile_row
from advisor.hints import TYPE_CHECKING, Any
from advisor.noise import MOST_BLOCKS, Ratio, can_tell, compare
from advisor.record import Record
from advisor.signals.log import RECENT_S
from advisor.signals.model import catalogue
from advisor.units import format_count, format_seconds
from advisor.verify.model import (
    BETTER,
    ENOUGH_EVENTS,
    MARGIN,
    RECLAIM_BATCH,
    SAME,
    UNCLEAR,
    WORSE,
    Expectation,
)
from advisor.verify.sides import Row, Windows, mean_row, points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from advisor.engine.checked import Checked, Tree
    from advisor.noise import Point
    from advisor.rulebook.model import Rule
    from advisor.signals.model import Value

_BEFORE = "before."
_OPERATORS = {"<": 1, "<=": 1, "==": 1, ">": -1, ">=": -1}
# What is only written, never measured: a setting, or a line that stays in the kernel's log.
_WRITTEN = ("proc/sys/", "sys/kernel/mm/", "sys/module/")

# A share of time below this is no waiting that anybody could feel: a millisecond in a second.
_LEAST_SHARE = 0.001


class Sides(Record):
    """Both sides, the rate of work that they are compared at, and the time since the change."""

    before: Windows
    after: Windows
    reference: float | None
    elapsed_s: float | None
    same_boot: bool


class Quantity(Record):
    """What an expectation measures: a tree over one side's signals, in which direction it should go."""

    tree: Tree
    sign: int

    def of(self, values: Mapping[str, Value]) -> float | None:
        """Its value on a row."""
        value = compile_row(self.tree)(values)
        return value if isinstance(value, float) else None


class Case(Record):
    """One expectation of one rule for one entity, and the rows that it is judged on."""

    rule: Rule
    text: str
    tree: Tree
    entity: str
    before: list[list[Row]]
    after: list[list[Row]]


def judge_rule(rule: Rule, sides: Sides, entities: Sequence[str], level: float) -> list[Expectation]:
    """Every expectation of a rule, for each entity (an empty text for the host)."""
    return [
        _best([_judge(rule, part, sides, entity, level) for part in _split(expected, "or")])
        for entity in entities
        for checked in (rule.verify.expect if rule.verify else ())
        for expected in _both(checked)
    ]


def goals(rule: Rule) -> int:
    """How many expectations of a rule could call a change better by chance: measured ones that want more than <=."""
    parts = [part for checked in (rule.verify.expect if rule.verify else ())
             for each in _both(checked) for part in _split(each, "or")]  # fmt: skip
    return sum(_measured(tree) is not None and tree[0] not in {"<=", ">="} for _text, tree in parts)


def _both(checked: Checked) -> list[tuple[str, Tree]]:
    return _split((checked.text, checked.tree), "and")


def _split(part: tuple[str, Tree], sign: str) -> list[tuple[str, Tree]]:
    """The parts of a condition joined by `sign`, each with its text."""
    text, tree = part
    if tree[0] != sign:
        return [part]
    texts = text.split(f" {sign} ")
    trees: list[Tree] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        if node[0] == sign:
            pending += [node[2], node[1]]
        else:
            trees.append(node)
    return list(zip(texts, trees, strict=True)) if len(texts) == len(trees) else [(text, each) for each in trees]


def _best(found: Sequence[Expectation]) -> Expectation:
    """Of several ways to meet an expectation one is enough; unless one got worse."""
    for verdict in (WORSE, BETTER, SAME):
        for each in found:
            if each.verdict == verdict:
                return each
    return found[0]


def _names(tree: Tree) -> tuple[set[str], set[str]]:
    """The signals that a tree reads after the change, and before it."""
    names = set(signals_in(tree))
    before = {name for name in names if name.startswith(_BEFORE)}
    return names - before, {name.removeprefix(_BEFORE) for name in before}


def _judge(rule: Rule, part: tuple[str, Tree], sides: Sides, entity: str, level: float) -> Expectation:
    text, tree = part
    after, before = _names(tree)
    scope = rule.scope if entity else "host"
    names = after | before
    old = sides.before.rows(names, sides.reference, scope, entity)
    new = sides.after.rows(names, sides.reference, scope, entity)
    case = Case(rule, text, tree, entity, old, new)
    if not any(old) or not any(new):
        where = "BEFORE" if not any(old) else "AFTER"
        return _said(case, "goal", UNCLEAR, f"{where} has no window in which it could be measured")
    quantity = _measured(tree)
    if quantity is None:
        return _state(case, sides)
    return _judge_measured(case, quantity, sides, level)


def _said(case: Case, role: str, verdict: str, why: str, **more: Any) -> Expectation:
    return Expectation(case.rule.id, case.text, role, case.entity, verdict, why, **more)


def _measured(tree: Tree) -> Quantity | None:
    """The quantity of a comparison between signals that vary; None where the condition is about a state."""
    if tree[0] not in _OPERATORS or (tree[0] == "==" and not (tree[2][0] == "num" and tree[2][1] == 0)):
        return None
    left, right = tree[1], tree[2]
    own, before = _names(left)
    if not own or before or all(_is_written(name) for name in own):
        return None
    own_right, _before = _names(right)
    quantity = ("/", left, right) if own_right and not _before else left
    return Quantity(quantity, _OPERATORS[tree[0]])


def _is_written(name: str) -> bool:
    reads = catalogue()[name].reads
    return name.startswith("log.") or (bool(reads) and all(read.startswith(_WRITTEN) for read in reads))


def _holds(case: Case, after: Mapping[str, Value], before: Mapping[str, Value]) -> Value:
    row = {**after, **{f"{_BEFORE}{name}": value for name, value in before.items()}}
    return compile_row(case.tree)(row)


def _role(case: Case, before: Mapping[str, Value]) -> str | None:
    """Goal or guard: would it hold were nothing changed? None where a signal before the change is unknown."""
    unchanged = _holds(case, before, before)
    return None if unchanged is None else "guard" if unchanged else "goal"


# --- measured ---------------------------------------------------------------------------------------------------


class Measured(Record):
    """What came out for a quantity.

    Attributes:
        more: the fields of Expectation that hold the numbers.
        expected: events to expect after the change were nothing changed; None where it is no count of events.
        came: those that came.
        events: what they are called.
    """

    noise: Ratio
    more: Mapping[str, Any]
    expected: float | None
    came: float
    events: str


def _judge_measured(case: Case, quantity: Quantity, sides: Sides, level: float) -> Expectation:
    before, after = mean_row(case.before), mean_row(case.after)
    old, new = points(case.before, quantity.of), points(case.after, quantity.of)
    role, unit = _role(case, before) or "goal", _unit(quantity.tree)
    if not any(old) or not any(new):
        where = "BEFORE" if not any(old) else "AFTER"
        return _said(case, role, UNCLEAR, f"it could not be measured in {where}", unit=unit)
    noise = compare(old, new, _floor(quantity.tree, sides), level)
    noise = noise if quantity.sign > 0 else noise.inverse()
    reached = _holds(case, after, before)
    more = {"unit": unit, "noise": noise, "reached": reached if isinstance(reached, bool) else None}
    measured = Measured(noise, more, *_events(quantity, old, new))
    return _guard(case, measured) if role == "guard" else _goal(case, measured, sides)


def _events(quantity: Quantity, old: list[list[Point]], new: list[list[Point]]) -> tuple[float | None, float, str]:
    """Events expected after the change, those that came, and what they are; pages come in batches."""
    units = {catalogue()[name].unit for name in signals_in(quantity.tree)}
    if not units <= {"count/s", "page/s"} or quantity.sign < 0:
        return None, 0.0, ""
    batch = RECLAIM_BATCH if "page/s" in units else 1
    before, after = ([point for run in side for point in run] for side in (old, new))
    happened = [sum(point.value * point.weight for point in side) / batch for side in (before, after)]
    worked = [sum(point.weight for point in side) for side in (before, after)]
    return happened[0] * worked[1] / worked[0], happened[1], "batches of pages" if batch > 1 else "events"


def _goal(case: Case, measured: Measured, sides: Sides) -> Expectation:
    noise, more, expected = measured.noise, measured.more, measured.expected
    if not noise.before and expected is not None:
        return _said(case, "goal", UNCLEAR, "there was none of it in BEFORE: nothing to improve", **more)
    if expected is not None and max(expected, measured.came) < ENOUGH_EVENTS:
        few = f"{format_count(round(expected, 1))} {measured.events} expected, {ENOUGH_EVENTS} needed"
        wait = sides.after.seconds * (ENOUGH_EVENTS / expected - 1)
        return _said(case, "goal", UNCLEAR, f"too little load: {few}", wait_s=wait, **more)
    verdict, why = classify(noise)
    if verdict == SAME and (early := _too_early(case, sides)):
        assert case.rule.verify is not None
        why = f"no change yet, but the rule gives it {format_seconds(case.rule.verify.after_s)}"
        return _said(case, "goal", UNCLEAR, why, wait_s=early, **more)
    wait_s = _wait(noise, sides) if verdict == UNCLEAR else None
    if verdict == UNCLEAR and wait_s is None:
        why = f"{why}; BEFORE is too short for more to be told"
    return _said(case, "goal", verdict, why, wait_s=wait_s, **more)


def _guard(case: Case, measured: Measured) -> Expectation:
    verdict, why = classify(measured.noise)
    if verdict == WORSE and measured.more["reached"]:
        verdict, why = SAME, "it grew, but by less than the rule allows"
    elif verdict == UNCLEAR and measured.noise.high <= MARGIN:
        verdict, why = SAME, "it did not get worse"
    return _said(case, "guard", verdict, why, **measured.more)


def classify(noise: Ratio) -> tuple[str, str]:
    """The verdict on a ratio in which below 1 is better, and why."""
    if noise.low >= 1 / MARGIN and noise.high <= MARGIN:
        return SAME, "the whole interval lies within the margin"
    if noise.high < 1 and noise.ratio <= 1 / MARGIN:
        return BETTER, "the whole interval lies below 1"
    if noise.low > 1 and noise.ratio >= MARGIN:
        return WORSE, "the whole interval lies above 1"
    if not can_tell(*noise.blocks, noise.level):
        return UNCLEAR, f"too few windows: {noise.blocks[0]} and {noise.blocks[1]}, where five each tell something"
    return UNCLEAR, "the noise is as large as the change"


def _wait(noise: Ratio, sides: Sides) -> float | None:
    """How much longer to watch AFTER; None where no time is enough, since BEFORE is too short.

    The square of an interval's width goes with 1 / seconds before + 1 / seconds after.
    """
    old, new = sides.before.seconds, sides.after.seconds
    if not can_tell(*noise.blocks, noise.level):
        needed = next(
            (count for count in range(1, MOST_BLOCKS + 1) if can_tell(noise.blocks[0], count, noise.level)), None
        )
        return None if needed is None else max(0.0, new * (needed / noise.blocks[1] - 1))
    if not 0 < noise.ratio < math.inf or not (noise.low > 0 and noise.high < math.inf):
        return new
    centre = abs(math.log(noise.ratio))
    half = max(math.log(noise.high / noise.ratio), math.log(noise.ratio / noise.low))
    # Either the interval leaves 1 out, or it fits into the margin.
    wanted = max(centre, math.log(MARGIN) - centre)
    inverse = (1 / old + 1 / new) * (wanted / half) ** 2 - 1 / old
    return None if inverse <= 0 else max(0.0, 1 / inverse - new)


def _floor(tree: Tree, sides: Sides) -> float:
    """What is too little to count, in the quantity's unit: half an event in a window, a millisecond in a second."""
    names = signals_in(tree)
    windows = sides.before.side.windows + sides.after.side.windows
    length = (sides.before.seconds + sides.after.seconds) / max(1, windows)
    if all(name.startswith(("psi.", "cgroup.full")) for name in names):
        return _LEAST_SHARE
    if any(catalogue()[name].unit.endswith("/s") for name in names):
        return 0.5 / length if length else 0.0
    return 0.0


def _unit(tree: Tree) -> str:
    units = {catalogue()[name].unit for name in signals_in(tree)}
    return "ratio" if tree[0] == "/" and not is_bare(tree[1]) else units.pop() if len(units) == 1 else ""


# --- states -----------------------------------------------------------------------------------------------------


def _state(case: Case, sides: Sides) -> Expectation:
    """A condition without noise: a setting, a flag, what the kernel's log says."""
    before, after = case.before[-1][-1].values, dict(_last(case.after))
    role = _role(case, before)
    logged = [name for name in after if name.startswith("log.")]
    if logged and (why := _since_before(after, before, logged, sides)):
        return _said(case, role or "goal", UNCLEAR, why)
    holds = _holds(case, after, before)
    if holds is None or role is None:
        return _said(case, role or "goal", UNCLEAR, "it is unknown whether it holds", reached=None)
    if logged and holds and (wait := _too_early(case, sides)):
        return _said(case, role, UNCLEAR, "none so far, but such events are rare", reached=True, wait_s=wait)
    verdict = {("goal", True): BETTER, ("goal", False): SAME, ("guard", True): SAME, ("guard", False): WORSE}
    word = {("goal", True): "it holds now", ("goal", False): "it does not hold yet"}
    word |= {("guard", True): "it holds as before", ("guard", False): "it held before, and does not now"}
    key = (role, bool(holds))
    return _said(case, role, verdict[key], word[key], reached=bool(holds))


def _last(rows: list[list[Row]]) -> Mapping[str, Value]:
    return [row for run in rows for row in run][-1].values


def _since_before(after: dict[str, Value], before: Mapping[str, Value], names: list[str], sides: Sides) -> str:
    """Counts only what the log got since BEFORE; why that cannot be done, or nothing.

    Signals of the log count the last day: after that, or after a reboot, all that AFTER counts is new.
    """
    passed = not sides.same_boot or (sides.elapsed_s is not None and sides.elapsed_s >= RECENT_S)
    for name in names:
        now, then = after[name], before[name]
        if not isinstance(now, float) or not isinstance(then, float):
            return "the kernel log is not in both captures"
        if not passed and 0 < now < then:
            return "older events left the log or the day that counts, and which of the others are new cannot be told"
        if not passed:
            after[name] = max(0.0, now - then)
    return ""


def _too_early(case: Case, sides: Sides) -> float | None:
    assert case.rule.verify is not None
    if sides.elapsed_s is None:
        return case.rule.verify.after_s
    return max(0.0, case.rule.verify.after_s - sides.elapsed_s) or None
