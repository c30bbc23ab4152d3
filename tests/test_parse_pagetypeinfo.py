import pytest

from advisor.errors import ParseError
from advisor.parse import pagetypeinfo
from advisor.parse.pagetypeinfo import BlocksByType, FreeByType
from tests.fixtures import capture_files
from tests.parse_samples import sample

TEXT = capture_files("7.3", "pressure")["proc/pagetypeinfo"]


def test_a_real_host() -> None:
    parsed = pagetypeinfo.parse(TEXT)
    assert (parsed.page_block_order, parsed.pages_per_block, parsed.problems) == (9, 512, ())
    assert len(parsed.free) == 18
    assert parsed.free[13] == FreeByType(0, "Normal", "Movable", (0, 1, 4, 14, 10, 6, 2, 6, 0, 0, 0), capped=False)
    assert parsed.blocks[2] == BlocksByType(
        0,
        "Normal",
        {"Unmovable": 17, "Movable": 173, "Reclaimable": 2, "HighAtomic": 0, "CMA": 0, "Isolate": 0},
    )


def test_the_mobilities_are_those_of_the_kernel() -> None:
    parsed = pagetypeinfo.parse(capture_files("5.10", "pressure")["proc/pagetypeinfo"])
    assert list(parsed.blocks[0].blocks) == ["Unmovable", "Movable", "Reclaimable", "HighAtomic", "Isolate"]


def test_sections_are_repeated_for_each_node_and_mixed_blocks_are_not_read() -> None:
    parsed = pagetypeinfo.parse(sample("numa", "proc/pagetypeinfo"))
    assert parsed.problems == ()
    assert [(row.node, row.zone) for row in parsed.blocks] == [
        (0, "DMA"),
        (0, "DMA32"),
        (0, "Normal"),
        (1, "Normal"),
    ]
    assert parsed.blocks[3].blocks["Movable"] == 113
    assert {row.node for row in parsed.free} == {0, 1}


def test_a_count_that_the_kernel_gave_up_is_its_bound_and_flagged() -> None:
    free = pagetypeinfo.parse(sample("numa", "proc/pagetypeinfo")).free
    capped = [row for row in free if row.capped]
    assert [(row.node, row.zone, row.migratetype) for row in capped] == [
        (0, "Normal", "Movable"),
        (1, "Normal", "Movable"),
    ]
    assert capped[0].blocks[:3] == (100000, 100000, 31)


def test_rows_without_their_heading_are_not_guessed() -> None:
    lines = TEXT.splitlines(keepends=True)
    parsed = pagetypeinfo.parse("".join(line for line in lines if not line.startswith("Number of blocks")))
    assert parsed.blocks == ()
    assert len(parsed.problems) == 3
    assert len(parsed.free) == 18


def test_a_row_that_lost_a_column_is_absent() -> None:
    damaged = TEXT.replace("      1            7            0            0            0            0", "1  7  0  0  0")
    assert [row.zone for row in pagetypeinfo.parse(damaged).blocks] == ["DMA32", "Normal"]


def test_without_its_first_lines_the_pageblock_order_is_unknown() -> None:
    parsed = pagetypeinfo.parse(TEXT[TEXT.index("Free pages") :])
    assert (parsed.page_block_order, parsed.pages_per_block) == (None, None)
    assert len(parsed.free) == 18


def test_what_is_not_pagetypeinfo_is_an_error() -> None:
    with pytest.raises(ParseError, match="pagetypeinfo"):
        pagetypeinfo.parse("cat: /proc/pagetypeinfo: Permission denied\n")


def test_an_order_that_no_kernel_has_is_left_out() -> None:
    parsed = pagetypeinfo.parse(TEXT.replace("Page block order: 9", "Page block order: 9223372036854775808"))
    assert parsed.page_block_order is None
    assert len(parsed.problems) == 1
