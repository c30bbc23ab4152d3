"""Reclaim: who scans, who frees, how well."""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.signals.counters import counter, delta, rate
from advisor.signals.model import Value, signal
from advisor.signals.view import View

# A ratio over fewer pages says nothing: the counters are summed over processors without a lock, and
# reclaim works in batches of SWAP_CLUSTER_MAX = 32 pages.
MIN_PAGES = 1000

_GLOBAL = ("kswapd", "direct", "khugepaged", "proactive")


def _ratio(part: float, whole: float, what: str) -> float:
    """Part / whole, at most 1 (races between counters), unknown when `whole` is too small to say."""
    if whole < MIN_PAGES:
        raise Unknown(f"{what} fewer than {MIN_PAGES} pages in the window", "take a longer window under load")
    return min(1.0, part / whole)


def _present(view: View, names: tuple[str, ...]) -> tuple[str, ...]:
    """The counters among `names` that this kernel has."""
    return tuple(name for name in names if counter(view.vmstat, name) is not None)


def _sum(view: View, verb: str) -> int:
    """Pages scanned or stolen by every reclaimer that works for the whole host."""
    names = _present(view, tuple(f"{verb}_{who}" for who in _GLOBAL))
    if not names:
        raise Unknown(f"/proc/vmstat has no {verb}_kswapd here")
    return sum(delta(view, name) for name in names)


@signal("reclaim.scanned", "page", reads=("proc/vmstat pgscan_kswapd", "proc/vmstat pgscan_direct"),
        formula="Δpgscan_kswapd + Δpgscan_direct + Δpgscan_khugepaged + Δpgscan_proactive",
        also=("shrink_node", "shrink_zone", "reclaim priority"))  # fmt: skip
def scanned(view: View) -> Value:
    """Pages looked at by reclaim for the whole host."""
    return float(_sum(view, "pgscan"))


@signal("reclaim.stolen", "page", reads=("proc/vmstat pgsteal_kswapd", "proc/vmstat pgsteal_direct"),
        formula="Δpgsteal_kswapd + Δpgsteal_direct + Δpgsteal_khugepaged + Δpgsteal_proactive")  # fmt: skip
def stolen(view: View) -> Value:
    """Pages freed by reclaim for the whole host; each page once (sar -B pgsteal/s counts twice since v5.8)."""
    return float(_sum(view, "pgsteal"))


@signal("reclaim.steal_rate", "page/s", reads=("proc/vmstat pgsteal_kswapd", "proc/vmstat pgsteal_direct"),
        formula="reclaim.stolen / window.seconds")  # fmt: skip
def steal_rate(view: View) -> Value:
    """Pages freed per second by reclaim for the whole host."""
    return _sum(view, "pgsteal") / view.seconds


@signal("reclaim.direct_share", "ratio", reads=("proc/vmstat pgscan_direct", "proc/vmstat pgscan_kswapd"),
        formula="Δpgscan_direct / (Δpgscan_kswapd + Δpgscan_direct)")  # fmt: skip
def direct_share(view: View) -> Value:
    """Share of the scanning that tasks did themselves instead of kswapd."""
    direct, kswapd = delta(view, "pgscan_direct"), delta(view, "pgscan_kswapd")
    return _ratio(direct, direct + kswapd, "reclaim scanned")


@signal("reclaim.efficiency", "ratio", reads=("proc/vmstat pgsteal_kswapd", "proc/vmstat pgscan_kswapd"),
        formula="reclaim.stolen / reclaim.scanned", also=("vmeff", "%vmeff"))  # fmt: skip
def efficiency(view: View) -> Value:
    """Pages freed per page scanned, all reclaimers of the host together: what %vmeff of sar meant to say."""
    return _ratio(_sum(view, "pgsteal"), _sum(view, "pgscan"), "reclaim scanned")


@signal("reclaim.efficiency_kswapd", "ratio", reads=("proc/vmstat pgsteal_kswapd", "proc/vmstat pgscan_kswapd"),
        formula="Δpgsteal_kswapd / Δpgscan_kswapd", also=("vmeff",))  # fmt: skip
def efficiency_kswapd(view: View) -> Value:
    """Pages that kswapd freed per page it scanned; near 1 when reclaim is easy."""
    return _ratio(delta(view, "pgsteal_kswapd"), delta(view, "pgscan_kswapd"), "kswapd scanned")


@signal("reclaim.efficiency_direct", "ratio", reads=("proc/vmstat pgsteal_direct", "proc/vmstat pgscan_direct"),
        formula="Δpgsteal_direct / Δpgscan_direct", also=("vmeff",))  # fmt: skip
def efficiency_direct(view: View) -> Value:
    """Pages that tasks freed per page they scanned in direct reclaim."""
    return _ratio(delta(view, "pgsteal_direct"), delta(view, "pgscan_direct"), "direct reclaim scanned")


def _memcg_scanned(view: View) -> int:
    """Pages scanned on behalf of memory cgroups: what all reclaim scanned, less what the host's did.

    pgscan_anon and pgscan_file count every reclaim, pgscan_kswapd and its like only that for the host. Kernel 7.3 was
    seen to count what tasks scan for their cgroup in pgscan_direct as well. allocstall counts the host's alone: where
    it stands still, no direct scanning was for the host.
    """
    everything = delta(view, "pgscan_anon") + delta(view, "pgscan_file")
    for_host = _sum(view, "pgscan")
    if delta(view, "allocstall") == 0:
        for_host -= delta(view, "pgscan_direct")
    return max(0, everything - for_host)


@signal("reclaim.memcg_scanned", "page", reads=("proc/vmstat pgscan_anon", "proc/vmstat pgscan_file"),
        formula="max(0, Δpgscan_anon + Δpgscan_file − reclaim.scanned), without Δpgscan_direct if Δallocstall is 0",
        also=("memory cgroup charge and limit",))  # fmt: skip
def memcg_scanned(view: View) -> Value:
    """Pages scanned because memory cgroups met their limits, over the whole host."""
    return float(_memcg_scanned(view))


@signal("reclaim.memcg_share", "ratio", reads=("proc/vmstat pgscan_anon", "proc/vmstat pgscan_file"),
        formula="reclaim.memcg_scanned / (Δpgscan_anon + Δpgscan_file)")  # fmt: skip
def memcg_share(view: View) -> Value:
    """Share of all scanning that memory cgroup limits caused."""
    everything = delta(view, "pgscan_anon") + delta(view, "pgscan_file")
    return _ratio(_memcg_scanned(view), everything, "reclaim scanned")


@signal("reclaim.khugepaged_share", "ratio", reads=("proc/vmstat pgscan_khugepaged",),
        formula="Δpgscan_khugepaged / reclaim.scanned")  # fmt: skip
def khugepaged_share(view: View) -> Value:
    """Share of the host's scanning that khugepaged did."""
    return _ratio(delta(view, "pgscan_khugepaged"), _sum(view, "pgscan"), "reclaim scanned")


@signal("reclaim.dirty_share", "ratio", reads=("proc/vmstat nr_vmscan_immediate_reclaim", "proc/vmstat pgscan_file"),
        formula="Δnr_vmscan_immediate_reclaim / Δpgscan_file")  # fmt: skip
def dirty_share(view: View) -> Value:
    """Share of the scanned file pages that were dirty and had to be left for the flusher."""
    return _ratio(delta(view, "nr_vmscan_immediate_reclaim"), delta(view, "pgscan_file"), "reclaim scanned")


@signal("reclaim.inode_share", "ratio", reads=("proc/vmstat pginodesteal", "proc/vmstat kswapd_inodesteal"),
        formula="inodesteal / (reclaim.stolen + inodesteal), of kswapd and of tasks together")  # fmt: skip
def inode_share(view: View) -> Value:
    """Share of the freed pages that went because their inode was reclaimed, not because they were old."""
    inode = delta(view, "pginodesteal") + delta(view, "kswapd_inodesteal")
    return _ratio(inode, inode + _sum(view, "pgsteal"), "reclaim freed")


@signal("reclaim.low_hit_share", "ratio", reads=("proc/vmstat kswapd_low_wmark_hit_quickly", "proc/vmstat pageoutrun"),
        formula="Δkswapd_low_wmark_hit_quickly / Δpageoutrun, from 20 runs on")  # fmt: skip
def low_hit_share(view: View) -> Value:
    """Share of kswapd's runs after which the low mark was crossed again within 100 ms."""
    runs = delta(view, "pageoutrun")
    if runs < 20:
        raise Unknown("kswapd ran fewer than 20 times in the window", "take a longer window under load")
    return min(1.0, delta(view, "kswapd_low_wmark_hit_quickly") / runs)


@signal("reclaim.task_stall_rate", "count/s",
        reads=("proc/vmstat allocstall", "proc/vmstat thp_collapse_alloc", "proc/vmstat thp_collapse_alloc_failed"),
        formula="max(0, Δallocstall − Δthp_collapse_alloc − Δthp_collapse_alloc_failed) / window.seconds",
        also=("direct reclaim",))  # fmt: skip
def task_stall_rate(view: View) -> Value:
    """Direct reclaims per second, less one for each huge page that khugepaged asked for: nobody waits for it.

    allocstall counts khugepaged on every kernel, and kernels without pgscan_khugepaged count its scanning too.
    """
    background = sum(delta(view, name) for name in _present(view, ("thp_collapse_alloc", "thp_collapse_alloc_failed")))
    return max(0, delta(view, "allocstall") - background) / view.seconds


@signal("reclaim.pages_per_stall", "page", reads=("proc/vmstat pgsteal_direct", "proc/vmstat allocstall"),
        formula="Δpgsteal_direct / Δallocstall")  # fmt: skip
def pages_per_stall(view: View) -> Value:
    """Pages that a task freed each time it entered direct reclaim."""
    stalls = delta(view, "allocstall")
    if stalls == 0:
        raise Unknown("no task entered direct reclaim in the window")
    return delta(view, "pgsteal_direct") / stalls


@signal("reclaim.peak_direct_steal_rate", "page/s", reads=("proc/vmstat pgsteal_direct",),
        formula="largest Δpgsteal_direct / seconds over the parts of the window")  # fmt: skip
def peak_direct_steal_rate(view: View) -> Value:
    """What kswapd was too late to free, per second, at its worst: the burst a wider gap has to bridge."""
    return max(rate(part, "pgsteal_direct") for part in _parts(view))


def _parts(view: View) -> tuple[View, ...]:
    """The windows between neighbouring samples, or the window itself when it has no parts."""
    if view.first is None or view.last - view.first < 2:
        return (view,)
    return tuple(View(view.readings, i, i + 1, view.role) for i in range(view.first, view.last))
