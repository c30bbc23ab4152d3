"""Signals of zones, nodes and watermarks, on machines that the recorded captures do not show."""

import pytest

from advisor.capture.model import Capture, Sample
from advisor.errors import Unknown
from advisor.signals.model import entities_of
from advisor.signals.table import Table
from advisor.signals.view import views
from tests.fixtures import KERNELS, capture_files

SIZES = {"DMA": 3840, "DMA32": 700_000, "Normal": 130_000, "HighMem": 900_000, "Movable": 500_000}


def zone(name, free, high, *, node=0, protection=(0, 0, 0, 0), managed=None, **more):
    """One section of /proc/zoneinfo as a kernel of the 6.x series prints it, without page lists."""
    low, least = high * 5 // 6, high * 2 // 3
    boost = f"        boost    {more.pop('boost')}\n" if "boost" in more else ""
    return (
        f"Node {node}, zone {name:>8}\n  pages free     {free}\n{boost}        min      {least}\n"
        f"        low      {low}\n        high     {high}\n        spanned  {SIZES[name]}\n"
        f"        present  {SIZES[name]}\n        managed  {managed or SIZES[name]}\n"
        f"        protection: ({', '.join(map(str, protection))})\n      nr_free_pages {free}\n"
        + "".join(f"  {key}: {count}\n" for key, count in more.items())
    )


def capture(*samples, seconds=10.0, **files):
    """Samples given as the sections of their zoneinfo; `files` go into every sample."""
    taken = tuple(
        Sample(files | ({"proc/zoneinfo": text} if text else {}), monotonic_s=100.0 + i * seconds, wall_s=None)
        for i, text in enumerate(samples)
    )
    return Capture(taken)


def host(taken, name):
    return Table(views(taken)[0]).row([name])


def value(taken, name, entity=None):
    whole, _parts = views(taken)
    if entity is None:
        return host(taken, name).values[name]
    scope = name.split(".")[0]
    found = next(e for e in entities_of(whole, scope) if e.name == entity)
    return Table(whole).row([name], scope, found).values[name]


def scans(**by_zone):
    return "".join(f"pgscan_kswapd_{name} {pages}\n" for name, pages in by_zone.items())


def both(start, end):
    """Two samples that differ in /proc/vmstat only."""
    zones = zone("DMA32", 87_395, 22_072, protection=(0, 0, 504, 504)) + zone("Normal", 3200, 3174)
    return Capture(
        tuple(
            Sample({"proc/vmstat": text, "proc/zoneinfo": zones}, monotonic_s=at, wall_s=None)
            for text, at in ((start, 100.0), (end, 110.0))
        )
    )


def test_the_share_of_a_zone_in_what_kswapd_scans_is_told_by_old_kernels():
    taken = both(scans(dma32=100, normal=1000), scans(dma32=1100, normal=10_000))
    assert value(taken, "zone.kswapd_share", "node 0 Normal") == 0.9
    assert value(taken, "zone.kswapd_share", "node 0 DMA32") == 0.1


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param("pgscan_kswapd 5\n", "pgscan_kswapd 90000\n", id="counted by node"),
        pytest.param(scans(normal=0), scans(normal=999), id="too few pages"),
        pytest.param(scans(normal=5000), scans(normal=4000), id="went backwards"),
        pytest.param(scans(dma32=5000), scans(dma32=9000, normal=9000), id="absent at first"),
    ],
)
def test_without_good_counts_the_share_of_a_zone_is_unknown(start, end):
    assert value(both(start, end), "zone.kswapd_share", "node 0 Normal") is None


def test_room_in_a_lower_zone_is_counted_without_what_is_protected():
    taken = capture(zone("DMA32", 60_000, 10_000, protection=(0, 0, 20_000, 20_000)) + zone("Normal", 3000, 3000))
    assert value(taken, "zone.lower_slack", "node 0 Normal") == 4.0


def test_a_zone_below_its_own_protection_offers_no_room():
    taken = capture(zone("DMA32", 9000, 10_000, protection=(0, 0, 20_000, 20_000)) + zone("Normal", 3000, 3000))
    assert value(taken, "zone.lower_slack", "node 0 Normal") == 0.0


def test_the_dma_zone_is_too_small_to_offer_room():
    taken = capture(zone("DMA", 3800, 20) + zone("Normal", 3000, 3000))
    assert value(taken, "zone.lower_slack", "node 0 Normal") == 0.0


def test_only_higher_zones_of_the_same_node_count_for_a_low_zone():
    taken = capture(zone("Normal", 100, 3000) + zone("HighMem", 9000, 1000) + zone("HighMem", 99_000, 1000, node=1))
    assert value(taken, "zone.higher_slack", "node 0 Normal") == 9.0
    assert value(taken, "zone.lower_slack", "node 0 HighMem") == pytest.approx(100 / 3000)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((50_000, 1000), (50_000, 1000), True),
        ((50_000, 1000), (50_000, 9000), False),
        ((5000, 1000), (50_000, 1000), False),
    ],
)
def test_a_zone_is_alone_short_when_it_and_no_other_was_below_high_in_both_samples(before, after, expected):
    taken = capture(*(zone("DMA32", dma32, 20_000) + zone("Normal", normal, 3000) for dma32, normal in (before, after)))
    assert value(taken, "zone.alone_short", "node 0 Normal") is expected


def test_free_least_is_that_of_the_only_sample_or_of_both():
    one, other = zone("Normal", 700, 3000), zone("Normal", 9000, 3000)
    assert value(capture(one), "zone.free_least", "node 0 Normal") == 700.0
    assert value(capture(one, other), "zone.free_least", "node 0 Normal") == 700.0
    assert value(capture(one), "zone.free_most", "node 0 Normal") is None


def test_zones_short_counts_zones_of_size_below_high_in_either_sample():
    calm = zone("DMA", 0, 60) + zone("DMA32", 90_000, 20_000) + zone("Normal", 9000, 3000)
    dip = zone("DMA", 0, 60) + zone("DMA32", 90_000, 20_000) + zone("Normal", 2999, 3000)
    assert value(capture(calm, calm), "watermark.zones_short") == 0.0
    assert value(capture(dip, calm), "watermark.zones_short") == 1.0
    assert value(capture(calm), "watermark.zones_short") is None


def test_the_least_boost_is_what_was_there_all_along():
    start = zone("DMA32", 90_000, 20_000, boost=512) + zone("Normal", 9000, 3000, boost=1024)
    end = zone("DMA32", 90_000, 20_000, boost=2048) + zone("Normal", 9000, 3000, boost=0)
    assert value(capture(start, end), "watermark.boost_least") == 512.0


def test_a_kernel_that_prints_no_boost_is_unknown_and_not_without():
    text = zone("Normal", 9000, 3000)
    assert "boost" in str(host(capture(text, text), "watermark.boost_least").reasons["watermark.boost_least"])


@pytest.mark.parametrize("kernel", KERNELS)
def test_marks_at_boot_are_near_the_formula_and_exact_once_written(kernel):
    idle = Capture((Sample(capture_files(kernel, "idle")),))
    written = Capture((Sample(capture_files(kernel, "pressure")),))
    assert 0 < value(idle, "watermark.deviation") < 0.15
    assert value(written, "watermark.deviation") == 0.0


def test_marks_that_stayed_when_a_balloon_took_memory_deviate():
    files = dict(capture_files("6.12", "pressure"))
    files["proc/sys/vm/min_free_kbytes"] = "8192\n"
    assert value(Capture((Sample(files),)), "watermark.deviation") == pytest.approx(0.5, abs=0.01)


def test_the_default_of_min_free_follows_the_mode_of_huge_pages():
    files = dict(capture_files("6.12", "idle"))
    never = Capture((Sample(files),))
    always = Capture((Sample({**files, "sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n"}),))
    assert value(never, "watermark.default_min_free") == value(never, "watermark.auto_min_free")
    assert value(always, "watermark.default_min_free") == value(always, "watermark.thp_min_free")
    assert value(always, "watermark.default_min_free") > 4 * value(never, "watermark.default_min_free")


def test_kernels_before_5_8_choose_no_more_than_64_mib():
    files = dict(capture_files("6.12", "idle"))
    files["proc/zoneinfo"] = zone("Normal", 9_000_000, 30_000, managed=200_000_000)
    old = {**files, "proc/vmstat": files["proc/vmstat"].replace("pgscan_anon ", "pgscan_other ")}
    assert value(Capture((Sample(files),)), "watermark.auto_min_free") > 64 << 20
    assert value(Capture((Sample(old),)), "watermark.auto_min_free") == 64 << 20


def test_khugepaged_is_taken_off_the_stalls_of_tasks():
    start = "allocstall_movable 0\nthp_collapse_alloc 0\nthp_collapse_alloc_failed 0\n"
    end = "allocstall_movable 100\nthp_collapse_alloc 30\nthp_collapse_alloc_failed 20\n"
    assert value(both(start, end), "reclaim.task_stall_rate") == 5.0


def test_a_kernel_without_huge_pages_has_task_stalls_only():
    assert value(both("allocstall 0\n", "allocstall 100\n"), "reclaim.task_stall_rate") == 10.0


def test_stalls_of_tasks_are_never_negative():
    end = "allocstall 1\nthp_collapse_alloc 30\n"
    assert value(both("allocstall 0\nthp_collapse_alloc 0\n", end), "reclaim.task_stall_rate") == 0.0


TWO_NODES = zone("Normal", 1000, 3000) + zone("Normal", 90_000, 3000, node=1)


def test_a_full_node_beside_an_empty_one():
    taken = capture(TWO_NODES, TWO_NODES)
    assert value(taken, "node.neighbour_slack", "node 0") == 30.0
    assert value(taken, "node.neighbour_slack", "node 1") == pytest.approx(1 / 3)
    assert value(taken, "node.free_most", "node 0") == 1000.0
    assert value(taken, "node.neighbour_free_share", "node 0") == pytest.approx(90_000 / 130_000)


def test_a_host_with_one_node_has_no_neighbour():
    taken = capture(zone("Normal", 1000, 3000))
    assert value(taken, "node.neighbour_slack", "node 0") == 0.0
    assert value(taken, "node.neighbour_free_share", "node 0") == 0.0


def node_files(number, free_kb, hit, foreign):
    folder = f"sys/devices/system/node/node{number}"
    return {
        f"{folder}/meminfo": f"Node {number} MemTotal:  1000000 kB\nNode {number} MemFree:  {free_kb} kB\n",
        f"{folder}/numastat": f"numa_hit {hit}\nnuma_miss 0\nnuma_foreign {foreign}\n",
    }


def test_nodes_are_known_from_sysfs_where_zoneinfo_is_missing():
    files = {**node_files(0, 2000, 6000, 4000), **node_files(1, 500_000, 9000, 0)}
    taken = Capture((Sample(files),))
    assert [e.name for e in entities_of(views(taken)[0], "node")] == ["node 0", "node 1"]
    assert value(taken, "node.free_share", "node 0") == 0.002
    assert value(taken, "node.neighbour_free_share", "node 0") == 0.5
    assert value(taken, "node.foreign_share", "node 0") == 0.4
    assert value(taken, "node.free", "node 0") is None


def test_a_node_that_was_hardly_asked_tells_no_share():
    taken = Capture((Sample(node_files(0, 2000, 10, 10)),))
    assert value(taken, "node.foreign_share", "node 0") is None


def test_without_any_file_the_nodes_are_unknown_and_not_absent():
    with pytest.raises(Unknown, match="zoneinfo"):
        entities_of(views(Capture((Sample({}),)))[0], "node")


def test_a_node_is_given_up_when_all_its_zones_are():
    idle_dma = zone("DMA", 3800, 20, all_unreclaimable=1)
    assert (
        value(capture(idle_dma + zone("Normal", 9, 3000, all_unreclaimable=0)), "node.unreclaimable", "node 0") is False
    )
    assert (
        value(capture(idle_dma + zone("Normal", 9, 3000, all_unreclaimable=1)), "node.unreclaimable", "node 0") is True
    )
