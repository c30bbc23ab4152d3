"""The columns of a store: one table per scope, one column per signal, and a few keys.

A column has the name of its signal, dots and all; SQL and Parquet take it in quotes. Names of other columns begin
with `@`, which no signal's does. Every number is a double in base units; NULL is unknown, and there is no NaN.

=================  ============================================================================
`@key`             number of a capture, unique in all stores; in every table
`@entity`          name of the zone, cgroup …; in every table but that of hosts
`@capture`         digest of the capture's content
`@host`            the host's name
`@host_id`         tells hosts of one name apart: a digest of name and machine-id
`@time`            when the last sample was taken, seconds since the epoch
`@time_from`       what says so: `sample`, `boot` (boot time and uptime), or `file` (its last change)
`@source`          what was ingested
`@stamp`           size and last change of that, so that it is not read twice
`@how`             live, shell, sosreport, folder, archive
`@labels`          labels of the host, a JSON object
`@unknown`         why signals of the host are unknown: a JSON object of reasons, each with its signals
`@entities.SCOPE`  how many entities of a scope the host has; NULL when nobody can tell
=================  ============================================================================
"""

from __future__ import annotations

from functools import cache

from advisor import __version__
from advisor.hints import Literal
from advisor.record import Record
from advisor.signals.model import catalogue, scopes

Kind = Literal["num", "bool", "str", "int"]

KEY, ENTITY = "@key", "@entity"
_KEYS: tuple[tuple[str, Kind, str], ...] = (
    ("@capture", "str", ""),
    ("@host", "str", ""),
    ("@host_id", "str", ""),
    ("@time", "num", "s"),
    ("@time_from", "str", ""),
    ("@source", "str", ""),
    ("@stamp", "str", ""),
    ("@how", "str", ""),
    ("@labels", "str", ""),
    ("@unknown", "str", ""),
)


class Column(Record):
    """A column: its name, the kind of its values (`int` for keys only), and its unit as the catalogue says it."""

    name: str
    kind: Kind
    unit: str


@cache
def columns(scope: str) -> tuple[Column, ...]:
    """The columns of a table as this version writes it, the keys first."""
    return (*_keys(scope), *(_of_signal(name) for name, signal in catalogue().items() if signal.scope == scope))


def _keys(scope: str) -> list[Column]:
    key = Column(KEY, "int", "")
    if scope != "host":
        return [key, Column(ENTITY, "str", "")]
    counts = [Column(entities(other), "int", "") for other in scopes() if other != "host"]
    return [key, *(Column(*each) for each in _KEYS), *counts]


def _of_signal(name: str) -> Column:
    unit = catalogue()[name].unit
    return Column(name, {"bool": "bool", "text": "str"}.get(unit, "num"), unit)  # type: ignore[arg-type]


def entities(scope: str) -> str:
    """The column that counts a host's entities of a scope."""
    return f"@entities.{scope}"


@cache
def column(name: str) -> Column:
    """The column of a signal or key, wherever it is.

    Raises:
        KeyError: there is none.
    """
    return {each.name: each for scope in scopes() for each in columns(scope)}[name]


def catalogue_version() -> str:
    """The version of the catalogue of signals, for the reader of a file; what counts are the units of its columns."""
    return f"memadvisor {__version__}, {len(catalogue())} signals"
