"""/proc/pagetypeinfo: free blocks by order and mobility, and pageblocks by mobility.

For root only, and costly to read: the kernel walks its free lists.
"""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.parse._text import (
    known,
    not_understood,
    notes,
    number,
    numbers,
    put,
    unreadable,
    whole_lines,
    zone_of,
)
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

READS = ("proc/pagetypeinfo",)

_EXPECTED = "pagetypeinfo (free pages by migrate type)"
_LARGEST_ORDER = 31  # orders are at most 13 on any architecture; nothing here must shift by millions
_FREE = "Free pages count per migrate type at order"
_BLOCKS = "Number of blocks type"
_MIXED = "Number of mixed blocks"


class FreeByType(Record):
    """Free blocks of one mobility in a zone: `blocks[order]` blocks of 2^order pages.

    `capped`: the kernel stopped counting at some order (``>100000``); there the number is a lower bound.
    """

    node: int
    zone: str
    migratetype: str
    blocks: tuple[int, ...]
    capped: bool


class BlocksByType(Record):
    """How many pageblocks of a zone are of which mobility, by the kernel's name of it."""

    node: int
    zone: str
    blocks: Mapping[str, int]


class Pagetypeinfo(Record):
    """Grouping by mobility.

    Attributes:
        page_block_order: a pageblock has 2^order pages; None when the text does not say.
        pages_per_block: pages of a pageblock; None when the text does not say.
        free: free blocks by node, zone and mobility.
        blocks: pageblocks by node and zone.
        problems: what was left out, and why.
    """

    page_block_order: int | None
    pages_per_block: int | None
    free: tuple[FreeByType, ...]
    blocks: tuple[BlocksByType, ...]
    problems: tuple[str, ...]


def parse(text: str) -> Pagetypeinfo:
    """Parse pagetypeinfo (mm/vmstat.c, pagetypeinfo_show), which repeats all its sections for each node.

    A line that has not as many columns as its heading is left out. The section "Number of mixed blocks",
    printed when page owners are tracked, is not read.
    """
    lines, problems = whole_lines(text, _EXPECTED)
    sizes: dict[str, int | None] = {}
    free: dict[tuple[int, str, str], FreeByType | None] = {}
    blocks: dict[tuple[int, str], BlocksByType | None] = {}
    section, heading = "", [""]
    for line in lines:
        if line.startswith((_FREE, _BLOCKS, _MIXED)):
            section = next(title for title in (_FREE, _BLOCKS, _MIXED) if line.startswith(title))
            heading = line[len(section) :].split()
        elif section == _FREE and (row := _free(line, heading)):
            put(free, (row.node, row.zone, row.migratetype), row, problems)
        elif section == _BLOCKS and (count := _blocks(line, heading)):
            put(blocks, (count.node, count.zone), count, problems)
        elif line.startswith("Page"):
            section = ""
            _size(line, sizes, problems)
        elif line and section != _MIXED:
            problems.append(not_understood(line, "a line of pagetypeinfo"))
    if not (free or blocks or sizes):
        raise unreadable(_EXPECTED, text)
    return Pagetypeinfo(
        sizes.get("Page block order"),
        sizes.get("Pages per block"),
        tuple(known(free).values()),
        tuple(known(blocks).values()),
        notes(problems),
    )


def _size(line: str, sizes: dict[str, int | None], problems: list[str]) -> None:
    name, _, word = line.partition(":")
    value = number(word.strip())
    largest = {"Page block order": _LARGEST_ORDER, "Pages per block": 1 << _LARGEST_ORDER}
    if value is None or value > largest.get(name, -1):
        problems.append(not_understood(line, "the size of a pageblock"))
    else:
        put(sizes, name, value, problems)


def _free(line: str, heading: list[str]) -> FreeByType | None:
    words = line.split()
    zone, counts = zone_of(words), words[6:]
    if zone is None or words[4:5] != ["type"] or not _ascending(heading) or len(counts) != len(heading):
        return None
    blocks = numbers(count.removeprefix(">") for count in counts)
    if blocks is None:
        return None
    return FreeByType(*zone, words[5], blocks, capped=any(count.startswith(">") for count in counts))


def _ascending(heading: list[str]) -> bool:
    return heading == [str(order) for order in range(len(heading))]


def _blocks(line: str, heading: list[str]) -> BlocksByType | None:
    words = line.split()
    zone, counts = zone_of(words), numbers(words[4:])
    if not zone or not counts or len(counts) != len(heading) or len(set(heading)) != len(heading):
        return None
    return BlocksByType(*zone, dict(zip(heading, counts, strict=True)))
