"""Which vm.watermark_scale_factor does something, and which gives a wanted gap.

The factor moves low and high only where `managed * factor / 10000` exceeds a quarter of the zone's share of
min_free_kbytes. On small hosts, or with a large min_free_kbytes, a small factor does nothing at all.
"""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.record import replace
from advisor.watermarks import (
    SCALE_DENOMINATOR,
    Marks,
    Settings,
    Variant,
    ZoneInput,
    predict_marks,
    total_gap,
    total_high,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def has_effect(zones: Sequence[ZoneInput], before: Settings, after: Settings, variant: Variant) -> bool:
    """Whether a write of `after` gives any zone other marks than a write of `before`."""
    return predict_marks(zones, before, variant) != predict_marks(zones, after, variant)


def smallest_effective_scale_factor(zones: Sequence[ZoneInput], settings: Settings, variant: Variant) -> int | None:
    """The smallest factor above the present one that moves a mark of any zone.

    It may exceed what the kernel accepts; the caller knows that bound. None on a kernel without the
    factor, or when no zone has memory.

    >>> zone = ZoneInput(0, "Normal", managed=1_000_000)
    >>> smallest_effective_scale_factor([zone], Settings(67584, watermark_scale_factor=10), "movable_capped")
    43
    """
    if settings.watermark_scale_factor is None:
        return None
    pairs = zip(zones, predict_marks(zones, settings, variant), strict=True)
    return min(
        (-(-(marks.gap + 1) * SCALE_DENOMINATOR // zone.managed) for zone, marks in pairs if zone.managed),
        default=None,
    )


def scale_factor_for_gap(
    zones: Sequence[ZoneInput], settings: Settings, gap_pages: int, variant: Variant
) -> int | None:
    """The smallest factor with which the gaps between min and low sum up to `gap_pages`.

    None on a kernel without the factor, or when even 10000 (all of the memory) is not enough.
    """
    return _first(zones, settings, variant, lambda marks: total_gap(marks) >= gap_pages)


def scale_factor_for_high(
    zones: Sequence[ZoneInput], settings: Settings, high_pages: int, variant: Variant
) -> int | None:
    """The largest factor with which the high marks sum up to no more than `high_pages`.

    None on a kernel without the factor, or when min_free_kbytes alone exceeds it.
    """
    above = _first(zones, settings, variant, lambda marks: total_high(marks) > high_pages)
    if above is None:
        return None if settings.watermark_scale_factor is None else SCALE_DENOMINATOR
    return above - 1 or None


def _first(
    zones: Sequence[ZoneInput],
    settings: Settings,
    variant: Variant,
    reached: Callable[[tuple[Marks, ...]], bool],
) -> int | None:
    # Marks never fall as the factor grows, so the first factor that reaches a goal is found by halving.
    if settings.watermark_scale_factor is None:
        return None

    def holds(factor: int) -> bool:
        return reached(predict_marks(zones, replace(settings, watermark_scale_factor=factor), variant))

    low, high = 1, SCALE_DENOMINATOR
    if not holds(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
