"""Finds captures in what the user names: captures, folders of captures or sosreports, whatever deep."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.capture.layout import SAMPLE
from advisor.capture.manifest import NAME
from advisor.capture.sosreport import MARK
from advisor.errors import AdvisorError
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ARCHIVE = re.compile(r"\.(tar|tgz|txz|tbz2?|tar\.(gz|xz|bz2|zst))$")
_DEPTH = 6  # of folders within folders: inventory, group, host, date, capture
_TEXTS = {"dmesg.txt", "free.txt", "vmstat.txt", "top.txt", "swapon.txt", "numastat.txt", "slabtop.txt"}


class Source(Record):
    """One capture to ingest, not opened yet.

    Attributes:
        path: where it is.
        stamp: size and last change, which tell whether it is the one that was ingested before.
        changed_s: its last change, seconds since the epoch.
    """

    path: str
    stamp: str
    changed_s: float


def find(named: Iterable[str]) -> list[Source]:
    """The captures in some files and folders, in order, each once.

    Raises:
        AdvisorError: something that was named is not there, or nothing was found.
    """
    named = list(named)
    found: dict[str, Source] = {}
    for name in named:
        path = Path(name)
        if not path.exists():
            raise AdvisorError(f"{name}: no such file or folder", "name captures, or a folder of captures")
        for each in _below(path, 0) if path.is_dir() else [path]:
            source = _source(each)
            found.setdefault(source.path, source)
    if not found:
        raise AdvisorError(f"no capture in {', '.join(named)}", "name captures, or a folder of captures or sosreports")
    return list(found.values())


def _below(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    if _is_capture(entries):
        yield folder
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            if depth < _DEPTH:
                yield from _below(Path(entry.path), depth + 1)
        elif _ARCHIVE.search(entry.name):
            yield Path(entry.path)


def _is_capture(entries: Iterable[os.DirEntry[str]]) -> bool:
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name in {"proc", MARK} or SAMPLE.fullmatch(entry.name):
                return True
        elif entry.name == NAME or entry.name in _TEXTS:
            return True
    return False


def _source(path: Path) -> Source:
    status = path.stat()
    changed = max(status.st_mtime_ns, *(_changed(path / name) for name in (NAME, "t0", "proc")))
    size = status.st_size if path.is_file() else 0
    return Source(str(path.absolute()), f"{size}:{changed}", changed / 1e9)


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
