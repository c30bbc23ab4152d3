"""Finds the lines of a kernel log that concern memory, and puts wrapped lines together again.

The rest of the text is skipped at the speed of a regular expression, so that the time grows with the
length of the text and hardly with anything else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from advisor.parse.kernlog import prefix
from advisor.parse.kernlog.trigger import TRIGGER
from advisor.parse.kernlog.zones import ZONE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.parse.kernlog.prefix import Stripped


class Line(NamedTuple):
    """A line of the kernel that concerns memory.

    Attributes:
        number: its number in the text, from 1; of its first part when it was wrapped.
        text: what the kernel printed.
        time_s: the kernel's time stamp in seconds since boot, or None.
        caller: task or processor that printed it, or "".
        cut: the text ends inside of the line; its last word was dropped if it could be incomplete.
    """

    number: int
    text: str
    time_s: float | None = None
    caller: str = ""
    cut: bool = False


_LONGEST = 8192  # the kernel prints at most about 1000 characters in a line
_MOST_PARTS = 24
_LOWMEM = "lowmem_reserve[]:"
_UNREADABLE = " ?"

# A line that begins like this is never the rest of a wrapped one.
_START = re.compile(
    rf"Node [0-9]|{ZONE_NAME} free:|{ZONE_NAME}: +[0-9]+\*|Mem-[Ii]nfo|lowmem_reserve"
    r"|Free swap|Total swap|Swap cache|[0-9]+ (?:total )?pages|Call Trace|Backtrace|CPU|Pid: |Hardware|Task"
    r"|\[|Out of memory|Memory cgroup|Killed process|oom-kill:|oom_reaper:|memory: usage"
    r"|.{1,64} invoked oom-killer|.{1,64}: page allocation|.{1,64} cpuset=",
    re.ASCII,
)
_COUNTER = re.compile(r"[A-Za-z_-]+:[0-9]+")
_DIGITS = re.compile(r"[0-9]+(?: |$)")
_COUNTERS = re.compile(r"[A-Za-z_-]+:[0-9]+(?: |$)")
_LONG_KINDS = re.compile(
    r"free:[0-9]|active_anon:[0-9]|page allocation|invoked oom-killer|oom-kill:|[Kk]ill(?:ed)? process "
    r"|\*[0-9]+kB|cpuset=|omm: |killed as a result|going to be killed"
)
_FINISHED = re.compile(r"(?:free_cma:[0-9]+kB|all_unreclaimable\? (?:yes|no)|= [0-9]+kB|,uid=[0-9]+)$")
_WHOLE_WORD = re.compile(
    r"[\w()]+:[0-9]+[kK]B|pages_scanned:[0-9]+|yes|no|all_unreclaimable\?|[0-9]+\*[0-9]+kB|\([A-Z]+\)|=|[0-9]+kB"
    rf"|page|allocation|failure[.:]|invoked|oom-killer:|order[:=][0-9]+,|mode:0x[0-9a-f]+\(.*|Node|[0-9]|{ZONE_NAME}:?",
    re.ASCII,
)
_FRAGMENT = re.compile(r"[0-9]*[kK]?B(?:\s|$)|\S*[0-9][kK]B(?:\s|$)|.*:[0-9]+[kK]B\b|all_unreclaimable|(?:yes|no)$")
_REQUEST_PART = re.compile(r"\S*=\S*$|[-,]?[0-9][0-9,-]*$|[0-9a-fx]*\(|\S*0x[0-9a-f]+\(|.*(?:order=|oom_|adj=)|,")
_BLOCKS = re.compile(rf"(?:Node [0-9]+ )?{ZONE_NAME}:(?: |$)")
_BLOCKS_PART = re.compile(r"[0-9]+\*[0-9]+kB|\([A-Z]+\)|= [0-9]")
_NODE = re.compile(r"Node [0-9]{1,4}")
_ZONE_WITHOUT_NODE = re.compile(rf"{ZONE_NAME} free:[0-9]|{ZONE_NAME}:(?: [0-9]+\*|$)")
_INCOMPLETE_WORD = re.compile(r"[^\s,]*$")


def memory_lines(text: str, problems: list[str]) -> Iterator[Line]:
    r"""Yield each line that concerns memory, in order, and note in `problems` what was left out.

    >>> text = "[1.0] eth0: up\n[2.0] kernel: Node 0\n[2.0] kernel: DMA free:4kB min:4kB\n"
    >>> [(line.number, line.text, line.time_s) for line in memory_lines(text, [])]
    [(2, 'Node 0 DMA free:4kB min:4kB', 2.0)]
    """
    position, counted, number = 0, 0, 1
    while hit := TRIGGER.search(text, position):
        start = text.rfind("\n", position, hit.start()) + 1 or position
        end = _line_end(text, hit.end())
        number += text.count("\n", counted, start)
        counted = start
        if end - start > _LONGEST:
            problems.append(f"line {number} is longer than any line of the kernel")
            position = end + 1
            continue
        first = prefix.strip(text[start:end])
        if first.foreign:
            position = end + 1
            continue
        first, parts = _look_back(text, position, start, first)
        joined, end = _look_ahead(text, end, first)
        cut = end >= len(text)
        if cut:
            joined = _without_cut_word(joined, number, problems)
        yield Line(number - parts, joined, first.time_s, first.caller, cut)
        position = end + 1


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return end if end >= 0 else len(text)


# Old kernels print a line in pieces, which loggers store one by one ("Node 0", then "Normal free:…"), and the
# word that made us stop may stand in the second half of a wrapped line. `floor` is the end of what was used.
def _look_back(text: str, floor: int, start: int, line: Stripped) -> tuple[Stripped, int]:
    parts = 0
    while start > floor and parts < _MOST_PARTS:
        previous_start = text.rfind("\n", floor, start - 1) + 1 or floor
        if start - previous_start > _LONGEST:
            break
        previous = prefix.strip(text[previous_start : start - 1])
        if previous.foreign or not _precedes(previous, line):
            break
        line = previous._replace(text=_glue(previous.text, line.text))
        start = previous_start
        parts += 1
    return line, parts


def _precedes(previous: Stripped, line: Stripped) -> bool:
    if _ZONE_WITHOUT_NODE.match(line.text):
        return _NODE.fullmatch(previous.text) is not None
    if _BLOCKS_PART.match(line.text):
        return _BLOCKS.match(previous.text) is not None
    return previous.prefixed and not line.prefixed and bool(line.text) and not _starts(line)


# Counters follow each other line by line, indented; without indentation they are the rest of a wrapped line.
def _starts(line: Stripped) -> bool:
    return _START.match(line.text) is not None or (line.indented and _COUNTERS.match(line.text) is not None)


# The whole line, and where it ends.
def _look_ahead(text: str, end: int, first: Stripped) -> tuple[str, int]:
    joined, pieces, next_end = first.text, 0, end
    while end < len(text) and pieces < _MOST_PARTS:
        next_end = _line_end(text, end + 1)
        if next_end - end > _LONGEST:
            break
        following = prefix.strip(text[end + 1 : next_end])
        if following.foreign or not following.text or not _continues(first, joined, following):
            break
        joined = _glue(joined, following.text)
        if joined.startswith(_LOWMEM) and not _printed_in_pieces(first, following):
            joined += _UNREADABLE
        end = next_end
        pieces += 1
    if pieces and joined.startswith(_LOWMEM) and next_end >= len(text):
        joined += _UNREADABLE  # more pieces may have followed
    return joined, end


def _continues(first: Stripped, joined: str, following: Stripped) -> bool:
    if joined.startswith(_LOWMEM):
        return following.text.isascii() and following.text.replace(" ", "").isdigit()
    if _FINISHED.search(joined) and not _FRAGMENT.match(following.text):
        return False
    if _BLOCKS.match(joined) and _BLOCKS_PART.match(following.text):
        return True
    if following.prefixed or _starts(following):
        return False
    if first.prefixed:
        return _LONG_KINDS.search(joined) is not None or _COUNTERS.match(joined) is not None
    return _is_fragment(joined, following.text)


# A number may be cut where a line was wrapped, but not where the kernel printed the line in pieces.
def _printed_in_pieces(first: Stripped, following: Stripped) -> bool:
    return first.prefixed == following.prefixed and (first.prefixed or first.text == _LOWMEM)


# Without prefixes nothing tells a wrapped line from the next one but what it holds.
def _is_fragment(joined: str, text: str) -> bool:
    if joined.startswith("oom-kill:"):
        return " " not in text and ("," in text or "=" in text)
    if "killed as a result" in joined:
        return " " not in text
    if _COUNTERS.match(joined):
        return _COUNTER.fullmatch(joined.rpartition(" ")[2]) is None or _DIGITS.match(text) is not None
    if "order:" in joined or "gfp_mask=" in joined:
        return joined.count("(") > joined.count(")") or joined.endswith(",") or bool(_REQUEST_PART.match(text))
    return "kB" in joined and _FRAGMENT.match(text) is not None


# A wrap falls between words (white space was lost) or inside of one (nothing was lost).
def _glue(left: str, right: str) -> str:
    last = left.rpartition(" ")[2]
    first = right.partition(" ")[0]
    if last.endswith(",") or first in ("page", "invoked") or first[0] == "#" or left.startswith(_LOWMEM):
        return f"{left} {right}"
    return f"{left} {right}" if _WHOLE_WORD.fullmatch(last) and _WHOLE_WORD.fullmatch(first) else left + right


# The text ends inside of this line. A unit or a bracket shows that the last word is complete.
def _without_cut_word(text: str, number: int, problems: list[str]) -> str:
    if text.endswith(("kB", "KB", ")")):
        return text
    problems.append(f"line {number} has no end, so its last word was left out")
    if text.startswith(_LOWMEM):
        return text + _UNREADABLE
    return _INCOMPLETE_WORD.sub("", text).rstrip(" ,")
