from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import ParseError
from advisor.parse import zoneinfo
from advisor.parse.zoneinfo import Zone
from tests.fixtures import INCIDENTS, KERNELS, STATES, capture_files
from tests.generate_zoneinfo import PAGES, generate, render, zones
from tests.parse_samples import sample

TEXT = capture_files("7.3", "pressure")["proc/zoneinfo"]


def by_name(text: str) -> dict[tuple[int, str], Zone]:
    return {(zone.node, zone.name): zone for zone in zoneinfo.parse(text).zones}


def test_a_zone_of_a_new_kernel() -> None:
    zone = by_name(TEXT)[0, "Normal"]
    assert [getattr(zone, name) for name in PAGES] == [
        2465,
        852,
        1687,
        1895,
        2103,
        2311,
        98304,
        98304,
        95881,
        0,
    ]
    assert (zone.protection, zone.unreclaimable, zone.start_pfn) == ((0, 0, 0, 0, 0), False, 1048576)
    assert (zone.stat_threshold, zone.pagesets_count, zone.pageset_high) == (12, 2, 521)
    assert zone.stats["nr_zone_inactive_file"] == 6771
    assert zone.stats["free_highatomic"] == 0
    assert len(zone.stats) == 20


def test_figures_of_the_node_are_not_figures_of_the_zone() -> None:
    parsed = zoneinfo.parse(TEXT)
    assert parsed.node_stats.keys() == {0}
    assert parsed.node_stats[0]["nr_inactive_anon"] == 70857
    assert len(parsed.node_stats[0]) == 69
    assert "nr_inactive_anon" not in parsed.zones[0].stats
    assert parsed.zones[0].stats["nr_free_pages"] == 476


def test_an_empty_zone() -> None:
    zone = by_name(TEXT)[0, "Movable"]
    assert (zone.min, zone.present, zone.managed, zone.pagesets_count) == (32, 0, 0, 0)
    assert (zone.unreclaimable, zone.start_pfn, zone.stat_threshold, zone.pageset_high) == (
        None,
        None,
        None,
        None,
    )
    assert zone.stats == {}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("state", STATES)
def test_real_kernels(kernel: str, state: str) -> None:
    parsed = zoneinfo.parse(capture_files(kernel, state)["proc/zoneinfo"])
    assert parsed.problems == ()
    assert [zone.name for zone in parsed.zones] == ["DMA", "DMA32", "Normal", "Movable", "Device"]
    assert [zone.pagesets_count for zone in parsed.zones] == [2, 2, 2, 0, 0]
    assert [zone.stats.get("nr_free_pages", 0) for zone in parsed.zones] == [zone.free for zone in parsed.zones]


def test_a_kernel_without_boost_promo_and_cma_does_not_have_them_as_0() -> None:
    zone = by_name(capture_files("5.10", "pressure")["proc/zoneinfo"])[0, "Normal"]
    assert (zone.boost, zone.promo, zone.cma) == (None, None, None)
    assert (zone.min, zone.pageset_high) == (806, 186)


def test_3_10_keeps_all_figures_by_zone() -> None:
    parsed = zoneinfo.parse(sample("linux-3.10", "proc/zoneinfo"))
    assert parsed.problems == ()
    assert parsed.node_stats == {}
    zone = parsed.zones[1]
    assert (zone.managed, zone.unreclaimable, zone.pagesets_count, zone.stat_threshold) == (
        354201,
        False,
        2,
        20,
    )
    assert (zone.stats["nr_inactive_file"], zone.stats["inactive_ratio"], zone.stats["scanned"]) == (
        806,
        3,
        0,
    )


def test_2_6_32_has_no_managed_pages() -> None:
    parsed = zoneinfo.parse(sample("linux-2.6.32", "proc/zoneinfo"))
    assert parsed.problems == ()
    assert [(zone.managed, zone.present) for zone in parsed.zones] == [(None, 3912), (None, 227584)]
    assert [zone.unreclaimable for zone in parsed.zones] == [False, True]
    assert [zone.pagesets_count for zone in parsed.zones] == [1, 1]


def test_4_19_prints_a_figure_without_a_name() -> None:
    parsed = zoneinfo.parse(sample("linux-4.19", "proc/zoneinfo"))
    assert parsed.problems == ()
    assert parsed.node_stats[0]["nr_written"] == 99820
    assert "" not in parsed.node_stats[0]


def test_an_excerpt_without_page_lists_does_not_know_them() -> None:
    text = (INCIDENTS / "kswapd-busy-on-tiny-normal-zone/t1/proc/zoneinfo").read_text()
    parsed = zoneinfo.parse(text)
    assert parsed.problems == ()
    normal = parsed.zones[2]
    assert (normal.min, normal.present, normal.managed, normal.pagesets_count) == (2116, 129024, None, None)
    assert normal.stats["nr_active_anon"] == 24590
    assert parsed.zones[0].unreclaimable is True


def expected_zone(zone: dict[str, Any]) -> Zone:
    full = bool(zone["pagesets"])
    tail = {"reserved_highatomic": 0, "free_highatomic": 0} if full else {}
    return Zone(
        node=zone["node"],
        name=zone["name"],
        **zone["pages"],
        protection=zone["protection"],
        stats=zone["stats"] | tail,
        unreclaimable=bool(zone["unreclaimable"]) if full else None,
        start_pfn=zone["start_pfn"] if full else None,
        stat_threshold=zone["threshold"] if full else None,
        pagesets_count=len(zone["pagesets"]),
        pageset_high=zone["pagesets"][0][1] if full else None,
    )


@given(
    cpus=st.integers(1, 9),
    nodes=st.integers(1, 5),
    memoryless=st.frozensets(st.integers(0, 4)),
    seed=st.integers(0, 1000),
)
def test_any_machine_comes_back(cpus: int, nodes: int, memoryless: frozenset[int], seed: int) -> None:
    machine = zones(cpus, nodes, memoryless, seed)
    parsed = zoneinfo.parse(render(machine))
    assert parsed.problems == ()
    assert parsed.zones == tuple(expected_zone(zone) for zone in machine)
    assert parsed.node_stats == {zone["node"]: zone["node_stats"] for zone in machine if zone["node_stats"]}


def test_a_large_machine() -> None:
    machine = zones(512, 8)
    text = render(machine)
    assert 2_100_000 < len(text) < 2_300_000
    assert zoneinfo.parse(text).zones == tuple(expected_zone(zone) for zone in machine)


def test_64_nodes_of_which_some_have_no_memory() -> None:
    parsed = zoneinfo.parse(generate(4, 64, memoryless=frozenset(range(1, 64, 2))))
    assert parsed.problems == ()
    assert len(parsed.zones) == 320
    assert sorted(parsed.node_stats) == list(range(0, 64, 2))


def test_processors_that_are_offline_are_not_listed() -> None:
    text = generate(6, 1)
    for cpu, online in enumerate((0, 1, 4, 5, 40, 41)):
        text = text.replace(f"    cpu: {cpu}\n", f"    cpu:: {online}\n")
    text = text.replace("cpu::", "cpu:")
    assert {zone.pagesets_count for zone in zoneinfo.parse(text).zones} == {0, 6}


def test_cut_off_within_the_page_lists_their_number_is_unknown() -> None:
    text = generate(8, 1)
    parsed = zoneinfo.parse(text[: text.index("    cpu: 5\n")])
    assert len(parsed.zones) == 1
    assert (parsed.zones[0].pagesets_count, parsed.zones[0].start_pfn) == (None, None)
    assert parsed.zones[0].pageset_high == 521
    assert parsed.problems == ("node 0 DMA: it ends within its page lists",)


def test_a_zone_that_lost_its_heading_does_not_enter_the_zone_before_it() -> None:
    text = generate(2, 2)
    heading = "Node 1, zone   Normal\n"
    for damaged in (text.replace(heading, ""), text.replace(heading, "Nod 1, zone   Normal\n")):
        parsed = by_name(damaged)
        whole = by_name(text)
        assert (1, "Normal") not in parsed
        assert parsed[0, "Device"] == whole[0, "Device"]
        assert zoneinfo.parse(damaged).node_stats.keys() == {0}
        assert len(zoneinfo.parse(damaged).problems) == 1


def test_a_damaged_list_makes_the_number_of_processors_unknown() -> None:
    text = generate(4, 1)
    parsed = zoneinfo.parse(text.replace("    cpu: 2\n", "", 1))
    assert {zone.pagesets_count for zone in parsed.zones if zone.present} <= {None, 4}
    assert len(parsed.problems) == 1


def test_a_zone_twice_with_different_figures_is_absent() -> None:
    text = generate(1, 1)
    parsed = zoneinfo.parse(text + "Node 0, zone      DMA\n  pages free     5\n")
    assert [zone.name for zone in parsed.zones] == ["DMA32", "Normal", "Movable", "Device"]
    assert "twice" in parsed.problems[0]


@pytest.mark.parametrize("word", ["2", "x", "18446744073709551615"])
def test_reclaimable_or_not_is_unknown_when_it_is_neither(word: str) -> None:
    text = TEXT.replace("node_unreclaimable:  0", f"node_unreclaimable:  {word}")
    assert {zone.unreclaimable for zone in zoneinfo.parse(text).zones} == {None}


@pytest.mark.parametrize("protection", ["(0, 69", "0, 69)", "(0, x)", "()", "(0,69)", "(0, 69) 1"])
def test_a_damaged_protection_is_unknown(protection: str) -> None:
    parsed = zoneinfo.parse(TEXT.replace("(0, 69, 443, 443, 443)", protection))
    assert parsed.zones[0].protection == ()
    assert len(parsed.problems) == 1


@pytest.mark.parametrize("text", ["", "\n", "Node", "Node 0\n", "nr_dirty 1\n", "Node 0, zone DMA\0\n"])
def test_what_is_not_zoneinfo_is_an_error(text: str) -> None:
    with pytest.raises(ParseError, match="zoneinfo"):
        zoneinfo.parse(text)
