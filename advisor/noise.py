"""Is a change larger than the noise? The ratio of two series of windows, with an interval that can be trusted.

Method, and why:

* **Permutation.** If the change did nothing, the windows before and after could be swapped without anybody seeing it
  (Fisher 1935). All swaps are counted, so nothing is random and nothing is assumed of the distribution: windows of
  memory pressure are mostly zero with rare bursts, where intervals by mean and deviation are wrong. The interval is
  the set of ratios that this test does not refuse; it has a closed form, see `_bounds`.
* **Blocks.** Many windows are joined to at most seven blocks of neighbours of equal weight, since neighbours resemble
  each other (batch means: Conway 1963; randomisation over a few such groups: Canay, Romano and Shaikh 2017).
* **Autocorrelation.** Blocks of a slowly changing load still resemble each other, and then windows tell less than
  their number suggests. The correlation of neighbouring windows is estimated, corrected for the bias of short series
  (Kendall 1954), raised to the upper end of its own 95 % interval since a few windows tell it badly, and the interval
  is widened by what a process with that correlation (AR(1)) would need.
* **Several captures.** With four or more on each side each capture is one window: what differs from one hour to the
  next is then part of the noise, as it should be.

The rates of error are measured in tests/test_noise.py. What no method can see: a load that is different after the
change for reasons of its own and stays so through all windows. Take captures of both at several times of the day.
"""

from __future__ import annotations

import math
from itertools import combinations, pairwise
from statistics import fmean, median

from advisor.hints import TYPE_CHECKING
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BLOCKS = 7
"""Blocks on each side: 7 against 7 can be swapped in 3432 ways, enough for any level, and few enough to count."""

# Of the usual weight of a window: with less it joins its neighbour.
_LIGHT = 0.25

# Of a normal distribution: 95 % lie below this many deviations.
_UPPER_95 = 1.645

# From so many captures on the differences between them tell more than those within.
_MANY_CAPTURES = 4

# More than this nobody can tell from a steady drift, in any number of windows that people record.
_MOST_CORRELATION = 0.9


class Point(Record):
    """What one window says: a value, and its weight: the work done in it, or its seconds."""

    value: float
    weight: float = 1.0


class Ratio(Record):
    """How many times larger a quantity is after a change.

    Attributes:
        before: mean of the blocks before.
        after: mean of the blocks after.
        ratio: after / before, the floor added to both.
        low: lower end of the interval; 0 where the windows do not bound it.
        high: upper end; infinity where they do not bound it.
        level: each end is missed with at most this probability.
        blocks: blocks before and after.
        correlation: that of neighbouring windows, as used.
        widened: by how much the interval was widened for it, in logarithms; 1 is not at all.
    """

    before: float
    after: float
    ratio: float
    low: float
    high: float
    level: float
    blocks: tuple[int, int]
    correlation: float
    widened: float

    def inverse(self) -> Ratio:
        """The same the other way round, for quantities of which more is better."""
        low = 1 / self.high if self.high else math.inf
        high = 1 / self.low if self.low else math.inf
        ratio = 1 / self.ratio if self.ratio else math.inf
        return Ratio(self.before, self.after, ratio, low, high, self.level, self.blocks, self.correlation, self.widened)


def compare(before: Sequence[Sequence[Point]], after: Sequence[Sequence[Point]], floor: float, level: float) -> Ratio:
    """The ratio of two series of windows.

    Args:
        before: the windows of each capture before the change; no value is negative, and there is at least one.
        after: likewise after it.
        floor: what is too little to count, added to both, so that nothing is divided by zero.
        level: the probability with which each end of the interval may miss.
    """
    if min(len(before), len(after)) >= _MANY_CAPTURES:
        before, after = [_whole(before)], [_whole(after)]
    old, new = _blocks(before), _blocks(after)
    mean_old, mean_new = fmean(old), fmean(new)
    ratio = _divided(mean_new + floor, mean_old + floor)
    low, high = _bounds([value + floor for value in old], [value + floor for value in new], level)
    correlation = _correlation([*before, *after])
    widened = max(_inflation(len(_flat(side)), len(blocks), correlation)
                  for side, blocks in ((before, old), (after, new)))  # fmt: skip
    low, high = _widen(low, ratio, widened), _widen(high, ratio, widened)
    return Ratio(mean_old, mean_new, ratio, low, high, level, (len(old), len(new)), correlation, widened)


def can_tell(before: int, after: int, level: float) -> bool:
    """Whether so many blocks on each side can be swapped in enough ways for a test at this level to refuse anything.

    >>> can_tell(3, 3, 0.025), can_tell(4, 4, 0.025), can_tell(2, 7, 0.025), can_tell(5, 5, 0.025 / 6)
    (False, True, False, True)
    """
    return 1 / math.comb(before + after, after) <= level


def _whole(series: Sequence[Sequence[Point]]) -> list[Point]:
    """Each capture as one window."""
    return [Point(_mean(run), sum(point.weight for point in run)) for run in series if run]


def _flat(series: Sequence[Sequence[Point]]) -> list[Point]:
    return [point for run in series for point in run]


def _mean(points: Sequence[Point]) -> float:
    weight = sum(point.weight for point in points)
    return sum(point.value * point.weight for point in points) / weight if weight else 0.0


def _divided(above: float, below: float) -> float:
    return above / below if below else math.inf if above else 1.0


def _blocks(series: Sequence[Sequence[Point]]) -> list[float]:
    """Means of neighbouring windows: light ones join a neighbour, and of many become MOST_BLOCKS of like weight."""
    points = _without_light(_flat(series))
    if len(points) <= MOST_BLOCKS:
        return [point.value for point in points]
    whole = sum(point.weight for point in points)
    blocks: dict[int, list[Point]] = {}
    passed = 0.0
    for point in points:
        middle = (passed + point.weight / 2) / whole
        blocks.setdefault(min(MOST_BLOCKS - 1, int(middle * MOST_BLOCKS)), []).append(point)
        passed += point.weight
    return [_mean(block) for block in blocks.values()]


def _without_light(points: Sequence[Point]) -> list[Point]:
    """The windows, those in which little was done joined to the one before, or the first to the one after.

    All count alike in the test, and what happens per unit of work is noisy where there is hardly any work.
    """
    least = _LIGHT * median(point.weight for point in points)
    joined: list[Point] = []
    for point in points:
        if joined and (point.weight < least or joined[-1].weight < least):
            joined[-1] = Point(_mean([joined[-1], point]), joined[-1].weight + point.weight)
        else:
            joined.append(point)
    return joined


def _bounds(before: Sequence[float], after: Sequence[float], level: float) -> tuple[float, float]:
    """The interval of the ratio that belongs to the permutation test.

    Were the ratio `r`, the values after it, divided by `r`, could be swapped with those before. A swap S puts some
    old values in the place of new ones. It gives a sum no larger than the one that was seen, if and only if

        sum of the new values swapped out / sum of the old values swapped in  >=  r

    So the test's p-value for `r` is the share of swaps with a quotient of at least `r`, and the ends of the interval
    are quantiles of the quotients. The identity swaps nothing and always counts.
    """
    swapped_out, swapped_in = _sums(after), _sums(before)
    quotients = sorted(
        _divided(out, into)
        for count in range(1, min(len(before), len(after)) + 1)
        for out in swapped_out[count]
        for into in swapped_in[count]
    )
    allowed = math.floor(level * (len(quotients) + 1) + 1e-9)
    if allowed < 1:
        return 0.0, math.inf
    # The identity is one of those allowed, on either side.
    return quotients[min(allowed, len(quotients)) - 1], quotients[-min(allowed, len(quotients))]


def _sums(values: Sequence[float]) -> list[list[float]]:
    """The sums of all choices of none, one, two … of some values.

    >>> _sums([1, 2, 4])
    [[0], [1, 2, 4], [3, 5, 6], [7]]
    """
    return [[sum(chosen) for chosen in combinations(values, count)] for count in range(len(values) + 1)]


def _correlation(runs: Sequence[Sequence[Point]]) -> float:
    """Correlation of neighbouring windows: the upper end of its 95 % interval, never below 0."""
    products = squares = 0.0
    pairs = windows = 0
    for run in runs:
        values = [point.value for point in run]
        mean = sum(values) / len(values) if values else 0.0
        scale = sum((value - mean) ** 2 for value in values)
        if len(values) < 3 or not scale:
            continue
        products += len(values) * sum((a - mean) * (b - mean) for a, b in pairwise(values)) / scale
        squares += len(values)
        pairs += len(values) - 1
        windows += len(values)
    if not pairs:
        return 0.0
    raw, mean_length = products / squares, windows / max(1, sum(1 for run in runs if len(run) > 2))
    corrected = raw + (1 + 3 * raw) / mean_length
    return min(_MOST_CORRELATION, max(0.0, corrected + _UPPER_95 / math.sqrt(pairs)))


def _inflation(windows: int, blocks: int, correlation: float) -> float:
    """By how much the deviation of a mean is larger than independent blocks would have it.

    The mean of n windows of an AR(1) process varies by f(n) / n; the blocks, each of L windows, vary around their
    common mean by f(L) / L - f(n) / n, which is all that the test sees.
    """
    if blocks < 2 or not correlation:
        return 1.0
    of_all = _of_mean(windows, correlation)
    of_block = _of_mean(windows / blocks, correlation)
    return math.sqrt(max(1.0, (blocks - 1) * of_all / (of_block - of_all)))


def _of_mean(count: float, correlation: float) -> float:
    """Variance of the mean of `count` neighbours of an AR(1) process of variance 1.

    >>> round(_of_mean(2, 0.5), 3)
    0.75
    """
    rest = 2 * correlation * (1 - correlation**count) / (count * (1 - correlation) ** 2)
    return float(((1 + correlation) / (1 - correlation) - rest) / count)


def _widen(end: float, centre: float, by: float) -> float:
    if not 0 < end < math.inf or not 0 < centre < math.inf:
        return end
    return float(centre * (end / centre) ** by)
