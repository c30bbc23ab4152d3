"""What the kernel's own formulas make of this host: inputs for prediction, and the signals that follow from it."""

from __future__ import annotations

from advisor.errors import AdvisorError, Unknown
from advisor.hints import TYPE_CHECKING
from advisor.memavailable import MemoryCounters
from advisor.minfree import AUTO_UPPER, AUTO_UPPER_OLD, auto_min_free_kbytes, thp_min_free_kbytes
from advisor.parse import zoneinfo
from advisor.record import replace
from advisor.scalefactor import smallest_effective_scale_factor
from advisor.signals.host import huge_page_size, managed, page_size, pageblock_pages, size_of, zones
from advisor.signals.model import Value, signal
from advisor.signals.settings import current
from advisor.signals.zones import OF_SIZE, check_marks
from advisor.tunables import HostFacts, features_of, get
from advisor.watermarks import (
    LOWMEM,
    Marks,
    Settings,
    Thp,
    ZoneInput,
    choose_variant,
    current_marks,
    fitting_variant,
    predict_marks,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from advisor.signals.view import View

# Without files that tell, what x86 and most of arm64 have: 2 MiB blocks of 4 KiB pages.
_USUAL_PAGEBLOCK = 512
_USUAL_HUGE_PAGE = 2 << 20


def zone_inputs(view: View) -> tuple[ZoneInput, ...]:
    """Every zone, empty ones included, as the formulas want them."""
    return view.once("zone_inputs", lambda: _zone_inputs(view))


def _zone_inputs(view: View) -> tuple[ZoneInput, ...]:
    zones(view)  # refuses a damaged file: a prediction without one of the zones is wrong for all
    return tuple(map(_zone_input, view.after("proc/zoneinfo", zoneinfo.parse).zones))


def _zone_input(zone: zoneinfo.Zone) -> ZoneInput:
    check_marks(zone)
    return ZoneInput(
        zone.node,
        zone.name,
        size_of(zone),
        zone.present,
        zone.free,
        zone.boost,
        zone.min,
        zone.low,
        zone.high,
        zone.promo,
        zone.protection,
    )


def _current(view: View, name: str) -> Value | tuple[int, ...]:
    """A setting as it is now, None when this kernel does not have it; Unknown when the file is damaged."""
    try:
        return current(view, get(name))
    except Unknown:
        if view.capture.text(get(name).path) is not None:
            raise
        return None


def _number(view: View, name: str) -> int | None:
    value = _current(view, name)
    return value if isinstance(value, int) else None


def settings(view: View) -> Settings:
    """The settings that marks and reserves follow from, as they are now."""
    return view.once("settings", lambda: _settings(view))


def _settings(view: View) -> Settings:
    min_free = current(view, get("vm.min_free_kbytes"))
    assert isinstance(min_free, int)
    ratio = _current(view, "vm.lowmem_reserve_ratio")
    return Settings(
        min_free,
        _number(view, "vm.watermark_scale_factor"),
        ratio if isinstance(ratio, tuple) else (),
        _number(view, "vm.watermark_boost_factor"),
        _thp(view),
        page_size(view),
        _or(lambda: pageblock_pages(view), _USUAL_PAGEBLOCK),
    )


def _or(compute: Callable[[], int], otherwise: int) -> int:
    try:
        return compute()
    except Unknown:
        return otherwise


def _thp(view: View) -> Thp | None:
    """Mode of transparent huge pages, or None where the kernel has none."""
    return _current(view, "thp.enabled")  # type: ignore[return-value]


def memory_counters(view: View) -> MemoryCounters | None:
    """The counters that MemAvailable is made of; None when one is missing."""
    values = view.vmstat
    try:
        return MemoryCounters(
            values["nr_free_pages"],
            values["nr_active_file"],
            values["nr_inactive_file"],
            values["nr_slab_reclaimable"],
            values.get("nr_kernel_misc_reclaimable", 0),
        )
    except KeyError:
        return None


def features(view: View) -> frozenset[str]:
    """What this kernel has, as bounds of settings ask for it."""
    printed = {"promo"} if any(zone.promo is not None for zone in zone_inputs(view)) else set()
    return features_of(view.capture.paths(), view.vmstat, printed)


def features_told(view: View) -> frozenset[str]:
    """The same as far as a capture without zones tells."""
    try:
        return features(view)
    except Unknown:
        return frozenset(view.capture.paths())


def auto_upper(view: View) -> int:
    """The kernel's bound on its own vm.min_free_kbytes, KiB: it rose in v5.8, which also brought pgscan_anon.

    Without /proc/vmstat the lower bound is taken: it claims less.
    """
    try:
        return AUTO_UPPER if "pgscan_anon" in view.vmstat else AUTO_UPPER_OLD
    except Unknown:
        return AUTO_UPPER_OLD


def host_facts(view: View) -> HostFacts:
    """What limits on settings depend on."""
    zones, now = zone_inputs(view), settings(view)
    return HostFacts(
        managed(view),
        page_size(view),
        len({zone.node for zone in zones if zone.managed}),
        _auto_min_free(view),
        _thp_min_free(view) if now.thp in {"always", "madvise"} else None,
        _or(lambda: huge_page_size(view), _USUAL_HUGE_PAGE),
        features(view),
    )


def facts_told(view: View) -> HostFacts | None:
    """The same, or None where the capture does not tell."""
    try:
        return host_facts(view)
    except Unknown:
        return None


@signal("watermark.auto_min_free", "B", reads=("proc/zoneinfo managed",),
        formula="4 × √(Σ (managed − high) of the zones up to Normal, in KiB), "
                "from 128 KiB to 256 MiB (64 MiB before v5.8)")  # fmt: skip
def auto_min_free(view: View) -> Value:
    """What the kernel itself would choose for vm.min_free_kbytes on this host, without huge pages."""
    return _auto_min_free(view) * 1024.0


def _auto_min_free(view: View) -> int:
    """The kernel's default as at boot: the zones have no marks yet, whatever they were set to since, in KiB."""
    bare = [replace(zone, high=0) for zone in zone_inputs(view)]
    return auto_min_free_kbytes(bare, settings(view), auto_upper(view))


def _thp_min_free(view: View) -> int:
    """The rule of huge pages as at boot: on top of the marks that the kernel's default gives, in KiB."""
    zones, now = zone_inputs(view), settings(view)
    marks = predict_marks(zones, replace(now, min_free_kbytes=_auto_min_free(view)), choose_variant(zones, now))
    booted = [replace(zone, high=mark.high) for zone, mark in zip(zones, marks, strict=True)]
    return thp_min_free_kbytes(booted, now)


@signal("watermark.thp_min_free", "B", reads=("proc/zoneinfo managed", "sys/kernel/mm/transparent_hugepage/enabled"),
        formula="11 pageblocks for each zone up to Normal, at most 5 % of these zones")  # fmt: skip
def thp_min_free(view: View) -> Value:
    """What transparent huge pages raise vm.min_free_kbytes to, each time their mode is written."""
    return _thp_min_free(view) * 1024.0


@signal("watermark.default_min_free", "B",
        reads=("proc/zoneinfo managed", "sys/kernel/mm/transparent_hugepage/enabled"),
        formula="the larger of watermark.auto_min_free and, unless thp.enabled is never, watermark.thp_min_free",
        )  # fmt: skip
def default_min_free(view: View) -> Value:
    """What vm.min_free_kbytes would be by now if nobody had ever written it."""
    now, least = settings(view), _auto_min_free(view)
    if now.thp in {"always", "madvise"}:
        least = max(least, _thp_min_free(view))
    return least * 1024.0


@signal("watermark.effective_scale_factor", "", reads=("proc/zoneinfo managed", "proc/sys/vm/min_free_kbytes"),
        formula="the smallest factor above the present one that moves a mark of any zone")  # fmt: skip
def effective_scale_factor(view: View) -> Value:
    """Below this vm.watermark_scale_factor nothing changes: a quarter of the min mark sets the gap."""
    zones, now = zone_inputs(view), settings(view)
    factor = smallest_effective_scale_factor(zones, now, choose_variant(zones, now))
    if factor is None:
        raise Unknown("this kernel has no vm.watermark_scale_factor")
    return float(factor)


@signal("watermark.floor_sets_gap", "bool", reads=("proc/zoneinfo managed", "proc/sys/vm/watermark_scale_factor"),
        formula="in every zone up to Normal: managed × watermark_scale_factor / 10000 ≤ min / 4")  # fmt: skip
def floor_sets_gap(view: View) -> Value:
    """Whether vm.watermark_scale_factor has no effect at all, since a quarter of the min marks is more."""
    now = settings(view)
    if now.watermark_scale_factor is None:
        raise Unknown("this kernel has no vm.watermark_scale_factor")
    lowmem = sum(zone.managed for zone in zone_inputs(view) if zone.name in LOWMEM)
    if not lowmem:
        raise Unknown("/proc/zoneinfo shows no zone with memory")
    return now.watermark_scale_factor * lowmem * 4 <= 10000 * now.pages_min


@signal("watermark.matches_formula", "bool", reads=("proc/zoneinfo min", "proc/sys/vm/min_free_kbytes"),
        formula="min, low, high of every zone are what a write would give now")  # fmt: skip
def matches_formula(view: View) -> Value:
    """Whether the marks are what the kernel's formula gives for the present settings.

    At boot they differ by a few pages until somebody writes one of the settings; that is no fault.
    """
    try:
        return fitting_variant(zone_inputs(view), settings(view)) is not None
    except AdvisorError as error:
        raise Unknown(error.message) from None


@signal("watermark.deviation", "ratio", reads=("proc/zoneinfo min", "proc/sys/vm/min_free_kbytes"),
        formula="largest |printed − computed| / computed of min, low and high, in zones from 64 MiB on")  # fmt: skip
def deviation(view: View) -> Value:
    """How far the marks are from what the kernel's formula gives for the present settings.

    A few percent are left from boot, until somebody writes one of the settings.
    """
    zones, now = zone_inputs(view), settings(view)
    variant = choose_variant(zones, now)
    pairs = zip(zones, current_marks(zones, now, variant), predict_marks(zones, now, variant), strict=True)
    off = [
        _apart(printed, computed)
        for zone, printed, computed in pairs
        if zone.managed >= OF_SIZE and zone.min is not None
    ]
    if not off:
        raise Unknown("/proc/zoneinfo prints no marks of a zone of size")
    return max(off)


def _apart(printed: Marks, computed: Marks) -> float:
    """Largest distance between the same mark of both, as a share of the computed one."""
    pairs = ((printed.min, computed.min), (printed.low, computed.low), (printed.high, computed.high))
    return max(abs(one - other) / max(1, other) for one, other in pairs)
