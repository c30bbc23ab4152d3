"""What keeps the guests busy. A load goes on for as long as its guest runs, the same all the time.

A service answers requests, each of which takes memory for a moment and reads pages of a file that is hot, beside a read
of a disk from one end to the other, as a backup or a scan does it, and a job that holds memory. The requests take more
than lies between the marks min and low, so they reclaim themselves although all of it is easy to reclaim: what
vm.watermark_scale_factor is for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.effect.trial import program
from tests.hosts.shapes import Shape

if TYPE_CHECKING:
    from tests.hosts.guest import Guest

_MB = 1 << 20
_HOT_MB = 8
_HOT_MB_S = 15
_REQUESTS_S = 1000
# Disks are slow by the guest's own clock; were QEMU to slow them down, that would go by the clock of this machine, and
# the load would grow when it is busy.
_GROUP = """
set -e
cd /sys/fs/cgroup
echo +io > cgroup.subtree_control
mkdir load
"""
_IN_GROUP = "echo 0 > /sys/fs/cgroup/load/cgroup.procs; "

# Longer than any series; the load ends with its guest.
_FOREVER_S = 86400


@dataclass(frozen=True)
class Load:
    """A load.

    Attributes:
        title: what it is.
        shape: the guest.
        held_mb: what the job holds and never looks at again.
        request_kb: what a request takes for a moment.
        period_ms: time from one request to the next.
        pages: how many pages of the hot file a request reads.
        stream_mb: what is read of the second disk, per second.
    """

    title: str
    shape: Shape
    held_mb: int
    request_kb: int
    period_ms: int
    pages: int
    stream_mb: int

    def start(self, guest: Guest) -> None:
        """Start it; it goes on after this returns."""
        guest.put(program().read_bytes(), "/run/load", "755")
        guest.run(f"dd if=/dev/urandom of=/data bs=1M count={_HOT_MB} 2> /dev/null; sync", timeout_s=300)
        guest.spawn(f"exec /run/load grow {self.held_mb} 0.0001 {_FOREVER_S}")
        guest.run("until grep -q ready /run/spawned.log; do sleep 0.2; done", timeout_s=300)
        guest.run(f"{_GROUP}{_slow('vda', _HOT_MB_S)}{_slow('vdb', self.stream_mb)}")
        guest.spawn(f"{_IN_GROUP}while :; do cat /dev/vdb; done > /dev/null", "/dev/null")
        words = f"0 {_FOREVER_S} {self.period_ms} {self.request_kb} {self.pages} 1"
        guest.spawn(f"{_IN_GROUP}exec /run/load serve /data {words}", "/dev/null")


def _slow(disk: str, mb_per_s: int) -> str:
    limits = f"rbps={mb_per_s * _MB} wbps={mb_per_s * _MB} riops={_REQUESTS_S} wiops={_REQUESTS_S}"
    return f"echo $(cat /sys/block/{disk}/dev) {limits} > load/io.max\n"


_LARGE = Load("requests of 8 MB, no swap", Shape(memory_mb=320, processors=1, icount=2, prepare="swapoff -a"),
              held_mb=100, request_kb=8192, period_ms=400, pages=64, stream_mb=10)  # fmt: skip

LOADS = {"large": _LARGE, "heavy": replace(_LARGE, title="the same, and more of it", period_ms=300, stream_mb=16)}
"""Every load by name. The widest marks that our limits allow do not suffice for a large request. Under the heavy load
advice comes at once; under the other one it may take some rounds."""
