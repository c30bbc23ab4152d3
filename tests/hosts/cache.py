"""Folders outside the repository that are built once and then kept."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.hosts.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


def home() -> Path:
    """Where everything is kept; created when missing."""
    own = os.environ.get("MEMADVISOR_HOSTS_CACHE")
    shared = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = Path(own) if own else shared / "memadvisor" / "hosts"
    path.mkdir(parents=True, exist_ok=True)
    return path


def key(*parts: object) -> str:
    """A short name for what something is made of.

    >>> key("6.12", 512) == key("6.12", 512), key("6.12") == key("6.1")
    (True, False)
    """
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:10]


def built(name: str, version: str, build: Callable[[Path], None]) -> Path:
    """The folder `name-version`; when it is not there yet, `build` fills it. Other versions are deleted."""
    folder = home() / f"{name}-{version}"
    if folder.is_dir():
        return folder
    with _lock(name):
        if folder.is_dir():
            return folder
        for old in (*home().glob(f"{name}-{'?' * 10}"), *home().glob(f"{name}-{'?' * 10}.part")):
            shutil.rmtree(old)
        part = folder.with_name(folder.name + ".part")
        part.mkdir()
        try:
            build(part)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        part.rename(folder)
    return folder


@contextmanager
def _lock(name: str) -> Iterator[None]:
    with (home() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def call(
    what: str, command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    """Run a program of this machine and return what it prints.

    Raises:
        HostError: it failed; the message has `what` and the end of what it said.
    """
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        errors="replace",
        cwd=cwd,
        env=os.environ | dict(env or {}),
        check=False,
    )
    if done.returncode:
        said = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-12:])
        raise HostError(f"{what}: {command[0]} failed with {done.returncode}\n{said}")
    return done.stdout
