"""Reserves, protections and MemAvailable: what watermarks take away from applications.

Sources: `setup_per_zone_lowmem_reserve()`, `calculate_totalreserve_pages()` and `si_mem_available()` of
mm/page_alloc.c and mm/show_mem.c; `calculate_normal_threshold()` and
`calculate_pressure_threshold()` of mm/vmstat.c. Everything in pages.
"""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.record import Record
from advisor.watermarks import ZONE_ORDER, Marks, ZoneInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# calculate_normal_threshold(): memory is counted in units of 128 MiB, and a threshold fits a signed byte.
_THRESHOLD_UNIT = 128 << 20
_LARGEST_THRESHOLD = 125


class MemoryCounters(Record):
    """The counters of /proc/vmstat that MemAvailable is made of, in pages.

    Attributes:
        free: nr_free_pages.
        active_file: nr_active_file.
        inactive_file: nr_inactive_file.
        slab_reclaimable: nr_slab_reclaimable.
        kernel_misc_reclaimable: nr_kernel_misc_reclaimable; 0 on kernels before 4.20, which do not count it.
    """

    free: int
    active_file: int
    inactive_file: int
    slab_reclaimable: int
    kernel_misc_reclaimable: int = 0

    @property
    def page_cache(self) -> int:
        """Page cache on the LRU lists, without shmem."""
        return self.active_file + self.inactive_file

    @property
    def reclaimable(self) -> int:
        """Kernel memory that can be reclaimed."""
        return self.slab_reclaimable + self.kernel_misc_reclaimable


def protections(zones: Sequence[ZoneInput], ratio: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Pages that each zone keeps back from requests for a higher zone, as zoneinfo prints `protection`.

    The zone kinds are those of `zones`, low to high; old kernels do not print empty zones, which only
    shortens the rows. A ratio below 1 protects nothing. (Kernels before 4.6 turn it into 1 and show that
    when the file is read again.)

    >>> zones = [ZoneInput(0, "DMA", 3840), ZoneInput(0, "DMA32", 772917), ZoneInput(0, "Normal", 327680)]
    >>> protections(zones, (256, 256, 32))
    ((0, 3019, 4299), (0, 0, 1280), (0, 0, 0))
    """
    kinds = sorted({zone.name for zone in zones}, key=_position)
    managed = {(zone.node, zone.name): zone.managed for zone in zones}
    rows = []
    for zone in zones:
        index = kinds.index(zone.name)
        divisor = ratio[index] if index < len(ratio) and zone.managed else 0
        row, above = [0] * len(kinds), 0
        for higher in range(index + 1, len(kinds)):
            above += managed.get((zone.node, kinds[higher]), 0)
            row[higher] = above // divisor if divisor > 0 else 0
        rows.append(tuple(row))
    return tuple(rows)


def _position(name: str) -> int:
    return ZONE_ORDER.index(name) if name in ZONE_ORDER else len(ZONE_ORDER)


def current_protections(zones: Sequence[ZoneInput], ratio: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """The printed protections; computed from `ratio` for a zone that prints none.

    Only a write of lowmem_reserve_ratio, or hotplug, computes them anew.
    """
    computed = protections(zones, ratio)
    return tuple(zone.protection or row for zone, row in zip(zones, computed, strict=True))


def totalreserve(zones: Sequence[ZoneInput], marks: Sequence[Marks], protection: Sequence[Sequence[int]]) -> int:
    """Pages that applications are not to count on: per zone the largest protection and the high mark.

    The three arguments run in parallel. No zone reserves more than it manages.
    """
    return sum(
        min(zone.managed, max(row, default=0) + mark.high)
        for zone, mark, row in zip(zones, marks, protection, strict=True)
    )


def mem_available(memory: MemoryCounters, reserve: int, low: int) -> int:
    """MemAvailable in pages.

    Args:
        memory: the counters.
        reserve: `totalreserve`, computed without boost.
        low: sum of the low marks of all zones, boost included.

    >>> mem_available(MemoryCounters(1000, 400, 400, 100), reserve=300, low=200)
    1350
    """
    cache = memory.page_cache - min(memory.page_cache // 2, low)
    kernel = memory.reclaimable - min(memory.reclaimable // 2, low)
    return max(0, memory.free - reserve + cache + kernel)


def mem_available_change(
    reserve: tuple[int, int], low: tuple[int, int], memory: MemoryCounters | None = None
) -> tuple[int, int]:
    """By how many pages MemAvailable changes, as a range from the worst to the best case.

    Args:
        reserve: `totalreserve` before and after.
        low: sum of the low marks before (with boost) and after.
        memory: the counters; with them the range is a point, without them it is as wide as the formula
            allows: page cache and slab each give up between nothing and the whole change of low.

    >>> mem_available_change((1000, 1600), (500, 700))
    (-1000, -600)
    """
    if memory is not None:
        change = mem_available(memory, reserve[1], low[1]) - mem_available(memory, reserve[0], low[0])
        return change, change
    by_reserve = reserve[0] - reserve[1]
    by_low = 2 * (low[0] - low[1])
    return by_reserve + min(0, by_low), by_reserve + max(0, by_low)


def stat_threshold(managed: int, cpus: int, page_size: int = 4096) -> int:
    """By how many pages a CPU's count of a zone may run ahead: "vm stats threshold" of zoneinfo.

    >>> stat_threshold(17723, 2)
    4
    """
    units = managed * page_size // _THRESHOLD_UNIT
    return min(_LARGEST_THRESHOLD, 2 * cpus.bit_length() * (1 + units.bit_length()))


def pressure_threshold(gap: int, cpus: int) -> int:
    """The same while kswapd is awake: the gap between min and low, shared between the CPUs.

    >>> pressure_threshold(201, 2)
    100
    """
    return min(_LARGEST_THRESHOLD, max(1, gap // max(1, cpus)))


def counter_drift(zones: Iterable[ZoneInput], cpus: int, page_size: int = 4096) -> int:
    """By how many pages the count of free pages may be wrong, over all zones and CPUs."""
    return cpus * sum(stat_threshold(zone.managed, cpus, page_size) for zone in zones if zone.managed)
