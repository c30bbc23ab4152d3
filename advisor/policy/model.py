"""A policy after checking. Nothing here needs YAML, pydantic or Jinja2."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cached_property

from advisor.engine.rows import Value, compile_row
from advisor.hints import TYPE_CHECKING
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from advisor.engine.checked import Checked
    from advisor.rulebook.library import Check

NEVER = "never"
DEFAULT_GATE = "warning"
LABEL = "label."
HOST_NAME = "host.name"


class Member(Record):
    """What decides to which groups a host belongs, besides its signals.

    Attributes:
        host: its name; empty when unknown.
        inventory: the inventory groups that it is in.
        labels: what the inventory or the command line says of it, by name without ``label.``.
    """

    host: str
    inventory: frozenset[str] = frozenset()
    labels: tuple[tuple[str, str], ...] = ()

    def names(self) -> dict[str, Value]:
        """What it adds to the signals of a host for the conditions of groups."""
        return {HOST_NAME: self.host or None, **{LABEL + name: value for name, value in self.labels}}


class Override(Record):
    """What a policy changes of a rule.

    Attributes:
        enabled: False switches the rule off, True on again for a group; None says nothing.
        severity: takes the place of the rule's own, `critical_when` included; None leaves both.
        params: thresholds in their own unit.
    """

    enabled: bool | None = None
    severity: str | None = None
    params: tuple[tuple[str, float], ...] = ()


class Terms(Record):
    """What holds for some hosts; None and absent leave what was said before.

    Attributes:
        role: what the hosts are for.
        fail_on: the least severity that fails the gate.
        required: a rule for each required value, by setting.
        overrides: what is changed of rules, by rule.
    """

    role: str | None
    fail_on: str | None
    required: Mapping[str, Check]
    overrides: Mapping[str, Override]


class Group(Record):
    """A group of hosts: those that fit everything which is given of hosts, inventory and when.

    Attributes:
        hosts: patterns of host names, of which one must fit; None when any will do.
        inventory: inventory groups of which the host must be in one; None when any will do.
        when: a condition over signals, ``host.name`` and ``label.NAME``; None when there is none.
    """

    name: str
    hosts: tuple[str, ...] | None
    inventory: tuple[str, ...] | None
    when: Checked | None
    terms: Terms

    def holds(self, member: Member, values: Mapping[str, Value]) -> bool | None:
        """Whether a host belongs to the group; None when a signal or label that decides is unknown."""
        if self.hosts is not None and not matches(member.host, self.hosts):
            return False
        if self.inventory is not None and member.inventory.isdisjoint(self.inventory):
            return False
        if self.when is None:
            return True
        verdict = compile_row(self.when.tree)({**values, **member.names()})
        return verdict if isinstance(verdict, bool) else None


class Waiver(Record):
    """A finding that somebody answers for, until a day.

    Attributes:
        number: its place in the policy, from 1.
        rule: pattern of rule ids.
        hosts: patterns of host names.
        entity: pattern of the zone, node, cgroup …; ``*`` takes all, and the host itself.
        owner: who answers for it.
        reason: why it is accepted.
        expires: the last day on which it holds.
    """

    number: int
    rule: str
    hosts: tuple[str, ...]
    entity: str
    owner: str
    reason: str
    expires: date

    def expired(self, today: date) -> bool:
        """Whether it no longer holds."""
        return today > self.expires

    def covers(self, rule: str, host: str, entity: str) -> bool:
        """Whether a finding of a host falls under it."""
        return fnmatchcase(rule, self.rule) and fnmatchcase(entity, self.entity) and matches(host, self.hosts)

    def has_expired(self) -> str:
        """The warning of one that no longer holds."""
        return f"{self._described()} expired on {self.expires.isoformat()}; renew or remove it"

    def matches_nothing(self, where: str) -> str:
        """The warning of one that covers no finding."""
        return f"{self._described()} matches nothing {where}; remove it"

    def _described(self) -> str:
        return f"waiver {self.number} ({self.rule} on {', '.join(self.hosts)}, of {self.owner})"


class Waived(Record):
    """Who answers for a finding, why, and until which day (as 2027-01-31)."""

    owner: str
    reason: str
    expires: str


class Policy(Record):
    """A checked policy.

    Attributes:
        terms: what holds for every host.
        groups: what holds for some, in the order of the file: later ones win.
        origin: its file.
    """

    name: str
    about: str
    terms: Terms
    groups: tuple[Group, ...]
    waivers: tuple[Waiver, ...]
    origin: str

    @cached_property
    def signals(self) -> frozenset[str]:
        """The signals that decide membership in its groups."""
        read = frozenset(name for group in self.groups if group.when for name in group.when.names)
        return frozenset(name for name in read if name != HOST_NAME and not name.startswith(LABEL))

    def groups_of(self, member: Member, values: Mapping[str, Value]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The groups that a host belongs to, in the order of the file, and those of which that is not known."""
        verdicts = [(group.name, group.holds(member, values)) for group in self.groups]
        return tuple(name for name, holds in verdicts if holds), tuple(
            name for name, holds in verdicts if holds is None
        )


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a host name fits one of some patterns with ``*``, ``?`` and ``[…]``; case does not count.

    >>> matches("DB1.example.org", ["db*"]), matches("web1", ["db*", "cache?"])
    (True, False)
    """
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def merged(terms: Iterable[Terms]) -> Terms:
    """Terms one after the other: what comes later wins, setting by setting, and param by param of a rule."""
    role = fail_on = None
    required: dict[str, Check] = {}
    overrides: dict[str, Override] = {}
    for part in terms:
        role, fail_on = part.role or role, part.fail_on or fail_on
        required |= part.required
        for rule, override in part.overrides.items():
            overrides[rule] = _over(overrides.get(rule), override)
    return Terms(role, fail_on, required, overrides)


def _over(first: Override | None, then: Override) -> Override:
    if first is None:
        return then
    params = {**dict(first.params), **dict(then.params)}
    enabled = first.enabled if then.enabled is None else then.enabled
    return Override(enabled, then.severity or first.severity, tuple(params.items()))
