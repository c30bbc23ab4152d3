"""What an Ansible inventory says of hosts, from the JSON of ``ansible-inventory --list``: groups and variables."""

from __future__ import annotations

from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING, Any
from advisor.policy.model import Member
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

_META = "_meta"


class Inventory(Record):
    """Groups and labels by host name, as the inventory spells it."""

    groups: Mapping[str, frozenset[str]]
    labels: Mapping[str, tuple[tuple[str, str], ...]]

    def member(self, host: str, labels: Mapping[str, str]) -> Member:
        """What decides to which groups of a policy a host belongs.

        A capture knows the name that the host has for itself. Where the inventory has no such name, the one host
        counts that agrees up to the first dot; with two such hosts none does.

        Args:
            host: the host's name for itself.
            labels: what the command line adds; it wins over the inventory.
        """
        name = self.name_of(host)
        known = {**dict(self.labels.get(name, ())), **labels}
        return Member(host, self.groups.get(name, frozenset()), tuple(sorted(known.items())))

    def name_of(self, host: str) -> str:
        """The inventory's name of a host that knows itself by another; the same name where it has none."""
        if host in self.groups or not host:
            return host
        short = host.partition(".")[0].lower()
        alike = [name for name in self.groups if name.partition(".")[0].lower() == short]
        return alike[0] if len(alike) == 1 else host


EMPTY = Inventory({}, {})


def is_listing(data: Any) -> bool:
    """Whether JSON is the output of ``ansible-inventory --list``."""
    return isinstance(data, dict) and isinstance(data.get(_META), dict)


def parse(data: Any) -> Inventory:
    """The inventory of a listing.

    Raises:
        AdvisorError: it is none.
    """
    if not is_listing(data):
        raise AdvisorError("not the output of ansible-inventory --list", "write it with: ansible-inventory --list")
    groups = {name: group for name, group in data.items() if name != _META and isinstance(group, dict)}
    found: dict[str, set[str]] = {}
    for name in groups:
        for host in _hosts(name, groups, set()):
            found.setdefault(host, set()).add(name)
    variables = data[_META].get("hostvars")
    variables = variables if isinstance(variables, dict) else {}
    for host in variables:
        found.setdefault(host, set())
    labels = {host: _labels(own) for host, own in variables.items() if isinstance(own, dict)}
    return Inventory({host: frozenset(names) for host, names in found.items()}, labels)


def _hosts(name: str, groups: Mapping[str, Any], seen: set[str]) -> set[str]:
    """The hosts of a group and of the groups within it; a group within itself is met once."""
    if name in seen:
        return set()
    seen.add(name)
    group = groups.get(name, {})
    found = {str(host) for host in group.get("hosts") or ()}
    for child in group.get("children") or ():
        found |= _hosts(str(child), groups, seen)
    return found


def _labels(variables: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The plain variables as texts; lists and mappings are no labels."""
    plain = {str(name): value for name, value in variables.items() if isinstance(value, str | int | float)}
    return tuple((n, str(v).lower() if isinstance(v, bool) else str(v)) for n, v in sorted(plain.items()))
