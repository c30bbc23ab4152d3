"""How broken up free memory is, from the counts of free blocks per order (/proc/buddyinfo).

Sources: `fill_contig_page_info()`, `unusable_free_index()` and `__fragmentation_index()` of mm/vmstat.c,
`fragmentation_score_node()` of mm/compaction.c. Indices are the kernel's integers, in thousandths.
`blocks[k]` is the number of free blocks of 2**k pages; the table is as long as the kernel prints it.
"""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WOULD_SUCCEED = -1000
"""`fragmentation_index` of an order of which a free block exists; debugfs prints it as -1.000."""

# fragmentation_score_wmark(): lowest goal, and how far above its goal kcompactd starts, in percent.
_LOWEST_GOAL = 5
_LEEWAY = 10


def free_pages(blocks: Sequence[int]) -> int:
    """All free pages.

    >>> free_pages([3, 2, 1])
    11
    """
    return sum(count << order for order, count in enumerate(blocks))


def usable_pages(blocks: Sequence[int], order: int) -> int:
    """Free pages in blocks of at least 2**order pages."""
    return sum(count << at for at, count in enumerate(blocks) if at >= order)


def unusable_index(blocks: Sequence[int], order: int) -> int | None:
    """Which part of the free memory is in blocks too small for `order`: 0 none, 1000 all.

    Says how hard it is to get such a block. 1000 when nothing is free. None for an order that the table
    does not have.

    >>> unusable_index([4, 2, 1], order=2)
    666
    """
    if not 0 <= order < len(blocks):
        return None
    free = free_pages(blocks)
    return (free - usable_pages(blocks, order)) * 1000 // free if free else 1000


def fragmentation_index(blocks: Sequence[int], order: int) -> int | None:
    """Why a request of `order` would fail: towards 0 for lack of memory, towards 1000 for fragmentation.

    WOULD_SUCCEED (-1000) when a block is there; that is not the same as healthy. vm.extfrag_threshold is
    compared with this number. None for an order that the table does not have.

    >>> fragmentation_index([1000, 0, 0], order=2)
    749
    """
    if not 0 <= order < len(blocks):
        return None
    count = sum(blocks)
    if not count:
        return 0
    if usable_pages(blocks, order):
        return WOULD_SUCCEED
    return 1000 - (1000 + free_pages(blocks) * 1000 // (1 << order)) // count


def proactive_score(zones: Iterable[tuple[int, Sequence[int]]], order: int = 9) -> int:
    """Fragmentation score of a node, 0 to 100, that proactive compaction is steered by.

    Args:
        zones: present pages and free blocks of each zone of the node.
        order: order of a huge page (9 on x86).
    """
    counted = [(present, blocks) for present, blocks in zones if present > 0]
    node_present = sum(present for present, _ in counted)
    return sum(present * _unusable_percent(blocks, order) // (node_present + 1) for present, blocks in counted)


def _unusable_percent(blocks: Sequence[int], order: int) -> int:
    # extfrag_for_order(): unlike unusable_index, an empty list counts as not fragmented.
    free = free_pages(blocks)
    return (free - usable_pages(blocks, order)) * 100 // free if free else 0


def proactive_limits(proactiveness: int) -> tuple[int, int] | None:
    """Scores at which kcompactd stops and above which it starts, for a vm.compaction_proactiveness.

    None for 0, which switches it off. Recent kernels come a little closer to 0 above 80.

    >>> proactive_limits(20)
    (80, 90)
    """
    if proactiveness <= 0:
        return None
    stop = max(100 - proactiveness, _LOWEST_GOAL)
    return stop, min(stop + _LEEWAY, 100)
