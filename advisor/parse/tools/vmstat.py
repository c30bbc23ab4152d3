"""vmstat, the tool: one row per interval (the file is `advisor.parse.vmstat`)."""

from __future__ import annotations

from advisor.hints import Any
from advisor.parse._text import KIB, not_understood, notes, number, numbers, unreadable
from advisor.parse.tools._amounts import table_lines
from advisor.record import Record

_EXPECTED = "the output of vmstat (a heading 'r b swpd free …')"
_MEMORY = ("swpd", "free", "buff", "cache")
_LISTS = ("inact", "active")
_SWAPPING = ("si", "so")
_IO = ("bi", "bo")
_SHARES = ("us", "sy", "id", "wa")
_TASKS = ("r", "b")
_OTHERS = ("in", "cs", "st", "gu")
_COLUMNS = frozenset((*_MEMORY, *_LISTS, *_SWAPPING, *_IO, *_SHARES, *_TASKS, *_OTHERS))

_Row = dict[str, int]


class VmstatTable(Record):
    """Means over the rows after the first, which is an average since boot; None where nothing can be said.

    Attributes:
        rows: how many rows the means are taken over.
        si: bytes per second swapped in.
        so: bytes per second swapped out.
        bi: bytes per second read from block devices.
        bo: bytes per second written to block devices.
        r: tasks that run or wait for a processor.
        b: tasks in uninterruptible sleep, mostly waiting for input and output.
        us: share of the processors' time in programs, 0..1.
        sy: share in the kernel.
        id: share idle.
        wa: share idle with input or output pending.
        swpd: bytes of swap in use, in the last row.
        free: bytes not used at all, in the last row.
        buff: bytes of cache of block devices, in the last row.
        cache: bytes of page cache, in the last row.
        problems: what was left out.
    """

    rows: int = 0
    si: float | None = None
    so: float | None = None
    bi: float | None = None
    bo: float | None = None
    r: float | None = None
    b: float | None = None
    us: float | None = None
    sy: float | None = None
    id: float | None = None
    wa: float | None = None
    swpd: int | None = None
    free: int | None = None
    buff: int | None = None
    cache: int | None = None
    problems: tuple[str, ...] = ()


def parse_vmstat(text: str) -> VmstatTable:
    r"""Read a table of vmstat in its default units (KiB, blocks of 1 KiB).

    >>> parse_vmstat(" swpd free si so wa\n 0 8 9 9 9\n 0 8 1 0 4\n 0 4 3 0 6\n").si
    2048.0

    Raises:
        ParseError: there is no heading, or no row under it.
    """
    lines, problems = table_lines(text, _EXPECTED)
    rows = _rows(lines, problems)
    if not rows:
        raise unreadable(_EXPECTED, text)
    later = rows[1:]
    in_kib = all(row.get(name, 0) % 4 == 0 for row in rows for name in _MEMORY + _LISTS)
    if not in_kib:
        problems.append("memory is not in KiB, so it and the swap rates were left out")
    rates = _means(later, _IO + _SWAPPING if in_kib else _IO, 1 / KIB)
    memory = {name: rows[-1][name] * KIB for name in _MEMORY if in_kib and name in rows[-1]}
    means = rates | _means(later, _SHARES, 100) | _means(later, _TASKS, 1)
    fields: dict[str, Any] = {**means, **memory}
    return VmstatTable(len(later), **fields, problems=notes(problems))


# A heading comes again after each screen, with the same columns. A time of day stands behind the numbers.
def _rows(lines: list[str], problems: list[str]) -> list[_Row]:
    columns: list[str] = []
    rows = []
    for line in lines:
        words = line.split()
        if "si" in words and "free" in words:
            columns = [word for word in words if word in _COLUMNS]
        elif columns and words and number(words[0]) is not None:
            values = numbers(words[: len(columns)])
            if values is None or len(values) < len(columns):
                problems.append(not_understood(line, "a row of vmstat"))
            else:
                rows.append(dict(zip(columns, values, strict=True)))
    return rows


def _means(rows: list[_Row], names: tuple[str, ...], divisor: float) -> dict[str, float]:
    present = [name for name in names if rows and name in rows[0]]
    return {name: sum(row[name] for row in rows) / len(rows) / divisor for name in present}
