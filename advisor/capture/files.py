"""The one list of what is read from a host.

A new kernel file is one line here and a parser in `advisor.parse`. Patterns are paths without the leading
slash. `*` stands for any text within one name, at most once per name; ``/**/`` stands for the folder before
it and every folder below. Nothing is asked of the kernel's version: what is not there is skipped.
"""

from __future__ import annotations

from advisor.hints import Literal
from advisor.record import Record

When = Literal["tick", "edge", "once"]


class File(Record):
    """One line of the list.

    Attributes:
        pattern: path without the leading slash, with `*` and ``/**/`` as above.
        when: `tick` at every sample, `edge` at the first and the last, `once` before the first.
        why: what it is read for.
        root: whether only root can read it on a stock kernel.
        telling: of many such files, those that have a line like this; the others say nothing that anybody here reads,
            and do not travel from a host. A basic regular expression of POSIX; empty: all.
    """

    pattern: str
    when: When
    why: str
    root: bool = False
    telling: str = ""


# Files that do something when they are read or written; `*` never includes them.
# Documentation/admin-guide/sysctl/vm.rst: stat_refresh folds the counters of all processors at a read too.
NEVER = frozenset(
    {
        "compact",
        "compact_memory",
        "demote",
        "drop_caches",
        "memory.force_empty",
        "memory.reclaim",
        "stat_refresh",
    }
)

_TICK = (
    File("proc/vmstat", "tick", "counters of reclaim, compaction, swap, faults and writeback"),
    File("proc/meminfo", "tick", "where the memory is"),
    File("proc/pressure/memory", "tick", "time lost to memory"),
    File("proc/pressure/io", "tick", "time lost to input and output"),
    File("proc/pressure/cpu", "tick", "time lost to processors, to tell them from memory"),
)

_EDGE = (
    File("proc/zoneinfo", "edge", "free pages and watermarks of each zone"),
    File("proc/buddyinfo", "edge", "free blocks by order"),
    File("proc/diskstats", "edge", "how fast the disks read and write"),
    File("proc/swaps", "edge", "swap areas, their use and priority"),
    File("proc/stat", "edge", "boot time, processor time"),
    File("proc/uptime", "edge", "how long the counters have been counting"),
    File("proc/sys/kernel/random/boot_id", "edge", "which boot it is: a plan and a window hold for one"),
    File("proc/loadavg", "edge", "load"),
    File("proc/sys/fs/dentry-state", "edge", "cached names, negative ones among them"),
    File("proc/spl/kstat/zfs/arcstats", "edge", "the ZFS cache, which the kernel counts as used"),
    File("sys/devices/system/node/node*/vmstat", "edge", "counters of each node"),
    File("sys/devices/system/node/node*/numastat", "edge", "allocations that missed their node"),
    File("sys/devices/system/node/node*/meminfo", "edge", "where the memory of each node is"),
)

# Documentation/admin-guide/cgroup-v2.rst
_CGROUP2 = tuple(
    File(f"sys/fs/cgroup/**/{name}", "edge", why)
    for name, why in {
        "memory.current": "use",
        "memory.events": "how often limits were met, with the groups below",
        "memory.events.local": "how often limits were met, without the groups below",
        "memory.pressure": "time lost to memory in the group",
        "memory.stat": "where the group's memory is, and its reclaim",
        "memory.min": "protection, hard",
        "memory.low": "protection, best effort",
        "memory.high": "limit that throttles",
        "memory.max": "limit that kills",
        "memory.swap.current": "use of swap",
        "memory.swap.max": "limit of swap",
        "memory.swap.events": "how often the limit of swap was met",
        "memory.zswap.current": "use of compressed swap",
    }.items()
)

# Documentation/admin-guide/cgroup-v1/memory.rst; memory.stat is the same name in both versions.
_CGROUP1 = tuple(
    File(f"sys/fs/cgroup/**/{name}", "edge", why)
    for name, why in {
        "memory.usage_in_bytes": "use",
        "memory.limit_in_bytes": "limit that kills",
        "memory.soft_limit_in_bytes": "limit under pressure",
        "memory.swappiness": "overrides vm.swappiness",
        "memory.failcnt": "how often the limit was met",
        "memory.oom_control": "kills, and whether they are disabled",
    }.items()
)

_ONCE = (
    File("proc/sys/vm/*", "once", "the settings"),
    File("proc/sys/kernel/numa_balancing*", "once", "whether pages follow their tasks"),
    File("proc/sys/kernel/osrelease", "once", "kernel release, for the reader"),
    File("proc/sys/kernel/hostname", "once", "the host's name"),
    File("etc/machine-id", "once", "tells hosts of one name apart"),
    File("proc/version", "once", "kernel build, for the reader"),
    File("proc/cmdline", "once", "what was set at boot"),
    File("proc/mounts", "once", "tmpfs and ZFS mounts"),
    File("proc/slabinfo", "once", "objects of each slab cache; costly, so never per sample", root=True),
    File("proc/pagetypeinfo", "once", "free blocks by migrate type; walks free lists", root=True),
    File("sys/kernel/debug/extfrag/*", "once", "fragmentation as the kernel computes it", root=True),
    File("sys/kernel/mm/transparent_hugepage/enabled", "once", "who gets huge pages"),
    File("sys/kernel/mm/transparent_hugepage/defrag", "once", "how hard a fault tries for one"),
    File("sys/kernel/mm/transparent_hugepage/shmem_enabled", "once", "huge pages of shared memory"),
    File("sys/kernel/mm/transparent_hugepage/shrink_underused", "once", "whether empty ones are split"),
    File("sys/kernel/mm/transparent_hugepage/use_zero_page", "once", "whether reads map the huge zero page"),
    File("sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "once", "size of a huge page"),
    File("sys/kernel/mm/transparent_hugepage/khugepaged/*", "once", "the thread that collapses pages"),
    File("sys/kernel/mm/transparent_hugepage/hugepages-*kB/enabled", "once", "the same by size"),
    File("sys/kernel/mm/transparent_hugepage/hugepages-*kB/shmem_enabled", "once", "the same by size"),
    File("sys/kernel/mm/hugepages/hugepages-*kB/*", "once", "pools of reserved huge pages"),
    File("sys/kernel/mm/lru_gen/*", "once", "multi-generational LRU"),
    File("sys/kernel/mm/ksm/run", "once", "whether equal pages are merged"),
    File("sys/kernel/mm/ksm/pages_*", "once", "what merging saves"),
    File("sys/kernel/mm/numa/demotion_enabled", "once", "whether reclaim demotes to slower nodes"),
    File("sys/kernel/mm/swap/vma_ra_enabled", "once", "swap readahead by address"),
    File("sys/module/zswap/parameters/*", "once", "compressed swap in front of a device"),
    File("sys/block/zram*/disksize", "once", "size of a compressed memory device"),
    File("sys/block/zram*/mm_stat", "once", "what it holds"),
    File("sys/block/zram*/comp_algorithm", "once", "how it compresses"),
    File("sys/block/zram*/backing_dev", "once", "where it writes back to"),
    File("sys/block/*/queue/rotational", "once", "whether a disk spins"),
    File("sys/devices/system/cpu/online", "once", "processors"),
    File("sys/devices/system/node/node*/distance", "once", "how far the nodes are"),
    File("sys/devices/system/node/node*/cpulist", "once", "nodes without processors are slow memory"),
    File("sys/devices/system/node/node*/hugepages/hugepages-*kB/*", "once", "pools of each node"),
    File("sys/fs/cgroup/cgroup.controllers", "once", "present with version 2 only"),
    File("etc/os-release", "once", "distribution"),
    File("usr/lib/os-release", "once", "where etc/os-release links to"),
    File("etc/sysctl.conf", "once", "settings at boot"),
    File("etc/sysctl.d/*.conf", "once", "settings at boot"),
    File("run/sysctl.d/*.conf", "once", "settings at boot"),
    File("usr/local/lib/sysctl.d/*.conf", "once", "settings at boot"),
    File("usr/lib/sysctl.d/*.conf", "once", "settings at boot"),
    File("etc/tmpfiles.d/*.conf", "once", "values written to /sys at boot"),
    File("run/tmpfiles.d/*.conf", "once", "values written to /sys at boot"),
    # No folder that is read counts less, so those that write nothing hide nothing either.
    File("usr/lib/tmpfiles.d/*.conf", "once", "values written to /sys at boot", telling="^[[:space:]\"']*w"),
    File("etc/tuned/active_profile", "once", "whether TuneD owns settings"),
    File("etc/tuned/tuned-main.conf", "once", "whether TuneD lets sysctl.d win (reapply_sysctl)"),
    File("etc/tuned/*/tuned.conf", "once", "what TuneD sets"),
    File("etc/tuned/profiles/*/tuned.conf", "once", "what TuneD sets"),
    File("usr/lib/tuned/*/tuned.conf", "once", "what TuneD sets"),
    File("usr/lib/tuned/profiles/*/tuned.conf", "once", "what TuneD sets"),
    File("run/tuned/tuned.pid", "once", "whether TuneD runs"),
    File("etc/sysconfig/saptune", "once", "whether saptune owns settings"),
    File("etc/sysconfig/sapconf", "once", "whether sapconf owns settings"),
    File("run/saptune/parameter/vm.*", "once", "what saptune sets"),
    File("run/saptune/parameter/kernel.numa_balancing", "once", "what saptune sets"),
    File("run/saptune/parameter/THP", "once", "what saptune sets"),
    File("var/lib/saptune/parameter/vm.*", "once", "what saptune sets, before its version 3"),
    File("var/lib/saptune/parameter/kernel.numa_balancing", "once", "what saptune sets, before its version 3"),
    File("var/lib/saptune/parameter/THP", "once", "what saptune sets, before its version 3"),
    File("var/lib/kubelet/config.yaml", "once", "whether a kubelet minds settings"),
    File("etc/rc.local", "once", "what is set at boot by hand"),
    File("etc/rc.d/rc.local", "once", "what is set at boot by hand"),
    File("etc/systemd/system/disable-*.service", "once", "units that switch huge pages off"),
    File("etc/ufw/sysctl.conf", "once", "what the firewall sets"),
    File("etc/sysctl.ktune", "once", "what ktune sets"),
)

FILES: tuple[File, ...] = _TICK + _EDGE + _CGROUP2 + _CGROUP1 + _ONCE


def patterns(*when: When) -> tuple[str, ...]:
    """The patterns of the list that are read at one of these times, in the order of the list.

    >>> patterns("tick")[0]
    'proc/vmstat'
    """
    return tuple(file.pattern for file in FILES if file.when in when)


def linkable() -> tuple[str, ...]:
    """The patterns of files of which a link says more than its text: one to nothing masks, as one to /dev/null does.

    >>> "etc/sysctl.d/*.conf" in linkable(), "proc/vmstat" in linkable()
    (True, False)
    """
    return tuple(file.pattern for file in FILES if "sysctl.d/" in file.pattern or "tmpfiles.d/" in file.pattern)


def fits(name: str, pattern: str) -> bool:
    """Whether one name (no slash) fits one name of a pattern.

    >>> fits("node12", "node*"), fits("has_cpu", "node*"), fits("vmstat", "vmstat")
    (True, False, True)
    """
    head, star, tail = pattern.partition("*")
    if not star:
        return name == pattern
    return len(name) >= len(head) + len(tail) and name.startswith(head) and name.endswith(tail)
