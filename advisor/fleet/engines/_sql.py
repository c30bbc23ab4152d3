"""What the engines that speak SQL share: queries out, verdicts in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

from advisor.engine.sql import name_sql
from advisor.fleet.columns import ENTITY, KEY
from advisor.fleet.evaluate import Count, Verdict
from advisor.fleet.queries import FAIL, STATES, Plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


# Five sums for each rule; PostgreSQL takes 1664 columns.
_RULES_AT_ONCE = 300


class Connection(Protocol):
    """Runs a query and gives its rows, not all at once."""

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a query."""

    def close(self) -> None:
        """Ends the connection."""


class SqlVerdicts:
    """Verdicts from an engine that speaks SQL; see `evaluate.Verdicts`.

    Args:
        connection: to the engine.
        plan: the queries.
    """

    def __init__(self, connection: Connection, plan: Plan) -> None:
        self.connection, self.plan = connection, plan

    def _name(self, name: str) -> str:
        return name_sql(name, self.plan.dialect)

    def counts(self, by: Sequence[str] = ()) -> list[Count]:
        """Hosts by rule and state, and by the values of some columns of the table of hosts."""
        found = []
        for scope, rules in self.plan.rules.items():
            every = [rule.check.id for rule in rules]
            for ids in (every[start : start + _RULES_AT_ONCE] for start in range(0, len(every), _RULES_AT_ONCE)):
                for row in self.connection.rows(self._counts(scope, ids, by)):
                    found += _counted(ids, tuple(row[: len(by)]), row[len(by) :])
        return found

    def _counts(self, scope: str, ids: Sequence[str], by: Sequence[str]) -> str:
        groups = [self._name(name) for name in by]
        codes = range(1, len(STATES))
        sums = [f"COUNT(CASE WHEN {self._name(rule)} = {code} THEN 1 END)" for rule in ids for code in codes]
        grouped = f" GROUP BY {', '.join(groups)}" if groups else ""
        return f"SELECT {', '.join([*groups, 'COUNT(*)', *sums])} FROM ({self._worst(scope, ids, by)}) judged{grouped}"

    def _worst(self, scope: str, ids: Sequence[str], more: Sequence[str] = ()) -> str:
        states = self.plan.states(scope, more)
        if scope == "host":
            return states
        key, groups = self._name(KEY), [self._name(name) for name in more]
        worst = [f"MAX({self._name(rule)}) AS {self._name(rule)}" for rule in ids]
        # The columns of the host are the same in all its rows.
        same = ", ".join([key, *groups])
        return f"SELECT {', '.join([same, *worst])} FROM ({states}) entities GROUP BY {same}"

    def per_host(self) -> Iterator[tuple[int, dict[str, int]]]:
        """Of each capture the code of every rule; of a rule with many entities the worst."""
        found: dict[int, dict[str, int]] = {}
        for scope, rules in self.plan.rules.items():
            ids = [rule.check.id for rule in rules]
            for key, *codes in self.connection.rows(self._worst(scope, ids)):
                found.setdefault(key, {}).update(zip(ids, codes, strict=True))
        yield from found.items()

    def verdicts(self, least: int = FAIL) -> Iterator[Verdict]:
        """Every verdict whose code is at least this."""
        for scope, rules in self.plan.rules.items():
            ids = [rule.check.id for rule in rules]
            any_ = " OR ".join(f"{self._name(rule)} >= {least}" for rule in ids)
            entity = [] if scope == "host" else [self._name(ENTITY)]
            columns = ", ".join([self._name(KEY), *entity, *map(self._name, ids)])
            for key, *row in self.connection.rows(f"SELECT {columns} FROM ({self.plan.states(scope)}) s WHERE {any_}"):
                name, codes = ("", row) if scope == "host" else (row[0], row[1:])
                for rule, code in zip(ids, codes, strict=True):
                    if code >= least:
                        yield Verdict(key, rule, name, code)

    def hosts(self, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """The captures that are judged: `@key`, then some columns of the table of hosts."""
        wanted = ", ".join(map(self._name, (KEY, *columns)))
        return self.connection.rows(f"SELECT {wanted} FROM ({self.plan.hosts(columns)}) h")

    def close(self) -> None:
        """Ends what the engine holds."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _counted(ids: Sequence[str], group: tuple[Any, ...], numbers: Sequence[int]) -> list[Count]:
    """The counts in a row: all hosts, then for each rule those of every code but the first."""
    found, width = [], len(STATES) - 1
    for index, rule in enumerate(ids):
        some = numbers[1 + index * width : 1 + (index + 1) * width]
        found.append(Count(group, rule, (numbers[0] - sum(some), *some)))
    return found
