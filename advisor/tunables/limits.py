"""How far one change may go, in which order changes are written, and how they are taken back."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.record import Record
from advisor.tunables.model import ULONG_MAX, Clamp, HostFacts, Tunable, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


class Budget(Record):
    """A share that must not be exceeded: by a change of its own accord, and once a person agreed."""

    automatic: float
    approved: float

    def share(self, *, approved: bool) -> float:
        """The one of the two that counts."""
        return self.approved if approved else self.automatic


HIGH_BUDGET = Budget(0.05, 0.10)
"""Share of managed memory that the high marks of all zones may sum up to (our policy)."""

MIN_FREE_BUDGET = Budget(0.03, 0.05)
"""Share of managed memory for vm.min_free_kbytes (our policy; Red Hat warns of 5 to 10 %)."""

AVAILABLE_DROP = 0.25
"""A change that takes a larger share of MemAvailable is refused (our policy)."""


class Limited(Record):
    """A value after our limits, and a clause for each limit that moved it."""

    value: Value
    because: tuple[str, ...]


def limit(
    tunable: Tunable,
    wanted: Value,
    current: Value | None,
    host: HostFacts,
    *,
    approved: bool = False,
) -> Limited:
    """Brings a wanted value within our policy, one step of the present value, and the kernel's bounds.

    A limit stops a change but never turns it round: where the present value is already beyond the limit,
    it stays. Words and lists are returned as they are.

    Args:
        tunable: the setting.
        wanted: the value asked for.
        current: the value now; None when unknown, then there is no step to keep to.
        host: facts that the policy and the kernel's bounds depend on.
        approved: whether a person agreed to go further.
    """
    if tunable.kind != "int" or not isinstance(wanted, int):
        return Limited(wanted, ())
    value, because = wanted, []
    for clamp in _ranges(tunable, current, host, approved=approved):
        moved = max(clamp.lo, min(value, clamp.hi))
        if moved != value:
            value = moved
            because.append(clamp.why)
    bounds = tunable.accepted(host.features)
    if bounds is not None and bounds.nearest(value) != value:
        value = bounds.nearest(value)
        because.append(bounds.why)
    if isinstance(current, int) and (wanted - current) * (value - current) < 0:
        value = current
    return Limited(value, tuple(because))


def _ranges(tunable: Tunable, current: Value | None, host: HostFacts, *, approved: bool) -> Iterator[Clamp]:
    clamp = tunable.clamp(host, approved=approved)
    if clamp is not None:
        yield clamp
    if tunable.max_step is not None and isinstance(current, int) and current > 0:
        step = int(current * tunable.max_step)
        yield Clamp(-ULONG_MAX, step, f"one change raises it at most {tunable.max_step:g} times")


def apply_order(tunables: Iterable[Tunable]) -> list[Tunable]:
    """The order in which a plan writes: what other settings depend on comes first."""
    return sorted(tunables, key=lambda tunable: (tunable.order, tunable.name))


def undo_writes(
    tunable: Tunable, before: Mapping[str, Value], find: Callable[[str], Tunable]
) -> tuple[tuple[Tunable, Value], ...] | None:
    """The writes that bring back the values from before a change, in their order.

    Of a pair such as dirty_bytes and dirty_ratio the one that counted is written, since 0 either is
    refused or zeroes its twin. Settings that the kernel changed along with it are written too: THP raises
    min_free_kbytes and never lowers it.

    Args:
        tunable: the setting that was changed.
        before: values from before, also those of its `coupled` and `changes` settings.
        find: gives the setting of a name.

    Returns:
        None when there is no undo: an action, or the old value is not known.
    """
    first = _counted(tunable, before, find)
    if first is None:
        return None
    others = [find(name) for name in tunable.changes if name in before]
    rest = tuple((other, before[other.name]) for other in apply_order(others))
    return ((first, before[first.name]), *rest)


def _counted(tunable: Tunable, before: Mapping[str, Value], find: Callable[[str], Tunable]) -> Tunable | None:
    family = [tunable, *map(find, tunable.coupled)]
    known = [member for member in family if member.name in before]
    if tunable.kind == "action" or len(known) < len(family):
        return None
    counts = [member for member in known if before[member.name] != 0] if tunable.coupled else known
    # Both 0 is a state too (CommitLimit is swap only); the one that takes a 0 brings it back.
    return next(iter(counts or [member for member in known if 0 not in member.unset]), None)


def contradictions(values: Mapping[str, Value]) -> tuple[str, ...]:
    """What is wrong with settings taken together, one clause each.

    Args:
        values: values by name, as they are to be in effect or to be written in one go.
    """
    found = [
        f"{one} and {other} cannot both count: the later write zeroes the other"
        for one, other in _PAIRS
        if values.get(one) and values.get(other)
    ]
    for background, foreground in _DIRTY:
        low, high = values.get(background), values.get(foreground)
        if isinstance(low, int) and isinstance(high, int) and low >= high > 0:
            found.append(f"{background} {low} is not below {foreground} {high}: the kernel silently halves it")
    if values.get("vm.overcommit_memory") == 2 and all(
        values.get(name) == 0 for name in ("vm.overcommit_ratio", "vm.overcommit_kbytes")
    ):
        found.append("vm.overcommit_memory 2 without a ratio: no more than the swap can be committed")
    return tuple(found)


_PAIRS = (
    ("vm.dirty_bytes", "vm.dirty_ratio"),
    ("vm.dirty_background_bytes", "vm.dirty_background_ratio"),
    ("vm.overcommit_kbytes", "vm.overcommit_ratio"),
)
_DIRTY = (
    ("vm.dirty_background_bytes", "vm.dirty_bytes"),
    ("vm.dirty_background_ratio", "vm.dirty_ratio"),
)
