"""/proc/pressure/* and a cgroup's *.pressure: the time that tasks lost waiting (PSI)."""

from __future__ import annotations

from advisor.errors import ParseError
from advisor.parse._text import (
    COUNTABLE,
    hundredths,
    known,
    not_understood,
    notes,
    number,
    put,
    unreadable,
    whole_lines,
)
from advisor.record import Record

READS = ("proc/pressure/*", "sys/fs/cgroup/*.pressure")

_EXPECTED = "pressure information (lines 'some avg10=… total=…')"
_KINDS = ("some", "full")


class Stall(Record):
    """How long tasks waited.

    Attributes:
        avg10: share of the last 10 seconds, a ratio from 0 to 1; decaying average.
        avg60: the same for a minute.
        avg300: the same for five minutes.
        total_s: seconds since boot, exact; differences serve any window.
    """

    avg10: float
    avg60: float
    avg300: float
    total_s: float


class Pressure(Record):
    """`some`: at least one task waited. `full`: all tasks that were not idle did. None: no such line."""

    some: Stall | None
    full: Stall | None
    problems: tuple[str, ...]


def parse(text: str) -> Pressure:
    r"""Parse pressure information (Documentation/accounting/psi.rst): percent and microseconds in the file.

    >>> parse("some avg10=1.50 avg60=0.00 avg300=0.00 total=2500000\n").some
    Stall(avg10=0.015, avg60=0.0, avg300=0.0, total_s=2.5)
    """
    if not text.strip() or "not supported" in text:
        raise ParseError(
            "the kernel keeps no pressure information",
            "it was built with it switched off, or without it: boot with psi=1",
        )
    lines, problems = whole_lines(text, _EXPECTED)
    table: dict[str, Stall | None] = {}
    for line in lines:
        kind, _, rest = line.partition(" ")
        stall = _stall(rest.split())
        if kind not in _KINDS or stall is None:
            problems.append(not_understood(line, "a line of pressure information"))
        else:
            put(table, kind, stall, problems)
    if not table:
        raise unreadable(_EXPECTED, text)
    stalls = known(table)
    return Pressure(stalls.get("some"), stalls.get("full"), notes(problems))


def _stall(words: list[str]) -> Stall | None:
    pairs = dict([word.partition("=")[::2] for word in words])
    if len(pairs) != len(words):
        return None
    averages = [_ratio(pairs.get(name, "")) for name in ("avg10", "avg60", "avg300")]
    total = number(pairs.get("total", ""), COUNTABLE)
    ten, minute, five = averages
    if ten is None or minute is None or five is None or total is None:
        return None
    return Stall(ten, minute, five, total / 10**6)


def _ratio(word: str) -> float | None:
    percent_100 = hundredths(word)
    if percent_100 is None or percent_100 > 10_000:
        return None
    return percent_100 / 10_000
