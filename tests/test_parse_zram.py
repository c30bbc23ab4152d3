import pytest

from advisor.errors import ParseError
from advisor.parse import zram
from advisor.parse.zram import MmStat
from tests.parse_samples import sample


def test_nine_columns() -> None:
    assert zram.parse(sample("zram", "sys/block/zram0/mm_stat")) == MmStat(
        orig_data_size=912034816,
        compr_data_size=210394112,
        mem_used_total=221249536,
        mem_limit=0,
        mem_used_max=230120448,
        same_pages=5120,
        pages_compacted=12,
        huge_pages=903,
        huge_pages_since=12044,
    )


def test_an_older_kernel_counts_no_incompressible_pages() -> None:
    parsed = zram.parse(sample("zram", "sys/block/zram1/mm_stat"))
    assert (parsed.pages_compacted, parsed.huge_pages, parsed.huge_pages_since) == (0, None, None)


def test_columns_of_a_later_kernel_are_passed_over() -> None:
    assert zram.parse("1 2 3 4 5 6 7 8 9 10 11\n").huge_pages_since == 9


@pytest.mark.parametrize("text", ["", "\n", "1 2 3 4 5 6\n", "1 2 3 4 5 6 7", "1 2 3 4 5 6 -7\n", "1 2 3 4 5 6 7\n8\n"])
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(ParseError, match="mm_stat"):
        zram.parse(text)
