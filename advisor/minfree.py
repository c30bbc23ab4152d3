"""What the kernel makes of vm.min_free_kbytes: its own default, the rule of THP, and a write.

Sources: `calculate_min_free_kbytes()` of mm/page_alloc.c and `set_recommended_min_free_kbytes()` of
mm/khugepaged.c. Values are in KiB where a name says kbytes, else in pages.
"""

from __future__ import annotations

import math

from advisor.hints import TYPE_CHECKING
from advisor.record import replace
from advisor.watermarks import LOWMEM, Settings, Thp, Variant, ZoneInput, atomic_reserve, predict_marks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AUTO_LOWEST = 128
"""The kernel's default never goes below this, KiB."""

AUTO_UPPER = 262_144
"""The kernel's default never exceeds this, KiB, from 5.8 on (where /proc/vmstat has pgscan_anon)."""

AUTO_UPPER_OLD = 65_536
"""The same bound on older kernels, KiB."""

# Pageblocks per zone: 2 for fragmentation avoidance, and MIGRATE_PCPTYPES squared to fall back to.
_THP_BLOCKS_PER_ZONE = 2 + 3 * 3
# "don't ever allow to reserve more than 5% of the lowmem".
_THP_LARGEST_SHARE = 20


def free_buffer_pages(zones: Iterable[ZoneInput]) -> int:
    """Pages above high in the zones up to Normal of all nodes: `nr_free_buffer_pages()`."""
    return sum(max(0, zone.managed - (zone.high or 0)) for zone in zones if zone.name in LOWMEM)


def auto_min_free_kbytes(zones: Iterable[ZoneInput], settings: Settings, upper: int = AUTO_UPPER) -> int:
    """The kernel's own default: four times the square root of low memory, in KiB.

    This is what it would compute now. The value set at boot is a little different, because the zones had
    no marks and less memory then.

    Args:
        zones: all zones.
        settings: for the page size.
        upper: AUTO_UPPER or AUTO_UPPER_OLD; they differ above 64 GiB of low memory only.

    >>> auto_min_free_kbytes([ZoneInput(0, "Normal", managed=4 << 20)], Settings(0))
    16384
    """
    lowmem_kbytes = free_buffer_pages(zones) * settings.page_size // 1024
    return min(max(math.isqrt(lowmem_kbytes * 16), AUTO_LOWEST), upper)


def thp_min_free_kbytes(zones: Sequence[ZoneInput], settings: Settings) -> int:
    """What the kernel raises min_free_kbytes to while THP is always or madvise, in KiB.

    11 pageblocks for each populated zone up to Normal, over all nodes, but at most 5 % of low memory.

    >>> zones = [ZoneInput(0, name, managed=1 << 20) for name in ("DMA", "DMA32", "Normal")]
    >>> thp_min_free_kbytes(zones, Settings(0))
    67584
    """
    populated = [zone.managed if zone.present is None else zone.present for zone in zones if zone.name in LOWMEM]
    pages = settings.pageblock_pages * _THP_BLOCKS_PER_ZONE * sum(pages > 0 for pages in populated)
    return min(pages, free_buffer_pages(zones) // _THP_LARGEST_SHARE) * settings.page_size // 1024


def effective_min_free_kbytes(
    zones: Sequence[ZoneInput],
    settings: Settings,
    requested: int | None = None,
    thp: Thp | None = None,
    upper: int = AUTO_UPPER,
) -> int | None:
    """vm.min_free_kbytes after switching THP to `thp` (if given) and then writing `requested` (if given).

    * A write is taken as it is, whatever its size; the only bound is ours.
    * Every write of transparent_hugepage/enabled applies the rule of THP: it raises, never lowers, and
      does not care for the administrator's value. So THP comes first and min_free_kbytes second.
    * Switching THP off computes the default again on kernels from 5.17 on, unless an administrator wrote
      a larger value since boot. Neither can be seen from outside.

    Returns:
        KiB, or None when it cannot be told: THP goes off while the value is above the default and
        nothing is written afterwards. Write min_free_kbytes after switching THP, then it is known.
    """
    if requested is not None:
        return requested
    if thp is None:
        return settings.min_free_kbytes
    if thp != "never":
        return max(settings.min_free_kbytes, thp_min_free_kbytes(zones, settings))
    auto = auto_min_free_kbytes(zones, settings, upper)
    return auto if settings.min_free_kbytes == auto else None


def min_free_for_atomic(
    zones: Sequence[ZoneInput], settings: Settings, need_pages: int, variant: Variant
) -> int | None:
    """The smallest vm.min_free_kbytes, KiB, that leaves `need_pages` to requests which cannot wait.

    About 8/5 of the need, since only 5/8 of min are within their reach. None when even all of the memory
    would not do.
    """
    kib_per_page = max(1, settings.page_size // 1024)

    def enough(pages_min: int) -> bool:
        tried = replace(settings, min_free_kbytes=pages_min * kib_per_page)
        return atomic_reserve(predict_marks(zones, tried, variant)) >= need_pages

    low, high = 0, sum(zone.managed for zone in zones)
    if not enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low * kib_per_page
