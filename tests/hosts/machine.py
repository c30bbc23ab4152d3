"""One QEMU process: started paused or from a saved state, driven by QMP, dead when we are."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.hosts.errors import HostError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.shapes import Shape

_KERNEL_ARGUMENTS = (
    "console=ttyS0 quiet loglevel=4 net.ifnames=0 panic=-1 mitigations=off nokaslr no_timer_check audit=0 "
    "selinux=0 apparmor=0 random.trust_cpu=on cryptomgr.notests psi=1 swiotlb=noforce"
)
_CONSOLE_LINES = 15
_ALARM = re.compile(r"panic|BUG|Oops|lockup|Out of memory|initramfs:")
_FORWARD = re.compile(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)")


@dataclass(frozen=True)
class Parts:
    """What a machine is made of.

    Attributes:
        kernel: the kernel image.
        initrd: the initramfs.
        shape: memory, nodes, kernel parameters.
        disks: image files, the root disk first, each with whether it is written to itself.
        key: the ssh key that the root disk trusts.
        state: a saved state to go on from.
    """

    kernel: Path
    initrd: Path
    shape: Shape
    disks: tuple[tuple[Path, bool], ...]
    key: Path
    state: Path | None = None


class Machine:
    """A running QEMU.

    Args:
        name: for messages.
        folder: for its console and its temporary disk; must exist.
        parts: what it is made of.

    Attributes:
        port: where its sshd is reached on 127.0.0.1.
    """

    def __init__(self, name: str, folder: Path, parts: Parts) -> None:
        self.name = name
        self._console = folder / "console.log"
        self._errors = folder / "qemu.log"
        self._buffer = b""
        with self._errors.open("wb") as errors:
            # The kernel kills QEMU when this process ends, whatever ends it.
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command(name, self._console, parts)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"TMPDIR": str(folder)},
                bufsize=0,
                start_new_session=True,
            )
        try:
            self._read(time.monotonic() + 60)
            self.qmp("qmp_capabilities")
            self.port = self._forwarded()
            if parts.state is not None:
                self._go_on()
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The process id of QEMU."""
        return self._process.pid

    def status(self) -> str:
        """What QEMU says of itself: running, paused, io-error …; `ended` when it is gone."""
        try:
            return str(self.qmp("query-status", timeout_s=10)["status"])
        except HostError:
            return "ended" if self._process.poll() is not None else "does not answer"

    def console(self) -> str:
        """The last lines of the guest's console, and alarms before them."""
        text = self._console.read_bytes().decode(errors="replace") if self._console.exists() else ""
        lines = text.replace("\r", "").rstrip().split("\n")
        alarms = [line for line in lines[:-_CONSOLE_LINES] if _ALARM.search(line)][-5:]
        return "\n".join(alarms + lines[-_CONSOLE_LINES:]) or "(empty)"

    def failed(self, what: str) -> HostError:
        """An error that says which guest, what, the state of QEMU, and the end of the console."""
        qemu = "; ".join([self.status(), *self._said()])
        return HostError(f"guest {self.name}: {what}\nqemu: {qemu}\nconsole, last lines:\n{self.console()}")

    # What QEMU wrote to its standard error, without its advice about the shape of memory, which is meant.
    def _said(self) -> list[str]:
        lines = self._errors.read_bytes().decode(errors="replace").strip().splitlines()
        return [line for line in lines if "warning:" not in line][-3:]

    def qmp(self, execute: str, arguments: dict[str, Any] | None = None, timeout_s: float = 120) -> Any:
        """Give QEMU a command and return its answer."""
        deadline = time.monotonic() + timeout_s
        request = {"execute": execute} | ({"arguments": arguments} if arguments else {})
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise HostError(f"guest {self.name}: QEMU is gone ({error.strerror})") from None
        while True:
            answer = self._read(deadline)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise HostError(f"guest {self.name}: QMP {execute}: {answer['error']['desc']}")

    def save(self, file: Path) -> None:
        """Stop the guest and write its state; it does not run on."""
        self.qmp("stop")
        self.qmp("migrate-set-parameters", {"max-bandwidth": 8 << 30})
        self.qmp("migrate", {"uri": f"exec:zstd -1 -q -f -o {shlex.quote(str(file))}"})
        self._wait_until("the state was not saved", lambda: self._migration() == "completed")

    def stop(self) -> None:
        """End QEMU; what the guest had not written is lost."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _forwarded(self) -> int:
        found = _FORWARD.search(self.qmp("human-monitor-command", {"command-line": "info usernet"}))
        if not found:
            raise self.failed("no port of this machine leads to it")
        return int(found[1])

    def _go_on(self) -> None:
        self._wait_until("the state was not restored", lambda: self.status() != "inmigrate")
        self.qmp("cont")

    def _migration(self) -> str:
        status = str(self.qmp("query-migrate").get("status"))
        if status == "failed":
            raise self.failed("saving failed; is the disk full?")
        return status

    def _wait_until(self, what: str, done: Any, timeout_s: float = 120) -> None:
        deadline = time.monotonic() + timeout_s
        while not done():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise self.failed(what)
            time.sleep(0.03)

    def _read(self, deadline: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(self._process.stdout.fileno(), 65536) if ready else b""
            if not piece:
                raise HostError(
                    f"guest {self.name}: QEMU {'ended' if ready else 'does not answer'}: "
                    f"{'; '.join(self._said()) or 'no word'}"
                )
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer


def command(name: str, console: Path, parts: Parts) -> list[str]:
    """The command line of QEMU."""
    shape = parts.shape
    machine = f"q35,max-ram-below-4g={shape.below_4g_mb}M"
    words = [
        "qemu-system-x86_64",
        "-name",
        name.replace(",", ",,"),
        "-M",
        machine,
    ]
    words += ["-accel", f"tcg,thread={'multi' if shape.icount is None else 'single'},tb-size=64"]
    words += [] if shape.icount is None else ["-icount", f"shift={shape.icount}"]
    words += ["-cpu", "max,la57=off", "-smp", str(shape.processors), "-m", str(shape.memory_mb)]
    words += ["-nodefaults", "-no-user-config", "-display", "none", "-serial", f"file:{_quoted(console)}"]
    words += ["-chardev", "stdio,id=q,signal=off", "-mon", "chardev=q,mode=control"]
    words += ["-kernel", str(parts.kernel), "-initrd", str(parts.initrd)]
    words += ["-append", f"{_KERNEL_ARGUMENTS} rinit={shape.init} {shape.cmdline}".strip()]
    for number, (image, written) in enumerate(parts.disks):
        keep = "cache=unsafe" if written else "snapshot=on"
        form = "qcow2" if image.suffix == ".qcow2" else "raw"
        words += ["-drive", f"file={_quoted(image)},format={form},if=none,id=d{number},discard=unmap,{keep}"]
        words += ["-device", f"virtio-blk-pci,drive=d{number},id=disk{number}"]
    # Port 0: the kernel picks a free one, so two runs never take the same. restrict: no way out.
    words += ["-netdev", "user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:0-:22"]
    words += ["-device", "virtio-net-pci,netdev=n,romfile="]
    if shape.nodes > 1:
        for node in range(shape.nodes):
            size = shape.memory_mb // shape.nodes
            words += ["-object", f"memory-backend-ram,id=m{node},size={size}M"]
            words += ["-numa", f"node,nodeid={node},memdev=m{node},cpus={node}"]
    # A kernel that panics at its first boot would boot and panic for ever.
    return words + (["-incoming", f"exec:zstd -dcq {shlex.quote(str(parts.state))}"] if parts.state else ["-no-reboot"])


# QEMU splits option values at commas.
def _quoted(path: Path) -> str:
    return str(path).replace(",", ",,")
