"""The lines of a memory dump: zones, their blocks and reserves, and the counters of the host.

Linux ``mm/show_mem.c`` (``mm/page_alloc.c`` until 6.3).
"""

from __future__ import annotations

import re
from typing import NamedTuple

_BIGGEST = 1 << 64

ZONE_NAME = "(?:DMA32|DMA|Normal|HighMem|Movable|Device)"
ZONE = re.compile(rf"(?:Node ([0-9]{{1,4}}) )?({ZONE_NAME}) (free:[0-9]+[kK]B.*)")
NODE = re.compile(r"Node ([0-9]{1,4}) active_anon:[0-9]+kB.* all_unreclaimable\? (yes|no)(?: |$)")
BLOCKS = re.compile(rf"(?:Node ([0-9]{{1,4}}) )?({ZONE_NAME}): ([0-9]+\*[0-9]+kB.*= [0-9]+kB)")
LOWMEM = re.compile(r"lowmem_reserve\[\]:(?: [0-9]{1,18})+")
TOTALS = re.compile(r"[A-Za-z_-]+:[0-9]{1,18}(?: [a-z_-]+:[0-9]{1,18})*")
PAGES = re.compile(
    r"([0-9]{1,18}) (total pagecache pages|pages in swap cache|reserved pages"
    r"|pages (?:of )?(?:RAM|reserved|HighMem(?:/MovableOnly)?|cma reserved|hwpoisoned|shared|non-shared))"
)
SWAP = re.compile(r"(Free|Total) swap *[=:] *([0-9]{1,15})kB")

_AMOUNT = re.compile(r"(?:^| )([a-z_]+(?:\([a-z]+\))?): ?([0-9]{1,18})[kK]B(?= |$)")
_ALL_UNRECLAIMABLE = re.compile(r" all_unreclaimable\? (yes|no)(?: |$)")
_BLOCK = re.compile(r"([0-9]{1,18})\*([0-9]{1,9})kB")
_TOTAL = re.compile(r"= ([0-9]{1,18})kB$")
_COUNTER = re.compile(r"([A-Za-z_-]+):([0-9]+)")


class Blocks(NamedTuple):
    """Free blocks of a zone by order, and the size of the smallest: a page."""

    counts: tuple[int, ...]
    page_size: int


def amounts(text: str) -> tuple[dict[str, int], list[str]]:
    """The amounts of a zone line in bytes by the kernel's names, and the names that contradict themselves.

    >>> amounts("free:2680kB min:7192kB low:8988kB high:10788kB reserved_highatomic:0KB")[0]["min"]
    7364608
    """
    found: dict[str, int] = {}
    contradicted = []
    for name, kib in _AMOUNT.findall(text):
        value = int(kib) * 1024
        if value >= _BIGGEST or found.setdefault(name, value) != value:
            contradicted.append(name)
    for name in contradicted:
        found.pop(name, None)
    return found, contradicted


def contradiction(values: dict[str, int]) -> str:
    """Say what cannot be true of the marks and sizes of one zone; empty when all can.

    >>> contradiction({"min": 8, "low": 4})
    'min is above low'
    """
    for smaller, larger in (("min", "low"), ("low", "high"), ("managed", "present")):
        if smaller in values and larger in values and values[smaller] > values[larger]:
            return f"{smaller} is above {larger}"
    return ""


def all_unreclaimable(text: str) -> bool | None:
    """Whether reclaim has given up, as a zone line of Linux up to 4.7 says; None when it does not say."""
    match = _ALL_UNRECLAIMABLE.search(text)
    return None if match is None else match[1] == "yes"


def blocks(text: str) -> Blocks | None:
    """The free blocks of ``374*4kB (UME) 4*8kB … = 2648kB``; None unless they add up to that sum.

    >>> blocks("3*4kB (UM) 0*8kB 1*16kB (M) = 28kB")
    Blocks(counts=(3, 0, 1), page_size=4096)
    >>> blocks("3*4kB (UM) 0*8kB = 28kB")
    """
    parts = [(int(count), int(kib)) for count, kib in _BLOCK.findall(text)]
    total = _TOTAL.search(text)
    if total is None or not parts or sum(count * kib for count, kib in parts) != int(total[1]):
        return None
    smallest = parts[0][1]
    if smallest < 1 or any(kib != smallest << order for order, (_, kib) in enumerate(parts)):
        return None
    return Blocks(tuple(count for count, _ in parts), smallest * 1024)


def counters(text: str) -> list[tuple[str, int]]:
    """The counters of one line under ``Mem-Info:``, in pages.

    >>> counters("free:9990 slab_reclaimable:59767")
    [('free', 9990), ('slab_reclaimable', 59767)]
    """
    return [(name.lower(), int(number)) for name, number in _COUNTER.findall(text)]


def page_count(match: re.Match[str]) -> tuple[str, int]:
    """Name and number of a line that `PAGES` matches.

    >>> page_count(PAGES.match("0 pages HighMem/MovableOnly"))
    ('pages_highmem_movableonly', 0)
    """
    name = match[2].replace("pages of RAM", "pages RAM").replace("reserved pages", "pages reserved")
    return re.sub(r"[^a-z]", "_", name.lower()), int(match[1])
