"""What the rules make of kernel logs: which finding, which advice, and that advice is given once."""

from advisor.analysis import analyse
from advisor.rulebook import library
from tests import kernlog_samples as samples
from tests.fixtures import INCIDENTS
from tests.logged import MIB, of_log, oom, zone_line

CHECKS = library.load()


def found(log, **files):
    report = analyse(of_log(log, **files), CHECKS)
    return {finding.rule for finding in report.failed() if finding.severity != "notice"}


def advised(capture):
    plan = analyse(capture, CHECKS).plan
    return {(r.setting, r.direction, r.proposed) for r in plan.recommendations}


def dump(*, order=0, mask="0xcc0(GFP_KERNEL)", normal=15, file=0, anon=900, slab=5, swap=0):
    """A kill on a host of 1 GiB in one zone; amounts in MiB."""
    pages = MIB // 4096
    totals = (
        f"active_anon:{anon * pages} inactive_anon:0 isolated_anon:0\n"
        f" active_file:{file * pages} inactive_file:0 isolated_file:0\n"
        f" slab_reclaimable:0 slab_unreclaimable:{slab * pages}\n"
        f" free:{normal * pages} free_pcp:0 free_cma:0\n"
    )
    line = zone_line("Normal", normal, active_file=file, active_anon=anon, slab_unreclaimable=slab)
    blocks = f"Node 0 Normal: {normal * pages}*4kB (UME) 0*8kB 0*16kB 0*32kB = {normal * 1024}kB\n"
    rest = f"Free swap  = {swap}kB\nTotal swap = {swap}kB\n262144 pages RAM\n0 pages reserved\n"
    return oom(mask=mask, order=order, zones=[totals, line, blocks, rest])


def test_tasks_that_fill_the_host_are_an_exhaustion():
    assert found(dump()) == {"host-out-of-memory"}
    assert advised(of_log(dump())) == {("capacity.ram", "increase", None), ("workload", "reduce", None)}


def test_swap_that_is_left_is_no_want_of_memory():
    assert advised(of_log(dump(swap=500_000))) == {("workload", "reduce", None)}


def test_the_line_of_a_kill_alone_is_an_exhaustion_with_a_doubt():
    log = "[9.0] Out of memory: Killed process 7 (hog) total-vm:1kB, anon-rss:1kB, file-rss:0kB\n"
    (finding,) = analyse(of_log(log), CHECKS).failed()
    assert finding.rule == "host-out-of-memory"
    assert any("does not show the zones" in why for why in finding.confidence_why)


def test_a_block_that_is_missing_beside_free_memory_is_fragmentation():
    assert found(dump(order=2, normal=90, file=400, anon=300)) == {"oom-for-a-block", "zone-fragmented-in-log"}


def test_a_block_that_is_missing_where_all_is_missing_is_an_exhaustion():
    assert found(dump(order=2, normal=15, file=20)) == {"host-out-of-memory"}


def test_a_kill_with_memory_free_for_a_single_page_is_not_explained_by_memory():
    assert found(dump(normal=200, anon=500)) == {"oom-with-memory-free"}
    assert advised(of_log(dump(normal=200, anon=500))) == set()


def test_slab_that_fills_the_host_is_a_leak_of_the_kernel():
    assert found(dump(anon=200, slab=700)) == {"host-out-of-memory", "slab-fills-memory-at-oom"}
    assert advised(of_log(dump(anon=200, slab=700))) == {("kernel", "upgrade", None)}


def test_lowmem_that_is_full_beside_highmem_is_no_exhaustion():
    log = oom(mask="0xd0(GFP_KERNEL)", zones=[zone_line("Normal", 15), zone_line("HighMem", 600, active_file=300)])
    assert found(log) == {"low-zone-exhausted-in-log"}
    assert advised(of_log(log)) == {("kernel", "upgrade", None)}


def test_a_full_cgroup_is_no_exhaustion_of_the_host():
    assert found(samples.MEMCG_OOM_5_4) == {"oom-of-memory-cgroup"}


def test_a_driver_that_finds_no_block_in_small_pieces():
    assert found(samples.ALLOC_6_12) == {"block-not-found", "zone-fragmented-in-log"}


def test_advice_against_failures_stops_when_it_has_been_followed():
    report = (INCIDENTS / "atomic-rx-failure-8g-router" / "dmesg.txt").read_text()
    before = of_log(report, proc__sys__vm__min_free_kbytes="11348\n")
    after = of_log(report, proc__sys__vm__min_free_kbytes="22696\n")
    assert advised(before) == {("vm.min_free_kbytes", "increase", 22696)}
    assert advised(after) == set()


def test_a_wider_gap_is_advised_once():
    report = (INCIDENTS / "normal-zone-under-min-2g-dirty" / "dmesg.txt").read_text()
    path = "proc__sys__vm__watermark_scale_factor"
    assert advised(of_log(report, **{path: "10\n"})) == {("vm.watermark_scale_factor", "increase", 33)}
    assert advised(of_log(report, **{path: "33\n"})) == set()
