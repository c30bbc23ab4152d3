"""A host of a store: what findings and plans ask of a host, answered from its rows."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from advisor.analysis import DECISIVE, HOST_FACTS, Host, Pressure, Window, ZonePicture
from advisor.engine.dimension import parse_unit
from advisor.errors import Unknown
from advisor.evidence import Evidence
from advisor.signals.model import Entity, Value, catalogue
from advisor.signals.table import Row
from advisor.tunables import HostFacts, Tunable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from advisor.predict import Prediction
    from advisor.signals.model import Signal
    from advisor.tunables import Value as SettingValue

ROLE = "host.role"
_PRESSURE = tuple(f"psi.{resource}.{who}" for resource in ("memory", "io", "cpu") for who in ("some", "full"))
_LIMITS = ("watermark.auto_min_free", "watermark.thp_min_free", "thp.enabled", "vm.swappiness")
_ZONE = ("zone.managed", "zone.free", "zone.min", "zone.low", "zone.high", "zone.boost")

KEYS = ("@host", "@host_id", "@time", "@source", "@how", "@labels", "@unknown")
"""The columns beside signals that a stored host is told by."""

ALWAYS = tuple(
    dict.fromkeys((*HOST_FACTS, *DECISIVE, *_PRESSURE, *_LIMITS, ROLE, "window.seconds", "window.since_boot"))
)
"""The signals of the host that every report shows or rests on."""

ZONES = (*_ZONE,)
"""The signals of zones that pictures are drawn from."""


class StoredHost:
    """One capture of a store.

    Args:
        values: its row of the table of hosts: columns beside signals, and at least the signals that are asked for.
        entities: its rows of the other tables: by scope and name.
        role: what the host is for; None leaves what the store says.
    """

    predicts = False  # zones are kept as signals, and the formula wants them as the kernel prints them

    def __init__(
        self, values: Mapping[str, Any], entities: Mapping[tuple[str, str], Mapping[str, Any]], role: str | None = None
    ) -> None:
        self.values = {**values, ROLE: role or values.get(ROLE)}
        self.entities = entities
        self.name = str(values["@host"] or "")

    @cached_property
    def _reasons(self) -> dict[str, str]:
        """Why signals are unknown."""
        reasons = json.loads(self.values["@unknown"] or "{}")
        return {name: reason for reason, names in reasons.items() for name in names}

    def why(self, name: str) -> Unknown:
        """Why a signal of the host is unknown."""
        message, _, hint = self._reasons.get(name, "not kept in the store").partition("; ")
        return Unknown(message, hint)

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Those of some signals that the store says are unknown."""
        return [name for name in names if name in self._reasons]

    def row(self, names: Iterable[str], scope: str = "host", entity: str = "") -> Row:
        """Signals of the host, or of one of its entities, as rules read them."""
        own = self.entities.get((scope, entity), {})
        values: dict[str, Value] = {}
        reasons: dict[str, Unknown] = {}
        for name in names:
            values[name] = (self.values if catalogue()[name].scope == "host" else own).get(name)
            if values[name] is None:
                reasons[name] = self.why(name)
        return Row(Entity(entity, None), values, reasons)

    def proof(self, row: Row, names: Iterable[str]) -> tuple[Evidence, ...]:
        """Some signals of a row as evidence; their source is the kernel's file, since a store keeps no lines."""
        return tuple(_proof(catalogue()[name], row.values.get(name)) for name in dict.fromkeys(names))

    # What a plan asks, see advisor.plan.Known.

    def now(self, tunable: Tunable) -> SettingValue | None:
        """A setting's value, in its own unit."""
        value = self.values.get(signal_of(tunable))
        if not isinstance(value, float):
            return value
        return round(value / parse_unit(tunable.unit).factor)

    def lacks(self, tunable: Tunable) -> bool:
        """Whether the kernel's settings are known, and this one is not among them."""
        name = signal_of(tunable)
        told = tunable.path.startswith("proc/sys/") and self.values.get("vm.swappiness") is not None
        return told and name in self.values and self.values[name] is None

    def features(self) -> frozenset[str]:
        """What the kernel has: a store does not say, so the narrow bounds hold."""
        return frozenset()

    def facts(self) -> HostFacts | None:
        """What limits on settings depend on."""
        pages, size = self.values.get("host.managed"), self.values.get("page_size")
        if not isinstance(pages, float) or not isinstance(size, float):
            return None
        thp = self.values.get("thp.enabled") in {"always", "madvise"}
        return HostFacts(
            round(pages),
            round(size),
            round(self.values.get("host.nodes") or 1),
            _kib(self.values.get("watermark.auto_min_free")),
            _kib(self.values.get("watermark.thp_min_free")) if thp else None,
        )

    def signals(self, names: Iterable[str]) -> Mapping[str, Value]:
        """Signals by name."""
        return self.row(names).values

    def predicted(self, _changes: Mapping[str, SettingValue]) -> Prediction | None:
        """Nothing: see `predicts`."""
        return None

    # What a report shows.

    def host(self) -> Host:
        """Who this is."""
        role = self.values[ROLE]
        return Host(self.name, {name: self.values.get(name) for name in HOST_FACTS}, role)

    def window(self, decided: int, checks: int) -> Window:
        """What the verdict rests on; how many samples there were is not kept."""
        since_boot = bool(self.values.get("window.since_boot"))
        return Window(
            source=self.values["@source"],
            how=self.values["@how"],
            samples=1 if since_boot else 2,
            seconds=self.values.get("window.seconds"),
            taken_s=self.values["@time"],
            since_boot=since_boot,
            cost=None,
            notes=(),
            decided=decided,
            checks=checks,
        )

    def pressure(self) -> tuple[Pressure, ...]:
        """Time lost to each resource."""
        values = [self.values.get(name) for name in _PRESSURE]
        return tuple(
            Pressure(resource, values[2 * i], values[2 * i + 1]) for i, resource in enumerate(("memory", "io", "cpu"))
        )

    def zones(self) -> tuple[ZonePicture, ...]:
        """Its zones as reports draw them; none where their sizes are unknown."""
        size = self.values.get("page_size")
        found = [(name, row) for (scope, name), row in self.entities.items() if scope == "zone"]
        if not isinstance(size, float):
            return ()
        return tuple(_picture(name, row, size) for name, row in found if _whole(row))


def signal_of(tunable: Tunable) -> str:
    """The signal that a setting's value is."""
    return tunable.name.replace("-", "_")


def _proof(signal: Signal, value: Value) -> Evidence:
    files = dict.fromkeys(read.partition(" ")[0] for read in signal.reads)
    return Evidence(signal.name, value, signal.unit, ", ".join(files), signal.formula)


def _kib(value: Value) -> int | None:
    return round(value / 1024) if isinstance(value, float) else None


def _whole(row: Mapping[str, Any]) -> bool:
    return all(row.get(name) is not None for name in _ZONE[:-1])


def _picture(name: str, row: Mapping[str, Any], size: float) -> ZonePicture:
    sizes: Sequence[int] = [round((row.get(signal) or 0.0) * size) for signal in _ZONE]
    return ZonePicture(name, *sizes)
