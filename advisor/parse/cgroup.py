"""Files of a memory cgroup that hold one counter a line.

Limits (memory.max, …) are read by `scalar`, memory.pressure by `pressure`.
"""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.parse._text import counters, notes
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Keyed(Record):
    """Numbers by the kernel's name, and what was left out."""

    values: Mapping[str, int]
    problems: tuple[str, ...]


def keyed(text: str) -> Keyed:
    r"""A flat keyed file (Documentation/admin-guide/cgroup-v2.rst): memory.oom_control and others.

    >>> keyed("low 0\nhigh 12\n").values
    {'low': 0, 'high': 12}
    """
    values, problems = counters(text, "a keyed file (lines of a name and a number)")
    return Keyed(values, notes(problems))


def memory_stat(text: str) -> Keyed:
    """memory.stat of either version: bytes for memory, counts for events.

    In v1 (it has `cache` and `rss`) `pgpgin` and `pgpgout` are pages charged and uncharged, which has nothing
    to do with I/O (Documentation/admin-guide/cgroup-v1/memory.rst); `total_*` includes the children.
    """
    values, problems = counters(text, "memory.stat (lines of a name and a number)")
    return Keyed(values, notes(problems))


def memory_events(text: str) -> Keyed:
    """memory.events: how often the cgroup met its `low`, `high` and `max`, how often it ran out, who died."""
    values, problems = counters(text, "memory.events (lines of a name and a number)")
    return Keyed(values, notes(problems))


READS: Mapping[str, Callable[[str], object]] = {
    "sys/fs/cgroup/*memory.stat": memory_stat,
    "sys/fs/cgroup/*memory.events": memory_events,
    "sys/fs/cgroup/*memory.oom_control": keyed,
}
