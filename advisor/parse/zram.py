"""/sys/block/zramN/mm_stat: what compressed swap holds and what it costs."""

from __future__ import annotations

from advisor.parse._text import numbers, unreadable, words_of
from advisor.record import Record

READS = ("sys/block/zram*/mm_stat",)


class MmStat(Record):
    """Memory of a zram device, by the kernel's names (Documentation/admin-guide/blockdev/zram.rst).

    Attributes:
        orig_data_size: bytes stored, before compression.
        compr_data_size: bytes after compression.
        mem_used_total: bytes of memory taken, the allocator's overhead included.
        mem_limit: bytes that may be taken; 0 for no limit.
        mem_used_max: most bytes ever taken.
        same_pages: pages filled with one value, which take no memory.
        pages_compacted: pages freed by compaction of the pool.
        huge_pages: pages that do not compress; None before v4.19.
        huge_pages_since: such pages since the device was set up; None before v5.12.
    """

    orig_data_size: int
    compr_data_size: int
    mem_used_total: int
    mem_limit: int
    mem_used_max: int
    same_pages: int
    pages_compacted: int
    huge_pages: int | None = None
    huge_pages_since: int | None = None


def parse(text: str) -> MmStat:
    r"""Parse mm_stat: one line of 7 to 9 numbers; later kernels may append more.

    >>> parse("8192 120 4096 0 4096 1 0 0\n").compr_data_size
    120
    """
    expected = "mm_stat (a line of at least 7 numbers)"
    values = numbers(words_of(text, expected))
    if not values or len(values) < 7:
        raise unreadable(expected, text)
    return MmStat(*values[:9])
