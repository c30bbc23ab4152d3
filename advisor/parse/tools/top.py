"""top: the lines above its table of tasks."""

from __future__ import annotations

import re

from advisor.parse._text import notes, unreadable
from advisor.parse.tools._amounts import amount, ratio, table_lines
from advisor.record import Record

_EXPECTED = "the head of top (a line 'MiB Mem :' or '%Cpu(s):')"
_MEMORY = re.compile(r"(?:([KMGTPE]iB) )?(Mem|Swap) *:(.*)")
_AMOUNT = re.compile(
    r"([0-9]+(?:[.,][0-9]+)?[kmgtKMGT]?)(\+?) *(total|free|used|buff/cache|buffers|cached|avail Mem)\b"
)
_CPU = re.compile(r"%?Cpu(?:\(s\)|[0-9]+) *:(.*)")
_SHARE = re.compile(r"([0-9]+(?:[.,][0-9]+)?) ?%? ?(us|sy|ni|id|wa|hi|si|st)\b")
_SHARED_NAMES = {"buff/cache": "buff_cache", "buffers": "buffers", "cached": "cache", "avail Mem": "available"}
_NAMES = {
    "Mem": {"total": "total", "free": "free", "used": "used"} | _SHARED_NAMES,
    "Swap": {"total": "swap_total", "free": "swap_free", "used": "swap_used"} | _SHARED_NAMES,
}


class Top(Record):
    """Memory and swap in bytes, processor time as a share of 1; None where the output does not say.

    Attributes:
        total: memory that the kernel manages.
        free: memory that is not used at all.
        used: what the tool calls used.
        buff_cache: page cache, buffers and reclaimable slab.
        buffers: cache of block devices (old layout).
        cache: page cache (old layout).
        available: what applications can get without swapping (MemAvailable).
        swap_total: swap space.
        swap_free: swap not in use.
        swap_used: swap in use.
        idle: share of the time in which a processor did nothing, as a mean over the lines of processors.
        iowait: share of the time in which it had nothing to do but wait for input and output.
        cpu_lines: how many lines of processors there are; one of all processors counts as one.
        problems: what was left out.
    """

    total: int | None = None
    free: int | None = None
    used: int | None = None
    buff_cache: int | None = None
    buffers: int | None = None
    cache: int | None = None
    available: int | None = None
    swap_total: int | None = None
    swap_free: int | None = None
    swap_used: int | None = None
    idle: float | None = None
    iowait: float | None = None
    cpu_lines: int = 0
    problems: tuple[str, ...] = ()


def parse_top(text: str) -> Top:
    r"""Read the head of the last screen of top.

    >>> parse_top("MiB Mem :  11960,7 total,    351,9 free,   6379,8 used,   5555,4 buff/cache\n").free
    368993894

    Raises:
        ParseError: there is no line of memory, swap or processors.
    """
    lines, problems = table_lines(text, _EXPECTED)
    screen = _last_screen(lines)
    values: dict[str, int | None] = {}
    shares = []
    for line in screen:
        if memory := _MEMORY.match(line.strip()):
            values |= _amounts(memory, problems)
        elif cpu := _CPU.match(line.strip()):
            shares.append({name: ratio(percent) for percent, name in _SHARE.findall(cpu[1])})
    if not values and not any(shares):
        raise unreadable(_EXPECTED, text)
    return Top(
        **values,
        idle=_mean(shares, "id"),
        iowait=_mean(shares, "wa"),
        cpu_lines=len(shares),
        problems=notes(problems),
    )


def _last_screen(lines: list[str]) -> list[str]:
    starts = [index for index, line in enumerate(lines) if line.startswith("top - ")]
    return lines[starts[-1] :] if starts else lines


# top cuts digits off a number that is too wide, and puts a plus sign in their place.
def _amounts(match: re.Match[str], problems: list[str]) -> dict[str, int | None]:
    unit = 1024 ** (" KMGTPE".index(match[1][0]) if match[1] else 1)
    found: dict[str, int | None] = {}
    for word, cut, name in _AMOUNT.findall(match[3]):
        found[_NAMES[match[2]][name]] = None if cut else amount(word, unit)
        if cut:
            problems.append(f"{match[2]} {name} is cut off: {word}+")
    return found


def _mean(shares: list[dict[str, float | None]], name: str) -> float | None:
    values = [value for share in shares if (value := share.get(name)) is not None]
    return sum(values) / len(values) if values and len(values) == len(shares) else None
