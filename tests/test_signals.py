"""Signals say the same thing on every kernel, and say why when they cannot."""

import pytest

from advisor.capture.model import Capture, Process, Sample
from advisor.capture.open import open_capture
from advisor.errors import Unknown
from advisor.rulebook.source import types_for
from advisor.signals.model import catalogue, entities_of, scopes
from advisor.signals.table import Table
from advisor.signals.view import views
from tests.fixtures import INCIDENTS, KERNELS, STATES, capture_files


def vmstat(**counters):
    return "".join(f"{name} {value}\n" for name, value in counters.items())


def capture(*samples, seconds=10.0, **more):
    """Samples given as files by path, `seconds` apart."""
    taken = tuple(Sample(files, monotonic_s=100.0 + i * seconds, wall_s=None) for i, files in enumerate(samples))
    return Capture(taken, **more)


def value(taken, name):
    whole, _parts = views(taken)
    row = Table(whole).row([name])
    return row.values[name]


def reason(taken, name):
    whole, _parts = views(taken)
    row = Table(whole).row([name])
    assert row.values[name] is None
    return str(row.reasons[name])


def grown(before, after, name, **more):
    return value(capture({"proc/vmstat": vmstat(**before)}, {"proc/vmstat": vmstat(**after)}, **more), name)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"allocstall": 1}, {"allocstall": 6}, id="3.10: one counter"),
        pytest.param(
            {"allocstall_dma": 0, "allocstall_normal": 1, "allocstall_movable": 2},
            {"allocstall_dma": 0, "allocstall_normal": 3, "allocstall_movable": 5},
            id="4.8 and later: by zone",
        ),
    ],
)
def test_allocstall_is_one_number_on_every_kernel(before, after):
    assert grown(before, after, "rate.allocstall") == 0.5


def test_counters_by_zone_of_old_kernels_are_summed():
    before = {"pgscan_kswapd_dma32": 10, "pgscan_kswapd_normal": 20}
    assert grown(before, {"pgscan_kswapd_dma32": 15, "pgscan_kswapd_normal": 120}, "delta.pgscan_kswapd") == 105


def test_a_counter_that_only_begins_the_same_is_not_counted():
    before = {"pgscan_direct": 0, "pgscan_direct_throttle": 0}
    assert grown(before, {"pgscan_direct": 7, "pgscan_direct_throttle": 90}, "delta.pgscan_direct") == 7


def test_an_absent_counter_is_unknown_and_not_zero():
    both = {"proc/vmstat": vmstat(pgfault=1)}
    assert reason(capture(both, both), "rate.allocstall") == "/proc/vmstat has no allocstall here"


def test_refaults_of_kernels_without_the_split_count_as_file():
    assert grown({"workingset_refault": 1}, {"workingset_refault": 11}, "delta.workingset_refault_file") == 10


def test_pgpgin_is_in_bytes():
    assert grown({"pgpgin": 0}, {"pgpgin": 10}, "rate.pgpgin") == 1024.0


def test_reclaim_efficiency_never_counts_a_page_twice():
    before = dict.fromkeys(
        ("pgscan_kswapd", "pgsteal_kswapd", "pgscan_direct", "pgsteal_direct", "pgsteal_anon", "pgsteal_file"), 0
    )
    after = {
        "pgscan_kswapd": 8000, "pgsteal_kswapd": 6000, "pgscan_direct": 2000, "pgsteal_direct": 1000,
        "pgsteal_anon": 3000, "pgsteal_file": 4000,
    }  # fmt: skip
    assert grown(before, after, "reclaim.efficiency") == 0.7


def test_scanning_for_memory_cgroups_is_what_the_host_did_not_do():
    names = ("pgscan_anon", "pgscan_file", "pgscan_kswapd", "pgscan_direct", "allocstall")
    after = {"pgscan_anon": 6000, "pgscan_file": 4000, "pgscan_kswapd": 1000, "pgscan_direct": 1000, "allocstall": 9}
    assert grown(dict.fromkeys(names, 0), after, "reclaim.memcg_share") == 0.8


def test_direct_scanning_without_a_stall_of_the_host_was_for_memory_cgroups():
    names = ("pgscan_anon", "pgscan_file", "pgscan_kswapd", "pgscan_direct", "allocstall")
    after = {"pgscan_anon": 9000, "pgscan_file": 1000, "pgscan_kswapd": 0, "pgscan_direct": 10000, "allocstall": 0}
    assert grown(dict.fromkeys(names, 0), after, "reclaim.memcg_share") == 1.0


def test_a_ratio_over_a_few_pages_is_unknown():
    names = ("pgscan_kswapd", "pgsteal_kswapd")
    first, last = vmstat(**dict.fromkeys(names, 0)), vmstat(pgscan_kswapd=100, pgsteal_kswapd=1)
    taken = capture({"proc/vmstat": first}, {"proc/vmstat": last})
    assert "fewer than 1000 pages" in reason(taken, "reclaim.efficiency_kswapd")


def test_a_counter_that_went_backwards_is_unknown():
    taken = capture({"proc/vmstat": vmstat(pgfault=10)}, {"proc/vmstat": vmstat(pgfault=5)})
    assert "went backwards" in reason(taken, "rate.pgfault")


def test_a_reboot_in_between_makes_every_counter_unknown():
    stat = "cpu  1 1 1 1\ncpu0 1 1 1 1\nbtime {}\n"
    taken = capture(
        {"proc/vmstat": vmstat(pgfault=10), "proc/stat": stat.format(1000)},
        {"proc/vmstat": vmstat(pgfault=50), "proc/stat": stat.format(5000)},
    )
    assert "rebooted" in reason(taken, "rate.pgfault")


def test_dropped_caches_void_what_refaults_say():
    first = vmstat(workingset_refault_file=0, drop_pagecache=0, pgfault=0)
    last = vmstat(workingset_refault_file=9, drop_pagecache=1, pgfault=9)
    taken = capture({"proc/vmstat": first}, {"proc/vmstat": last})
    assert "dropped" in reason(taken, "rate.workingset_refault_file")
    assert value(taken, "rate.pgfault") == 0.9


def test_one_sample_gives_averages_since_boot():
    taken = capture({"proc/vmstat": vmstat(pgfault=1000), "proc/uptime": "50.00 1.00\n"})
    assert value(taken, "rate.pgfault") == 20.0
    assert value(taken, "window.since_boot") is True


def test_without_any_clock_rates_are_unknown_and_shares_are_not():
    names = ("compact_stall", "compact_fail")
    taken = Capture((Sample({"proc/vmstat": vmstat(**dict.fromkeys(names, 0))}),
                     Sample({"proc/vmstat": vmstat(compact_stall=10, compact_fail=7)})))  # fmt: skip
    assert value(taken, "compaction.fail_share") == 0.7
    assert value(taken, "rate.compact_stall") is None


def test_the_interval_of_a_capture_is_its_window():
    first, last = Sample({"proc/vmstat": vmstat(pgfault=0)}), Sample({"proc/vmstat": vmstat(pgfault=50)})
    assert value(Capture((first, last), interval_s=5.0), "rate.pgfault") == 10.0


def test_an_interval_that_the_uptime_contradicts_is_not_believed():
    first = Sample({"proc/vmstat": vmstat(pgfault=0), "proc/uptime": "100.00 1.00\n"})
    last = Sample({"proc/vmstat": vmstat(pgfault=50), "proc/uptime": "700.00 1.00\n"})
    assert "ran 600 s in between" in reason(Capture((first, last), interval_s=10.0), "rate.pgfault")


def test_a_clock_that_stood_still_is_no_window():
    sample = {"proc/vmstat": vmstat(pgfault=5)}
    assert "clock did not advance" in reason(capture(sample, sample, seconds=0.0), "rate.pgfault")


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_page_size_is_told_by_what_two_files_print(kernel):
    assert value(capture(capture_files(kernel, "idle")), "page_size") == 4096.0


def test_large_pages_are_recognised():
    files = {
        "proc/meminfo": "MemFree:        6553600 kB\nAnonPages:       655360 kB\n",
        "proc/vmstat": vmstat(nr_free_pages=102400, nr_anon_pages=10240),
    }
    assert value(capture(files), "page_size") == 65536.0


def test_files_that_contradict_each_other_give_no_page_size():
    files = {"proc/meminfo": "MemFree: 100 kB\n", "proc/vmstat": vmstat(nr_free_pages=100000)}
    assert "disagree" in reason(capture(files), "page_size")


def test_a_containers_meminfo_is_not_taken_for_the_hosts():
    files = dict(capture_files("6.12", "idle"))
    lines = files["proc/meminfo"].splitlines()
    files["proc/meminfo"] = "".join(
        "MemTotal:  65536 kB\n" if line.startswith("MemTotal") else line + "\n" for line in lines
    )
    taken = capture(files)
    assert value(taken, "host.meminfo_is_a_containers") is True
    assert "container" in reason(taken, "meminfo.MemAvailable")
    assert value(taken, "memory.total") == value(capture(capture_files("6.12", "idle")), "memory.total")


def test_memory_that_came_in_between_makes_comparisons_of_zones_unknown():
    before = dict(capture_files("6.12", "idle"))
    after = {**before, "proc/zoneinfo": before["proc/zoneinfo"].replace("managed  ", "managed  9")}
    taken = capture(before, after)
    assert value(taken, "window.memory_resized") is True
    assert "added or taken away" in reason(taken, "watermark.free_least")


def test_marks_are_given_without_their_boost():
    taken = capture(capture_files("7.3", "pressure"))
    whole, _parts = views(taken)
    from advisor.signals.model import entities_of

    normal = next(e for e in entities_of(whole, "zone") if e.name == "node 0 Normal")
    row = Table(whole).row(["zone.min", "zone.boost"], "zone", normal)
    assert row.values["zone.boost"] == 852
    text = capture_files("7.3", "pressure")["proc/zoneinfo"].split("zone   Normal")[1]
    printed = int(text.split("min ")[1].split()[0])
    assert row.values["zone.min"] == printed - 852


def test_a_damaged_zoneinfo_is_not_summed():
    files = dict(capture_files("6.12", "idle"))
    files["proc/zoneinfo"] = files["proc/zoneinfo"][: len(files["proc/zoneinfo"]) // 2]
    assert value(capture(files), "host.managed") is None


def test_free_of_procps_stands_in_for_meminfo():
    taken = open_capture(str(INCIDENTS / "low-free-is-not-pressure"))
    assert value(taken, "meminfo.MemAvailable") == pytest.approx(6.1 * 2**30)
    assert value(taken, "memory.available_share") == pytest.approx(6.1 / 15)


def test_free_that_does_not_say_its_unit_gives_shares_and_no_sizes():
    taken = open_capture(str(INCIDENTS / "swap-parked-but-memory-available"))
    assert value(taken, "memory.available_share") == pytest.approx(5318 / 7976)
    assert value(taken, "meminfo.MemAvailable") is None


def test_processes_that_were_not_recorded_are_unknown_and_not_absent():
    assert "not recorded" in reason(capture({}), "running.kubelet")
    taken = capture({}, processes=(Process(1, "kubelet", 1 << 20, flags=("kubelet",)),))
    assert value(taken, "running.kubelet") is True
    assert value(taken, "running.earlyoom") is False


def test_every_signal_can_be_used_by_a_rule_and_says_what_it_means():
    for scope in scopes():
        assert types_for(scope)
    for signal in catalogue().values():
        assert signal.meaning.endswith("."), signal.name
        assert signal.reads or signal.name == "host.role", signal.name


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("state", STATES)
def test_every_signal_is_a_finite_value_or_unknown_with_a_reason(kernel, state):
    whole, _parts = views(capture(capture_files(kernel, "idle"), capture_files(kernel, state)))
    names = [signal.name for signal in catalogue().values() if signal.scope == "host"]
    row = Table(whole).row(names)
    for name in names:
        assert (row.values[name] is None) == (name in row.reasons), name
        if catalogue()[name].unit == "ratio" and row.values[name] is not None:
            assert 0 <= row.values[name] <= 1, name


def test_an_unknown_carries_the_reason_why_a_file_was_not_read():
    taken = capture({}, {}, unread={"proc/slabinfo": "permission denied; root reads it"})
    whole, _parts = views(taken)
    from advisor.signals.model import entities_of

    with pytest.raises(Unknown, match="root reads it"):
        entities_of(whole, "slabcache")


def test_without_pressure_information_waiting_is_bounded_by_the_whole_window():
    line = "some avg10=0.00 avg60=0.00 avg300=0.00 total={0}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total={0}\n"
    before, after = ({"proc/pressure/memory": line.format(total)} for total in (0, 200_000))
    assert value(capture(before, after), "psi.memory.ceiling") == pytest.approx(0.02)
    absent = {"proc/pressure/memory": "not on this host"}
    assert value(capture({}, {}, unread=absent), "psi.memory.ceiling") == 1.0
    assert value(capture({}, {}), "psi.memory.ceiling") is None


def test_the_page_cache_of_a_node_is_told_by_its_own_file():
    path = "sys/devices/system/node/node0/meminfo"
    text = "Node 0 MemTotal: 1000 kB\nNode 0 MemFree: 10 kB\nNode 0 Active(file): 300 kB\n"
    whole = text + "Node 0 Inactive(file): 200 kB\n"
    for node, expected in ((whole, 0.5), (text, None)):
        view = views(capture({path: node}))[0]
        (entity,) = entities_of(view, "node")
        assert Table(view).row(["node.file_share"], "node", entity).values["node.file_share"] == expected
