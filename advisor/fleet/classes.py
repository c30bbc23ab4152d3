"""Classes: hosts alike in size, kernel and role, which ought to have alike settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from advisor.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

_GIB = float(1 << 30)
_SERIES = re.compile(r"(\d+\.\d+)(?:.*?\.(el\d+))?", re.ASCII)
UNKNOWN = "unknown"


def size_of(memory: object) -> str:
    """The size that people buy for what MemTotal prints: a kernel keeps 1 to 6 % for itself.

    Sizes are powers of two and one and a half of them.

    >>> size_of(15.6 * 2**30), size_of(7.7 * 2**30), size_of(376.5 * 2**30), size_of(464 * 2**20), size_of(None)
    ('16 GiB', '8 GiB', '384 GiB', '512 MiB', 'unknown')
    """
    if not isinstance(memory, float) or memory <= 0:
        return UNKNOWN
    step = 2.0**-6 * _GIB
    while step < memory:
        if memory <= 1.5 * step:
            return format_bytes(1.5 * step)
        step *= 2
    return format_bytes(step)


def series_of(release: object) -> str:
    """The series of a kernel release, with the distribution where it backports much.

    >>> series_of("6.12.117+deb13-cloud-amd64"), series_of("4.18.0-553.el8_10.x86_64"), series_of("")
    ('6.12', '4.18 el8', 'unknown')
    """
    found = _SERIES.match(release) if isinstance(release, str) else None
    return " ".join(filter(None, found.groups())) if found else UNKNOWN


def class_of(values: Mapping[str, Any], role: str | None) -> str:
    """The class of a host: "16 GiB · Linux 6.12 · database"; empty where nothing of it is known.

    Args:
        values: at least ``memory.total`` and ``host.kernel``.
        role: what the host is for.
    """
    size, series = size_of(values.get("memory.total")), series_of(values.get("host.kernel"))
    if {size, series} == {UNKNOWN} and not role:
        return ""
    kernel = "kernel unknown" if series == UNKNOWN else f"Linux {series}"
    return " · ".join(filter(None, (f"size {size}" if size == UNKNOWN else size, kernel, role)))
