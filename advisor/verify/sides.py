"""Captures as windows: each pair of neighbouring samples is one, and work is what they are compared by."""

from __future__ import annotations

from functools import cached_property

from advisor.errors import Unknown, UsageError
from advisor.hints import TYPE_CHECKING
from advisor.noise import Point
from advisor.record import Record
from advisor.signals.model import catalogue, entities_of
from advisor.signals.table import Table
from advisor.signals.view import Readings, View
from advisor.verify.model import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from advisor.capture.model import Capture
    from advisor.signals.model import Value

PAGES = "rate.pgalloc"
"""The usual measure of work: pages allocated. What reclaim has to make good is what was allocated."""


class Measure(Record):
    """What work is counted by: a signal per second, or requests that the user counted, before and after."""

    signal: str = PAGES
    requests: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        """For reports."""
        return "requests" if self.requests else self.signal

    @property
    def unit(self) -> str:
        """Of the work per second."""
        return "count/s" if self.requests else catalogue()[self.signal].unit


def measure(signal: str | None, requests: tuple[float, float] | None) -> Measure:
    """The measure of work that a user asks for.

    Raises:
        UsageError: there is no such signal, or it is no rate, or a count is impossible.
    """
    if requests is not None:
        if not all(0 < count < float("inf") for count in requests):
            raise UsageError("the numbers of requests must be above 0", "count them over the whole of each capture")
        return Measure(requests=requests)
    if signal is None:
        return Measure()
    if signal not in catalogue():
        from advisor.engine.suggest import did_you_mean  # noqa: PLC0415  (only for a mistake)

        raise UsageError(f"unknown signal '{signal}'", did_you_mean(signal, catalogue()) or "advisor signals lists all")
    if not catalogue()[signal].unit.endswith("/s") or catalogue()[signal].scope != "host":
        raise UsageError(f"{signal} is no rate of the host", "work is counted per second: rate.pgalloc, rate.pgfault")
    return Measure(signal)


class Row(Record):
    """The signals of one window at BEFORE's rate of work, and the weight of the window: its work."""

    values: Mapping[str, Value]
    weight: float


class Windows:
    """The windows of one side.

    Args:
        captures: of one host, oldest first.
        role: what the host is for.
        signal: the rate that work is counted by.
        requests: requests served in all windows together, which stand in for the signal; None: not counted.
    """

    def __init__(
        self, captures: Sequence[Capture], role: str | None, signal: str = PAGES, requests: float | None = None
    ) -> None:
        self.captures = captures
        self.views = [_views(capture, role) for capture in captures]
        self.tables = [[Table(view) for view in views] for views in self.views]
        self._signal = signal
        self._requests = requests

    @cached_property
    def side(self) -> Side:
        """What it rests on."""
        return Side(len(self.captures), sum(map(len, self.tables)), self.seconds)

    @cached_property
    def seconds(self) -> float:
        """Time within the windows."""
        return sum(seconds(table) for run in self.tables for table in run)

    @property
    def last(self) -> View:
        """The newest window."""
        return self.views[-1][-1]

    @cached_property
    def work_rate(self) -> float | None:
        """Work per second over all windows; None where it is unknown."""
        done = [(rate * seconds(table), seconds(table)) for run in self.tables for table in run
                if (rate := self.rate(table)) is not None]  # fmt: skip
        whole = sum(length for _work, length in done)
        return sum(work for work, _length in done) / whole if whole else None

    def rate(self, table: Table) -> float | None:
        """Work per second of one window."""
        if self._requests is not None:
            return self._requests / self.seconds if self.seconds else None
        value = table.row([self._signal]).values[self._signal]
        return value if isinstance(value, float) else None

    def rows(self, names: Iterable[str], reference: float | None, scope: str, entity: str) -> list[list[Row]]:
        """The signals of each window, those per unit of time at the rate of work `reference`."""
        wanted = sorted(names)
        return [[row for table in run if (row := self._row(table, wanted, reference, scope, entity))]
                for run in self.tables]  # fmt: skip

    def _row(self, table: Table, names: list[str], reference: float | None, scope: str, entity: str) -> Row | None:
        length, factor = seconds(table), 1.0
        if reference:
            rate = self.rate(table)
            if not rate:
                return None  # nothing was done, or nobody knows how much: nothing to compare by
            factor = reference / rate
        values = _values(table, names, scope, entity)
        if values is None or not length:
            return None
        return Row({name: _scaled(name, value, factor) for name, value in values.items()}, length / factor)


def _views(capture: Capture, role: str | None) -> list[View]:
    readings = Readings(capture)
    last = len(capture.samples) - 1
    return [View(readings, index, index + 1, role) for index in range(last)]


def seconds(table: Table) -> float:
    """Length of a window; 0 where it is unknown."""
    try:
        return table.view.seconds
    except Unknown:
        return 0.0


def _values(table: Table, names: list[str], scope: str, entity: str) -> Mapping[str, Value] | None:
    if scope == "host":
        return table.row(names).values
    try:
        found = next((each for each in entities_of(table.view, scope) if each.name == entity), None)
    except Unknown:
        return None
    return table.row(names, scope, found).values if found else None


def _scaled(name: str, value: Value, factor: float) -> Value:
    return value * factor if isinstance(value, float) and per_time(name) else value


def per_time(name: str) -> bool:
    """Whether a signal grows with the work that is done in a second: a rate, or time lost in the window."""
    found = catalogue()[name]
    return found.unit.endswith("/s") or (found.unit == "ratio" and "/ window.seconds" in found.formula)


def points(rows: list[list[Row]], value: Callable[[Mapping[str, Value]], Value]) -> list[list[Point]]:
    """What an expression makes of each window in which it is known."""
    return [[Point(number, row.weight) for row in run if isinstance(number := value(row.values), float)]
            for run in rows]  # fmt: skip


def mean_row(rows: list[list[Row]]) -> dict[str, Value]:
    """One row for all windows: weighted means of numbers, the last of anything else."""
    flat = [row for run in rows for row in run]
    return {name: _mean_of(name, flat) for name in (flat[-1].values if flat else ())}


def _mean_of(name: str, rows: list[Row]) -> Value:
    known = [(value, row.weight) for row in rows if isinstance(value := row.values[name], float)]
    weight = sum(weight for _value, weight in known)
    if not known or not weight:
        return rows[-1].values[name]
    return sum(value * weight for value, weight in known) / weight
