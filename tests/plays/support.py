"""Made-up hosts, and ansible-playbook on them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from advisor.capture.open import open_capture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = Path(__file__).parent.parent.parent
CAPTURES = ROOT / "tests" / "captures"
STATE = "var/lib/memadvisor"


def plant(root: Path, capture: str) -> Path:
    """A folder with the files of a recorded host. Without an uptime its clock is the controller's, which goes on."""
    files = dict(open_capture(str(CAPTURES / f"{capture}.tar.xz")).samples[0].files)
    files["proc/sys/kernel/hostname"] = f"{root.name}\n"
    files["proc/sys/kernel/random/boot_id"] = "11111111-2222-3333-4444-555555555555\n"
    for path, text in files.items():
        if path != "proc/uptime":
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8", errors="surrogateescape")
    for folder in ("etc/sysctl.d", "etc/tmpfiles.d", "var/lib"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    return root


def enlarge(root: Path, factor: int) -> None:
    """Give a host so many times its memory, as far as budgets look at it."""
    for path, lines in (
        ("proc/meminfo", r"^(?:Mem\w+|Active|Inactive|Cached): +(\d+) kB"),
        ("proc/zoneinfo", r"^ +(?:pages free|spanned|present|managed|nr_free_pages) +(\d+)"),
        ("proc/vmstat", r"^nr_(?:free_pages|zone_\w+|\w+active_\w+) (\d+)"),
    ):
        text = (root / path).read_text()
        grown = re.sub(lines, lambda m: m[0].replace(m[1], str(int(m[1]) * factor)), text, flags=re.MULTILINE)
        (root / path).write_text(grown)


def tree(root: Path) -> dict[str, bytes]:
    """Every file of a host but those in which memadvisor remembers."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())
    found = {str(path.relative_to(root)): path.read_bytes() for path in files}
    return {path: data for path, data in found.items() if not path.startswith(STATE)}


@dataclass
class Run:
    """What a run did.

    Attributes:
        code: of ansible-playbook.
        output: what it printed.
        said: (host, task, kind, result), in order.
    """

    code: int
    output: str
    said: list[tuple[str, str, str, dict[str, Any]]]

    def of(self, task: str, host: str = "h1") -> dict[str, Any]:
        """What a task said of a host last."""
        found = [result for where, what, _kind, result in self.said if (where, what) == (host, task)]
        assert found, f"no '{task}' of {host} in:\n{self.output}"
        return found[-1]

    def hosts(self, task: str, *kinds: str) -> set[str]:
        """The hosts on which a task ended so."""
        return {host for host, what, kind, _result in self.said if what == task and kind in kinds}


class Controller:
    """A folder in which ansible-playbook runs, with the collection of this checkout.

    Args:
        folder: for everything that a run writes.
        inventory: its hosts.
    """

    def __init__(self, folder: Path, inventory: dict[str, Any]) -> None:
        self.folder = folder
        self.inventory = folder / "inventory.yml"
        self.inventory.write_text(yaml.safe_dump(inventory))
        place = folder / "collections" / "ansible_collections" / "memadvisor"
        place.mkdir(parents=True)
        (place / "linux").symlink_to(ROOT / "ansible")
        (folder / "bin").mkdir()

    def environment(self) -> dict[str, str]:
        """For runs: all that Ansible writes stays in our folder."""
        return {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
            "XDG_STATE_HOME": str(self.folder / "state"),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callbacks"),
            "ANSIBLE_CALLBACKS_ENABLED": "memadvisor.linux.fleet_report",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_PIPELINING": "1",
            "MEMADVISOR_FLEET_REPORT": str(self.folder / "fleet.json"),
            "RECORDER_FILE": str(self.folder / "said.jsonl"),
        }

    def play(self, playbook: str | list[Any], *arguments: str, **variables: Any) -> Run:
        """Run a playbook of the collection by its name, or the plays of a list.

        Args:
            playbook: its name, or plays.
            arguments: for ansible-playbook.
            variables: extra ones.
        """
        if isinstance(playbook, list):
            file = self.folder / "play.yml"
            file.write_text(yaml.safe_dump(playbook))
            playbook = str(file)
        record = self.folder / "said.jsonl"
        record.unlink(missing_ok=True)
        ended = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", "-i", self.inventory, playbook, *arguments,
             "--extra-vars", json.dumps(variables)],
            env=self.environment(), cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        lines = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
        said = [(line["host"], line["task"], line["kind"], line["result"]) for line in lines]
        return Run(ended.returncode, ended.stdout + ended.stderr, said)

    def tasks(self, *tasks: dict[str, Any], arguments: Iterable[str] = ()) -> Run:
        """Run tasks on all hosts."""
        return self.play([{"hosts": "all", "gather_facts": False, "tasks": list(tasks)}], *arguments)


class Fleet(Controller):
    """Made-up hosts, and a controller of them.

    Args:
        folder: for the hosts and everything that a run writes.
        capture: what the hosts are like.
        names: of the hosts.
        variables: of all of them.
    """

    def __init__(
        self,
        folder: Path,
        capture: str = "6.12-pressure",
        names: Sequence[str] = ("h1",),
        variables: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        shared = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "tune_become": False,
            "tune_window": 1,
            "tune_samples": 2,
            "tune_settle": 0,
            "tune_report_dir": str(folder / "reports"),
            "tune_root": f"{folder}/hosts/{{{{ inventory_hostname }}}}",
            **variables,
        }
        super().__init__(folder, {"all": {"vars": shared, "hosts": {name: {} for name in names}}})
        self.names = names
        for name in names:
            plant(self.root(name), capture)

    def root(self, name: str = "h1") -> Path:
        """The folder that stands for the root of a host."""
        return self.folder / "hosts" / name

    def read(self, path: str, name: str = "h1") -> str:
        """A file of a host, without white space around it."""
        return (self.root(name) / path).read_text().strip()

    def trees(self) -> dict[str, dict[str, bytes]]:
        """All files of all hosts."""
        return {name: tree(self.root(name)) for name in self.names}
