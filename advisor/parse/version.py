"""/proc/version and /proc/sys/kernel/osrelease: which kernel runs."""

from __future__ import annotations

from advisor.parse._text import number, unreadable
from advisor.record import Record

READS = ("proc/version", "proc/sys/kernel/osrelease")


class Version(Record):
    """The kernel's release, as ``uname -r`` prints it. For reports: distributions backport features."""

    release: str


def parse(text: str) -> Version:
    r"""The release out of either file.

    >>> parse("Linux version 6.1.0-50-amd64 (a@b) (gcc) #1 SMP\n")
    Version(release='6.1.0-50-amd64')
    >>> parse("6.1.0-50-amd64\n")
    Version(release='6.1.0-50-amd64')
    """
    words = text.split()
    if words[:2] == ["Linux", "version"] and len(words) > 3:
        words = words[2:3]
    if len(words) != 1 or not _is_release(words[0]):
        raise unreadable("a kernel release such as 6.1.0", text)
    return Version(words[0])


def _is_release(word: str) -> bool:
    major, dot, rest = word.partition(".")
    return number(major) is not None and dot == "." and rest[:1].isdigit() and word.isprintable()
