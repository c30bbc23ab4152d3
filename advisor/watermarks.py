"""The watermarks of every zone, as the kernel computes them when a setting is written.

The formula is `__setup_per_zone_wmarks()` of mm/page_alloc.c, in the kernel's own integer arithmetic, so
that a prediction is right to the page. Kernels differ in two points, and both are told by features:

* Without ``vm.watermark_scale_factor`` (before 4.6) the distances are a quarter and a half of min.
* ZONE_MOVABLE either shares ``min_free_kbytes`` with the other zones ("movable_as_lowmem", seen in 6.1) or
  gets a small min of its own, like ZONE_HIGHMEM ("movable_capped", seen in 6.12).

Everything is in pages unless a name says otherwise. Nothing here reads a file.
"""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING, Literal
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Variant = Literal["movable_capped", "movable_as_lowmem"]
Thp = Literal["always", "madvise", "never"]

VARIANTS: tuple[Variant, ...] = ("movable_capped", "movable_as_lowmem")

ZONE_ORDER = ("DMA", "DMA32", "Normal", "HighMem", "Movable", "Device")
"""Zone names from low to high, as in `enum zone_type` of include/linux/mmzone.h."""

LOWMEM = frozenset({"DMA", "DMA32", "Normal"})
"""Zones that serve the kernel itself: those up to ZONE_NORMAL."""

SCALE_DENOMINATOR = 10_000
"""watermark_scale_factor and watermark_boost_factor count ten-thousandths."""

# Bounds of min in a zone that does not serve the kernel: SWAP_CLUSTER_MAX and 128 pages (mm/page_alloc.c).
_CAPPED_MIN = (32, 128)


class ZoneInput(Record):
    """One zone as /proc/zoneinfo prints it; None where it prints nothing.

    Attributes:
        node: number of the NUMA node.
        name: ``DMA``, ``DMA32``, ``Normal``, ``HighMem``, ``Movable`` or ``Device``.
        managed: pages that the page allocator owns. All formulas rest on this, never on MemTotal.
        present: pages of memory there are, managed or not.
        free: free pages.
        boost: pages that min, low, high and promo are raised by for the moment.
        min: printed mark, boost included; likewise low, high, promo.
        low: see min.
        high: see min.
        promo: see min.
        protection: pages kept back from requests that could use a higher zone, one per zone; empty when
            not printed.
    """

    node: int
    name: str
    managed: int
    present: int | None = None
    free: int | None = None
    boost: int | None = None
    min: int | None = None
    low: int | None = None
    high: int | None = None
    promo: int | None = None
    protection: tuple[int, ...] = ()


class Settings(Record):
    """The settings that watermarks and reserves follow from.

    Attributes:
        min_free_kbytes: vm.min_free_kbytes, KiB.
        watermark_scale_factor: ten-thousandths of a zone; None on a kernel that has no such file.
        lowmem_reserve_ratio: divisors, lowest zone first; empty when unknown.
        watermark_boost_factor: ten-thousandths of high; None on a kernel that has no such file.
        thp: transparent_hugepage/enabled, or None without THP. Give the mode in effect: where the file
            says never but hugepages-2048kB/enabled is on, the kernel acts as for that one.
        page_size: bytes.
        pageblock_pages: pages of a pageblock ("Pages per block" of /proc/pagetypeinfo; as a rule the size
            of a huge page).
    """

    min_free_kbytes: int
    watermark_scale_factor: int | None = 10
    lowmem_reserve_ratio: tuple[int, ...] = ()
    watermark_boost_factor: int | None = None
    thp: Thp | None = None
    page_size: int = 4096
    pageblock_pages: int = 512

    @property
    def pages_min(self) -> int:
        """min_free_kbytes in whole pages.

        >>> Settings(67584).pages_min
        16896
        """
        return self.min_free_kbytes * 1024 // self.page_size


class Marks(Record):
    """The watermarks of a zone in pages, without boost; promo is None where the kernel has none."""

    node: int
    zone: str
    min: int
    low: int
    high: int
    promo: int | None

    @property
    def gap(self) -> int:
        """Pages between min and low: what may be allocated while kswapd gets going."""
        return self.low - self.min


def predict_marks(zones: Sequence[ZoneInput], settings: Settings, variant: Variant) -> tuple[Marks, ...]:
    """The marks of every zone after a write of these settings, in the order of `zones`.

    Source: `__setup_per_zone_wmarks()`, mm/page_alloc.c. A write also drops every boost.

    >>> zone = ZoneInput(0, "Normal", managed=1_000_000)
    >>> predict_marks([zone], Settings(67584), "movable_capped")
    (Marks(node=0, zone='Normal', min=16896, low=21120, high=25344, promo=29568),)
    """
    capped = [_is_capped(zone, zones, variant) for zone in zones]
    lowmem = sum(zone.managed for zone, is_capped in zip(zones, capped, strict=True) if not is_capped)
    return tuple(
        _marks(zone, settings.pages_min * zone.managed // max(1, lowmem), is_capped, settings)
        for zone, is_capped in zip(zones, capped, strict=True)
    )


def _marks(zone: ZoneInput, share: int, capped: bool, settings: Settings) -> Marks:
    # The distances come from the share also where min is capped.
    minimum = _capped_min(zone.managed) if capped else share
    scale = settings.watermark_scale_factor
    if scale is None:
        return Marks(zone.node, zone.name, minimum, minimum + share // 4, minimum + share // 2, None)
    # mult_frac(managed, scale, 10000) is the floor of the exact quotient.
    gap = max(share // 4, zone.managed * scale // SCALE_DENOMINATOR)
    without_promo = zone.high is not None and zone.promo is None
    promo = None if without_promo else minimum + 3 * gap
    return Marks(zone.node, zone.name, minimum, minimum + gap, minimum + 2 * gap, promo)


def _capped_min(managed: int) -> int:
    lowest, highest = _CAPPED_MIN
    return min(max(managed // 1024, lowest), highest)


def _is_capped(zone: ZoneInput, zones: Iterable[ZoneInput], variant: Variant) -> bool:
    # With high memory in the machine, ZONE_MOVABLE is taken from it and counts as such (is_highmem()).
    if zone.name != "Movable":
        return zone.name == "HighMem"
    return variant == "movable_capped" or any(z.name == "HighMem" and z.managed for z in zones)


def fitting_variant(zones: Sequence[ZoneInput], settings: Settings) -> Variant | None:
    """The variant of the formula that reproduces every printed mark, boost taken off.

    None means: the marks are not what a write would give now. That is no fault. At boot the kernel
    computes them before it has freed all of its own memory, so they differ by a few pages until somebody
    writes min_free_kbytes or watermark_scale_factor; hotplug in progress and vendor patches
    (extra_free_kbytes) show in the same way. `choose_variant` then goes by features.
    """
    if not any(_printed(zone) for zone in zones):
        return None
    for variant in VARIANTS:
        predicted = predict_marks(zones, settings, variant)
        if all(_offset(zone, marks, settings) is not None for zone, marks in zip(zones, predicted, strict=True)):
            return variant
    return None


def choose_variant(zones: Sequence[ZoneInput], settings: Settings) -> Variant:
    """The variant to predict with: the one that fits, else by features.

    A Movable zone tells by its own min, which does not depend on min_free_kbytes when it is capped (an
    empty one prints 32 then, and 0 otherwise). Without one both variants are the same; the printed promo
    mark decides, as kernels that print it cap.
    """
    fitting = fitting_variant(zones, settings)
    if fitting:
        return fitting
    movable = [zone for zone in zones if zone.name == "Movable" and zone.min is not None]
    if movable:
        capped = all((zone.min or 0) - (zone.boost or 0) == _capped_min(zone.managed) for zone in movable)
    else:
        capped = any(zone.promo is not None for zone in zones)
    return "movable_capped" if capped else "movable_as_lowmem"


def current_marks(zones: Sequence[ZoneInput], settings: Settings, variant: Variant) -> tuple[Marks, ...]:
    """The marks as printed, boost taken off; the predicted ones for a zone that prints none."""
    return tuple(
        _without_boost(zone, marks, settings)
        for zone, marks in zip(zones, predict_marks(zones, settings, variant), strict=True)
    )


def _without_boost(zone: ZoneInput, predicted: Marks, settings: Settings) -> Marks:
    if zone.min is None or zone.low is None or zone.high is None:
        return predicted
    boost = zone.boost if zone.boost is not None else (_offset(zone, predicted, settings) or 0)
    promo = None if zone.promo is None else zone.promo - boost
    return Marks(zone.node, zone.name, zone.min - boost, zone.low - boost, zone.high - boost, promo)


def _printed(zone: ZoneInput) -> tuple[int | None, ...]:
    marks = (zone.min, zone.low, zone.high, zone.promo)
    return () if all(mark is None for mark in marks) else marks


def _offset(zone: ZoneInput, predicted: Marks, settings: Settings) -> int | None:
    # By how much all printed marks exceed the prediction: the boost; None when they differ otherwise.
    wanted = (predicted.min, predicted.low, predicted.high, predicted.promo)
    pairs = zip(_printed(zone), wanted, strict=False)
    offsets = {seen - mark for seen, mark in pairs if seen is not None and mark is not None}
    if len(offsets) > 1:
        return None
    offset = offsets.pop() if offsets else (zone.boost or 0)
    if zone.boost is not None:
        return offset if offset == zone.boost else None
    return offset if 0 <= offset <= _largest_boost(zone, predicted, settings) else None


def _largest_boost(zone: ZoneInput, marks: Marks, settings: Settings) -> int:
    # boost_watermark(): the kernels from 5.0 up to 5.15 boost without printing it.
    if not settings.watermark_boost_factor or 4 * settings.pageblock_pages > zone.managed:
        return 0
    return max(settings.pageblock_pages, marks.high * settings.watermark_boost_factor // SCALE_DENOMINATOR)


def total_high(marks: Iterable[Marks]) -> int:
    """Pages that kswapd keeps free over all zones: the sum of high."""
    return sum(mark.high for mark in marks)


def total_gap(marks: Iterable[Marks]) -> int:
    """Pages between min and low over all zones: the buffer for bursts."""
    return sum(mark.gap for mark in marks)


def atomic_reserve(marks: Iterable[Marks]) -> int:
    """Pages below min that a request which cannot wait (GFP_ATOMIC) may still take.

    Such a request fails at 3/8 of min, so 5/8 of min of the zones up to Normal are its reserve. Source:
    `__zone_watermark_ok()`, mm/page_alloc.c. watermark_scale_factor does not enlarge it.

    >>> atomic_reserve([Marks(0, "Normal", 1600, 2000, 2400, None)])
    1000
    """
    return sum(_atomic_share(mark.min) for mark in marks if mark.zone in LOWMEM)


def _atomic_share(minimum: int) -> int:
    # min -= min / 2, then min -= min / 4, each rounded down as the kernel does.
    half = minimum - minimum // 2
    return minimum - (half - half // 4)


def seconds_of_headroom(gap_pages: float, pages_per_s: float) -> float | None:
    """For how long `gap_pages` last at an allocation rate, in seconds; None when nothing is allocated.

    >>> seconds_of_headroom(5000, 2500)
    2.0
    """
    return gap_pages / pages_per_s if pages_per_s > 0 else None
