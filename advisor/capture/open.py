"""Open what was captured before: a folder, an archive, a sosreport, a bare tree.

Archives are read in memory. Nothing is unpacked to disk, no link is followed out of the source, and every
limit of `advisor.capture.tree` and `advisor.capture.unpack` holds, because a source may come from anybody.
`advisor.capture.layout` says which layouts are accepted.
"""

from __future__ import annotations

import os
import stat

from advisor.capture.layout import ACCEPTED, assemble
from advisor.capture.tree import Store, printable
from advisor.errors import CaptureError, UsageError
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.capture.model import Capture


def open_capture(source: str, *, interval_s: float | None = None) -> Capture:
    """Read a capture from a path, or from a tar archive on standard input when `source` is ``-``.

    Args:
        source: a folder, or an archive (.tar, .tar.gz, .tar.xz, .tar.bz2; .tar.zst from Python 3.14 on).
        interval_s: seconds from the first to the last sample, for captures that do not know them.

    Raises:
        CaptureError: there is no capture, or it is damaged, or breaks a limit.
        UsageError: the interval is impossible.
    """
    if interval_s is not None and not 0 < interval_s < float("inf"):
        raise UsageError(f"an interval of {interval_s:g} s is impossible", "state the seconds between the samples")
    shown = "standard input" if source == "-" else printable(source)
    try:
        store, how = _store(source)
        return assemble(store, source, how, interval_s)
    except CaptureError as error:
        raise CaptureError(f"{shown}: {error.message}", error.hint) from None
    except OSError as error:
        raise CaptureError(f"{shown}: {(error.strerror or str(error)).lower()}", ACCEPTED) from None


def _store(source: str) -> tuple[Store, str]:
    if source == "-":
        return _archive(0), "archive"
    try:
        mode = os.stat(source).st_mode  # noqa: PTH116 (pathlib is slow to load)
    except ValueError:
        raise CaptureError("is no path", ACCEPTED) from None
    if stat.S_ISDIR(mode):
        from advisor.capture.folder import FolderStore  # noqa: PLC0415

        return FolderStore(os.path.realpath(source)), "folder"
    if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
        raise CaptureError("is a device, no capture", ACCEPTED)
    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _archive(descriptor), "archive"
    finally:
        os.close(descriptor)


def _archive(descriptor: int) -> Store:
    from advisor.capture.archive import ArchiveStore  # noqa: PLC0415

    if os.isatty(descriptor):
        raise CaptureError("is a terminal", "pipe a tar archive into it: ssh HOST tar c … | advisor check -")
    with open(descriptor, "rb", closefd=False) as raw:
        return ArchiveStore(raw)
