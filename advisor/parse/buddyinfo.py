"""/proc/buddyinfo: free blocks of each order, by zone."""

from __future__ import annotations

from collections import Counter

from advisor.parse._text import known, not_understood, notes, numbers, put, unreadable, whole_lines, zone_of
from advisor.record import Record

READS = ("proc/buddyinfo",)

_EXPECTED = "buddyinfo (lines 'Node 0, zone Normal' with numbers of free blocks)"


_MOST_ORDERS = 32  # at most 14 on any architecture; sums over millions of orders would never end


class FreeBlocks(Record):
    """Free blocks of a zone: `blocks[order]` blocks of 2^order pages each."""

    node: int
    zone: str
    blocks: tuple[int, ...]


class Buddyinfo(Record):
    """Free blocks of every populated zone, in the order of the file, and what was left out."""

    zones: tuple[FreeBlocks, ...]
    problems: tuple[str, ...]


def parse(text: str) -> Buddyinfo:
    r"""Parse buddyinfo (mm/vmstat.c, frag_show_print).

    All lines have one column for each order; how many depends on the kernel's build (11 on x86). A line
    with another number of columns than most lost or gained one, nobody knows where: it is left out.

    >>> parse("Node 0, zone   Normal      4      0      1 \n").zones
    (FreeBlocks(node=0, zone='Normal', blocks=(4, 0, 1)),)
    """
    lines, problems = whole_lines(text, _EXPECTED)
    rows = [(line, _row(line.split())) for line in lines]
    columns = _columns([len(row.blocks) for _, row in rows if row])
    table: dict[tuple[int, str], FreeBlocks | None] = {}
    for line, row in rows:
        if row is None or len(row.blocks) != columns:
            problems.append(not_understood(line, "a zone with its free blocks"))
        else:
            put(table, (row.node, row.zone), row, problems)
    if not table:
        raise unreadable(_EXPECTED, text)
    return Buddyinfo(tuple(known(table).values()), notes(problems))


def _row(words: list[str]) -> FreeBlocks | None:
    zone, blocks = zone_of(words), numbers(words[4:])
    return FreeBlocks(*zone, blocks) if zone and blocks and len(blocks) <= _MOST_ORDERS else None


def _columns(widths: list[int]) -> int | None:
    # The width of most lines; None when two widths are equally common.
    common = Counter(widths).most_common()[:2]  # most_common(2) would load heapq
    if not common or (len(common) == 2 and common[0][1] == common[1][1]):
        return None
    return common[0][0]
