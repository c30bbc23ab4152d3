"""Commands in a guest, over one ssh connection on 127.0.0.1."""

from __future__ import annotations

import socket
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"
"""Where every guest is reached, each at a port of its own."""

USER = "root"
"""Who logs in."""

_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": "30",
    "LogLevel": "ERROR",
    "ServerAliveCountMax": "6",
    "ServerAliveInterval": "10",
    "StrictHostKeyChecking": "no",
    "UserKnownHostsFile": "/dev/null",
}


def options(key: Path) -> list[str]:
    """The options of ssh for a guest: its key, and no configuration of this machine."""
    words = ["-F", "/dev/null", "-i", str(key)]
    return words + [word for name, value in _OPTIONS.items() for word in ("-o", f"{name}={value}")]


class Ssh:
    """A way into a guest.

    Args:
        port: of its sshd on 127.0.0.1.
        key: the private key.
        folder: where the control socket lies; the commands run in it, for the path of a socket has to be short.
    """

    def __init__(self, port: int, key: Path, folder: Path) -> None:
        self._words = ["ssh", *options(key), "-o", "ControlPath=ssh", "-p", str(port), f"{USER}@{HOST}"]
        self._port = port
        self._folder = folder
        self._master: subprocess.Popen[bytes] | None = None

    def answers(self) -> bool:
        """Whether an sshd sends its greeting within two seconds."""
        try:
            with socket.create_connection((HOST, self._port), 2) as connection:
                connection.settimeout(2)
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def connect(self) -> bool:
        """Open the connection that commands share; whether that worked."""
        self.close()
        self._master = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *self._words[:-1], "-M", "-N", self._words[-1]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        deadline = time.monotonic() + 60
        while self._master.poll() is None and time.monotonic() < deadline:
            if (self._folder / "ssh").exists():
                return True
            time.sleep(0.02)
        self.close()
        return False

    def start(self, script: str, stdin: int, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
        """Start a shell script in the guest."""
        return subprocess.Popen([*self._words, script], stdin=stdin, stdout=stdout, stderr=stderr, cwd=self._folder)

    def close(self) -> None:
        """Close the connection."""
        if self._master is not None:
            self._master.kill()
            self._master.wait()
            self._master = None
        (self._folder / "ssh").unlink(missing_ok=True)
