"""What people paste when they have no capture: the output of free, top, vmstat and swapon.

These are no files of the kernel, so `READS` is empty. Values are rounded by the tools, and some outputs do
not say their unit; what had to be assumed is said in `problems`.
"""

from __future__ import annotations

from advisor.parse.tools.free import Free, parse_free
from advisor.parse.tools.swapon import Swapon, parse_swapon
from advisor.parse.tools.top import Top, parse_top
from advisor.parse.tools.vmstat import VmstatTable, parse_vmstat

__all__ = [
    "READS",
    "Free",
    "Swapon",
    "Top",
    "VmstatTable",
    "parse_free",
    "parse_swapon",
    "parse_top",
    "parse_vmstat",
]

READS: dict[str, object] = {}
