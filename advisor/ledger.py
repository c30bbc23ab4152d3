"""The ledger on the controller: JSON lines that are only ever appended to; `advisor.experience` has their format.

A line is there whole or not at all: it is written under a lock, at the end, and forced to the disk. What a crash may
leave is half a line at the end; the next one starts on a line of its own, and reading skips and names the torn one.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from advisor.errors import AdvisorError
from advisor.experience import Trial, dumps, loads, trial_of
from advisor.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# More than a century of daily verifications of a thousand hosts would bring a file to this size.
_LARGEST = 1 << 30


def default_path() -> Path:
    """`$XDG_STATE_HOME/memadvisor/ledger.jsonl`, which is in ~/.local/state unless the user says otherwise.

    Raises:
        AdvisorError: the user has no home folder.
    """
    try:
        state = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
    except RuntimeError:
        raise AdvisorError("this user has no home folder", "name a file: --ledger FILE") from None
    return state / "memadvisor" / "ledger.jsonl"


def keep(path: str | Path, verification: Mapping[str, Any], now_s: float) -> None:
    """Adds a verification, under the time at which AFTER ended, or else under the present one.

    Args:
        path: the file.
        verification: as `advisor.verify.document` gives it.
        now_s: the present time, in seconds since the epoch.

    Raises:
        OSError: see `append`.
    """
    ended_s = verification["ended_s"]
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s if ended_s is None else ended_s))
    append(path, trial_of(verification, at))


def append(path: str | Path, trial: Trial) -> None:
    """Adds a trial; when this returns it is on the disk.

    Raises:
        OSError: the file cannot be written; then it is as it was.
    """
    file = Path(path)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        _write(descriptor, (b"\n" if torn else b"") + dumps(trial).encode() + b"\n", size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _sync(file.parent)


def _write(descriptor: int, data: bytes, size: int) -> None:
    """All of it; where the disk is full none of it."""
    try:
        done = 0
        while done < len(data):
            done += os.write(descriptor, data[done:])
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _sync(folder: Path) -> None:
    """Makes the name of a new file last as well."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: str | Path, warn: Callable[[str], None] = lambda _text: None) -> tuple[Trial, ...]:
    """Every trial of a ledger, oldest first; none where there is no such file.

    Args:
        path: the file.
        warn: told of every line that is skipped, by number.

    Raises:
        AdvisorError: the file is no ledger: it is too large, or no line of it can be read.
    """
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            if os.fstat(file.fileno()).st_size > _LARGEST:
                raise AdvisorError(f"{path}: larger than 1 GiB; that is no ledger")
            lines = file.read().split("\n")
    except FileNotFoundError:
        return ()
    trials, wrong = [], 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            trials.append(loads(line))
        except AdvisorError as error:
            wrong += 1
            warn(f"{path}:{number}: skipped: {error}")
    if wrong and not trials:
        raise AdvisorError(f"{path}: no line of it is one of a ledger", "name the file that advisor verify wrote")
    return tuple(trials)
