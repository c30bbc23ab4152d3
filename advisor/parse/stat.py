"""/proc/stat: processor time, tasks, and when the host was booted."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.parse._text import known, not_understood, notes, number, numbers, put, unreadable, whole_lines
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

READS = ("proc/stat",)

_EXPECTED = "stat (lines 'cpu …', 'btime …')"
_TICKS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice")
_READ = ("btime", "procs_running", "procs_blocked")
_UNREAD = ("intr", "ctxt", "processes", "softirq", "page", "swap")


class Stat(Record):
    """What is read of /proc/stat; None where the text does not say.

    Attributes:
        btime_s: when the host was booted, in seconds since the epoch.
        cpus: processors that are online.
        ticks: time of all processors by what it went to (user, nice, system, idle, iowait, …), in ticks of
            1/100 s on all usual kernels (USER_HZ). Only shares and ratios need no tick length.
        procs_running: tasks that run or could.
        procs_blocked: tasks that wait for I/O.
        problems: what was left out, and why.
    """

    btime_s: int | None
    cpus: int | None
    ticks: Mapping[str, int]
    procs_running: int | None
    procs_blocked: int | None
    problems: tuple[str, ...]


def parse(text: str) -> Stat:
    """Parse stat (Documentation/filesystems/proc.rst, 1.7).

    Processors are counted only when the lines end properly, that is when another line follows them.
    """
    lines, problems = whole_lines(text, _EXPECTED)
    table: dict[str, int | None] = {}
    ticks: dict[str, tuple[int, ...] | None] = {}
    for line in lines:
        name, _, rest = line.partition(" ")
        if name == "cpu" and (times := numbers(rest.split())):
            put(ticks, name, times, problems)
        elif name in _READ and (value := number(rest)) is not None:
            put(table, name, value, problems)
        elif not (name in _UNREAD or _is_processor(line)):
            problems.append(not_understood(line, "a line of stat"))
    if not table and not ticks:
        raise unreadable(_EXPECTED, text)
    return Stat(
        btime_s=table.get("btime"),
        cpus=_cpus(lines),
        ticks=dict(zip(_TICKS, known(ticks).get("cpu", ()), strict=False)),
        procs_running=table.get("procs_running"),
        procs_blocked=table.get("procs_blocked"),
        problems=notes(problems),
    )


def _is_processor(line: str) -> bool:
    name, _, rest = line.partition(" ")
    return name.startswith("cpu") and number(name[3:]) is not None and bool(numbers(rest.split()))


def _cpus(lines: list[str]) -> int | None:
    names: list[str] = []
    for line in lines:
        name = line.partition(" ")[0]
        if _is_processor(line):
            names.append(name)
        elif name != "cpu":
            whole = name in _READ + _UNREAD and len(set(names)) == len(names)
            return len(names) if whole and names else None
    return None
