"""Whether advice settled, turned back, or did harm in the end. Pure.

A record is of a window before the first round ("before"), or of a round ("round"): its window came first, then advice
was followed. Of a round also: `tried`, every change with its file, both values and whether it was undone; `changed`, by
file, what differs between what was read back after the round and after the last one.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.tunables.limits import AVAILABLE_DROP
from advisor.verify.costs import WATCHED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_CHANGES = 3
LAST = 5
"""Rounds at the end in which nothing may change, and whose symptom counts, of a series of full length."""

LEVEL = 0.025
"""Share of orders of the windows, were all alike, in which the last ones come out as bad as they did."""

Record = dict[str, Any]


class Measure(NamedTuple):
    """A symptom, or a cost.

    Attributes:
        name: for headings.
        value: of a window.
        matters: the least growth that counts, in the unit of the value.
        worst: the ratio of medians, end to start, up to which it is no worse; below 1: from which on.
    """

    name: str
    value: Callable[[Record], float]
    matters: float
    worst: float = 1.25

    def ratio(self, before: float, end: float) -> float:
        """How the end compares; a growth from nothing to what matters is one by a quarter.

        >>> Measure("stalls/s", rate("allocstall"), 1.0).ratio(0.0, 1.0)
        1.25
        """
        return (end + 4 * self.matters) / (before + 4 * self.matters)


def rate(*names: str) -> Callable[[Record], float]:
    """Counters, summed, per second of the guest's clock.

    >>> rate("a", "b")({"a": 3, "b": 1, "window_s": 2.0})
    2.0
    """
    return lambda record: float(sum(record[name] for name in names) / record["window_s"])


def share(name: str) -> Callable[[Record], float]:
    """Time in percent of the window, from milliseconds."""
    return lambda record: float(record[name] / record["window_s"] / 10)


# What matters is what `advisor verify` counts as a cost, and of PSI some as much as of full. Wider marks cost memory,
# and a change may cost a quarter of what is available.
_MATTERS = {watched.signal: watched.matters for watched in WATCHED}
_WAITING = 100 * _MATTERS["psi.memory.full"]

MEASURES = (
    Measure("direct reclaim, stalls/s", rate("allocstall"), _MATTERS["rate.allocstall"]),
    Measure("PSI some, %", share("psi_some_ms"), _WAITING),
    Measure("PSI full, %", share("psi_full_ms"), _WAITING),
    Measure("refaults, pages/s", rate("workingset_refault_file", "workingset_refault_anon"),
            _MATTERS["rate.workingset_refault_file"]),
    Measure("MemAvailable, MiB", lambda record: float(record["available_mb"]), 0, worst=1 - AVAILABLE_DROP),
)  # fmt: skip


class Side(NamedTuple):
    """A measure before the first change and in the last rounds.

    Attributes:
        name: of the measure.
        before, end: medians.
        moved: whether the end lies on the worse side, beyond noise.
        worse: whether it does so by more than is allowed.
    """

    name: str
    before: float
    end: float
    moved: bool
    worse: bool


class Judgement(NamedTuple):
    """What came of a series.

    Attributes:
        changes: how many were made, those that were undone included.
        settled: the last round that changed anything; 0 where none did.
        sides: the measures.
        faults: what is wrong, one clause each; none: it settled, never turned back, and did no harm.
    """

    changes: int
    settled: int
    sides: tuple[Side, ...]
    faults: tuple[str, ...]


def judge(records: Sequence[Record], last: int = LAST, quiet: int = LAST) -> Judgement:
    """Judge a series.

    Args:
        records: its windows and rounds, in their order.
        last: rounds at the end whose symptom counts.
        quiet: rounds at the end in which nothing may change; 0 for a series too short to tell.
    """
    rounds = [one for one in records if one["what"] == "round"]
    tried = [(one["round"], step) for one in rounds for step in one["tried"]]
    settled = max((number for number, _ in tried), default=0)
    sides = tuple(_side(measure, _before(records), rounds[-last:]) for measure in MEASURES)
    faults = [*_restless(tried, settled, len(rounds) - quiet), *_unexplained(rounds)]
    for file in dict.fromkeys(step["file"] for _, step in tried):
        faults += _turned([step for _, step in tried if step["file"] == file])
    if tried:
        faults += [f"{side.name} became worse: {side.before:.3g} → {side.end:.3g}" for side in sides if side.worse]
    return Judgement(len(tried), settled, sides, tuple(faults))


def _before(records: Sequence[Record]) -> list[Record]:
    """The windows up to the first change; that of its round came before it."""
    first = next((at for at, one in enumerate(records) if one.get("tried")), len(records) - 1)
    return list(records[: first + 1])


def _restless(tried: Sequence[tuple[int, Record]], settled: int, until: int) -> Iterator[str]:
    if not tried:
        yield "nothing was ever advised, so nothing is proved"
    if len(tried) > MOST_CHANGES:
        yield f"{len(tried)} changes, more than {MOST_CHANGES}"
    if settled > until:
        yield f"not settled: round {settled} still changed something"


def _unexplained(rounds: Sequence[Record]) -> Iterator[str]:
    """What was read back differs from what the advice was to do."""
    for one in rounds:
        kept = {step["file"]: [str(step["from"]), str(step["to"])] for step in one["tried"] if not step["undone"]}
        for file in sorted({*kept, *one["changed"]}):
            if kept.get(file) != one["changed"].get(file):
                yield f"round {one['round']}: {file} was {one['changed'].get(file)}, by the ledger {kept.get(file)}"


def _turned(steps: Sequence[Record]) -> Iterator[str]:
    """One setting that came back to a value that it had left, turned round, or was tried again though it was undone."""
    file, kept = steps[0]["file"], [step for step in steps if not step["undone"]]
    left = [str(step["from"]) for step in kept]
    for at, step in enumerate(kept):
        if str(step["to"]) in left[: at + 1]:
            yield f"{file} came back to {step['to']}, which it had left"
    if any(_upward(one) != _upward(other) for one, other in pairwise(kept)):
        path = " → ".join([left[0], *(str(step["to"]) for step in kept)])
        yield f"{file} turned round: {path}"
    for at, step in enumerate(steps):
        if any(earlier["undone"] and _alike(earlier, step) for earlier in steps[:at]):
            yield f"{file} was tried again towards {step['to']}, though that had been undone"


def _upward(step: Record) -> bool | None:
    """The direction of a change; None where the values are words."""
    one, other = str(step["from"]), str(step["to"])
    return int(other) > int(one) if one.isdecimal() and other.isdecimal() else None


def _alike(one: Record, other: Record) -> bool:
    """The same direction; of words, the same word."""
    return _upward(one) == _upward(other) and (_upward(one) is not None or one["to"] == other["to"])


def _side(measure: Measure, before: Sequence[Record], end: Sequence[Record]) -> Side:
    first, then = [measure.value(one) for one in before], [measure.value(one) for one in end]
    less = measure.worst < 1
    moved = (_chance(then, first) if less else _chance(first, then)) <= LEVEL
    ratio = measure.ratio(median(first), median(then))
    beyond = ratio < measure.worst if less else ratio > measure.worst
    return Side(measure.name, median(first), median(then), moved, moved and beyond)


def _chance(low: Sequence[float], high: Sequence[float]) -> float:
    """Share of ways to deal the values to two sides in which `high` comes out as high: the exact rank sum test.

    >>> round(_chance([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) * 252), _chance([1, 1], [1, 1])
    (1, 1.0)
    """
    values = [*low, *high]
    ranks = [sum(other < value for other in values) + sum(other == value for other in values) / 2 for value in values]
    seen = sum(ranks[len(low) :])
    dealt = [sum(some) >= seen - 1e-9 for some in combinations(ranks, len(high))]
    return sum(dealt) / len(dealt)
