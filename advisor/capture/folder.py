"""Stores on disk: the running host, and a folder that somebody brought."""

from __future__ import annotations

import errno
import os
import stat

from advisor.capture.tree import MAX_ENTRIES, MAX_FILE, MAX_TOTAL, MIB, is_log
from advisor.errors import CaptureError
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Nothing may hang (a named pipe), be inherited, or become our terminal.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_CHUNK = 64 * 1024
_NULL = os.makedev(1, 3)


class HostStore:
    """The files below a trusted root folder; links lead where the kernel says."""

    follows = True
    _flags = _FLAGS

    def __init__(self, root: str = "/") -> None:
        self.files_read = 0
        self.bytes_read = 0
        self.notes: list[str] = []
        self._root = root.rstrip("/")
        self._entries = 0

    def link(self, path: str) -> str | None:  # noqa: ARG002
        """None: the kernel follows links itself."""
        return None

    def target(self, path: str) -> str | None:
        """The target when `path` is a symbolic link, otherwise None."""
        try:
            return os.readlink(f"{self._root}/{path}")  # noqa: PTH115 (pathlib is slow to load)
        except OSError:
            return None  # no link, or not there: load() says which

    def entries(self, folder: str) -> Mapping[str, bool]:
        """The names in a folder, and whether each is itself a folder."""
        with os.scandir(f"{self._root}/{folder}") as found:
            names = {entry.name: entry.is_dir(follow_symlinks=False) for entry in found}
        self._entries += len(names)
        if self._entries > MAX_ENTRIES:
            raise CaptureError(f"{self._root}: more than {MAX_ENTRIES} names", "give the folder of one capture")
        return names

    def load(self, path: str) -> bytes:
        """The bytes of a regular file of at most `MAX_FILE`; of a larger kernel log, the end."""
        descriptor = os.open(f"{self._root}/{path}", self._flags)
        try:
            status = os.fstat(descriptor)
            if stat.S_ISCHR(status.st_mode) and status.st_rdev == _NULL:
                return b""  # a drop-in masked by a link to /dev/null, sysctl.d(5)
            if stat.S_ISDIR(status.st_mode):
                raise IsADirectoryError(errno.EISDIR, "a folder")
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            start = status.st_size - MAX_FILE if is_log(path) else 0
            data = drain(descriptor, max(0, start))
        finally:
            os.close(descriptor)
        self.files_read += 1
        self.bytes_read += len(data)
        if self.bytes_read > MAX_TOTAL:
            raise CaptureError(f"{self._root}: more than {MAX_TOTAL // MIB} MiB", "give the folder of one capture")
        return data


class FolderStore(HostStore):
    """The files below a folder of unknown origin: links are resolved by `Tree`, devices are never opened."""

    follows = False
    _flags = _FLAGS | os.O_NOFOLLOW  # should a file become a link behind our back

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self._links: dict[str, str | None] = {}

    def link(self, path: str) -> str | None:
        """The target when `path` is a symbolic link, otherwise None."""
        if path not in self._links:
            self._links[path] = self.target(path)
        return self._links[path]

    def load(self, path: str) -> bytes:
        """The bytes of a regular file of at most `MAX_FILE`; of a larger kernel log, the end."""
        mode = os.lstat(f"{self._root}/{path}").st_mode
        if not stat.S_ISREG(mode):
            raise OSError(errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL, "not a regular file")
        return super().load(path)


def drain(descriptor: int, start: int = 0) -> bytes:
    """Everything from `start` to the end of an open file; a single read of /proc may stop early.

    Raises:
        OSError: with EFBIG when there is more than `MAX_FILE`.
    """
    chunks = []
    at = start
    while chunk := os.pread(descriptor, _CHUNK, at):
        chunks.append(chunk)
        at += len(chunk)
        if at - start > MAX_FILE:
            raise OSError(errno.EFBIG, "too large")
    return b"".join(chunks)
