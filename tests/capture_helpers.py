"""Trees, archives and clocks that the tests of `advisor.capture` are made of."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from advisor.capture.live import Clock

if TYPE_CHECKING:
    from pathlib import Path

VMSTAT = "nr_free_pages 1000\npgfault 5\n"
HOST = {
    "proc/vmstat": VMSTAT,
    "proc/meminfo": "MemTotal:        2048 kB\n",
    "proc/pressure/memory": "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n",
    "proc/zoneinfo": "Node 0, zone      DMA\n",
    "proc/uptime": "100.00 200.00\n",
    "proc/sys/vm/swappiness": "60\n",
    "proc/sys/vm/drop_caches": "0\n",
    "proc/sys/kernel/hostname": "db1\n",
    "sys/devices/system/node/node0/vmstat": "nr_free_pages 1000\n",
    "sys/devices/system/node/has_cpu": "0\n",
    "etc/sysctl.d/10-swap.conf": "vm.swappiness = 60\n",
}


def plant(root: Path, files: dict[str, str] | None = None) -> Path:
    """Write files below a folder; by default those of a small host."""
    for path, text in (HOST if files is None else files).items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
    return root


def tar(path: Path, *members: tarfile.TarInfo | tuple[str, str], mode: str = "w:gz") -> str:
    """Write an archive of (name, text) pairs and of ready members, which hold no data."""
    with tarfile.open(path, mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1].encode())
                archive.addfile(info, io.BytesIO(member[1].encode()))
    return str(path)


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A member without data: a link, a device, a folder."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


class FakeTime:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []
        self.clock = Clock(now=self.now, wall=lambda: self.seconds + 1e9, sleep=self.sleep)

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
