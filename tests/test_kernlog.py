import dataclasses
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.errors import AdvisorError, ParseError
from advisor.parse import kernlog
from advisor.parse.kernlog import KernelLog, Report, ZoneLine, parse
from tests import kernlog_samples as samples
from tests.fixtures import INCIDENTS

KIB = 1024
SAMPLES = {name: text for name, text in vars(samples).items() if name.isupper()}
DUMPS = sorted(set(SAMPLES) - {"MESSAGES"})
TEXTS = SAMPLES | {path.parent.name: path.read_text() for path in sorted(INCIDENTS.glob("*/dmesg.txt"))}

fuzz = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def incident(name: str) -> KernelLog:
    return parse((INCIDENTS / name / "dmesg.txt").read_text())


def only(log: KernelLog) -> Report:
    (report,) = log.reports
    return report


def zone(report: Report, name: str) -> ZoneLine:
    (found,) = (zone for zone in report.zones if zone.zone == name)
    return found


def test_nothing_is_read_from_a_path():
    assert kernlog.READS == ()


# --- incidents


def test_incident_of_a_router_with_2_6_32():
    report = only(incident("atomic-rx-failure-8g-router"))
    assert report.kind == "alloc_failure"
    assert report.time_s == 87578.494471
    assert (report.task, report.pid, report.release) == ("swapper", 0, "2.6.32-24-generic")
    assert (report.order, report.gfp_mask, report.gfp_flags) == (0, 0x4020, ())
    assert (report.atomic, report.direct_reclaim) == (True, False)
    assert report.line == 1
    assert report.text == "swapper: page allocation failure. order:0, mode:0x4020"
    assert report.totals["free"] == 9990
    assert report.totals["dirty"] + report.totals["writeback"] == 160382
    assert report.totals["pages_ram"] == 2064368
    assert report.totals["total_pagecache_pages"] == 1832322
    assert (report.swap_free_bytes, report.swap_total_bytes) == (0, 0)
    assert report.page_size == 4096
    assert [found.zone for found in report.zones] == ["DMA", "DMA32", "Normal"]
    normal = zone(report, "Normal")
    assert (normal.node, normal.free, normal.min) == (0, 2680 * KIB, 7192 * KIB)
    assert (normal.low, normal.high) == (8988 * KIB, 10788 * KIB)
    assert normal.active_file + normal.inactive_file == (2343752 + 2338512) * KIB
    assert (normal.dirty, normal.writeback) == (353012 * KIB, 65792 * KIB)
    assert (normal.slab_reclaimable, normal.slab_unreclaimable) == (131752 * KIB, 29060 * KIB)
    assert (normal.present, normal.managed, normal.writepending, normal.boost) == (
        5105664 * KIB,
        None,
        None,
        None,
    )
    assert normal.all_unreclaimable is False
    assert normal.blocks == (374, 4, 20, 1, 0, 0, 1, 1, 0, 0, 0)
    assert normal.lowmem_reserve == (0, 0, 0, 0)
    assert normal.line == 13
    assert zone(report, "DMA").all_unreclaimable is True
    assert zone(report, "DMA").lowmem_reserve == (0, 2866, 7852, 7852)


def test_incident_of_an_instance_with_4_14():
    report = only(incident("atomic-order0-failure-big-ec2"))
    assert (report.kind, report.task, report.pid) == ("alloc_failure", "java", 19395)
    assert (report.order, report.gfp_mask, report.gfp_flags) == (0, 0x1080020, ("GFP_ATOMIC",))
    assert (report.atomic, report.direct_reclaim) == (True, False)
    assert (report.nodemask, report.cpuset, report.mems_allowed) == ("(null)", "/", "0-1")
    assert report.release == "4.14.154-99.181.amzn1.x86_64"
    assert report.zones == ()
    assert report.totals == {}


def test_incident_that_is_one_zone_line():
    report = only(incident("normal-zone-under-min-2g-dirty"))
    assert (report.kind, report.order, report.atomic, report.time_s) == ("zones", None, None, None)
    normal = zone(report, "Normal")
    assert (normal.free, normal.min) == (24148 * KIB, 65640 * KIB)
    assert (normal.low, normal.high) == (129584 * KIB, 193528 * KIB)
    assert (normal.active_file, normal.writepending) == (52481792 * KIB, 2637672 * KIB)
    assert (normal.present, normal.managed) == (65011712 * KIB, 63949432 * KIB)
    assert (normal.dirty, normal.blocks, normal.all_unreclaimable, normal.free_cma) == (None, None, None, 0)


# --- eras


def test_oom_of_2_6_18():
    report = only(parse(samples.OOM_2_6_18))
    assert (report.kind, report.task, report.order, report.victim, report.victim_pid) == (
        "oom",
        "httpd",
        0,
        "httpd",
        4312,
    )
    assert (report.global_oom, report.constraint, report.killed_rss_bytes) == (True, None, None)
    assert (report.totals["free"], report.totals["slab"], report.totals["pages_ram"]) == (3398, 5211, 262144)
    assert report.totals["pages_reserved"] == 5033
    assert report.swap_total_bytes == 2096472 * KIB
    assert zone(report, "DMA32").all_unreclaimable is True
    assert zone(report, "DMA32").active_file is None


def test_oom_of_2_6_32_in_syslog():
    report = only(parse(samples.OOM_2_6_32_SYSLOG))
    assert (report.task, report.pid, report.time_s) == ("sshd", 1743, None)
    assert report.release == "2.6.32-279.9.1.el6.x86_64"
    assert (report.victim, report.victim_pid) == ("httpd", 6793)
    assert report.killed_rss_bytes == (1604512 + 288) * KIB
    assert zone(report, "DMA32").free == 52844 * KIB


def test_memcg_oom_of_3_10():
    report = only(parse(samples.MEMCG_OOM_3_10))
    assert (report.constraint, report.global_oom) == ("CONSTRAINT_MEMCG", False)
    assert (report.memcg, report.victim_memcg) == ("/slurm/job_7", "/slurm/job_7/step 0")
    assert (report.victim, report.killed_rss_bytes) == ("memhog", (523904 + 376) * KIB)
    assert (report.zones, report.totals) == ((), {})


def test_failure_of_3_18_without_numa():
    report = only(parse(samples.ALLOC_3_18_ARM))
    assert (report.order, report.gfp_mask, report.atomic) == (1, 0x20, True)
    normal = zone(report, "Normal")
    assert (normal.node, normal.free, normal.managed) == (0, 1908 * KIB, 54620 * KIB)
    assert normal.blocks == (477, *[0] * 10)


def test_failure_of_4_4_has_its_own_bits():
    report = only(parse(samples.ALLOC_4_4))
    assert (report.atomic, report.direct_reclaim, report.release) == (True, False, "4.4.0-21-generic")
    assert report.zones[0].node == 1


def test_report_of_4_9_that_was_logged_in_pieces_and_wrapped():
    report = only(parse(samples.ALLOC_4_9_IN_PIECES))
    assert (report.atomic, report.totals["dirty"], report.totals["free"]) == (True, 610211, 9978)
    normal, dma = zone(report, "Normal"), zone(report, "DMA")
    assert (normal.free, normal.min, normal.free_cma) == (24148 * KIB, 65640 * KIB, 0)
    assert (normal.managed, normal.writepending) == (63949432 * KIB, 2637672 * KIB)
    assert (normal.lowmem_reserve, dma.lowmem_reserve) == ((0, 0, 0), (0, 62446, 62446))
    assert (normal.blocks, dma.blocks) == ((6037, 0), (1, 0, 1, 1))
    assert (normal.all_unreclaimable, normal.node, dma.line) == (False, 0, 11)


def test_stall_of_4_9_is_a_message_and_its_dump_a_report():
    log = parse(samples.STALL_4_9)
    assert [(found.kind, found.values, found.time_s) for found in log.messages] == [
        ("alloc_stall", {"stall_ms": 10908, "order": 0}, 429.852782)
    ]
    assert (only(log).kind, only(log).release) == ("zones", None)
    assert only(log).zones[0].min == 8200 * KIB


def test_oom_of_4_15_with_a_space_and_a_slash_in_the_command():
    report = only(parse(samples.OOM_4_15))
    assert (report.task, report.pid, report.time_s) == ("CPU 0/KVM", 24430, 1310061.327439)
    assert (report.order, report.nodemask, report.cpuset, report.mems_allowed) == (
        0,
        "(null)",
        "vcpu0",
        "0-1",
    )
    assert (report.gfp_flags, report.atomic) == (("GFP_KERNEL_ACCOUNT",), False)
    assert (report.victim, report.victim_pid) == ("qemu-system-x86", 31337)
    assert report.killed_rss_bytes == (67108864 + 4096 + 4) * KIB
    assert (report.global_oom, report.constraint) == (True, None)


def test_memcg_oom_of_5_4_that_kills_the_whole_group_is_one_report():
    report = only(parse(samples.MEMCG_OOM_5_4))
    assert (report.constraint, report.global_oom, report.memcg) == (
        "CONSTRAINT_MEMCG",
        False,
        "/kubepods/pod7",
    )
    assert (report.victim_memcg, report.cpuset, report.mems_allowed) == ("/kubepods/pod7/c1", "pod7", "0-1")
    assert (report.victim, report.victim_pid, report.killed_rss_bytes) == (
        "java",
        5641,
        (1036288 + 3712) * KIB,
    )
    assert report.release == "5.4.17-2136.307.3.4.el8uek.x86_64"


def test_global_oom_of_6_1():
    report = only(parse(samples.OOM_6_1))
    assert (report.constraint, report.global_oom, report.memcg) == ("CONSTRAINT_NONE", True, None)
    assert report.victim_memcg == "/user.slice/user-1000.slice"
    assert report.totals["kernel_misc_reclaimable"] == 0
    assert report.totals["pages_cma_reserved"] == 131072
    dma = zone(report, "DMA")
    assert (dma.boost, dma.min, dma.reserved_highatomic) == (7216 * KIB, 10428 * KIB, 0)
    assert (dma.free_cma, dma.lowmem_reserve, dma.all_unreclaimable) == (
        513592 * KIB,
        (0, 0, 3188, 3188),
        False,
    )
    assert dma.blocks == (142, 161, 59, 51, 18, 2, 1, 0, 1, 0, 125)


def test_failure_of_6_12():
    report = only(parse(samples.ALLOC_6_12))
    assert (report.task, report.pid, report.order) == ("kworker/u16:3", 4711, 4)
    assert report.gfp_flags == ("GFP_KERNEL", "__GFP_ZERO", "__GFP_COMP")
    assert (report.atomic, report.direct_reclaim, report.mems_allowed) == (False, True, "0-1,3")
    assert (report.release, report.swap_free_bytes) == ("6.12.9-amd64", 1048316 * KIB)
    assert zone(report, "DMA32").reserved_highatomic == 4096 * KIB
    assert zone(report, "DMA32").blocks[:4] == (7421, 5107, 1378, 0)


def test_reports_of_two_callers_are_kept_apart():
    atomic, ordinary = parse(samples.ALLOC_7_TWO_CALLERS).reports
    assert (atomic.task, atomic.pid, atomic.atomic, atomic.zones[0].free) == (
        "swapper/1",
        0,
        True,
        1000 * KIB,
    )
    assert (ordinary.task, ordinary.pid, ordinary.atomic) == ("tar", 2041, False)
    assert ordinary.zones[0].free == 1004 * KIB
    assert ordinary.zones[0].free_highatomic == 512 * KIB
    assert ordinary.release == "7.3.0"


def test_messages():
    log = parse(samples.MESSAGES)
    assert [(found.kind, dict(found.values)) for found in log.messages] == [
        ("min_free_kept", {"computed_bytes": 11265 * KIB, "user_bytes": 131072 * KIB}),
        ("min_free_raised", {"from_bytes": 4096 * KIB, "to_bytes": 22528 * KIB}),
        ("vmalloc_failure", {"size_bytes": 3866624}),
        ("vmalloc_failure", {"size_bytes": 3760332}),
        ("vmalloc_failure", {"size_bytes": 8192}),
        ("slab_failure", {"gfp_mask": 0x900}),
        ("slab_failure", {"gfp_mask": 0x820, "node": 1}),
        ("slab_failure", {"gfp_mask": 0x20, "node": 0}),
        ("vmdata_limit", {"pid": 4711, "vmdata_bytes": 8589934592, "limit_bytes": 1073741824}),
        ("hung_task", {"pid": 312, "seconds": 120}),
        ("memalloc", {"stalling": 12, "dying": 1, "exiting": 0, "victim": 1, "oom_count": 5}),
        ("suppressed", {"count": 7}),
        ("oom_panic", {}),
    ]
    assert log.messages[0].time_s == 3.1
    assert log.messages[-1].line == 15


def test_a_module_that_finds_no_address_space_is_no_failed_page_request():
    assert parse(samples.MESSAGES).reports == ()


def test_suppressed_lines_of_the_network_are_not_ours():
    assert "650" not in str(parse(samples.MESSAGES).messages)


# --- what a request may do


@pytest.mark.parametrize(
    ("mode", "atomic", "reclaims"),
    [
        ("0x20", True, False),
        ("0x4020", True, False),
        ("0xd0", False, True),
        ("0x204010", False, True),
        ("0x4000", False, False),
        ("0x2080020", True, False),
        ("0x24000c0", False, True),
        ("0xa20(GFP_ATOMIC)", True, False),
        ("0x2a20(GFP_ATOMIC|__GFP_NOWARN)", True, False),
        ("0x820(GFP_NOWAIT|__GFP_HIGH)", True, False),
        ("0x800(GFP_NOWAIT)", False, False),
        ("0xc20(GFP_ATOMIC|__GFP_DIRECT_RECLAIM)", False, True),
        ("0xc0de0(GFP_KERNEL|__GFP_HIGH|__GFP_ZERO|__GFP_COMP|__GFP_NOMEMALLOC)", False, True),
        ("0x1(GFP_TRANSHUGE)", False, None),
        ("0x820(GFP_ATO", None, None),
    ],
)
def test_flags(mode, atomic, reclaims):
    report = only(parse(f"x: page allocation failure: order:3, mode:{mode}\n"))
    assert (report.order, report.atomic, report.direct_reclaim) == (3, atomic, reclaims)


def test_a_number_alone_says_nothing_on_a_kernel_that_prints_names():
    text = "x: page allocation failure: order:0, mode:0xcc0\nCPU: 0 UID: 0 PID: 2 Comm: x Not tainted 6.12.0 #1\n"
    assert (only(parse(text)).atomic, only(parse(text)).direct_reclaim) == (None, None)


def test_an_oom_kill_by_sysrq_has_no_order():
    text = "kworker/0:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0\n"
    assert only(parse(text)).order is None


@pytest.mark.parametrize(
    ("line", "victim", "pid", "global_oom", "rss_kib"),
    [
        ("Out of memory: Kill process 5 ((sd-pam)) score 2 or sacrifice child", "(sd-pam)", 5, True, None),
        ("Out of memory: kill process 5 (a b) score 2 or a child", "a b", 5, True, None),
        (
            "Out of memory (oom_kill_allocating_task): Killed process 7 (x) anon-rss:4kB, file-rss:0kB",
            "x",
            7,
            True,
            4,
        ),
        ("Killed process 7 (x), UID 0, total-vm:9kB, anon-rss:4kB, file-rss:1kB", "x", 7, None, 5),
        ("Memory cgroup out of memory: Killed process 8 (y) total-vm:1kB, file-rss:1kB", "y", 8, False, None),
    ],
)
def test_a_kill_without_its_heading_is_a_report(line, victim, pid, global_oom, rss_kib):
    report = only(parse(f"[1.5] {line}\n"))
    assert (report.kind, report.victim, report.victim_pid, report.global_oom) == (
        "oom",
        victim,
        pid,
        global_oom,
    )
    assert report.killed_rss_bytes == (None if rss_kib is None else rss_kib * KIB)


def test_lines_that_were_picked_by_grep_are_one_report_per_kill():
    text = "".join(
        f"[{n}.0] Out of memory: Kill process {n} (x) score 2 or sacrifice child\n"
        f"[{n}.0] Killed process {n} (x) total-vm:9kB, anon-rss:4kB, file-rss:0kB\n"
        for n in (1, 2, 3)
    )
    assert [report.victim_pid for report in parse(text).reports] == [1, 2, 3]


# --- prefixes


def bare_lines(text: str) -> list[str]:
    return [
        re.sub(r"^(?:\w{3} \d+ [\d:.]+ \S+ (?:WARNING )?kernel: )?(?:\[ *[\d.]+\] ?)?", "", line)
        for line in text.splitlines()
    ]


PREFIXES = {
    "none": "",
    "level": "<4>",
    "dmesg": "[   12.500000] ",
    "dmesg with level": "<4>[   12.500000] ",
    "dmesg -x": "kern  :warn  : [   12.500000] ",
    "dmesg -d": "[   12.500000 <    0.000012>] ",
    "dmesg -T": "[Mon Feb 19 16:20:13 2024] ",
    "dmesg -H": "[Feb19 16:20] ",
    "dmesg -H, later": "[  +0.000003] ",
    "dmesg --time-format iso": "2024-02-19T16:20:13,123456+01:00 ",
    "caller": "[   12.500000][  T431] ",
    "processor": "[   12.500000][    C1] ",
    "syslog": "Feb  9 16:20:13 host kernel: ",
    "syslog with stamp": "Feb 19 16:20:13 host.example.org kernel: [   12.500000] ",
    "syslog with severity": "Apr 30 07:12:11.435319 sonic WARNING kernel: [   12.500000] ",
    "rfc 5424": "2024-02-19T16:20:13.123456+00:00 host kernel: [   12.500000] ",
    "journalctl -o short-full": "Mon 2024-02-19 16:20:13 CET host kernel: ",
    "journalctl -o short-monotonic": "[   12.500000] host kernel: ",
    "logread": "Sun Jun  6 16:14:57 2021 kern.warn kernel: [   12.500000] ",
    "tag only": "kernel: ",
    "quoted": "> [   12.500000] ",
}


def without_place(log: KernelLog) -> list[Report]:
    return [
        dataclasses.replace(
            report,
            time_s=None,
            line=0,
            zones=tuple(dataclasses.replace(found, line=0) for found in report.zones),
        )
        for report in log.reports
    ]


@pytest.mark.parametrize("style", PREFIXES)
@pytest.mark.parametrize("name", sorted(set(DUMPS) - {"ALLOC_7_TWO_CALLERS", "ALLOC_4_9_IN_PIECES"}))
def test_every_prefix_gives_the_same_reports(style, name):
    text = SAMPLES[name]
    prefixed = "".join(f"{PREFIXES[style]}{line.strip()}\n" for line in bare_lines(text))
    log = parse(prefixed)
    assert without_place(log) == without_place(parse(text))
    assert log.problems == ()
    stamped = {report.time_s for report in log.reports}
    assert stamped == ({12.5} if "12.500000" in PREFIXES[style] else {None})


def test_lines_of_other_programs_are_ignored():
    text = (
        "Feb 19 16:20:13 host kernel: [1.0] eth0: up\n"
        "Feb 19 16:20:13 host app[7]: Out of memory: Killed process 1 (x) total-vm:4kB\n"
        "Feb 19 16:20:13 host app[7]: kernel: x invoked oom-killer: gfp_mask=0xd0, order=0\n"
    )
    assert parse(text) == KernelLog()


def test_windows_line_ends():
    text = samples.ALLOC_6_12
    assert parse(text.replace("\n", "\r\n")).reports == parse(text).reports


# --- damage


def test_a_healthy_log_has_no_reports():
    assert parse("[    0.000000] Linux version 6.12.9-amd64\n[    1.0] eth0: up\n") == KernelLog()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "dmesg: read kernel buffer failed: Operation not permitted\n",
        "-- No entries --\n",
        "\0\1\2" * 99,
        "x" * 9999,
    ],
)
def test_text_that_is_no_kernel_log_is_an_error(text):
    with pytest.raises(ParseError, match="no line of a kernel log"):
        parse(text)


def test_holes_of_a_crash_are_bridged_and_noted():
    log = parse("\0" * 5000 + "\n" + samples.ALLOC_4_4)
    assert only(log).order == 0
    assert log.problems == ("the log has holes of NUL bytes",)


def test_an_endless_line_is_left_out():
    log = parse(samples.ALLOC_4_4 + "Node 0 Normal free:" + "9" * 100_000 + "\n")
    assert len(log.reports) == 1
    assert log.problems == ("line 6 is longer than any line of the kernel",)


def test_a_number_that_may_be_cut_at_the_end_of_the_text_is_unknown():
    log = parse("[1.5] x: page allocation failure: order:1, mode:0x40")
    assert (only(log).order, only(log).gfp_mask, only(log).atomic) == (1, None, None)
    assert log.problems == ("line 1 has no end, so its last word was left out",)
    assert only(parse("[1.5] x: page allocation failure: order:1")).order is None


def test_blocks_that_do_not_add_up_are_unknown():
    log = parse("Node 0 Normal free:8kB min:4kB low:5kB high:6kB\nNode 0 Normal: 1*4kB (U) 1*8kB (U) = 8kB\n")
    assert (only(log).zones[0].free, only(log).zones[0].blocks, only(log).page_size) == (8 * KIB, None, None)
    assert log.problems == ("line 2: zone Normal: the blocks do not add up to their sum",)


def test_marks_that_contradict_each_other_are_unknown():
    log = parse("[1.0] Node 0 DMA free:8kB min:9kB low:5kB high:6kB\n")
    assert log.reports == ()
    assert log.problems == ("line 1: zone DMA: min is above low",)


def test_a_value_given_twice_is_unknown():
    log = parse("Node 0 DMA free:8kB min:1kB low:5kB high:6kB present:9kB present:8kB\n")
    assert (only(log).zones[0].present, only(log).zones[0].min) == (None, KIB)
    assert log.problems == ("line 1: zone DMA: present twice or too large",)


def test_a_zone_that_lost_its_node_is_left_out():
    log = parse(
        "[1.0] Mem-Info:\n[1.0] Node 1 Normal free:8kB min:1kB low:2kB high:3kB\n"
        "[1.0] DMA free:8kB min:1kB low:2kB high:3kB\n"
    )
    assert [(found.node, found.zone) for found in only(log).zones] == [(1, "Normal")]
    assert log.problems == ("line 3: zone DMA has lost its node",)


def test_a_dump_long_after_a_failure_is_a_report_of_its_own():
    text = (
        "[10.0] x: page allocation failure: order:0, mode:0x20\n"
        "[500.0] Mem-Info:\n[500.0] Node 0 DMA free:8kB min:1kB low:2kB high:3kB\n"
    )
    failure, dump = parse(text).reports
    assert (failure.zones, dump.kind, dump.time_s, len(dump.zones)) == ((), "zones", 500.0, 1)


def test_a_zone_seen_again_begins_another_report():
    line = "Node 0 DMA free:{}kB min:1kB low:2kB high:3kB\n"
    assert [found.zones[0].free for found in parse(line.format(8) + line.format(9)).reports] == [
        8 * KIB,
        9 * KIB,
    ]


def test_problems_are_limited():
    log = parse("Node 0 DMA free:8kB min:9kB low:5kB high:6kB\n" * 100 + samples.ALLOC_4_4)
    assert len(log.problems) == 21
    assert log.problems[-1] == "and 80 more"


@pytest.mark.parametrize("name", DUMPS)
def test_unrelated_lines_in_between_change_nothing(name):
    noise = "[   77.000000] usb 1-1: new high-speed USB device number 4 using xhci_hcd"
    if not SAMPLES[name].startswith("["):
        noise = "Feb 19 16:20:13 host kernel: usb 1-1: new high-speed USB device number 4"
    lines = SAMPLES[name].splitlines()
    if name in ("ALLOC_4_9_IN_PIECES", "OOM_2_6_18", "OOM_6_1"):
        return  # lines without a prefix follow the line they belong to
    mixed = "".join(f"{line}\n{noise}\n" for line in lines)
    assert without_place(parse(mixed)) == without_place(parse(SAMPLES[name]))


def test_reports_that_follow_each_other_are_all_found():
    text = "".join(SAMPLES[name] for name in DUMPS)
    apart = [report for name in DUMPS for report in without_place(parse(SAMPLES[name]))]
    assert without_place(parse(text)) == apart


def test_every_report_of_a_long_noisy_log_is_found():
    noise = "Feb 19 16:20:13 host kernel: [%d.000000] usb 1-%d: free space, 12 pages in use by swap\n"
    text = "".join(noise % (n, n % 7) for n in range(40_000)) + samples.ALLOC_6_12 * 100
    assert len(parse(text).reports) == 100


# --- no damage may give a wrong number


def facts(log: KernelLog) -> set[tuple[object, ...]]:
    """All that a log says about its reports, without which report says it."""
    found: set[tuple[object, ...]] = set()
    for report in log.reports:
        for field in dataclasses.fields(Report):
            value = getattr(report, field.name)
            if field.name in ("zones", "totals", "line", "time_s", "kind", "text") or value in (None, ()):
                continue
            found.add((field.name, value))
        found |= {("totals", *item) for item in report.totals.items()}
        for line in report.zones:
            found |= {
                (line.node, line.zone, field.name, getattr(line, field.name))
                for field in dataclasses.fields(ZoneLine)
                if field.name != "line" and getattr(line, field.name) is not None
            }
    return found


# Flags and causes are judged from several lines, so less text may change them.
JUDGED = {"atomic", "direct_reclaim", "global_oom", "constraint"}


def numbers(found: set[tuple[object, ...]]) -> set[tuple[object, ...]]:
    return {fact for fact in found if fact[0] not in JUDGED}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_text_cut_anywhere_says_nothing_new(name):
    text = TEXTS[name]
    whole = numbers(facts(parse(text)))
    for end in range(0, len(text), 3):
        try:
            part = numbers(facts(parse(text[:end])))
        except ParseError:
            continue
        assert {fact for fact in part - whole if fact[:2] != ("victim_pid",)} == set(), end


def wrapped_hard(text: str, width: int) -> str:
    return "".join(
        line[start : start + width] + "\n" for line in text.splitlines() for start in range(0, max(1, len(line)), width)
    )


def wrapped_at_words(text: str, width: int) -> str:
    lines: list[str] = []
    for line in text.splitlines():
        lines.append("")
        for word in re.findall(r"\S+|\s+(?=\S)", line):
            if lines[-1] and word.strip() and len(lines[-1]) + len(word) > width:
                lines[-1] = lines[-1].rstrip()
                lines.append("")
            lines[-1] += word
    return "\n".join(lines) + "\n"


def bare(text: str) -> str:
    return "".join(f"{line}\n" for line in bare_lines(text))


@pytest.mark.parametrize("prefixed", [True, False])
@pytest.mark.parametrize("wrap", [wrapped_hard, wrapped_at_words])
@pytest.mark.parametrize("name", sorted(set(TEXTS) - {"MESSAGES"}))
def test_a_wrapped_text_says_nothing_new(wrap, name, prefixed):
    text = TEXTS[name] if prefixed else bare(TEXTS[name])
    whole = facts(parse(text))
    for width in range(60, 200, 1 if prefixed else 3):
        assert facts(parse(wrap(text, width))) - whole == set(), width


@pytest.mark.parametrize("wrap", [wrapped_hard, wrapped_at_words])
@pytest.mark.parametrize("width", [80, 100, 120, 132])
@pytest.mark.parametrize("name", ["ALLOC_6_12", "OOM_2_6_32_SYSLOG", "OOM_4_15", "MEMCG_OOM_5_4"])
def test_usual_widths_lose_nothing_of_zones_and_requests(wrap, width, name):
    whole, wrapped = parse(TEXTS[name]), parse(wrap(TEXTS[name], width))
    for before, after in zip(whole.reports, wrapped.reports, strict=True):
        assert (after.order, after.gfp_flags, after.atomic, after.victim, after.killed_rss_bytes) == (
            before.order,
            before.gfp_flags,
            before.atomic,
            before.victim,
            before.killed_rss_bytes,
        )
        for one, other in zip(before.zones, after.zones, strict=True):
            same = {"line": 0, "lowmem_reserve": None}
            assert dataclasses.replace(other, **same) == dataclasses.replace(one, **same)


def integers(value: object) -> list[int]:
    if isinstance(value, bool) or value is None or isinstance(value, str | float):
        return []
    if isinstance(value, int):
        return [value]
    if dataclasses.is_dataclass(value):
        return [n for field in dataclasses.fields(value) for n in integers(getattr(value, field.name))]
    if isinstance(value, dict):
        return [n for item in value.values() for n in integers(item)]
    return [n for item in value for n in integers(item)]  # type: ignore[attr-defined]


def survives(text: str) -> None:
    try:
        log = parse(text)
    except AdvisorError:
        return
    assert all(0 <= n < 2**64 for n in integers(log))


@fuzz
@given(
    name=st.sampled_from(sorted(TEXTS)),
    changes=st.lists(
        st.tuples(st.integers(0, 10**6), st.binary(min_size=0, max_size=4), st.integers(0, 40)), max_size=12
    ),
)
def test_mutated_bytes_never_raise_anything_else(name, changes):
    data = bytearray(TEXTS[name].encode())
    for place, new, removed in changes:
        at = place % (len(data) + 1)
        data[at : at + removed] = new
    survives(data.decode(errors="replace"))


WORDS = st.sampled_from(
    [word for text in TEXTS.values() for word in re.split(r"(\s+|[:=,()])", text) if word]
    + ["\0", "\x85", "٣", "9" * 40, "-1", "\n", "\r\n", "𝟘kB", "K"]
)


@fuzz
@given(st.lists(WORDS, max_size=120).map("".join))
def test_shuffled_words_never_raise_anything_else(text):
    survives(text)


@fuzz
@given(st.text())
def test_any_text_never_raises_anything_else(text):
    survives(text)
