"""Speed of the Ansible collection, as ratios of plays run in turns; `python bench/ansible.py`.

Hosts are this machine by ssh over loopback, with an sshd of our own; settings are written to made-up roots. Needs root
and sshd. ansible.posix is measured where it is found in .cache/bench-ansible:
pip install --no-deps --target .cache/bench-ansible 'ansible>=12,<13'
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path = [place for place in sys.path if Path(place or ".").resolve() != ROOT / "bench"]  # this file is no ansible

from tests.plays.support import plant  # noqa: E402

POSIX = ROOT / ".cache" / "bench-ansible"
HOSTS, FORKS, ROUNDS = 50, 25, int(os.environ.get("ROUNDS", "3"))
FEW = 10
SETTINGS = ("vm.swappiness", "vm.vfs_cache_pressure", "vm.dirty_ratio", "vm.dirty_background_ratio",
            "vm.dirty_expire_centisecs", "vm.dirty_writeback_centisecs", "vm.page-cluster", "vm.extfrag_threshold",
            "vm.compaction_proactiveness", "vm.stat_interval")  # fmt: skip
VALUES = ((30, 90, 15, 5, 2000, 400, 2, 400, 30, 2), (40, 80, 18, 6, 2500, 450, 1, 450, 40, 3))


def main() -> None:
    """Prints every figure with its goal."""
    print(f"{os.cpu_count()} processors, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}, "
          f"medians of {ROUNDS}\n")  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Bench(Path(folder)) as bench:
        bench.report()
        bench.apply()


def say(what: str, found: str, goal: str) -> None:
    """One line of the table."""
    print(f"{what:<64} {found:<26} goal: {goal}", flush=True)


class Bench:
    """An sshd on loopback, and plays against it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.turn = 0

    def __enter__(self) -> Bench:
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        (self.folder / "sshd_config").write_text(
            f"Port {self.port}\nHostKey {self.folder}/host\nAuthorizedKeysFile {self.folder}/user.pub\n"
            "ListenAddress 127.0.0.1\nStrictModes no\nUsePAM no\nMaxStartups 500\nMaxSessions 50\n"
            f"PidFile none\nPermitRootLogin yes\nSetEnv HOME={self.folder}\n"  # what this user's shell loads is no cost
        )
        Path("/run/sshd").mkdir(exist_ok=True)
        command = [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", self.folder / "sshd_config"]
        self.sshd = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        collections = self.folder / "collections" / "ansible_collections" / "memadvisor"
        collections.mkdir(parents=True)
        (collections / "linux").symlink_to(ROOT / "ansible")
        for number in range(1, FEW + 1):
            plant(self.folder / "hosts" / f"h{number}", "6.12-idle")
        time.sleep(1)
        return self

    def __exit__(self, *_: object) -> None:
        self.sshd.terminate()
        self.sshd.wait()

    def inventory(self, count: int) -> Path:
        """A file with so many hosts, each with a connection of its own."""
        options = f"-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -i {self.folder}/user"
        shared = {
            "ansible_host": "127.0.0.1",
            "ansible_control_path": f"{self.folder}/{{{{ inventory_hostname }}}}",
            "ansible_port": self.port,
            "ansible_user": getpass.getuser(),
            "ansible_ssh_common_args": options,
            "ansible_python_interpreter": sys.executable,
            "root": f"{self.folder}/hosts/{{{{ inventory_hostname }}}}",
        }
        hosts: dict[str, dict[str, str]] = {f"h{number}": {} for number in range(1, count + 1)}
        file = self.folder / f"{count}.yml"
        file.write_text(json.dumps({"all": {"vars": shared, "hosts": hosts}}))
        return file

    def play(self, tasks: list[dict[str, Any]], count: int, *, watch: bool = False) -> tuple[float, float]:
        """Runs tasks on so many hosts: seconds, and with `watch` the most memory of all forks together, in MiB."""
        file = self.folder / "play.yml"
        file.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
        environment = {
            **os.environ,
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_COLLECTIONS_PATH": f"{self.folder / 'collections'}:{POSIX}",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_FORKS": str(FORKS),
        }
        start = time.monotonic()
        command = [sys.executable, "-m", "ansible", "playbook", "-i", self.inventory(count), file]
        process = subprocess.Popen(command, env=environment, cwd=self.folder, stdout=subprocess.PIPE)
        peak = Peak(process.pid)
        if watch:
            peak.start()
        output = process.communicate()[0]
        seconds = time.monotonic() - start
        peak.done = True
        if process.returncode:
            raise SystemExit(output.decode()[-3000:])
        return seconds, peak.mib

    def report(self) -> None:
        """A report of many hosts against the same play with nothing but ping."""
        pause = {"ansible.builtin.pause": {"seconds": 1}}
        ping: dict[str, Any] = {"ansible.builtin.ping": {}}
        info = "memadvisor.linux.memory_info"
        judged = [
            {info: {}, "register": "first"},
            pause,
            {info: {"previous": "{{ first.capture }}"}, "register": "second"},
            {"memadvisor.linux.advise": {"capture": "{{ second.capture }}"}},
        ]
        ours, theirs = [], []
        for _ in range(ROUNDS):
            theirs.append(self.play([ping, pause, ping, ping], HOSTS)[0])
            ours.append(self.play(judged, HOSTS)[0])
        ratio = median(ours) / median(theirs)
        say(f"report of {HOSTS} hosts, {FORKS} forks, against the same play with ping",
            f"{ratio:.2f} ({median(ours):.1f} s : {median(theirs):.1f} s)", "1.5 at most")  # fmt: skip
        mib, bare = (self.play(tasks, HOSTS, watch=True)[1] for tasks in (judged, [ping]))
        say(f"memory of a fork, all of them and their parent over {FORKS}",
            f"{mib / FORKS:.1f} MiB (ping: {bare / FORKS:.1f})", "30 MB at most")  # fmt: skip
        self.payload()

    def payload(self) -> None:
        """What a host sends, compressed."""
        from advisor.capture import shell  # noqa: PLC0415

        scripts = {
            "first visit": shell.script(),
            "first visit, without kernel messages": shell.script(kernel_log=False),
            "second visit": shell.script(again=True),
        }
        for what, script in scripts.items():
            sent = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout
            say(f"what this host sends: {what}", f"{len(sent) * 3 / 4 / 1000:.1f} kB", "20 kB at most")

    def apply(self) -> None:
        """Ten settings at once, against ping and against ten items of ansible.posix.sysctl."""
        once, sysctl = [], []
        apply, nothing, ping = [], [], [{"ansible.builtin.ping": {}}]
        for _ in range(ROUNDS):
            once.append(self.play(ping, FEW)[0])
            values = self.values()
            task = {"memadvisor.linux.settings": {"root": "{{ root }}", "settings": values}}
            apply.append(self.play([task], FEW)[0])
            nothing.append(self.play([task], FEW)[0])
            if (POSIX / "ansible_collections" / "ansible" / "posix").is_dir():
                sysctl.append(self.play([self.sysctl(values)], FEW)[0])
        say(f"10 settings applied on {FEW} hosts, against one ping",
            f"{median(apply) / median(once):.2f} ({median(apply):.1f} s : {median(once):.1f} s)",
            "1.5 at most")  # fmt: skip
        say("the same when all is so already", f"{median(nothing) / median(once):.2f} ({median(nothing):.1f} s)", "-")
        if sysctl:
            say("ten items of ansible.posix.sysctl (file only) against it",
                f"{median(sysctl) / median(apply):.1f} times ({median(sysctl):.1f} s)", "5 times at least")  # fmt: skip
        else:
            print(f"ansible.posix is not in {POSIX}: not compared")

    def values(self) -> dict[str, int]:
        """Other values in each turn, so that there is something to change."""
        self.turn += 1
        return dict(zip(SETTINGS, VALUES[self.turn % 2], strict=True))

    def sysctl(self, values: dict[str, int]) -> dict[str, Any]:
        """The same by ansible.posix.sysctl, into a file of its own; it does not write what runs."""
        return {
            "ansible.posix.sysctl": {
                "name": "{{ item.key }}",
                "value": "{{ item.value }}",
                "sysctl_file": "{{ root }}/etc/sysctl.d/50-theirs.conf",
                "reload": False,
            },
            "loop": [{"key": name, "value": value} for name, value in values.items()],
        }


class Peak(threading.Thread):
    """The most memory (PSS) that a process and those of its children that run Ansible have had together."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.mib, self.done = pid, 0.0, False

    def run(self) -> None:
        """Looks until told to stop."""
        while not self.done:
            self.mib = max(self.mib, sum(pss_mib(pid) for pid in [self.pid, *children(self.pid)]))
            time.sleep(0.2)


def children(pid: int) -> list[int]:
    """The forks of ansible-playbook; ssh and what it runs are not ours."""
    found = []
    with contextlib.suppress(OSError):
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            with contextlib.suppress(OSError):
                if b"ansible" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0ssh")[0]:
                    found += [child, *children(child)]
    return found


def pss_mib(pid: int) -> float:
    """The share of a process in memory."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


if __name__ == "__main__":
    main()
