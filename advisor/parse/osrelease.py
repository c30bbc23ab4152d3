"""/etc/os-release: which distribution is installed."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.parse._text import known, not_understood, notes, put, unreadable, whole_lines
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

READS = ("etc/os-release", "usr/lib/os-release")

_EXPECTED = "os-release (lines KEY=value)"
_NEEDS_QUOTES = frozenset(" \t\"'`$\\;&|<>()")


class OsRelease(Record):
    """The assignments by key (`ID`, `VERSION_ID`, `PRETTY_NAME`, …), unquoted, and what was left out."""

    values: Mapping[str, str]
    problems: tuple[str, ...]


def parse(text: str) -> OsRelease:
    r"""Parse os-release: shell assignments without expansion, and comments (os-release(5)).

    >>> parse('ID=debian\nNAME="Debian \\"GNU\\"/Linux"\n').values
    {'ID': 'debian', 'NAME': 'Debian "GNU"/Linux'}
    """
    lines, problems = whole_lines(text, _EXPECTED)
    table: dict[str, str | None] = {}
    for line in lines:
        key, equals, quoted = line.strip().partition("=")
        value = _unquoted(quoted)
        if not key or key.startswith("#"):
            continue
        if not equals or value is None or not (key.isascii() and key.isidentifier()):
            problems.append(not_understood(line, "KEY=value"))
        else:
            put(table, key, value, problems)
    if not table:
        raise unreadable(_EXPECTED, text)
    return OsRelease(known(table), notes(problems))


def _unquoted(text: str) -> str | None:
    mark = text[:1]
    if mark not in {'"', "'"}:
        return None if _NEEDS_QUOTES & set(text) else text
    if len(text) < 2 or not text.endswith(mark):
        return None
    inner = text[1:-1]
    return _unescaped(inner) if mark == '"' else (None if "'" in inner else inner)


def _unescaped(inner: str) -> str | None:
    # Within double quotes a backslash quotes \ " $ ` and stands for itself before anything else.
    plain, letters = "", iter(inner)
    for letter in letters:
        if letter == '"':
            return None
        if letter == "\\":
            following = next(letters, "")
            if not following:
                return None
            plain += following if following in '\\"$`' else "\\" + following
        else:
            plain += letter
    return plain
