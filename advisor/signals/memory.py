"""/proc/meminfo as `meminfo.FIELD`, and shares of memory derived from it.

Where /proc/meminfo is missing but somebody kept the output of free(1) or top(1), the figures that these
print stand in. In a container with lxcfs meminfo shows the container's share: its figures are then unknown,
since every setting judged here belongs to the host.
"""

from __future__ import annotations

import contextlib

from advisor.errors import ParseError, Unknown
from advisor.hints import TYPE_CHECKING
from advisor.parse import meminfo
from advisor.signals.host import foreign_meminfo, managed, page_size
from advisor.signals.model import Signal, Value, add, signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.parse import tools
    from advisor.signals.view import View

FIELDS: Mapping[str, str] = {
    "MemTotal": "Memory that the kernel uses or hands out. Shares of memory refer to host.managed instead.",
    "MemFree": "Memory that nobody uses. Low is normal: free memory is wasted memory.",
    "MemAvailable": "Memory that can be had without swapping: the figure to look at.",
    "Buffers": "Page cache of block devices.",
    "Cached": "Page cache with tmpfs and shared memory, without swap cache.",
    "SwapCached": "Memory that is in swap and in memory alike.",
    "Active(anon)": "Anonymous memory used lately.",
    "Inactive(anon)": "Anonymous memory not used lately: the first to be swapped.",
    "Active(file)": "Page cache used more than once.",
    "Inactive(file)": "Page cache used once or long ago: the first to be dropped.",
    "Unevictable": "Memory that reclaim cannot take.",
    "Mlocked": "Memory locked by mlock(2).",
    "SwapTotal": "Size of all swap areas.",
    "SwapFree": "Swap that is not used.",
    "Zswap": "Memory taken by the compressed pool of zswap.",
    "Zswapped": "Memory held in zswap, uncompressed size.",
    "Dirty": "Memory waiting to be written.",
    "Writeback": "Memory being written.",
    "AnonPages": "Anonymous memory mapped by tasks: heaps and stacks.",
    "Mapped": "Files mapped by tasks.",
    "Shmem": "tmpfs and shared memory.",
    "KReclaimable": "Kernel memory that can be freed under pressure.",
    "Slab": "Memory of kernel objects.",
    "SReclaimable": "Slab that can be freed: dentries, inodes.",
    "SUnreclaim": "Slab that only its owner frees.",
    "KernelStack": "Kernel stacks.",
    "PageTables": "Page tables.",
    "CommitLimit": "How much may be promised in overcommit mode 2.",
    "Committed_AS": "How much has been promised to tasks.",
    "VmallocUsed": "Memory of vmalloc.",
    "Percpu": "Per-processor kernel memory.",
    "AnonHugePages": "Anonymous memory in transparent huge pages.",
    "ShmemHugePages": "Shared memory in huge pages.",
    "Hugetlb": "Memory in hugetlb pools of all sizes.",
    "HugePages_Total": "Huge pages in the default pool.",
    "HugePages_Free": "Huge pages in the pool that nobody uses.",
    "HugePages_Rsvd": "Free huge pages that are promised.",
    "HugePages_Surp": "Huge pages above the configured number.",
    "Hugepagesize": "Size of a huge page of the default pool.",
}
_COUNTS = frozenset(field for field in FIELDS if field.startswith("HugePages_"))
_FROM_TOOLS = {
    "MemTotal": "total",
    "MemFree": "free",
    "MemAvailable": "available",
    "SwapTotal": "swap_total",
    "SwapFree": "swap_free",
}


def field(view: View, name: str) -> int:
    """A figure of /proc/meminfo in bytes (a count for HugePages_*), or of free(1) or top(1) in its place."""
    return figures(view, name)[0]


def figures(view: View, *names: str, as_shares: bool = False) -> tuple[int, ...]:
    """Figures of /proc/meminfo, or of one output of free(1) or top(1), that belong together.

    Args:
        view: the window; the figures are those at its end.
        names: their names in /proc/meminfo.
        as_shares: only their ratios are wanted, so an output that does not say its unit will do.
    """
    try:
        values = view.after("proc/meminfo", meminfo.parse).values
    except Unknown as reason:
        printed = _printed_by_tool(view, names, as_shares=as_shares)
        if printed is None:
            raise reason from None
        return printed
    for name in names:
        if name not in values:
            raise Unknown(f"/proc/meminfo has no {name} here")
    if foreign_meminfo(view):
        raise Unknown("/proc/meminfo shows a container, /proc/zoneinfo the host", "run it on the host itself")
    return tuple(values[name] for name in names)


def share(view: View, part: str, whole: str) -> float:
    """One figure of /proc/meminfo as a share of another."""
    some, everything = figures(view, part, whole, as_shares=True)
    if everything == 0:
        raise Unknown(f"{whole} is 0")
    if some > everything:
        raise Unknown(f"the figures contradict each other: {part} is more than {whole}")
    return some / everything


def _printed_by_tool(view: View, names: tuple[str, ...], *, as_shares: bool) -> tuple[int, ...] | None:
    if not all(name in _FROM_TOOLS for name in names):
        return None
    for printed in printouts(view, as_shares=as_shares):
        values = [getattr(printed, _FROM_TOOLS[name]) for name in names]
        if None not in values:
            return tuple(values)
    return None


def printouts(view: View, *, as_shares: bool) -> tuple[tools.Free | tools.Top, ...]:
    """What free(1) and top(1) printed, if somebody kept it.

    Args:
        view: the window.
        as_shares: an output that does not say its unit will do.
    """
    kept = view.capture.tools
    if not kept:
        return ()
    from advisor.parse import tools  # noqa: PLC0415  (seldom: only where meminfo is missing)

    found: list[tools.Free | tools.Top] = []
    with contextlib.suppress(ParseError):
        free = tools.parse_free(kept.get("free", ""))
        if as_shares or not free.unit_assumed:
            found.append(free)
    with contextlib.suppress(ParseError):
        found.append(tools.parse_top(kept.get("top", "")))
    return tuple(found)


def _declare() -> None:
    for name, meaning in FIELDS.items():

        def value(view: View, name: str = name) -> Value:
            return float(field(view, name))

        unit = "" if name in _COUNTS else "B"
        # Parentheses are calls in the rule language: Active(file) is meminfo.Active_file.
        spelt = name.replace("(", "_").replace(")", "")
        add(Signal(f"meminfo.{spelt}", unit, meaning, (f"proc/meminfo {name}",), "", "host", (), (), value))


_declare()


def memory_bytes(view: View) -> int:
    """Memory of the host: Σ managed, or MemTotal where zoneinfo is missing."""
    try:
        return managed(view) * page_size(view)
    except Unknown:
        return field(view, "MemTotal")


@signal("memory.total", "B", reads=("proc/zoneinfo managed", "proc/meminfo MemTotal"),
        formula="host.managed × page_size; MemTotal where zoneinfo is missing")  # fmt: skip
def memory_total(view: View) -> Value:
    """Memory of the host: what every share of memory refers to."""
    return float(memory_bytes(view))


@signal("memory.available_share", "ratio", reads=("proc/meminfo MemAvailable", "proc/meminfo MemTotal"),
        formula="MemAvailable / MemTotal")  # fmt: skip
def available_share(view: View) -> Value:
    """Share of memory that can be had without swapping."""
    return share(view, "MemAvailable", "MemTotal")


@signal("memory.file", "B", reads=("proc/meminfo Active(file)", "proc/meminfo Inactive(file)"),
        formula="Active(file) + Inactive(file)", also=("page cache", "active list", "inactive list"))  # fmt: skip
def file_lru(view: View) -> Value:
    """Page cache on the lists that reclaim can take from."""
    return float(field(view, "Active(file)") + field(view, "Inactive(file)"))


@signal("memory.anon", "B", reads=("proc/meminfo Active(anon)", "proc/meminfo Inactive(anon)"),
        formula="Active(anon) + Inactive(anon)")  # fmt: skip
def anon_lru(view: View) -> Value:
    """Anonymous and shared memory on the lists that reclaim can swap from."""
    return float(field(view, "Active(anon)") + field(view, "Inactive(anon)"))


@signal("hugetlb.pool", "B", reads=("proc/meminfo HugePages_Total", "proc/meminfo Hugepagesize"),
        formula="HugePages_Total × Hugepagesize")  # fmt: skip
def hugetlb_pool(view: View) -> Value:
    """Memory set aside in the default hugetlb pool."""
    return float(field(view, "HugePages_Total") * field(view, "Hugepagesize"))


@signal("hugetlb.idle", "B", reads=("proc/meminfo HugePages_Free", "proc/meminfo HugePages_Rsvd"),
        formula="(HugePages_Free − HugePages_Rsvd) × Hugepagesize")  # fmt: skip
def hugetlb_idle(view: View) -> Value:
    """Memory in the default hugetlb pool that nobody uses or was promised."""
    idle = field(view, "HugePages_Free") - field(view, "HugePages_Rsvd")
    return float(max(0, idle) * field(view, "Hugepagesize"))
