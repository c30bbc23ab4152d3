"""/proc/vmstat and /sys/devices/system/node/nodeN/vmstat: counters and gauges of memory management."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.parse._text import COUNTABLE, KIB, counters, notes
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

READS = ("proc/vmstat", "sys/devices/system/node/node*/vmstat")

_IN_KIB = ("pgpgin", "pgpgout")


class VmStat(Record):
    """Counters and gauges by the kernel's name.

    Attributes:
        values: pages or events as the kernel counts them, except `pgpgin` and `pgpgout`: bytes. Gauges of
            huge pages (`nr_anon_transparent_hugepages`, …) count huge pages.
        problems: what was left out, and why.
    """

    values: Mapping[str, int]
    problems: tuple[str, ...]


def parse(text: str) -> VmStat:
    r"""Parse vmstat.

    `pgpgin` and `pgpgout` are in KiB in the file (mm/vmstat.c, vmstat_start: "sectors -> kbytes") and in
    bytes here. A value of 2^63 or more is a negative count that was printed as unsigned: it is left out.

    >>> parse("nr_free_pages 3460\npgpgin 10\n").values
    {'nr_free_pages': 3460, 'pgpgin': 10240}
    """
    values, problems = counters(text, "vmstat (lines of a name and a number)", COUNTABLE)
    for name in _IN_KIB:
        if name in values:
            values[name] *= KIB
    return VmStat(values, notes(problems))
