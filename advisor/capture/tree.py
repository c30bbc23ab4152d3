"""A tree of files of some host, wherever it is stored: expand patterns, follow links inside it, read texts.

`Store` is where the bytes are (`folder.HostStore`, `folder.FolderStore`, `archive.ArchiveStore`). `Tree`
looks at one folder of a store as the root of a host. Symbolic links are followed as in a chroot: absolute
targets start at the root of the tree, and nothing outside of the store is ever read.
"""

from __future__ import annotations

import errno
import os

from advisor.capture.files import NEVER, fits
from advisor.hints import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MIB = 1 << 20
MAX_FILE = 32 * MIB  # one file; /proc/zoneinfo of 512 processors on 64 nodes has 17 MiB
MAX_TOTAL = 256 * MIB  # all files of a source
MAX_ENTRIES = 200_000  # names in a source
MAX_FOLDERS = 512  # control groups
MAX_LOG = 1 * MIB  # the end of the kernel log
_MAX_LINKS = 40  # as the kernel: MAXSYMLINKS

_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENODEV, errno.ENXIO})


class Store(Protocol):
    """Where bytes are kept, by path without a leading slash; "" is its root. Failures are OSError."""

    follows: bool  # whether entries() and load() follow symbolic links themselves
    files_read: int
    bytes_read: int
    notes: list[str]  # remarks on the source as a whole

    def link(self, path: str) -> str | None:
        """The target when `path` is a symbolic link, otherwise None."""

    def target(self, path: str) -> str | None:
        """The same, also where the store follows links itself."""

    def entries(self, folder: str) -> Mapping[str, bool]:
        """The names in a folder, and whether each is itself a folder."""

    def load(self, path: str) -> bytes:
        """The bytes of a regular file."""


class Tree:
    """One folder of a store, seen as the root of a host.

    Attributes:
        unread: why a path could not be read, by path; paths that do not exist are in `absent` instead.
        absent: paths that were looked for and do not exist.
        notes: remarks for the report.
    """

    def __init__(self, store: Store, root: str = "") -> None:
        self.store = store
        self.root = root
        self.unread: dict[str, str] = {}
        self.absent: set[str] = set()
        self.notes: list[str] = []
        self._entries: dict[str, Mapping[str, bool]] = {}
        self._folders: dict[str, list[str]] = {}

    def entries(self, folder: str) -> Mapping[str, bool]:
        """The names in a folder, and whether each is itself a folder; empty when it cannot be listed."""
        if folder not in self._entries:
            try:
                self._entries[folder] = self.store.entries(self._resolve(folder))
            except OSError as error:
                self._missed(f"{folder}/*", error)
                self._entries[folder] = {}
        return self._entries[folder]

    def expand(self, pattern: str) -> list[str]:
        """The paths that a pattern of `files.FILES` names here. A pattern without `*` names itself."""
        if "*" not in pattern:
            return [pattern]
        head, below, tail = pattern.partition("/**/")
        if below:
            return [f"{folder}/{tail}" for folder in self._below(head) if tail in self.entries(folder)]
        found = [""]
        for part in pattern.split("/"):
            folders, found = found, []
            for at in folders:
                names = [name for name in sorted(self.entries(at)) if _takes(name, part)] if "*" in part else [part]
                found += [join(at, name) for name in names]
            if not found and not any(f"{at}/*" in self.unread for at in folders):
                self.absent.add(pattern)
        return found

    def read(self, path: str) -> str | None:
        """The text of a file, or None and the reason is in `unread` or `absent`. No byte gets lost."""
        try:
            resolved = self._resolve(path)
            if resolved == join(self.root, "dev/null") and not self.store.follows:
                return ""  # a drop-in masked by a link to /dev/null, sysctl.d(5)
            return decode(self.store.load(resolved))
        except OSError as error:
            self._missed(path, error)
            return None

    def links(self, patterns: Iterable[str]) -> dict[str, str]:
        """Which of the files that patterns name are symbolic links, and to where, as the links say it."""
        found = {}
        for path in (path for pattern in patterns for path in self.expand(pattern)):
            folder, _, name = path.rpartition("/")
            try:
                target = self.store.target(join(self._resolve(folder), name))
            except OSError:
                continue
            if target is not None:
                found[path] = target
        return found

    def read_all(self, paths: Iterable[str]) -> dict[str, str]:
        """The texts of those paths that can be read."""
        texts = ((path, self.read(path)) for path in paths)
        return {path: text for path, text in texts if text is not None}

    def walk(self) -> Iterator[str]:
        """Every file of the tree, without following links to folders."""
        folders = [""]
        while folders:
            at = folders.pop()
            for name, is_folder in self.entries(at).items():
                if is_folder:
                    folders.append(join(at, name))
                else:
                    yield join(at, name)

    # Folders are listed breadth first: when there are too many, the outer ones say most.
    def _below(self, base: str) -> list[str]:
        if base in self._folders:
            return self._folders[base]
        found = [base]
        for folder in found:  # grows while it is walked
            entries = self.entries(folder)
            inside = sorted(name for name, is_folder in entries.items() if is_folder)
            if folder == base and "cgroup.controllers" not in entries:
                # Version 1 has one hierarchy per controller; only these two know of memory.
                inside = [name for name in inside if name in {"memory", "unified"}]
            found += [join(folder, name) for name in inside]
            if len(found) > MAX_FOLDERS:
                self.notes.append(f"{base}: more than {MAX_FOLDERS} control groups, read the outermost {MAX_FOLDERS}")
                del found[MAX_FOLDERS:]
                break
        self._folders[base] = found
        return found

    def _resolve(self, path: str) -> str:
        if self.store.follows:
            return join(self.root, path)
        done = self.root.split("/") if self.root else []
        todo = path.split("/")[::-1]
        hops = 0
        while todo:
            part = todo.pop()
            if part == "..":
                if not done:
                    raise OSError(errno.EXDEV, "a link that leads outside")
                done.pop()
            elif part not in {"", "."}:
                target = self.store.link("/".join([*done, part]))
                if target is None:
                    done.append(part)
                    continue
                hops += 1
                if hops > _MAX_LINKS:
                    raise OSError(errno.ELOOP, "links in a circle")
                if target.startswith("/"):
                    done = self.root.split("/") if self.root else []
                todo += target.split("/")[::-1]
        return "/".join(done)

    def _missed(self, path: str, error: OSError) -> None:
        if error.errno in _NOT_THERE:
            self.absent.add(path)
        else:
            self.unread[path] = reason(error)
            if error.errno == errno.EFBIG:
                self.notes.append(f"{printable(path)}: {reason(error)}, not read")


def reason(error: OSError) -> str:
    """Why a file cannot be read, in words for the report, with the cure where there is one.

    >>> reason(FileNotFoundError(errno.ENOENT, ""))
    'not on this host'
    """
    if error.errno in _NOT_THERE:
        return "not on this host"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "permission denied; root reads it" if os.geteuid() else "permission denied, even to root"
    if error.errno == errno.EOPNOTSUPP:
        return "switched off in this kernel"  # /proc/pressure/* without psi=1
    if error.errno == errno.EFBIG:
        return f"larger than {MAX_FILE // MIB} MiB"
    if error.errno == errno.EXDEV:
        return "a link that leads outside of the capture"
    if error.errno is None:
        return str(error)
    return os.strerror(error.errno).lower()


def decode(data: bytes) -> str:
    r"""Text of bytes that are mostly UTF-8; `encode` restores every byte.

    >>> encode(decode(b"\xff\r\n"))
    b'\xff\r\n'
    """
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Bytes of a text made by `decode`."""
    return text.encode("utf-8", "surrogateescape")


def join(folder: str, name: str) -> str:
    """A path of two parts, of which either may be empty.

    >>> join("", "proc"), join("t0", "proc"), join("t0", "")
    ('proc', 't0/proc', 't0')
    """
    return f"{folder}/{name}" if folder and name else folder or name


def is_log(path: str) -> bool:
    """Whether a path names a kernel log, of which the end is worth having when the whole is too large.

    >>> is_log("x/sos_commands/kernel/dmesg_-T"), is_log("proc/kmsg")
    (True, False)
    """
    name = path.rpartition("/")[2]
    return name.startswith(("dmesg", "journalctl")) or f"/{path}".endswith("/log/kernel.txt")


def log_end(log: bytes) -> tuple[bytes, bool]:
    r"""The whole lines in the last MiB of a log, and whether anything was cut off.

    >>> log_end(b"one\ntwo\n")
    (b'one\ntwo\n', False)
    """
    if len(log) <= MAX_LOG:
        return log, False
    return log[-MAX_LOG:].partition(b"\n")[2], True


def printable(text: str) -> str:
    r"""A name from a foreign source, fit for a terminal: control characters are escaped.

    >>> printable("a\x1b[2J/b")
    'a\\x1b[2J/b'
    """
    return repr(text)[1:-1]


def _takes(name: str, part: str) -> bool:
    return name not in NEVER and fits(name, part)
