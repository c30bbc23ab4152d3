"""/proc/slabinfo: caches of kernel objects. Root only, and costly to read."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.parse._text import known, not_understood, notes, numbers, put, unreadable, whole_lines
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

READS = ("proc/slabinfo",)

_EXPECTED = "slabinfo 2.x (lines 'name … : tunables … : slabdata …')"


class Slab(Record):
    """A cache.

    Attributes:
        name: the cache's name.
        active_objs: objects in use. SLUB counts what lies on the slabs of a processor as used.
        num_objs: objects that there is room for.
        objsize: bytes of an object, padding included.
        objperslab: objects on a slab.
        pagesperslab: pages of a slab.
        active_slabs: slabs with objects in use; SLUB prints all slabs.
        num_slabs: slabs.
    """

    name: str
    active_objs: int
    num_objs: int
    objsize: int
    objperslab: int
    pagesperslab: int
    active_slabs: int
    num_slabs: int


class Slabinfo(Record):
    """Caches by name, and what was left out."""

    caches: Mapping[str, Slab]
    problems: tuple[str, ...]


def parse(text: str) -> Slabinfo:
    """Parse slabinfo 2.0 and 2.1 (mm/slab_common.c, cache_show).

    SLUB and SLAB print the same columns; SLAB adds statistics when it is debugged, which are not read.
    """
    lines, problems = whole_lines(text, _EXPECTED)
    table: dict[str, Slab | None] = {}
    for line in lines:
        if line.startswith(("slabinfo - version: 2.", "# name")):
            continue
        slab = _slab(line)
        if slab is None:
            problems.append(not_understood(line, "a slab cache"))
        else:
            put(table, slab.name, slab, problems)
    if not table:
        raise unreadable(_EXPECTED, text)
    return Slabinfo(known(table), notes(problems))


def _slab(line: str) -> Slab | None:
    objects, _, rest = line.partition(" : tunables ")
    tunables, _, slabs = rest.partition(" : slabdata ")
    # From the right: a name may hold blanks.
    words = objects.rsplit(None, 5)
    sizes, data = numbers(words[1:]), numbers(slabs.partition(" : ")[0].split())
    if numbers(tunables.split()) is None or not sizes or not data or len(sizes) != 5 or len(data) != 3:
        return None
    return Slab(words[0], *sizes, *data[:2])
