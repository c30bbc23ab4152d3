"""One file of sysctl.d, or sysctl.conf, as systemd-sysctl and procps read it."""

from __future__ import annotations

from advisor.errors import ParseError
from advisor.parse._text import not_understood, notes, unreadable
from advisor.record import Record

READS: tuple[str, ...] = ()
"""The name of such a file says nothing without the others: see `advisor.persisted`."""

_EXPECTED = "a file of sysctl.d (lines 'name = value')"
_GLOB = frozenset("*?[")


class SettingLine(Record):
    """One assignment.

    Attributes:
        key: the setting with dots between the parts of its path; a dot inside of a part is a slash.
        value: the text that is written, its white space collapsed as the kernel reads it; None for a line
            that takes the key out of the reach of wildcards (``-name`` without ``=``).
        line: line number in the file, from 1.
        tolerant: it is no error when the value cannot be written (a leading ``-``).
        glob: the key is a pattern for several settings.
        spaced: white space follows the leading ``-``, which procps does not take.
    """

    key: str
    value: str | None
    line: int
    tolerant: bool = False
    glob: bool = False
    spaced: bool = False


class Dropin(Record):
    """The assignments of one file in its order, and what is wrong with other lines."""

    lines: tuple[SettingLine, ...]
    problems: tuple[str, ...] = ()


def parse(text: str) -> Dropin:
    r"""Read one file by the rules of sysctl.d(5). An empty file is a file without assignments.

    >>> parse("# reserve\nvm/min_free_kbytes=65536\n-vm.swappiness =  10\n").lines[1]
    SettingLine(key='vm.swappiness', value='10', line=3, tolerant=True, glob=False, spaced=False)

    Raises:
        ParseError: the text is binary, or none of its lines is an assignment or a comment.
    """
    if "\0" in text:
        raise ParseError(f"{_EXPECTED} was expected, but found binary data")
    lines: list[SettingLine] = []
    problems: list[str] = []
    comments = 0
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            comments += bool(line)
        elif setting := _setting(line, number):
            lines.append(setting)
            problems += _doubts(setting)
        else:
            problems.append(f"line {number}: {not_understood(line, 'an assignment')}")
    if problems and not lines and not comments:
        raise unreadable(_EXPECTED, text)
    return Dropin(tuple(lines), notes(problems))


def path(name: str) -> str:
    """The path of a setting below /proc/sys. The first separator tells which of both it is (sysctl.d(5)).

    >>> path("net.ipv4.conf.enp3s0/200.forwarding"), path("net/ipv4/conf/enp3s0.200/forwarding")
    ('net/ipv4/conf/enp3s0.200/forwarding', 'net/ipv4/conf/enp3s0.200/forwarding')
    """
    first = next((character for character in name if character in "./"), "/")
    swapped = name if first == "/" else name.translate(_SWAP)
    return "/".join(part for part in swapped.split("/") if part)


def key(name: str) -> str:
    """The one way to write the name of a setting: with dots.

    >>> key("vm/swappiness"), key("net/ipv4/conf/enp3s0.200/forwarding")
    ('vm.swappiness', 'net.ipv4.conf.enp3s0/200.forwarding')
    """
    return path(name).translate(_SWAP)


_UPWARDS = frozenset((".", ".."))
_SWAP = str.maketrans("./", "/.")


def _setting(line: str, number: int) -> SettingLine | None:
    name, assigned, value = line.partition("=")
    tolerant = name.startswith("-")
    if not assigned and not tolerant:
        return None
    bare = name.removeprefix("-")
    spaced = tolerant and bare[:1].isspace()
    name = key(bare.strip())
    if not name or not _UPWARDS.isdisjoint(path(name).split("/")):
        return None
    text = " ".join(value.split()) if assigned else None
    return SettingLine(name, text, number, tolerant and bool(assigned), not _GLOB.isdisjoint(name), spaced)


def _doubts(setting: SettingLine) -> list[str]:
    if setting.value == "":
        return [f"line {setting.line}: {setting.key} has no value"]
    if setting.value is not None and (" #" in setting.value or " ;" in setting.value):
        return [f"line {setting.line}: the comment after {setting.key} is part of the value"]
    return []
