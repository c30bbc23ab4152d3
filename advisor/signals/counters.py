"""/proc/vmstat: every counter as `delta.NAME` and `rate.NAME`, every gauge as `vmstat.NAME`.

Names are those of current kernels. Where an older kernel spelt a counter by zone or without its split,
the old names are summed, so that one rule serves all kernels. A counter that this kernel does not have is
unknown, never 0. Names are matched whole: ``pgscan_direct_throttle`` is not part of ``pgscan_direct``.

Meanings follow mm/vmstat.c, mm/vmscan.c, mm/compaction.c, mm/workingset.c and include/linux/vm_event_item.h.
"""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.parse import vmstat
from advisor.record import Record
from advisor.signals.model import Signal, Value, add

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.signals.view import View

# Zone suffixes of counters that are kept by zone: allocstall_normal; pgscan_kswapd_dma32 up to v4.7.
_ZONES = ("dma", "dma32", "normal", "high", "movable", "device")


class Counter(Record):
    """An event counter of /proc/vmstat: unit of one event, meaning, and how older kernels spell it."""

    unit: str
    meaning: str
    by_zone: bool = False
    older: tuple[tuple[str, ...], ...] = ()
    cache: bool = False  # what it says about the cache is void when someone dropped the caches
    also: tuple[str, ...] = ()


_PAGE, _EVENT, _BYTE = "page", "", "B"

COUNTERS: Mapping[str, Counter] = {
    "pgfault": Counter(_EVENT, "Page faults, minor and major: no valid page table entry for an address that the "
                       "task may use.", also=("minor page fault", "invalid page fault", "fault/s")),
    "pgmajfault": Counter(_EVENT, "Major page faults: the task had to wait for I/O, from a file or from swap.",
                          also=("major page fault", "hard page fault", "majflt/s")),
    "pgpgin": Counter(_BYTE, "Bytes read from block devices, swap and O_DIRECT included, network file systems not.",
                      also=("page-in", "bi")),
    "pgpgout": Counter(_BYTE, "Bytes written to block devices.", also=("page-out", "bo")),
    "pswpin": Counter(_PAGE, "Pages read back from swap; zram counts, zswap hits do not.", also=("si", "swap-in")),
    "pswpout": Counter(_PAGE, "Pages written to swap.", also=("so", "swap-out", "swap_out")),
    "pgalloc": Counter(_PAGE, "Pages allocated, over all zones.", by_zone=True, also=("fast path",)),
    "pgfree": Counter(_PAGE, "Pages freed."),
    "allocstall": Counter(_EVENT, "Times that a task entered direct reclaim for the whole host: the slow path of the "
                          "allocator, synchronous. A memory cgroup's own reclaim is not counted.", by_zone=True,
                          also=("direct reclaim", "synchronous reclaim", "slow path", "try_to_free_pages")),
    "pgscan_kswapd": Counter(_PAGE, "Pages that kswapd looked at.", by_zone=True,
                             also=("pgscank/s", "asynchronous reclaim", "background reclaim", "page scan")),
    "pgscan_direct": Counter(_PAGE, "Pages that tasks looked at in direct reclaim.", by_zone=True, also=("pgscand/s",)),
    "pgscan_khugepaged": Counter(_PAGE, "Pages that khugepaged looked at; older kernels count them as direct."),
    "pgscan_proactive": Counter(_PAGE, "Pages looked at because user space wrote to memory.reclaim."),
    "pgscan_anon": Counter(_PAGE, "Anonymous pages looked at by any reclaim, that of memory cgroups included."),
    "pgscan_file": Counter(_PAGE, "File pages looked at by any reclaim, that of memory cgroups included."),
    "pgscan_direct_throttle": Counter(_EVENT, "Times that a task was put to sleep since half of the reserve below "
                                      "the min marks was gone."),
    "pgsteal_kswapd": Counter(_PAGE, "Pages that kswapd freed.", by_zone=True, also=("pgsteal/s", "page steal")),
    "pgsteal_direct": Counter(_PAGE, "Pages that tasks freed in direct reclaim.", by_zone=True),
    "pgsteal_khugepaged": Counter(_PAGE, "Pages that khugepaged freed."),
    "pgsteal_proactive": Counter(_PAGE, "Pages freed because user space wrote to memory.reclaim."),
    "pgsteal_anon": Counter(_PAGE, "Anonymous pages freed by any reclaim, that of memory cgroups included."),
    "pgsteal_file": Counter(_PAGE, "File pages freed by any reclaim, that of memory cgroups included."),
    "pageoutrun": Counter(_EVENT, "Times that kswapd set out to balance a node.", also=("balance_pgdat",)),
    "kswapd_low_wmark_hit_quickly": Counter(_EVENT, "Times that kswapd had balanced a node and was woken again "
                                            "within its 100 ms nap: the low mark was crossed again at once."),
    "kswapd_high_wmark_hit_quickly": Counter(_EVENT, "Times that the nap ended and the node was out of balance again."),
    "kswapd_inodesteal": Counter(_PAGE, "Page cache that kswapd dropped because its inode was reclaimed."),
    "pginodesteal": Counter(_PAGE, "Page cache that tasks dropped because its inode was reclaimed."),
    "slabs_scanned": Counter(_EVENT, "Objects that shrinkers looked at (objects, not pages).",
                             also=("kmem_cache_reap", "shrink_dcache_memory", "shrink_slab", "slab shrinking")),
    "pgrefill": Counter(_PAGE, "Pages of the active lists looked at for deactivation.", by_zone=True,
                        also=("refill_inactive",)),
    "pgactivate": Counter(_PAGE, "Pages moved to the active lists."),
    "pgdeactivate": Counter(_PAGE, "Pages moved to the inactive lists."),
    "pgrotated": Counter(_PAGE, "Pages moved to the tail of the inactive list when their writeback ended.",
                         also=("page_launder",)),
    "nr_vmscan_write": Counter(_PAGE, "Pages that reclaim itself wrote out, mostly to swap."),
    "nr_vmscan_immediate_reclaim": Counter(_PAGE, "Dirty pages met at the end of the list and marked for reclaim when "
                                           "their writeback ends: reclaim outruns the flusher."),
    "nr_dirtied": Counter(_PAGE, "Pages dirtied."),
    "nr_written": Counter(_PAGE, "Pages written back."),
    "workingset_refault_anon": Counter(_PAGE, "Anonymous pages read back after they had been evicted.", cache=True),
    "workingset_refault_file": Counter(_PAGE, "File pages read back after they had been evicted.", cache=True,
                                       older=(("workingset_refault",),), also=("refault",)),
    "workingset_activate_anon": Counter(_PAGE, "Refaulted anonymous pages that a little more memory would have kept.",
                                        cache=True),
    "workingset_activate_file": Counter(_PAGE, "Refaulted file pages that a little more memory would have kept.",
                                        cache=True, older=(("workingset_activate",),)),
    "workingset_restore_anon": Counter(_PAGE, "Refaulted anonymous pages that were active when evicted: thrashing.",
                                       cache=True),
    "workingset_restore_file": Counter(_PAGE, "Refaulted file pages that were active when evicted: thrashing.",
                                       cache=True, older=(("workingset_restore",),)),
    "workingset_nodereclaim": Counter(_EVENT, "Shadow nodes reclaimed: refaults are under-counted."),
    "compact_stall": Counter(_EVENT, "Times that a task compacted memory itself before it got its pages. Neither "
                             "kcompactd nor a write to compact_memory is counted.", also=("compaction stall",)),
    "compact_fail": Counter(_EVENT, "Direct compactions that did not give the pages."),
    "compact_success": Counter(_EVENT, "Direct compactions that gave the pages."),
    "compact_isolated": Counter(_PAGE, "Pages isolated by compaction, manual runs included."),
    "compact_migrate_scanned": Counter(_PAGE, "Pages that compaction looked at as movable, kcompactd included."),
    "compact_free_scanned": Counter(_PAGE, "Pages that compaction looked at as targets, kcompactd included."),
    "compact_daemon_wake": Counter(_EVENT, "Times that kcompactd ran.", also=("kcompactd",)),
    "compact_daemon_migrate_scanned": Counter(_PAGE, "Pages that kcompactd looked at as movable."),
    "compact_daemon_free_scanned": Counter(_PAGE, "Pages that kcompactd looked at as targets."),
    "htlb_buddy_alloc_success": Counter(_EVENT, "Huge pages that the hugetlb pool got when it grew."),
    "htlb_buddy_alloc_fail": Counter(_EVENT, "Huge pages that the hugetlb pool did not get when it grew."),
    "thp_fault_alloc": Counter(_EVENT, "Faults served by a transparent huge page."),
    "thp_fault_fallback": Counter(_EVENT, "Faults that wanted a huge page and got base pages."),
    "thp_fault_fallback_charge": Counter(_EVENT, "Of these, because a memory cgroup had no room."),
    "thp_collapse_alloc": Counter(_EVENT, "Huge pages that khugepaged got."),
    "thp_collapse_alloc_failed": Counter(_EVENT, "Huge pages that khugepaged did not get."),
    "thp_split_page": Counter(_EVENT, "Huge pages split.", older=(("thp_split",),)),
    "thp_deferred_split_page": Counter(_EVENT, "Huge pages queued for splitting since parts of them are unused."),
    "thp_swpout": Counter(_EVENT, "Huge pages swapped out whole."),
    "thp_swpout_fallback": Counter(_EVENT, "Huge pages split for swap-out."),
    "swap_ra": Counter(_PAGE, "Pages read ahead from swap."),
    "swap_ra_hit": Counter(_PAGE, "Of these, pages that were used."),
    "zswpin": Counter(_PAGE, "Pages read back from the compressed pool."),
    "zswpout": Counter(_PAGE, "Pages put into the compressed pool."),
    "zswpwb": Counter(_PAGE, "Pages moved from the compressed pool to the swap device."),
    "oom_kill": Counter(_EVENT, "Tasks killed for want of memory, those of memory cgroups included.",
                        also=("OOM", "only a reboot helps")),
    "drop_pagecache": Counter(_EVENT, "Times that someone dropped the page cache.", also=("drop_caches",)),
    "drop_slab": Counter(_EVENT, "Times that someone dropped the slab caches."),
    "numa_hit": Counter(_PAGE, "Pages got from the node that was asked."),
    "numa_miss": Counter(_PAGE, "Pages got from another node than was asked."),
    "numa_foreign": Counter(_PAGE, "Pages that this node was asked for and another gave.", also=("preferred zone",)),
    "numa_interleave": Counter(_PAGE, "Interleaved pages got from the intended node."),
    "numa_local": Counter(_PAGE, "Pages got by a task from its own node."),
    "numa_other": Counter(_PAGE, "Pages got by a task from another node than it runs on."),
    "numa_pages_migrated": Counter(_PAGE, "Pages moved by automatic NUMA balancing."),
    "numa_hint_faults": Counter(_EVENT, "Faults made on purpose by automatic NUMA balancing."),
    "zone_reclaim_failed": Counter(_EVENT, "Times that reclaim within the local node did not give enough.",
                                   also=("node_reclaim",)),
    "pgpromote_success": Counter(_PAGE, "Pages promoted to a faster memory tier."),
    "pgdemote_kswapd": Counter(_PAGE, "Pages that kswapd demoted to a slower memory tier."),
    "pgdemote_direct": Counter(_PAGE, "Pages that direct reclaim demoted to a slower memory tier."),
    "pgmigrate_success": Counter(_PAGE, "Pages migrated."),
    "pgmigrate_fail": Counter(_PAGE, "Pages that could not be migrated.", older=(("compact_pagemigrate_failed",),)),
    "balloon_inflate": Counter(_PAGE, "Pages given back to the hypervisor."),
    "balloon_deflate": Counter(_PAGE, "Pages taken from the hypervisor."),
}  # fmt: skip

GAUGES: Mapping[str, str] = {
    "nr_free_pages": "Free pages.",
    "nr_inactive_anon": "Anonymous pages on the inactive list.",
    "nr_active_anon": "Anonymous pages on the active list.",
    "nr_inactive_file": "File pages on the inactive list.",
    "nr_active_file": "File pages on the active list.",
    "nr_unevictable": "Pages that reclaim cannot take: locked, ramfs.",
    "nr_anon_pages": "Mapped anonymous pages.",
    "nr_mapped": "File pages mapped by tasks.",
    "nr_file_pages": "Page cache with tmpfs, shared memory and buffers.",
    "nr_shmem": "tmpfs and shared memory.",
    "nr_dirty": "Pages waiting to be written.",
    "nr_writeback": "Pages being written.",
    "nr_dirty_threshold": "Dirty pages at which writers are held back.",
    "nr_dirty_background_threshold": "Dirty pages at which the flusher starts.",
    "nr_slab_reclaimable": "Slab pages that shrinkers can free.",
    "nr_slab_unreclaimable": "Slab pages that nothing can free but their owner.",
    "nr_kernel_misc_reclaimable": "Other kernel memory that can be freed.",
    "nr_page_table_pages": "Page tables.",
}


def counter(values: Mapping[str, int], name: str) -> int | None:
    """The value of a counter, under whichever name this kernel has for it.

    >>> counter({"allocstall_normal": 2, "allocstall_movable": 3}, "allocstall")
    5
    >>> counter({"pgscan_direct_throttle": 7}, "pgscan_direct") is None
    True
    """
    if name in values:
        return values[name]
    how = COUNTERS[name]
    if how.by_zone:
        parts = [values[key] for zone in _ZONES if (key := f"{name}_{zone}") in values]
        if parts:
            return sum(parts)
    for names in how.older:
        if all(old in values for old in names):
            return sum(values[old] for old in names)
    return None


def _check_zones(view: View, name: str) -> None:
    """Refuses a sum over the zones of which one may be missing: its share would count as growth, or as none."""
    if name in view.vmstat:
        return
    if view.after("proc/vmstat", vmstat.parse).problems:
        raise Unknown(f"/proc/vmstat is damaged: {name} of a zone may be missing", "take the capture again")
    names = [f"{name}_{zone}" for zone in _ZONES]
    if not view.since_boot and any((key in view.vmstat) != (key in view.vmstat_before) for key in names):
        raise Unknown(f"/proc/vmstat counts {name} for other zones in the first sample than in the last")


def delta(view: View, name: str) -> int:
    """How much a counter grew in the window, or since boot with one sample.

    Raises:
        Unknown: the counter is absent, the host rebooted, or the counter went backwards.
    """
    view.check_same_boot()
    if COUNTERS[name].by_zone:
        _check_zones(view, name)
    end = counter(view.vmstat, name)
    if end is None:
        raise Unknown(f"/proc/vmstat has no {name} here")
    if COUNTERS[name].cache and dropped(view):
        raise Unknown("the caches were dropped within the window", "measure again without drop_caches")
    if view.since_boot:
        return end
    start = counter(view.vmstat_before, name)
    if start is None:
        raise Unknown(f"/proc/vmstat of the first sample has no {name}")
    if end < start:
        raise Unknown(f"{name} went backwards: the host rebooted or the samples are swapped")
    return end - start


def dropped(view: View) -> bool:
    """Whether someone wrote to /proc/sys/vm/drop_caches within the window (false where not counted)."""
    if view.since_boot:
        return False
    now, then = view.vmstat, view.vmstat_before
    return any(now.get(name, 0) > then.get(name, 0) for name in ("drop_pagecache", "drop_slab"))


def rate(view: View, name: str) -> float:
    """How fast a counter grew, per second of the window."""
    return delta(view, name) / view.seconds


def _declare() -> None:
    for name, how in COUNTERS.items():
        reads = (f"proc/vmstat {name}",)
        per_second = f"{how.unit or 'count'}/s"

        def grown(view: View, name: str = name) -> Value:
            return float(delta(view, name))

        def speed(view: View, name: str = name) -> Value:
            return rate(view, name)

        add(Signal(f"delta.{name}", how.unit, how.meaning, reads, f"Δ{name} in the window", "host", (), (), grown))
        add(Signal(f"rate.{name}", per_second, how.meaning, reads, f"Δ{name} / window.seconds", "host", (),
                   how.also, speed))  # fmt: skip
    for name, meaning in GAUGES.items():

        def gauge(view: View, name: str = name) -> Value:
            if view.capture.zero_baseline:
                raise Unknown("the capture holds differences only, no levels")
            value = view.vmstat.get(name)
            if value is None:
                raise Unknown(f"/proc/vmstat has no {name} here")
            return float(value)

        add(Signal(f"vmstat.{name}", "page", meaning, (f"proc/vmstat {name}",), "", "host", (), (), gauge))


_declare()
