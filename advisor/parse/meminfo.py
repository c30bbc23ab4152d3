"""/proc/meminfo and /sys/devices/system/node/nodeN/meminfo: where the memory is."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.parse._text import KIB, known, not_understood, notes, number, put, unreadable, whole_lines
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

READS = ("proc/meminfo", "sys/devices/system/node/node*/meminfo")

_EXPECTED = "meminfo (lines of a name and a size in kB)"


class Meminfo(Record):
    """Sizes by the kernel's name.

    Attributes:
        values: bytes; `HugePages_*` are counts of huge pages. Names are as printed: ``Active(file)``.
        problems: what was left out, and why.
    """

    values: Mapping[str, int]
    problems: tuple[str, ...]


def parse(text: str) -> Meminfo:
    r"""Parse meminfo of the host, or of a node (whose lines start with ``Node 0``).

    The file's kB are KiB (fs/proc/meminfo.c, drivers/base/node.c).

    >>> parse("MemTotal:       4 kB\nHugePages_Free:       2\n").values
    {'MemTotal': 4096, 'HugePages_Free': 2}
    """
    lines, problems = whole_lines(text, _EXPECTED)
    table: dict[str, int | None] = {}
    for line in lines:
        name, colon, rest = line.partition(":")
        name = _without_node(name)
        value = _size(name, rest.split()) if colon else None
        if value is None:
            problems.append(not_understood(line, "a name and a size"))
        else:
            put(table, name, value, problems)
    if not table:
        raise unreadable(_EXPECTED, text)
    return Meminfo(known(table), notes(problems))


def _without_node(name: str) -> str:
    words = name.split()
    if len(words) == 3 and words[0] == "Node" and number(words[1]) is not None:
        return words[2]
    return name


def _size(name: str, words: list[str]) -> int | None:
    # HugePages_* are the only lines without a unit; any other line without one lost it.
    if not name or " " in name:
        return None
    counts = name.startswith("HugePages_")
    if words[1:] != ([] if counts else ["kB"]):
        return None
    value = number(words[0]) if words else None
    return None if value is None else value * (1 if counts else KIB)
