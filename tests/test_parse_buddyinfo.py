import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import ParseError
from advisor.parse import buddyinfo
from advisor.parse.buddyinfo import FreeBlocks
from tests.fixtures import INCIDENTS, capture_files
from tests.parse_samples import sample

LINES = {
    "DMA": "Node 0, zone      DMA      2      1      0 \n",
    "DMA32": "Node 0, zone    DMA32     20     10      5 \n",
    "Normal": "Node 0, zone   Normal    200    100     50 \n",
}


def test_a_real_host() -> None:
    parsed = buddyinfo.parse(capture_files("7.3", "pressure")["proc/buddyinfo"])
    assert parsed.problems == ()
    assert parsed.zones == (
        FreeBlocks(0, "DMA", (2, 1, 0, 1, 3, 1, 2, 2, 0, 0, 0)),
        FreeBlocks(0, "DMA32", (2, 0, 1, 2, 1, 1, 1, 1, 1, 0, 0)),
        FreeBlocks(0, "Normal", (4, 4, 12, 20, 12, 7, 2, 7, 3, 0, 0)),
    )


def test_lines_without_the_blank_at_the_end_that_an_incident_lost() -> None:
    text = (INCIDENTS / "kswapd-busy-on-tiny-normal-zone/t1/proc/buddyinfo").read_text()
    assert buddyinfo.parse(text).zones[2] == FreeBlocks(0, "Normal", (2790, 29, 0, 8, 1, 1, 1, 1, 0, 0, 0))


def test_zones_of_several_nodes() -> None:
    parsed = buddyinfo.parse(sample("numa", "proc/buddyinfo"))
    assert [(zone.node, zone.zone) for zone in parsed.zones] == [
        (0, "DMA"),
        (0, "DMA32"),
        (0, "Normal"),
        (1, "Normal"),
    ]


@pytest.mark.parametrize(
    "line", ["Node 0, zone   Normal    200    100 \n", "Node 0, zone   Normal    2 00    100     50 \n"]
)
def test_a_line_with_another_number_of_columns_is_never_guessed(line: str) -> None:
    parsed = buddyinfo.parse(LINES["DMA"] + line + LINES["DMA32"])
    assert [zone.zone for zone in parsed.zones] == ["DMA", "DMA32"]
    assert len(parsed.problems) == 1


def test_when_two_widths_are_equally_common_neither_is_believed() -> None:
    with pytest.raises(ParseError):
        buddyinfo.parse(LINES["DMA"] + "Node 0, zone   Normal    200    100 \n")


def test_a_zone_twice_with_different_blocks_is_absent() -> None:
    parsed = buddyinfo.parse(LINES["DMA"] + LINES["DMA32"] + LINES["DMA"].replace("2 ", "3 "))
    assert [zone.zone for zone in parsed.zones] == ["DMA32"]
    assert len(parsed.problems) == 1


def test_a_cut_off_line_is_left_out() -> None:
    parsed = buddyinfo.parse(LINES["DMA"] + LINES["Normal"].rstrip())
    assert [zone.zone for zone in parsed.zones] == ["DMA"]
    assert len(parsed.problems) == 1


@given(
    st.integers(1, 15).flatmap(lambda n: st.lists(st.lists(st.integers(0, 10**7), min_size=n, max_size=n), min_size=1))
)
def test_any_number_of_orders_and_zones_comes_back(rows: list[list[int]]) -> None:
    text = "".join(
        f"Node {node}, zone {'Normal':>8} " + "".join(f"{blocks:>6} " for blocks in row) + "\n"
        for node, row in enumerate(rows)
    )
    expected = tuple(FreeBlocks(node, "Normal", tuple(row)) for node, row in enumerate(rows))
    assert buddyinfo.parse(text) == buddyinfo.Buddyinfo(expected, ())


def test_a_line_of_a_million_orders_is_no_zone() -> None:
    with pytest.raises(ParseError):
        buddyinfo.parse(f"Node 0, zone   Normal {'1 ' * 1_000_000}\n")
