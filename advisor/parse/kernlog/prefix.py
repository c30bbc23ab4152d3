"""Takes the prefixes of dmesg, syslog and journalctl from a line."""

from __future__ import annotations

import re
from typing import NamedTuple


class Stripped(NamedTuple):
    """A line without its prefixes.

    Attributes:
        text: what the kernel printed, without white space at its ends.
        time_s: the kernel's time stamp in seconds since boot, or None.
        caller: task or processor that printed it (``T123``, ``C0``; CONFIG_PRINTK_CALLER), or "".
        prefixed: something was taken off; a line without may be the rest of the line before it.
        foreign: a line of another program, which is not the kernel's.
        indented: the line has no prefix and begins with white space.
    """

    text: str
    time_s: float | None = None
    caller: str = ""
    prefixed: bool = False
    foreign: bool = False
    indented: bool = False


_LEVEL = r"(?:<[0-9]{1,3}>|[a-z]{2,8} *:[a-z]{2,7} *: )?"
_CALLER = r"(?: ?\[ *([TC][0-9]{1,10})\])?"
_STAMP = re.compile(rf"[> ]{{0,8}}{_LEVEL} ?\[ *([0-9]{{1,12}}\.[0-9]{{1,9}})(?:@[0-9]+| <[ 0-9.]*>)?\]{_CALLER} ?")
_DATE_IN_BRACKETS = re.compile(
    rf"{_LEVEL}\[(?:[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} [ 0-9]?[0-9] [0-9:]{{8}} [0-9]{{4}}"
    rf"|[A-Z][a-z]{{2}}[ 0-9][0-9] [0-9:]{{5}}| *\+[0-9.]+)\]{_CALLER} ?"
)
_ISO_OF_DMESG = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8},[0-9]{6}[+-][0-9]{2}:[0-9]{2} ")
_SYSLOG = re.compile(
    r"(?:<[0-9]{1,3}>)?(?:[A-Z][a-z]{2} )?"
    r"(?:[A-Z][a-z]{2} [ 0-9]?[0-9] [0-9]{2}:[0-9:.]{2,}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2})"
)
_HOST_AND_TAG = re.compile(r"(?:\S{1,255} )?kernel(?:\[0\])?: ")
_LEVEL_ONLY = re.compile(r"<[0-9]{1,3}>")
_TAG = "kernel: "
_TAG_WITHIN = 300  # a date, a host name and a severity come first


def strip(line: str) -> Stripped:
    """Take the prefixes from one line.

    >>> strip("Jan 29 01:42:13 pi kernel: [23178.419715] swapper: page allocation failure")[:3]
    ('swapper: page allocation failure', 23178.419715, '')
    >>> strip("<4>[   12.5][  T431] Mem-Info:")[:3]
    ('Mem-Info:', 12.5, 'T431')
    >>> strip("Jan 29 01:42:13 pi app[7]: Out of memory").foreign
    True
    """
    if stamp := _STAMP.match(line):
        return _inside(line, stamp.end(), float(stamp[1]), stamp[2] or "")
    if date := _DATE_IN_BRACKETS.match(line):
        return _inside(line, date.end(), None, date[1] or "")
    if iso := _ISO_OF_DMESG.match(line):
        return _inside(line, iso.end(), None, "")
    tag = line.find(_TAG, 0, _TAG_WITHIN)
    if tag >= 0 and ": " not in line[:tag] and (tag == 0 or line[tag - 1] == " "):
        return _after_tag(line[tag + len(_TAG) :])
    if _SYSLOG.match(line):
        return Stripped("", foreign=True)
    if level := _LEVEL_ONLY.match(line):
        return Stripped(line[level.end() :].strip(), prefixed=True)
    return Stripped(line.strip(), indented=line[:1] in (" ", "\t"))


def _after_tag(rest: str) -> Stripped:
    if stamp := _STAMP.match(rest):
        return Stripped(rest[stamp.end() :].strip(), float(stamp[1]), stamp[2] or "", prefixed=True)
    return Stripped(rest.strip(), prefixed=True)


# journalctl -o short-monotonic puts host and tag behind the time stamp.
def _inside(line: str, end: int, time_s: float | None, caller: str) -> Stripped:
    if tag := _HOST_AND_TAG.match(line, end):
        end = tag.end()
    return Stripped(line[end:].strip(), time_s, caller, prefixed=True)
