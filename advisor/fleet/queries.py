"""Rules as SQL over the tables of a store: one query per scope, one column per rule.

A state is a small number, the larger the worse, so that the worst of a host's zones is their maximum:

=====  ====================================================
0      notApplicable
1      pass
2      open: data is missing
3      fail, severity notice
4      fail, severity warning
5      fail, severity critical
=====  ====================================================

The states are those of `advisor.findings` on one window. What one window cannot tell is not here: whether the problem
repeats in its parts (which moves confidence only), and which finding is explained by another (which may lower a
severity to notice; `advisor check` on the capture tells).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from advisor.engine.sql import Dialect, constant_sql, name_sql, number_sql, text_sql, to_sql
from advisor.findings import measures_window
from advisor.fleet.columns import ENTITY, KEY, column, entities
from advisor.record import Record, field
from advisor.rulebook.model import SEVERITIES
from advisor.signals.model import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from advisor.engine.checked import Tree
    from advisor.rulebook.library import Check

NOT_APPLICABLE, PASS, OPEN, FAIL = 0, 1, 2, 3
STATES = ("notApplicable", "pass", "open", "fail", "fail", "fail")
SINCE_BOOT = "window.since_boot"


def severity(state: int) -> str:
    """The severity of a failing state; empty for others."""
    return SEVERITIES[state - FAIL] if state >= FAIL else ""


class Judged(Record):
    """A rule as the fleet judges it.

    Attributes:
        check: the rule.
        severity: its own severity.
        critical_when: tree of the condition that makes it critical, or None.
        own_changes: whether its condition rests on changes within the window.
        critical_changes: whether that which makes it critical does.
    """

    check: Check
    severity: str
    critical_when: Tree | None
    own_changes: bool
    critical_changes: bool

    @property
    def names(self) -> frozenset[str]:
        """The signals that it reads."""
        found = {*self.check.names, *self.check.has}
        if self.critical_when is not None:
            found |= _signals(self.critical_when)
        return frozenset(found | ({SINCE_BOOT} if self._since_boot_matters else set()))

    @property
    def _since_boot_matters(self) -> bool:
        own = self.severity == "critical" and self.own_changes
        return own or (self.critical_when is not None and self.critical_changes)


def judged(check: Check) -> Judged:
    """What the fleet needs to know of a rule."""
    rule = check.rule()
    critical = rule.critical_when
    return Judged(
        check,
        rule.severity,
        None if critical is None else critical.tree,
        measures_window(rule.when.names),
        critical is not None and measures_window(critical.names),
    )


def _signals(tree: Tree) -> set[str]:
    from advisor.engine.checked import signals_in  # noqa: PLC0415

    return set(signals_in(tree))


class Tally(Record):
    """How the hosts in each state of a rule are counted.

    Counts of conditions tell all, and are a third of the work of making a state of them for every host first.

    Attributes:
        columns: SQL of what is computed of each host, with its name.
        sums: SQL of what is counted of these: hosts that it is not for, those on which it is decided, that fail, that
            fail critically, and of these the averages since boot. With `own` None: hosts in each state but the first.
        own: the state of a failure that is not critical; None when every state is counted by itself.
    """

    columns: tuple[str, ...]
    sums: tuple[str, ...]
    own: int | None

    def hosts(self, all_: int, counted: Sequence[int]) -> tuple[int, ...]:
        """The number of hosts in each state, from the sums."""
        if self.own is None:
            return all_ - sum(counted), *counted
        not_for_it, decided, failed, critical, capped = counted
        found = [not_for_it, decided - failed, all_ - not_for_it - decided, 0, capped, critical - capped]
        found[self.own] += failed - critical
        return tuple(found)


class Selection(Record):
    """Which captures are judged.

    Attributes:
        latest: of each host only the newest one.
        until_s: only captures taken until then, seconds since the epoch.
        roles: what hosts are for, by `@host_id`, in place of what the store says.
    """

    latest: bool = True
    until_s: float | None = None
    roles: Mapping[str, str] = field(default_factory=dict)


class Plan:
    """The queries for some rules on a store.

    Args:
        rules: the rules.
        dialect: of the engine.
        tables: SQL of each table that the store has, by scope.
        present: the columns that each has.
        selection: which captures are judged.
        replaced: keys of captures that do not count.
        repeats: whether some host has more than one capture.
    """

    def __init__(  # noqa: PLR0913  (what a store says of itself, by keyword)
        self,
        rules: Sequence[Judged],
        dialect: Dialect,
        *,
        tables: Mapping[str, str],
        present: Mapping[str, set[str]],
        selection: Selection,
        replaced: Sequence[int] = (),
        repeats: bool = False,
    ) -> None:
        self.dialect, self.selection = dialect, selection
        self._tables, self._present = tables, present
        self._replaced, self._repeats = replaced, repeats
        self.rules: dict[str, list[Judged]] = {}
        for rule in rules:
            self.rules.setdefault(rule.check.scope, []).append(rule)

    def _name(self, name: str) -> str:
        return name_sql(name, self.dialect)

    @cached_property
    def needed(self) -> dict[str, set[str]]:
        """The columns that each table is asked for."""
        found: dict[str, set[str]] = {"host": {KEY}}
        for scope, rules in self.rules.items():
            found.setdefault(scope, {KEY} if scope == "host" else {KEY, ENTITY})
            if scope != "host":
                found["host"].add(entities(scope))
            for name in (name for rule in rules for name in rule.names):
                found[catalogue()[name].scope].add(name)
        return found

    def states(self, scope: str, more: Sequence[str] = ()) -> str:
        """A query for the states of a scope's rules: key, entity, some columns of the host, a state for each rule."""
        if scope == "host":
            columns = [f"{self.state(rule)} AS {self._name(rule.check.id)}" for rule in self.rules[scope]]
            return self.per_host(columns, more)
        key, kept = f"h.{self._name(KEY)}", [f"h.{self._name(name)}" for name in more]
        hosts, count = f"({self.hosts(more)}) h", f"h.{self._name(entities(scope))}"
        none = f"CASE WHEN {count} IS NULL THEN {OPEN} ELSE {NOT_APPLICABLE} END"
        without = [key, f"'' AS {self._name(ENTITY)}", *kept]
        without += [f"{none} AS {self._name(rule.check.id)}" for rule in self.rules[scope]]
        missing = f"SELECT {', '.join(without)} FROM {hosts} WHERE {count} IS NULL OR {count} = 0"
        there = self.entities(scope, more)
        return f"{there} UNION ALL {missing}" if there else missing

    def entities(self, scope: str, more: Sequence[str] = ()) -> str:
        """As `states`, without the hosts that have nothing of the scope; empty when no host has."""
        if scope not in self._tables:
            return ""
        columns = [f"{self.state(rule)} AS {self._name(rule.check.id)}" for rule in self.rules[scope]]
        columns = [f"e.{self._name(ENTITY)}", *(f"h.{self._name(name)}" for name in more), *columns]
        key, table = self._name(KEY), f"({self._table(scope)}) e"
        if not more and not self._conditions() and not self._host_names(scope):
            return f"SELECT e.{key}, {', '.join(columns)} FROM {table}"
        return f"SELECT h.{key}, {', '.join(columns)} FROM {table} JOIN ({self.hosts(more)}) h ON e.{key} = h.{key}"

    def _host_names(self, scope: str) -> set[str]:
        """The signals of the host that the rules of a scope read."""
        return {name for rule in self.rules[scope] for name in rule.names if catalogue()[name].scope == "host"}

    def without(self, scopes: Sequence[str], by: Sequence[str]) -> str:
        """A query for the hosts that have nothing of some scopes.

        Some columns of the host, then for each scope how many cannot tell, and how many have none.
        """
        groups = [self._name(name) for name in by]
        tests = (f"{self._name(entities(scope))} {test}" for scope in scopes for test in ("IS NULL", "= 0"))
        grouped = f" GROUP BY {', '.join(groups)}" if groups else ""
        return f"SELECT {', '.join([*groups, *map(self._count, tests)])} FROM ({self.hosts(by)}) h{grouped}"

    def per_host(self, columns: Sequence[str], more: Sequence[str] = ()) -> str:
        """A query for key, some columns of the host, and what is computed of each host."""
        kept = (f"h.{self._name(name)}" for name in (KEY, *more))
        return f"SELECT {', '.join([*kept, *columns])} FROM ({self.hosts(more)}) h"

    def tally(self, rule: Judged) -> Tally:
        """How a rule is counted over the table of hosts."""
        own = self._capped(rule.severity, changes=rule.own_changes)
        if not own.isdigit():
            return self.tally_of_states(rule)
        name, other, worse = (self._name(f"{rule.check.id}{end}") for end in ("", "@", "@critical"))
        when, not_for = self._sql(rule.check.when), self._not_for(rule.check)
        columns = [f"{when} AS {name}"]
        if not_for:
            columns = [f"CASE WHEN {not_for} THEN NULL ELSE {when} END AS {name}", f"{not_for} AS {other}"]
        sums = [self._count(other) if not_for else "0", f"COUNT({name})", self._count(name), "0", "0"]
        if rule.critical_when is not None:
            columns.append(f"{self._sql(rule.critical_when)} AS {worse}")
            sums[3] = self._count(f"{name} AND {worse}")
            if rule.critical_changes:
                columns.append(f"{self._column(SINCE_BOOT)} AS {self._name(f'{rule.check.id}@boot')}")
                sums[4] = self._count(f"{name} AND {worse} AND {self._name(f'{rule.check.id}@boot')}")
        return Tally(tuple(columns), tuple(sums), int(own))

    def tally_of_states(self, rule: Judged) -> Tally:
        """How a rule is counted when its state stands, or can be put, in a column of its name."""
        name = self._name(rule.check.id)
        sums = (self._count(f"{name} = {state}") for state in range(1, len(STATES)))
        return Tally((f"{self.state(rule)} AS {name}",), tuple(sums), None)

    def _count(self, condition: str) -> str:
        return self.dialect.count_if.format(condition)

    def state(self, rule: Judged) -> str:
        """The state of a rule as a number."""
        verdict = f"CASE {self._sql(rule.check.when)} WHEN TRUE THEN {self._severity(rule)} WHEN FALSE THEN {PASS}"
        not_for = self._not_for(rule.check)
        if not not_for:
            return f"{verdict} ELSE {OPEN} END"
        return f"CASE WHEN {not_for} THEN {NOT_APPLICABLE} ELSE {verdict} ELSE {OPEN} END END"

    def _not_for(self, check: Check) -> str:
        """SQL of whether the rule does not apply: true, or anything else; empty when it always does."""
        reasons = [f"{self._column(name)} IS NULL" for name in check.has]
        reasons += [self._sql(check.unless)] if check.unless else []
        return " OR ".join(reasons)

    def _severity(self, rule: Judged) -> str:
        """The severity of a finding; an average since boot is never critical."""
        own = self._capped(rule.severity, changes=rule.own_changes)
        if rule.critical_when is None:
            return own
        critical = self._capped("critical", changes=rule.critical_changes)
        return f"CASE WHEN {self._sql(rule.critical_when)} THEN {critical} ELSE {own} END"

    def _capped(self, name: str, *, changes: bool) -> str:
        state = FAIL + SEVERITIES.index(name)
        if name != "critical" or not changes:
            return str(state)
        return f"CASE WHEN {self._column(SINCE_BOOT)} THEN {state - 1} ELSE {state} END"

    def _sql(self, tree: Tree) -> str:
        return to_sql(tree, self.dialect, self._column)

    def _column(self, name: str) -> str:
        return f"{'h' if catalogue()[name].scope == 'host' else 'e'}.{self._name(name)}"

    def hosts(self, more: Sequence[str] = ()) -> str:
        """A query for the captures that are judged: what rules need of them, and some columns more."""
        wanted = sorted(self.needed["host"] | set(more))
        return self._select("host", wanted, self._conditions())

    def _table(self, scope: str) -> str:
        return self._select(scope, sorted(self.needed[scope]), [])

    def _select(self, scope: str, wanted: Iterable[str], conditions: Sequence[str]) -> str:
        columns = ", ".join(self._one(scope, name) for name in wanted)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {columns} FROM {self._tables[scope]}{where}"

    def _one(self, scope: str, name: str) -> str:
        quoted = self._name(name)
        if name in self._present[scope]:
            sql = quoted
        else:
            # No part has it: an older version wrote them.
            kinds = {"num": self.dialect.double, "str": self.dialect.text, "bool": "BOOLEAN", "int": "BIGINT"}
            sql = f"CAST(NULL AS {kinds[column(name).kind]})"
        if name == "host.role" and self.selection.roles:
            sql = self._roles(sql)
        return sql if sql == quoted else f"{sql} AS {quoted}"

    def _roles(self, otherwise: str) -> str:
        hosts: dict[str, list[str]] = {}
        for host, role in self.selection.roles.items():
            hosts.setdefault(role, []).append(text_sql(host, self.dialect))
        cases = [f"WHEN {self._name('@host_id')} IN ({', '.join(ids)}) THEN {constant_sql(role, self.dialect)}"
                 for role, ids in hosts.items()]  # fmt: skip
        return f"CASE {' '.join(cases)} ELSE {otherwise} END"

    def _conditions(self) -> list[str]:
        key, found = self._name(KEY), []
        if self._replaced:
            found.append(f"{key} NOT IN ({', '.join(map(str, self._replaced))})")
        if self.selection.until_s is not None:
            found.append(f"{self._name('@time')} <= {number_sql(self.selection.until_s, self.dialect)}")
        if self.selection.latest and self._repeats:
            newest = f"PARTITION BY {self._name('@host_id')} ORDER BY {self._name('@time')} DESC, {key} DESC"
            where = f" WHERE {' AND '.join(found)}" if found else ""
            ranked = f"SELECT {key} AS k, ROW_NUMBER() OVER ({newest}) AS n FROM {self._tables['host']}{where}"
            found.append(f"{key} IN (SELECT k FROM ({ranked}) ranked WHERE n = 1)")
        return found
