"""What the engines that speak SQL share: queries out, verdicts in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

from advisor.engine.sql import name_sql
from advisor.fleet.columns import ENTITY, KEY
from advisor.fleet.evaluate import Count, Verdict
from advisor.fleet.queries import FAIL, NOT_APPLICABLE, OPEN, STATES, Judged, Plan, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


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
        found: list[Count] = []
        scopes = [scope for scope in self.plan.rules if scope != "host"]
        without = list(self.connection.rows(self.plan.without(scopes, by))) if scopes else []
        for scope, every in self.plan.rules.items():
            # Of each group of hosts, how many cannot tell what they have of this scope, and how many have none.
            at = len(by) + 2 * scopes.index(scope) if scope != "host" else 0
            nothing = [(tuple(row[: len(by)]), row[at], row[at + 1]) for row in without] if scope != "host" else []
            for start in range(0, len(every), _RULES_AT_ONCE):
                rules = every[start : start + _RULES_AT_ONCE]
                if scope == "host":
                    found += self._host_counts(rules, by)
                else:
                    found += self._entity_counts(scope, rules, by, nothing)
        return found

    def _host_counts(self, rules: Sequence[Judged], by: Sequence[str]) -> Iterator[Count]:
        tallies = {rule.check.id: self.plan.tally(rule) for rule in rules}
        columns = [column for tally in tallies.values() for column in tally.columns]
        yield from self._counted(self.plan.per_host(columns, by), tallies, by)

    def _entity_counts(
        self,
        scope: str,
        rules: Sequence[Judged],
        by: Sequence[str],
        nothing: Sequence[tuple[tuple[Any, ...], int, int]],
    ) -> Iterator[Count]:
        tallies = {rule.check.id: self.plan.tally_of_states(rule) for rule in rules}
        found: dict[tuple[tuple[Any, ...], str], list[int]] = {}
        if there := self.plan.entities(scope, by):
            for count in self._counted(self._worst(there, [*tallies], by), tallies, by):
                found[count.group, count.rule] = list(count.hosts)
        for group, unknown, none in nothing:
            for rule in tallies:
                numbers = found.setdefault((group, rule), [0] * len(STATES))
                numbers[OPEN] += unknown or 0  # some engines sum no rows up to NULL
                numbers[NOT_APPLICABLE] += none or 0
        yield from (Count(group, rule, tuple(numbers)) for (group, rule), numbers in found.items())

    def _counted(self, judged: str, tallies: Mapping[str, Tally], by: Sequence[str]) -> Iterator[Count]:
        groups = [self._name(name) for name in by]
        sums = [sum_ for tally in tallies.values() for sum_ in tally.sums]
        grouped = f" GROUP BY {', '.join(groups)}" if groups else ""
        for row in self.connection.rows(f"SELECT {', '.join([*groups, 'COUNT(*)', *sums])} FROM ({judged}) j{grouped}"):
            group, all_, numbers = tuple(row[: len(by)]), row[len(by)], iter(row[len(by) + 1 :])
            for rule, tally in tallies.items():
                yield Count(group, rule, tally.hosts(all_, [next(numbers) or 0 for _ in tally.sums]))

    def _worst(self, states: str, ids: Sequence[str], more: Sequence[str] = ()) -> str:
        """Of each host the worst state of its entities; the columns of the host are the same in all its rows."""
        worst = [f"MAX({self._name(rule)}) AS {self._name(rule)}" for rule in ids]
        same = ", ".join(map(self._name, (KEY, *more)))
        return f"SELECT {', '.join([same, *worst])} FROM ({states}) entities GROUP BY {same}"

    def per_host(self) -> Iterator[tuple[int, dict[str, int]]]:
        """Of each capture the code of every rule; of a rule with many entities the worst."""
        found: dict[int, dict[str, int]] = {}
        for scope, rules in self.plan.rules.items():
            ids = [rule.check.id for rule in rules]
            states = self.plan.states(scope)
            for key, *codes in self.connection.rows(states if scope == "host" else self._worst(states, ids)):
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
