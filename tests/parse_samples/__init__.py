"""Files of kernels and machines that the recorded captures do not cover, in the layout that those print.

`SET/PATH` holds the text of /PATH: old kernels, NUMA, cgroups, zram, slab allocators. A parser for a file
that is in no capture adds its sample here, and the fuzz test finds it.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def sample(kind: str, path: str) -> str:
    """The text of one file."""
    return (HERE / kind / path).read_text(encoding="utf-8")
