"""Signals as rows: what the rule evaluator reads, with the reason for each value that is unknown."""

from __future__ import annotations

import math

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.record import Record, field
from advisor.signals.model import Entity, Signal, Value, catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.signals.view import View


class Row(Record):
    """Values by name for the host or one entity; None is unknown and has its reason in `reasons`."""

    entity: Entity
    values: dict[str, Value] = field(default_factory=dict)
    reasons: dict[str, Unknown] = field(default_factory=dict)


class Table:
    """The signals of one window, computed once each, when asked."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._host = Row(Entity("", None))
        self._entities: dict[tuple[str, str], Row] = {}

    def row(self, names: Iterable[str], scope: str = "host", entity: Entity | None = None) -> Row:
        """A row that holds (at least) the named signals.

        Args:
            names: signals of the host, and of `scope`.
            scope: the kind of entity, or host.
            entity: which one; needed unless the scope is host.
        """
        wanted = [catalogue()[name] for name in names]
        self._fill(self._host, [signal for signal in wanted if signal.scope == "host"])
        if entity is None:
            return self._host
        own = self._entities.setdefault((scope, entity.name), Row(entity))
        self._fill(own, [signal for signal in wanted if signal.scope == scope])
        return Row(entity, {**self._host.values, **own.values}, {**self._host.reasons, **own.reasons})

    def _fill(self, row: Row, signals: Iterable[Signal]) -> None:
        for signal in signals:
            if signal.name not in row.values:
                row.values[signal.name] = self._compute(signal, row)

    def _compute(self, signal: Signal, row: Row) -> Value:
        arguments = () if signal.scope == "host" else (row.entity.item,)
        try:
            value = signal.compute(self.view, *arguments)
        except Unknown as reason:
            row.reasons[signal.name] = reason
            return None
        except (ArithmeticError, LookupError):
            row.reasons[signal.name] = Unknown("the figures of the capture contradict each other")
            return None
        if isinstance(value, float) and not math.isfinite(value):
            row.reasons[signal.name] = Unknown("the figures of the capture give no finite number")
            return None
        return value
