"""What collectors that many fleets have record of the files that rules read, and which of their options add more.

Read in the sources of node_exporter (collector/*_linux.go, README), in the help texts of PCP's pmdalinux, and in
sar(1). A file or counter that is not named here is not recorded.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

VMSTAT = "proc/vmstat"
_SYSCTL = "proc/sys/"

# Keys of /proc/zoneinfo that node_exporter's collector has: not the boost, nor the per-CPU thresholds.
_ZONEINFO = "proc/zoneinfo |free|min|low|high|scanned|spanned|present|managed|protection|nr_*"

# Columns of sar -r ALL, by the fields of /proc/meminfo that they are.
_SAR_MEMORY = (
    "proc/meminfo MemTotal|MemFree|MemAvailable|Buffers|Cached|Committed_AS|Active*|Inactive*|Dirty|AnonPages|Slab|"
    "KernelStack|PageTables|VmallocUsed"
)


class Option(Record):
    """An option of a collector, and what it adds.

    Attributes:
        flag: gives the text to add, of the counters or sysctls that are wanted.
        gives: patterns of what it records: a path, or a path and its keys with bars between them.
    """

    flag: Callable[[Iterable[str]], str]
    gives: tuple[str, ...]


class Collector(Record):
    """A collector as it comes, and its options."""

    name: str
    gives: tuple[str, ...]
    options: tuple[Option, ...]
    remark: str = ""


def records(patterns: Iterable[str], read: str) -> bool:
    """Whether one of some patterns covers what a signal reads, such as "proc/vmstat pgscan_direct".

    >>> records(["proc/vmstat pgpg*|pswp*"], "proc/vmstat pswpin"), records(["proc/meminfo"], "proc/vmstat pswpin")
    (True, False)
    """
    path, _, key = read.partition(" ")
    return any(_covers(pattern, path, key) for pattern in patterns)


def _covers(pattern: str, path: str, key: str) -> bool:
    wanted, _, keys = pattern.partition(" ")
    return fnmatchcase(path, wanted) and (not keys or any(fnmatchcase(key, each) for each in keys.split("|")))


def _fixed(text: str) -> Callable[[Iterable[str]], str]:
    return lambda _reads: text


def _fields(reads: Iterable[str]) -> str:
    """The counters that node_exporter has by default, and those that are wanted."""
    keys = sorted({key for path, _, key in (read.partition(" ") for read in reads) if path == VMSTAT and key})
    shortest = [key for key in keys if not any(key != other and key.startswith(other) for other in keys)]
    return f"--collector.vmstat.fields='^({'|'.join(('oom_kill', 'pgpg', 'pswp', 'pg.*fault', *shortest))}).*'"


def _sysctls(reads: Iterable[str]) -> str:
    names = sorted({read.removeprefix(_SYSCTL).replace("/", ".") for read in reads if read.startswith(_SYSCTL)})
    return " ".join(("--collector.sysctl", *(f"--collector.sysctl.include={name}" for name in names)))


COLLECTORS = (
    Collector(
        "node_exporter",
        (
            "proc/meminfo", f"{VMSTAT} oom_kill|pgpg*|pswp*|pg*fault*", "proc/pressure/memory", "proc/pressure/io",
            "proc/pressure/cpu some", "proc/stat", "proc/diskstats", "proc/uptime", "proc/version",
        ),
        (
            Option(_fields, (VMSTAT,)),
            Option(_fixed("--collector.zoneinfo"), (_ZONEINFO,)),
            Option(_sysctls, ("proc/sys/vm/*", "proc/sys/kernel/*")),
            Option(_fixed("--collector.buddyinfo"), ("proc/buddyinfo",)),
            Option(_fixed("--collector.slabinfo"), ("proc/slabinfo",)),
            Option(_fixed("--collector.meminfo_numa"), ("sys/devices/system/node/node*/*",)),
        ),
        "name only sysctls that the kernel has: one that is missing ends the whole sysctl collector",
    ),
    Collector(
        "PCP (pmdalinux)",
        (),
        (
            Option(_fixed("mem.util"), ("proc/meminfo",)),
            Option(_fixed("mem.vmstat"), (VMSTAT,)),
            Option(_fixed("mem.zoneinfo"), (_ZONEINFO,)),
            Option(_fixed("mem.buddyinfo"), ("proc/buddyinfo",)),
            Option(_fixed("mem.slabinfo"), ("proc/slabinfo",)),
            Option(_fixed("mem.numa"), ("sys/devices/system/node/node*/*",)),
            Option(_fixed("kernel.all.pressure"), ("proc/pressure/*",)),
            Option(_fixed("kernel.all kernel.uname"), ("proc/stat", "proc/uptime", "proc/version")),
            Option(_fixed("disk.dev"), ("proc/diskstats",)),
            Option(_fixed("swap swapdev"), ("proc/swaps",)),
        ),
        "settings are no metrics of it: add /etc/sysctl.d and /proc/sys by advisor capture",
    ),
    Collector(
        "sar (sysstat)",
        (),
        (
            Option(_fixed("sar -r ALL"), (_SAR_MEMORY,)),
            Option(_fixed("sar -B"), (f"{VMSTAT} pgpgin|pgpgout|pgfault|pgmajfault|pgfree",)),
            Option(_fixed("sar -W"), (f"{VMSTAT} pswpin|pswpout",)),
            Option(_fixed("sar -S"), ("proc/meminfo SwapTotal|SwapFree|SwapCached",)),
            Option(_fixed("sar -H"), ("proc/meminfo HugePages_*|Hugepagesize",)),
            Option(_fixed("sar -q ALL (sadc -S ALL)"), ("proc/pressure/*",)),
            Option(_fixed("sar -u ALL"), ("proc/stat",)),
            Option(_fixed("sar -d"), ("proc/diskstats",)),
        ),
        "pgscank, pgscand and pgsteal of sar -B are sums whose meaning changed between versions; they are not counted",
    ),
)  # fmt: skip

CURES = (
    ("log/kernel.txt", "as root, or sysctl kernel.dmesg_restrict=0; beside a capture: dmesg > dmesg.txt"),
    ("proc/pressure/", "boot with psi=1 (a kernel with CONFIG_PSI, from 4.20 on)"),
    ("proc/slabinfo", "as root: the file is readable by root only"),
    ("proc/PID/", "on the live host: advisor capture; other users' processes need root"),
    ("etc/", "add the folders /etc/sysctl.d, /usr/lib/sysctl.d and /etc/tmpfiles.d to what is captured"),
    ("sys/fs/cgroup/", "mount cgroup v2 (systemd.unified_cgroup_hierarchy=1) and capture with advisor"),
    ("sys/devices/system/node/", "sysctl vm.numa_stat=1, and capture with advisor"),
    ("capture.json", "take two samples: advisor capture --window 60s"),
)
"""What makes a file readable or fills it, by the beginning of its path."""


def cure_of(reads: Iterable[str]) -> str:
    """How to have what a signal reads; empty where a capture by advisor has it anyway."""
    reads = list(reads)
    return next((cure for path, cure in CURES if any(read.startswith(path) for read in reads)), "")
