"""Real captures and incidents that many tests read."""

from __future__ import annotations

import tarfile
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
CAPTURES = HERE / "captures"
INCIDENTS = HERE / "incidents"
KERNELS = ("5.10", "6.1", "6.12", "7.3")
STATES = ("idle", "pressure")


@cache
def capture_files(kernel: str, state: str) -> dict[str, str]:
    """Raw text by path (`proc/vmstat`) of one recorded host."""
    with tarfile.open(CAPTURES / f"{kernel}-{state}.tar.xz") as archive:
        return {
            member.name.removeprefix("./"): archive.extractfile(member).read().decode()  # type: ignore[union-attr]
            for member in archive
            if member.isfile()
        }
