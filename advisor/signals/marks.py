"""The marks of all zones together, as `watermark.NAME`; without the boost that the kernel adds for a while."""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.signals.counters import rate
from advisor.signals.host import size_of, zones
from advisor.signals.model import Value, signal
from advisor.signals.zones import OF_SIZE, before, free, free_least, mark
from advisor.watermarks import LOWMEM

if TYPE_CHECKING:
    from advisor.signals.view import View


def marks(view: View, name: str) -> int:
    """Σ of a mark over the zones, without boost, in pages."""
    return sum(mark(zone, name) for zone in zones(view))


@signal("watermark.min", "page", reads=("proc/zoneinfo min",), formula="Σ (min − boost)", also=("min watermark",))
def watermark_min(view: View) -> Value:
    """Sum of the min marks: the reserve for those who may not wait."""
    return float(marks(view, "min"))


@signal("watermark.low", "page", reads=("proc/zoneinfo low",), formula="Σ (low − boost)", also=("low watermark",))
def watermark_low(view: View) -> Value:
    """Sum of the low marks, at which kswapd wakes."""
    return float(marks(view, "low"))


@signal("watermark.high", "page", reads=("proc/zoneinfo high",), formula="Σ (high − boost)", also=("high watermark",))
def watermark_high(view: View) -> Value:
    """Sum of the high marks: memory that kswapd keeps free and nobody can use as cache."""
    return float(marks(view, "high"))


@signal("watermark.gap", "page", reads=("proc/zoneinfo min", "proc/zoneinfo low"), formula="Σ (low − min)")
def watermark_gap(view: View) -> Value:
    """How much tasks can allocate between waking kswapd and having to reclaim themselves."""
    return float(marks(view, "low") - marks(view, "min"))


@signal("watermark.high_share", "ratio", reads=("proc/zoneinfo high", "proc/zoneinfo managed"),
        formula="Σ (high − boost) / Σ managed")  # fmt: skip
def watermark_high_share(view: View) -> Value:
    """Share of memory that the high marks keep free."""
    return marks(view, "high") / sum(size_of(zone) for zone in zones(view))


@signal("watermark.free", "page", reads=("proc/zoneinfo nr_free_pages",), formula="Σ free")
def watermark_free(view: View) -> Value:
    """Free pages over all zones, read together with the marks."""
    return float(sum(free(zone) for zone in zones(view)))


@signal("watermark.free_least", "page", reads=("proc/zoneinfo nr_free_pages",),
        formula="the smaller Σ free of the first and the last sample")  # fmt: skip
def watermark_free_least(view: View) -> Value:
    """Free pages over all zones in that sample which had fewer."""
    start = sum(free(before(view, zone)) for zone in zones(view))
    return float(min(start, sum(free(zone) for zone in zones(view))))


@signal("watermark.zones_short", "", reads=("proc/zoneinfo nr_free_pages", "proc/zoneinfo high"),
        formula="zones from 64 MiB on with free < high in the first or the last sample")  # fmt: skip
def watermark_zones_short(view: View) -> Value:
    """Zones of size that had less free than kswapd wants, in one sample at least."""
    sizeable = (zone for zone in zones(view) if size_of(zone) >= OF_SIZE)
    return float(sum(free_least(view, zone) < mark(zone, "high") for zone in sizeable))


@signal("watermark.boost_least", "page", reads=("proc/zoneinfo boost",),
        formula="Σ of the smaller boost of the first and the last sample")  # fmt: skip
def watermark_boost_least(view: View) -> Value:
    """Pages that the marks were raised by at the beginning and the end of the window."""
    pairs = [(before(view, zone).boost, zone.boost) for zone in zones(view)]
    if any(boost is None for pair in pairs for boost in pair):
        raise Unknown("/proc/zoneinfo does not print the boost here")
    return float(sum(min(start or 0, end or 0) for start, end in pairs))


@signal("watermark.lowmem", "page", reads=("proc/zoneinfo managed",), formula="Σ managed of DMA, DMA32 and Normal")
def watermark_lowmem(view: View) -> Value:
    """Memory of the zones that serve the kernel itself, which vm.min_free_kbytes is taken from."""
    return float(sum(size_of(zone) for zone in zones(view) if zone.name in LOWMEM))


@signal("watermark.headroom", "s", reads=("proc/zoneinfo low", "proc/zoneinfo min", "proc/vmstat pgsteal_direct"),
        formula="watermark.gap / (rate.pgsteal_kswapd + rate.pgsteal_direct)")  # fmt: skip
def watermark_headroom(view: View) -> Value:
    """Seconds that the gap between low and min lasts when memory goes as fast as it was reclaimed."""
    speed = rate(view, "pgsteal_kswapd") + rate(view, "pgsteal_direct")
    if speed <= 0:
        raise Unknown("nothing was reclaimed in the window")
    return (marks(view, "low") - marks(view, "min")) / speed
