"""Facts of the host and of the window itself."""

from __future__ import annotations

from advisor.errors import ParseError, Unknown
from advisor.hints import TYPE_CHECKING
from advisor.parse import kernlog, meminfo, pagetypeinfo, scalar, stat, uptime, version, vmstat, zoneinfo
from advisor.signals.counters import dropped
from advisor.signals.model import Value, signal

if TYPE_CHECKING:
    from advisor.signals.view import View

# meminfo field and vmstat gauge that count the same pages; their ratio is the page size.
_SAME_PAGES = (
    ("AnonPages", "nr_anon_pages"),
    ("Mapped", "nr_mapped"),
    ("Shmem", "nr_shmem"),
    ("Active(file)", "nr_active_file"),
    ("Inactive(file)", "nr_inactive_file"),
    ("MemFree", "nr_free_pages"),
)
_PAGE_SIZES = (4096, 16384, 65536)


def page_size(view: View) -> int:
    """Bytes of a base page, from files that count the same pages in bytes and in pages."""
    return view.once("page_size", lambda: _page_size(view))


def _page_size(view: View) -> int:
    try:
        sizes = view.after("proc/meminfo", meminfo.parse).values
    except Unknown:
        return _page_size_from_log(view)
    counts = view.after("proc/vmstat", vmstat.parse).values
    ratios = [
        sizes[field] / counts[gauge]
        for field, gauge in _SAME_PAGES
        if sizes.get(field, 0) > 0 and counts.get(gauge, 0) > 0
    ]
    if not ratios:
        raise Unknown("meminfo and vmstat have no figure in common that tells the page size")
    ratio = sorted(ratios)[len(ratios) // 2]  # the median; one figure may have moved between the two reads
    size = min(_PAGE_SIZES, key=lambda size: abs(size - ratio))
    if not 0.7 < ratio / size < 1.4:
        raise Unknown(f"meminfo and vmstat disagree: {ratio:.0f} bytes a page")
    return size


def _page_size_from_log(view: View) -> int:
    """The size of the smallest block that a kernel report lists, the only other place that tells."""
    for report in reversed(kernel_log(view).reports):
        if report.page_size is not None:
            return report.page_size
    raise Unknown("nothing in the capture tells the page size", "add /proc/meminfo and /proc/vmstat")


def kernel_log(view: View) -> kernlog.KernelLog:
    """The kernel log, parsed; Unknown when there is none to read."""
    return view.readings.once("kernel_log", lambda: _kernel_log(view))


def _kernel_log(view: View) -> kernlog.KernelLog:
    text = view.capture.kernel_log
    if text is None:
        raise Unknown("the kernel log is not in the capture", view.capture.unread.get("log/kernel.txt", ""))
    try:
        return kernlog.parse(text)
    except ParseError as error:
        raise Unknown(f"kernel log: {error.message}", error.hint) from None


@signal("page_size", "B/page", reads=("proc/meminfo MemFree", "proc/vmstat nr_free_pages"),
        formula="median of meminfo / vmstat over what both print; the nearest of 4, 16, 64 KiB")  # fmt: skip
def page_size_signal(view: View) -> Value:
    """Size of a base page; the only bridge between pages and bytes."""
    return float(page_size(view))


def zones(view: View) -> tuple[zoneinfo.Zone, ...]:
    """The zones that have memory, as last read; Unknown when the file is damaged: a zone may be missing."""
    parsed = view.after("proc/zoneinfo", zoneinfo.parse)
    if parsed.problems:
        raise Unknown(f"/proc/zoneinfo is damaged: {parsed.problems[0]}", "take the capture again")
    return tuple(zone for zone in parsed.zones if size_of(zone))


def size_of(zone: zoneinfo.Zone) -> int:
    """Pages that the allocator manages in a zone; kernels before v3.8 print only those present."""
    return (zone.present if zone.managed is None else zone.managed) or 0


def managed(view: View) -> int:
    """Σ managed pages over all zones."""
    return view.once("managed", lambda: sum(size_of(zone) for zone in zones(view)))


@signal("host.managed", "page", reads=("proc/zoneinfo managed",), formula="Σ managed over all zones")
def host_managed(view: View) -> Value:
    """Memory that the page allocator manages. Shares of memory refer to this, never to MemTotal."""
    return float(managed(view))


@signal("host.boot_id", "text", reads=("proc/sys/kernel/random/boot_id",))
def host_boot_id(view: View) -> Value:
    """Which boot of which host it is: a plan holds for one."""
    return view.after("proc/sys/kernel/random/boot_id", str).strip()


@signal("host.nodes", "", reads=("proc/zoneinfo",), formula="nodes that have memory")
def host_nodes(view: View) -> Value:
    """NUMA nodes that have memory."""
    return float(len({zone.node for zone in zones(view)}))


@signal("host.cpus", "", reads=("proc/stat",))
def host_cpus(view: View) -> Value:
    """Processors that are online."""
    cpus = view.after("proc/stat", stat.parse).cpus
    if not cpus:
        raise Unknown("/proc/stat lists no processor")
    return float(cpus)


@signal("host.uptime", "s", reads=("proc/uptime",))
def host_uptime(view: View) -> Value:
    """Time since boot."""
    return view.after("proc/uptime", uptime.parse)


@signal("host.kernel", "text", reads=("proc/version", "proc/sys/kernel/osrelease"))
def host_kernel(view: View) -> Value:
    """Release of the running kernel; for reports, never for conditions (distributions backport)."""
    try:
        return view.after("proc/sys/kernel/osrelease", version.parse).release
    except Unknown:
        return view.after("proc/version", version.parse).release


@signal("host.realtime", "bool", reads=("proc/version",))
def host_realtime(view: View) -> Value:
    """Whether the kernel is built with PREEMPT_RT."""
    text = view.after("proc/version", str)
    return "PREEMPT_RT" in text or "PREEMPT RT" in text


@signal("host.role", "text", choices=("database", "jvm", "kubernetes-node", "cache", "latency", "vm-host",
                                      "desktop", "hpc", "small-vm"))  # fmt: skip
def host_role(view: View) -> Value:
    """What the host is for, as the user said with --role; unknown unless said."""
    if view.role is None:
        raise Unknown("the role of the host was not given", "--role database|jvm|kubernetes-node|…")
    return view.role


@signal("host.meminfo_is_a_containers", "bool", reads=("proc/meminfo MemTotal", "proc/zoneinfo managed"),
        formula="MemTotal < 0.9 × Σ managed × page_size", also=("lxcfs",))  # fmt: skip
def host_meminfo_is_a_containers(view: View) -> Value:
    """Whether /proc/meminfo shows a container's share (lxcfs) while /proc/zoneinfo shows the host."""
    return foreign_meminfo(view)


def foreign_meminfo(view: View) -> bool:
    """Whether meminfo and zoneinfo speak of different machines; false when that cannot be told."""
    return view.once("foreign_meminfo", lambda: _foreign_meminfo(view))


def _foreign_meminfo(view: View) -> bool:
    try:
        total = view.after("proc/meminfo", meminfo.parse).values["MemTotal"]
        pages = managed(view)
    except (Unknown, KeyError):
        return False
    try:
        size = page_size(view)
    except Unknown:
        size = min(_PAGE_SIZES)  # a container's meminfo contradicts vmstat; no page is smaller than this
    return total < 0.9 * pages * size


def huge_page_size(view: View) -> int:
    """Bytes of a huge page that a page-table level maps: 2 MiB on x86."""
    return view.after("sys/kernel/mm/transparent_hugepage/hpage_pmd_size", scalar.integer)


def pageblock_pages(view: View) -> int:
    """Pages of a pageblock, the unit of grouping by mobility."""
    try:
        order = view.after("proc/pagetypeinfo", pagetypeinfo.parse).page_block_order
    except Unknown:
        order = None
    return 1 << order if order is not None else huge_page_size(view) // page_size(view)


@signal("window.seconds", "s", reads=("capture.json",))
def window_seconds(view: View) -> Value:
    """Length of the window; since boot when there is one sample."""
    return view.seconds


@signal("window.since_boot", "bool", reads=("capture.json",))
def window_since_boot(view: View) -> Value:
    """Whether counters are totals since boot, since only one sample was taken."""
    return view.since_boot


@signal("window.caches_dropped", "bool", reads=("proc/vmstat drop_pagecache", "proc/vmstat drop_slab"))
def window_caches_dropped(view: View) -> Value:
    """Whether someone dropped the caches within the window."""
    return dropped(view)


@signal("window.memory_resized", "bool", reads=("proc/zoneinfo managed",),
        formula="Σ managed differs between the first and the last sample")  # fmt: skip
def window_memory_resized(view: View) -> Value:
    """Whether memory was added or taken away within the window: hotplug, balloon, lazy initialisation."""
    return resized(view)


def resized(view: View) -> bool:
    """Whether Σ managed changed within the window."""
    before = view.before("proc/zoneinfo", zoneinfo.parse)
    return sum(size_of(zone) for zone in before.zones) != managed(view)
