"""A guest that fails says which one it is and shows its console; nothing of it stays."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hosts import tools
from tests.hosts.__main__ import UNAVAILABLE
from tests.hosts.cache import home
from tests.hosts.errors import HostError
from tests.hosts.states import Hosts

_RUN = """
import time
from tests.hosts.states import Hosts
with Hosts() as hosts:
    guest = hosts.start("6.12", "normal")
    print(guest.machine.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"MEMADVISOR_DEBIAN_MIRROR": "http://127.0.0.1:1"}, r"http://127\.0\.0\.1:1 does not give what is needed"),
        ({"PATH": "/nonexistent"}, "as root: apt-get install .*qemu-system-x86"),
    ],
    ids=["no mirror", "no programs"],
)
def test_a_machine_without_what_is_needed_is_told_apart_from_a_failure(tmp_path, changed, words):
    if "PATH" not in changed and tools.missing(tools.RUN | tools.BUILD):
        pytest.skip("the programs for test hosts are not installed")
    environment = os.environ | {"MEMADVISOR_HOSTS_CACHE": str(tmp_path)} | changed
    command = [sys.executable, "-m", "tests.hosts", "prepare"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout.count("Traceback")) == (UNAVAILABLE, 0)
    assert re.search(words, done.stderr)


@pytest.mark.hosts
def test_a_guest_that_hangs(start_guest):
    guest = start_guest("6.12", "normal")
    guest.machine.qmp("stop")
    with pytest.raises(HostError, match=r"(?s)^guest 6\.12-normal: no end after 3 s: true\nqemu: paused\nconsole"):
        guest.run("true", timeout_s=3)


@pytest.mark.hosts
def test_a_boot_that_fails(hosts, start_guest):
    guest = hosts.boot("6.12", "normal", init="/no/such/init")
    start = time.monotonic()
    with pytest.raises(HostError, match=r"(?s)^guest 6\.12-normal: .*qemu: .*console, last lines:.*panic"):
        guest.wait(120)
    assert time.monotonic() - start < 100


@pytest.mark.hosts
def test_a_full_disk(start_guest):
    guest = start_guest("6.12", "normal")
    guest.run("fallocate -l $(df --output=avail -B1 / | tail -1) /full; cat /dev/zero > /reserve || true")
    with pytest.raises(HostError, match=r"(?s)^guest 6\.12-normal: exit code .*No space left on device"):
        guest.put(bytes(1 << 20), "/more")


@pytest.mark.hosts
def test_a_lost_connection(start_guest):
    guest = start_guest("6.12", "normal")
    guest.spawn("sleep 1; pkill -9 sshd")
    with pytest.raises(HostError, match=r"(?s)^guest 6\.12-normal: ssh was lost in: sleep 30\n.*qemu: running"):
        guest.run("sleep 30")


@pytest.mark.hosts
def test_a_command_that_fails(start_guest):
    with pytest.raises(HostError, match=r"(?s)exit code 3 of: echo oh no; exit 3\noh no\nqemu: running"):
        start_guest("6.12", "normal").run("echo oh no; exit 3")


@pytest.mark.hosts
def test_a_guest_dies_with_its_run_even_when_that_is_killed(hosts):
    run = subprocess.Popen([sys.executable, "-c", _RUN], stdout=subprocess.PIPE, text=True)
    pid = int(run.stdout.readline())
    assert re.search(r"qemu", Path(f"/proc/{pid}/comm").read_text())
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    deadline = time.monotonic() + 20
    while _lives(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _lives(pid)
    with Hosts():
        folders = list((home() / "run").iterdir())
    assert len(folders) == 2  # of this run, and of the one just ended: what the killed one left is gone


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Who died and has no parent to ask about it is a zombie until init looks.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
