"""Single lines of the kernel log about memory.

================  =======================================================================================
kind              values
================  =======================================================================================
alloc_stall       stall_ms, order: a request looped this long in reclaim (Linux 4.10 to 4.14)
hung_task         pid, seconds: a task has not run for so long
memalloc          every ``name=number`` of a ``MemAlloc`` line (out-of-tree watchdog)
min_free_raised   from_bytes, to_bytes: khugepaged raised vm.min_free_kbytes
min_free_kept     computed_bytes, user_bytes: vm.min_free_kbytes was left at the larger value of the user
slab_failure      node (absent when any would do), gfp_mask: the slab allocator got no pages
vmalloc_failure   size_bytes: no address space, or no pages, for vmalloc
vmdata_limit      pid, vmdata_bytes, limit_bytes: a task exceeds RLIMIT_DATA
oom_panic         (none): nothing to kill, or vm.panic_on_oom: the kernel stops
suppressed        count: reports that the rate limit of a memory function left out
================  =======================================================================================
"""

from __future__ import annotations

import re

from advisor.hints import TYPE_CHECKING
from advisor.parse.kernlog.model import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from advisor.parse.kernlog.lines import Line

_Values = dict[str, int]
_KIB = 1024


def _named(match: re.Match[str]) -> _Values:
    return {name: int(number) for name, number in match.groupdict().items() if number is not None}


def _kib(match: re.Match[str]) -> _Values:
    return {name: int(number) * _KIB for name, number in match.groupdict().items()}


def _slab(match: re.Match[str]) -> _Values:
    values = {"gfp_mask": int(match["gfp_mask"], 16)}
    return values if match["node"] is None else values | {"node": int(match["node"])}


def _pairs(match: re.Match[str]) -> _Values:
    return {name: int(number) for name, number in re.findall(r"(\w+)=([0-9]{1,18})\b", match[1], re.ASCII)}


_KINDS: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], _Values]], ...] = (
    (
        "alloc_stall",
        re.compile(r".{1,64}?: page allocation stalls for (?P<stall_ms>[0-9]{1,12})ms, order:(?P<order>[0-9]{1,2})\b"),
        _named,
    ),
    (
        "hung_task",
        re.compile(r"INFO: task .{1,64}?:(?P<pid>[0-9]{1,10}) blocked for more than (?P<seconds>[0-9]{1,12}) seconds"),
        _named,
    ),
    ("memalloc", re.compile(r"MemAlloc(?:-Info)?: (.*)"), _pairs),
    (
        "min_free_raised",
        re.compile(
            r"(?:khugepaged: )?raising min_free_kbytes from (?P<from_bytes>[0-9]{1,15}) to "
            r"(?P<to_bytes>[0-9]{1,15}) to help"
        ),
        _kib,
    ),
    (
        "min_free_kept",
        re.compile(
            r".{0,32}?min_free_kbytes is not updated to (?P<computed_bytes>[0-9]{1,15}) "
            r"because user defined value (?P<user_bytes>[0-9]{1,15}) is preferred"
        ),
        _kib,
    ),
    (
        "slab_failure",
        re.compile(
            r"SL[AU]B: Unable to allocate memory on (?:CPU [0-9]+ \(of node -?[0-9]+\) on )?"
            r"node (?:-1|(?P<node>[0-9]{1,4})),? \(?gfp=(?P<gfp_mask>0x[0-9a-f]{1,16})"
        ),
        _slab,
    ),
    ("vmalloc_failure", re.compile(r"vmap allocation for size (?P<size_bytes>[0-9]{1,18}) failed"), _named),
    (
        "vmalloc_failure",
        re.compile(
            r".{0,66}?vmalloc(?: error: size|: allocation failure(?:, allocated [0-9]+ of|:)) "
            r"(?P<size_bytes>[0-9]{1,18})\b"
        ),
        _named,
    ),
    (
        "vmdata_limit",
        re.compile(
            r"mmap: .{1,32} \((?P<pid>[0-9]{1,10})\): VmData (?P<vmdata_bytes>[0-9]{1,18}) "
            r"exceed data ulimit (?P<limit_bytes>[0-9]{1,18})\b"
        ),
        _named,
    ),
    (
        "oom_panic",
        re.compile(
            r"(?:Kernel panic - not syncing: )?(?:Out of memory: .*panic_on_oom"
            r"|Out of memory and no killable processes|System is deadlocked on memory)"
        ),
        _named,
    ),
    (
        "suppressed",
        re.compile(
            r"(?:warn_alloc(?:_failed)?|__alloc_pages\w*|__ratelimit|printk_ratelimit|oom_kill_process|dump_header"
            r"|slab_out_of_memory|alloc_vmap_area): (?P<count>[0-9]{1,12}) callbacks suppressed",
            re.ASCII,
        ),
        _named,
    ),
)


def message(line: Line) -> Message | None:
    """The message of one line, or None when the line is none that we know.

    >>> from advisor.parse.kernlog.lines import Line
    >>> message(Line(7, "warn_alloc: 12 callbacks suppressed")).values
    {'count': 12}
    """
    for kind, pattern, values in _KINDS:
        if match := pattern.match(line.text):
            return Message(kind, line.number, line.text, line.time_s, values(match))
    return None
