"""Zones: `zone.NAME` for each zone with memory.

Marks are given without the boost that the kernel adds for a while (mm/page_alloc.c boost_watermark), so that
they are what the settings ask for; `zone.boost` says what is on top.
"""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.parse import buddyinfo, zoneinfo
from advisor.signals.compaction import huge_order, unusable
from advisor.signals.host import resized, size_of, zones
from advisor.signals.model import Entity, Value, entities, signal
from advisor.signals.reclaim import MIN_PAGES
from advisor.watermarks import LOWMEM, ZONE_ORDER

if TYPE_CHECKING:
    from advisor.signals.view import View

# A zone of fewer pages (64 MiB of 4 KiB) holds too little for its marks to matter to the node: ZONE_DMA.
OF_SIZE = 16384

# Names of zones within counters of /proc/vmstat (mm/vmstat.c TEXTS_FOR_ZONES).
_IN_COUNTERS = {"DMA": "dma", "DMA32": "dma32", "Normal": "normal", "HighMem": "high", "Movable": "movable"}


@entities("zone")
def zone_entities(view: View) -> tuple[Entity, ...]:
    """Every zone with memory: "node 0 Normal"."""
    return tuple(Entity(f"node {zone.node} {zone.name}", zone) for zone in zones(view))


def mark(zone: zoneinfo.Zone, name: str) -> int:
    """A mark of a zone without the boost that is on top for a while, in pages."""
    value: int | None = getattr(zone, name)
    if value is None:
        raise Unknown(f"/proc/zoneinfo has no {name} for node {zone.node} {zone.name} here")
    check_marks(zone)
    return value - (zone.boost or 0)


def check_marks(zone: zoneinfo.Zone) -> None:
    """Raise Unknown when the marks of a zone are none: min, low and high rise, and boost is a part of each."""
    known = [each for each in (zone.boost or 0, zone.min, zone.low, zone.high) if each is not None]
    if known != sorted(known):
        raise Unknown(f"/proc/zoneinfo: the marks of node {zone.node} {zone.name} contradict each other")


def free(zone: zoneinfo.Zone) -> int:
    """Free pages of a zone."""
    if zone.free is None:
        raise Unknown(f"/proc/zoneinfo has no free pages for node {zone.node} {zone.name}")
    return zone.free


def free_least(view: View, zone: zoneinfo.Zone) -> int:
    """Free pages of a zone in that of two samples which had fewer."""
    return min(free(zone), free(before(view, zone)))


@signal("zone.name", "text", scope="zone", reads=("proc/zoneinfo",))
def zone_name(view: View, zone: zoneinfo.Zone) -> Value:
    """Name of the zone: DMA, DMA32, Normal, HighMem, Movable, Device."""
    return zone.name


@signal("zone.lowmem", "bool", scope="zone", reads=("proc/zoneinfo",))
def zone_lowmem(view: View, zone: zoneinfo.Zone) -> Value:
    """Whether any kernel allocation may use the zone: not Movable, HighMem or Device."""
    return zone.name in LOWMEM


@signal("zone.free", "page", scope="zone", reads=("proc/zoneinfo nr_free_pages",))
def zone_free(view: View, zone: zoneinfo.Zone) -> Value:
    """Free pages of the zone."""
    return float(free(zone))


@signal("zone.free_least", "page", scope="zone", reads=("proc/zoneinfo nr_free_pages",),
        formula="the smaller of the first and the last sample; the only one where there is one")  # fmt: skip
def zone_free_least(view: View, zone: zoneinfo.Zone) -> Value:
    """Free pages of the zone in that sample which had fewer."""
    return float(free(zone) if view.since_boot else free_least(view, zone))


@signal("zone.free_most", "page", scope="zone", reads=("proc/zoneinfo nr_free_pages",),
        formula="the larger of the first and the last sample")  # fmt: skip
def zone_free_most(view: View, zone: zoneinfo.Zone) -> Value:
    """Free pages of the zone in that sample which had more."""
    return float(max(free(zone), free(before(view, zone))))


def before(view: View, zone: zoneinfo.Zone) -> zoneinfo.Zone:
    """The same zone in the first sample; Unknown when memory came or went in between."""
    if resized(view):
        raise Unknown("memory was added or taken away within the window", "measure again")
    for other in view.before("proc/zoneinfo", zoneinfo.parse).zones:
        if (other.node, other.name) == (zone.node, zone.name):
            return other
    raise Unknown(f"the first sample has no zone {zone.name} on node {zone.node}")


@signal("zone.min", "page", scope="zone", reads=("proc/zoneinfo min",), formula="min − boost", also=("watermark",))
def zone_min(view: View, zone: zoneinfo.Zone) -> Value:
    """Mark below which tasks must reclaim themselves before they get memory (direct reclaim)."""
    return float(mark(zone, "min"))


@signal("zone.low", "page", scope="zone", reads=("proc/zoneinfo low",), formula="low − boost", also=("watermark",))
def zone_low(view: View, zone: zoneinfo.Zone) -> Value:
    """Mark below which kswapd is woken."""
    return float(mark(zone, "low"))


@signal(
    "zone.high",
    "page",
    scope="zone",
    reads=("proc/zoneinfo high",),
    formula="high − boost",
    also=("watermark",),
)
def zone_high(view: View, zone: zoneinfo.Zone) -> Value:
    """Mark at which kswapd goes back to sleep."""
    return float(mark(zone, "high"))


@signal("zone.boost", "page", scope="zone", reads=("proc/zoneinfo boost",))
def zone_boost(view: View, zone: zoneinfo.Zone) -> Value:
    """Pages that the kernel added to the marks after a pageblock was stolen; goes back by itself."""
    if zone.boost is None:
        raise Unknown("/proc/zoneinfo does not print the boost here")
    return float(zone.boost)


@signal("zone.boost_before", "page", scope="zone", reads=("proc/zoneinfo boost",))
def zone_boost_before(view: View, zone: zoneinfo.Zone) -> Value:
    """Boost of the marks when the window began."""
    boost = before(view, zone).boost
    if boost is None:
        raise Unknown("/proc/zoneinfo does not print the boost here")
    return float(boost)


@signal("zone.managed", "page", scope="zone", reads=("proc/zoneinfo managed",))
def zone_managed(view: View, zone: zoneinfo.Zone) -> Value:
    """Pages that the allocator manages in the zone."""
    return float(size_of(zone))


@signal("zone.protection", "page", scope="zone", reads=("proc/zoneinfo protection",),
        formula="largest entry of protection")  # fmt: skip
def zone_protection(view: View, zone: zoneinfo.Zone) -> Value:
    """Pages that the zone keeps from requests which could use a higher zone (vm.lowmem_reserve_ratio)."""
    return float(max(zone.protection, default=0))


@signal("zone.share_of_node", "ratio", scope="zone", reads=("proc/zoneinfo managed",),
        formula="managed / Σ managed of the node")  # fmt: skip
def zone_share_of_node(view: View, zone: zoneinfo.Zone) -> Value:
    """Share of its node's memory that the zone has."""
    return size_of(zone) / sum(size_of(other) for other in zones(view) if other.node == zone.node)


@signal("zone.file", "page", scope="zone", reads=("proc/zoneinfo nr_zone_active_file",),
        formula="nr_zone_active_file + nr_zone_inactive_file (without _zone before v4.8)")  # fmt: skip
def zone_file(view: View, zone: zoneinfo.Zone) -> Value:
    """Page cache of the zone that reclaim can take."""
    for prefix in ("nr_zone_", "nr_"):
        parts = [zone.stats.get(f"{prefix}{which}_file") for which in ("active", "inactive")]
        if parts[0] is not None and parts[1] is not None:
            return float(parts[0] + parts[1])
    raise Unknown("/proc/zoneinfo does not print file pages by zone here")


def _scanned(view: View) -> dict[str, int]:
    """Pages that kswapd looked at, by name of the zone; empty on kernels after v4.7, which count by node."""
    view.check_same_boot()
    found = {}
    for zone, suffix in _IN_COUNTERS.items():
        key = f"pgscan_kswapd_{suffix}"
        if key in view.vmstat:
            start = 0 if view.since_boot else view.vmstat_before.get(key)
            if start is None or start > view.vmstat[key]:
                raise Unknown(f"{key} of the two samples cannot be compared")
            found[zone] = view.vmstat[key] - start
    return found


@signal("zone.kswapd_share", "ratio", scope="zone", reads=("proc/vmstat pgscan_kswapd_normal",),
        formula="Δpgscan_kswapd_ZONE / Σ Δpgscan_kswapd_… (kernels up to v4.7 count by zone)")  # fmt: skip
def zone_kswapd_share(view: View, zone: zoneinfo.Zone) -> Value:
    """Share of kswapd's scanning that went to zones of this name."""
    by_zone = _scanned(view)
    if zone.name not in by_zone:
        raise Unknown("/proc/vmstat does not count scans by zone here")
    everywhere = sum(by_zone.values())
    if everywhere < MIN_PAGES:
        raise Unknown(f"kswapd scanned fewer than {MIN_PAGES} pages in the window", "take a longer window under load")
    return by_zone[zone.name] / everywhere


def _place(zone: zoneinfo.Zone) -> int:
    if zone.name not in ZONE_ORDER:
        raise Unknown(f"the zone {zone.name} is not known here")
    return ZONE_ORDER.index(zone.name)


def _slack(view: View, zone: zoneinfo.Zone, *, lower: bool) -> float:
    """Largest (free − protection) / high of the lower, or of the higher, zones of size of the same node."""
    slacks = [0.0]
    for other in zones(view):
        wanted = _place(other) < _place(zone) if lower else _place(other) > _place(zone)
        if other.node == zone.node and wanted and size_of(other) >= OF_SIZE:
            slacks.append((free(other) - max(other.protection, default=0)) / mark(other, "high"))
    return max(slacks)


@signal("zone.lower_slack", "", scope="zone", reads=("proc/zoneinfo nr_free_pages", "proc/zoneinfo high"),
        formula="largest (free − protection) / high of the node's lower zones from 64 MiB on, or 0",
        also=("preferred zone",))  # fmt: skip
def zone_lower_slack(view: View, zone: zoneinfo.Zone) -> Value:
    """How far above its high mark the roomiest lower zone is, which any request for this zone may use instead."""
    return _slack(view, zone, lower=True)


@signal("zone.higher_slack", "", scope="zone", reads=("proc/zoneinfo nr_free_pages", "proc/zoneinfo high"),
        formula="largest (free − protection) / high of the node's higher zones from 64 MiB on, or 0")  # fmt: skip
def zone_higher_slack(view: View, zone: zoneinfo.Zone) -> Value:
    """How far above its high mark the roomiest higher zone is, which requests bound to this zone cannot use."""
    return _slack(view, zone, lower=False)


@signal("zone.alone_short", "bool", scope="zone", reads=("proc/zoneinfo nr_free_pages", "proc/zoneinfo high"),
        formula="free < high in both samples, and in neither in the node's other zones from 64 MiB on")  # fmt: skip
def zone_alone_short(view: View, zone: zoneinfo.Zone) -> Value:
    """Whether this zone alone of its node can be what keeps kswapd at work, where scans are not counted by zone."""
    if max(free(zone), free(before(view, zone))) >= mark(zone, "high"):
        return False
    others = (z for z in zones(view) if z.node == zone.node and z.name != zone.name and size_of(z) >= OF_SIZE)
    return all(free_least(view, other) >= mark(other, "high") for other in others)


@signal("zone.unreclaimable", "bool", scope="zone", reads=("proc/zoneinfo node_unreclaimable",),
        also=("all_unreclaimable",))  # fmt: skip
def zone_unreclaimable(view: View, zone: zoneinfo.Zone) -> Value:
    """Whether kswapd has given the node up after 16 rounds without success; all reclaim is direct then."""
    if zone.unreclaimable is None:
        raise Unknown("/proc/zoneinfo does not say whether the node is unreclaimable here")
    return zone.unreclaimable


@signal("zone.drift", "page", scope="zone", reads=("proc/zoneinfo vm stats threshold", "proc/stat cpu"),
        formula="processors × vm stats threshold")  # fmt: skip
def zone_drift(view: View, zone: zoneinfo.Zone) -> Value:
    """How far the free counter may be off, since each processor keeps its own share of it."""
    if zone.stat_threshold is None or not zone.pagesets_count:
        raise Unknown("/proc/zoneinfo does not print the per-processor threshold here")
    return float(zone.stat_threshold * zone.pagesets_count)


def _blocks(view: View, zone: zoneinfo.Zone) -> tuple[int, ...]:
    for line in view.after("proc/buddyinfo", buddyinfo.parse).zones:
        if (line.node, line.zone) == (zone.node, zone.name):
            return line.blocks
    raise Unknown(f"/proc/buddyinfo has no zone {zone.name} on node {zone.node}")


@signal("zone.unusable_huge", "ratio", scope="zone", reads=("proc/buddyinfo",),
        formula="(F − S·2^o) / F, o the order of a huge page")  # fmt: skip
def zone_unusable_huge(view: View, zone: zoneinfo.Zone) -> Value:
    """Share of the zone's free memory that is in blocks too small for a huge page."""
    return unusable(_blocks(view, zone), huge_order(view))


@signal("zone.unusable_order1", "ratio", scope="zone", reads=("proc/buddyinfo",), formula="(F − S·2) / F")
def zone_unusable_order1(view: View, zone: zoneinfo.Zone) -> Value:
    """Share of the zone's free memory that is in single pages."""
    return unusable(_blocks(view, zone), 1)
