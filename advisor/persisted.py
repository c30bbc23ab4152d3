"""Which value a host writes at boot, and which line of which file says so.

systemd-sysctl reads the files of all directories in the order of their names; of files with the same name
only the one in the first directory counts, even when it is empty, and a later line wins over an earlier one
(sysctl.d(5)). It does not read ``/etc/sysctl.conf``; many distributions link ``99-sysctl.conf`` to it.
``sysctl --system`` of procps reads the same files, and ``/etc/sysctl.conf`` after them (sysctl(8); before
4.0 it preferred /run to /etc). TuneD applies those of /run and /etc again after its profile. systemd-tmpfiles
does the opposite of all: of lines for the same path the first counts (tmpfiles.d(5)).

They differ in more than that (`Reader`): systemd-sysctl gathers all lines and then writes the last of each name,
the others write line by line. tests/persistence.json holds what each made of a hundred situations on a real host.

Files are given as captures hold them: text by path without the leading slash. A file that masks others is
an empty text (`files_of`). Nothing here touches a file.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from advisor.errors import ParseError
from advisor.parse import sysctld, tmpfilesd
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from advisor.capture.model import Capture

ROOTS = ("etc", "run", "usr/local/lib", "usr/lib", "lib")
"""Where sysctl.d and tmpfiles.d are, the directory that counts most first."""
SYSCTL_CONF = "etc/sysctl.conf"
_SYSCTL_D = "sysctl.d"
_TMPFILES_D = "tmpfiles.d"
_WILD = frozenset("*?[")
_FOLDERS = frozenset(f"{root}/{folder}" for root in ROOTS for folder in (_SYSCTL_D, _TMPFILES_D))

_Line = tuple[sysctld.SettingLine, "Source"]
_Parsed = TypeVar("_Parsed")


class Reader(Record):
    """How a program reads sysctl.d.

    Attributes:
        name: the program.
        roots: the directories, the one that counts most first.
        conf: whether it reads /etc/sysctl.conf, after all others.
        gathers: whether only the last line of each name is written, in the place of the first of those lines at
            the end that agree with it. Otherwise every line is written: one that the kernel refuses leaves the
            value of the line before.
        globs: whether it knows patterns, and lines that exclude a name from them.
        hidden: whether it reads files whose names begin with a dot.
        spaces: whether white space may follow the `-` of a line that may fail.
    """

    name: str
    roots: tuple[str, ...]
    conf: bool
    gathers: bool
    globs: bool
    hidden: bool
    spaces: bool


SYSTEMD = Reader("systemd-sysctl", ROOTS, conf=False, gathers=True, globs=True, hidden=False, spaces=True)
"""At boot; as systemd 252 does it."""
PROCPS = Reader("sysctl --system", ROOTS, conf=True, gathers=False, globs=True, hidden=True, spaces=False)
"""As procps 4.0.2 does it."""
PROCPS_3 = Reader("sysctl --system", ROOTS, conf=True, gathers=False, globs=False, hidden=True, spaces=False)
"""As procps 3.3.17 of Debian 11 does it; others of before 4.0 preferred /run to /etc."""
TUNED = Reader("TuneD", ("run", "etc"), conf=True, gathers=False, globs=False, hidden=True, spaces=False)
"""With reapply_sysctl, as TuneD 2.x does it: /run before /etc, and nothing below /usr."""


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


def files_of(capture: Capture) -> dict[str, str]:
    """The files of a capture that set something at boot. A link to nothing masks, as an empty file does."""
    links = (path for path in capture.links if path.endswith(".conf") and path not in {SYSCTL_CONF, *capture.unread})
    return dict.fromkeys(links, "") | {path: capture.text(path) or "" for path in capture.paths() if concerns(path)}


class Write(NamedTuple):
    """One write of a program that applies sysctl.d.

    Attributes:
        key: the setting with dots, one of those asked for.
        value: the text.
        source: the line that says so.
    """

    key: str
    value: str
    source: Source


class Sysctl:
    """What a program writes to /proc/sys.

    Args:
        files: text by path without the leading slash.
        reader: which program.
    """

    def __init__(self, files: Mapping[str, str], reader: Reader) -> None:
        lines = _gathered(files, reader) if reader.gathers else _as_read(files, reader)
        self._index = _Index(lines)
        self._globs = reader.globs

    def of(self, keys: Collection[str]) -> list[Write]:
        """The writes to some settings, in their order.

        >>> Sysctl({"etc/sysctl.d/a.conf": "vm.swap*=10"}, SYSTEMD).of(["vm.swappiness"])[0].value
        '10'
        """
        found = [(order, key, source) for key in keys for order, source in self._of(key)]
        return [Write(key, source.value, source) for _order, key, source in sorted(found) if source.value is not None]

    def _of(self, key: str) -> list[tuple[int, Source]]:
        """The lines that write one setting: those with its name, or else the patterns that it fits."""
        named = self._index.named(key)
        return named if named or not self._globs else self._index.fitting(key)


class Lines:
    """Every line of sysctl.d and sysctl.conf, masked ones included.

    Args:
        files: text by path without the leading slash.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._index = _Index(
            (line, Source(file.path, line.line, line.value, file.masked))
            for file in _sysctl_files(files, PROCPS)
            for line in _lines(sysctld.parse, file.text, sysctld.Dropin(())).lines
        )

    def of(self, key: str) -> tuple[Source, ...]:
        """The lines that concern a setting, by its name or by a pattern, in the order in which they are read."""
        return tuple(source for _order, source in sorted([*self._index.named(key), *self._index.fitting(key)]))


class _Index:
    """Lines by the name that they set, with their place in the order."""

    def __init__(self, lines: Iterable[_Line]) -> None:
        self._named: dict[str, list[tuple[int, Source]]] = {}
        self._patterns: list[tuple[int, str, Source]] = []
        for order, (line, source) in enumerate(lines):
            if line.glob:
                self._patterns.append((order, line.key, source))
            else:
                self._named.setdefault(line.key, []).append((order, source))

    def named(self, key: str) -> list[tuple[int, Source]]:
        return self._named.get(key, [])

    def fitting(self, key: str) -> list[tuple[int, Source]]:
        path = sysctld.path(key)
        return [
            (order, source)
            for order, pattern, source in self._patterns
            if pattern[0] in {key[0], *_WILD} and _matches(path, sysctld.path(pattern))
        ]


def _as_read(files: Mapping[str, str], reader: Reader) -> Iterator[_Line]:
    """Every line that a program reads, in its order."""
    for file in _sysctl_files(files, reader):
        if not file.masked:
            for line in _lines(sysctld.parse, file.text, sysctld.Dropin(())).lines:
                if reader.spaces or not line.spaced:
                    yield line, Source(file.path, line.line, line.value)


def _gathered(files: Mapping[str, str], reader: Reader) -> Iterable[_Line]:
    """The last line of each name; a line that says the same as the one before leaves it in its place."""
    found: dict[str, _Line] = {}
    for line, source in _as_read(files, reader):
        if line.key in found and found[line.key][0].value != line.value:
            del found[line.key]  # so that it comes last; what is only assigned anew keeps its place
        found[line.key] = line, source
    return found.values()


def persisted(files: Mapping[str, str]) -> dict[str, Persisted]:
    """Every setting that the files set, by its name with dots.

    >>> files = {"etc/sysctl.d/10-a.conf": "vm.swappiness=1", "lib/sysctl.d/50-b.conf": "vm/swappiness=60"}
    >>> found = persisted(files)["vm.swappiness"]
    >>> found.value, found.winner.path, found.shadowed[0].value
    ('60', 'lib/sysctl.d/50-b.conf', '1')
    """
    lines: dict[str, list[Source]] = {}
    globs = set()
    for file in _sysctl_files(files, PROCPS):
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
    for file in _sysctl_files(files, PROCPS):
        found += _problems(file, sysctld.parse)
    for file in _in_order(files, _TMPFILES_D):
        found += _problems(file, tmpfilesd.parse)
    return tuple(found)


def _decided(key: str, sources: list[Source], *, glob: bool) -> Persisted:
    read = [source for source in sources if not source.masked]
    winner = _last(source for source in read if _at_boot(source))
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


def _at_boot(source: Source) -> bool:
    return source.path != SYSCTL_CONF and "/." not in source.path


def _last(sources: Iterable[Source]) -> Source | None:
    last = None
    for source in sources:
        last = source
    return last


def _sysctl_files(files: Mapping[str, str], reader: Reader) -> Iterator[_File]:
    yield from _in_order(files, _SYSCTL_D, reader.roots, hidden=reader.hidden)
    for path, text in files.items():
        if reader.conf and path.lstrip("/") == SYSCTL_CONF:
            yield _File(SYSCTL_CONF, text, masked=False)


def _in_order(
    files: Mapping[str, str], folder: str, roots: tuple[str, ...] = ROOTS, *, hidden: bool = False
) -> Iterator[_File]:
    """All files in the order in which they are read, masked ones before the one that masks them."""
    by_name: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        directory, _, name = path.lstrip("/").rpartition("/")
        root = directory.removesuffix(f"/{folder}")
        if root in roots and root != directory and name.endswith(".conf") and (hidden or name[0] != "."):
            by_name.setdefault(name, {})[root] = text
    for name in sorted(by_name):
        same = by_name[name]
        if same.get("lib") == same.get("usr/lib"):
            same.pop("lib", None)  # a link to the other
        ranked = [root for root in roots if root in same]
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


def _place(source: Source) -> tuple[str, int]:
    return source.path.rpartition("/")[2], source.line
