"""Straight lines through the samples of a capture."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.signals.trend import line
from tests.test_signals import capture, reason, value

times = st.lists(st.floats(0.001, 1000), min_size=3, max_size=20, unique=True)
moderate = st.floats(-1e6, 1e6)


def pressure(total_us):
    average = "avg10=0.00 avg60=0.00 avg300=0.00"
    return {"proc/pressure/memory": f"some {average} total={total_us}\nfull {average} total={total_us}\n"}


def available(kib):
    return {"proc/meminfo": f"MemTotal: 16000000 kB\nMemAvailable: {kib} kB\n"}


@given(times, moderate, moderate)
def test_points_on_a_line_give_that_line(seconds, start, slope):
    seconds.sort()
    found = line([(t, start + slope * t) for t in seconds])
    scale = 1e-6 * (abs(start) + abs(slope) * seconds[-1] + 1)
    assert found.last == pytest.approx(start + slope * seconds[-1], abs=scale)
    span = seconds[-1] - seconds[0]
    assert abs(found.slope - slope) * span <= scale


@given(times, st.data())
def test_the_fit_is_a_share_or_there_is_nothing_to_explain(seconds, data):
    seconds.sort()
    found = line([(t, data.draw(moderate)) for t in seconds])
    assert math.isfinite(found.slope)
    assert found.fit is None or -1e-9 <= found.fit <= 1 + 1e-9


def test_pressure_that_doubles_its_pace_shows_as_a_slope():
    totals = [0]
    for share in (0.01, 0.02, 0.03, 0.04, 0.05):
        totals.append(totals[-1] + int(share * 10e6))
    taken = capture(*map(pressure, totals), seconds=10.0)
    assert value(taken, "trend.full_slope") == pytest.approx(0.001)
    assert value(taken, "trend.full_now") == pytest.approx(0.05)
    assert value(taken, "trend.full_fit") == pytest.approx(1)


def test_no_pressure_is_a_flat_line_that_explains_nothing():
    taken = capture(*map(pressure, [5] * 6))
    assert value(taken, "trend.full_slope") == 0
    assert "alike" in reason(taken, "trend.full_fit")


def test_four_parts_are_no_trend():
    assert "--samples 6" in reason(capture(*map(pressure, range(5))), "trend.full_slope")


def test_falling_memory_has_a_negative_slope_in_bytes_per_second():
    taken = capture(*(available(9_000_000 - 1024 * i) for i in range(5)), seconds=10.0)
    assert value(taken, "trend.available_slope") == pytest.approx(-1024 * 1024 / 10)


def test_a_sample_without_the_file_is_left_out_and_does_not_bend_the_line():
    samples = [available(9_000_000 - 1024 * i) for i in range(6)]
    samples[3] = {}
    taken = capture(*samples, seconds=10.0)
    assert value(taken, "trend.available_slope") == pytest.approx(-1024 * 1024 / 10)
    assert value(taken, "trend.available_fit") == pytest.approx(1)
