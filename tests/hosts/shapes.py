"""Kinds of host: what zones and nodes they have, what they swap to, how they reclaim."""

from __future__ import annotations

from dataclasses import dataclass

from tests.hosts.rootfs import BASE, Image


@dataclass(frozen=True)
class Shape:
    """A kind of host.

    What needs a boot of its own is in the first attributes; shapes that differ only in the last three are
    restored from the same saved state.

    Attributes:
        memory_mb: memory.
        below_4g_mb: how much of it lies in DMA32; the rest is in zone Normal.
        nodes: NUMA nodes, with one processor each.
        cmdline: more kernel parameters.
        init: what the guest starts.
        processors: how many.
        icount: while the guest works, its clock counts instructions, each 2**icount ns, and does not see how busy this
            machine is; while it is idle or waits for a disk, the clock goes with that of this machine. For one
            processor: several would take turns, and kernels before 6.12 hang when they start the second.
        image: what is on its disk.
        once: shell commands after the first start, before the state is saved.
        needs: a file without which a kernel cannot have this shape.
        modules: kernel modules to load.
        prepare: shell commands after the start.
    """

    memory_mb: int = 512
    below_4g_mb: int = 128
    nodes: int = 1
    cmdline: str = ""
    init: str = "/sbin/tiny-init"
    processors: int = 2
    icount: int | None = None
    image: Image = BASE
    once: str = ""
    needs: str = ""
    modules: tuple[str, ...] = ()
    prepare: str = ""

    @property
    def boot(self) -> tuple[object, ...]:
        """What has to be the same for a saved state to fit."""
        return (self.memory_mb, self.below_4g_mb, self.nodes, self.cmdline, self.init, self.processors, self.icount,
                self.image, self.once)  # fmt: skip


_LRU_GEN = "/sys/kernel/mm/lru_gen/enabled"
# The size comes before mkswap, the algorithm before the size.
ZRAM = """
swapoff -a
echo 256M > /sys/block/zram0/disksize
mkswap /dev/zram0 > /dev/null
swapon -p 100 /dev/zram0
"""

SHAPES = {
    "normal": Shape(),
    "numa": Shape(memory_mb=768, nodes=2),
    "movable": Shape(cmdline="movablecore=128M"),
    "small": Shape(memory_mb=320),
    "zram": Shape(modules=("zram",), prepare=ZRAM),
    "steady": Shape(memory_mb=320, processors=1, icount=1, modules=("zram",), prepare=ZRAM),
    "noswap": Shape(prepare="swapoff -a"),
    "mglru": Shape(needs=_LRU_GEN, prepare=f"echo y > {_LRU_GEN}"),
    "classic-lru": Shape(needs=_LRU_GEN, prepare=f"echo n > {_LRU_GEN}"),
    "systemd": Shape(init="/sbin/init"),
}
"""Every shape by name; `normal` is 512 MB with zones DMA, DMA32 and Normal, and 1 GiB of swap on a disk."""
