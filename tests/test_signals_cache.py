"""Page cache, writeback and disks as signals."""

import pytest

from advisor.capture.model import Capture, Sample
from tests.test_signals import capture, reason, value, vmstat

PAGES = {"nr_free_pages": 1000, "nr_anon_pages": 500}
MEMINFO = "MemTotal:        8388608 kB\nMemFree:            4000 kB\nAnonPages:          2000 kB\n"


def dirty(**gauges):
    return {"proc/vmstat": vmstat(**PAGES, **gauges), "proc/meminfo": MEMINFO}


def disk(*, name="sda", read=0, written=0, busy_ms=0, queued_ms=0):
    return f"   8       0 {name} 1 0 {read // 512} 1 1 0 {written // 512} 1 0 {busy_ms} {queued_ms}\n"


def written(queued_ms, **more):
    before = {"proc/diskstats": disk()}
    after = {"proc/diskstats": disk(written=1000 << 20, busy_ms=5000, queued_ms=queued_ms, **more)}
    return capture(before, after)


THRESHOLDS = {"nr_dirty_threshold": 2000, "nr_dirty_background_threshold": 1000}


def test_writers_are_paused_from_the_middle_of_both_thresholds_on():
    sample = dirty(nr_dirty=1400, nr_writeback=100, **THRESHOLDS)
    assert value(capture(sample, sample), "dirty.throttle_fill") == 1.0


def test_the_smaller_of_both_samples_counts_so_that_a_short_burst_does_not():
    burst, calm = dirty(nr_dirty=1900, nr_writeback=0, **THRESHOLDS), dirty(nr_dirty=30, nr_writeback=0, **THRESHOLDS)
    assert value(capture(burst, calm), "dirty.throttle_fill") == 0.02
    assert value(capture(calm, burst), "dirty.fill") == 0.015


def test_dirty_memory_and_its_thresholds_are_in_bytes():
    sample = dirty(nr_dirty=1400, nr_writeback=100, **THRESHOLDS)
    taken = capture(sample, sample)
    assert value(taken, "dirty.backlog") == 1500 * 4096
    assert value(taken, "dirty.limit") == 2000 * 4096
    assert value(taken, "dirty.background") == 1000 * 4096


def test_what_wakes_the_flusher_is_told_by_the_mean_of_all_samples():
    full, empty = dirty(nr_dirty=900, nr_writeback=100, **THRESHOLDS), dirty(nr_dirty=100, nr_writeback=0, **THRESHOLDS)
    assert value(capture(empty, full), "dirty.background_fill") == pytest.approx(0.55)
    assert value(capture(empty, full, full, empty, empty), "dirty.background_fill") == pytest.approx(0.46)


def test_flushes_of_all_disks_add_up():
    def flushed(*disks):
        return {"proc/diskstats": "".join(f"8 0 {name} {'1 ' * 15}{count} 0\n" for name, count in disks)}

    taken = capture(flushed(("sda", 100), ("sdb", 5)), flushed(("sda", 1100), ("sdb", 5)))
    assert value(taken, "disk.flush_rate") == 100


def test_flushes_are_unknown_where_the_kernel_does_not_count_them():
    assert reason(written(queued_ms=5000), "disk.flush_rate") == "/proc/diskstats counts no flushes here"


@pytest.mark.parametrize("name", ["dirty.fill", "dirty.throttle_fill", "dirty.backlog", "dirty.limit", "cache.drops"])
def test_gauges_of_a_capture_that_holds_differences_are_unknown(name):
    sample = dirty(nr_dirty=1400, nr_writeback=100, drop_pagecache=3, drop_slab=0, **THRESHOLDS)
    assert reason(capture(sample, sample, zero_baseline=True), name) == "the capture holds differences only"


def test_more_dirty_pages_than_a_shrunken_limit_are_a_full_one():
    sample = dirty(nr_dirty=400, nr_writeback=0, nr_dirty_threshold=200, nr_dirty_background_threshold=100)
    assert value(capture(sample, sample), "dirty.fill") == 1.0


def test_a_disk_shows_what_it_writes_when_writes_queue_up():
    assert value(written(queued_ms=50000), "disk.write_capacity") == 200 << 20


def test_one_write_at_a_time_shows_the_latency_of_a_disk_and_not_its_capacity():
    assert "queued writes" in reason(written(queued_ms=5000), "disk.write_capacity")


def test_a_disk_that_mostly_reads_does_not_show_what_it_writes():
    assert "queued writes" in reason(written(queued_ms=50000, read=900 << 20), "disk.write_capacity")


def test_the_capacity_of_several_disks_adds_up():
    before = {"proc/diskstats": disk() + disk(name="sdb")}
    after = {
        "proc/diskstats": disk(written=1000 << 20, busy_ms=5000, queued_ms=50000)
        + disk(name="sdb", written=100 << 20, busy_ms=1000, queued_ms=9000)
    }
    assert value(capture(before, after), "disk.write_capacity") == 300 << 20


def test_dropping_both_caches_at_once_is_one_drop():
    sample = {"proc/vmstat": vmstat(drop_pagecache=8, drop_slab=8), "proc/uptime": "86400.00 1.00\n"}
    assert value(capture(sample), "cache.drops") == 8
    assert value(capture(sample), "cache.drop_rate") == 8 / 86400


def test_drops_are_unknown_where_the_kernel_does_not_count_them():
    assert reason(Capture((Sample({"proc/vmstat": vmstat(pgfault=1)}),)), "cache.drops") == (
        "/proc/vmstat has no drop_pagecache here"
    )
