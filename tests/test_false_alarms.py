"""Healthy hosts that look ill: none of them may get more than a remark, and nothing to do.

Each is what an engineer would see and leave alone: memory is full because it is used, counters grow because work
is done, totals are large because the host has been up for long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import pytest

from advisor.analysis import analyse
from advisor.capture.model import Capture, Process, Sample
from advisor.rulebook import library
from tests.synthetic_host import DEFAULTS, Host

GIB = 1 << 18  # pages
DAY = 86400.0
CGROUP = "sys/fs/cgroup/kubepods.slice"
BOOTED = "[    0.000000] Linux version 6.12.0\n"


@dataclass(frozen=True)
class Healthy:
    """A healthy host and what its minute looks like.

    Attributes:
        grown: counters of /proc/vmstat and how much they grew in the window.
        free, cache: shares of memory, before the marks are looked at.
        memory, io: shares of time in which some task, and every task, waited.
        levels: other lines of /proc/vmstat or /proc/meminfo (in KiB), the same in both samples.
        disk: bytes read and written, seconds with I/O under way, and average number of requests.
        before, after: further files by path, in the first and in the last sample.
        uptime: seconds since boot; with `single` there is one sample, and counters are totals since boot.
    """

    gib: int = 16
    grown: dict[str, int] = field(default_factory=dict)
    free: float = 0.006
    cache: float = 0.6
    memory: tuple[float, float] = (0.0, 0.0)
    io: tuple[float, float] = (0.0, 0.0)
    iowait: float = 0.0
    levels: dict[str, int] = field(default_factory=dict)
    disk: tuple[int, int, float, int] = (0, 0, 0.0, 1)
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    settings: dict[str, int] = field(default_factory=dict)
    thp: str = "madvise"
    swap: tuple[int, float, bool] = (0, 0.0, False)
    processes: tuple[Process, ...] = (Process(1, "init", 1 << 20),)
    uptime: float = 40 * DAY
    seconds: float = 60.0
    single: bool = False

    def capture(self) -> Capture:
        """What `advisor check` would see of it."""
        normal = max(self.gib * GIB - 200_000, 60_000)
        zones = (("DMA", 3840), ("DMA32", 196_000), ("Normal", normal))
        host = Host(zones, DEFAULTS | self.settings, self.thp, self.grown, self.free, self.cache, 0.0, self.swap)
        start = dict.fromkeys(self.grown, 0)
        first = self.sample(host, start, 0.0) | self.before
        last = self.sample(host, self.grown, 1.0) | self.before | self.after
        samples = [Sample(first, 100.0), Sample(last, 100.0 + self.seconds)][self.single :]
        return Capture(tuple(samples), host="synthetic", processes=self.processes, kernel_log=BOOTED)

    def sample(self, host: Host, counters: dict[str, int], part: float) -> dict[str, str]:
        """The files of the host when a part of the window is over."""
        files = host.files(counters)
        seconds = 0.0 if self.single else self.seconds
        for resource, stalled in (("memory", self.memory), ("io", self.io)):
            averages = [f"avg10={100 * s:.2f} avg60={100 * s:.2f} avg300={100 * s:.2f}" for s in stalled]
            totals = [int((1 + part) * s * seconds * 1e6) for s in stalled]
            some, full = (f"{a} total={t}\n" for a, t in zip(averages, totals, strict=True))
            files[f"proc/pressure/{resource}"] = f"some {some}full {full}"
        idle, waited = int(100 * seconds * part), int(100 * seconds * part * self.iowait)
        files["proc/stat"] = f"cpu  1 0 1 {1 + idle - waited} {waited} 0 0 0 0 0\ncpu0 1 0 1 1 0 0 0 0 0 0\nbtime 1\n"
        files["proc/uptime"] = f"{self.uptime + seconds * part:.2f} 1.00\n"
        read, written, busy, queued = self.disk
        io = [int(part * n) for n in (read >> 9, written >> 9, 1000 * busy, 1000 * busy * queued)]
        files["proc/diskstats"] = f"   8       0 sda 1 0 {io[0]} 1 1 0 {io[1]} 1 0 {io[2]} {io[3]} 0 0 0 0 0 0\n"
        files["etc/sysctl.d/10-host.conf"] = "kernel.sysrq = 176\n"
        for name, value in self.levels.items():
            path, line = ("proc/meminfo", f"{name}: {value} kB\n") if name[0].isupper() else ("proc/vmstat", "")
            line = line or f"{name} {value}\n"
            kept = (old for old in files[path].splitlines(keepends=True) if old.split()[0].rstrip(":") != name)
            files[path] = "".join(kept) + line
        return files


def group(name, *, limit, current, events, stat, full):
    """The files of a memory cgroup of version 2."""
    folder = f"{CGROUP}/{name}"
    return {
        f"{folder}/memory.current": f"{current}\n",
        f"{folder}/memory.max": f"{limit}\n",
        f"{folder}/memory.high": "max\n",
        f"{folder}/memory.min": "0\n",
        f"{folder}/memory.swap.max": "0\n",
        f"{folder}/memory.events": f"low 0\nhigh 0\nmax {events}\noom 0\noom_kill 0\n",
        f"{folder}/memory.events.local": f"low 0\nhigh 0\nmax {events}\noom 0\noom_kill 0\n",
        f"{folder}/memory.stat": f"anon 200000000\nfile 800000000\nworkingset_refault_anon 0\n"
        f"workingset_refault_file {stat}\nworkingset_restore_anon 0\nworkingset_restore_file 0\n",
        f"{folder}/memory.pressure": f"some avg10=0.00 avg60=0.00 avg300=0.00 total={full}\n"
        f"full avg10=0.00 avg60=0.00 avg300=0.00 total={full}\n",
    }


def scanned(kswapd, direct=0, efficiency=0.98, memcg=0, anon=0.0):
    """Counters of reclaim that add up."""
    everything = kswapd + direct + memcg
    return {
        "pgscan_kswapd": kswapd, "pgsteal_kswapd": int(kswapd * efficiency),
        "pgscan_direct": direct, "pgsteal_direct": int(direct * efficiency),
        "pgscan_anon": int(everything * anon), "pgscan_file": everything - int(everything * anon),
    }  # fmt: skip


MGLRU = {"sys/kernel/mm/lru_gen/enabled": "0x0007\n", "sys/kernel/mm/lru_gen/min_ttl_ms": "0\n"}
ALL_OF_VMSTAT = dict.fromkeys(
    ("allocstall_normal", "allocstall_movable", "pageoutrun", "kswapd_low_wmark_hit_quickly", "pswpin", "pswpout",
     "kswapd_high_wmark_hit_quickly", "workingset_refault_anon", "workingset_refault_file",
     "workingset_restore_anon", "workingset_restore_file", "workingset_activate_file", "pgmajfault", "pgpgin",
     "pgpgout", "compact_stall", "compact_fail", "compact_success", "compact_daemon_migrate_scanned", "oom_kill",
     "thp_fault_alloc", "thp_fault_fallback", "thp_fault_fallback_charge", "thp_split_page",
     "thp_deferred_split_page", "slabs_scanned", "nr_vmscan_immediate_reclaim", "swap_ra", "swap_ra_hit",
     "drop_pagecache", "drop_slab", "pgscan_direct_throttle", "balloon_inflate", "balloon_deflate",
     "workingset_nodereclaim", "htlb_buddy_alloc_fail", "thp_collapse_alloc", "thp_collapse_alloc_failed"), 0
) | scanned(0)  # fmt: skip
YEAR = {
    "allocstall_normal": 4_000_000, "allocstall_movable": 36_000_000, "pageoutrun": 30_000_000,
    "kswapd_low_wmark_hit_quickly": 9_000_000, "pgmajfault": 3_000_000_000, "pgpgin": 900_000_000_000,
    "pgpgout": 700_000_000_000, "pswpin": 400_000_000, "pswpout": 500_000_000, "swap_ra": 300_000_000,
    "swap_ra_hit": 80_000_000, "workingset_refault_anon": 350_000_000, "workingset_refault_file": 40_000_000_000,
    "workingset_restore_file": 15_000_000_000, "workingset_activate_file": 20_000_000_000,
    "workingset_restore_anon": 200_000_000, "compact_stall": 300_000_000, "compact_fail": 230_000_000,
    "compact_success": 70_000_000, "thp_fault_alloc": 900_000_000, "thp_fault_fallback": 2_000_000_000,
    "thp_split_page": 60_000_000, "thp_deferred_split_page": 70_000_000, "oom_kill": 3, "drop_pagecache": 2,
    "slabs_scanned": 900_000_000_000, "nr_vmscan_immediate_reclaim": 9_000_000_000,
    "pgscan_direct_throttle": 70_000, "compact_daemon_migrate_scanned": 3_000_000_000_000,
} | scanned(120_000_000_000, 9_000_000_000, 0.75, anon=0.05)  # fmt: skip

STREAMING = Healthy(
    grown={"pgpgin": 90_000_000, "allocstall_movable": 30, "pageoutrun": 900, "workingset_refault_file": 600,
           "workingset_restore_file": 12, "workingset_activate_file": 30, "kswapd_low_wmark_hit_quickly": 300}
    | scanned(22_800_000, 2000),
    memory=(0.14, 0.12), io=(0.7, 0.5), iowait=0.3, disk=(90_000_000_000, 0, 59.0, 8),
)  # fmt: skip
COPY = Healthy(
    grown={"pgpgin": 10_800_000, "pgpgout": 10_800_000, "allocstall_movable": 150, "pageoutrun": 700,
           "nr_vmscan_immediate_reclaim": 400_000, "workingset_refault_file": 4000, "workingset_restore_file": 300}
    | scanned(6_000_000, 12_000, 0.9),
    memory=(0.02, 0.01), io=(0.9, 0.8), iowait=0.4, disk=(100_000_000, 10_800_000_000, 59.5, 30),
    levels={"nr_dirty": 440_000, "nr_writeback": 60_000, "nr_dirty_threshold": 640_000,
            "nr_dirty_background_threshold": 320_000},
)  # fmt: skip
ROTATING_DISK_COPY = replace(COPY, disk=(100_000_000, 9_000_000_000, 59.5, 30))
IDLE_CACHE = Healthy(cache=0.85, uptime=300 * DAY, before={
    "proc/sys/fs/dentry-state": "6200000\t6000000\t45\t0\t5000000\t0\n",
}, levels={"SReclaimable": 1_600_000})  # fmt: skip
SWAPPED_OUT = Healthy(
    grown={"pswpin": 300, "pswpout": 0, "pgmajfault": 300, "workingset_refault_anon": 280}, cache=0.5,
    swap=(2 * GIB, 0.6, False),
    processes=(Process(7, "java", 2 << 30, 1 << 30, 5, 4 << 30, ("java",)),),
)  # fmt: skip
YEAR_IN_ONE_SAMPLE = Healthy(
    grown=YEAR, uptime=300 * DAY, seconds=300 * DAY, single=True, cache=0.5, swap=(2 * GIB, 0.3, False),
)  # fmt: skip
GENERATIONS = Healthy(
    grown={"pgpgin": 24_000_000, "pageoutrun": 500, "workingset_refault_file": 2_400_000, "allocstall_movable": 20,
           "workingset_activate_file": 2_300_000, "workingset_restore_file": 900, "pgmajfault": 4000}
    | scanned(6_200_000, 1500, 0.93),
    memory=(0.03, 0.02), io=(0.7, 0.6), iowait=0.5, disk=(24_000_000_000, 0, 59.0, 8), before=MGLRU,
)  # fmt: skip
CONTAINERS = Healthy(
    grown={"pgmajfault": 11_000, "pgpgin": 12_000_000, "workingset_refault_file": 900}
    | scanned(5000, 0, 0.99, memcg=3_000_000),
    free=0.3, cache=0.4, memory=(0.07, 0.01),
    settings={"vm.overcommit_memory": 1},
    processes=(Process(9, "kubelet", 1 << 27, 0, 5, None, ("kubelet",)),),
    before=group("log", limit=1 << 30, current=(1 << 30) - 4096, events=1000, stat=0, full=0),
    after=group("log", limit=1 << 30, current=(1 << 30) - 4096, events=4000, stat=600, full=4_500_000),
)  # fmt: skip
TRIMMED = replace(
    CONTAINERS, grown=ALL_OF_VMSTAT | {"pgmajfault": 9000, "workingset_refault_anon": 900, "pswpout": 90_000,
                                       "pswpin": 900} | scanned(0, memcg=900_000, anon=0.6),
    swap=(2 * GIB, 0.4, True), settings={"vm.swappiness": 150, "vm.page-cluster": 0}, processes=(),
    before={}, after={}, memory=(0.06, 0.0),
)  # fmt: skip
FALLBACK = Healthy(
    gib=256, thp="always", cache=0.4, uptime=200 * DAY, free=0.02,
    grown={"thp_fault_alloc": 900, "thp_fault_fallback": 30_000, "compact_stall": 1200, "compact_fail": 1000,
           "compact_success": 200, "pgmajfault": 100, "compact_daemon_migrate_scanned": 2_000_000},
    memory=(0.003, 0.0), levels={"AnonHugePages": 30 * 4 * GIB},
    before={"proc/buddyinfo": "Node 0, zone   Normal 400000 200000 90000 20000 900 0 0 0 0 0 0\n"},
)  # fmt: skip
FALLBACK_IN_ONE_SAMPLE = replace(
    FALLBACK, grown=YEAR, uptime=200 * DAY, seconds=200 * DAY, single=True, memory=(0.002, 0.0),
)  # fmt: skip
HUGETLB_DATABASE = Healthy(
    gib=256, cache=0.12, free=0.004,
    grown={"workingset_refault_file": 30_000, "workingset_restore_file": 6000, "pgpgin": 30_000_000,
           "pageoutrun": 90} | scanned(900_000),
    levels={"AnonPages": 30 * 4 * GIB, "MemAvailable": 20 * 4 * GIB}, memory=(0.004, 0.001),
    processes=(Process(11, "mysqld", 225 << 30, 0, 5, None, ("mysqld",)),),
)  # fmt: skip
FULL_HEAPS = Healthy(
    gib=64, cache=0.05, free=0.01, thp="always",
    grown={"thp_fault_alloc": 900, "thp_deferred_split_page": 300, "thp_split_page": 200},
    levels={"AnonPages": 59 * 4 * GIB, "AnonHugePages": 57 * 4 * GIB, "MemAvailable": 3 * 4 * GIB,
            "nr_anon_pages": 59 * GIB},
    processes=(Process(12, "java", 59 << 30, 0, 5, 58 << 30, ("java",)),),
)  # fmt: skip
ZRAM_DESKTOP = Healthy(
    cache=0.25, swap=(2 * GIB, 0.8, True), before=MGLRU, settings={"vm.swappiness": 150, "vm.page-cluster": 0},
    grown={"pswpin": 12_000, "pswpout": 15_000, "pgmajfault": 14_000, "workingset_refault_anon": 11_900,
           "workingset_refault_file": 30_000, "workingset_activate_file": 27_000, "pageoutrun": 60,
           "allocstall_movable": 80} | scanned(80_000, 5000, 0.7, anon=0.4),
    memory=(0.01, 0.005), levels={"MemAvailable": 9 * GIB},
)  # fmt: skip
BALLOON = Healthy(
    gib=8, cache=0.1, free=0.05, grown={"balloon_inflate": 500_000, "pageoutrun": 300, "allocstall_movable": 90}
    | scanned(480_000, 9000), memory=(0.004, 0.002),
)  # fmt: skip
BUILDS = Healthy(
    cache=0.4, uptime=20 * DAY, thp="always",
    grown={"allocstall_normal": 90, "allocstall_movable": 150, "pageoutrun": 300, "compact_stall": 900,
           "kswapd_low_wmark_hit_quickly": 110, "compact_fail": 500, "compact_success": 400, "pgpgin": 9_000_000,
           "thp_fault_alloc": 20_000, "thp_fault_fallback": 6000, "workingset_refault_file": 20_000,
           "workingset_restore_file": 2000, "pgmajfault": 9000, "pgscan_direct_throttle": 1}
    | scanned(900_000, 80_000, 0.9),
    memory=(0.004, 0.001),
)  # fmt: skip
BACKUP = Healthy(
    gib=32, cache=0.35, uptime=90 * DAY, memory=(0.03, 0.02), io=(0.8, 0.6), iowait=0.3,
    grown={"pgpgin": 18_000_000, "pageoutrun": 800, "workingset_refault_file": 9000, "slabs_scanned": 9_000_000,
           "workingset_restore_file": 300, "pginodesteal": 200, "kswapd_inodesteal": 60_000}
    | scanned(4_400_000, 3000, 0.95),
    levels={"SReclaimable": 13_000_000, "Slab": 14_000_000, "MemAvailable": 20 * 4 * GIB},
    before={"proc/slabinfo": "slabinfo - version: 2.1\n# name <active_objs> <num_objs> <objsize> <objperslab> "
            "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> "
            "<sharedavail>\ndentry 7000000 20000000 192 21 1 : tunables 0 0 0 : slabdata 952380 952380 0\n"},
)  # fmt: skip
FRESH = Healthy(
    gib=4, uptime=50.0, seconds=50.0, single=True, free=0.6, cache=0.2,
    grown={"pgmajfault": 9000, "pgpgin": 1_500_000, "pgpgout": 90_000, "thp_fault_alloc": 40}, memory=(0.02, 0.0),
)  # fmt: skip


def numa():
    """Node 0 is full of page cache; node 1 has room, and new pages spill over to it."""
    taken = Healthy(
        gib=64,
        grown=ALL_OF_VMSTAT
        | {"pgpgin": 30_000_000, "numa_miss": 3_000_000, "pageoutrun": 60, "numa_foreign": 3_000_000}
        | scanned(2_000_000),
    ).capture()
    samples = []
    for index, sample in enumerate(taken.samples):
        text = sample.files["proc/zoneinfo"]
        normal = text[text.index("Node 0, zone   Normal") :]
        pages = int(normal.split("managed")[1].split()[0])
        low = int(normal.split("low")[1].split()[0])
        other = normal.replace("Node 0", "Node 1")
        for name in ("pages free     ", "nr_free_pages "):
            was = normal.split(name)[1].split()[0]
            text = text.replace(f"{name}{was}", f"{name}{low - 100}")
            other = other.replace(f"{name}{was}", f"{name}{pages // 2}")
        cached, grown = pages * 3 // 4, index * 4_000_000
        total = f"MemTotal: {(pages * 2 + 200_000) * 4} kB"
        files = {
            "proc/meminfo": re.sub(r"MemTotal: \d+ kB", total, sample.files["proc/meminfo"]),
            "proc/zoneinfo": text + other,
            "sys/devices/system/node/node0/numastat": f"numa_hit {grown}\nnuma_miss 0\nnuma_foreign {grown}\n",
            "sys/devices/system/node/node1/numastat": f"numa_hit {grown}\nnuma_miss {grown}\nnuma_foreign 0\n",
            "sys/devices/system/node/node0/meminfo": f"Node 0 MemTotal: {pages * 4} kB\nNode 0 MemFree: {low * 4} kB\n"
            f"Node 0 Active(file): {cached * 2} kB\nNode 0 Inactive(file): {cached * 2} kB\n",
            "sys/devices/system/node/node1/meminfo": f"Node 1 MemTotal: {pages * 4} kB\n"
            f"Node 1 MemFree: {pages * 2} kB\nNode 1 Active(file): {pages} kB\nNode 1 Inactive(file): 0 kB\n",
        }
        samples.append(Sample(sample.files | files, sample.monotonic_s))
    return Capture(tuple(samples), processes=taken.processes, kernel_log=BOOTED)


def every_counter(host):
    """The host with all the counters of a current kernel, those that nothing moved included."""
    return replace(host, grown=ALL_OF_VMSTAT | host.grown).capture()


HOSTS = {
    "streaming reads keep kswapd busy, which counts as waiting, and no task waits": every_counter(STREAMING),
    "a large copy, whose writer is paused for the disk as it should": every_counter(COPY),
    "a large copy to a rotating disk": every_counter(ROTATING_DISK_COPY),
    "page cache and names of files fill an idle host": every_counter(IDLE_CACHE),
    "idle memory is in swap and stays there": every_counter(SWAPPED_OUT),
    "one sample after 300 days: all totals are large": every_counter(YEAR_IN_ONE_SAMPLE),
    "with MGLRU nearly every page that is read again counts as activated": every_counter(GENERATIONS),
    "containers at their limits cause all reclaim, and miss nothing of it": every_counter(CONTAINERS),
    "idle memory of containers is taken on purpose": every_counter(TRIMMED),
    "huge pages are scarce after months, and faults go on without": every_counter(FALLBACK),
    "the same, judged by one sample": every_counter(FALLBACK_IN_ONE_SAMPLE),
    "a database holds most of memory": every_counter(HUGETLB_DATABASE),
    "a JVM has touched all of its heap": every_counter(FULL_HEAPS),
    "a desktop swaps to compressed memory": every_counter(ZRAM_DESKTOP),
    "the hypervisor takes memory back": every_counter(BALLOON),
    "builds come in bursts": every_counter(BUILDS),
    "a backup walks through all files": every_counter(BACKUP),
    "a host that has just booted": every_counter(FRESH),
    "one NUMA node is full of page cache and another is not": numa(),
}


@pytest.fixture(scope="module")
def checks():
    return library.load()


@pytest.mark.parametrize("taken", HOSTS.values(), ids=HOSTS)
def test_a_healthy_host_gets_no_more_than_a_remark(taken, checks):
    report = analyse(taken, checks)
    assert [(f.rule, f.entity, f.message) for f in report.failed() if f.severity != "notice"] == []
    assert report.plan.recommendations == ()
    assert report.verdict == "healthy"


@pytest.mark.parametrize("taken", HOSTS.values(), ids=HOSTS)
def test_a_healthy_host_has_data_for_nearly_all_checks(taken, checks):
    counts = analyse(taken, checks).counts
    assert counts["open"] < 12, counts


@pytest.mark.parametrize("taken", HOSTS.values(), ids=HOSTS)
def test_losing_the_pressure_file_accuses_nobody(taken, checks):
    samples = tuple(
        replace(sample, files={path: text for path, text in sample.files.items() if path != "proc/pressure/memory"})
        for sample in taken.samples
    )
    report = analyse(replace(taken, samples=samples), checks)
    assert [(f.rule, f.entity, f.message) for f in report.failed() if f.severity != "notice"] == []
