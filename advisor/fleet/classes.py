"""Classes: hosts alike in size, kernel and role, which ought to have alike settings and alike loads.

For each class: one value of each setting that its hosts ask for, with the spread of what they ask; the settings that
differ from what most have; and the hosts that stand out, with the signals that set them apart.
"""

from __future__ import annotations

import re
from collections import Counter
from statistics import median_low
from typing import TYPE_CHECKING, Any

from advisor.fleet.robust import Odd, odd_ones
from advisor.fleet.stored import signal_of
from advisor.record import Record
from advisor.signals.model import catalogue
from advisor.tunables import TUNABLES, Tunable
from advisor.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_GIB = float(1 << 30)
_SERIES = re.compile(r"(\d+\.\d+)(?:.*?\.(el\d+))?", re.ASCII)
UNKNOWN = "unknown"


def size_of(memory: object) -> str:
    """The size that people buy for what MemTotal prints: a kernel keeps some per cent for itself.

    Sizes are powers of two and one and a half of them.

    >>> size_of(15.6 * 2**30), size_of(7.7 * 2**30), size_of(376.5 * 2**30), size_of(464 * 2**20), size_of(None)
    ('16 GiB', '8 GiB', '384 GiB', '512 MiB', 'unknown')
    """
    if not isinstance(memory, int | float) or memory <= 0:
        return UNKNOWN
    step = 2.0**-6 * _GIB
    while step < memory:
        if memory <= 1.5 * step:
            return format_bytes(1.5 * step)
        step *= 2
    return format_bytes(step)


def series_of(release: object) -> str:
    """The series of a kernel release, with the distribution where it backports much.

    >>> series_of("6.12.117+deb13-cloud-amd64"), series_of("4.18.0-553.el8_10.x86_64"), series_of("")
    ('6.12', '4.18 el8', 'unknown')
    """
    found = _SERIES.match(release) if isinstance(release, str) else None
    return " ".join(filter(None, found.groups())) if found else UNKNOWN


def class_of(values: Mapping[str, Any], role: str | None) -> str:
    """The class of a host: "16 GiB · Linux 6.12 · database"; empty where nothing of it is known.

    Args:
        values: at least ``memory.total`` and ``host.kernel``.
        role: what the host is for.
    """
    size, series = size_of(values.get("memory.total")), series_of(values.get("host.kernel"))
    if {size, series} == {UNKNOWN} and not role:
        return ""
    kernel = "kernel unknown" if series == UNKNOWN else f"Linux {series}"
    return " · ".join(filter(None, (f"size {size}" if size == UNKNOWN else size, kernel, role)))


LEAST = 8
"""Hosts of a class from which on one can stand out: of fewer, three odd ones would be half (our judgement)."""

MAJORITY = 0.8
"""Share of a class that has one value of a setting, for the others to be told (our judgement)."""

_MIN_FREE, _DEFAULT = "vm.min_free_kbytes", "watermark.default_min_free"
_COPIED_LEAST, _COPIED_SIZES, _OWN = 3, 4.0, 0.02


class Host(Record):
    """A host as classes see it.

    Attributes:
        values: its signals: those of `signals_read`.
        proposals: what its own plan would set, in the setting's own unit.
    """

    name: str
    role: str | None
    values: Mapping[str, Any]
    proposals: Mapping[str, Any]


class Advised(Record):
    """One value for a class: what most of its hosts have, where only others ask; else the median of what is asked for.

    Attributes:
        of_most: whether most hosts have it already.
        lowest: the least that a host asks for; with `highest` the spread.
        hosts: how many of the class ask for a change of this setting.
    """

    setting: str
    value: Any
    lowest: Any
    highest: Any
    hosts: int
    of_most: bool


class Deviation(Record):
    """A setting that most hosts of a class have alike, and who has not; values in the setting's own unit."""

    setting: str
    usual: Any
    share: float
    others: tuple[tuple[str, Any], ...]


class Outlier(Record):
    """A host that stands out of its class, and by what, the most telling signal first."""

    host: str
    why: tuple[Odd, ...]


class Class(Record):
    """Hosts that are alike."""

    name: str
    hosts: int
    advised: tuple[Advised, ...]
    deviations: tuple[Deviation, ...]
    outliers: tuple[Outlier, ...]


class Copied(Record):
    """One absolute vm.min_free_kbytes on hosts of quite different sizes, which the kernel would have chosen for few.

    Attributes:
        value: KiB.
        smallest, largest: memory of the hosts that have it, bytes.
        share: of the memory of the smallest.
        own_least, own_most: what the kernel itself would have on them, KiB.
    """

    value: int
    hosts: tuple[str, ...]
    smallest: float
    largest: float
    share: float
    own_least: int
    own_most: int


def signals_read() -> tuple[str, ...]:
    """The signals of a host that classes are made of and compared by."""
    return tuple(dict.fromkeys(("memory.total", "host.kernel", "host.role", _DEFAULT, *_settings(), *_shares())))


def _settings() -> dict[str, Tunable]:
    """The settings of a host by signal."""
    named = {name.replace("-", "_"): tunable for name, tunable in TUNABLES.items()}
    return {name: tunable for name, tunable in named.items() if name in catalogue()}


def _shares() -> list[str]:
    """Signals that mean the same on a small host and a large one: shares."""
    return [name for name, signal in catalogue().items() if signal.unit == "ratio" and signal.scope == "host"]


def classes(hosts: Iterable[Host]) -> tuple[Class, ...]:
    """The classes of some hosts, the largest first; hosts of which nothing is known are in none."""
    found: dict[str, list[Host]] = {}
    for host in hosts:
        name = class_of(host.values, host.role)
        if name:
            found.setdefault(name, []).append(host)
    made = [_class(name, own) for name, own in found.items()]
    return tuple(sorted(made, key=lambda c: (-c.hosts, c.name)))


def _class(name: str, hosts: Sequence[Host]) -> Class:
    enough = len(hosts) >= LEAST
    deviations = tuple(_deviations(hosts)) if enough else ()
    return Class(name, len(hosts), tuple(_advised(hosts)), deviations, tuple(_outliers(hosts)) if enough else ())


def _advised(hosts: Sequence[Host]) -> Iterable[Advised]:
    for setting in sorted({setting for host in hosts for setting in host.proposals}):
        asking = [host for host in hosts if setting in host.proposals]
        values = [host.proposals[setting] for host in asking]
        ordered = sorted(values, key=lambda value: (str(type(value)), value))
        usual = _usual(setting, hosts)
        if usual is not None and all(_now(setting, host) != usual for host in asking):
            yield Advised(setting, usual, ordered[0], ordered[-1], len(asking), of_most=True)
        else:
            yield Advised(setting, median_low(ordered), ordered[0], ordered[-1], len(asking), of_most=False)


def _usual(setting: str, hosts: Sequence[Host]) -> Any:
    """What most hosts have; None where there are few, or no such majority."""
    known = [value for value in (_now(setting, host) for host in hosts) if value is not None]
    if len(known) < LEAST:
        return None
    ((usual, count),) = Counter(known).most_common(1)
    return usual if count >= MAJORITY * len(known) else None


def _now(setting: str, host: Host) -> Any:
    tunable = TUNABLES.get(setting)
    return None if tunable is None else own_unit(tunable, host.values.get(signal_of(tunable)))


def _deviations(hosts: Sequence[Host]) -> Iterable[Deviation]:
    for signal, tunable in _settings().items():
        known = [(host.name, own_unit(tunable, host.values.get(signal))) for host in hosts]
        known = [(name, value) for name, value in known if value is not None]
        if len(known) < LEAST:
            continue
        ((usual, count),) = Counter(value for _name, value in known).most_common(1)
        if MAJORITY <= count / len(known) < 1:
            others = tuple((name, value) for name, value in known if value != usual)
            yield Deviation(tunable.name, usual, count / len(known), others)


def _outliers(hosts: Sequence[Host]) -> list[Outlier]:
    by_host: dict[int, list[Odd]] = {}
    for signal in _shares():
        values = [(place, host.values.get(signal)) for place, host in enumerate(hosts)]
        numbers = [(place, value) for place, value in values if isinstance(value, float)]
        if len(numbers) < LEAST:
            continue
        for place, odd in odd_ones(signal, numbers):
            by_host.setdefault(place, []).append(odd)
    found = [
        Outlier(hosts[place].name, tuple(sorted(odd, key=lambda o: -abs(o.score)))) for place, odd in by_host.items()
    ]
    return sorted(found, key=lambda outlier: -abs(outlier.why[0].score))


def own_unit(tunable: Tunable, value: Any) -> Any:
    """A signal's value in the setting's own unit, as the kernel takes it."""
    from advisor.engine.dimension import parse_unit  # noqa: PLC0415

    return round(value / parse_unit(tunable.unit).factor) if isinstance(value, float) else value


def copied(hosts: Iterable[Host]) -> tuple[Copied, ...]:
    """Values of vm.min_free_kbytes that were copied from host to host, whatever their size; the most hosts first.

    A value that the kernel would have on the host itself within 2 % is no copy: the rule of transparent huge pages
    gives many sizes the same.
    """
    alike: dict[int, list[tuple[str, float, float]]] = {}
    for host in hosts:
        now, size, own = (host.values.get(name) for name in (_MIN_FREE, "memory.total", _DEFAULT))
        if now is not None and size and own and abs(now - own) > _OWN * own:
            alike.setdefault(round(now / 1024), []).append((host.name, size, own))
    found = [_copied(value, own) for value, own in alike.items() if _spread(own)]
    return tuple(sorted(found, key=lambda c: (-len(c.hosts), c.value)))


def _spread(hosts: Sequence[tuple[str, float, float]]) -> bool:
    sizes = [size for _name, size, _own in hosts]
    return len(hosts) >= _COPIED_LEAST and max(sizes) >= _COPIED_SIZES * min(sizes)


def _copied(value: int, hosts: Sequence[tuple[str, float, float]]) -> Copied:
    sizes, own = [size for _name, size, _own in hosts], [own for _name, _size, own in hosts]
    share = value * 1024 / min(sizes)
    names = tuple(name for name, _size, _own in hosts)
    return Copied(value, names, min(sizes), max(sizes), share, round(min(own) / 1024), round(max(own) / 1024))
