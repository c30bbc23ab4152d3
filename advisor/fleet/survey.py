"""Judges every host of a store by the rules, or by a policy: as `advisor check` would, host by host.

An engine finds the states; findings, severities and plans are made of the rows of those hosts only that have
something to tell, by the functions that judge one capture.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from advisor.analysis import DECISIVE, Report, counts_of, demands_of, passed_of, thrash_of, verdict_of
from advisor.errors import Unknown
from advisor.findings import OPEN, Finding, Missing, explained, fired, read_by, shown_of
from advisor.fleet import rows
from advisor.fleet.columns import entities
from advisor.fleet.evaluate import evaluate
from advisor.fleet.queries import FAIL as FAILING
from advisor.fleet.queries import OPEN as OPENS
from advisor.fleet.queries import STATES, Selection
from advisor.fleet.stored import ALWAYS, KEYS, ROLE, ZONES, StoredHost, signal_of
from advisor.plan import plan_for
from advisor.policy.inventory import EMPTY, Inventory
from advisor.policy.local import terms_of
from advisor.record import Record, replace
from advisor.signals.model import catalogue
from advisor.tunables import TUNABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from advisor.fleet.store import Store
    from advisor.policy.local import InForce
    from advisor.policy.model import Member
    from advisor.rulebook.library import Check

Codes = dict[str, int]

# What the store does not say: a value of one zone or cgroup is unknown, or a divisor is zero.
_INCOMPUTABLE = Unknown("the figures do not decide it", "advisor explain RULE CAPTURE")


class How(Record):
    """How a fleet is judged.

    Attributes:
        engine: see `advisor.fleet.evaluate.ENGINES`.
        role: what all hosts are for; None leaves it to store and policy.
        inventory: what the inventory says of hosts, for the groups of a policy.
        everything: whether quiet hosts get a report of their own too.
        more: what the engine takes besides.
    """

    engine: str = "duckdb"
    role: str | None = None
    inventory: Inventory = EMPTY
    everything: bool = False
    more: tuple[tuple[str, Any], ...] = ()


class Survey(Record):
    """What was found.

    Attributes:
        hosts: how many hosts were judged.
        kept: what was kept of the report of each host that has something to tell: a finding, waived or not, a required
            value that cannot be told, or too little data; of every host where everything was asked for.
        warnings: what is wrong with the policy, a sentence each.
        roles: what the policy says that hosts are for, by `@host_id`.
    """

    hosts: int
    kept: tuple[Any, ...]
    warnings: tuple[str, ...]
    roles: Mapping[str, str]


def survey(
    store: Store, checks: Sequence[Check], policy: InForce | None, how: How, keep: Callable[[Report], Any]
) -> Survey:
    """Judges the newest capture of each host of a store.

    Args:
        store: the store.
        checks: the rules in force.
        policy: the policy, together with these rules.
        how: engine, role, inventory.
        keep: what is wanted of a report; reports themselves are large, and there may be very many.

    Raises:
        AdvisorError: the store is damaged, the engine is missing or fails, a rule file of the policy cannot be read.
    """
    return _Survey(store, checks, policy, how).made(keep)


class _Place(Record):
    """Where a host stands: its groups, its role, and whether it told too little to be judged."""

    groups: tuple[str, ...]
    role: str | None
    blind: bool


class _Survey:
    """One pass over a store. Of quiet hosts nothing is kept but where they stand: there may be a million."""

    def __init__(self, store: Store, checks: Sequence[Check], policy: InForce | None, how: How) -> None:
        self.store, self.checks, self.policy, self.how = store, tuple(checks), policy, how
        self.signals = sorted(policy.policy.signals) if policy else []
        self.unsure: Counter[str] = Counter()
        self.roles: dict[str, str] = {}
        self.places: dict[int, _Place] = {}

    def made(self, keep: Callable[[Report], Any]) -> Survey:
        self._place_all()
        self.variants = self._variants()
        failing, worst = self._states()
        undecided = self._undecided()
        wanted = [key for key, place in self.places.items()
                  if self.how.everything or place.blind or key in failing or key in undecided]  # fmt: skip
        kept, failed = [], []
        for report in self._reports(wanted, failing, worst, undecided):
            failed += [(f.rule, report.host.name, f.entity) for f in (*report.failed(), *report.waived())]
            kept.append(keep(report))
        return Survey(len(self.places), tuple(kept), self._warnings(failed), self.roles)

    def _place_all(self) -> None:
        names = list(dict.fromkeys(("@host", "@host_id", "@labels", ROLE, *DECISIVE, *self.signals)))
        alike: dict[_Place, _Place] = {}
        with self._ask(()) as answers:
            for key, *cells in answers.hosts(names):
                values = dict(zip(names, cells, strict=True))
                place = self._place(values)
                self.places[key] = alike.setdefault(place, place)
                if place.role is not None and place.role != values[ROLE]:
                    self.roles[values["@host_id"]] = place.role

    def _place(self, values: Mapping[str, Any]) -> _Place:
        role = self.how.role or values[ROLE]
        groups: tuple[str, ...] = ()
        blind = all(values[name] is None for name in DECISIVE)
        if self.policy is not None:
            policy = self.policy.policy
            groups, unsure = policy.groups_of(self._member(values), {**values, ROLE: role})
            self.unsure.update(unsure)
            role = role or terms_of(policy, groups).role
        return _Place(groups, role, blind)

    def _member(self, values: Mapping[str, Any]) -> Member:
        labels = {str(name): str(value) for name, value in json.loads(values["@labels"] or "{}").items()}
        return self.how.inventory.member(values["@host"] or "", labels)

    def _variants(self) -> dict[tuple[str, ...], dict[str, Check]]:
        """For each set of groups its rules by alias; a rule that all have alike has one alias."""
        seen: dict[str, list[Check]] = {}
        found: dict[tuple[str, ...], dict[str, Check]] = {}
        for groups in {place.groups: None for place in self.places.values()}:
            own = self.policy.checks_for(groups) if self.policy else self.checks
            found[groups] = {}
            for check in own:
                alike = seen.setdefault(check.id, [])
                number = next((n for n, other in enumerate(alike) if other == check), len(alike))
                if number == len(alike):
                    alike.append(check)
                found[groups][f"{check.id}@{number}" if number else check.id] = check
        return found

    def _aliased(self, *, demands: bool = False) -> list[Check]:
        """Every rule that some host is judged by, under its alias; or only the required values."""
        merged = {alias: check for own in self.variants.values() for alias, check in own.items()}
        return [replace(check, id=alias) for alias, check in merged.items() if not demands or self._demands(check.id)]

    def _demands(self, rule: str) -> bool:
        return self.policy is not None and rule.startswith(f"policy.{self.policy.policy.name}.")

    def _ask(self, checks: Sequence[Check]) -> Any:
        return evaluate(self.store, checks, self.how.engine, Selection(roles=self.roles), **dict(self.how.more))

    def _states(self) -> tuple[dict[int, list[tuple[str, str]]], dict[int, Codes]]:
        """Of each host the rules and entities that fail; and the code of every rule, where all hosts are reported."""
        failing: dict[int, list[tuple[str, str]]] = {}
        worst: dict[int, Codes] = {}
        with self._ask(self._aliased()) as answers:
            for verdict in answers.verdicts(FAILING):
                if verdict.rule in self.variants[self.places[verdict.key].groups]:
                    failing.setdefault(verdict.key, []).append((verdict.rule, verdict.entity))
            if self.how.everything:
                worst = dict(answers.per_host())
        return failing, worst

    def _undecided(self) -> dict[int, set[str]]:
        """Of each host the required values that cannot be told."""
        checks, found = self._aliased(demands=True), dict[int, set[str]]()
        if not checks:
            return found
        with self._ask(checks) as answers:
            for verdict in answers.verdicts(OPENS):
                if verdict.code == OPENS and verdict.rule in self.variants[self.places[verdict.key].groups]:
                    found.setdefault(verdict.key, set()).add(verdict.rule)
        return found

    def _reports(self, keys: Sequence[int], failing: Mapping[int, list[tuple[str, str]]], worst: Mapping[int, Codes],
                 undecided: Mapping[int, set[str]]) -> Iterator[Report]:  # fmt: skip
        wanted = self._columns({rule for found in failing.values() for rule, _entity in found})
        for batch in rows.batches(self.store, keys, wanted, KEYS):
            for key, host, parts in batch:
                place = self.places[key]
                stored = StoredHost(host, parts, place.role)
                codes = worst.get(key) or dict.fromkeys(undecided.get(key, ()), OPENS)
                yield self._report(place, stored, failing.get(key, []), codes)

    def _columns(self, aliases: Iterable[str]) -> dict[str, set[str]]:
        """The signals that findings of some rules, their plans and reports need, by scope."""
        merged = {alias: check for own in self.variants.values() for alias, check in own.items()}
        names = {*ALWAYS, *ZONES, *self.signals}
        for rule in (merged[alias].rule() for alias in aliases):
            names |= read_by(rule) | set(shown_of(rule))
            names |= {signal_of(TUNABLES[a.setting]) for a in rule.advice if a.setting in TUNABLES}
        for own in self.variants.values():
            names |= {name for check in own.values() if self._demands(check.id) for name in check.names}
        found: dict[str, set[str]] = {"host": set()}
        for name in names & catalogue().keys():
            found.setdefault(catalogue()[name].scope, set()).add(name)
        return found

    def _report(self, place: _Place, stored: StoredHost, failing: Sequence[tuple[str, str]], codes: Codes) -> Report:
        own = self.variants[place.groups]
        local = self.policy.local(self._member(stored.values), stored.values) if self.policy else None
        findings = [_fired(stored, own[alias], entity) for alias, entity in failing]
        findings += [
            _other(own[alias].id, code, _missing(stored, own[alias], code))
            for alias, code in codes.items()
            if code < FAILING and alias in own
        ]
        found = local.waive(explained(findings)) if local else explained(findings)
        counts, checks = counts_of(found), tuple(own.values())
        return Report(
            verdict=verdict_of(found, stored.values),
            host=stored.host(),
            window=stored.window(len(checks) - counts[OPEN], len(checks)),
            counts=counts,
            passed=passed_of(found, checks),
            thrash=thrash_of(found, checks),
            findings=found,
            plan=plan_for(stored, found, demands_of(local)),
            zones=stored.zones(),
            pressure=stored.pressure(),
            processes=(),
            unread={},
            policy=local,
            warnings=(*local.warnings, *local.unused(found)) if local else (),
        )

    def _warnings(self, failed: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
        """What is wrong with the policy, by the rule, host and entity of every finding."""
        if self.policy is None:
            return ()
        policy, today = self.policy.policy, self.policy.today
        warnings = [waiver.has_expired() for waiver in policy.waivers if waiver.expired(today)]
        warnings += [
            waiver.matches_nothing("in this store")
            for waiver in policy.waivers
            if not waiver.expired(today) and not any(waiver.covers(*each) for each in failed)
        ]
        inside = {group for place in set(self.places.values()) for group in place.groups}
        warnings += [f"of {count} hosts it cannot be told whether they are in the group '{group}', since what its "
                     "condition needs is unknown; they are judged as outside"
                     for group, count in self.unsure.items()]  # fmt: skip
        warnings += [f"no host of this store is in the group '{group.name}'" for group in policy.groups
                     if group.name not in inside and not self.unsure[group.name]]  # fmt: skip
        return tuple(warnings)


def _fired(stored: StoredHost, check: Check, entity: str) -> Finding:
    rule = check.rule()
    row = stored.row(read_by(rule) | set(shown_of(rule)), rule.scope, entity)
    return fired(rule, row, stored.name, stored.proof(row, shown_of(rule)))


def _missing(stored: StoredHost, check: Check, code: int) -> tuple[Missing, ...]:
    """What an open rule lacks."""
    if code != OPENS:
        return ()
    names = stored.unknown((*check.names, *([] if check.scope == "host" else [entities(check.scope)])))
    reasons = [(name, stored.why(name)) for name in names] or [(check.id, _INCOMPUTABLE)]
    return tuple(Missing(name, why.message, why.hint) for name, why in reasons)


@lru_cache(maxsize=100_000)
def _other(rule: str, code: int, missing: tuple[Missing, ...]) -> Finding:
    """A rule that does not fire; most hosts have most of these alike."""
    return Finding(rule, STATES[code], "", missing)
