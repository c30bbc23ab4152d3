"""Write a capture to a folder or an archive, whole or not at all.

What is written has the owner's eyes only (mode 0700, 0600): kernel logs and slab names are not for everybody.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from advisor.capture import manifest
from advisor.capture.layout import LOG, SAMPLE
from advisor.capture.tree import encode, printable
from advisor.errors import CaptureError, UsageError
from advisor.hints import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from advisor.capture.model import Capture

_OURS = re.compile(r"capture\.json|log|t\d+|[^/]+\.txt")  # what a folder of ours may hold
_NEVER = re.compile(r"\.(tar|tar\..*|tbz2?|txz|tzst|zip|7z|gz|xz)")
_Packer = Callable[[IO[bytes]], IO[bytes]]


# No name and no time inside, so that equal captures make equal archives.
def _gzip(file: IO[bytes]) -> IO[bytes]:
    import gzip  # noqa: PLC0415

    return cast("IO[bytes]", gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0))


def _xz(file: IO[bytes]) -> IO[bytes]:
    import lzma  # noqa: PLC0415

    return lzma.LZMAFile(file, "wb")


_ARCHIVES: dict[str, _Packer] = {".tar.gz": _gzip, ".tgz": _gzip, ".tar.xz": _xz}


def write_capture(capture: Capture, path: str, *, force: bool = False) -> None:
    """Write a capture so that `open_capture` gives it back.

    Args:
        capture: what to write.
        path: a folder, a name ending in .tar.gz, .tgz or .tar.xz, or ``-`` for a .tar.gz on standard output.
        force: replace an archive, or a folder that holds nothing but a capture.

    Raises:
        UsageError: the path cannot be written to as asked.
        CaptureError: the capture cannot be stored, or the disk refuses.
    """
    check_target(path, force=force)
    contents = list(_contents(capture))
    if path == "-":
        _to_stdout(capture, contents)
        return
    suffix, target = _suffix(path), Path(os.path.realpath(path))
    try:
        if suffix is not None:
            _to_archive(capture, contents, target, _ARCHIVES[suffix])
        else:
            _to_folder(contents, target)
    except OSError as error:
        raise CaptureError(f"cannot write {printable(path)}: {(error.strerror or str(error)).lower()}") from None


def check_target(path: str, *, force: bool) -> None:
    """Refuse a path that could not be written to, before a minute of measuring is lost.

    Raises:
        UsageError: the path names nothing that we write, or something is there already.
    """
    if path == "-":
        if sys.stdout.isatty():
            raise UsageError("an archive is nothing for a terminal", "redirect it: advisor capture -o - > host.tar.gz")
        return
    suffix = _suffix(path)
    if not path or "\0" in path or (suffix is None and _NEVER.fullmatch("".join(Path(path).suffixes[-2:]))):
        raise UsageError(f"cannot write {printable(path) or 'to nowhere'}", "name a folder, or a .tar.gz or .tar.xz")
    target = Path(os.path.realpath(path))
    if suffix is not None:
        if target.is_dir() or (target.exists() and not (force and target.is_file())):
            raise UsageError(f"{printable(str(target))} exists", "choose another name, or replace it with --force")
    elif target.exists() and (not target.is_dir() or any(target.iterdir())) and not (force and _replaceable(target)):
        cure = "choose another folder" + ("" if force else ", or replace a capture with --force")
        raise UsageError(f"{printable(str(target))} exists and is not an empty folder", cure)


def _suffix(path: str) -> str | None:
    return next((suffix for suffix in _ARCHIVES if path.endswith(suffix)), None)


# Everything that is written, by path; samples without files as a path that ends in a slash.
def _contents(capture: Capture) -> Iterator[tuple[str, bytes]]:
    yield manifest.NAME, encode(manifest.dumps(capture))
    for number, sample in enumerate(capture.samples):
        if not sample.files:
            yield f"t{number}/", b""
        parents = {path[:at] for path in sample.files for at in range(len(path)) if path[at] == "/"}
        for path, text in sample.files.items():
            if path in parents:
                raise CaptureError(f"{printable(path)} is a file and a folder at once")
            yield f"t{number}/{_safe(path)}", _bytes(path, text)
    if capture.kernel_log is not None:
        yield LOG, _bytes(LOG, capture.kernel_log)
    for name, text in capture.tools.items():
        if "/" in name or name in {"", "dmesg"}:
            raise CaptureError(f"no tool's text can be stored as {printable(name)!r}")
        yield _safe(f"{name}.txt"), _bytes(name, text)


def _safe(path: str) -> str:
    if "\0" in path or not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise CaptureError(f"{printable(path)!r} is no path of a file")
    _bytes("a path", path)
    return path


def _bytes(path: str, text: str) -> bytes:
    try:
        return encode(text)
    except UnicodeEncodeError:
        raise CaptureError(f"{printable(path)}: text that no bytes stand for") from None


def _to_stdout(capture: Capture, contents: list[tuple[str, bytes]]) -> None:
    _pack(capture, contents, sys.stdout.buffer, _gzip, "capture")
    sys.stdout.buffer.flush()


def _to_archive(capture: Capture, contents: list[tuple[str, bytes]], target: Path, packer: _Packer) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _pack(capture, contents, file, packer, target.name.partition(".tar.")[0].removesuffix(".tgz"))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _settle(target.parent)


# One folder at the top, so that unpacking litters nowhere; its name must not look like part of a capture.
def _pack(capture: Capture, contents: list[tuple[str, bytes]], file: IO[bytes], packer: _Packer, top: str) -> None:
    if not re.fullmatch(r"\w[\w.+-]*", top, re.ASCII) or SAMPLE.fullmatch(top) or top in {"proc", "sys", "log"}:
        top = "capture"
    clocks = [sample.wall_s for sample in capture.samples if sample.wall_s is not None]
    with (
        packer(file) as packed,
        tarfile.open(
            fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape"
        ) as archive,
    ):
        for path, data in contents:
            member = tarfile.TarInfo(f"{top}/{path.rstrip('/')}")
            member.mtime = min(max(0, int(clocks[-1])), (1 << 33) - 1) if clocks else 0
            member.size, member.mode = len(data), 0o644
            if path.endswith("/"):
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(member, BytesIO(data))


def _to_folder(contents: list[tuple[str, bytes]], target: Path) -> None:
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:100]}."))
    try:
        for path, data in contents:
            if path.endswith("/"):
                (temporary / path).mkdir()
            else:
                _write_file(temporary / path, data)
        if target.is_dir() and any(target.iterdir()):
            _swap(temporary, target)
        else:
            temporary.replace(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _settle(target.parent)


# Only what we may have written ourselves is ever deleted.
def _replaceable(target: Path) -> bool:
    if not target.is_dir() or not (target / manifest.NAME).is_file():
        return False
    return all(_OURS.fullmatch(entry.name) for entry in target.iterdir())


def _write_file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _swap(new: Path, old: Path) -> None:
    aside = Path(tempfile.mkdtemp(dir=old.parent, prefix=f".{old.name[:100]}."))
    old.replace(aside)
    try:
        new.replace(old)
    except BaseException:
        aside.replace(old)
        raise
    shutil.rmtree(aside, ignore_errors=True)


# Make the new name itself survive a power loss, where the file system can.
def _settle(folder: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
