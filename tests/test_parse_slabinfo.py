import pytest

from advisor.errors import ParseError
from advisor.parse import slabinfo
from advisor.parse.slabinfo import Slab
from tests.fixtures import INCIDENTS
from tests.parse_samples import sample


def test_the_slab_allocator_of_an_incident() -> None:
    text = (INCIDENTS / "dentry-slabs-mostly-empty/t0/proc/slabinfo").read_text()
    parsed = slabinfo.parse(text)
    assert parsed.problems == ()
    assert len(parsed.caches) == 7
    assert parsed.caches["dentry"] == Slab(
        name="dentry",
        active_objs=8245651,
        num_objs=30399520,
        objsize=192,
        objperslab=20,
        pagesperslab=1,
        active_slabs=1519976,
        num_slabs=1519976,
    )


def test_the_slub_allocator() -> None:
    parsed = slabinfo.parse(sample("slub", "proc/slabinfo"))
    assert parsed.problems == ()
    assert parsed.caches["ext4_inode_cache"] == Slab("ext4_inode_cache", 912034, 930120, 1176, 27, 8, 34449, 34449)


def test_columns_of_statistics_are_passed_over_and_names_may_hold_blanks() -> None:
    parsed = slabinfo.parse(sample("slab-statistics", "proc/slabinfo"))
    assert parsed.problems == ()
    assert list(parsed.caches) == ["ext3_inode_cache", "size-4096(DMA)", "UDP-Lite v6"]
    assert parsed.caches["UDP-Lite v6"].num_objs == 12


@pytest.mark.parametrize(
    "line",
    [
        "dentry 1 2 3 4 : tunables 0 0 0 : slabdata 1 1 0",
        "dentry 1 2 3 4 5 : tunables 0 0 0 : slabdata 1 1",
        "dentry 1 2 3 x 5 : tunables 0 0 0 : slabdata 1 1 0",
        "dentry 1 2 3 4 5 : tunables 0 x 0 : slabdata 1 1 0",
        "dentry 1 2 3 4 5 : slabdata 1 1 0",
        "dentry 1 2 3 4 5",
        ": tunables 0 0 0 : slabdata 1 1 0",
        "",
    ],
)
def test_a_damaged_line_is_absent_and_noted(line: str) -> None:
    parsed = slabinfo.parse(f"{line}\nfilp 1 2 3 4 5 : tunables 0 0 0 : slabdata 6 7 0\n")
    assert parsed.caches == {"filp": Slab("filp", 1, 2, 3, 4, 5, 6, 7)}
    assert len(parsed.problems) == 1


@pytest.mark.parametrize("text", ["slabinfo - version: 2.1\n", "slabinfo - version: 1.1\ndentry 1 2 3 4 5 1\n", ""])
def test_what_has_no_cache_is_an_error(text: str) -> None:
    with pytest.raises(ParseError, match="slabinfo"):
        slabinfo.parse(text)
