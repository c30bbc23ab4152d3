"""/proc/uptime: how long the host is up."""

from __future__ import annotations

from advisor.parse._text import hundredths, unreadable

READS = ("proc/uptime",)


def parse(text: str) -> float:
    r"""Seconds since boot, suspended time included (fs/proc/uptime.c).

    >>> parse("67.31 22.11\n")
    67.31
    """
    words = text.split()
    up = hundredths(words[0]) if len(words) == 2 else None
    if up is None:
        raise unreadable("uptime (two numbers of seconds)", text)
    return up / 100
