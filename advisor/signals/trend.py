"""Where things are heading: straight lines through the samples of one capture, for early warnings.

A line is drawn only through five points or more, and says how well it fits (R²). It is a prediction, nothing
that the kernel measured.
"""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.record import Record
from advisor.signals.memory import field
from advisor.signals.model import Value, signal
from advisor.signals.pressure import stalled
from advisor.signals.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_POINTS = 5


class Line(Record):
    """A least-squares line: change per second, value at the last point, and the share of the variance it explains.

    `fit` is None when the values do not vary: there is nothing to explain.
    """

    slope: float
    last: float
    fit: float | None


def line(points: Sequence[tuple[float, float]]) -> Line:
    """The least-squares line through points (seconds, value); needs two different times.

    >>> line([(0, 1), (1, 3), (2, 5)])
    Line(slope=2.0, last=5.0, fit=1.0)
    """
    count = len(points)
    mean_t, mean_v = sum(t for t, _ in points) / count, sum(v for _, v in points) / count
    spread_t = sum((t - mean_t) ** 2 for t, _ in points)
    spread_v = sum((v - mean_v) ** 2 for _, v in points)
    both = sum((t - mean_t) * (v - mean_v) for t, v in points)
    slope = both / spread_t
    last = mean_v + slope * (points[-1][0] - mean_t)
    return Line(slope, last, both**2 / (spread_t * spread_v) if spread_v else None)


def _parts(view: View) -> tuple[View, ...]:
    if view.first is None:
        return ()
    return tuple(View(view.readings, i, i + 1, view.role) for i in range(view.first, view.last))


def _line(points: Sequence[tuple[float, float]]) -> Line:
    if len(points) < MIN_POINTS:
        raise Unknown(
            f"a trend needs {MIN_POINTS} points and there are {len(points)}", "take more samples: --samples 6"
        )
    return line(points)


def _full(view: View) -> Line:
    return view.once("trend.full", lambda: _line(_full_points(view)))


# The share of each part of the window, at the end of that part.
def _full_points(view: View) -> list[tuple[float, float]]:
    points, time = [], 0.0
    for part in _parts(view):
        time += part.seconds
        points.append((time, stalled(part, "proc/pressure/memory", "full")))
    return points


def _available(view: View) -> Line:
    return view.once("trend.available", lambda: _line(_available_points(view)))


def _available_points(view: View) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    time = 0.0
    for part in _parts(view):
        if not points:
            points += _available_at(view, part.first, time)
        time += part.seconds
        points += _available_at(view, part.last, time)
    return points


# A sample without the file gives no point; the figure of an earlier one would bend the line.
def _available_at(view: View, index: int | None, time: float) -> list[tuple[float, float]]:
    if index is None or "proc/meminfo" not in view.capture.samples[index].files:
        return []
    return [(time, float(field(View(view.readings, None, index), "MemAvailable")))]


def _fit(found: Line) -> float:
    if found.fit is None:
        raise Unknown("the samples are all alike")
    return min(1.0, found.fit)


@signal("trend.full_slope", "count/s", reads=("proc/pressure/memory full",),
        formula="slope of the least-squares line through Δfull / seconds of 5 or more parts of the window")  # fmt: skip
def full_slope(view: View) -> Value:
    """How fast the share of time in which all tasks wait for memory grows: share per second."""
    return _full(view).slope


@signal("trend.full_now", "ratio", reads=("proc/pressure/memory full",), formula="that line at the end of the window")
def full_now(view: View) -> Value:
    """Share of time in which all tasks wait for memory, at the end of the window as the trend sees it."""
    return max(0.0, min(1.0, _full(view).last))


@signal("trend.full_fit", "ratio", reads=("proc/pressure/memory full",), formula="R² of that line")
def full_fit(view: View) -> Value:
    """How well a straight line describes the growth of memory pressure: 1 entirely, 0 not at all."""
    return _fit(_full(view))


@signal("trend.available_slope", "B/s", reads=("proc/meminfo MemAvailable",),
        formula="ΔMemAvailable per second: slope of the least-squares line through 5 or more samples")  # fmt: skip
def available_slope(view: View) -> Value:
    """How fast the available memory grows; negative when it falls."""
    return _available(view).slope


@signal("trend.available_fit", "ratio", reads=("proc/meminfo MemAvailable",), formula="R² of that line")
def available_fit(view: View) -> Value:
    """How well a straight line describes the change of the available memory: 1 entirely, 0 not at all."""
    return _fit(_available(view))
