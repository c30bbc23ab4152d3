"""Geometry of the pictures of a page: positions from 0 to 1000, whatever the width of the reader's screen."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.record import Record
from advisor.units import format_bytes, format_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advisor.analysis import Pressure, ZonePicture
    from advisor.predict import Prediction, ZoneChange
    from advisor.watermarks import Marks

WIDTH = 1000
_HEIGHT = 100
_LEAST_PARTS = 3  # fewer tell nothing that the whole does not
_NAMES = {"memory": "Memory", "io": "Input and output", "cpu": "Processors"}


class ZoneBar(Record):
    """Free memory of a zone against its marks."""

    name: str
    said: str
    marks: str
    free: int
    ticks: tuple[int, ...]
    below: bool
    more: bool


class MarkRow(Record):
    """The marks of a zone at one time."""

    y: int
    min: int
    low: int
    high: int


class ChangeBar(Record):
    """The marks of a zone before and after a change; `free` is where free memory stands, when it is in the picture."""

    name: str
    said: str
    rows: tuple[MarkRow, ...]
    free: int | None


class StripPart(Record):
    """One part of the window: where it stands, and from which height downwards time was lost in it."""

    x: int
    width: int
    some_y: int
    full_y: int
    known: bool


class Strip(Record):
    """Time lost to a resource: over the whole window, and part by part where there are several; `told` in words."""

    name: str
    said: str
    some: int
    full: int
    parts: tuple[StripPart, ...]
    told: str


def _at(value: float, scale: float) -> int:
    """A position, within the picture.

    >>> _at(5, 10), _at(50, 10), _at(1, 0)
    (500, 1000, 1000)
    """
    return min(WIDTH, round(value / scale * WIDTH)) if scale else WIDTH


def zone_bar(zone: ZonePicture) -> ZoneBar:
    """The bar of a zone; it ends at twice the high mark."""
    scale = 2 * zone.high or 1
    marks = (zone.min, zone.low, zone.high)
    said = " · ".join(f"{name} {format_bytes(mark)}" for name, mark in zip(("min", "low", "high"), marks, strict=True))
    return ZoneBar(
        name=zone.name,
        said=f"{format_bytes(zone.free)} free of {format_bytes(zone.managed)}",
        marks=said + (f" · boost {format_bytes(zone.boost)}" if zone.boost else ""),
        free=_at(zone.free, scale),
        ticks=tuple(_at(mark, scale) for mark in marks),
        below=zone.free < zone.low,
        more=zone.free > scale,
    )


def change_bars(prediction: Prediction, zones: Sequence[ZonePicture]) -> tuple[ChangeBar, ...]:
    """The zones whose marks a change moves, each with its own scale."""
    page = prediction.settings.page_size
    free = {zone.name: zone.free for zone in zones}
    return tuple(
        _change_bar(change, change.after, page, free.get(f"node {change.before.node} {change.before.zone}"))
        for change in prediction.zones
        if change.managed and change.after is not None and change.after != change.before
    )


def _change_bar(change: ZoneChange, after: Marks, page: int, free: int | None) -> ChangeBar:
    before = change.before
    scale = 1.15 * max(before.high, after.high) * page
    said = ", ".join(
        f"{name} {format_bytes(getattr(before, name) * page)} → {format_bytes(getattr(after, name) * page)}"
        for name in ("min", "low", "high")
        if getattr(before, name) != getattr(after, name)
    )
    rows = (_mark_row(before, 2, page, scale), _mark_row(after, 26, page, scale))
    inside = free is not None and free <= scale
    return ChangeBar(
        f"node {before.node} {before.zone}", said, rows, _at(free, scale) if inside and free is not None else None
    )


def _mark_row(marks: Marks, y: int, page: int, scale: float) -> MarkRow:
    return MarkRow(y, *(_at(mark * page, scale) for mark in (marks.min, marks.low, marks.high)))


def strips(pressures: Sequence[Pressure]) -> tuple[Strip, ...]:
    """A strip for each resource of which anything is known."""
    return tuple(_strip(pressure) for pressure in pressures if pressure.some is not None)


def _strip(pressure: Pressure) -> Strip:
    some, full = pressure.some or 0.0, pressure.full or 0.0
    said = f"some tasks waited {format_percent(some)} of the time"
    if pressure.full is not None and pressure.resource != "cpu":  # for processors "full" is always 0 on a whole host
        said += f", all tasks {format_percent(full)}"
    count = len(pressure.parts) if len(pressure.parts) >= _LEAST_PARTS else 0
    parts = tuple(_strip_part(index, count, part) for index, part in enumerate(pressure.parts[:count]))
    return Strip(_NAMES[pressure.resource], said, _at(some, 1), _at(full, 1), parts, _told(pressure))


def _told(pressure: Pressure) -> str:
    shares = [some for some, _full in pressure.parts if some is not None]
    if not shares:
        return ""
    least, most = format_percent(min(shares)), format_percent(max(shares))
    unknown = len(pressure.parts) - len(shares)
    gaps = "; the gap is unknown" if unknown == 1 else f"; {unknown} gaps are unknown" if unknown else ""
    return f"{len(pressure.parts)} parts of the window, from left to right: {least} to {most}{gaps}"


def _strip_part(index: int, count: int, part: tuple[float | None, float | None]) -> StripPart:
    left, right = round(index * WIDTH / count), round((index + 1) * WIDTH / count)
    some, full = (_HEIGHT - round(_HEIGHT * min(1.0, share or 0.0)) for share in part)
    return StripPart(left, max(1, right - left - 1), some, full, known=part[0] is not None)
