"""Swap traffic, refaults and waiting as signals: of the present, on every kernel, and from vmstat(8)."""

import pytest

from advisor.capture.model import Capture, Sample
from tests.fixtures import capture_files
from tests.test_signals import capture, reason, value, vmstat

TABLE = (
    "procs -----------memory---------- ---swap-- -----io---- -system-- ----cpu----\n"
    " r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa\n"
    " 0  0 296480 381052   9732 2481324    1    2  2022    19   45   44  1  2 81 16\n"
    " 1  4 296480 382040   9732 2481180  512 1024  2048  1024 6505  825  1  2 40 40\n"
    " 1  4 296480 382040   9732 2481180 1536 1024  2048  3072 6505  825  1  2 40 60\n"
)
MEMINFO = "MemFree:        6553600 kB\nAnonPages:       655360 kB\n"


def swapped(before, after, name, files=None, seconds=10.0):
    samples = [(files or {}) | {"proc/vmstat": vmstat(**counters)} for counters in (before, after)]
    return value(capture(*samples, seconds=seconds), name)


def test_swap_traffic_is_in_bytes_of_the_hosts_pages():
    files = {"proc/meminfo": MEMINFO}
    gauges = {"nr_free_pages": 102400, "nr_anon_pages": 10240}
    after = gauges | {"pswpin": 100}
    assert swapped(gauges | {"pswpin": 0}, after, "swap.in_rate", files) == 100 * 65536 / 10


def test_without_the_page_size_swap_traffic_is_never_overstated():
    assert swapped({"pswpin": 0}, {"pswpin": 100}, "swap.in_rate") == 100 * 4096 / 10


def test_zswap_counts_as_swap_and_its_writeback_not_twice():
    before = dict.fromkeys(("pswpin", "pswpout", "zswpin", "zswpout", "zswpwb"), 0)
    after = {"pswpin": 10, "zswpin": 20, "pswpout": 50, "zswpout": 200, "zswpwb": 40}
    assert swapped(before, after, "swap.in_rate") == 30 * 4096 / 10
    assert swapped(before, after, "swap.out_rate") == 210 * 4096 / 10


def test_totals_since_a_boot_long_ago_do_not_speak_of_the_present():
    files = {"proc/vmstat": vmstat(pswpin=1000, pswpout=0), "proc/uptime": "86400.00 1.00\n"}
    taken = capture(files)
    assert "one sample" in reason(taken, "swap.in_rate")
    assert value(taken, "swap.out_rate") == 0


def test_totals_since_a_boot_minutes_ago_do():
    files = {"proc/vmstat": vmstat(pswpin=1000), "proc/uptime": "100.00 1.00\n"}
    assert value(capture(files), "swap.in_rate") == 1000 * 4096 / 100


def test_no_traffic_is_0_even_where_no_clock_tells_the_window():
    taken = Capture((Sample({"proc/vmstat": vmstat(pswpin=7)}), Sample({"proc/vmstat": vmstat(pswpin=7)})))
    assert value(taken, "swap.in_rate") == 0


def test_vmstat_of_procps_stands_in_and_its_first_row_is_left_out():
    taken = Capture((Sample({}),), tools={"vmstat": TABLE})
    assert value(taken, "swap.in_rate") == 1024 * 1024
    assert value(taken, "swap.out_rate") == 1024 * 1024
    assert value(taken, "cpu.iowait") == pytest.approx(0.5)
    assert value(taken, "swap.iowait") == pytest.approx(0.5 * 2048 / 4096)


def test_the_kernels_own_counters_come_before_vmstat_of_procps():
    files = [{"proc/vmstat": vmstat(pswpin=count)} for count in (0, 0)]
    assert value(capture(*files, tools={"vmstat": TABLE}), "swap.in_rate") == 0


def test_an_unreadable_vmstat_of_procps_leaves_the_first_reason():
    assert "/proc/vmstat is not in the capture" in reason(
        Capture((Sample({}),), tools={"vmstat": "no table\n"}), "swap.in_rate"
    )


def refaults(lru_gen, **after):
    files = {} if lru_gen is None else {"sys/kernel/mm/lru_gen/enabled": lru_gen}
    before = {"proc/vmstat": vmstat(**dict.fromkeys(after, 0))}
    return value(capture(files | before, files | {"proc/vmstat": vmstat(**after)}), "refault.file_in_use")


SPLIT = {"workingset_refault_file": 10_000, "workingset_activate_file": 8000, "workingset_restore_file": 4000}


@pytest.mark.parametrize(
    ("lru_gen", "counters", "expected"),
    [
        pytest.param(None, SPLIT, 0.4, id="classic LRU: restored"),
        pytest.param("0x0000\n", SPLIT, 0.4, id="MGLRU built in and off"),
        pytest.param("0x0007\n", SPLIT, 0.8, id="MGLRU: activated"),
        pytest.param(
            None, {"workingset_refault": 10_000, "workingset_activate": 6000}, 0.6, id="no split, no restores"
        ),
        pytest.param(
            None,
            {"workingset_refault": 10_000, "workingset_activate": 6000, "workingset_restore": 1000},
            0.1,
            id="no split",
        ),
    ],
)
def test_the_share_of_refaults_in_use_on_every_kernel(lru_gen, counters, expected):
    assert refaults(lru_gen, **counters) == expected


def test_a_share_of_few_refaults_is_unknown():
    assert refaults(None, workingset_refault_file=900, workingset_restore_file=900) is None


def cpu(**ticks):
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice")
    line = "cpu  " + " ".join(str(ticks.get(name, 0)) for name in names)
    return f"{line}\ncpu0 {line[5:]}\nintr 5\nbtime 1700000000\n"


def test_iowait_is_a_share_of_all_processor_time_and_guests_count_once():
    first = {"proc/stat": cpu(user=1000, idle=1000, iowait=500, guest=900)}
    last = {"proc/stat": cpu(user=1050, idle=1030, iowait=520, guest=945)}
    assert value(capture(first, last), "cpu.iowait") == pytest.approx(0.2)


def test_iowait_that_went_backwards_is_unknown():
    first, last = {"proc/stat": cpu(idle=1000, iowait=500)}, {"proc/stat": cpu(idle=1100, iowait=490)}
    assert value(capture(first, last), "cpu.iowait") is None


IO = {"pswpin": 256, "pswpout": 0, "pgpgin": 4096, "pgpgout": 0}


def test_swap_has_its_part_in_the_waiting_for_io():
    first = {"proc/stat": cpu(idle=1000), "proc/vmstat": vmstat(**dict.fromkeys(IO, 0))}
    last = {"proc/stat": cpu(idle=1060, iowait=40), "proc/vmstat": vmstat(**IO)}
    assert value(capture(first, last), "swap.iowait") == pytest.approx(0.4 * 0.25)


def test_nobody_waits_for_the_io_of_zram():
    swaps = "Filename Type Size Used Priority\n/dev/zram0 partition 1048572 9 100\n"
    first = {"proc/stat": cpu(idle=1000), "proc/vmstat": vmstat(**dict.fromkeys(IO, 0)), "proc/swaps": swaps}
    last = first | {"proc/stat": cpu(idle=1060, iowait=40), "proc/vmstat": vmstat(**IO)}
    assert value(capture(first, last), "swap.iowait") == 0


@pytest.mark.parametrize("kernel", ["5.10", "7.3"])
def test_a_recorded_host_shows_its_traffic(kernel):
    taken = capture(capture_files(kernel, "idle"), capture_files(kernel, "pressure"), seconds=20.0)
    pages = {"5.10": (193, 50840), "7.3": (107, 27187)}[kernel]
    assert value(taken, "swap.in_rate") == pytest.approx(pages[0] * 4096 / 20)
    assert value(taken, "swap.out_rate") == pytest.approx(pages[1] * 4096 / 20)


def test_a_list_of_swap_areas_that_is_cut_off_gives_no_total():
    cut = "Filename Type Size Used Priority\n/dev/sda2 partition 976892 976836 -2\n/dev/sdb2 parti"
    assert value(capture({"proc/swaps": cut}), "swap.total") is None


FREE = (
    "               total        used        free      shared  buff/cache   available\n"
    "Mem:            15Gi       7.3Gi       576Mi       727Mi       7.7Gi       6.1Gi\n"
    "Swap:          4.6Gi       6.0Mi       4.6Gi\n"
)


def test_what_free_prints_as_used_swap_is_taken_and_not_a_difference_of_rounded_numbers():
    assert value(Capture((Sample({}),), tools={"free": FREE}), "swap.used") == 6 * 2**20
