"""A capture as rows of a store's tables."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from advisor.engine.sql import fitting, neutral
from advisor.errors import Unknown
from advisor.fleet.columns import ENTITY, entities
from advisor.parse import stat, uptime
from advisor.record import Record
from advisor.signals.model import catalogue, entities_of, scopes
from advisor.signals.table import Table
from advisor.signals.view import View, views

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.capture.model import Capture

Rows = dict[str, list[dict[str, Any]]]

MACHINE_ID = "etc/machine-id"
# A clock may be a little ahead of that of the machine that ingests; what lies further in the future is a wrong
# clock, and would be the newest capture of its host for ever (a policy of ours).
_AHEAD_S = 3600.0
# Two clocks of one host differ by rounding and by slewing; more than this says that one of them was set.
_DISAGREE_S = 300.0


class Origin(Record):
    """Where a capture came from, and what is said of it beside its content.

    Attributes:
        source: what was ingested, as the user will recognise it.
        stamp: size and last change of that.
        changed_s: its last change, seconds since the epoch.
        now_s: the time of ingestion.
        role: what the host is for, or None.
        labels: labels of the host.
    """

    source: str
    stamp: str
    changed_s: float
    now_s: float
    role: str | None = None
    labels: tuple[tuple[str, str], ...] = ()


class Flat(Record):
    """A capture as rows by scope, without their `@key`; and remarks for whoever ingests it."""

    capture: str
    host: str
    host_id: str
    time_s: float
    rows: Rows
    notes: tuple[str, ...]


def flatten(capture: Capture, origin: Origin) -> Flat:
    """The rows of a capture: every signal of the host, and of each of its zones, cgroups and so on."""
    whole, _parts = views(capture, origin.role)
    table = Table(whole)
    notes: list[str] = []
    name = neutral(capture.host or _stem(origin.source))
    time_s, time_from = _time(whole, origin, notes)
    keys: dict[str, Any] = {
        "@capture": digest(capture),
        "@host": name,
        "@host_id": host_id(name, capture.text(MACHINE_ID) or ""),
        "@time": time_s,
        "@time_from": time_from,
        "@source": neutral(origin.source),
        "@stamp": origin.stamp,
        "@how": neutral(capture.how),
        "@labels": json.dumps(dict(origin.labels), sort_keys=True),
    }
    rows, reasons = _signals(table)
    rows["host"][0] |= keys | {"@unknown": _compact(reasons)}
    return Flat(keys["@capture"], name, keys["@host_id"], time_s, rows, tuple(notes))


def digest(capture: Capture) -> str:
    """A digest of what a capture holds: the same for the same capture in another place or packing."""
    found = hashlib.blake2b(digest_size=16)
    parts: list[Any] = [capture.host, capture.interval_s, capture.zero_baseline, capture.kernel_log or ""]
    parts += [part for process in capture.processes for part in (process.pid, process.name, process.rss_bytes)]
    parts += [part for name in sorted(capture.tools) for part in (name, capture.tools[name])]
    for sample in capture.samples:
        parts += ["", sample.monotonic_s, sample.wall_s]
        parts += [part for path in sorted(sample.files) for part in (path, sample.files[path])]
    for part in parts:
        data = str(part).encode("utf-8", "surrogatepass")
        found.update(b"%d:%b" % (len(data), data))
    return found.hexdigest()


def host_id(name: str, machine_id: str) -> str:
    """Tells hosts apart: two may have one name, and clones have one machine-id.

    machine-id(5) asks not to hand the id itself on; the digest does not lead back to it.
    """
    text = f"{name}\0{machine_id.strip()}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=8, key=b"memadvisor fleet").hexdigest()


def _stem(source: str) -> str:
    name = source.rstrip("/").rpartition("/")[2]
    return re.sub(r"(\.tar)?(\.\w{1,4})?$", "", name) if ".t" in name else name


def _time(view: View, origin: Origin, notes: list[str]) -> tuple[float, str]:
    """When the last sample was taken. A clock in the future is not believed; two that differ are told."""
    wall = view.capture.samples[-1].wall_s
    boot = _boot_clock(view)
    if wall is not None and boot is not None and abs(wall - boot) > _DISAGREE_S:
        notes.append(f"its clocks disagree by {abs(wall - boot):.0f} s: the time of the sample, and boot time + uptime")
    for time_s, said_by in ((wall, "sample"), (boot, "boot")):
        if time_s is not None and 0 < time_s <= origin.now_s + _AHEAD_S:
            return time_s, said_by
    if wall is not None or boot is not None:
        notes.append("its clock is in the future; the time of the file is taken")
    return min(origin.changed_s, origin.now_s), "file"


def _boot_clock(view: View) -> float | None:
    try:
        booted = view.after("proc/stat", stat.parse).btime_s
        return None if booted is None else booted + view.after("proc/uptime", uptime.parse)
    except Unknown:
        return None


@cache
def _names(scope: str) -> tuple[str, ...]:
    return tuple(name for name, signal in catalogue().items() if signal.scope == scope)


def _signals(table: Table) -> tuple[Rows, dict[str, list[str]]]:
    host = table.row(_names("host"))
    values: dict[str, Any] = {name: fitting(value) for name, value in host.values.items()}
    rows: Rows = {"host": [values]}
    reasons: dict[str, list[str]] = {}
    for name, reason in host.reasons.items():
        reasons.setdefault(str(reason), []).append(name)
    for scope in scopes():
        if scope == "host":
            continue
        try:
            found = entities_of(table.view, scope)
        except Unknown as reason:
            reasons.setdefault(str(reason), []).append(entities(scope))
            continue
        values[entities(scope)] = len(found)
        names = _names(scope)
        for entity in found:
            row = table.row(names, scope, entity).values
            own: dict[str, Any] = {name: fitting(row[name]) for name in names}
            own[ENTITY] = neutral(entity.name)
            rows.setdefault(scope, []).append(own)
    return rows, reasons


def _compact(reasons: Mapping[str, list[str]]) -> str:
    return neutral(json.dumps(reasons, ensure_ascii=False, separators=(",", ":")))
