"""The rates of error of `advisor.noise`, measured by simulation; seeds are fixed, so every run gives the same."""

import math
import random

import pytest

from advisor.noise import Point, can_tell, compare
from advisor.verify.expectations import classify
from advisor.verify.model import BETTER, LEVEL, SAME, UNCLEAR, WORSE

RUNS = 600
# What so many runs may show beyond LEVEL by chance: three deviations of a binomial.
CHANCE = 3 * math.sqrt(LEVEL * (1 - LEVEL) / RUNS)


def series(draw, count, *, correlation=0.0, spread=0.5):
    """Windows whose logarithms are an AR(1) process: bursts that last."""
    state, found = draw.gauss(0, 1), []
    for _ in range(count):
        found.append(Point(math.exp(spread * state)))
        state = correlation * state + math.sqrt(1 - correlation**2) * draw.gauss(0, 1)
    return found


def rare(draw, count, **_):
    """Windows of which four in five bring nothing."""
    return [Point(draw.expovariate(0.01) if draw.random() < 0.2 else 0.0) for _ in range(count)]


def skewed(draw, count, **_):
    """Windows that differ by orders of magnitude."""
    return series(draw, count, spread=1.5)


def times(points, factor):
    return [Point(point.value * factor, point.weight) for point in points]


def verdicts(make, count, factor=1.0, level=LEVEL, **how):
    """How often each verdict is given when the change does `factor`."""
    draw = random.Random(count)
    got = []
    for _ in range(RUNS):
        before, after = make(draw, count, **how), times(make(draw, count, **how), factor)
        got.append(classify(compare([before], [after], 0.01, level))[0])
    return {verdict: got.count(verdict) / RUNS for verdict in (BETTER, SAME, WORSE, UNCLEAR)}


@pytest.mark.parametrize("count", [5, 10, 30])
@pytest.mark.parametrize("make", [series, rare, skewed], ids=["usual", "rare", "skewed"])
def test_nothing_changed_is_called_better_no_more_often_than_stated(make, count):
    rates = verdicts(make, count)
    assert rates[BETTER] <= LEVEL + CHANCE
    assert rates[WORSE] <= LEVEL + CHANCE


@pytest.mark.parametrize(
    ("count", "correlation", "most"),
    [
        (5, 0.5, 0.05),
        (5, 0.7, 0.06),
        (10, 0.7, 0.05),
        (10, 0.9, 0.09),
        (30, 0.9, 0.05),
    ],
)
def test_windows_that_resemble_their_neighbours_do_not_pass_for_an_effect(count, correlation, most):
    rates = verdicts(series, count, correlation=correlation)
    assert rates[BETTER] <= most
    assert rates[WORSE] <= most


def test_five_windows_cannot_see_a_correlation_of_nine_tenths():
    # The known limit of the method, kept here so that nobody believes otherwise: one in eleven, not one in forty.
    assert 0.05 < verdicts(series, 5, correlation=0.9)[BETTER] < 0.13


@pytest.mark.parametrize(
    ("count", "factor", "least"), [(5, 0.05, 0.8), (10, 0.2, 0.9), (10, 0.05, 0.95), (30, 0.5, 0.95)]
)
def test_what_rules_hope_for_is_seen(count, factor, least):
    assert verdicts(series, count, factor)[BETTER] >= least
    assert verdicts(series, count, 1 / factor)[WORSE] >= least


def test_a_steady_host_on_which_nothing_changes_is_called_the_same():
    assert verdicts(series, 30, spread=0.1)[SAME] > 0.95


def test_what_is_twice_as_much_is_never_called_the_same():
    assert verdicts(series, 30, 2.0, spread=0.1)[SAME] == 0


def test_the_interval_holds_the_true_ratio():
    draw = random.Random(7)
    ratios = [compare([series(draw, 10)], [times(series(draw, 10), 0.4)], 0.0, LEVEL) for _ in range(RUNS)]
    held = sum(ratio.low <= 0.4 <= ratio.high for ratio in ratios) / RUNS
    assert held >= 1 - 2 * LEVEL - CHANCE


def test_it_is_the_same_every_time():
    draw = random.Random(3)
    before, after = [series(draw, 20)], [series(draw, 20)]
    assert compare(before, after, 0.0, LEVEL) == compare(before, after, 0.0, LEVEL)


def test_better_and_worse_mirror_each_other():
    draw = random.Random(4)
    one, two = [series(draw, 9)], [times(series(draw, 9), 0.3)]
    there, back = compare(one, two, 0.0, LEVEL), compare(two, one, 0.0, LEVEL).inverse()
    for name in ("ratio", "low", "high"):
        assert getattr(there, name) == pytest.approx(getattr(back, name))


def test_too_few_windows_bound_nothing():
    few = [[Point(100.0), Point(110.0)]]
    ratio = compare(few, [[Point(1.0), Point(2.0)]], 0.0, LEVEL)
    assert (ratio.low, ratio.high) == (0.0, math.inf)
    assert not can_tell(2, 2, LEVEL)


def test_windows_weigh_by_the_work_done_in_them():
    before = [[Point(10.0, 9.0), Point(0.0, 1.0)]]
    assert compare(before, before, 0.0, LEVEL).before == pytest.approx(9.0)


def test_differences_between_captures_are_part_of_the_noise():
    # Within a capture all windows agree; from one hour to the next the load doubles and halves.
    hours = [100.0, 220.0, 90.0, 240.0, 110.0]
    before = [[Point(hour)] * 20 for hour in hours]
    after = [[Point(hour * 0.6)] * 20 for hour in reversed(hours)]
    assert classify(compare(before, after, 0.0, LEVEL))[0] == UNCLEAR


def test_without_any_event_nothing_moved():
    nothing = [[Point(0.0)] * 6]
    assert classify(compare(nothing, nothing, 0.1, LEVEL))[0] == SAME
