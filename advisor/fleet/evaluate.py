"""Judges a store by rules, in an engine of choice: the states are the same in each."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol

from advisor.errors import UsageError
from advisor.fleet.queries import FAIL, STATES, Judged, Selection, judged, severity
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from advisor.fleet.store import Store
    from advisor.rulebook.library import Check

ENGINES = ("duckdb", "rows", "spark", "postgres")
"""The engines by name; each is a module of `advisor.fleet.engines`."""


class Verdict(Record):
    """What a rule says of a host, or of one of its zones, cgroups and so on.

    Attributes:
        key: the capture, `@key` of the table of hosts.
        rule: the rule's id.
        entity: name of the zone …; empty for the host itself.
        code: the state as a number, see `queries`.
    """

    key: int
    rule: str
    entity: str
    code: int

    @property
    def state(self) -> str:
        """`fail`, `pass`, `open` or `notApplicable`."""
        return STATES[self.code]

    @property
    def severity(self) -> str:
        """The severity of a failure; empty for other states."""
        return severity(self.code)


class Count(Record):
    """How many hosts a rule has in each state; a host with many zones counts once, with its worst.

    Attributes:
        group: values of the columns that were asked for.
        rule: the rule's id.
        hosts: number of hosts by code, see `queries`.
    """

    group: tuple[Any, ...]
    rule: str
    hosts: tuple[int, ...]

    def of(self, state: str) -> int:
        """The number of hosts in a state."""
        return sum(number for number, name in zip(self.hosts, STATES, strict=True) if name == state)


class Verdicts(Protocol):
    """The answers of an engine. Each call is one pass over the tables that it needs."""

    def counts(self, by: Sequence[str] = ()) -> list[Count]:
        """Hosts by rule and state, and by the values of some columns of the table of hosts."""

    def per_host(self) -> Iterator[tuple[int, dict[str, int]]]:
        """Of each capture the code of every rule; of a rule with many entities the worst."""

    def verdicts(self, least: int = FAIL) -> Iterator[Verdict]:
        """Every verdict whose code is at least this."""

    def hosts(self, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """The captures that are judged: `@key`, then some columns of the table of hosts."""

    def close(self) -> None:
        """Ends what the engine holds: connections, processes."""

    def __enter__(self) -> Verdicts: ...

    def __exit__(self, *_: object) -> None: ...


def evaluate(
    store: Store, checks: Sequence[Check], engine: str = "duckdb", selection: Selection | None = None, **more: Any
) -> Verdicts:
    """Judges the captures of a store.

    Args:
        store: from `open_store`.
        checks: the rules.
        engine: one of `ENGINES`.
        selection: which captures; by default the newest of each host.
        more: what the engine takes besides: `server` for postgres (a connection string), `master` for spark.

    Raises:
        AdvisorError: the store is damaged or measured in other units; the engine is not installed or fails.
    """
    if engine not in ENGINES:
        raise UsageError(f"unknown engine '{engine}'", f"engines: {', '.join(ENGINES)}")
    rules = [judged(check) for check in checks]
    check_columns(store, rules)
    if not store.manifest.parts:
        engine, more = "rows", {}  # no table to ask
    module = importlib.import_module(f"advisor.fleet.engines.{engine}")
    return module.start(store, rules, selection or Selection(), **more)  # type: ignore[no-any-return]


def check_columns(store: Store, rules: Sequence[Judged]) -> None:
    """Refuses a store whose tables for these rules are damaged, or measured otherwise."""
    store.check({"host", *(rule.check.scope for rule in rules)}, {name for rule in rules for name in rule.names})
