"""free: memory and swap at a glance."""

from __future__ import annotations

from advisor.parse._text import notes, number, unreadable
from advisor.parse.tools._amounts import amount, has_unit, table_lines
from advisor.record import Record

_EXPECTED = "the output of free (a row 'Mem:')"
_COLUMNS = ("total", "used", "free", "shared", "buff_cache", "available")
_WIDE_COLUMNS = ("total", "used", "free", "shared", "buffers", "cache", "available")
_OLD_COLUMNS = ("total", "used", "free", "shared", "buffers", "cache")
_SWAP_COLUMNS = ("swap_total", "swap_used", "swap_free")
_OTHER_ROWS = ("Low:", "High:", "Total:", "Comm:")  # options -l, -t and -v
_OLD_ROW = "-/+"

_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30
_SMALLEST_HOST_KIB = 16 * _KIB
_SMALLEST_HOST_MIB = 128
_LARGEST_HOST_MIB = 32 * _MIB
_ENOUGH_NUMBERS = 4


class Free(Record):
    """Memory and swap in bytes, None where the output has no such column.

    Attributes:
        total: memory that the kernel manages.
        used: what the tool calls used; its meaning differs between versions.
        free: memory that is not used at all. Little of it is normal.
        shared: tmpfs and shared memory.
        buffers: cache of block devices.
        cache: page cache; with reclaimable slab since procps 3.3.10.
        buff_cache: the two above in one column.
        available: what applications can get without swapping (MemAvailable).
        swap_total: swap space; 0 without swap.
        swap_used: swap in use.
        swap_free: swap not in use.
        unit_assumed: the output does not say its unit, and the numbers do not prove it; shares of each other
            are right in any case.
        problems: what was left out or assumed.
    """

    total: int | None = None
    used: int | None = None
    free: int | None = None
    shared: int | None = None
    buffers: int | None = None
    cache: int | None = None
    buff_cache: int | None = None
    available: int | None = None
    swap_total: int | None = None
    swap_used: int | None = None
    swap_free: int | None = None
    unit_assumed: bool = False
    problems: tuple[str, ...] = ()


def parse_free(text: str) -> Free:
    r"""Read the last table of an output of free, in any of its units and layouts, and any language.

    >>> parse_free("       total  used  free  shared  buff/cache  available\nMem:    15Gi 7,3Gi 576Mi\n").free
    603979776

    Raises:
        ParseError: there is no row of memory.
    """
    lines, problems = table_lines(text, _EXPECTED)
    rows = [line.split() for line in lines]
    memory = _last_row(rows, numbers=(4, 7)) or _last_row(rows, numbers=(1, 3), label="Mem:")
    if memory is None:
        raise unreadable(_EXPECTED, text)
    below = [row for row in rows[rows.index(memory) + 1 :] if row[:1] != memory[:1]]
    swap = _last_row(below, numbers=(1, 3), label="Swap:") or _last_row(below, numbers=(3, 3)) or []
    unit, assumed = _unit(memory[1:], [word for word in memory[1:] + swap[1:] if not has_unit(word)])
    if assumed:
        problems.append(f"the unit is not printed; {'GiB' if unit == _GIB else 'MiB'} is assumed")
    columns = _columns(rows, len(memory) - 1)
    words = [*zip(columns, memory[1:], strict=False), *zip(_SWAP_COLUMNS, swap[1:], strict=False)]
    values = {name: amount(word, unit) for name, word in words}
    return Free(**values, unit_assumed=assumed, problems=notes(problems))


# The last row with so many numbers (least and most) behind its label.
def _last_row(rows: list[list[str]], numbers: tuple[int, int], label: str = "") -> list[str] | None:
    for row in reversed(rows):
        if not row or not row[0].endswith(":") or row[0] in _OTHER_ROWS:
            continue
        if label and row[0] != label:
            continue
        if numbers[0] <= len(row) - 1 <= numbers[1] and all(amount(word) is not None for word in row[1:]):
            return row
    return None


def _columns(rows: list[list[str]], count: int) -> tuple[str, ...]:
    if any(row[:1] == [_OLD_ROW] or "cached" in row for row in rows):
        return _OLD_COLUMNS
    headings = max((len(row) for row in rows if row and "total" in row), default=count)
    return _WIDE_COLUMNS if headings == len(_WIDE_COLUMNS) else _COLUMNS


# The unit of bare numbers, and whether it is a guess. The kernel counts in pages, so kibibytes are multiples
# of 4; mebibytes are that only by chance. No host of today has less than 16 MiB or more than 32 TiB.
def _unit(memory: list[str], bare: list[str]) -> tuple[int, bool]:
    if not bare:
        return 1, False
    values = [value for value in map(number, bare) if value]
    total = number(memory[0]) or 0
    proven = len(values) >= _ENOUGH_NUMBERS
    if total >= _SMALLEST_HOST_KIB * _KIB and _multiples(values, 4 * _KIB):
        return 1, not proven
    if total > _LARGEST_HOST_MIB or (total >= _SMALLEST_HOST_KIB and _multiples(values, 4) and proven):
        return _KIB, False
    return (_MIB if total >= _SMALLEST_HOST_MIB else _GIB), True


def _multiples(values: list[int], of: int) -> bool:
    return all(value % of == 0 for value in values)
