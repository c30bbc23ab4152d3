"""Which value a host writes at boot, and which line of which file says so.

systemd-sysctl reads the files of all directories in the order of their names; of files with the same name
only the one in the first directory counts, even when it is empty, and a later line wins over an earlier one
(sysctl.d(5)). It does not read ``/etc/sysctl.conf``; many distributions link ``99-sysctl.conf`` to it.
``sysctl --system`` of procps reads the same files, and ``/etc/sysctl.conf`` after them (sysctl(8); before
4.0 it preferred /run to /etc). systemd-tmpfiles does the opposite: of lines for the same path the first
counts (tmpfiles.d(5)).

Files are given as captures hold them: text by path without the leading slash. A file that masks others is
an empty text. Nothing here touches a file.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from advisor.errors import ParseError
from advisor.parse import sysctld, tmpfilesd
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

ROOTS = ("etc", "run", "usr/local/lib", "usr/lib", "lib")
"""Where sysctl.d and tmpfiles.d are, the directory that counts most first."""
SYSCTL_CONF = "etc/sysctl.conf"
_SYSCTL_D = "sysctl.d"
_TMPFILES_D = "tmpfiles.d"
_FOLDERS = frozenset(f"{root}/{folder}" for root in ROOTS for folder in (_SYSCTL_D, _TMPFILES_D))

_Parsed = TypeVar("_Parsed")


class Source(Record):
    """A line that concerns a setting.

    Attributes:
        path: its file, without the leading slash.
        line: its number, from 1.
        value: what it sets; None when it takes the setting out of the reach of wildcards.
        masked: the file is not read, because a directory that counts more has one of the same name.
    """

    path: str
    line: int
    value: str | None
    masked: bool = False


class Persisted(Record):
    """A setting that files set at boot.

    Attributes:
        key: its name with dots, or a pattern.
        value: what systemd-sysctl writes at boot; None when it writes nothing.
        winner: the line that says so; None exactly when `value` is None.
        shadowed: every other line, in the order in which they are read.
        procps_value: what ``sysctl --system`` writes; None when it writes nothing.
        procps_winner: the line that says so.
        glob: `key` is a pattern; it holds for settings that no line names.
    """

    key: str
    value: str | None
    winner: Source | None
    shadowed: tuple[Source, ...]
    procps_value: str | None
    procps_winner: Source | None
    glob: bool = False

    @property
    def agreed(self) -> bool:
        """Whether the boot and ``sysctl --system`` lead to the same value."""
        return self.value == self.procps_value


class PersistedWrite(Record):
    """A file of /sys or /proc that systemd-tmpfiles writes at boot.

    Attributes:
        path: the file without its leading slash, or a pattern.
        value: what is written.
        winner: the line that says so.
        shadowed: every other line, in the order in which they are read.
        glob: `path` is a pattern.
    """

    path: str
    value: str
    winner: Source
    shadowed: tuple[Source, ...]
    glob: bool = False


class _File(NamedTuple):
    path: str
    text: str
    masked: bool


def concerns(path: str) -> bool:
    """Whether a file, named without its leading slash, may set something at boot.

    >>> concerns("etc/sysctl.d/a.conf"), concerns("etc/sysctl.conf"), concerns("etc/fstab")
    (True, True, False)
    """
    folder = path.rpartition("/")[0]
    return path == SYSCTL_CONF or folder in _FOLDERS


def persisted(files: Mapping[str, str]) -> dict[str, Persisted]:
    """Every setting that the files set, by its name with dots.

    >>> files = {"etc/sysctl.d/10-a.conf": "vm.swappiness=1", "lib/sysctl.d/50-b.conf": "vm/swappiness=60"}
    >>> found = persisted(files)["vm.swappiness"]
    >>> found.value, found.winner.path, found.shadowed[0].value
    ('60', 'lib/sysctl.d/50-b.conf', '1')
    """
    lines: dict[str, list[Source]] = {}
    globs = set()
    for file in _sysctl_files(files):
        for line in _lines(sysctld.parse, file.text, sysctld.Dropin(())).lines:
            lines.setdefault(line.key, []).append(Source(file.path, line.line, line.value, file.masked))
            if line.glob:
                globs.add(line.key)
    return {key: _decided(key, sources, glob=key in globs) for key, sources in lines.items()}


def sysfs_writes(files: Mapping[str, str]) -> dict[str, PersistedWrite]:
    """Every file of /sys or /proc that tmpfiles.d writes at boot, by its path without the leading slash.

    >>> line = "w /sys/kernel/mm/ksm/run - - - - "
    >>> found = sysfs_writes({"etc/tmpfiles.d/a.conf": line + "1", "etc/tmpfiles.d/b.conf": line + "0"})
    >>> found["sys/kernel/mm/ksm/run"].value
    '1'
    """
    lines: dict[str, list[Source]] = {}
    globs = set()
    for file in _in_order(files, _TMPFILES_D):
        for line in _lines(tmpfilesd.parse, file.text, tmpfilesd.Tmpfiles(())).lines:
            lines.setdefault(line.path, []).append(Source(file.path, line.line, line.value, file.masked))
            if line.glob:
                globs.add(line.path)
    found = {}
    for path, sources in lines.items():
        winner = next((source for source in sources if not source.masked), None)
        if winner is not None and winner.value is not None:
            rest = tuple(source for source in sources if source is not winner)
            found[path] = PersistedWrite(path, winner.value, winner, rest, path in globs)
    return found


def effective(settings: Mapping[str, Persisted], key: str) -> Persisted | None:
    """What holds for one setting: its own lines, or else the pattern that is applied last.

    >>> found = effective(persisted({"etc/sysctl.d/a.conf": "vm.swap*=10"}), "vm.swappiness")
    >>> found.key, found.value
    ('vm.swap*', '10')
    """
    name = sysctld.key(key)
    if name in settings:
        return settings[name]
    path = sysctld.path(name)
    matching = [
        setting
        for setting in settings.values()
        if setting.glob and setting.procps_value is not None and _matches(path, sysctld.path(setting.key))
    ]
    return max(matching, key=_rank, default=None)


def effective_write(writes: Mapping[str, PersistedWrite], path: str) -> PersistedWrite | None:
    r"""What is left in one file of /sys or /proc when all writes to it are done: a later pattern wins.

    >>> lines = "w /sys/kernel/mm/*/run - - - - 1\nw /sys/kernel/mm/ksm/run - - - - 0"
    >>> effective_write(sysfs_writes({"etc/tmpfiles.d/a.conf": lines}), "sys/kernel/mm/ksm/run").value
    '0'
    """
    name = path.strip("/")
    matching = [found for found in writes.values() if found.path == name or _matches(name, found.path)]
    return max(matching, key=lambda found: _place(found.winner), default=None)


def problems(files: Mapping[str, str]) -> tuple[str, ...]:
    """What in the files cannot be understood, each with its file; such lines set nothing above."""
    found: list[str] = []
    for file in _sysctl_files(files):
        found += _problems(file, sysctld.parse)
    for file in _in_order(files, _TMPFILES_D):
        found += _problems(file, tmpfilesd.parse)
    return tuple(found)


def _decided(key: str, sources: list[Source], *, glob: bool) -> Persisted:
    read = [source for source in sources if not source.masked]
    winner = _last(source for source in read if source.path != SYSCTL_CONF)
    if winner is not None and winner.value is None:
        winner = None  # an exclusion replaces the assignment before it; in procps it only keeps wildcards away
    procps = _last(source for source in read if source.value is not None)
    return Persisted(
        key,
        None if winner is None else winner.value,
        winner,
        tuple(source for source in sources if source is not winner),
        None if procps is None else procps.value,
        procps,
        glob,
    )


def _last(sources: Iterable[Source]) -> Source | None:
    last = None
    for source in sources:
        last = source
    return last


def _sysctl_files(files: Mapping[str, str]) -> Iterator[_File]:
    yield from _in_order(files, _SYSCTL_D)
    for path, text in files.items():
        if path.lstrip("/") == SYSCTL_CONF:
            yield _File(SYSCTL_CONF, text, masked=False)


# All files in the order in which they are read, masked ones before the one that masks them.
def _in_order(files: Mapping[str, str], folder: str) -> Iterator[_File]:
    by_name: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        directory, _, name = path.lstrip("/").rpartition("/")
        root = directory.removesuffix(f"/{folder}")
        if root in ROOTS and root != directory and name.endswith(".conf"):
            by_name.setdefault(name, {})[root] = text
    for name in sorted(by_name):
        same = by_name[name]
        if same.get("lib") == same.get("usr/lib"):
            same.pop("lib", None)  # a link to the other
        ranked = [root for root in ROOTS if root in same]
        for rank, root in reversed(list(enumerate(ranked))):
            yield _File(f"{root}/{folder}/{name}", same[root], masked=rank > 0)


def _lines(parse: Callable[[str], _Parsed], text: str, nothing: _Parsed) -> _Parsed:
    try:
        return parse(text)
    except ParseError:
        return nothing


def _problems(file: _File, parse: Callable[[str], sysctld.Dropin | tmpfilesd.Tmpfiles]) -> list[str]:
    try:
        return [f"{file.path}: {problem}" for problem in parse(file.text).problems]
    except ParseError as error:
        return [f"{file.path}: {error}"]


# A wildcard stands for characters within one part of the path, as in glob(7).
def _matches(path: str, pattern: str) -> bool:
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


# What the boot applies later counts more, and anything that it applies more than what only procps does.
def _rank(setting: Persisted) -> tuple[bool, tuple[str, int]]:
    at_boot = setting.value is not None
    winner = setting.winner if at_boot else setting.procps_winner
    return at_boot, ("", 0) if winner is None else _place(winner)


def _place(source: Source) -> tuple[str, int]:
    return source.path.rpartition("/")[2], source.line
