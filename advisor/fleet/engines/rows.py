"""The row evaluator: needs nothing but the store, and is what the other engines are compared with."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Self

from advisor.engine.rows import compile_row
from advisor.findings import FAIL as FAILS
from advisor.findings import NOT_APPLICABLE as NOT_FOR_IT
from advisor.findings import PASS as PASSES
from advisor.findings import state_of
from advisor.fleet.columns import ENTITY, KEY, entities
from advisor.fleet.evaluate import Count, Verdict
from advisor.fleet.parts import read_columns
from advisor.fleet.queries import FAIL, NOT_APPLICABLE, OPEN, PASS, SINCE_BOOT, STATES, Judged, Selection
from advisor.rulebook.model import SEVERITIES
from advisor.signals.model import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from advisor.fleet.store import Store

_CODES = {NOT_FOR_IT: NOT_APPLICABLE, PASSES: PASS}


class RowVerdicts:
    """Verdicts from the row evaluator; see `evaluate.Verdicts`."""

    def __init__(self, store: Store, rules: Sequence[Judged], selection: Selection) -> None:
        self.store, self.selection = store, selection
        self._rules: dict[str, list[tuple[Judged, Any]]] = {}
        for rule in rules:
            critical = compile_row(rule.critical_when) if rule.critical_when else None
            self._rules.setdefault(rule.check.scope, []).append((rule, critical))
        self._names = sorted({name for rule in rules for name in rule.names})

    def _host_rows(self, more: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        names = [name for name in self._names if catalogue()[name].scope == "host"]
        names += [KEY, "@host_id", *(entities(scope) for scope in self._rules if scope != "host"), *more]
        chosen = self._chosen()
        for row in read_columns(self.store.files("host"), list(dict.fromkeys(names))):
            if row[KEY] in chosen:
                role = self.selection.roles.get(row["@host_id"])
                yield row if role is None or "host.role" not in row else {**row, "host.role": role}

    def _chosen(self) -> set[int]:
        replaced, until_s = set(self.store.manifest.replaced), self.selection.until_s
        newest: dict[Any, tuple[float, int]] = {}
        for row in read_columns(self.store.files("host"), (KEY, "@host_id", "@time")):
            if row[KEY] not in replaced and (until_s is None or row["@time"] <= until_s):
                which = row["@host_id"] if self.selection.latest else row[KEY]
                newest[which] = max(newest.get(which, (-1.0, -1)), (row["@time"], row[KEY]))
        return {key for _time, key in newest.values()}

    def _judged(self, more: Sequence[str] = ()) -> Iterator[tuple[dict[str, Any], Verdict]]:
        """Each verdict, with the row of its host."""
        hosts = {row[KEY]: row for row in self._host_rows(more)}
        for scope in self._rules:
            for host, entity, values in self._entities(scope, hosts):
                for rule, critical in self._rules[scope]:
                    code = _code(rule, critical, values) if values is not None else _without(host[entities(scope)])
                    yield host, Verdict(host[KEY], rule.check.id, entity, code)

    def _entities(
        self, scope: str, hosts: Mapping[int, dict[str, Any]]
    ) -> Iterator[tuple[dict[str, Any], str, dict[str, Any] | None]]:
        if scope == "host":
            yield from ((host, "", host) for host in hosts.values())
            return
        names = [name for name in self._names if catalogue()[name].scope == scope]
        for row in read_columns(self.store.files(scope), (KEY, ENTITY, *names)):
            if row[KEY] in hosts:
                host = hosts[row[KEY]]
                yield host, row[ENTITY], {**host, **row}
        yield from ((host, "", None) for host in hosts.values() if not host[entities(scope)])

    def verdicts(self, least: int = FAIL) -> Iterator[Verdict]:
        """Every verdict whose code is at least this."""
        return (verdict for _host, verdict in self._judged() if verdict.code >= least)

    def per_host(self) -> Iterator[tuple[int, dict[str, int]]]:
        """Of each capture the code of every rule; of a rule with many entities the worst."""
        found: dict[int, dict[str, int]] = {}
        for _host, verdict in self._judged():
            codes = found.setdefault(verdict.key, {})
            codes[verdict.rule] = max(verdict.code, codes.get(verdict.rule, NOT_APPLICABLE))
        yield from found.items()

    def counts(self, by: Sequence[str] = ()) -> list[Count]:
        """Hosts by rule and state, and by the values of some columns of the table of hosts."""
        groups = {key: values for key, *values in self.hosts(by)}
        counted: dict[tuple[tuple[Any, ...], str], Counter[int]] = {}
        for key, codes in self.per_host():
            for rule, code in codes.items():
                counted.setdefault((tuple(groups[key]), rule), Counter())[code] += 1
        return [Count(group, rule, tuple(numbers[code] for code in range(len(STATES))))
                for (group, rule), numbers in counted.items()]  # fmt: skip

    def hosts(self, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """The captures that are judged: `@key`, then some columns of the table of hosts."""
        return (tuple(row[name] for name in (KEY, *columns)) for row in self._host_rows(columns))

    def close(self) -> None:
        """Nothing is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _without(count: int | None) -> int:
    """The code of a rule where the host has none of its scope, or nobody can tell."""
    return OPEN if count is None else NOT_APPLICABLE


def _code(rule: Judged, critical: Any, values: Mapping[str, Any]) -> int:
    state = state_of(rule.check, values)
    if state != FAILS:
        return _CODES.get(state, OPEN)
    name, changes = rule.severity, rule.own_changes
    if critical is not None and critical(values) is True:
        name, changes = "critical", rule.critical_changes
    capped = name == "critical" and changes and values.get(SINCE_BOOT)
    return FAIL + SEVERITIES.index("warning" if capped else name)


def start(store: Store, rules: Sequence[Judged], selection: Selection) -> RowVerdicts:
    """Verdicts on a store by the row evaluator."""
    return RowVerdicts(store, rules, selection)
