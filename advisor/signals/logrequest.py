"""What the request behind a kernel report could use, and what its zones had to spare for it; bytes.

The allocator takes a page from a zone while what is free there, less what the request must not touch, is above
the min mark and the reserve for requests that cannot go higher (mm/page_alloc.c, __zone_watermark_ok).
"""

from __future__ import annotations

import re

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.watermarks import LOWMEM, ZONE_ORDER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.parse.kernlog import Report, ZoneLine

# The low bits of the flags, the same in every kernel (include/linux/gfp_types.h).
_DMA, _HIGHMEM, _DMA32, _MOVABLE = 0x01, 0x02, 0x04, 0x08

_RANGE = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", re.ASCII)

# A zone with less than this part of what the request may use (ZONE_DMA) cannot decide anything.
_OF_SIZE = 1 / 20


def highest_zone(report: Report) -> str:
    """The highest zone that the request may use (gfp_zone of include/linux/gfp.h).

    >>> from advisor.parse.kernlog import Report
    >>> highest_zone(Report("oom", 1, "", gfp_mask=0x24201ca)), highest_zone(Report("oom", 1, "", gfp_mask=0xcc0))
    ('Movable', 'Normal')
    """
    if report.gfp_mask is None:
        raise Unknown("the kernel report does not print the flags of the request")
    if report.gfp_mask & _DMA:
        return "DMA"
    if report.gfp_mask & _DMA32:
        return "DMA32"
    if not report.gfp_mask & _HIGHMEM:
        return "Normal"
    return "Movable" if report.gfp_mask & _MOVABLE else "HighMem"


def may_use(report: Report, zone: ZoneLine) -> bool:
    """Whether the request may take pages from a zone, by its flags and by the nodes that it is bound to."""
    nodes = allowed_nodes(report)
    low_enough = ZONE_ORDER.index(zone.zone) <= ZONE_ORDER.index(highest_zone(report))
    return low_enough and (nodes is None or zone.node in nodes)


def allowed_nodes(report: Report) -> frozenset[int] | None:
    """The nodes that the request is bound to by policy or cpuset; None when any will do.

    Only memory for user space keeps to the cpuset of its task; the kernel's own may leave it.
    """
    if report.nodemask is not None and report.nodemask != "(null)":
        return _nodes(report.nodemask)
    if report.mems_allowed is not None and report.gfp_mask is not None and report.gfp_mask & _HIGHMEM:
        return _nodes(report.mems_allowed)
    return None


def _nodes(text: str) -> frozenset[int]:
    """The numbers of a list of nodes, by their ranges.

    >>> sorted(_nodes("0-2,5"))
    [0, 1, 2, 5]
    """
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise Unknown(f"the list of nodes {text[:40]!r} of the kernel report cannot be read")
        found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return frozenset(found)


def size_of(zone: ZoneLine) -> int:
    """Memory of a zone; what is present where kernels before v3.8 do not print what is managed."""
    size = zone.present if zone.managed is None else zone.managed
    if size is None:
        raise Unknown("the zone line of the kernel report has neither managed nor present")
    return size


def spare(report: Report, zone: ZoneLine, page_size: int | None) -> int:
    """What the request could have taken from a zone before it met the min mark; 0 or less when nothing.

    Args:
        report: the report, for the flags of its request.
        zone: one of its zones, which the request may use.
        page_size: bytes; None when unknown, then a zone with a reserve for lower requests is unknown too.
    """
    if zone.free is None or zone.min is None:
        raise Unknown("the zone line of the kernel report has no free or min")
    held = zone.free_highatomic if zone.free_highatomic is not None else zone.reserved_highatomic or 0
    if report.gfp_mask is None or not report.gfp_mask & _MOVABLE:
        held += zone.free_cma or 0
    above = zone.free - held - zone.min
    return above if above <= 0 else above - _reserve(report, zone, page_size)


def _reserve(report: Report, zone: ZoneLine, page_size: int | None) -> int:
    """What the zone keeps back from this request because it could use a higher zone instead.

    The entries of lowmem_reserve grow from one higher zone with memory to the next, so the entry of the
    highest zone that the request may use is found by counting.
    """
    order = ZONE_ORDER.index
    higher = sorted({order(z.zone) for z in report.zones if z.node == zone.node and order(z.zone) > order(zone.zone)})
    usable = [place for place in higher if place <= order(highest_zone(report))]
    if not usable:
        return 0
    entries = sorted({pages for pages in zone.lowmem_reserve or () if pages > 0})
    if page_size is None or len(entries) != len(higher):
        raise Unknown("the kernel report does not tell what a zone keeps from requests for higher zones")
    return entries[len(usable) - 1] * page_size


def spare_of_all(report: Report, page_size: int | None) -> int:
    """What the request could have taken, single page by single page, from all zones that it may use."""
    usable = [zone for zone in report.zones if may_use(report, zone)]
    if not usable:
        raise Unknown("the kernel report prints no zone that the request may use")
    least = sum(map(size_of, usable)) * _OF_SIZE
    return sum(max(0, spare(report, zone, page_size)) for zone in usable if size_of(zone) >= least)


def beyond_reach(report: Report) -> int:
    """Free memory and page cache of the zones that the request may not use."""
    others = [zone for zone in report.zones if not may_use(report, zone)]
    return sum(_known(zone.free) + _known(zone.active_file) + _known(zone.inactive_file) for zone in others)


def _known(value: int | None) -> int:
    if value is None:
        raise Unknown("a zone line of the kernel report is not whole")
    return value


def total(report: Report, page_size: int | None, *names: str) -> int:
    """A sum of counters of the whole host, such as active_file and inactive_file.

    Taken from the lines under ``Mem-Info:``, or else from the zone lines where all of them print it.
    """
    if page_size is not None and all(name in report.totals for name in names):
        return sum(report.totals[name] for name in names) * page_size
    if not report.zones:
        raise Unknown(f"the kernel report does not print {names[0]}")
    return sum(_known(getattr(zone, name)) for zone in report.zones for name in names)


def memory(report: Report, page_size: int | None) -> int:
    """Memory of the host, as the report tells it."""
    ram, reserved = report.totals.get("pages_ram"), report.totals.get("pages_reserved")
    if page_size is not None and ram is not None and reserved is not None and ram > reserved:
        return (ram - reserved) * page_size
    if not report.zones:
        raise Unknown("the kernel report prints no zones")
    return sum(map(size_of, report.zones))


def min_free(report: Report, page_size: int | None) -> int:
    """What vm.min_free_kbytes was: the zones that serve the kernel share it out as their min marks.

    Unknown unless the zone lines account for all free memory of the report, for then none is missing.
    """
    if page_size is None or "free" not in report.totals:
        raise Unknown("the kernel report does not tell whether it prints all zones")
    free = report.totals["free"] * page_size
    if abs(sum(_known(zone.free) for zone in report.zones) - free) > free // 10:
        raise Unknown("the kernel report does not print all zones")
    return sum(_mark(zone) for zone in report.zones if zone.zone in LOWMEM)


def _mark(zone: ZoneLine) -> int:
    return _known(zone.min) - (zone.boost or 0)


def newest(reports: Iterable[Report], what: str) -> Report:
    """The last of some reports; Unknown when there is none."""
    found = tuple(reports)
    if not found:
        raise Unknown(f"the kernel log reports no {what}")
    return found[-1]
