"""The text of our own files: one line for each setting, and its reason above it.

What stands there for other settings, comments included, stays as it is. Nothing in a file tells
the time, so that the same wish gives the same text.
"""

from __future__ import annotations

from advisor.capture.tree import printable
from advisor.errors import ParseError
from advisor.hints import TYPE_CHECKING
from advisor.parse import sysctld, tmpfilesd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.tunables import Tunable

_HEAD = "# Kept by memadvisor. A line changed by hand is changed back when memadvisor sets its setting again.\n"


def line_of(tunable: Tunable, text: str | None) -> str | None:
    """What one of our files says of a setting; None when it says nothing. The line that counts is taken."""
    found = [value for _number, value in _lines(tunable, text or "")]
    return (found[0] if _first_counts(tunable) else found[-1]) if found else None


def settings_of(tunables: Iterable[Tunable], text: str | None) -> dict[str, str]:
    """The settings that one of our files keeps, with their values."""
    found = ((tunable.name, line_of(tunable, text)) for tunable in tunables)
    return {name: value for name, value in found if value is not None}


def with_line(tunable: Tunable, text: str | None, value: str | None, reason: str = "") -> str | None:
    """One of our files with one setting changed.

    Args:
        tunable: the setting.
        text: the file as it is; None when there is none.
        value: what to say; None to say nothing.
        reason: why, one sentence; only written when the line changes.

    Returns:
        The file as it shall be; None when nothing is left to keep.
    """
    old = _lines(tunable, text or "")
    if value is not None and [found for _number, found in old] == [value]:
        return text
    lines = (text or "").split("\n")
    ours = {number - 1 for number, _value in old}
    ours |= {at for at, line in enumerate(lines) if line.startswith(_mark(tunable))}
    place = max(ours, default=len(lines))
    before = "".join(f"{line}\n" for at, line in enumerate(lines[:place]) if at not in ours).rstrip("\n")
    after = "\n".join(lines[place + 1 :])
    before = f"{before}\n" if before else ""
    if value is None:
        return _or_none(before + after)
    return (before or _HEAD) + _block(tunable, value, reason) + after


def _block(tunable: Tunable, value: str, reason: str) -> str:
    comment = f"{_mark(tunable)}{printable(reason)}\n" if reason else ""
    if tunable.persist == "tmpfiles.d":
        return f"{comment}w- /{tunable.path} - - - - {value}\n"
    return f"{comment}{tunable.name} = {value}\n"


def _mark(tunable: Tunable) -> str:
    return f"# {tunable.name}: "


# Our head alone keeps nothing; a comment of somebody else is kept.
def _or_none(text: str) -> str | None:
    return text if text.replace(_HEAD, "").strip() else None


def _first_counts(tunable: Tunable) -> bool:
    return tunable.persist == "tmpfiles.d"


def _lines(tunable: Tunable, text: str) -> list[tuple[int, str]]:
    """Number and value of the lines that set this setting by its own name."""
    try:
        if tunable.persist == "tmpfiles.d":
            writes = tmpfilesd.parse(text).lines
            return [(line.line, line.value) for line in writes if line.path == tunable.path]
        settings = sysctld.parse(text).lines
    except ParseError:
        return []
    return [(line.line, line.value) for line in settings if line.key == tunable.name and line.value is not None]
