"""Captures whose files contradict each other, or were read only once: unknown with a reason, never a wrong number."""

import re

import pytest

from advisor.analysis import analyse
from advisor.cli import main
from advisor.report.layout import paragraph, plain
from advisor.report.text import layout
from advisor.rulebook import library
from tests.fixtures import CAPTURES, capture_files
from tests.generate_zoneinfo import generate
from tests.test_signals import capture, reason, value, vmstat

REAL = capture_files("6.12", "pressure")
DISK = "   8       0 sda 10 0 80 5 10 0 80 5 0 {} 20 0 0 0 0 0 0\n"
SWAPS = "Filename Type Size Used Priority\n/dev/sda2 partition 1000 {} -2\n"


def real(path, before, after):
    """The text of a file of a recorded host with one change, and everything beside it."""
    changed = re.sub(before, after, REAL[path], flags=re.MULTILINE)
    assert changed != REAL[path]
    return REAL | {path: changed}


def test_a_zone_that_only_one_sample_counts_is_no_growth():
    taken = capture(
        {"proc/vmstat": vmstat(allocstall_movable=1)},
        {"proc/vmstat": vmstat(allocstall_normal=90_000, allocstall_movable=1)},
    )
    assert "other zones" in reason(taken, "rate.allocstall")


def test_a_zone_whose_line_is_damaged_is_not_left_out_of_the_sum():
    damaged = {"proc/vmstat": vmstat(allocstall_movable=1) + "allocstall_normal ?\n"}
    assert "damaged" in reason(capture(damaged, damaged), "delta.allocstall")


def test_a_file_that_only_the_first_sample_has_did_not_stay_the_same():
    taken = capture(
        {"proc/vmstat": vmstat(allocstall=1)}, {"proc/uptime": "9 9\n"}, unread={"proc/vmstat": "larger than 32 MiB"}
    )
    assert reason(taken, "rate.allocstall") == (
        "/proc/vmstat was read at the start of the window only; larger than 32 MiB"
    )


def test_samples_in_the_wrong_order_have_no_rates_even_where_counters_stood_still():
    files = {"proc/vmstat": vmstat(allocstall=1)}
    taken = capture({**files, "proc/uptime": "500.00 1.00\n"}, {**files, "proc/uptime": "400.00 1.00\n"})
    assert "swapped" in reason(taken, "rate.allocstall")


def test_busy_time_of_a_disk_that_ran_backwards_is_unknown():
    taken = capture({"proc/diskstats": DISK.format(9000)}, {"proc/diskstats": DISK.format(100)})
    assert "backwards" in reason(taken, "disk.busy")


@pytest.mark.parametrize("name", ["swap.total", "swap.used", "swap.used_share"])
def test_more_swap_in_use_than_there_is_is_unknown(name):
    assert "contradict" in reason(capture({"proc/swaps": SWAPS.format(5000)}), name)


def test_swap_in_use_is_told_where_it_makes_sense():
    assert value(capture({"proc/swaps": SWAPS.format(250)}), "swap.used_share") == 0.25


def test_more_available_than_there_is_memory_is_unknown():
    files = real("proc/meminfo", r"^MemAvailable: .*", "MemAvailable: 999999999 kB")
    assert "contradict" in reason(capture(files), "memory.available_share")


def test_huge_page_pools_larger_than_memory_are_unknown():
    files = real("proc/meminfo", r"^Hugetlb: .*", "Hugetlb: 999999999 kB")
    assert "contradicts" in reason(capture(files), "commit.base")


@pytest.mark.parametrize(("name", "text"), [("vm.swappiness", "-1\n"), ("vm.dirty_ratio", "4000\n"),
                                            ("vm.min_free_kbytes", "-5\n")])  # fmt: skip
def test_a_setting_that_no_kernel_can_have_is_unknown(name, text):
    path = f"proc/sys/vm/{name.removeprefix('vm.')}"
    assert "no kernel has" in reason(capture({path: text}), name)


def test_the_value_that_stands_for_its_twin_is_one_that_kernels_have():
    assert value(capture({"proc/sys/vm/dirty_bytes": "0\n"}), "vm.dirty_bytes") == 0.0


@pytest.mark.parametrize("name", ["watermark.gap", "watermark.deviation", "watermark.matches_formula"])
def test_marks_that_do_not_rise_are_unknown(name):
    files = real("proc/zoneinfo", r"^        low      \d+", "        low      1")
    assert "contradict each other" in reason(capture(files), name)


@pytest.mark.parametrize("text", ["", "ten\n"])
def test_a_damaged_setting_is_not_one_that_the_kernel_lacks(text):
    files = REAL | {"proc/sys/vm/watermark_scale_factor": text}
    assert "watermark_scale_factor" in reason(capture(files), "watermark.deviation")


def test_nothing_is_predicted_without_one_of_the_zones():
    files = REAL | {"proc/zoneinfo": REAL["proc/zoneinfo"][:-300]}
    assert "damaged" in reason(capture(files), "watermark.auto_min_free")


def test_a_container_is_noticed_where_its_meminfo_no_longer_tells_the_page_size():
    def eighth(match):
        return f"{match[1]}{int(match[2]) // 8} kB"

    files = real("proc/meminfo", r"^(\S+: +)(\d+) kB$", eighth)
    assert value(capture(files), "host.meminfo_is_a_containers") is True
    for name in ("meminfo.MemTotal", "memory.total", "memory.available_share"):
        assert value(capture(files), name) is None


def test_a_host_name_that_is_no_text_gives_a_finding_all_the_same():
    report = analyse(capture(REAL | {"proc/sys/vm/min_free_kbytes": "100\n"}, host="\ud800"), library.load())
    assert report.failed()
    assert all(finding.fingerprint for finding in report.failed())


def test_of_very_many_zones_the_tightest_are_drawn():
    files = REAL | {"proc/zoneinfo": real_zones(40)}
    report = analyse(capture(files), ())
    assert len(report.zones) == 40
    lines = plain(layout(report, 100)).splitlines()
    assert sum(line.startswith("  node ") for line in lines) == 12
    assert "  and 28 zones with more room: advisor check --all" in lines
    assert any(line.startswith("  node 7 ") for line in lines)


def real_zones(nodes):
    """Each node has one zone with much room, but for node 7."""
    text = generate(1, nodes, frozenset(range(nodes)))
    for node in range(nodes):
        free = 100 if node == 7 else 50_000 + node
        marks = f"  pages free     {free}\n        boost    0\n        min      100\n        low      200\n"
        sizes = "        high     300\n        spanned  90000\n        present  90000\n        managed  90000\n"
        empty = re.compile(rf"(Node {node}, zone   Normal\n)  pages free     0\n(?:        \w+ +0\n)+")
        text = empty.sub(rf"\g<1>{marks}{sizes}", text)
    return text


def test_a_paragraph_of_megabytes_is_cut():
    assert sum(len(line[1][0]) for line in paragraph("x" * 10_000_000, indent=2, width=80)) <= 4000


def test_an_option_may_stand_between_a_rule_and_its_source(capsys):
    assert main(["explain", "swap-thrash", "--role", "jvm", str(CAPTURES / "6.12-idle.tar.xz")]) == 0
    assert "swap-thrash" in capsys.readouterr().out
