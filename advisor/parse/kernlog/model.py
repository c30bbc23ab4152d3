"""What the kernel log says about memory: reports, zone lines and single messages."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.record import Record, field

if TYPE_CHECKING:
    from collections.abc import Mapping


class ZoneLine(Record):
    """One zone of a memory dump (``Node 0 Normal free:…kB min:…kB …``), Linux ``mm/show_mem.c``.

    Amounts are bytes, and None when the kernel did not print them.

    Attributes:
        node: NUMA node; 0 on a kernel that prints no node (CONFIG_NUMA off).
        zone: DMA, DMA32, Normal, HighMem, Movable or Device.
        free: free memory, reserves included.
        boost: what fragmentation has added to the marks at this moment.
        min: minimum mark. This and the next two contain `boost`, as in the kernel's own comparisons.
        low: mark under which kswapd is woken.
        high: mark at which kswapd goes back to sleep.
        reserved_highatomic: pageblocks kept for atomic requests of order 1 and up.
        free_highatomic: free memory inside those pageblocks.
        active_anon: anonymous memory on the active list.
        inactive_anon: anonymous memory on the inactive list.
        active_file: page cache on the active list.
        inactive_file: page cache on the inactive list.
        writepending: dirty, under writeback or unstable; since the lists moved to the node.
        dirty: dirty page cache, where the kernel prints it per zone.
        writeback: page cache under writeback, where the kernel prints it per zone.
        present: memory of the zone. On old kernels without its page structs, so `free` may exceed it.
        managed: memory handed to the page allocator.
        slab_reclaimable: slab that a shrinker can free.
        slab_unreclaimable: the other slab.
        free_cma: free memory that only movable requests may take.
        all_unreclaimable: reclaim has given up on the zone, or on its node where the kernel says so there.
        blocks: free blocks by order, smallest first.
        lowmem_reserve: pages kept from requests that prefer a higher zone, by class of request.
        line: line number of the zone line in the text, from 1.
    """

    node: int
    zone: str
    free: int | None = None
    boost: int | None = None
    min: int | None = None
    low: int | None = None
    high: int | None = None
    reserved_highatomic: int | None = None
    free_highatomic: int | None = None
    active_anon: int | None = None
    inactive_anon: int | None = None
    active_file: int | None = None
    inactive_file: int | None = None
    writepending: int | None = None
    dirty: int | None = None
    writeback: int | None = None
    present: int | None = None
    managed: int | None = None
    slab_reclaimable: int | None = None
    slab_unreclaimable: int | None = None
    free_cma: int | None = None
    all_unreclaimable: bool | None = None
    blocks: tuple[int, ...] | None = None
    lowmem_reserve: tuple[int, ...] | None = None
    line: int = 0


class Report(Record):
    """One report of the kernel about memory that could not be had, or one memory dump alone.

    Attributes:
        kind: alloc_failure (a request failed), oom (the OOM killer ran) or zones (a dump without either).
        line: number of its first line in the text, from 1.
        text: that line without the prefixes of the log.
        time_s: the kernel's time stamp in seconds since boot; None when the log has other time stamps.
        task: command that asked for the memory.
        pid: its process id.
        order: the request was for 2**order pages that follow each other; None for an OOM kill by SysRq.
        gfp_mask: flags of the request as a number, whose bits differ between kernels.
        gfp_flags: their names; empty when the kernel printed none.
        atomic: the request may use the atomic reserve and cannot wait; None when the flags do not tell.
        direct_reclaim: the request may reclaim memory itself; None when the flags do not tell.
        constraint: CONSTRAINT_NONE, CONSTRAINT_MEMCG, CONSTRAINT_CPUSET or CONSTRAINT_MEMORY_POLICY.
        global_oom: the host ran out of memory (True), or a memory cgroup did (False).
        memcg: the memory cgroup whose limit was reached; None when the host ran out.
        victim_memcg: the memory cgroup of the victim.
        victim: command that was killed.
        victim_pid: its process id.
        killed_rss_bytes: resident memory of the victim (anon-rss, file-rss and shmem-rss).
        totals: counters of the whole host under ``Mem-Info:``, in pages, under the kernel's names, and
            ``pages_ram``, ``pages_reserved``, ``total_pagecache_pages``, ``pages_in_swap_cache`` and so on.
        zones: the zones of the dump, in its order.
        swap_free_bytes: free swap.
        swap_total_bytes: swap space.
        page_size: bytes in a page, from the smallest block of the dump.
        nodemask: NUMA nodes the request may use, as printed; ``(null)`` is all.
        cpuset: cpuset of the task.
        mems_allowed: NUMA nodes the task may use, as printed.
        release: kernel release that the report names.
    """

    kind: str
    line: int
    text: str
    time_s: float | None = None
    task: str | None = None
    pid: int | None = None
    order: int | None = None
    gfp_mask: int | None = None
    gfp_flags: tuple[str, ...] = ()
    atomic: bool | None = None
    direct_reclaim: bool | None = None
    constraint: str | None = None
    global_oom: bool | None = None
    memcg: str | None = None
    victim_memcg: str | None = None
    victim: str | None = None
    victim_pid: int | None = None
    killed_rss_bytes: int | None = None
    totals: Mapping[str, int] = field(default_factory=dict)
    zones: tuple[ZoneLine, ...] = ()
    swap_free_bytes: int | None = None
    swap_total_bytes: int | None = None
    page_size: int | None = None
    nodemask: str | None = None
    cpuset: str | None = None
    mems_allowed: str | None = None
    release: str | None = None


class Message(Record):
    """One line about memory that stands for itself.

    Attributes:
        kind: what it says; `advisor.parse.kernlog.messages` lists the kinds and their values.
        line: its number in the text, from 1.
        text: the line without the prefixes of the log.
        time_s: the kernel's time stamp in seconds since boot, or None.
        values: its numbers, in base units or in the unit of the name.
    """

    kind: str
    line: int
    text: str
    time_s: float | None
    values: Mapping[str, int]


class KernelLog(Record):
    """All that a kernel log says about memory, in the order of its lines.

    Attributes:
        reports: failed requests, OOM kills and memory dumps. The kernel limits their rate, so there may
            have been more.
        messages: single lines; those of kind ``suppressed`` tell how many reports were left out.
        problems: what could not be read.
    """

    reports: tuple[Report, ...] = ()
    messages: tuple[Message, ...] = ()
    problems: tuple[str, ...] = ()
