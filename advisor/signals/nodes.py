"""NUMA nodes: `node.NAME` for each node that has memory.

The marks come from /proc/zoneinfo. Where it is missing, the files of the nodes in sysfs still tell who is full.
"""

from __future__ import annotations

import re

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.parse import meminfo, zoneinfo
from advisor.parse import node as node_files
from advisor.record import Record
from advisor.signals.host import size_of, zones
from advisor.signals.model import Entity, Value, entities, signal
from advisor.signals.reclaim import MIN_PAGES
from advisor.signals.zones import before, free, mark

if TYPE_CHECKING:
    from advisor.signals.view import View

_FOLDER = "sys/devices/system/node/node"
_MEMINFO = re.compile(rf"{_FOLDER}(\d{{1,6}})/meminfo")


class Node(Record):
    """A node with its zones that have memory; without zones where only sysfs was read."""

    number: int
    zones: tuple[zoneinfo.Zone, ...]

    def free(self) -> int:
        """Free pages of the node."""
        return sum(free(zone) for zone in self.known())

    def mark(self, name: str) -> int:
        """Σ of a mark over the node's zones, without boost."""
        return sum(mark(zone, name) for zone in self.known())

    def known(self) -> tuple[zoneinfo.Zone, ...]:
        """Its zones; Unknown when /proc/zoneinfo was not read."""
        if not self.zones:
            raise Unknown("/proc/zoneinfo is not in the capture")
        return self.zones


def _nodes(view: View) -> tuple[Node, ...]:
    return view.once("nodes", lambda: _of_zoneinfo(view) or _of_sysfs(view))


def _of_zoneinfo(view: View) -> tuple[Node, ...]:
    try:
        every = zones(view)
    except Unknown:
        if _of_sysfs(view):
            return ()
        raise
    return tuple(Node(n, tuple(zone for zone in every if zone.node == n)) for n in sorted({z.node for z in every}))


def _of_sysfs(view: View) -> tuple[Node, ...]:
    """The nodes that have memory by their own meminfo, which is written in bytes there."""
    found = (_MEMINFO.fullmatch(path) for path in view.capture.samples[view.last].files)
    numbers = sorted(int(match[1]) for match in found if match)
    return tuple(Node(n, ()) for n in numbers if _meminfo(view, n).get("MemTotal"))


def _meminfo(view: View, number: int) -> dict[str, int]:
    try:
        return dict(view.after(f"{_FOLDER}{number}/meminfo", meminfo.parse).values)
    except Unknown:
        return {}


@entities("node")
def node_entities(view: View) -> tuple[Entity, ...]:
    """Every node with memory: "node 0"."""
    return tuple(Entity(f"node {node.number}", node) for node in _nodes(view))


@signal("node.free", "page", scope="node", reads=("proc/zoneinfo nr_free_pages",), formula="Σ free of its zones")
def node_free(view: View, node: Node) -> Value:
    """Free pages of the node."""
    return float(node.free())


@signal("node.free_most", "page", scope="node", reads=("proc/zoneinfo nr_free_pages",),
        formula="the larger Σ free of the first and the last sample")  # fmt: skip
def node_free_most(view: View, node: Node) -> Value:
    """Free pages of the node in that sample which had more."""
    return float(max(node.free(), sum(free(before(view, zone)) for zone in node.known())))


@signal("node.low", "page", scope="node", reads=("proc/zoneinfo low",), formula="Σ (low − boost) of its zones")
def node_low(view: View, node: Node) -> Value:
    """Sum of the low marks of the node's zones."""
    return float(node.mark("low"))


@signal("node.high", "page", scope="node", reads=("proc/zoneinfo high",), formula="Σ (high − boost) of its zones")
def node_high(view: View, node: Node) -> Value:
    """Sum of the high marks of the node's zones."""
    return float(node.mark("high"))


@signal("node.managed", "page", scope="node", reads=("proc/zoneinfo managed",), formula="Σ managed of its zones")
def node_managed(view: View, node: Node) -> Value:
    """Pages that the allocator manages on the node."""
    return float(sum(size_of(zone) for zone in node.known()))


@signal("node.neighbour_slack", "", scope="node", reads=("proc/zoneinfo nr_free_pages", "proc/zoneinfo high"),
        formula="largest free / high of the other nodes; 0 without one")  # fmt: skip
def node_neighbour_slack(view: View, node: Node) -> Value:
    """How far above its high marks the roomiest other node is; 1 means at the mark."""
    node.known()
    others = [other.free() / other.mark("high") for other in _nodes(view) if other.number != node.number]
    return max(others, default=0.0)


def _free_share(view: View, node: Node) -> float:
    if node.zones:
        return node.free() / sum(size_of(zone) for zone in node.zones)
    sizes = _meminfo(view, node.number)
    if "MemFree" not in sizes:
        raise Unknown(f"/{_FOLDER}{node.number}/meminfo does not say what is free")
    if sizes["MemFree"] > sizes["MemTotal"]:
        raise Unknown(f"/{_FOLDER}{node.number}/meminfo contradicts itself: more is free than there is")
    return sizes["MemFree"] / sizes["MemTotal"]


@signal("node.free_share", "ratio", scope="node",
        reads=("proc/zoneinfo nr_free_pages", f"{_FOLDER}*/meminfo MemFree"),
        formula="Σ free / Σ managed of its zones; MemFree / MemTotal where zoneinfo is missing")  # fmt: skip
def node_free_share(view: View, node: Node) -> Value:
    """Share of the node's memory that is free."""
    return _free_share(view, node)


@signal("node.neighbour_free_share", "ratio", scope="node",
        reads=("proc/zoneinfo nr_free_pages", f"{_FOLDER}*/meminfo MemFree"),
        formula="largest node.free_share of the other nodes; 0 without one")  # fmt: skip
def node_neighbour_free_share(view: View, node: Node) -> Value:
    """Share of its memory that the roomiest other node has free."""
    return max((_free_share(view, other) for other in _nodes(view) if other.number != node.number), default=0.0)


@signal("node.file_share", "ratio", scope="node",
        reads=(f"{_FOLDER}*/meminfo Active(file)", f"{_FOLDER}*/meminfo Inactive(file)"),
        formula="(Active(file) + Inactive(file)) / MemTotal of the node")  # fmt: skip
def node_file_share(view: View, node: Node) -> Value:
    """Share of the node's memory that is page cache, which makes room for whoever needs it."""
    sizes = _meminfo(view, node.number)
    if not {"Active(file)", "Inactive(file)", "MemTotal"} <= sizes.keys():
        raise Unknown(f"/{_FOLDER}{node.number}/meminfo does not say how much is page cache")
    return (sizes["Active(file)"] + sizes["Inactive(file)"]) / sizes["MemTotal"]


@signal("node.foreign_share", "ratio", scope="node",
        reads=(f"{_FOLDER}*/numastat numa_foreign", f"{_FOLDER}*/numastat numa_hit"),
        formula="Δnuma_foreign / (Δnuma_hit + Δnuma_foreign) of the node")  # fmt: skip
def node_foreign_share(view: View, node: Node) -> Value:
    """Share of the pages wanted from this node that another node had to give."""
    view.check_same_boot()
    hit, foreign = (_numastat(view, node.number, name) for name in ("numa_hit", "numa_foreign"))
    if hit + foreign < MIN_PAGES:
        raise Unknown(f"fewer than {MIN_PAGES} pages were asked of the node in the window",
                      "take a longer window under load; vm.numa_stat must be 1")  # fmt: skip
    return foreign / (hit + foreign)


def _numastat(view: View, number: int, name: str) -> int:
    path = f"{_FOLDER}{number}/numastat"
    end = view.after(path, node_files.numastat).values.get(name)
    start = 0 if view.since_boot else view.before(path, node_files.numastat).values.get(name)
    if end is None or start is None or end < start:
        raise Unknown(f"/{path} gives no growth of {name}")
    return end - start


@signal("node.unreclaimable", "bool", scope="node", reads=("proc/zoneinfo node_unreclaimable",),
        also=("all_unreclaimable",))  # fmt: skip
def node_unreclaimable(view: View, node: Node) -> Value:
    """Whether kswapd has given the node up after 16 rounds without success."""
    said = [zone.unreclaimable for zone in node.known() if zone.unreclaimable is not None]
    if not said:
        raise Unknown("/proc/zoneinfo does not say whether the node is unreclaimable here")
    return all(said)
