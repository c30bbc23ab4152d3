"""Memory cgroups, version 2 and 1: `cgroup.NAME` for each group that the capture holds.

A limit of "max" is known and infinite, not unknown: it is 2^63 bytes here, as the largest that fits.
"""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.parse import cgroup, scalar
from advisor.record import Record
from advisor.signals.host import managed, page_size
from advisor.signals.model import Entity, Value, entities, signal
from advisor.signals.pressure import stalled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from advisor.signals.view import View

UNLIMITED = float(1 << 63)

_ROOT = "sys/fs/cgroup"
_V1 = f"{_ROOT}/memory"


class Group(Record):
    """A memory cgroup: its folder, and which version of the interface it has."""

    folder: str
    version: int

    def path(self, v2: str, v1: str = "") -> str:
        """Path of one of its files; Unknown where this version has no such file."""
        name = v2 if self.version == 2 else v1
        if not name:
            raise Unknown(f"cgroup v{self.version} has no {v2 or v1}")
        return f"{self.folder}/{name}"


@entities("cgroup")
def cgroup_entities(view: View) -> tuple[Entity, ...]:
    """Every memory cgroup below the root."""
    return view.readings.once("cgroups", lambda: tuple(_groups(view)))


def _groups(view: View) -> Iterator[Entity]:
    for path in view.capture.paths():
        folder, _, name = path.rpartition("/")
        if not folder.startswith(_ROOT):
            continue
        if name == "memory.current":
            yield Entity(folder.removeprefix(_ROOT) or "/", Group(folder, 2))
        elif name == "memory.usage_in_bytes" and folder != _V1:
            yield Entity(folder.removeprefix(_V1), Group(folder, 1))


def _top_groups(view: View) -> tuple[Entity, ...]:
    """The version 2 groups directly below the root; Unknown when there are none."""
    groups = cgroup_entities(view)
    top = tuple(
        group for group in groups if group.item.version == 2 and group.name.rfind("/") == 0 < len(group.name) - 1
    )
    if not top:
        raise Unknown("no cgroup v2 memory controller in the capture")
    return top


def _limit(view: View, path: str) -> float:
    limit = view.after(path, scalar.limit).bytes
    return UNLIMITED if limit is None else float(limit)


def _keyed(view: View, path: str, key: str, parse: Callable[[str], cgroup.Keyed]) -> int:
    values = view.after(path, parse).values
    if key not in values:
        raise Unknown(f"/{path} has no {key}")
    return values[key]


def _grown(view: View, path: str, key: str, parse: Callable[[str], cgroup.Keyed] = cgroup.memory_events) -> int:
    """How much a counter of a keyed file grew within the window."""
    view.check_same_boot()
    before = view.before(path, parse).values
    if key not in before:
        raise Unknown(f"/{path} of the first sample has no {key}")
    grown = _keyed(view, path, key, parse) - before[key]
    if grown < 0:
        raise Unknown(f"/{path} {key} went backwards: the group was made anew")
    return grown


def _own_events(view: View, group: Group) -> str:
    """Path of the events of the group without those of its children, where the kernel tells them apart (v5.2)."""
    local = group.path("memory.events.local")
    return group.path("memory.events") if view.capture.text(local) is None else local


@signal("cgroup.current", "B", scope="cgroup", reads=("sys/fs/cgroup/*/memory.current",))
def current(view: View, group: Group) -> Value:
    """Memory charged to the group and its children."""
    return float(view.after(group.path("memory.current", "memory.usage_in_bytes"), scalar.integer))


@signal("cgroup.max", "B", scope="cgroup", reads=("sys/fs/cgroup/*/memory.max",), also=("memory cgroup limit",))
def maximum(view: View, group: Group) -> Value:
    """Hard limit: at it the group reclaims from itself, and then OOM kills. No limit is 2^63."""
    return _limit(view, group.path("memory.max", "memory.limit_in_bytes"))


@signal("cgroup.high", "B", scope="cgroup", reads=("sys/fs/cgroup/*/memory.high",))
def high(view: View, group: Group) -> Value:
    """Throttling limit: above it tasks of the group are slowed down. No limit is 2^63."""
    return _limit(view, group.path("memory.high"))


@signal("cgroup.min", "B", scope="cgroup", reads=("sys/fs/cgroup/*/memory.min",))
def minimum(view: View, group: Group) -> Value:
    """Memory that reclaim never takes from the group."""
    return _limit(view, group.path("memory.min"))


@signal("cgroup.swap_max", "B", scope="cgroup", reads=("sys/fs/cgroup/*/memory.swap.max",))
def swap_max(view: View, group: Group) -> Value:
    """Limit of the swap that the group may use. No limit is 2^63."""
    return _limit(view, group.path("memory.swap.max"))


@signal("cgroup.fill", "ratio", scope="cgroup", reads=("sys/fs/cgroup/*/memory.current", "sys/fs/cgroup/*/memory.max"),
        formula="current / max")  # fmt: skip
def fill(view: View, group: Group) -> Value:
    """How full the group is, measured at its hard limit."""
    limit = _limit(view, group.path("memory.max", "memory.limit_in_bytes"))
    used = view.after(group.path("memory.current", "memory.usage_in_bytes"), scalar.integer)
    return min(1.0, used / limit) if limit else 1.0


@signal("cgroup.high_rate", "count/s", scope="cgroup",
        reads=("sys/fs/cgroup/*/memory.events.local high",), formula="Δhigh / window.seconds",
        also=("memory.high",))  # fmt: skip
def high_rate(view: View, group: Group) -> Value:
    """Times per second that tasks of the group were throttled by its memory.high.

    On kernels without memory.events.local the groups below are counted too.
    """
    return _grown(view, _own_events(view, group), "high") / view.seconds


@signal("cgroup.max_rate", "count/s", scope="cgroup",
        reads=("sys/fs/cgroup/*/memory.events.local max", "sys/fs/cgroup/*/memory.failcnt"),
        formula="Δmax / window.seconds (Δfailcnt in version 1)", also=("memory cgroup charge",))  # fmt: skip
def max_rate(view: View, group: Group) -> Value:
    """Times per second that a charge met the group's hard limit and the group had to reclaim from itself.

    On kernels without memory.events.local the groups below are counted too.
    """
    if group.version == 2:
        return _grown(view, _own_events(view, group), "max") / view.seconds
    path = group.path("", "memory.failcnt")
    met = view.after(path, scalar.integer) - view.before(path, scalar.integer)
    if met < 0:
        raise Unknown(f"/{path} went backwards: somebody reset it, or the group was made anew")
    return met / view.seconds


@signal("cgroup.oom_kills", "", scope="cgroup", reads=("sys/fs/cgroup/*/memory.events oom_kill",),
        formula="Δoom_kill in the window; since the group exists with one sample")  # fmt: skip
def oom_kills(view: View, group: Group) -> Value:
    """Tasks of the group and its children killed for want of memory."""
    path = group.path("memory.events", "memory.oom_control")
    if view.since_boot:
        return float(_keyed(view, path, "oom_kill", cgroup.memory_events))
    return float(_grown(view, path, "oom_kill"))


@signal("cgroup.own_ooms", "", scope="cgroup",
        reads=("sys/fs/cgroup/*/memory.events.local oom", "sys/fs/cgroup/*/memory.oom_control oom_kill"),
        formula="Δoom in the window; since the group exists with one sample (oom_kill in version 1)",
        also=("container OOM",))  # fmt: skip
def own_ooms(view: View, group: Group) -> Value:
    """Times that the group was out of memory at its own limit, whoever was killed for it.

    On kernels without memory.events.local the groups below are counted too; version 1 counts the victims.
    """
    path, key = (
        (_own_events(view, group), "oom") if group.version == 2 else (group.path("", "memory.oom_control"), "oom_kill")
    )
    if view.since_boot:
        return float(_keyed(view, path, key, cgroup.memory_events))
    return float(_grown(view, path, key))


def _workingset(view: View, group: Group, event: str) -> float:
    """Events of the working set per second, anonymous and file pages together; older kernels do not split them."""
    path = group.path("memory.stat", "memory.stat")
    prefix = "total_" if group.version == 1 else ""
    present = view.after(path, cgroup.memory_stat).values
    split = [key for kind in ("anon", "file") if (key := f"{prefix}{event}_{kind}") in present]
    keys = split or [f"{prefix}{event}"]
    return sum(_grown(view, path, key, cgroup.memory_stat) for key in keys) / view.seconds


@signal("cgroup.refault_rate", "page/s", scope="cgroup",
        reads=("sys/fs/cgroup/*/memory.stat workingset_refault_file",),
        formula="(Δworkingset_refault_anon + Δworkingset_refault_file) / window.seconds",
        also=("refault",))  # fmt: skip
def refault_rate(view: View, group: Group) -> Value:
    """Pages that the group read back per second after they had been evicted."""
    return _workingset(view, group, "workingset_refault")


@signal("cgroup.restore_rate", "page/s", scope="cgroup",
        reads=("sys/fs/cgroup/*/memory.stat workingset_restore_file",),
        formula="(Δworkingset_restore_anon + Δworkingset_restore_file) / window.seconds",
        also=("thrashing",))  # fmt: skip
def restore_rate(view: View, group: Group) -> Value:
    """Pages that a version 2 group read back per second and that were in active use when evicted: thrashing."""
    group.path("memory.events")  # version 1 does not count them
    return _workingset(view, group, "workingset_restore")


@signal("cgroup.full", "ratio", scope="cgroup", reads=("sys/fs/cgroup/*/memory.pressure full",),
        formula="Δtotal / window.seconds; avg60 with one sample")  # fmt: skip
def full(view: View, group: Group) -> Value:
    """Share of the window in which every task of the group waited for memory."""
    return stalled(view, group.path("memory.pressure"), "full")


@signal("cgroup.some", "ratio", scope="cgroup", reads=("sys/fs/cgroup/*/memory.pressure some",),
        formula="Δtotal / window.seconds; avg60 with one sample")  # fmt: skip
def some(view: View, group: Group) -> Value:
    """Share of the window in which some task of the group waited for memory."""
    return stalled(view, group.path("memory.pressure"), "some")


@signal("cgroup.anon", "B", scope="cgroup", reads=("sys/fs/cgroup/*/memory.stat anon",))
def anon(view: View, group: Group) -> Value:
    """Anonymous memory of the group (rss in version 1)."""
    path = group.path("memory.stat", "memory.stat")
    return float(_keyed(view, path, "anon" if group.version == 2 else "total_rss", cgroup.memory_stat))


@signal("cgroup.file", "B", scope="cgroup", reads=("sys/fs/cgroup/*/memory.stat file",))
def file(view: View, group: Group) -> Value:
    """Page cache of the group (cache in version 1)."""
    path = group.path("memory.stat", "memory.stat")
    return float(_keyed(view, path, "file" if group.version == 2 else "total_cache", cgroup.memory_stat))


@signal("cgroup.v1", "bool", scope="cgroup", reads=("sys/fs/cgroup/memory",))
def v1(view: View, group: Group) -> Value:
    """Whether the group is one of cgroup version 1."""
    return group.version == 1


@signal("cgroup.swappiness", "", scope="cgroup", reads=("sys/fs/cgroup/memory/*/memory.swappiness",))
def swappiness(view: View, group: Group) -> Value:
    """Swappiness of a version 1 group, which overrides vm.swappiness for it."""
    return float(view.after(group.path("", "memory.swappiness"), scalar.integer))


@signal("cgroup.soft_limit", "B", scope="cgroup", reads=("sys/fs/cgroup/memory/*/memory.soft_limit_in_bytes",))
def soft_limit(view: View, group: Group) -> Value:
    """Soft limit of a version 1 group. No limit is 2^63."""
    return _limit(view, group.path("", "memory.soft_limit_in_bytes"))


@signal("cgroup.protected_share", "ratio", reads=("sys/fs/cgroup/*/memory.min", "proc/zoneinfo managed"),
        formula="Σ memory.min of the groups below the root / (host.managed × page_size)")  # fmt: skip
def protected_share(view: View) -> Value:
    """Share of memory that memory.min of the top groups takes out of reclaim's reach."""
    protected = sum(_limit(view, group.item.path("memory.min")) for group in _top_groups(view))
    return min(1.0, protected / (managed(view) * page_size(view)))


@signal("cgroup.most_protected", "text", reads=("sys/fs/cgroup/*/memory.min",),
        formula="the group below the root with the largest memory.min")  # fmt: skip
def most_protected(view: View) -> Value:
    """The group that takes most memory out of reclaim's reach."""
    return max(_top_groups(view), key=lambda group: _limit(view, group.item.path("memory.min"))).name


@signal("cgroup.limit_ooms", "", reads=("sys/fs/cgroup/*/memory.events oom",),
        formula="Σ Δoom of the groups below the root")  # fmt: skip
def limit_ooms(view: View) -> Value:
    """Times that a memory cgroup was out of memory at its own limit, over all groups.

    Unlike oom_kill, the event oom is not raised by an OOM of the whole host.
    """
    return float(sum(_grown(view, group.item.path("memory.events"), "oom") for group in _top_groups(view)))


def _overriding(view: View) -> list[tuple[float, str]]:
    """Version 1 groups that hold memory and have another swappiness than the host: usage and name, largest first."""
    hosts = view.after("proc/sys/vm/swappiness", scalar.integer)
    groups = [entity for entity in cgroup_entities(view) if entity.item.version == 1]
    if not groups:
        raise Unknown("no cgroup v1 memory controller in the capture")
    found = []
    for group in groups:
        usage = view.after(group.item.path("", "memory.usage_in_bytes"), scalar.integer)
        if usage and view.after(group.item.path("", "memory.swappiness"), scalar.integer) != hosts:
            found.append((float(usage), group.name))
    return sorted(found, reverse=True)


@signal("cgroup.swappiness_overrides", "", reads=("sys/fs/cgroup/memory/*/memory.swappiness", "proc/sys/vm/swappiness"),
        formula="version 1 groups that hold memory and whose memory.swappiness is not vm.swappiness")  # fmt: skip
def swappiness_overrides(view: View) -> Value:
    """How many version 1 groups go by a swappiness of their own: a group keeps that of its parent's at its birth."""
    return float(len(_overriding(view)))


@signal("cgroup.largest_override", "text", reads=("sys/fs/cgroup/memory/*/memory.swappiness",))
def largest_override(view: View) -> Value:
    """The largest version 1 group whose swappiness is not the host's."""
    found = _overriding(view)
    if not found:
        raise Unknown("every group has the swappiness of the host")
    return found[0][1]
