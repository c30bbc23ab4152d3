"""/sys/devices/system/node/nodeN: a NUMA node.

Its meminfo and vmstat are read by the modules of these names.
"""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.parse._text import counters, notes, numbers, unreadable, words_of
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Numastat(Record):
    """Pages allocated, by where they were wanted, and what was left out.

    `values` has numa_hit, numa_miss, numa_foreign, interleave_hit, local_node and other_node; they stand
    still while vm.numa_stat is 0.
    """

    values: Mapping[str, int]
    problems: tuple[str, ...]


def numastat(text: str) -> Numastat:
    r"""Parse numastat (Documentation/admin-guide/numastat.rst): pages.

    >>> numastat("numa_hit 7\nnuma_miss 0\n").values
    {'numa_hit': 7, 'numa_miss': 0}
    """
    values, problems = counters(text, "numastat (lines of a name and a number)")
    return Numastat(values, notes(problems))


def distance(text: str) -> tuple[int, ...]:
    r"""How far each online node is, in their order: 10 is the node itself, 20 twice as far (ACPI SLIT).

    >>> distance("10 21\n")
    (10, 21)
    """
    expected = "distances of nodes"
    values = numbers(words_of(text, expected))
    if not values:
        raise unreadable(expected, text)
    return values


READS: Mapping[str, Callable[[str], object]] = {
    "sys/devices/system/node/node*/numastat": numastat,
    "sys/devices/system/node/node*/distance": distance,
}
