"""What the OOM killer wrote to the kernel log: who ran out of memory, and where memory was by then.

`log.oom_…` is about the newest kill for the whole host. A memory cgroup's kill prints no zones.
"""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.signals import logrequest
from advisor.signals.log import page_size, reports
from advisor.signals.model import Value, signal

if TYPE_CHECKING:
    from advisor.parse.kernlog import Report
    from advisor.signals.view import View

_BOUND = frozenset({"CONSTRAINT_CPUSET", "CONSTRAINT_MEMORY_POLICY"})
_KILL = "log/kernel.txt oom-kill"


def _is_memcg(report: Report) -> bool:
    return report.global_oom is False or report.constraint == "CONSTRAINT_MEMCG"


def _is_bound(report: Report) -> bool:
    """Whether the request was bound to some nodes. Kernels before 5.0 do not say so; their zones tell."""
    if report.constraint is not None or _is_memcg(report):
        return report.constraint in _BOUND
    try:
        nodes = logrequest.allowed_nodes(report)
    except Unknown:
        return False
    others = [zone for zone in report.zones if nodes is not None and zone.node not in nodes]
    return any(zone.free is not None and zone.high is not None and zone.free > zone.high for zone in others)


def _is_host(report: Report) -> bool:
    """Whether the whole host was out of memory; a report that was cut off tells by printing zones."""
    if _is_memcg(report) or _is_bound(report):
        return False
    return report.global_oom is True or report.constraint == "CONSTRAINT_NONE" or bool(report.zones)


@signal("log.host_ooms", "", reads=(_KILL,), also=("OOM killer", "out of memory"),
        formula="reports of a kill for the whole host that no cpuset or memory policy explains")  # fmt: skip
def host_ooms(view: View) -> Value:
    """Times that the whole host was out of memory and the kernel killed a task."""
    return float(sum(map(_is_host, reports(view, "oom"))))


@signal("log.memcg_ooms", "", reads=(_KILL,), formula="reports of a kill for a memory cgroup")
def memcg_ooms(view: View) -> Value:
    """Times that a memory cgroup was out of memory at its own limit and the kernel killed a task."""
    return float(sum(map(_is_memcg, reports(view, "oom"))))


@signal("log.bound_ooms", "", reads=(_KILL,),
        formula="reports with CONSTRAINT_CPUSET or _MEMORY_POLICY, or with room on forbidden nodes")  # fmt: skip
def bound_ooms(view: View) -> Value:
    """Times that the nodes which a task is bound to were out of memory while others need not have been."""
    return float(sum(map(_is_bound, reports(view, "oom"))))


def _newest_host(view: View) -> Report:
    """The newest kill for the whole host which prints the zones, or else the newest."""
    found = [report for report in reports(view, "oom") if _is_host(report)]
    dumped = [report for report in found if report.zones]
    return logrequest.newest(dumped or found, "kill for the whole host")


def _victim(found: list[Report], what: str) -> str:
    report = logrequest.newest(found, what)
    if report.victim is None:
        raise Unknown("the report of the kill names no victim")
    return report.victim if report.victim_pid is None else f"{report.victim} ({report.victim_pid})"


@signal("log.oom_victim", "text", reads=("log/kernel.txt Killed process",))
def oom_victim(view: View) -> Value:
    """The task killed last for the whole host, and its id: not always the one that is to blame."""
    return _victim([report for report in reports(view, "oom") if _is_host(report)], "kill for the whole host")


@signal("log.oom_victim_rss", "B", reads=("log/kernel.txt anon-rss:",), formula="anon-rss + file-rss + shmem-rss")
def oom_victim_rss(view: View) -> Value:
    """Resident memory of the task killed last for the whole host."""
    found = [report for report in reports(view, "oom") if _is_host(report)]
    rss = logrequest.newest(found, "kill for the whole host").killed_rss_bytes
    if rss is None:
        raise Unknown("the report of the kill does not say how large the victim was")
    return float(rss)


@signal("log.memcg_victim", "text", reads=("log/kernel.txt Killed process",))
def memcg_victim(view: View) -> Value:
    """The task killed last because its memory cgroup was full, and its id."""
    return _victim([report for report in reports(view, "oom") if _is_memcg(report)], "kill for a memory cgroup")


@signal("log.memcg", "text", reads=("log/kernel.txt oom_memcg",))
def memcg(view: View) -> Value:
    """The memory cgroup whose limit led to the newest kill."""
    found = [report for report in reports(view, "oom") if _is_memcg(report)]
    group = logrequest.newest(found, "kill for a memory cgroup").memcg
    if group is None:
        raise Unknown("the report of the kill does not name the memory cgroup")
    return group


@signal("log.bound_victim", "text", reads=("log/kernel.txt Killed process",))
def bound_victim(view: View) -> Value:
    """The task killed last because the nodes that it is bound to were full, and its id."""
    return _victim([report for report in reports(view, "oom") if _is_bound(report)], "kill for bound nodes")


@signal("log.oom_order", "", reads=("log/kernel.txt invoked oom-killer",))
def oom_order(view: View) -> Value:
    """Order of the request that led to the kill; above 0 memory may have been free in small pieces."""
    order = _newest_host(view).order
    if order is None:
        raise Unknown("the report of the kill does not print the order of the request")
    return float(order)


@signal("log.oom_tells", "bool", reads=("log/kernel.txt free:", "log/kernel.txt lowmem_reserve[]"))
def oom_tells(view: View) -> Value:
    """Whether the report of the kill shows the zones well enough to tell free memory from none."""
    report = _newest_host(view)
    try:
        _spare(view, report)
        logrequest.beyond_reach(report)
        logrequest.memory(report, page_size(view, report))
        logrequest.total(report, page_size(view, report), "active_file", "inactive_file")
    except Unknown:
        return False
    return report.order is not None


def _spare(view: View, report: Report) -> float:
    return float(logrequest.spare_of_all(report, page_size(view, report)))


@signal("log.oom_spare", "B", reads=("log/kernel.txt free:", "log/kernel.txt min:", "log/kernel.txt lowmem_reserve[]"),
        formula="Σ max(0, free − min − reserve) over the zones of size that the request may use")  # fmt: skip
def oom_spare(view: View) -> Value:
    """Free memory that the request could have had in single pages, and that was not enough for the kernel."""
    return _spare(view, _newest_host(view))


@signal("log.oom_beyond", "B", reads=("log/kernel.txt free:", "log/kernel.txt active_file:"),
        formula="Σ (free + active_file + inactive_file) over the zones that the request may not use")  # fmt: skip
def oom_beyond(view: View) -> Value:
    """Memory free or easy to free in zones that the request may not use."""
    return float(logrequest.beyond_reach(_newest_host(view)))


@signal("log.oom_memory", "B", reads=("log/kernel.txt pages RAM",), formula="pages RAM − pages reserved")
def oom_memory(view: View) -> Value:
    """Memory of the host when the kill came."""
    report = _newest_host(view)
    return float(logrequest.memory(report, page_size(view, report)))


@signal("log.oom_min_free", "B", reads=("log/kernel.txt min:",), formula="Σ (min − boost) over DMA, DMA32, Normal")
def oom_min_free(view: View) -> Value:
    """What vm.min_free_kbytes was when the kill came: nobody but the kernel's emergencies could use it."""
    report = _newest_host(view)
    return float(logrequest.min_free(report, page_size(view, report)))


def _total(view: View, *names: str) -> float:
    report = _newest_host(view)
    return float(logrequest.total(report, page_size(view, report), *names))


@signal("log.oom_file", "B", reads=("log/kernel.txt active_file:",), formula="active_file + inactive_file")
def oom_file(view: View) -> Value:
    """Page cache when the kill came."""
    return _total(view, "active_file", "inactive_file")


@signal("log.oom_anon", "B", reads=("log/kernel.txt active_anon:",), formula="active_anon + inactive_anon")
def oom_anon(view: View) -> Value:
    """Anonymous memory, tmpfs and shared memory when the kill came."""
    return _total(view, "active_anon", "inactive_anon")


@signal("log.oom_slab_unreclaimable", "B", reads=("log/kernel.txt slab_unreclaimable:",))
def oom_slab_unreclaimable(view: View) -> Value:
    """Slab that only its owner frees when the kill came."""
    return _total(view, "slab_unreclaimable")


@signal("log.oom_swap_free", "B", reads=("log/kernel.txt Free swap",))
def oom_swap_free(view: View) -> Value:
    """Swap that was free when the kill came."""
    free = _newest_host(view).swap_free_bytes
    if free is None:
        raise Unknown("the report of the kill does not print the swap")
    return float(free)


@signal("log.oom_swap_total", "B", reads=("log/kernel.txt Total swap",))
def oom_swap_total(view: View) -> Value:
    """Size of all swap areas when the kill came; 0 without any."""
    size = _newest_host(view).swap_total_bytes
    if size is None:
        raise Unknown("the report of the kill does not print the swap")
    return float(size)
