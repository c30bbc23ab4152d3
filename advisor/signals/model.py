"""What a signal is, and how one is declared.

A signal is a named value of a host or of one of its parts (a zone, a node, a cgroup …) with a unit,
computed from the files of a capture, or unknown with a reason. Rules see signals and nothing else.

Declaring one is one decorated function in any module of this package::

    @signal("reclaim.direct_share", "ratio", reads=("proc/vmstat pgscan_direct",), formula="…")
    def direct_share(view: View) -> Value:
        \"\"\"Share of the scanning that tasks had to do themselves.\"\"\"
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from advisor.discovery import modules
from advisor.hints import TYPE_CHECKING, Any
from advisor.record import Record

if TYPE_CHECKING:
    from advisor.signals.view import View

Value = float | bool | str | None
Compute = Callable[..., Value]


class Signal(Record):
    """A named value that rules may use.

    Attributes:
        name: dotted name as rules write it.
        unit: text that the rule language understands ("page/s", "B", "ratio", "" for a plain number),
            or "bool" or "text".
        meaning: what it says, one sentence or two.
        reads: where it comes from: a path without leading slash, then the keys within that file.
        formula: how it is computed; empty when it is read as it stands.
        scope: "host", or the kind of entity that it is a value of.
        choices: the texts that it may take, when it is a text with a fixed set.
        also: other names that lead here: old names, a column of sar, a word of the kernel's past.
        compute: the function; takes the view, and the entity unless the scope is host.
    """

    name: str
    unit: str
    meaning: str
    reads: tuple[str, ...]
    formula: str
    scope: str
    choices: tuple[str, ...]
    also: tuple[str, ...]
    compute: Compute

    @property
    def changes(self) -> bool:
        """Whether it is a change within the window: with one sample, an average since boot or nothing.

        Pressure is none of these: with one sample it is the kernel's own average of the last minute.
        """
        return "Δ" in self.formula and "one sample" not in self.formula


_REGISTRY: dict[str, Signal] = {}


def add(new: Signal) -> None:
    """Put a signal into the catalogue; a name is taken once."""
    if new.name in _REGISTRY:
        raise ValueError(f"signal {new.name} is declared twice")
    _REGISTRY[new.name] = new


def signal(  # noqa: PLR0913  (each says one thing about the signal, by keyword)
    name: str,
    unit: str,
    *,
    reads: Iterable[str] = (),
    formula: str = "",
    scope: str = "host",
    choices: Iterable[str] = (),
    also: Iterable[str] = (),
) -> Callable[[Compute], Compute]:
    """Declare the decorated function as a signal; its docstring is the meaning."""

    def declare(compute: Compute) -> Compute:
        meaning = " ".join((compute.__doc__ or "").split())
        add(Signal(name, unit, meaning, tuple(reads), formula, scope, tuple(choices), tuple(also), compute))
        return compute

    return declare


@cache
def catalogue() -> Mapping[str, Signal]:
    """Every signal by name. Modules of this package are found by themselves."""
    package = importlib.import_module("advisor.signals")
    for name in modules(package.__path__):
        importlib.import_module(f"advisor.signals.{name}")
    return dict(sorted(_REGISTRY.items()))


class Entity(Record):
    """One zone, node, cgroup …: its name for people, and the parsed thing itself."""

    name: str
    item: Any


Entities = Callable[["View"], tuple[Entity, ...]]
_ENTITIES: dict[str, Entities] = {"host": lambda _view: (Entity("", None),)}


def entities(scope: str) -> Callable[[Entities], Entities]:
    """Declare the decorated function as the one that lists the entities of `scope`."""

    def declare(function: Entities) -> Entities:
        _ENTITIES[scope] = function
        return function

    return declare


def entities_of(view: View, scope: str) -> tuple[Entity, ...]:
    """The entities of a scope in this capture; empty when the host has none.

    Raises:
        Unknown: the files that would list them are missing.
    """
    catalogue()
    return _ENTITIES[scope](view)


def scopes() -> tuple[str, ...]:
    """The scopes that a rule may have."""
    catalogue()
    return tuple(sorted(_ENTITIES))
