"""Thrashing: memory that is taken away and wanted back at once, from swap or from files.

These signals speak of the present. Totals since boot say nothing about it, so with one sample they are known
only where nothing of the kind ever happened, or where the host booted minutes ago.
"""

from __future__ import annotations

from advisor.errors import ParseError, Unknown
from advisor.hints import TYPE_CHECKING
from advisor.parse import stat
from advisor.signals.counters import counter, delta
from advisor.signals.host import page_size
from advisor.signals.model import Value, signal
from advisor.signals.reclaim import MIN_PAGES
from advisor.signals.settings import current
from advisor.signals.swap import devices
from advisor.tunables import get

if TYPE_CHECKING:
    from advisor.parse import tools
    from advisor.signals.view import View

# After a boot this long ago at most, totals since boot still describe the present (a policy of ours).
RECENT_BOOT_S = 900.0

_SMALLEST_PAGE = 4096
_MGLRU_CORE = 0x1
_TAKE_TWO = "take two: advisor check --window 60"

# guest and guest_nice are part of user and nice (Documentation/filesystems/proc.rst, 1.7).
_TICKS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


def _check_present(view: View) -> None:
    if view.since_boot and view.seconds > RECENT_BOOT_S:
        raise Unknown("one sample cannot tell what happens now", _TAKE_TWO)


def _present_rate(view: View, grown: int) -> float:
    if grown == 0:
        return 0.0
    _check_present(view)
    return grown / view.seconds


def _grown(view: View, counted: tuple[str, ...], optional: tuple[str, ...] = ()) -> int:
    names = (*counted, *(name for name in optional if counter(view.vmstat, name) is not None))
    return sum(delta(view, name) for name in names)


def _vmstat_table(view: View) -> tools.VmstatTable:
    """What vmstat(8) printed, if somebody kept it."""
    if "vmstat" not in view.capture.tools:
        raise Unknown("the output of vmstat is not in the capture")
    from advisor.parse import tools  # noqa: PLC0415  (seldom: only where /proc/vmstat does not tell)

    try:
        return tools.parse_vmstat(view.capture.tools["vmstat"])
    except ParseError as error:
        raise Unknown(f"vmstat.txt: {error.message}") from None


def _printed(view: View, column: str, otherwise: Unknown) -> float:
    """A column of vmstat(8), or the reason why the kernel's own file did not tell."""
    try:
        value: float | None = getattr(_vmstat_table(view), column)
    except Unknown:
        raise otherwise from None
    if value is None:
        raise otherwise
    return value


def _least_page_size(view: View) -> int:
    """The page size, or the smallest there is: bytes come out right, or too low."""
    try:
        return page_size(view)
    except Unknown:
        return _SMALLEST_PAGE


@signal("swap.in_rate", "B/s", reads=("proc/vmstat pswpin", "proc/vmstat zswpin", "vmstat.txt si"),
        formula="(Δpswpin + Δzswpin) × page_size / window.seconds; a page of 4 KiB where its size is unknown",
        also=("si", "swap-in"))  # fmt: skip
def swap_in_rate(view: View) -> Value:
    """Memory read back from swap or zswap per second: somebody waited for each page of it."""
    try:
        return _present_rate(view, _grown(view, ("pswpin",), ("zswpin",)) * _least_page_size(view))
    except Unknown as reason:
        return _printed(view, "si", reason)


@signal("swap.out_rate", "B/s", reads=("proc/vmstat pswpout", "proc/vmstat zswpout", "vmstat.txt so"),
        formula="(Δpswpout + Δzswpout − Δzswpwb) × page_size / window.seconds",
        also=("so", "swap-out"))  # fmt: skip
def swap_out_rate(view: View) -> Value:
    """Memory moved out to swap or zswap per second. Alone it is no harm: what nobody uses makes room."""
    try:
        moved_on = _grown(view, (), ("zswpwb",))  # counted when it went into zswap, and again in pswpout
        out = max(0, _grown(view, ("pswpout",), ("zswpout",)) - moved_on)
        return _present_rate(view, out * _least_page_size(view))
    except Unknown as reason:
        return _printed(view, "so", reason)


@signal("refault.file_rate", "page/s", reads=("proc/vmstat workingset_refault_file",),
        formula="Δworkingset_refault_file / window.seconds", also=("refault",))  # fmt: skip
def refault_file_rate(view: View) -> Value:
    """Page cache per second that was read again after it had been evicted."""
    return _present_rate(view, delta(view, "workingset_refault_file"))


@signal("refault.file_in_use", "ratio",
        reads=("proc/vmstat workingset_restore_file", "proc/vmstat workingset_activate_file"),
        formula="Δworkingset_restore_file / Δworkingset_refault_file; "
                "Δworkingset_activate_file under MGLRU, and where restores are not counted")  # fmt: skip
def refault_file_in_use(view: View) -> Value:
    """Share of the refaulted page cache that was in use when it was evicted.

    The classic LRU says so by restores. MGLRU (mm/workingset.c lru_gen_refault) counts as restored only what
    is mapped or was read often, and as activated what was evicted a short while ago; that is the same thing.
    """
    refaulted = delta(view, "workingset_refault_file")
    if refaulted < MIN_PAGES:
        raise Unknown(f"fewer than {MIN_PAGES} pages of files were read again in the window")
    restores = counter(view.vmstat, "workingset_restore_file") is not None and not _mglru(view)
    in_use = "workingset_restore_file" if restores else "workingset_activate_file"
    return min(1.0, delta(view, in_use) / refaulted)


def _mglru(view: View) -> bool:
    try:
        bits = current(view, get("lru_gen.enabled"))
    except Unknown:
        return False
    return isinstance(bits, int) and bool(bits & _MGLRU_CORE)


@signal("cpu.iowait", "ratio", reads=("proc/stat cpu", "vmstat.txt wa"),
        formula="Δiowait / Δ(all processor time)", also=("wa",))  # fmt: skip
def iowait(view: View) -> Value:
    """Share of the processors' time in which they had nothing to do because tasks waited for I/O."""
    return _iowait(view)


def _iowait(view: View) -> float:
    try:
        return _measured_iowait(view)
    except Unknown as reason:
        return _printed(view, "wa", reason)


def _measured_iowait(view: View) -> float:
    _check_present(view)
    view.check_same_boot()
    end = view.after("proc/stat", stat.parse).ticks
    start = {} if view.since_boot else view.before("proc/stat", stat.parse).ticks
    spent = {name: end[name] - start.get(name, 0) for name in _TICKS if name in end}
    total = sum(spent.values())
    if "iowait" not in spent or total <= 0 or spent["iowait"] < 0:
        raise Unknown("/proc/stat does not tell the time spent waiting for I/O")
    return spent["iowait"] / total


@signal("swap.iowait", "ratio", reads=("proc/stat cpu", "proc/vmstat pswpin", "proc/vmstat pgpgin"),
        formula="cpu.iowait × (Δpswpin + Δpswpout) × page_size / (Δpgpgin + Δpgpgout); "
                "from vmstat(8): wa × (si + so) / (bi + bo); 0 with swap on zram alone")  # fmt: skip
def swap_iowait(view: View) -> Value:
    """Share of the processors' time that was idle because of swap, estimated: swap has its part in all waiting for I/O.

    A processor that had something else to do does not count, so this is a floor; PSI is better where it exists.
    """
    return 0.0 if _only_zram(view) else _iowait(view) * _swap_share(view)


def _only_zram(view: View) -> bool:
    try:
        areas = devices(view)
    except Unknown:
        return False
    return bool(areas) and all(area.is_zram for area in areas)


def _swap_share(view: View) -> float:
    swapped, everything = _swap_and_all(view)
    if swapped == 0:
        return 0.0
    return min(1.0, swapped / everything) if everything else 1.0


def _swap_and_all(view: View) -> tuple[float, float]:
    try:
        swapped = _grown(view, ("pswpin", "pswpout")) * _least_page_size(view)
        return swapped, _grown(view, ("pgpgin", "pgpgout"))
    except Unknown as reason:
        return _printed_swap_and_all(view, reason)


def _printed_swap_and_all(view: View, otherwise: Unknown) -> tuple[float, float]:
    si, so, bi, bo = (_printed(view, column, otherwise) for column in ("si", "so", "bi", "bo"))
    return si + so, bi + bo
