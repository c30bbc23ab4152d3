"""The catalogue of settings: path, unit, bounds, what a write does besides, how it is undone and kept.

Rules name a setting and a value; everything else about it is here, once. The entries are in the modules of
`advisor.tunables.table`; a new one is one entry there.

    tunable = get("vm.watermark_scale_factor")
    value = parse_value(tunable, "100")
    validate(tunable, value, features)          None, or why the kernel would refuse it
    limit(tunable, value, 10, host).value       50: one change raises it at most 5 times
"""

from __future__ import annotations

import importlib
import math
import re
from types import MappingProxyType

from advisor import discovery
from advisor.engine.dimension import parse_unit
from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING
from advisor.tunables import limits, table
from advisor.tunables.limits import (
    AVAILABLE_DROP,
    HIGH_BUDGET,
    MIN_FREE_BUDGET,
    Budget,
    Limited,
    apply_order,
    contradictions,
    limit,
)
from advisor.tunables.model import Bounds, Clamp, HostFacts, Policy, Tunable, Value
from advisor.tunables.values import format_value, offered, parse_value, possible, validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "AVAILABLE_DROP",
    "HIGH_BUDGET",
    "MIN_FREE_BUDGET",
    "TUNABLES",
    "Bounds",
    "Budget",
    "Clamp",
    "HostFacts",
    "Limited",
    "Policy",
    "Tunable",
    "Value",
    "apply_order",
    "contradictions",
    "features_of",
    "format_value",
    "get",
    "in_own_unit",
    "limit",
    "offered",
    "parse_value",
    "possible",
    "undo_writes",
    "validate",
]


def _collect() -> dict[str, Tunable]:
    modules = [importlib.import_module(f"{table.__name__}.{name}") for name in discovery.modules(table.__path__)]
    entries = [entry for module in modules for entry in module.ENTRIES]
    found = {entry.name: entry for entry in entries}
    assert len(found) == len(entries), "a setting is in the catalogue twice"
    return dict(sorted(found.items()))


TUNABLES: Mapping[str, Tunable] = MappingProxyType(_collect())
"""Every setting by name, sorted."""

_SIZED_THP = r"thp\.hugepages-([0-9]{1,9})kB\.enabled"


def get(name: str) -> Tunable:
    """The setting of a name, or of a path such as ``/proc/sys/vm/swappiness``.

    Besides the names of TUNABLES there is ``thp.hugepages-64kB.enabled`` for each size that a kernel has.

    Raises:
        AdvisorError: there is none; with the names that look most like it.
    """
    if name in TUNABLES:
        return TUNABLES[name]
    if sized := re.fullmatch(_SIZED_THP, name):
        from advisor.tunables.table.hugepages import of_size  # noqa: PLC0415

        return of_size(int(sized[1]))
    path = name.removeprefix("/")
    for tunable in TUNABLES.values():
        if path == tunable.path and tunable.persist != "boot":
            return tunable
    from advisor.engine.suggest import did_you_mean  # noqa: PLC0415

    raise AdvisorError(f"unknown setting {name[:80]!r}", did_you_mean(name[:80], TUNABLES))


def in_own_unit(setting: str, value: float | bool | str | None, rounding: str) -> Value | None:
    """A value of the rule language (base units) in the setting's own unit, rounded up, down or to the nearest.

    >>> in_own_unit("vm.min_free_kbytes", 1048577.0, "up")
    1025
    """
    tunable = TUNABLES.get(setting)
    if tunable is None or value is None or isinstance(value, str | bool):
        return value if not isinstance(value, float) else round(value)
    number = value / parse_unit(tunable.unit).factor
    if rounding == "up":
        return math.ceil(number - 1e-9)
    return math.floor(number + 1e-9) if rounding == "down" else round(number)


def undo_writes(name: str, before: Mapping[str, Value]) -> tuple[tuple[Tunable, Value], ...] | None:
    """The writes that bring back the values from before a change; see `advisor.tunables.limits`."""
    return limits.undo_writes(get(name), before, get)


def features_of(paths: Iterable[str], vmstat: Iterable[str] = (), zoneinfo: Iterable[str] = ()) -> frozenset[str]:
    """What a kernel has, as `Bounds.needs` asks for it.

    Args:
        paths: files that exist, without leading slash.
        vmstat: names of counters in /proc/vmstat.
        zoneinfo: names of lines in /proc/zoneinfo, such as boost and promo.
    """
    counters = (f"proc/vmstat {name}" for name in vmstat)
    lines = (f"proc/zoneinfo {name}" for name in zoneinfo)
    return frozenset((*paths, *counters, *lines))
