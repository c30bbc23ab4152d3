"""Compaction, fragmentation, and the huge pages that ask for it."""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.fragmentation import fragmentation_index, unusable_index
from advisor.hints import TYPE_CHECKING
from advisor.parse import buddyinfo
from advisor.signals.counters import counter, delta
from advisor.signals.host import huge_page_size, page_size
from advisor.signals.model import Value, signal

if TYPE_CHECKING:
    from advisor.signals.view import View


@signal("compaction.fail_share", "ratio", reads=("proc/vmstat compact_fail", "proc/vmstat compact_stall"),
        formula="Δcompact_fail / Δcompact_stall")  # fmt: skip
def fail_share(view: View) -> Value:
    """Share of the direct compactions that did not give the pages."""
    stalls = delta(view, "compact_stall")
    if stalls == 0:
        raise Unknown("no task compacted memory in the window")
    return min(1.0, delta(view, "compact_fail") / stalls)


@signal("compaction.stalls_per_reclaimed_page", "", reads=("proc/vmstat compact_stall", "proc/vmstat pgsteal_kswapd"),
        formula="Δcompact_stall / Δpgsteal_kswapd")  # fmt: skip
def stalls_per_reclaimed_page(view: View) -> Value:
    """Compaction stalls by work done instead of by time: comparable for totals since boot."""
    freed = delta(view, "pgsteal_kswapd")
    if freed == 0:
        raise Unknown("kswapd freed nothing in the window")
    return delta(view, "compact_stall") / freed


@signal("thp.fallback_share", "ratio", reads=("proc/vmstat thp_fault_fallback", "proc/vmstat thp_fault_alloc"),
        formula="Δthp_fault_fallback / (Δthp_fault_alloc + Δthp_fault_fallback)")  # fmt: skip
def fallback_share(view: View) -> Value:
    """Share of the faults that wanted a huge page and got base pages."""
    attempts = _attempts(view)
    if attempts == 0:
        raise Unknown("no fault asked for a huge page in the window")
    return delta(view, "thp_fault_fallback") / attempts


@signal("thp.attempts", "", reads=("proc/vmstat thp_fault_alloc", "proc/vmstat thp_fault_fallback"),
        formula="Δthp_fault_alloc + Δthp_fault_fallback")  # fmt: skip
def attempts(view: View) -> Value:
    """Faults that asked for a huge page."""
    return float(_attempts(view))


@signal("thp.attempt_rate", "count/s", reads=("proc/vmstat thp_fault_alloc", "proc/vmstat thp_fault_fallback"),
        formula="thp.attempts / window.seconds")  # fmt: skip
def attempt_rate(view: View) -> Value:
    """Faults per second that asked for a huge page."""
    return _attempts(view) / view.seconds


def _attempts(view: View) -> int:
    return delta(view, "thp_fault_alloc") + delta(view, "thp_fault_fallback")


@signal("thp.charge_share", "ratio", reads=("proc/vmstat thp_fault_fallback_charge", "proc/vmstat thp_fault_fallback"),
        formula="Δthp_fault_fallback_charge / Δthp_fault_fallback")  # fmt: skip
def charge_share(view: View) -> Value:
    """Share of the fallbacks due to a memory cgroup without room, not to fragmentation."""
    fallbacks = delta(view, "thp_fault_fallback")
    if fallbacks == 0:
        raise Unknown("no huge page fault fell back in the window")
    return min(1.0, delta(view, "thp_fault_fallback_charge") / fallbacks)


def largest(parsed: buddyinfo.Buddyinfo) -> buddyinfo.FreeBlocks:
    """The zone with the most free memory: where a high-order request is most likely served."""
    return max(parsed.zones, key=lambda zone: sum(n << order for order, n in enumerate(zone.blocks)))


def unusable(blocks: tuple[int, ...], order: int) -> float:
    """Share of free memory in blocks too small for an order; Unknown for an order that is not listed."""
    index = unusable_index(blocks, order)
    if index is None:
        raise Unknown(f"the free lists do not go up to order {order}")
    return index / 1000


def _index(value: int | None) -> float:
    if value is None:
        raise Unknown("the free lists do not go up to the order of a huge page")
    return value / 1000


def huge_order(view: View) -> int:
    """Order of a transparent huge page: 9 for 2 MiB of 4 KiB pages."""
    return (huge_page_size(view) // page_size(view)).bit_length() - 1


@signal("buddy.unusable_huge", "ratio", reads=("proc/buddyinfo",),
        formula="(F − S·2^o) / F in the zone with most free memory, o the order of a huge page")  # fmt: skip
def unusable_huge(view: View) -> Value:
    """Share of the free memory that is in blocks too small for a huge page.

    Near 1 after weeks is normal where nobody asks for huge pages.
    """
    return unusable(largest(view.after("proc/buddyinfo", buddyinfo.parse)).blocks, huge_order(view))


@signal(
    "buddy.unusable_huge_before",
    "ratio",
    reads=("proc/buddyinfo",),
    formula="as buddy.unusable_huge, first sample",
)
def unusable_huge_before(view: View) -> Value:
    """Share of the free memory that was in blocks too small for a huge page when the window began."""
    return unusable(largest(view.before("proc/buddyinfo", buddyinfo.parse)).blocks, huge_order(view))


@signal("buddy.unusable_order4", "ratio", reads=("proc/buddyinfo",),
        formula="(F − S·2^4) / F in the zone with most free memory")  # fmt: skip
def unusable_order4(view: View) -> Value:
    """Share of the free memory that is in blocks too small for order 4, the first of the costly orders."""
    return unusable(largest(view.after("proc/buddyinfo", buddyinfo.parse)).blocks, 4)


@signal("buddy.fragmentation_huge", "", reads=("proc/buddyinfo",),
        formula="1 − (1 + F / 2^o) / B; −1 when a block is free (mm/vmstat.c fragmentation_index)",
        also=("extfrag_index",))  # fmt: skip
def fragmentation_huge(view: View) -> Value:
    """Why a huge page would fail now: towards 0 for want of memory, towards 1 from fragmentation, −1 not at all."""
    blocks = largest(view.after("proc/buddyinfo", buddyinfo.parse)).blocks
    return _index(fragmentation_index(blocks, huge_order(view)))


@signal("compaction.manual_pages", "page", reads=("proc/vmstat compact_isolated", "proc/vmstat compact_stall"),
        formula="Δcompact_isolated when neither a task nor kcompactd compacted",
        also=("manual compaction", "compact_memory"))  # fmt: skip
def manual_pages(view: View) -> Value:
    """Pages isolated by compaction that was asked for by hand: it shows nowhere else."""
    wakes = counter(view.vmstat, "compact_daemon_wake")
    if wakes is None or delta(view, "compact_daemon_wake") or delta(view, "compact_stall"):
        raise Unknown("other compaction ran in the window; a manual run cannot be told apart")
    return float(delta(view, "compact_isolated"))
