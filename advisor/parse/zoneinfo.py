"""/proc/zoneinfo: free pages, marks and counters of each memory zone.

The file lists every processor's page list (pageset) for every zone: megabytes on large machines, of which
almost nothing is wanted. They are skipped by search, not read.
"""

from __future__ import annotations

from advisor.errors import ParseError
from advisor.hints import TYPE_CHECKING
from advisor.parse._text import known, not_understood, notes, put, unreadable, zone_of
from advisor.parse._zone import Section
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

READS = ("proc/zoneinfo",)

_EXPECTED = "zoneinfo (sections 'Node 0, zone Normal')"
_PAGES = ("free", "boost", "min", "low", "high", "promo", "spanned", "present", "managed", "cma", "start_pfn")


class Zone(Record):
    """A memory zone. Sizes are pages; None where this kernel does not print a figure or the text lost it.

    Attributes:
        node: NUMA node.
        name: DMA, DMA32, Normal, HighMem, Movable, Device.
        free: free pages.
        boost: pages that the marks are raised by for a while; `min` to `promo` include it.
        min: below it tasks reclaim themselves.
        low: below it kswapd wakes.
        high: kswapd sleeps again.
        promo: mark of memory tiering.
        spanned: from the first to the last page, holes included.
        present: pages that exist.
        managed: pages that the allocator has (v3.8 and later).
        cma: pages of the contiguous memory allocator.
        protection: pages kept from requests that could use a higher zone, by zone of the request; empty when
            the text does not say.
        stats: counters and gauges of the zone by name, and figures that later kernels add.
        unreclaimable: kswapd gave up (of the node since v4.6, of the zone before).
        start_pfn: number of the first page.
        stat_threshold: how far each processor's counters may drift before they are summed.
        pagesets_count: per-processor page lists, one for each processor online; 0 in an empty zone.
        pageset_high: most pages that the first processor's list may hold.
    """

    node: int
    name: str
    free: int | None
    boost: int | None
    min: int | None
    low: int | None
    high: int | None
    promo: int | None
    spanned: int | None
    present: int | None
    managed: int | None
    cma: int | None
    protection: tuple[int, ...]
    stats: Mapping[str, int]
    unreclaimable: bool | None
    start_pfn: int | None
    stat_threshold: int | None
    pagesets_count: int | None
    pageset_high: int | None


class Zoneinfo(Record):
    """All zones in the order of the file, and the counters that the kernel keeps by node (v4.8 and later).

    Sums over zones are sums over the host only when `problems` is empty.
    """

    zones: tuple[Zone, ...]
    node_stats: Mapping[int, Mapping[str, int]]
    problems: tuple[str, ...]


def parse(text: str) -> Zoneinfo:
    """Parse zoneinfo (mm/vmstat.c, zoneinfo_show_print) of kernels from 2.6 on.

    Names are the kernel's, so that new figures are found in `stats` without a change here. What stands before
    the first processor's list and after the last is all that is read.
    """
    if "\0" in text:
        raise ParseError(f"{_EXPECTED} was expected, but found binary data")
    problems: list[str] = []
    end = text.rfind("\n") + 1
    if end != len(text):
        problems.append("the last line was cut off")
    start = 0 if text.startswith("Node") else text.find("\nNode", 0, end) + 1 or end
    if text[:start].strip():
        problems.append(not_understood(text[:start].strip(), "a zone"))
    sections = []
    while start < end:
        following = text.find("\nNode", start, end) + 1 or end
        section = _section(text, start, following, problems)
        if section:
            sections.append(section)
        start = following
    if not sections:
        raise unreadable(_EXPECTED, text)
    return _assembled(sections, problems)


def _section(text: str, start: int, end: int, problems: list[str]) -> Section | None:
    first = text.find("\n", start, end)
    words = text[start:first].split()
    zone = zone_of(words)
    if zone is None or len(words) != 4:
        problems.append(not_understood(text[start:first], "a zone"))
        return None
    section = Section(*zone)
    section.read(text, first, end)
    return section


def _assembled(sections: list[Section], problems: list[str]) -> Zoneinfo:
    _check_processors(sections, problems)
    zones: dict[tuple[int, str], Zone | None] = {}
    nodes: dict[int, dict[str, int | None]] = {}
    for section in sections:
        put(zones, (section.node, section.name), _zone(section), problems)
        for name, value in known(section.node_figures).items():
            put(nodes.setdefault(section.node, {}), name, value, section.problems)
        problems.extend(f"node {section.node} {section.name}: {problem}" for problem in section.problems)
    return Zoneinfo(
        tuple(known(zones).values()),
        {node: known(figures) for node, figures in nodes.items()},
        notes(problems),
    )


def _check_processors(sections: list[Section], problems: list[str]) -> None:
    # Every populated zone has a list for each processor online; unequal numbers cannot all be right.
    if len({section.pagesets_count for section in sections if section.pagesets_count}) > 1:
        problems.append("the zones have page lists of different numbers of processors")
        for section in sections:
            section.pagesets_count = None


def _zone(section: Section) -> Zone:
    stats = known(section.figures)
    unreclaimable = stats.pop("node_unreclaimable", stats.pop("all_unreclaimable", None))
    count = 0 if stats.get("present") == 0 else section.pagesets_count
    return Zone(
        node=section.node,
        name=section.name,
        **{name: stats.pop(name, None) for name in _PAGES},
        protection=known(section.protection).get("protection", ()),
        unreclaimable=bool(unreclaimable) if unreclaimable in {0, 1} else None,
        stat_threshold=stats.pop("vm stats threshold", None),
        pagesets_count=count,
        pageset_high=section.pageset_high,
        stats=stats,
    )
