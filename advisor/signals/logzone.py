"""The zones of the newest kernel report that prints them, as `logzone.NAME`: often all that an incident carries."""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.record import Record
from advisor.signals import logrequest
from advisor.signals.compaction import unusable
from advisor.signals.log import all_reports, page_size
from advisor.signals.model import Entity, Value, entities, signal
from advisor.watermarks import LOWMEM, ZONE_ORDER

if TYPE_CHECKING:
    from advisor.parse.kernlog import Report, ZoneLine
    from advisor.signals.view import View


class LogZone(Record):
    """A zone line of a kernel report, with the report that it belongs to."""

    line: ZoneLine
    report: Report


@entities("logzone")
def logzone_entities(view: View) -> tuple[Entity, ...]:
    """The zones of the newest report that prints them."""
    found = [report for report in all_reports(view) if report.zones]
    if not found:
        return ()
    newest = found[-1]
    return tuple(Entity(f"node {zone.node} {zone.zone}", LogZone(zone, newest)) for zone in newest.zones)


def _known(value: int | None, what: str) -> int:
    if value is None:
        raise Unknown(f"the zone line of the kernel report has no {what}")
    return value


def _mark(zone: LogZone, name: str) -> float:
    """A mark of the line without the boost on top."""
    return float(_known(getattr(zone.line, name), name) - (zone.line.boost or 0))


@signal("logzone.name", "text", scope="logzone", reads=("log/kernel.txt Node",))
def logzone_name(view: View, zone: LogZone) -> Value:
    """Name of the zone."""
    return zone.line.zone


@signal("logzone.lowmem", "bool", scope="logzone", reads=("log/kernel.txt Node",))
def logzone_lowmem(view: View, zone: LogZone) -> Value:
    """Whether any kernel allocation may use the zone: not Movable, HighMem or Device."""
    return zone.line.zone in LOWMEM


@signal("logzone.free", "B", scope="logzone", reads=("log/kernel.txt free:",))
def logzone_free(view: View, zone: LogZone) -> Value:
    """Free memory of the zone when the report was written."""
    return float(_known(zone.line.free, "free"))


@signal("logzone.min", "B", scope="logzone", reads=("log/kernel.txt min:",), formula="min − boost")
def logzone_min(view: View, zone: LogZone) -> Value:
    """Min mark of the zone."""
    return _mark(zone, "min")


@signal("logzone.low", "B", scope="logzone", reads=("log/kernel.txt low:",), formula="low − boost")
def logzone_low(view: View, zone: LogZone) -> Value:
    """Low mark of the zone."""
    return _mark(zone, "low")


@signal("logzone.high", "B", scope="logzone", reads=("log/kernel.txt high:",), formula="high − boost")
def logzone_high(view: View, zone: LogZone) -> Value:
    """High mark of the zone."""
    return _mark(zone, "high")


@signal("logzone.size", "B", scope="logzone", reads=("log/kernel.txt managed:",),
        formula="managed, or present before v3.8")  # fmt: skip
def logzone_size(view: View, zone: LogZone) -> Value:
    """Memory of the zone."""
    return float(logrequest.size_of(zone.line))


@signal("logzone.file", "B", scope="logzone", reads=("log/kernel.txt inactive_file:",),
        formula="active_file + inactive_file")  # fmt: skip
def logzone_file(view: View, zone: LogZone) -> Value:
    """Page cache of the zone."""
    return float(_known(zone.line.active_file, "active_file") + _known(zone.line.inactive_file, "inactive_file"))


@signal("logzone.dirty", "B", scope="logzone", reads=("log/kernel.txt writepending:",),
        formula="writepending, or dirty + writeback before v4.8")  # fmt: skip
def logzone_dirty(view: View, zone: LogZone) -> Value:
    """Memory of the zone that waits to be written or is being written."""
    if zone.line.writepending is not None:
        return float(zone.line.writepending)
    return float(_known(zone.line.dirty, "dirty") + _known(zone.line.writeback, "writeback"))


@signal("logzone.of_oom", "bool", scope="logzone", reads=("log/kernel.txt invoked oom-killer",))
def logzone_of_oom(view: View, zone: LogZone) -> Value:
    """Whether the report is about a kill, not about a failed allocation."""
    return zone.report.kind == "oom"


@signal("logzone.order", "", scope="logzone", reads=("log/kernel.txt order:",))
def logzone_order(view: View, zone: LogZone) -> Value:
    """Order of the request that the report is about."""
    return float(_known(zone.report.order, "order"))


@signal("logzone.unusable", "ratio", scope="logzone", reads=("log/kernel.txt kB",),
        formula="(F − S·2^order) / F from the free blocks of the report")  # fmt: skip
def logzone_unusable(view: View, zone: LogZone) -> Value:
    """Share of the zone's free memory in blocks too small for the request that the report is about."""
    if zone.line.blocks is None:
        raise Unknown("the kernel report has no free blocks for the zone")
    return unusable(zone.line.blocks, _known(zone.report.order, "order"))


@signal("logzone.spare", "B", scope="logzone",
        reads=("log/kernel.txt free:", "log/kernel.txt min:", "log/kernel.txt lowmem_reserve[]"),
        formula="free − min − reserve, without what is kept for others; 0 at least")  # fmt: skip
def logzone_spare(view: View, zone: LogZone) -> Value:
    """What the request could have taken from the zone, page by page, before it met the min mark."""
    if not logrequest.may_use(zone.report, zone.line):
        return 0.0
    return float(max(0, logrequest.spare(zone.report, zone.line, page_size(view, zone.report))))


@signal("logzone.is_last_resort", "bool", scope="logzone", reads=("log/kernel.txt mode:",),
        formula="the request may use this zone, and none above it on this node")  # fmt: skip
def logzone_is_last_resort(view: View, zone: LogZone) -> Value:
    """Whether this is the highest zone of its node that the request may use: where it looks first."""
    place = ZONE_ORDER.index(zone.line.zone)
    usable = [
        ZONE_ORDER.index(other.zone)
        for other in zone.report.zones
        if other.node == zone.line.node and logrequest.may_use(zone.report, other)
    ]
    return bool(usable) and place == max(usable)


@signal("logzone.beyond", "B", scope="logzone", reads=("log/kernel.txt free:", "log/kernel.txt active_file:"),
        formula="Σ (free + active_file + inactive_file) over higher zones of the node")  # fmt: skip
def logzone_beyond(view: View, zone: LogZone) -> Value:
    """Memory free or easy to free in higher zones of the node."""
    place = ZONE_ORDER.index(zone.line.zone)
    higher = [z for z in zone.report.zones if z.node == zone.line.node and ZONE_ORDER.index(z.zone) > place]
    return float(
        sum(
            _known(z.free, "free") + _known(z.active_file, "active_file") + _known(z.inactive_file, "inactive_file")
            for z in higher
        )
    )


@signal("logzone.below_highmem", "bool", scope="logzone", reads=("log/kernel.txt HighMem",))
def logzone_below_highmem(view: View, zone: LogZone) -> Value:
    """Whether the host has memory that the kernel cannot map all the time: a 32-bit kernel."""
    return any(other.zone == "HighMem" for other in zone.report.zones)


@signal("logzone.scale_factor", "", scope="logzone", reads=("log/kernel.txt min:", "log/kernel.txt low:"),
        formula="(low − min) / managed × 10000, where the report prints writepending")  # fmt: skip
def logzone_scale_factor(view: View, zone: LogZone) -> Value:
    """What vm.watermark_scale_factor must be, or what a larger min mark makes of it, read off the marks.

    ``writepending`` came in v4.8, vm.watermark_scale_factor in v4.6.
    """
    if zone.line.writepending is None:
        raise Unknown("the layout of the report is that of a kernel which may lack vm.watermark_scale_factor")
    return (_mark(zone, "low") - _mark(zone, "min")) / logrequest.size_of(zone.line) * 10000
