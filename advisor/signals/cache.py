"""The page cache and its writeback.

No counter of /proc tells the hit ratio of the page cache: hits are not counted. What can be said is what
more memory would have saved (refaults), and its share of all that is read from disk.
"""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.parse import diskstats, uptime
from advisor.signals.counters import delta
from advisor.signals.host import page_size
from advisor.signals.model import Value, signal
from advisor.signals.reclaim import MIN_PAGES
from advisor.signals.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _share(part: float, whole: float, what: str) -> float:
    if whole < MIN_PAGES:
        raise Unknown(f"{what} fewer than {MIN_PAGES} pages in the window", "take a longer window under load")
    return min(1.0, part / whole)


@signal("cache.refault_share", "ratio", reads=("proc/vmstat workingset_refault_file", "proc/vmstat pgpgin"),
        formula="Δworkingset_refault_file / (Δpgpgin / page_size − Δpswpin), at most 1",
        also=("page cache hit ratio", "hit ratio", "cachestat"))  # fmt: skip
def refault_share(view: View) -> Value:
    """Share of the pages read from disk that had been in memory before: estimated miss pressure.

    High: the cache is too small. Low beside heavy reading: cold or streaming reads, more memory is no help.
    """
    read = delta(view, "pgpgin") / page_size(view) - delta(view, "pswpin")
    return _share(delta(view, "workingset_refault_file"), read, "files were read for")


@signal("cache.restore_share", "ratio", reads=("proc/vmstat workingset_restore_file",),
        formula="Δworkingset_restore_file / Δworkingset_refault_file", also=("thrashing",))  # fmt: skip
def restore_share(view: View) -> Value:
    """Share of the refaulted file pages that were in active use when evicted."""
    return _share(delta(view, "workingset_restore_file"), delta(view, "workingset_refault_file"), "file refaults were")


@signal("anon.restore_share", "ratio", reads=("proc/vmstat workingset_restore_anon",),
        formula="Δworkingset_restore_anon / Δworkingset_refault_anon", also=("thrashing",))  # fmt: skip
def anon_restore_share(view: View) -> Value:
    """Share of the refaulted anonymous pages that were in active use when evicted."""
    return _share(
        delta(view, "workingset_restore_anon"),
        delta(view, "workingset_refault_anon"),
        "anonymous refaults were",
    )


@signal("dirty.fill", "ratio", reads=("proc/vmstat nr_dirty", "proc/vmstat nr_dirty_threshold"),
        formula="(nr_dirty + nr_writeback) / nr_dirty_threshold, the smaller of both samples",
        also=("dirty pages", "writeback"))  # fmt: skip
def dirty_fill(view: View) -> Value:
    """How full of dirty pages the host is, measured at the limit where writers are held back."""
    return min(1.0, _least_dirty(view, lambda gauges: gauges["nr_dirty_threshold"]))


@signal("dirty.throttle_fill", "",
        reads=("proc/vmstat nr_dirty", "proc/vmstat nr_dirty_threshold", "proc/vmstat nr_dirty_background_threshold"),
        formula="(nr_dirty + nr_writeback) / ((nr_dirty_background_threshold + nr_dirty_threshold) / 2), "
                "the smaller of both samples", also=("balance_dirty_pages", "dirty throttling"))  # fmt: skip
def dirty_throttle_fill(view: View) -> Value:
    """How near the host is to the point where writers are paused; above 1 each write waits for the disk.

    Halfway between the two thresholds (dirty_freerun_ceiling in mm/page-writeback.c).
    """
    return _least_dirty(view, lambda g: (g["nr_dirty_background_threshold"] + g["nr_dirty_threshold"]) / 2)


@signal("dirty.backlog", "B", reads=("proc/vmstat nr_dirty", "proc/vmstat nr_writeback"),
        formula="(nr_dirty + nr_writeback) × page_size, the smaller of both samples",
        also=("dirty pages",))  # fmt: skip
def dirty_backlog(view: View) -> Value:
    """Memory that waits to be written or is being written; pages on their way to swap are among the latter."""
    return _least_dirty(view, lambda _gauges: 1) * page_size(view)


@signal("dirty.limit", "B", reads=("proc/vmstat nr_dirty_threshold",),
        formula="nr_dirty_threshold × page_size", also=("dirty limit",))  # fmt: skip
def dirty_limit(view: View) -> Value:
    """Dirty memory at which writers stand still: what vm.dirty_bytes or vm.dirty_ratio comes to now."""
    return float(_gauge(view, "nr_dirty_threshold") * page_size(view))


@signal("dirty.background", "B", reads=("proc/vmstat nr_dirty_background_threshold",),
        formula="nr_dirty_background_threshold × page_size")  # fmt: skip
def dirty_background(view: View) -> Value:
    """Dirty memory at which the flusher starts: what vm.dirty_background_bytes or its ratio comes to now."""
    return float(_gauge(view, "nr_dirty_background_threshold") * page_size(view))


def _least_dirty(view: View, measure: Callable[[Mapping[str, int]], float]) -> float:
    return min(_dirty(view, measure))


def _dirty(view: View, measure: Callable[[Mapping[str, int]], float]) -> list[float]:
    """Dirty pages and those under writeback, by a measure, in each sample."""
    _gauge(view, "nr_dirty")  # refuses captures that hold differences only
    samples = [view.vmstat] if view.since_boot else [view.vmstat_before, view.vmstat]
    try:
        return [(gauges["nr_dirty"] + gauges["nr_writeback"]) / measure(gauges) for gauges in samples]
    except (KeyError, ZeroDivisionError):
        raise Unknown("/proc/vmstat has no dirty pages with their threshold here") from None


def _gauge(view: View, name: str) -> int:
    if view.capture.zero_baseline:
        raise Unknown("the capture holds differences only")
    if name not in view.vmstat:
        raise Unknown(f"/proc/vmstat has no {name} here")
    return view.vmstat[name]


@signal("cache.drops", "", reads=("proc/vmstat drop_pagecache", "proc/vmstat drop_slab"),
        formula="the larger of drop_pagecache and drop_slab, since boot", also=("drop_caches",))  # fmt: skip
def drops(view: View) -> Value:
    """Times since boot that someone dropped the page cache, the slab caches, or both in one go."""
    return float(max(_gauge(view, "drop_pagecache"), _gauge(view, "drop_slab")))


@signal("cache.drop_rate", "count/s", reads=("proc/vmstat drop_pagecache", "proc/uptime"),
        formula="cache.drops / host.uptime")  # fmt: skip
def drop_rate(view: View) -> Value:
    """Times per second since boot that someone dropped the caches."""
    drops = max(_gauge(view, "drop_pagecache"), _gauge(view, "drop_slab"))
    return drops / view.after("proc/uptime", uptime.parse)


@signal(
    "disk.write_rate",
    "B/s",
    reads=("proc/diskstats",),
    formula="Δ(bytes written, whole disks) / window.seconds",
)
def disk_write_rate(view: View) -> Value:
    """Bytes written per second to all whole disks."""
    return _grown(view, "written_bytes") / view.seconds


@signal("disk.read_rate", "B/s", reads=("proc/diskstats",), formula="Δ(bytes read, whole disks) / window.seconds")
def disk_read_rate(view: View) -> Value:
    """Bytes read per second from all whole disks."""
    return _grown(view, "read_bytes") / view.seconds


@signal(
    "disk.busy",
    "ratio",
    reads=("proc/diskstats",),
    formula="largest Δ(time with I/O) / window.seconds of a disk",
)
def disk_busy(view: View) -> Value:
    """Share of the window in which the busiest disk had I/O under way."""
    view.check_same_boot()
    before, after = _disks(view)
    shares = [after[name].io_s - before[name].io_s for name in after if name in before]
    if not shares:
        raise Unknown("/proc/diskstats shows no disk")
    if min(shares) < 0:
        raise Unknown("/proc/diskstats went backwards between the samples")
    return min(1.0, max(shares) / view.seconds)


@signal("disk.flush_rate", "count/s", reads=("proc/diskstats",),
        formula="Δ(flushes, whole disks) / window.seconds", also=("fsync", "commits", "fdatasync"))  # fmt: skip
def disk_flush_rate(view: View) -> Value:
    """Flushes of the disks' own caches per second: what fsync of a database, a journal, a mail server ends with.

    A disk that has no cache to lose, such as behind a controller with a battery, is never asked, and shows none
    (block/blk-flush.c). Linux 5.10 was seen to count one in a hundred.
    """
    if all(disk.flushes is None for disk in _disks(view)[1].values()):
        raise Unknown("/proc/diskstats counts no flushes here")
    return _grown(view, "flushes") / view.seconds


@signal("dirty.background_fill", "",
        reads=("proc/vmstat nr_dirty", "proc/vmstat nr_writeback", "proc/vmstat nr_dirty_background_threshold"),
        formula="(nr_dirty + nr_writeback) / nr_dirty_background_threshold, mean of all samples of the window",
        also=("flusher", "background writeback"))  # fmt: skip
def dirty_background_fill(view: View) -> Value:
    """How near dirty pages are to where the flusher starts; about half when they grow to it again and again.

    Of all samples, since dirty pages come and go within a second: two say little.
    """
    first = view.last if view.first is None else view.first
    samples = [View(view.readings, None, index) for index in range(first, view.last + 1)]
    shares = [_dirty(one, lambda gauges: gauges["nr_dirty_background_threshold"])[0] for one in samples]
    return sum(shares) / len(shares)


@signal("disk.write_capacity", "B/s", reads=("proc/diskstats",),
        formula="Σ Δ(bytes written) / Δ(time with I/O) of the disks that wrote for a second with two requests "
                "or more under way on average")  # fmt: skip
def disk_write_capacity(view: View) -> Value:
    """Bytes that the disks write per second while writes queue up; known only when they did.

    One request at a time, as a log with fsync writes, shows the latency of a disk and not what it can write.
    """
    view.check_same_boot()
    before, after = _disks(view)
    total = sum(_capacity(before[name], after[name]) for name in after.keys() & before.keys())
    if not total:
        raise Unknown("no disk was busy with queued writes for a second", "measure during heavy writing")
    return total


def _capacity(before: diskstats.Disk, after: diskstats.Disk) -> float:
    """Bytes written per second of one disk; 0 when it was not busy with writes."""
    busy, queued = after.io_s - before.io_s, after.weighted_s - before.weighted_s
    written = after.written_bytes - before.written_bytes
    read = after.read_bytes - before.read_bytes
    if busy < 1 or queued < 2 * busy or read < 0 or written <= 4 * read:
        return 0.0
    return written / busy


def _disks(view: View) -> tuple[dict[str, diskstats.Disk], dict[str, diskstats.Disk]]:
    return (
        dict(view.before("proc/diskstats", diskstats.parse).whole_disks()),
        dict(view.after("proc/diskstats", diskstats.parse).whole_disks()),
    )


def _grown(view: View, attribute: str) -> float:
    view.check_same_boot()
    before, after = _disks(view)
    pairs = [(before[name], after[name]) for name in after if name in before]
    grown = sum((getattr(new, attribute) or 0) - (getattr(old, attribute) or 0) for old, new in pairs)
    if grown < 0:
        raise Unknown("/proc/diskstats went backwards between the samples")
    return float(grown)
