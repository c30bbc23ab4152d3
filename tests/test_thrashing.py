"""Thrashing is told from everything that looks like it, on kernels old and new, and no setting makes it worse."""

import re

import pytest

from advisor.analysis import NO_THRASH, ONSET, THRASH, analyse
from advisor.capture.model import Capture, Sample
from advisor.capture.open import open_capture
from advisor.rulebook import library
from tests.capture_helpers import plant
from tests.fixtures import CAPTURES, INCIDENTS, KERNELS, capture_files

MARKS = {"vm.watermark_scale_factor", "vm.min_free_kbytes"}
STATE = {"5.10": ONSET, "6.1": ONSET, "6.12": THRASH, "7.3": ONSET}


@pytest.fixture(scope="module")
def checks():
    return library.load()


def onto_pressure(tmp_path, kernel, change=lambda files: files):
    """The same host idle and under pressure, as a folder; the uptime tells the seconds in between."""
    plant(tmp_path / "t0", change(capture_files(kernel, "idle")))
    plant(tmp_path / "t1", change(capture_files(kernel, "pressure")))
    return open_capture(str(tmp_path))


def without_psi(files):
    return {path: text for path, text in files.items() if not path.startswith("proc/pressure/")}


def without_split(files):
    """/proc/vmstat as kernels before v5.9 print it: refaults of files alone, under one name."""
    text = re.sub(r"^workingset_\w+_anon \d+\n", "", files["proc/vmstat"], flags=re.MULTILINE)
    return files | {"proc/vmstat": re.sub(r"^(workingset_\w+)_file ", r"\1 ", text, flags=re.MULTILINE)}


def minute(files=None, psi_full=0.0, psi_some=None, available_kib=None, **counters):
    """The idle 6.12 host, and a minute later the same one with some counters grown."""
    before = capture_files("6.12", "idle") | (files or {})
    text = before["proc/vmstat"]
    for name, by in counters.items():
        (was,) = re.findall(rf"^{name} (\d+)$", text, flags=re.MULTILINE)
        text = re.sub(rf"^{name} .*$", f"{name} {int(was) + by}", text, flags=re.MULTILINE)
    average = "avg10=0.00 avg60=0.00 avg300=0.00"
    some, full = int((psi_full if psi_some is None else psi_some) * 60e6), int(psi_full * 60e6)
    after = before | {
        "proc/vmstat": text,
        "proc/pressure/memory": f"some {average} total={some + 162}\nfull {average} total={full + 162}\n",
    }
    if available_kib is not None:
        meminfo = re.sub(r"MemAvailable: +\d+", f"MemAvailable: {available_kib}", before["proc/meminfo"])
        after["proc/meminfo"] = meminfo
    return Capture((Sample(before, 100.0, None), Sample(after, 160.0, None)), interval_s=60.0)


def warnings(report):
    return {finding.rule for finding in report.failed() if finding.severity != "notice"}


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_guest_that_thrashes_on_swap_gets_that_verdict_first(kernel, tmp_path, checks):
    report = analyse(onto_pressure(tmp_path, kernel), checks)
    assert report.failed()[0].rule == "swap-thrash"
    assert report.thrash == STATE[kernel]
    assert not MARKS & {recommendation.setting for recommendation in report.plan.recommendations}


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_that_do_not_tell_anonymous_refaults_get_the_same_verdict(kernel, tmp_path, checks):
    report = analyse(onto_pressure(tmp_path, kernel, without_split), checks)
    assert report.failed()[0].rule == "swap-thrash"
    assert report.thrash == STATE[kernel]


def test_without_psi_the_waiting_for_the_swap_disk_tells(tmp_path, checks):
    report = analyse(onto_pressure(tmp_path, "6.12", without_psi), checks)
    assert "swap-thrash" in warnings(report)
    assert report.thrash == ONSET


def test_without_psi_nobody_knows_whether_tasks_wait_while_memory_only_goes_out(tmp_path, checks):
    report = analyse(onto_pressure(tmp_path, "5.10", without_psi), checks)
    assert "swap-thrash" not in warnings(report)
    assert report.thrash is None


@pytest.mark.parametrize("kernel", KERNELS)
def test_one_sample_of_a_host_up_for_long_cannot_exclude_thrashing(kernel, checks):
    files = capture_files(kernel, "pressure") | {"proc/uptime": "864000.00 1.00\n"}
    assert analyse(Capture((Sample(files),)), checks).thrash is None


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_host_just_booted_does_not_thrash(kernel, checks):
    report = analyse(open_capture(str(CAPTURES / f"{kernel}-idle.tar.xz")), checks)
    assert report.thrash == NO_THRASH


THRASHING_FILES = {
    "workingset_refault_file": 300_000, "workingset_activate_file": 280_000, "workingset_restore_file": 250_000,
    "pgsteal_kswapd": 310_000, "pgscan_kswapd": 900_000, "pgpgin": 1_250_000, "pgmajfault": 9000,
}  # fmt: skip
NO_SWAP = {"proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"}


def test_page_cache_thrashes_on_a_host_without_swap(checks):
    report = analyse(minute(NO_SWAP, psi_full=0.22, psi_some=0.4, available_kib=20_000, **THRASHING_FILES), checks)
    assert report.failed()[0].rule == "file-thrash"
    assert report.thrash == THRASH
    assert not MARKS & {recommendation.setting for recommendation in report.plan.recommendations}


def test_the_onset_of_page_cache_thrashing_is_a_warning(checks):
    report = analyse(minute(NO_SWAP, psi_full=0.07, psi_some=0.2, available_kib=20_000, **THRASHING_FILES), checks)
    assert report.thrash == ONSET


OUT = {"pswpout": 400_000, "pgsteal_kswapd": 400_000, "pgscan_kswapd": 600_000, "pgsteal_anon": 400_000}
HEALTHY = {
    "idle memory goes to swap and stays there": minute(available_kib=90_000, **OUT),
    "a JVM starts, tasks help to reclaim, page cache is left": minute(
        psi_full=0.06, psi_some=0.08, available_kib=150_000, pswpin=300, allocstall_movable=90,
        pgsteal_direct=30_000, pgscan_direct=60_000, **OUT,
    ),
    "an idle application is read back": minute(
        psi_some=0.08, psi_full=0.0, available_kib=150_000, pswpin=60_000, pgmajfault=9000, pgpgin=240_000
    ),
    "a backup reads everything once": minute(
        psi_some=0.03, pgpgin=9_000_000, pgsteal_kswapd=2_200_000, pgscan_kswapd=2_300_000,
        workingset_refault_file=20_000,
    ),
    "a large copy streams through the cache and pushes some pages out": minute(
        psi_some=0.06, psi_full=0.03, pgpgin=6_000_000, pgpgout=6_000_000, pgsteal_kswapd=1_500_000,
        pgscan_kswapd=1_700_000, pswpout=9000, pswpin=500, allocstall_movable=20, pgsteal_direct=2000,
        pgscan_direct=2200,
    ),
    "swap is full and at rest": minute(
        {"proc/swaps": "Filename\tType\tSize\tUsed\tPriority\n/dev/vdb partition 1048572 1048000 -2\n"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("taken", HEALTHY.values(), ids=HEALTHY)
def test_what_only_looks_like_thrashing_is_none(taken, checks):
    report = analyse(taken, checks)
    assert warnings(report) & {"swap-thrash", "file-thrash", "swap-runs-full", "memory-pressure-rising"} == set()
    assert report.thrash == NO_THRASH
    assert not {"capacity.ram", "vm.swappiness"} & {line.setting for line in report.plan.recommendations}


@pytest.mark.parametrize(
    "name", ["swap-full-idle-node", "swap-parked-but-memory-available", "low-free-is-not-pressure"]
)
def test_occupied_swap_is_at_most_a_remark(name, checks):
    report = analyse(open_capture(str(INCIDENTS / name)), checks)
    assert warnings(report) == set()
    assert report.plan.recommendations == ()


def test_parked_swap_is_called_harmless(checks):
    (finding,) = analyse(open_capture(str(INCIDENTS / "swap-parked-but-memory-available")), checks).failed()
    assert (finding.rule, finding.diagnosis, finding.remedy) == ("swap-parked", "swap_usage_benign", "none")
    assert "No action" in finding.message


def test_pressure_that_grows_is_foretold(checks):
    def sample(index):
        total = sum(int(0.01 * part * 60e6) for part in range(index + 1))
        average = "avg10=0.00 avg60=0.00 avg300=0.00"
        meminfo = re.sub(r"MemAvailable: +\d+", "MemAvailable: 20000", capture_files("6.12", "idle")["proc/meminfo"])
        return Sample(
            capture_files("6.12", "idle")
            | {"proc/pressure/memory": f"some {average} total={total}\nfull {average} total={total}\n",
               "proc/meminfo": meminfo},
            100.0 + 60 * index,
        )  # fmt: skip

    report = analyse(Capture(tuple(sample(i) for i in range(7))), checks)
    finding = next(f for f in report.failed() if f.rule == "memory-pressure-rising")
    assert "4 min" in finding.message
