"""A guest, as a test holds it."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.capture import shell
from advisor.capture.write import write_capture
from tests.hosts.errors import HostError
from tests.hosts.ssh import HOST, USER, Ssh

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.hosts.kernels import Kernel
    from tests.hosts.machine import Machine

DISKS = ("d0", "d1")
"""The root disk and the swap disk, as QEMU knows them."""

_BOOT_ID = "cat /proc/sys/kernel/random/boot_id"


class Guest:
    """A running host.

    Every method raises HostError when the guest does not do as asked: with its name, what was asked, and the
    last lines of its console.

    Args:
        machine: the process it runs in.
        kernel: its kernel.
        key: the ssh key that it trusts.
        folder: a folder of its own, short of path.

    Attributes:
        name: for messages.
        kernel: its kernel.
        host: where its sshd is reached: 127.0.0.1.
        port: the port there.
        user: who logs in: root.
        key: the file of the private key.
    """

    host = HOST
    user = USER

    def __init__(self, machine: Machine, kernel: Kernel, key: Path, folder: Path) -> None:
        self.name = machine.name
        self.kernel = kernel
        self.port = machine.port
        self.key = key
        self.machine = machine
        self._folder = folder
        self._ssh = Ssh(machine.port, key, folder)

    def wait(self, timeout_s: float = 300) -> None:
        """Return when commands can be given."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.machine.status() in {"running", "inmigrate"}:
            if self._ssh.answers() and self._ssh.connect():
                return
            time.sleep(0.1)
        raise self.machine.failed(f"no ssh until now ({timeout_s - deadline + time.monotonic():.0f} s)")

    def run(self, script: str, *, timeout_s: float = 120, data: bytes = b"", ok: bool = True) -> str:
        """Run a shell script and return what it prints.

        Args:
            script: for the guest's sh.
            timeout_s: how long it may take.
            data: its standard input.
            ok: whether it has to succeed.
        """
        return self.run_bytes(script, timeout_s=timeout_s, data=data, ok=ok).decode(errors="replace")

    def run_bytes(self, script: str, *, timeout_s: float = 120, data: bytes = b"", ok: bool = True) -> bytes:
        """The same, for output that is no text."""
        pipe = subprocess.PIPE
        process = self._ssh.start(script, pipe, pipe, pipe)
        shown = " ".join(script.split())[:100]
        try:
            output, errors = process.communicate(data, timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            self._ssh.close()  # it holds the pipes of the command, which would keep us here
            process.communicate()
            raise self.machine.failed(f"no end after {timeout_s:g} s: {shown}") from None
        if process.returncode == 255:  # ssh's own
            raise self.machine.failed(f"ssh was lost in: {shown}\n{errors.decode(errors='replace').strip()}")
        if process.returncode and ok:
            said = (errors or output).decode(errors="replace").strip()[-600:]
            raise self.machine.failed(f"exit code {process.returncode} of: {shown}\n{said}")
        return output

    def put(self, data: bytes, path: str, mode: str = "644") -> None:
        """Write a file."""
        target = shlex.quote(path)
        self.run(f"mkdir -p {shlex.quote(str(Path(path).parent))} && cat > {target} && chmod {mode} {target}",
                 data=data)  # fmt: skip

    def get(self, path: str) -> bytes:
        """Read a file."""
        return self.run_bytes(f"cat {shlex.quote(path)}")

    def capture(self, window_s: float = 0, samples: int = 1, only: Sequence[str] = ()) -> bytes:
        """Take a capture with the guest's shell alone; the answer is an archive that `advisor` reads.

        Args:
            window_s: time from the first sample to the last.
            samples: how many.
            only: see `advisor.capture.shell.script`.
        """
        script = shell.script(samples=samples, window_s=window_s, only=only)
        taken = shell.read_visit(self.run(script, timeout_s=window_s + 60 * samples + 120), self.name)
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "guest.tar.gz"
            write_capture(taken, str(archive))
            return archive.read_bytes()

    def spawn(self, script: str, log: str = "/run/spawned.log") -> None:
        """Start a shell script that goes on after this returns."""
        self.run(f"nohup sh -c {shlex.quote(script)} < /dev/null > {log} 2>&1 &")

    def reboot(self, timeout_s: float = 300) -> None:
        """Restart the guest and wait for it; what is on its disk stays."""
        before = self.run(_BOOT_ID)
        units = self.run("[ -d /run/systemd/system ] && echo yes; true").strip()
        with contextlib.suppress(HostError):
            self.run("systemctl reboot" if units else "sync; for key in s u b; do echo $key; done | "
                     "while read key; do echo $key > /proc/sysrq-trigger; done", timeout_s=20)  # fmt: skip
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self._ssh.close()
            self.wait(deadline - time.monotonic())
            with contextlib.suppress(HostError):
                if self.run(_BOOT_ID, timeout_s=60) != before:
                    return
            time.sleep(0.5)
        raise self.machine.failed("it did not restart")

    def throttle(self, disk: str = DISKS[0], *, bytes_per_s: int = 0, requests_per_s: int = 0) -> None:
        """Slow a disk down; 0 is no limit."""
        zeros = dict.fromkeys(("bps_rd", "bps_wr", "iops_rd", "iops_wr"), 0)
        limits = {"device": disk, "bps": bytes_per_s, "iops": requests_per_s}
        self.machine.qmp("block_set_io_throttle", zeros | limits)

    def group(self, name: str, limits: Mapping[str, str]) -> None:
        """Make a cgroup (version 2) below the root, with limits such as `{"memory.max": "64M"}`."""
        folder = f"/sys/fs/cgroup/{name}"
        lines = [f"echo {value} > {folder}/{limit}" for limit, value in limits.items()]
        first = f"set -e; echo +memory > /sys/fs/cgroup/cgroup.subtree_control; mkdir {folder}"
        self.run("\n".join([first, *lines]))

    @staticmethod
    def in_group(name: str, script: str) -> str:
        """A shell script that runs another one in a cgroup."""
        return f"echo 0 > /sys/fs/cgroup/{name}/cgroup.procs && exec sh -c {shlex.quote(script)}"

    def load_modules(self, name: str) -> None:
        """Load a kernel module that is not on the guest's disk, and what it depends on."""
        for file in self.kernel.modules(name):
            self.put(file.read_bytes(), "/run/module.ko")
            self.run("insmod /run/module.ko 2>/run/error || grep -q exists /run/error; rm /run/module.ko")

    def disconnect(self) -> None:
        """Close the connection; `wait` opens it again."""
        self._ssh.close()

    def stop(self) -> None:
        """End the guest at once."""
        self._ssh.close()
        self.machine.stop()
