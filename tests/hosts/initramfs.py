"""A first root of one busybox: loads modules, mounts the disk, turns on swap and network, goes on to the real init."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.hosts import debian
from tests.hosts.cache import built, key

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.kernels import Kernel

_INIT = """\
#!/bin/busybox sh
B=/bin/busybox
$B mount -t proc proc /proc; $B mount -t sysfs sys /sys; $B mount -t devtmpfs dev /dev
for file in /modules/*.ko; do $B insmod $file; done
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 400 ]; do $B usleep 50000; tries=$((tries + 1)); done
$B swapon /dev/vdb
$B ip link set lo up; $B ip link set eth0 up
$B ip addr add 10.0.2.15/24 dev eth0; $B ip route add default via 10.0.2.2
$B mount -t ext4 -o rw,noatime /dev/vda /root || echo 'initramfs: no root disk' > /dev/console
init=/sbin/init
for word in $($B cat /proc/cmdline); do case $word in rinit=*) init=${word#rinit=};; esac; done
for folder in proc sys dev; do $B mount -o move /$folder /root/$folder; done
exec $B switch_root /root $init
"""


def initramfs(kernel: Kernel) -> Path:
    """The initramfs of a kernel, built when it is not there yet."""
    version = key(kernel.release, kernel.folder.name, _INIT)
    return built(f"initramfs-{kernel.name}", version, lambda folder: _build(kernel, folder)) / "initrd.gz"


def _build(kernel: Kernel, folder: Path) -> None:
    tree = folder / "tree"
    for name in ("bin", "dev", "modules", "proc", "root", "sys"):
        (tree / name).mkdir(parents=True)
    busybox = debian.busybox()
    shutil.copy(busybox, tree / "bin/busybox")
    for module in kernel.modules("boot"):
        shutil.copy(module, tree / "modules")
    (tree / "init").write_text(_INIT)
    (tree / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    archive = subprocess.run(
        [busybox, "cpio", "-o", "-H", "newc"], input=names.encode(), cwd=tree, capture_output=True, check=True
    ).stdout
    (folder / "initrd.gz").write_bytes(gzip.compress(archive, 6))
    shutil.rmtree(tree)
