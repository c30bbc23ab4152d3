"""Guests that boot once for each kernel and shape, and are restored from then on."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import IO

from tests.hosts import tools
from tests.hosts.cache import built, call, home, key
from tests.hosts.errors import UnfitKernelError
from tests.hosts.guest import Guest
from tests.hosts.initramfs import initramfs
from tests.hosts.kernels import Kernel, kernel
from tests.hosts.machine import Machine, Parts, command
from tests.hosts.rootfs import rootfs
from tests.hosts.shapes import SHAPES, Shape

# What a saved state starts from: nothing in flight, no memory of the boot in the page cache.
_SETTLE = "sync; echo 3 > /proc/sys/vm/drop_caches; grep -q '^SwapCached: *0 kB' /proc/meminfo"


class Hosts:
    """The guests of one run; leaving the context ends them all and removes what they wrote."""

    def __init__(self) -> None:
        self._guests: list[Guest] = []
        self._numbers = itertools.count()
        self._folder, self._lock = _run_folder()

    def __enter__(self) -> Hosts:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop_all()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.close()

    def stop_all(self) -> None:
        """End every guest."""
        while self._guests:
            self._guests.pop().stop()

    def start(self, kernel_name: str, shape: str | Shape = "normal") -> Guest:
        """A guest with this kernel and shape, ready for commands.

        Args:
            kernel_name: one of `kernels.KERNELS`.
            shape: one of `shapes.SHAPES`, or another.

        Raises:
            HostError: it cannot be built or does not come up.
            UnfitKernelError: the kernel lacks what the shape is about.
        """
        found, parts = _parts(kernel_name, shape)
        state = self._state(found, parts)
        disks = tuple((disk, False) for disk in sorted(state.glob("disk*.qcow2")))
        saved = replace(parts, disks=disks, state=state / "memory.zst")
        guest = self._guest(_name(kernel_name, shape), found, saved)
        guest.wait()
        _prepare(guest, parts.shape)
        return guest

    def boot(self, kernel_name: str, shape_name: str = "normal", *, init: str | None = None) -> Guest:
        """A guest that has just been started, not waited for; perhaps with another init than the shape's."""
        found, parts = _parts(kernel_name, shape_name)
        parts = replace(parts, shape=replace(parts.shape, init=init or parts.shape.init))
        return self._guest(_name(kernel_name, shape_name), found, parts)

    def _guest(self, name: str, found: Kernel, parts: Parts) -> Guest:
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        guest = Guest(Machine(name, folder, parts), found, parts.key, folder)
        self._guests.append(guest)
        return guest

    # The folder of a saved state: the disks and the memory of a guest that has booted.
    def _state(self, found: Kernel, parts: Parts) -> Path:
        line = command("", Path(), replace(parts, disks=()))
        version = key(line, [disk.parent.name for disk, _ in parts.disks], parts.shape.once, _SETTLE, _qemu_version())
        # Shapes that boot alike share a state, whichever of them comes first.
        name = f"state-{found.name}-{key(parts.shape.boot)[:4]}"
        return built(name, version, lambda folder: self._save(folder, found, parts))

    def _save(self, folder: Path, found: Kernel, parts: Parts) -> None:
        disks = []
        for number, (image, _) in enumerate(parts.disks):
            disks.append((folder / f"disk{number}.qcow2", True))
            call("disk", ["qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "raw", disks[-1][0]])
        start = time.monotonic()
        guest = self._guest(f"{found.name} (first boot)", found, replace(parts, disks=tuple(disks)))
        guest.wait()
        if parts.shape.once:
            guest.run(f"set -e\n{parts.shape.once}", timeout_s=600)
        guest.run(_SETTLE)
        guest.disconnect()
        guest.machine.save(folder / "memory.zst")
        guest.stop()
        self._guests.remove(guest)
        print(f"booted and saved {folder.name} ({found.release}) in {time.monotonic() - start:.1f} s", flush=True)


def _parts(kernel_name: str, shape: str | Shape) -> tuple[Kernel, Parts]:
    tools.require(tools.RUN)
    shape = SHAPES[shape] if isinstance(shape, str) else shape
    found, root = kernel(kernel_name), rootfs(shape.image)
    disks = (root / "root.img", False), (root / "swap.img", False)
    return found, Parts(found.image, initramfs(found), shape, disks, root / "id")


def _name(kernel_name: str, shape: str | Shape) -> str:
    return f"{kernel_name}-{shape if isinstance(shape, str) else shape.image.name}"


def _prepare(guest: Guest, shape: Shape) -> None:
    guest.run(f"date -s @{time.time():.0f} > /dev/null")
    if shape.needs and not guest.run(f"[ -e {shape.needs} ] && echo yes; true"):
        raise UnfitKernelError(f"kernel {guest.kernel.release} has no {shape.needs}")
    for module in shape.modules:
        guest.load_modules(module)
    if shape.prepare:
        guest.run(f"set -e\n{shape.prepare}")


def _qemu_version() -> str:
    return call("qemu", ["qemu-system-x86_64", "--version"]).split("\n")[0]


# A folder that only this process uses. Its lock is open as long as we live: folders without are left-overs. Nobody else
# clears up between the making of a folder and of its lock: it would take the folder for one of them.
def _run_folder() -> tuple[Path, IO[bytes]]:
    runs = home() / "run"
    runs.mkdir(exist_ok=True)
    with (home() / "run.lock").open("wb") as clearing:
        fcntl.flock(clearing, fcntl.LOCK_EX)
        for folder in runs.iterdir():
            with contextlib.suppress(OSError), (folder / "lock").open("wb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
        folder = Path(tempfile.mkdtemp(dir=runs))
        lock = (folder / "lock").open("wb")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock
