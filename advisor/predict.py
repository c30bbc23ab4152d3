"""What a change of settings would do to this host: marks, reserves, MemAvailable, values in effect.

Pure: zones, settings and counters in, numbers out. Sizes are in bytes, marks in pages. Changes are taken as
written in the order that a plan uses: THP, then min_free_kbytes, then the factor and the ratio.

    prediction = predict(zones, settings, memory, {"vm.watermark_scale_factor": 100})
    prediction.effect            "none", "changes" or "unknown"
    prediction.available_change  by how much MemAvailable changes, from worst to best
"""

from __future__ import annotations

from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING, Literal, cast
from advisor.memavailable import (
    MemoryCounters,
    current_protections,
    mem_available,
    mem_available_change,
    protections,
    totalreserve,
)
from advisor.minfree import AUTO_UPPER, auto_min_free_kbytes, effective_min_free_kbytes, thp_min_free_kbytes
from advisor.record import Record, replace
from advisor.scalefactor import smallest_effective_scale_factor
from advisor.watermarks import (
    Marks,
    Settings,
    Thp,
    Variant,
    ZoneInput,
    atomic_reserve,
    choose_variant,
    current_marks,
    fitting_variant,
    predict_marks,
    total_gap,
    total_high,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from advisor.tunables.model import Value

MIN_FREE = "vm.min_free_kbytes"
SCALE = "vm.watermark_scale_factor"
RATIO = "vm.lowmem_reserve_ratio"
THP = "thp.enabled"

# A write of these makes the kernel compute the marks anew, which after boot moves them by a few pages. A write of
# anything else leaves them as they are.
_RECOMPUTING = frozenset({THP, MIN_FREE, SCALE})

PREDICTED = (THP, MIN_FREE, SCALE, RATIO)
"""The settings that there is a formula for."""


class ZoneChange(Record):
    """What a change does to a zone, in pages.

    Attributes:
        managed: pages of the zone.
        before: the marks before, as printed, without boost.
        after: the marks afterwards; None: unknown.
        protection: pages kept back afterwards from requests that could use a higher zone, one number for each zone of
            the node; empty when there is nothing to compute them from.
    """

    managed: int
    before: Marks
    after: Marks | None
    protection: tuple[int, ...] = ()


class Effective(Record):
    """What the kernel makes of a setting.

    Attributes:
        setting: its name.
        requested: the value asked for; None when the kernel changes it along with another.
        value: the value in effect afterwards; None when it cannot be told.
        why: the reason, empty when the kernel takes the value as it is.
    """

    setting: str
    requested: Value | None
    value: Value | None
    why: str = ""


class Reserves(Record):
    """What is kept from applications, in bytes.

    Attributes:
        high: sum of the high marks: what kswapd keeps free.
        gap: sum of low less min: the buffer for bursts.
        atomic: what requests that cannot wait may take below min.
        available: MemAvailable; None without the counters.
    """

    high: int
    gap: int
    atomic: int
    available: int | None


class Prediction(Record):
    """What a change would do.

    Attributes:
        effect: "none" when no mark and no protection moves, "unknown" when there is no formula or the
            kernel's choice cannot be seen, else "changes".
        reason: why, one sentence.
        zones: marks of every zone before and after.
        effective: the settings asked for, and those that the kernel changes along with them.
        smallest_effective: the smallest watermark_scale_factor above the one in effect afterwards that
            moves a mark; None on a kernel without it.
        before: reserves now; available is what /proc/meminfo shows.
        after: reserves after the change; None when they cannot be told.
        available_change: change of MemAvailable in bytes, from worst to best; a point with the counters. None
            when it cannot be told.
        managed: managed memory in bytes.
        room: free memory and page cache in bytes, None without the counters.
        floor: vm.min_free_kbytes, KiB, that the kernel goes back to by itself: the larger of its own
            default and the rule of THP, where that is on afterwards.
        settings: settings after the change.
        variant: the formula used for ZONE_MOVABLE.
        exact: whether the printed marks are what a write of the present settings gives. False right after
            boot, when any write moves them by a few pages.
        warnings: what else there is to know, one sentence each.
        not_predicted: settings asked for that there is no formula for.
    """

    effect: Literal["none", "changes", "unknown"]
    reason: str
    zones: tuple[ZoneChange, ...]
    effective: tuple[Effective, ...]
    smallest_effective: int | None
    before: Reserves
    after: Reserves | None
    available_change: tuple[int, int] | None
    managed: int
    room: int | None
    floor: int
    settings: Settings
    variant: Variant
    exact: bool
    warnings: tuple[str, ...]
    not_predicted: tuple[str, ...]


def predict(
    zones: Sequence[ZoneInput],
    settings: Settings,
    memory: MemoryCounters | None,
    changes: Mapping[str, Value],
    *,
    auto_upper: int = AUTO_UPPER,
) -> Prediction:
    """What writing `changes` would do to a host.

    Args:
        zones: all zones as printed.
        settings: the settings now.
        memory: counters of the same moment, or None: then the change of MemAvailable is a range.
        changes: values by name, each in the setting's own unit, as `parse_value` gives them.
        auto_upper: the kernel's bound on its own default, see `advisor.minfree`.

    Raises:
        AdvisorError: a value is of the wrong type or negative.
    """
    after, effective = _write(zones, settings, changes, auto_upper)
    variant = choose_variant(zones, settings)
    marks = current_marks(zones, settings, variant)
    known = not any(item.setting == MIN_FREE and item.value is None for item in effective)
    written = bool(changes.keys() & _RECOMPUTING)
    new_marks = predict_marks(zones, after, variant) if written else marks
    # The kernel counts boost in the low marks of MemAvailable, and a write of the marks drops it.
    low = sum(mark.low if zone.low is None else zone.low for zone, mark in zip(zones, marks, strict=True))
    rows = current_protections(zones, settings.lowmem_reserve_ratio)
    now = _State(marks, totalreserve(zones, marks, rows), low)
    kept_back = _rows_after(zones, after)
    new_reserve = totalreserve(zones, new_marks, kept_back)
    then = _State(new_marks, new_reserve, sum(mark.low for mark in new_marks) if written else low)
    not_predicted = tuple(name for name in changes if name not in PREDICTED)
    effect, reason = _effect(zones, (settings, after), variant, effective, not_predicted)
    exact = fitting_variant(zones, settings) is not None
    page = settings.page_size
    return Prediction(
        effect=effect,
        reason=reason,
        zones=tuple(
            ZoneChange(zone.managed, old, new if known else None, row)
            for zone, old, new, row in zip(zones, marks, new_marks, kept_back, strict=True)
        ),
        effective=effective,
        smallest_effective=smallest_effective_scale_factor(zones, after, variant),
        before=_reserves(now, page, memory),
        after=_reserves(then, page, memory) if known else None,
        available_change=_available_change(now, then, page, memory) if known else None,
        managed=sum(zone.managed for zone in zones) * page,
        room=None if memory is None else (memory.free + memory.page_cache) * page,
        floor=max(_floors(zones, after, auto_upper)),
        settings=after,
        variant=variant,
        exact=exact,
        warnings=tuple(_warnings(zones, after, changes, auto_upper, exact=exact)),
        not_predicted=not_predicted,
    )


class _State(Record):
    """Marks, and the two sums that MemAvailable depends on, in pages."""

    marks: tuple[Marks, ...]
    reserve: int
    low: int


def _available_change(now: _State, then: _State, page: int, memory: MemoryCounters | None) -> tuple[int, int]:
    worst, best = mem_available_change((now.reserve, then.reserve), (now.low, then.low), memory)
    return worst * page, best * page


def _write(
    zones: Sequence[ZoneInput], settings: Settings, changes: Mapping[str, Value], auto_upper: int
) -> tuple[Settings, tuple[Effective, ...]]:
    thp = _thp(changes)
    requested = _number(changes, MIN_FREE)
    min_free = effective_min_free_kbytes(zones, settings, requested, thp, auto_upper)
    effective = []
    if thp is not None:
        effective.append(Effective(THP, thp, thp))
    if requested is not None:
        effective.append(Effective(MIN_FREE, requested, requested))
    elif min_free is None:
        why = "switching THP off recomputes it on some kernels only; write it afterwards"
        effective.append(Effective(MIN_FREE, None, None, why))
    elif min_free != settings.min_free_kbytes:
        effective.append(Effective(MIN_FREE, None, min_free, "THP raises it"))
    after = replace(
        settings,
        min_free_kbytes=settings.min_free_kbytes if min_free is None else min_free,
        thp=thp or settings.thp,
        lowmem_reserve_ratio=_ratio(changes, settings),
    )
    if RATIO in changes:
        effective.append(Effective(RATIO, changes[RATIO], after.lowmem_reserve_ratio))
    factor = _number(changes, SCALE)
    if factor is not None and settings.watermark_scale_factor is None:
        effective.append(Effective(SCALE, factor, None, "this kernel has no such setting"))
    elif factor is not None:
        after = replace(after, watermark_scale_factor=factor)
        effective.append(Effective(SCALE, factor, factor))
    return after, tuple(effective)


def _number(changes: Mapping[str, Value], name: str) -> int | None:
    value = changes.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise AdvisorError(f"{name} cannot be {value!r}", "a whole number, 0 or more")
    return value


def _thp(changes: Mapping[str, Value]) -> Thp | None:
    value = changes.get(THP)
    if value not in {None, "always", "madvise", "never"}:
        raise AdvisorError(f"{THP} cannot be {value!r}", "one of always, madvise, never")
    return cast("Thp | None", value)


def _ratio(changes: Mapping[str, Value], settings: Settings) -> tuple[int, ...]:
    value = changes.get(RATIO, settings.lowmem_reserve_ratio)
    if not isinstance(value, tuple):
        raise AdvisorError(f"{RATIO} cannot be {value!r}", "one number for each zone")
    # The kernel keeps what was there for zones that a shorter list leaves out.
    return value + settings.lowmem_reserve_ratio[len(value) :]


def _rows_after(zones: Sequence[ZoneInput], settings: Settings) -> tuple[tuple[int, ...], ...]:
    # Reading lowmem_reserve_ratio is enough to have the protections computed anew, so where it is known
    # the printed ones no longer count.
    ratio = settings.lowmem_reserve_ratio
    return protections(zones, ratio) if ratio else current_protections(zones, ratio)


def _reserves(state: _State, page: int, memory: MemoryCounters | None) -> Reserves:
    available = None if memory is None else mem_available(memory, state.reserve, state.low) * page
    marks = state.marks
    return Reserves(total_high(marks) * page, total_gap(marks) * page, atomic_reserve(marks) * page, available)


def _effect(
    zones: Sequence[ZoneInput],
    settings: tuple[Settings, Settings],
    variant: Variant,
    effective: Sequence[Effective],
    not_predicted: Sequence[str],
) -> tuple[Literal["none", "changes", "unknown"], str]:
    before, after = settings
    unknown = next((item for item in effective if item.setting == MIN_FREE and item.value is None), None)
    if unknown:
        return "unknown", f"{MIN_FREE}: {unknown.why}"
    if predict_marks(zones, before, variant) != predict_marks(zones, after, variant):
        return "changes", "the marks move"
    if protections(zones, before.lowmem_reserve_ratio) != protections(zones, after.lowmem_reserve_ratio):
        return "changes", "the protection of low zones moves"
    if not_predicted:
        return "unknown", f"there is no formula for {', '.join(not_predicted)}"
    return "none", _why_none(zones, before, after, variant, effective)


def _why_none(
    zones: Sequence[ZoneInput],
    before: Settings,
    after: Settings,
    variant: Variant,
    effective: Sequence[Effective],
) -> str:
    missing = [item for item in effective if item.value is None]
    if missing:
        return f"{missing[0].setting}: {missing[0].why}"
    smallest = smallest_effective_scale_factor(zones, after, variant)
    if before.watermark_scale_factor != after.watermark_scale_factor and smallest is not None:
        return f"no mark of any zone moves; the smallest {SCALE} that moves one is {smallest}"
    if replace(before, thp=after.thp) == after:
        return "these values are in effect already"
    return "no mark of any zone moves by a page"


def _floors(zones: Sequence[ZoneInput], settings: Settings, auto_upper: int) -> tuple[int, int]:
    # What the kernel's own default and THP ask for; 0 where THP asks for nothing.
    thp = thp_min_free_kbytes(zones, settings) if settings.thp in {"always", "madvise"} else 0
    return auto_min_free_kbytes(zones, settings, auto_upper), thp


def _warnings(
    zones: Sequence[ZoneInput],
    after: Settings,
    changes: Mapping[str, Value],
    auto_upper: int,
    *,
    exact: bool,
) -> list[str]:
    found = []
    auto, thp = _floors(zones, after, auto_upper)
    if MIN_FREE in changes and after.min_free_kbytes < thp:
        found.append(f"the kernel raises {MIN_FREE} to {thp} KiB when THP is next written, or memory is added")
    elif MIN_FREE in changes and after.min_free_kbytes < auto:
        found.append(f"the kernel raises {MIN_FREE} to its default of {auto} KiB when memory is added")
    boost = sum(zone.boost or 0 for zone in zones)
    if boost and changes.keys() & {MIN_FREE, SCALE, THP}:
        found.append(f"the write drops a boost of {boost} pages")
    if not exact and any(zone.min is not None for zone in zones):
        found.append("the printed marks are not what a write gives, as after boot: any write moves them a little")
    return found
