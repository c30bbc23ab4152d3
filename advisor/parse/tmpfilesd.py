"""The lines of a tmpfiles.d file that write to /sys or /proc."""

from __future__ import annotations

import re

from advisor.errors import ParseError
from advisor.parse._text import not_understood, notes
from advisor.record import Record

READS: tuple[str, ...] = ()
"""The name of such a file says nothing without the others: see `advisor.persisted`."""

_WORD = r"""("[^"]*"|'[^']*'|\S+)"""
# type, path, mode, user, group, age, argument
_WRITE = re.compile(rf"""["']?w([-+!=~^?$]*)["']?\s+{_WORD}\s+{_WORD}\s+{_WORD}\s+{_WORD}\s+{_WORD}\s+(\S.*)""")
_TYPE = re.compile(r"""["']?w[-+!=~^?$]*["']?(?:\s|$)""")
_ROOTS = ("sys/", "proc/")
_ENCODED = frozenset("~^")  # base64, or the name of a credential
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[0-3][0-7]{2}|.)|%(.)|(%|\\)$", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "s": " ", "\\": "\\", '"': '"', "'": "'"}
_GLOB = frozenset("*?[")


class WriteLine(Record):
    """One write at boot.

    Attributes:
        path: the file without its leading slash, as captures name it: ``sys/kernel/mm/ksm/run``.
        value: the text that is written, without white space at its ends.
        line: line number in the file, from 1.
        glob: the path is a pattern for several files.
    """

    path: str
    value: str
    line: int
    glob: bool = False


class Tmpfiles(Record):
    """The writes of one file in its order, and which of them cannot be understood."""

    lines: tuple[WriteLine, ...]
    problems: tuple[str, ...] = ()


def parse(text: str) -> Tmpfiles:
    r"""Read the ``w`` lines of one file by the rules of tmpfiles.d(5). Lines of other types are skipped.

    >>> parse("w- /sys/kernel/mm/ksm/run - - - - 1\nd /tmp 1777 root root 10d\n").lines
    (WriteLine(path='sys/kernel/mm/ksm/run', value='1', line=1, glob=False),)

    Raises:
        ParseError: the text is binary.
    """
    if "\0" in text:
        raise ParseError("a file of tmpfiles.d was expected, but found binary data")
    lines = []
    problems = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not _TYPE.match(line):
            continue
        write = _write(line, number)
        if write is None:
            problems.append(f"line {number}: {not_understood(line, 'a write of a plain value')}")
        elif write.path.startswith(_ROOTS):
            lines.append(write)
    return Tmpfiles(tuple(lines), notes(problems))


def _write(line: str, number: int) -> WriteLine | None:
    match = _WRITE.fullmatch(line)
    if match is None or not _ENCODED.isdisjoint(match[1]) or match[7] == "-":
        return None
    path, value = _plain(match[2].strip("\"'")), _plain(match[7])
    if path is None or value is None or not path.startswith("/"):
        return None
    path = "/".join(part for part in path.split("/") if part)
    return WriteLine(path, value.strip(), number, not _GLOB.isdisjoint(path))


# None when the text depends on the host (a specifier) or is not one that systemd accepts.
def _plain(text: str) -> str | None:
    known = True

    def replaced(match: re.Match[str]) -> str:
        nonlocal known
        code = match[1] or ""
        if match[2] == "%":
            return "%"
        if len(code) == 3 and code not in ("x00", "000"):
            return chr(int(code[1:], 16) if code[0] == "x" else int(code, 8))
        known = known and code in _ESCAPED
        return _ESCAPED.get(code, "")

    plain = _ESCAPE.sub(replaced, text)
    return plain if known else None
