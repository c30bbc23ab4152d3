"""What real kernel reports say once they are signals."""

import pytest

from advisor.capture.model import Capture, Sample
from advisor.capture.open import open_capture
from advisor.errors import Unknown
from advisor.parse.kernlog import Report, ZoneLine
from advisor.signals import logrequest
from advisor.signals.model import catalogue, entities_of
from advisor.signals.table import Table
from advisor.signals.view import views
from tests import kernlog_samples as samples
from tests.fixtures import INCIDENTS
from tests.logged import KIB, MIB, of_log, oom, zone_line

NODE = "node 0 Normal"


def incident(name):
    return open_capture(str(INCIDENTS / name))


def value(capture, name):
    whole, _parts = views(capture)
    return Table(whole).row([name]).values[name]


def reason(capture, name):
    whole, _parts = views(capture)
    row = Table(whole).row([name])
    assert row.values[name] is None
    return str(row.reasons[name])


def zone(capture, name, entity=NODE):
    whole, _parts = views(capture)
    (found,) = (entry for entry in entities_of(whole, "logzone") if entry.name == entity)
    return Table(whole).row([name], "logzone", found).values[name]


# --- incidents


def test_a_router_whose_network_card_got_no_page():
    router = incident("atomic-rx-failure-8g-router")
    assert value(router, "log.atomic_order0_failures") == 1
    assert value(router, "log.atomic_high_order_failures") == 0
    assert value(router, "log.atomic_min_free") == 11348 * KIB
    assert value(router, "log.min_free") == 11348 * KIB
    assert value(router, "log.atomic_spare") == 0
    assert value(router, "log.atomic_file") == (916528 + 914736) * 4096
    assert value(router, "log.atomic_task") == "swapper"
    assert value(router, "log.host_ooms") == 0


def test_a_kernel_without_the_scale_factor_does_not_show_one():
    assert zone(incident("atomic-rx-failure-8g-router"), "logzone.scale_factor") is None


def test_what_a_low_zone_keeps_for_others_is_nothing_to_spare():
    router = incident("atomic-rx-failure-8g-router")
    assert zone(router, "logzone.free", "node 0 DMA32") > zone(router, "logzone.high", "node 0 DMA32")
    assert zone(router, "logzone.spare", "node 0 DMA32") == 0
    assert zone(router, "logzone.is_last_resort", "node 0 DMA32") is False
    assert zone(router, "logzone.is_last_resort") is True


def test_the_head_of_a_report_alone_tells_what_failed_and_no_size():
    head = incident("atomic-order0-failure-big-ec2")
    assert value(head, "log.atomic_order0_failures") == 1
    assert value(head, "log.atomic_task") == "java"
    for name in ("log.atomic_min_free", "log.atomic_spare", "log.atomic_file", "log.min_free"):
        assert value(head, name) is None


def test_one_zone_line_tells_its_marks_and_not_those_of_the_host():
    line = incident("normal-zone-under-min-2g-dirty")
    assert zone(line, "logzone.free") == 24148 * KIB
    assert zone(line, "logzone.min") == 65640 * KIB
    assert zone(line, "logzone.dirty") == 2637672 * KIB
    assert zone(line, "logzone.file") == (52481792 + 2638416) * KIB
    assert zone(line, "logzone.scale_factor") == pytest.approx(10, abs=0.01)
    assert zone(line, "logzone.order") is None
    assert zone(line, "logzone.spare") is None
    assert reason(line, "log.min_free") == "the kernel report does not tell whether it prints all zones"
    assert value(line, "log.atomic_order0_failures") == 0


# --- failed requests


def test_a_larger_block_is_not_a_single_page():
    arm = of_log(samples.ALLOC_3_18_ARM)
    assert value(arm, "log.atomic_order0_failures") == 0
    assert value(arm, "log.atomic_high_order_failures") == 1
    assert value(arm, "log.largest_failed_order") == 1
    assert value(arm, "log.atomic_min_free") == 1908 * KIB
    assert zone(arm, "logzone.unusable") == 1.0


def test_a_request_that_may_wait_is_told_from_one_that_may_not():
    both = of_log(samples.ALLOC_7_TWO_CALLERS)
    assert value(both, "log.atomic_order0_failures") == 1
    assert value(both, "log.high_order_failures") == 1
    assert (value(both, "log.atomic_task"), value(both, "log.failed_task")) == ("swapper/1", "tar")
    assert value(both, "log.suppressed") == 3567869


def test_a_request_without_the_right_to_the_reserve_may_not_wait_either():
    log = "[1.0] x: page allocation failure: order:0, mode:0x800(GFP_NOWAIT), nodemask=(null)\n"
    assert value(of_log(log), "log.atomic_order0_failures") == 1


def test_flags_that_are_missing_make_the_counts_unknown_and_not_zero():
    log = of_log("[1.0] x: page allocation failure: order:0\n")
    assert reason(log, "log.atomic_order0_failures") == (
        "a failed allocation in the kernel log does not tell its order or its flags"
    )
    assert value(log, "log.high_order_failures") == 0


def test_a_boost_is_not_part_of_the_marks():
    log = of_log(samples.ALLOC_6_12)
    assert zone(log, "logzone.min", "node 0 DMA32") == (69276 - 24576) * KIB
    assert value(log, "log.min_free") == (352 + 69276 - 24576) * KIB


def test_memory_kept_for_other_requests_is_not_spare():
    log = of_log(samples.ALLOC_6_12)
    assert zone(log, "logzone.spare", "node 0 DMA32") == (92548 - 69276 - 4096) * KIB


def test_reports_of_yesterday_are_left_out():
    assert value(of_log(samples.ALLOC_3_18_ARM, proc__uptime="80000.00 1.00\n"), "log.atomic_high_order_failures") == 1
    assert value(of_log(samples.ALLOC_3_18_ARM, proc__uptime="90000.00 1.00\n"), "log.atomic_high_order_failures") == 0


def test_stalls_and_single_lines_are_counted():
    assert value(of_log(samples.STALL_4_9), "log.alloc_stalls") == 1
    assert value(of_log(samples.STALL_4_9), "log.longest_alloc_stall") == 10.908
    assert value(of_log(samples.MESSAGES), "log.slab_failures") == 3
    assert value(of_log(samples.MESSAGES), "log.thp_raised_min_free") == 1


def test_without_a_kernel_log_nothing_is_zero():
    whole, _parts = views(Capture((Sample({"proc/uptime": "1.00 1.00\n"}),)))
    names = [name for name, signal in catalogue().items() if name.startswith("log.") and signal.scope == "host"]
    row = Table(whole).row(names)
    assert [name for name in names if row.values[name] is not None] == []
    with pytest.raises(Unknown, match="not in the capture"):
        entities_of(whole, "logzone")


def test_why_the_kernel_log_could_not_be_read_is_said():
    capture = Capture((Sample({}),), unread={"log/kernel.txt": "permission denied; root reads it"})
    assert "root reads it" in reason(capture, "log.host_ooms")


# --- kills


@pytest.mark.parametrize(
    ("text", "host", "memcg"),
    [
        (samples.OOM_2_6_18, 1, 0),
        (samples.OOM_2_6_32_SYSLOG, 1, 0),
        (samples.OOM_4_15, 1, 0),
        (samples.OOM_6_1, 1, 0),
        (samples.MEMCG_OOM_3_10, 0, 1),
        (samples.MEMCG_OOM_5_4, 0, 1),
        (samples.ALLOC_4_4, 0, 0),
    ],
)
def test_a_kill_for_the_host_is_told_from_one_for_a_cgroup(text, host, memcg):
    log = of_log(text)
    assert (value(log, "log.host_ooms"), value(log, "log.memcg_ooms"), value(log, "log.bound_ooms")) == (host, memcg, 0)


def test_the_victim_and_the_group_are_named():
    assert value(of_log(samples.OOM_2_6_32_SYSLOG), "log.oom_victim") == "httpd (6793)"
    assert value(of_log(samples.OOM_2_6_32_SYSLOG), "log.oom_victim_rss") == (1604512 + 288) * KIB
    assert value(of_log(samples.MEMCG_OOM_3_10), "log.memcg_victim") == "memhog (42421)"
    assert value(of_log(samples.MEMCG_OOM_3_10), "log.memcg") == "/slurm/job_7"
    assert value(of_log(samples.MEMCG_OOM_3_10), "log.oom_victim") is None


def test_where_memory_was_when_the_host_ran_out():
    log = of_log(samples.OOM_2_6_32_SYSLOG)
    assert value(log, "log.oom_tells") is True
    assert value(log, "log.oom_order") == 0
    assert value(log, "log.oom_memory") == 2052256 * KIB
    assert value(log, "log.oom_anon") == (1484080 + 371644) * KIB
    assert value(log, "log.oom_file") == (1240 + 2080) * KIB
    assert value(log, "log.oom_slab_unreclaimable") == 24160 * KIB
    assert (value(log, "log.oom_swap_free"), value(log, "log.oom_swap_total")) == (0, 2064376 * KIB)
    assert value(log, "log.oom_spare") == (52844 - 44720) * KIB


def test_a_kill_without_its_dump_tells_nothing_of_memory():
    log = of_log("[9.0] Out of memory: Killed process 7 (hog) total-vm:1kB, anon-rss:1kB, file-rss:0kB\n")
    assert value(log, "log.host_ooms") == 1
    assert value(log, "log.oom_tells") is False
    assert value(log, "log.oom_spare") is None


def test_a_report_that_lost_its_end_counts_when_it_prints_zones():
    log = of_log(oom(zones=[zone_line("Normal", 15)], kill=False))
    assert value(log, "log.host_ooms") == 1
    assert value(log, "log.oom_victim") is None


def test_room_on_nodes_that_are_forbidden_makes_it_a_bound_kill_on_old_kernels():
    dump = [zone_line("Normal", 15), zone_line("Normal", 900, node=1)]
    bound = of_log(oom(zones=dump, between="x cpuset=vm mems_allowed=0\n"))
    assert (value(bound, "log.bound_ooms"), value(bound, "log.host_ooms")) == (1, 0)
    assert value(bound, "log.bound_victim") == "hog (7)"
    free = of_log(oom(zones=dump, between="x cpuset=/ mems_allowed=0-1\n"))
    assert (value(free, "log.bound_ooms"), value(free, "log.host_ooms")) == (0, 1)


@pytest.mark.parametrize("constraint", ["CONSTRAINT_CPUSET", "CONSTRAINT_MEMORY_POLICY"])
def test_recent_kernels_say_that_a_kill_was_bound(constraint):
    log = f"[1.0] oom-kill:constraint={constraint},nodemask=0,cpuset=a,mems_allowed=0,global_oom,task=x,pid=1,uid=0\n"
    assert (value(of_log(log), "log.bound_ooms"), value(of_log(log), "log.host_ooms")) == (1, 0)


def test_the_kernels_own_request_may_leave_the_cpuset():
    dump = [zone_line("Normal", 15), zone_line("Normal", 900, node=1)]
    log = of_log(oom(mask="0xd0(GFP_KERNEL)", zones=dump, between="x cpuset=vm mems_allowed=0\n"))
    assert (value(log, "log.bound_ooms"), value(log, "log.host_ooms")) == (0, 1)
    assert value(log, "log.oom_spare") == (900 - 20) * MIB


def test_lowmem_that_ran_out_beside_highmem():
    dump = [zone_line("Normal", 15), zone_line("HighMem", 600, active_file=300)]
    log = of_log(oom(mask="0xd0(GFP_KERNEL)", zones=dump))
    assert value(log, "log.oom_spare") == 0
    assert value(log, "log.oom_beyond") == 900 * MIB
    assert zone(log, "logzone.is_last_resort") is True
    assert zone(log, "logzone.beyond") == 900 * MIB
    assert zone(log, "logzone.below_highmem") is True
    assert zone(log, "logzone.spare", "node 0 HighMem") == 0


# --- what a request may use


@pytest.mark.parametrize(
    ("mask", "highest"),
    [
        (0x4020, "Normal"),
        (0xD1, "DMA"),
        (0xCC4, "DMA32"),
        (0xD2, "HighMem"),
        (0x24201CA, "Movable"),
        (0xCC8, "Normal"),
    ],
)
def test_the_low_bits_of_the_flags_tell_the_highest_zone(mask, highest):
    assert logrequest.highest_zone(Report("oom", 1, "", gfp_mask=mask)) == highest


def test_contiguous_memory_is_spare_for_movable_requests_only():
    line = ZoneLine(0, "Normal", free=100, min=10, free_cma=60)
    assert logrequest.spare(Report("oom", 1, "", gfp_mask=0x24201CA, zones=(line,)), line, 4096) == 90
    assert logrequest.spare(Report("oom", 1, "", gfp_mask=0xCC0, zones=(line,)), line, 4096) == 30


def test_a_reserve_that_cannot_be_assigned_to_a_higher_zone_is_unknown():
    low = ZoneLine(0, "DMA32", free=100, min=10, lowmem_reserve=(0, 0, 0, 0))
    high = ZoneLine(0, "Normal", free=100, min=10)
    report = Report("oom", 1, "", gfp_mask=0xCC0, zones=(low, high))
    with pytest.raises(Unknown, match="keeps from requests"):
        logrequest.spare(report, low, 4096)


def test_the_reserve_is_that_against_the_highest_zone_of_the_request():
    low = ZoneLine(0, "DMA32", free=100_000_000, min=0, lowmem_reserve=(0, 0, 10, 30))
    zones = (low, ZoneLine(0, "Normal", free=0, min=0), ZoneLine(0, "Movable", free=0, min=0))
    for mask, reserve in ((0xCC4, 0), (0xCC0, 10), (0x24201CA, 30)):
        report = Report("oom", 1, "", gfp_mask=mask, zones=zones)
        assert logrequest.spare(report, low, 4096) == 100_000_000 - reserve * 4096


@pytest.mark.parametrize("text", ["", "a", "0-", "-1", "0-99999", "1,,2"])
def test_a_list_of_nodes_that_cannot_be_read_is_unknown(text):
    with pytest.raises(Unknown):
        logrequest.allowed_nodes(Report("oom", 1, "", gfp_mask=0xCC0, nodemask=text))


def test_zones_that_do_not_account_for_the_free_memory_give_no_sum():
    zones = (ZoneLine(0, "DMA", free=100 * KIB, min=8 * KIB),)
    whole = Report("oom", 1, "", zones=zones, totals={"free": 25})
    part = Report("oom", 1, "", zones=zones, totals={"free": 2500})
    assert logrequest.min_free(whole, 4096) == 8 * KIB
    with pytest.raises(Unknown, match="does not print all zones"):
        logrequest.min_free(part, 4096)


# --- no report makes a signal fail


@pytest.mark.parametrize("name", [name for name in vars(samples) if name.isupper()])
def test_every_sample_gives_finite_values_or_reasons(name):
    whole, _parts = views(of_log(getattr(samples, name)))
    table = Table(whole)
    own = [key for key in catalogue() if key.startswith("logzone.")]
    rows = [table.row(own, "logzone", entity) for entity in entities_of(whole, "logzone")]
    rows.append(table.row([key for key in catalogue() if key.startswith("log.")]))
    for row in rows:
        for key in row.values:
            assert row.values[key] is not None or "contradict" not in str(row.reasons[key]), key
