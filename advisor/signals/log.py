"""The kernel log: requests for memory that failed or took long, and what else it says in single lines.

Reports older than a day say little about today; they are left out where the log's clock and the uptime are
known. Kills are in `advisor.signals.logoom`, the zones of the newest report in `advisor.signals.logzone`.
"""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.parse import kernlog, uptime
from advisor.signals import host, logrequest
from advisor.signals.host import kernel_log
from advisor.signals.model import Value, signal

if TYPE_CHECKING:
    from advisor.signals.view import View

RECENT_S = 86400.0

_FAILURE = "log/kernel.txt page allocation failure"


def _recent(view: View, time_s: float | None) -> bool:
    """Whether a log time lies within the last day; true when that cannot be told."""
    try:
        now = view.after("proc/uptime", uptime.parse)
    except Unknown:
        return True
    return time_s is None or now - time_s <= RECENT_S


def all_reports(view: View) -> tuple[kernlog.Report, ...]:
    """The recent reports of every kind, oldest first."""
    return tuple(report for report in kernel_log(view).reports if _recent(view, report.time_s))


def reports(view: View, kind: str) -> tuple[kernlog.Report, ...]:
    """The recent reports of a kind, oldest first."""
    return tuple(report for report in all_reports(view) if report.kind == kind)


def messages(view: View, kind: str) -> tuple[kernlog.Message, ...]:
    """The recent single lines of a kind, oldest first."""
    return tuple(
        message for message in kernel_log(view).messages if message.kind == kind and _recent(view, message.time_s)
    )


def page_size(view: View, report: kernlog.Report) -> int | None:
    """Bytes of a page when a report was written: by its own free blocks, or by the rest of the capture."""
    if report.page_size is not None:
        return report.page_size
    try:
        return host.page_size(view)
    except Unknown:
        return None


def _failed(view: View, *, waits: bool, single: bool) -> tuple[kernlog.Report, ...]:
    """The failures of requests that may, or may not, wait for reclaim, for single pages or for larger blocks.

    Raises:
        Unknown: there is none that says both, and one that might be of this kind.
    """
    failures = reports(view, "alloc_failure")
    found = tuple(r for r in failures if r.direct_reclaim is waits and r.order is not None and (r.order == 0) is single)
    if not found and any(_might_be(report, waits=waits, single=single) for report in failures):
        raise Unknown("a failed allocation in the kernel log does not tell its order or its flags")
    return found


def _might_be(report: kernlog.Report, *, waits: bool, single: bool) -> bool:
    fits_order = report.order is None or (report.order == 0) is single
    return fits_order and report.direct_reclaim in {None, waits}


@signal("log.atomic_order0_failures", "", reads=(_FAILURE,), also=("GFP_ATOMIC", "GFP_NOWAIT"))
def atomic_order0_failures(view: View) -> Value:
    """Single pages that a request which may not wait did not get. Rate limited, so at least this many."""
    return float(len(_failed(view, waits=False, single=True)))


@signal("log.atomic_high_order_failures", "", reads=(_FAILURE,), also=("GFP_ATOMIC",))
def atomic_high_order_failures(view: View) -> Value:
    """Blocks of order 1 and more that a request which may not wait did not get."""
    return float(len(_failed(view, waits=False, single=False)))


@signal("log.high_order_failures", "", reads=(_FAILURE,))
def high_order_failures(view: View) -> Value:
    """Blocks of order 1 and more that a request did not get although it may wait."""
    return float(len(_failed(view, waits=True, single=False)))


@signal("log.largest_failed_order", "", reads=(_FAILURE,))
def largest_failed_order(view: View) -> Value:
    """Largest order among the failed allocations."""
    orders = [r.order for r in reports(view, "alloc_failure") if r.order is not None]
    if not orders:
        raise Unknown("the kernel log reports no failed allocation")
    return float(max(orders))


def _task(report: kernlog.Report) -> str:
    if report.task is None:
        raise Unknown("the report of the failed allocation names no task")
    return report.task


@signal("log.failed_task", "text", reads=(_FAILURE,))
def failed_task(view: View) -> Value:
    """Name of the task whose request for a block failed last although it may wait."""
    return _task(logrequest.newest(_failed(view, waits=True, single=False), "failed allocation of a larger block"))


@signal("log.atomic_task", "text", reads=(_FAILURE,))
def atomic_task(view: View) -> Value:
    """Name of the task in whose context a request that may not wait failed last; an interrupt may have asked."""
    found = [report for report in reports(view, "alloc_failure") if report.direct_reclaim is False]
    return _task(logrequest.newest(found, "failed allocation of a request that may not wait"))


def _newest_atomic(view: View) -> kernlog.Report:
    """The newest failure of a request that may not wait which prints the zones, or else the newest."""
    found = [report for report in reports(view, "alloc_failure") if report.direct_reclaim is False]
    dumped = [report for report in found if report.zones]
    return logrequest.newest(dumped or found, "failed allocation of a request that may not wait")


@signal("log.atomic_min_free", "B", reads=("log/kernel.txt min:",),
        formula="Σ (min − boost) over DMA, DMA32 and Normal of the newest such failure")  # fmt: skip
def atomic_min_free(view: View) -> Value:
    """What vm.min_free_kbytes was when a request that may not wait failed last."""
    report = _newest_atomic(view)
    return float(logrequest.min_free(report, page_size(view, report)))


@signal("log.atomic_spare", "B", reads=("log/kernel.txt free:", "log/kernel.txt min:"),
        formula="Σ max(0, free − min − reserve) over the zones of size that the request may use")  # fmt: skip
def atomic_spare(view: View) -> Value:
    """Memory above the min marks when a request that may not wait failed last; 0 when the reserve was in use."""
    report = _newest_atomic(view)
    return float(logrequest.spare_of_all(report, page_size(view, report)))


@signal("log.atomic_file", "B", reads=("log/kernel.txt active_file:",), formula="active_file + inactive_file")
def atomic_file(view: View) -> Value:
    """Page cache when a request that may not wait failed last: what kswapd could have reclaimed earlier."""
    report = _newest_atomic(view)
    return float(logrequest.total(report, page_size(view, report), "active_file", "inactive_file"))


@signal("log.min_free", "B", reads=("log/kernel.txt min:",), formula="Σ (min − boost) over DMA, DMA32 and Normal")
def log_min_free(view: View) -> Value:
    """What vm.min_free_kbytes was when the newest report with zones was written: its zones share it out."""
    report = logrequest.newest((report for report in all_reports(view) if report.zones), "zones")
    return float(logrequest.min_free(report, page_size(view, report)))


@signal("log.suppressed", "", reads=("log/kernel.txt callbacks suppressed",))
def suppressed(view: View) -> Value:
    """Reports about memory that the kernel did not print because there were too many."""
    return float(sum(message.values["count"] for message in messages(view, "suppressed")))


@signal("log.alloc_stalls", "", reads=("log/kernel.txt page allocation stalls",))
def alloc_stalls(view: View) -> Value:
    """Allocations that took longer than 10 s (printed by kernels 4.10 to 4.14)."""
    return float(len(messages(view, "alloc_stall")))


@signal("log.longest_alloc_stall", "s", reads=("log/kernel.txt page allocation stalls",))
def longest_alloc_stall(view: View) -> Value:
    """The longest of these allocations."""
    stalls = messages(view, "alloc_stall")
    if not stalls:
        raise Unknown("the kernel log reports no stalled allocation")
    return max(message.values["stall_ms"] for message in stalls) / 1000


@signal("log.slab_failures", "", reads=("log/kernel.txt SLUB: Unable to allocate memory",))
def slab_failures(view: View) -> Value:
    """Times that the slab allocator got no pages for a cache."""
    return float(len(messages(view, "slab_failure")))


@signal("log.thp_raised_min_free", "", reads=("log/kernel.txt raising min_free_kbytes",))
def thp_raised_min_free(view: View) -> Value:
    """Times that the kernel raised vm.min_free_kbytes for transparent huge pages."""
    return float(len(messages(view, "min_free_raised")))
