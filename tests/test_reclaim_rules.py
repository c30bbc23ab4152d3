"""The rules of reclaim together: one problem is counted once, and nothing makes a shortage worse."""

import re

import pytest

from advisor.analysis import analyse
from advisor.capture.model import Capture, Sample
from advisor.rulebook import library
from tests.fixtures import capture_files

EASY = {
    "allocstall_movable": 600, "pgscan_kswapd": 400_000, "pgsteal_kswapd": 380_000, "pgscan_direct": 60_000,
    "pgsteal_direct": 57_000, "pageoutrun": 400, "kswapd_low_wmark_hit_quickly": 200, "pgscan_file": 460_000,
}  # fmt: skip
HARD = EASY | {"pgsteal_kswapd": 50_000, "pgsteal_direct": 5000}
MARKS = {"vm.watermark_scale_factor", "vm.min_free_kbytes"}


@pytest.fixture(scope="module")
def checks():
    return library.load()


def minute(files=None, **counters):
    """The idle host, and a minute later the same one with some counters grown."""
    before = capture_files("6.12", "idle") | (files or {})
    text = before["proc/vmstat"]
    for name, value in counters.items():
        text, found = re.subn(rf"^{name} \d+$", f"{name} {value}", text, flags=re.MULTILINE)
        assert found, name
    files = {"proc/vmstat": text}
    if counters:  # some task waits for 4 of the 60 s
        files["proc/pressure/memory"] = before["proc/pressure/memory"].replace("total=162", "total=4000162", 1)
    after = before | files
    return Capture(
        (Sample(before, monotonic_s=100.0, wall_s=None), Sample(after, monotonic_s=160.0, wall_s=None)),
        interval_s=60.0,
    )


def warnings(report):
    return {finding.rule for finding in report.failed() if finding.severity != "notice"}


def settings(report):
    return {recommendation.setting: recommendation for recommendation in report.plan.recommendations}


def test_late_kswapd_is_one_finding_with_one_setting(checks):
    report = analyse(minute(**EASY), checks)
    assert warnings(report) == {"direct-reclaim-though-easy"}
    late = next(f for f in report.failed() if f.rule == "kswapd-woken-too-late")
    assert late.explained_by == "direct-reclaim-though-easy"
    assert set(settings(report)) == {"vm.watermark_scale_factor"}


def test_a_kernel_without_the_factor_gets_min_free_kbytes(checks):
    files = {path: text for path, text in capture_files("6.12", "idle").items() if "watermark_scale" not in path}
    taken = minute(**EASY)
    samples = tuple(Sample({p: s.files[p] for p in files}, s.monotonic_s, s.wall_s) for s in taken.samples)
    plan = settings(analyse(Capture(samples, interval_s=60.0), checks))
    assert set(plan) == {"vm.min_free_kbytes"}
    assert plan["vm.min_free_kbytes"].direction == "increase"


def test_in_a_shortage_the_marks_are_left_alone(checks):
    report = analyse(minute(**HARD), checks)
    assert "direct-reclaim-in-shortage" in warnings(report)
    assert not MARKS & set(settings(report))


def test_stalls_for_large_blocks_do_not_raise_the_marks(checks):
    report = analyse(minute(allocstall_movable=600, compact_stall=900, compact_fail=800), checks)
    assert warnings(report) & {"stalls-for-large-blocks", "compaction-stalls"}
    assert not MARKS & set(settings(report))


def test_a_host_that_reclaims_without_stalls_is_healthy(checks):
    calm = EASY | {"allocstall_movable": 0, "pgscan_direct": 0, "pgsteal_direct": 0}
    assert warnings(analyse(minute(**calm), checks)) == set()


def test_a_large_reserve_is_not_lowered_while_tasks_stall(checks):
    files = {"proc/sys/vm/min_free_kbytes": "23000\n"}
    report = analyse(minute(files, **EASY), checks)
    assert "min-free-too-large" in warnings(report)
    assert "vm.min_free_kbytes" not in settings(report)
    calm = analyse(minute(files), checks)
    assert settings(calm)["vm.min_free_kbytes"].direction == "decrease"
