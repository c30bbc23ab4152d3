"""Ways to put a guest under pressure, and look-alikes that are none, each with what a good report says of it.

A scenario is data: shell scripts for the guest, limits of its disks, classes of diagnosis. Classes and names of
recommendations are those of the report.
"""

from __future__ import annotations

from dataclasses import dataclass

MB = 1 << 20

NEVER_HELPS = ("vm.watermark_scale_factor", "vm.min_free_kbytes")
"""Settings whose increase takes memory away from a host that has too little."""


@dataclass(frozen=True)
class Scenario:
    """One way to load a guest.

    Attributes:
        expected: classes of which at least one has to be found, at warning or above; none: the host is healthy.
        also: further classes that are right or defensible; any other at warning or above is wrong.
        load: script that is started and goes on.
        shape: kind of guest.
        setup: script that runs to its end before.
        ready: text in the output of the load that says that the pressure is there; empty: no waiting.
        settle_s: seconds from then to the first sample.
        window_s: seconds between the first and the last sample.
        disks: bytes and requests per second of the disks during the measurement; 0 is no limit.
        unadvised: settings whose increase must not be advised.
        quick: whether it belongs to the quick run.
    """

    expected: frozenset[str]
    load: str
    also: frozenset[str] = frozenset()
    shape: str = "normal"
    setup: str = ""
    ready: str = "ready"
    settle_s: float = 5
    window_s: float = 24
    disks: tuple[tuple[str, int, int], ...] = ()
    unadvised: tuple[str, ...] = ()
    quick: bool = False


def _is(*classes: str) -> frozenset[str]:
    return frozenset(classes)


# Pipes filled page by page in turn, so that neighbouring pages belong to different pipes; every second pipe is
# closed again. What stays cannot be moved. Then pipes whose table needs 64 KiB in one piece.
_FRAGMENT = """\
import fcntl, os, resource, time
resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536))
available = int(next(l for l in open("/proc/meminfo") if l.startswith("MemAvailable")).split()[1])
pipes = [os.pipe() for _ in range((available - 65536) // 68)]
page = bytes(4096)
for _ in range(16):
    for _, end in pipes:
        os.write(end, page)
for pair in pipes[::2]:
    for end in pair:
        os.close(end)
print("ready", flush=True)
held = []
while True:
    pair = os.pipe()
    try:
        fcntl.fcntl(pair[1], 1031, 4 << 20)  # F_SETPIPE_SZ
        held.append(pair)
    except OSError:
        for end in pair:
            os.close(end)
    time.sleep(0.01)
"""
# Touches pages of a mapped file at random, as programs do with their own.
_TOUCH = """\
import mmap, random
with open("/data", "rb") as file:
    pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
pages.madvise(mmap.MADV_RANDOM)
count = len(pages) >> 12
while True:
    pages[random.randrange(count) << 12]
"""
_FILE = "dd if=/dev/zero of=/data bs=1M count={mb} 2> /dev/null; sync; echo 3 > /proc/sys/vm/drop_caches"

SCENARIOS = {
    "swap-thrash": Scenario(
        _is("swap_thrash"),
        "memhog thrash 600 600",
        also=_is("memory_pressure"),
        disks=(("d1", 0, 1000),),
        unadvised=NEVER_HELPS,
        quick=True,
    ),
    "file-thrash": Scenario(
        _is("thrashing_file"),
        "memhog hold 260 600 & for i in 1 2 3; do python3 /run/touch.py & done; sleep 20; echo warm; wait",
        also=_is("memory_pressure"),
        shape="noswap",
        setup=f"{_FILE.format(mb=240)}; cat > /run/touch.py <<'END'\n{_TOUCH}END",
        ready="warm",
        disks=(("d0", 0, 2500),),
        unadvised=NEVER_HELPS,
    ),
    # On 7.3 tasks compact here more often than they reclaim: compact_stall rose by 12 a second, allocstall by 4, and no
    # fault asked for a huge page. So the kernel itself counts it as a compaction stall there.
    "bursts": Scenario(
        _is("direct_reclaim_stall", "watermark_too_low"),
        "while :; do cat /dev/vdb; done > /dev/null & for i in 1 2 3; do memhog burst 70 600 150 & done; wait",
        also=_is("compaction_stall"),
        shape="noswap",
        setup="echo 1024 > /proc/sys/vm/min_free_kbytes; echo 10 > /proc/sys/vm/watermark_scale_factor",
        ready="",
        settle_s=15,
        quick=True,
    ),
    "fragmentation": Scenario(
        _is("fragmentation", "compaction_stall"),
        "exec python3 /run/fragment.py",
        setup=f"cat > /run/fragment.py <<'END'\n{_FRAGMENT}END",
        unadvised=("vm.watermark_scale_factor",),
        quick=True,
    ),
    "thp-stalls": Scenario(
        _is("thp_cost", "compaction_stall"),
        "memhog frag 160 600 & while :; do cat /dev/vdb; done > /dev/null & memhog huge 80 600 & memhog huge 80 600",
        also=_is("fragmentation", "direct_reclaim_stall"),
        setup="cd /sys/kernel/mm/transparent_hugepage; echo always > enabled; echo always > defrag",
        unadvised=NEVER_HELPS,
    ),
    "cgroup-limit": Scenario(
        _is("cgroup_pressure"),
        "echo 0 > /sys/fs/cgroup/full/cgroup.procs && exec memhog thrash 100 600",
        setup="echo +memory > /sys/fs/cgroup/cgroup.subtree_control; mkdir /sys/fs/cgroup/full; "
        "echo 64M > /sys/fs/cgroup/full/memory.max",
        disks=(("d1", 0, 1000),),
        unadvised=(*NEVER_HELPS, "capacity.ram"),
        quick=True,
    ),
    "slab-growth": Scenario(
        _is("slab_leak"),
        "exec memhog slab 260 40",
        setup="echo 1000000000 > /proc/sys/kernel/msgmnb",
        ready="",
        window_s=36,
        unadvised=NEVER_HELPS,
    ),
    "dirty-stall": Scenario(
        _is("dirty_writeback_stall"),
        "for i in 1 2 3; do while :; do dd if=/dev/zero of=/blob$i bs=1M count=100 2> /dev/null; done & done; wait",
        ready="",
        settle_s=10,
        disks=(("d0", 3 * MB, 0),),
        unadvised=NEVER_HELPS,
    ),
    "node-imbalance": Scenario(
        _is("numa_imbalance"),
        "echo 0 > /sys/fs/cgroup/bound/cgroup.procs && exec memhog thrash 420 600",
        also=_is("swap_thrash", "memory_pressure"),
        shape="numa",
        setup="echo +cpuset > /sys/fs/cgroup/cgroup.subtree_control; mkdir /sys/fs/cgroup/bound; "
        "echo 0 > /sys/fs/cgroup/bound/cpuset.mems",
        disks=(("d1", 0, 1000),),
    ),
    "oom-kill": Scenario(
        _is("oom_memory_exhaustion", "undersized_ram"),
        "for i in 1 2 3; do while :; do memhog hold 200 60; sleep 2; done & done; wait",
        also=_is("memory_pressure", "thrashing_file"),
        shape="noswap",
        ready="",
        unadvised=NEVER_HELPS,
    ),
    "streaming-read": Scenario(
        _is(),
        "while :; do cat /dev/vdb; done > /dev/null",
        ready="",
        settle_s=10,
        disks=(("d1", 25 * MB, 0),),
        quick=True,
    ),
    "large-copy": Scenario(_is(), "sleep 4; cp /data /copy; sync", setup=_FILE.format(mb=260), ready="", settle_s=0),
    "cache-idle": Scenario(_is(), "cat /dev/vdb > /dev/null; echo ready; sleep 600", settle_s=3),
    "swapped-out-idle": Scenario(
        _is(),
        "memhog hold 300 600 & sleep 8; memhog hold 330 1; echo idle; wait",
        ready="idle",
        settle_s=10,
    ),
}
"""Every scenario by name."""
