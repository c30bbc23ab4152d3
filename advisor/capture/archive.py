"""A store in memory, filled from a tar archive without unpacking anything to disk."""

from __future__ import annotations

import errno
from functools import cache

from advisor.capture import sosreport
from advisor.capture.files import FILES, fits
from advisor.capture.layout import ACCEPTED, DEPTH, SAMPLE
from advisor.capture.tree import MAX_ENTRIES, MAX_FILE, MAX_TOTAL, MIB, is_log, printable
from advisor.capture.unpack import Stream
from advisor.errors import AdvisorError, CaptureError
from advisor.hints import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Mapping

_HEADER_ROOM = 2048  # bytes of headers per member, on average, beyond the first 64 MiB


class ArchiveStore:
    """The files of a tar archive that a capture can use; the rest is counted.

    Members whose names lead out of the archive condemn it. Links are kept as names and resolved by `Tree`,
    inside the archive only. Devices and pipes are skipped.

    Args:
        raw: the archive, compressed or not, read once from front to end.

    Raises:
        CaptureError: it is no archive, is damaged, or breaks a limit.
    """

    follows = False

    def __init__(self, raw: IO[bytes]) -> None:
        self.files_read = 0
        self.bytes_read = 0
        self.members = 0
        self.notes: list[str] = []
        self._files: dict[str, bytes] = {}
        self._too_large: set[str] = set()
        self._links: dict[str, str] = {}
        self._hard: dict[str, str] = {}
        self._folders: dict[str, dict[str, bool]] = {"": {}}
        try:
            self._fill(Stream(raw))
        except AdvisorError:
            raise
        except EOFError:
            raise CaptureError(f"is cut short after {self.members} files", "copy the archive again") from None
        except Exception as error:  # tarfile, zlib, bz2 and lzma raise nearly anything at hostile bytes
            detail = printable(str(error))[:120] or type(error).__name__
            raise CaptureError(f"is damaged after {self.members} files: {detail}", "copy the archive again") from None

    def link(self, path: str) -> str | None:
        """The target when `path` is a symbolic link, otherwise None."""
        return self._links.get(path)

    target = link

    def entries(self, folder: str) -> Mapping[str, bool]:
        """The names in a folder, and whether each is itself a folder."""
        if folder not in self._folders:
            raise FileNotFoundError(errno.ENOENT, "not in the archive")
        return self._folders[folder]

    def load(self, path: str) -> bytes:
        """The bytes of a regular file."""
        path = self._hard.get(path, path)
        if path in self._too_large:
            raise OSError(errno.EFBIG, "too large")
        if path not in self._files:
            raise FileNotFoundError(errno.ENOENT, "not in the archive")
        return self._files[path]

    def _fill(self, stream: Stream) -> None:
        import tarfile  # noqa: PLC0415

        _recognise(stream.peek())
        archive = tarfile.TarFile(
            fileobj=cast("IO[bytes]", stream), mode="r", encoding="utf-8", errors="surrogateescape"
        )
        headers = end = 0
        while (member := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # tarfile would keep them all
            self.members += 1
            headers += member.offset_data - end
            end = archive.offset
            if member.size < 0:
                raise CaptureError("is a damaged archive: a file of negative size")
            if self.members > MAX_ENTRIES:
                raise CaptureError(f"has more than {MAX_ENTRIES} files", "pack only the capture itself")
            if headers > 64 * MIB + self.members * _HEADER_ROOM:
                raise CaptureError("is a damaged archive: more headers than files")
            self._add(archive, member)
        if stream.last.strip(b"\0"):  # tarfile stops without a word at a header that is none
            raise tarfile.ReadError("no header where one should be")
        if len(stream.last) < tarfile.BLOCKSIZE:
            self.notes.append("the archive has no end mark: it may have been cut short")
        stream.drain()

    def _add(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        path = _clean(member.name)
        if not path:
            return
        self._charge(len(path) + len(member.linkname))
        for known in (self._files, self._links, self._hard):
            known.pop(path, None)  # as tar does: the last of a name wins
        self._too_large.discard(path)
        if member.isdir():
            self._enter(path, is_folder=True)
        elif member.issym():
            self._links[path] = member.linkname
            self._enter(path, is_folder=False)
        elif member.islnk():
            self._hard[path] = _clean(member.linkname)
            self._enter(path, is_folder=False)
        elif member.isreg() and _worth(path):
            self._keep(archive, member, path)
            self._enter(path, is_folder=False)

    def _keep(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
        if member.size > MAX_FILE and not is_log(path):
            self._too_large.add(path)
            return
        self._files[path] = data = _content(archive, member)
        self.files_read += 1
        self._charge(len(data))

    def _charge(self, size: int) -> None:
        self.bytes_read += size
        if self.bytes_read > MAX_TOTAL:
            raise CaptureError(f"has more than {MAX_TOTAL // MIB} MiB to read", "pack only the capture itself")

    def _enter(self, path: str, *, is_folder: bool) -> None:
        if is_folder:
            self._folders.setdefault(path, {})
        while path:
            folder, _, name = path.rpartition("/")
            known = folder in self._folders
            siblings = self._folders.setdefault(folder, {})
            siblings[name] = siblings.get(name, False) or is_folder
            if known and folder:
                return
            path, is_folder = folder, True


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """The bytes of a regular file; of one larger than `MAX_FILE` the end."""
    stream = archive.fileobj
    if stream is not None and not member.issparse() and member.size <= MAX_FILE:
        # Nearly always so, and extractfile() takes longer for each file than everything else here does.
        stream.seek(member.offset_data)
        data = stream.read(member.size)
        if len(data) < member.size:
            raise EOFError("ends within a file")
        return data
    source = archive.extractfile(member)
    data = b""
    while source is not None and (chunk := source.read(MAX_FILE)):
        data = (data + chunk)[-MAX_FILE:]
    return data


def _recognise(head: bytes) -> None:
    kinds = {b"PK": "a zip archive", b"7z": "a 7z archive", b"Rar!": "a rar archive", b"SQLite": "a database"}
    if not head:
        raise CaptureError("is empty")
    if head[257:262] == b"ustar" or _is_old_tar(head):
        return
    for magic, kind in kinds.items():
        if head.startswith(magic):
            raise CaptureError(f"is {kind}, no capture", "unpack it and give the folder, or pack it as .tar.gz")
    kind = "a file of unknown form" if b"\0" in head else "a text file"
    raise CaptureError(f"is {kind}, no capture", ACCEPTED)


# Before POSIX a header had no magic; its sum at 148 proves it.
def _is_old_tar(head: bytes) -> bool:
    stated = head[148:156].strip(b"\0 ")
    summed = 8 * 32 + sum(head[:148]) + sum(head[156:512])
    return len(head) == 512 and stated.isdigit() and not stated.strip(b"01234567") and int(stated, 8) == summed


def _clean(name: str) -> str:
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise CaptureError(f"names a file outside of itself: {printable(name)[:120]}", "do not trust this archive")
    return "/".join(parts)


# Whether a file may be wanted, judged by its name alone: links may lead to it from anywhere, so a file
# counts when its last two names fit those of a pattern.
def _worth(path: str) -> bool:
    parts = path.split("/")
    folder, name = _pair(path)
    if len(parts) <= DEPTH and (name == "capture.json" or name.endswith(".txt")):
        return True
    if any(SAMPLE.fullmatch(part) for part in parts[:-1][:DEPTH]):
        return True
    by_name, by_folder, others = _pairs()
    if any(fits(folder, f) for f in by_name.get(name, ())) or any(fits(name, n) for n in by_folder.get(folder, ())):
        return True
    return any(fits(folder, f) and fits(name, n) for f, n in others)


# The folders that go with each plain name, the names with a `*` that go with each plain folder, and the pairs in which
# both have one: an archive has hundreds of files, and most are decided by a look into the first two.
@cache
def _pairs() -> tuple[dict[str, set[str]], dict[str, set[str]], tuple[tuple[str, str], ...]]:
    patterns = [file.pattern.replace("/**/", "/*/") for file in FILES]
    by_name: dict[str, set[str]] = {}
    by_folder: dict[str, set[str]] = {}
    others = set()
    for folder, name in map(_pair, (*patterns, *sosreport.PATTERNS, "log/kernel.txt")):
        if "*" not in name:
            by_name.setdefault(name, set()).add(folder)
        elif "*" not in folder:
            by_folder.setdefault(folder, set()).add(name)
        else:
            others.add((folder, name))
    return by_name, by_folder, tuple(sorted(others))


def _pair(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition("/")
    return folder.rpartition("/")[2], name
