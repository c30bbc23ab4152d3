"""Text of /proc/zoneinfo as large machines print it, which no test host has.

The layout is that of v6.12 and later: every zone of every node is printed, empty ones briefly; every
populated zone lists the page list of every online processor (mm/vmstat.c, zoneinfo_show_print).

    python3 -m tests.generate_zoneinfo 512 8 >zoneinfo      # 2.2 MB
"""

from __future__ import annotations

import random
import sys
from typing import Any

ZONES = ("DMA", "DMA32", "Normal", "Movable", "Device")
PAGES = ("free", "boost", "min", "low", "high", "promo", "spanned", "present", "managed", "cma")
ZONE_STATS = (
    *("nr_free_pages", "nr_free_pages_blocks", "nr_zone_inactive_anon", "nr_zone_active_anon"),
    *("nr_zone_inactive_file", "nr_zone_active_file", "nr_zone_unevictable", "nr_zone_write_pending"),
    *("nr_mlock", "nr_zspages", "nr_free_cma", "nr_unaccepted", "numa_hit", "numa_miss", "numa_foreign"),
    *("numa_interleave", "numa_local", "numa_other"),
)
NODE_STATS = (
    *("nr_inactive_anon", "nr_active_anon", "nr_inactive_file", "nr_active_file", "nr_slab_reclaimable"),
    *("nr_slab_unreclaimable", "workingset_refault_anon", "workingset_refault_file", "nr_anon_pages"),
    *("nr_mapped", "nr_file_pages", "nr_dirty", "nr_writeback", "nr_shmem", "nr_vmscan_write"),
    *("nr_kernel_stack", "nr_page_table_pages", "pgsteal_kswapd", "pgsteal_direct", "pgscan_kswapd"),
    *("pgscan_direct", "nr_balloon_pages"),
)


def populated(node: int) -> tuple[str, ...]:
    """The zones of a node that have memory: three on each, the most that is usual."""
    return ("DMA", "DMA32", "Normal") if node == 0 else ("Normal", "Movable", "Device")


def zones(cpus: int, nodes: int, memoryless: frozenset[int] = frozenset(), seed: int = 0) -> list[dict[str, Any]]:
    """Figures of every zone, for `render` and for comparing with what a parser read."""
    chance = random.Random(seed)
    return [
        _zone(chance, node, name, cpus, node not in memoryless and name in populated(node))
        for node in range(nodes)
        for name in ZONES
    ]


def _zone(chance: random.Random, node: int, name: str, cpus: int, has_memory: bool) -> dict[str, Any]:
    def figures(names: tuple[str, ...]) -> dict[str, int]:
        return {figure: chance.randrange(10**6) if has_memory else 0 for figure in names}

    pages = figures(PAGES)
    if has_memory:
        pages["present"] += 1
    first = has_memory and name == populated(node)[0]
    return {
        "node": node,
        "name": name,
        "pages": pages,
        "protection": tuple(chance.randrange(10**6) for _ in ZONES),
        "stats": figures(ZONE_STATS) if has_memory else {},
        "node_stats": figures(NODE_STATS) if first else {},
        "pagesets": [(chance.randrange(400), 521) for _ in range(cpus)] if has_memory else [],
        "threshold": 125,
        "unreclaimable": chance.randrange(2),
        "start_pfn": chance.randrange(10**9),
    }


def render(zones: list[dict[str, Any]]) -> str:
    """The text of the file."""
    return "".join(_section(zone) for zone in zones)


def _section(zone: dict[str, Any]) -> str:
    lines = [f"Node {zone['node']}, zone {zone['name']:>8}"]
    if zone["node_stats"]:
        lines.append("  per-node stats")
        lines += [f"      {name:<12} {value}" for name, value in zone["node_stats"].items()]
    lines.append(f"  pages free     {zone['pages']['free']}")
    lines += [f"        {name:<8} {value}" for name, value in zone["pages"].items() if name != "free"]
    lines.append(f"        protection: ({', '.join(map(str, zone['protection']))})")
    if zone["pagesets"]:
        lines += [f"      {name:<12} {value}" for name, value in zone["stats"].items()]
        lines.append("  pagesets")
        for cpu, (count, high) in enumerate(zone["pagesets"]):
            lines += _pageset(cpu, count, high, zone["threshold"])
        lines.append(f"  node_unreclaimable:  {zone['unreclaimable']}")
        lines.append(f"  start_pfn:           {zone['start_pfn']}")
        lines += ["  reserved_highatomic: 0", "  free_highatomic:     0"]
    return "\n".join(lines) + "\n"


def _pageset(cpu: int, count: int, high: int, threshold: int) -> list[str]:
    return [
        f"    cpu: {cpu}",
        f"              count:    {count}",
        f"              high:     {high}",
        "              batch:    63",
        "              high_min: 521",
        "              high_max: 5992",
        f"  vm stats threshold: {threshold}",
    ]


def generate(cpus: int, nodes: int, memoryless: frozenset[int] = frozenset(), seed: int = 0) -> str:
    """The text for a machine with so many processors and nodes; always the same for the same arguments."""
    return render(zones(cpus, nodes, memoryless, seed))


if __name__ == "__main__":
    sys.stdout.write(generate(int(sys.argv[1]), int(sys.argv[2])))
