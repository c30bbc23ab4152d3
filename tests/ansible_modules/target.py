"""A folder that stands for the root of a target, and calls on it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.ansible_modules import drive

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).parents[2]
COLLECTIONS = REPOSITORY / ".cache" / "collections"

MOST = 2000
"""More steps than any call has."""

SYSCTL = "/etc/sysctl.d/99-zz-memadvisor.conf"
TMPFILES = "/etc/tmpfiles.d/00-memadvisor.conf"
THP = "/sys/kernel/mm/transparent_hugepage/enabled"
FILES = {
    "/proc/sys/kernel/random/boot_id": "b0070000-0000-4000-8000-000000000001\n",
    "/proc/sys/kernel/hostname": "db1\n",
    "/proc/sys/vm/dirty_bytes": "0\n",
    "/proc/sys/vm/dirty_ratio": "20\n",
    "/proc/sys/vm/lowmem_reserve_ratio": "256\t256\t32\t0\t0\n",
    "/proc/sys/vm/min_free_kbytes": "67584\n",
    "/proc/sys/vm/swappiness": "60\n",
    THP: "always [madvise] never\n",
    "/etc/hostname": "db1\n",
    SYSCTL: "# ours\nvm.swappiness = 60\n",
}


def link_collection() -> None:
    """Make ansible/ importable as ansible_collections.memadvisor.linux."""
    link = COLLECTIONS / "ansible_collections" / "memadvisor" / "linux"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(REPOSITORY / "ansible")
    if str(COLLECTIONS) not in sys.path:
        sys.path.insert(0, str(COLLECTIONS))


class Target:
    """A fake root with plain files.

    Args:
        root: an empty folder.
        python: the interpreter that calls run under.
        files: text by path.
    """

    def __init__(self, root: Path, python: str = sys.executable, files: Mapping[str, str] = FILES) -> None:
        self.root = root
        self.python = python
        for path, text in files.items():
            self.put(path, text)

    def put(self, path: str, text: str) -> None:
        """Write a file."""
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def path(self, path: str) -> Path:
        """A path below the root."""
        return self.root / path.lstrip("/")

    def text(self, path: str) -> str | None:
        """What a file holds; None when there is none."""
        file = self.path(path)
        return file.read_text() if file.exists() else None

    def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Run a call in a process of its own and return its answer."""
        process = self.start(name, **arguments)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        answer: dict[str, Any] = json.loads(output)
        return answer

    def start(self, name: str, /, *, kill_at: int | None = None, **arguments: Any) -> subprocess.Popen[str]:
        """Start a call in a process of its own, perhaps to be killed at one of its steps, see `drive`."""
        request = {"collections": str(COLLECTIONS), **self._request(name, arguments)}
        if kill_at is not None:
            request["kill_at"] = kill_at
        process = subprocess.Popen(
            [self.python, "-B", str(drive.__file__)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(json.dumps(request))
        process.stdin.close()
        process.stdin = None
        return process

    def cut_off(self, kill_at: int, name: str, /, *, how: Mapping[str, bool] | None = None, **arguments: Any) -> bool:
        """Run a call that is killed at one of its steps, see `drive`; whether it came so far (0: never)."""
        child = os.fork()
        if child == 0:
            try:
                drive.cut_off(self._request(name, arguments), kill_at, **(how or {}))
            finally:
                os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL

    def _request(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"call": name, "arguments": {"root": str(self.root), **arguments}}

    def result(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """The result of a call that must succeed."""
        answer = self.call(name, **arguments)
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def error(self, name: str, /, **arguments: Any) -> str:
        """The message of a call that must fail: one line."""
        answer = self.call(name, **arguments)
        assert "error" in answer, answer
        assert "\n" not in answer["error"]
        message: str = answer["error"]
        return message

    def write(self, setting: str, value: str, **more: Any) -> dict[str, Any]:
        """One entry of `writes`, made for what is there now."""
        path = THP if setting == "thp.enabled" else "/proc/sys/" + setting.replace(".", "/")
        before = self.text(path)
        entry = {
            "setting": setting, "path": path, "before": None if before is None else " ".join(before.split()),
            "value": value, "accept": "int", "bounds": None, "also": [], "undo": "restore", "undo_not": [],
        }  # fmt: skip
        return {**entry, **more}

    def file(self, path: str, content: str | None) -> dict[str, Any]:
        """One entry of `files`, made for what is there now."""
        now = self.text(path)
        digest = None if now is None else hashlib.sha256(now.encode()).hexdigest()
        return {"path": path, "before_sha256": digest, "content": content, "mode": "0644"}

    def document(self, *entries: dict[str, Any], name: str = "t1", **more: Any) -> dict[str, Any]:
        """A transaction of some writes and files."""
        return {
            "format": "memadvisor/transaction/1", "id": name, "purpose": "present",
            "host": {"boot_id": None, "managed_pages": None, "hostname": None},
            "writes": [entry for entry in entries if "setting" in entry],
            "files": [entry for entry in entries if "content" in entry], "confirm_s": None, **more,
        }  # fmt: skip

    def big(self, **more: Any) -> dict[str, Any]:
        """A transaction of three values and two files, one of them new, in a new folder."""
        return self.document(
            self.write("thp.enabled", "never", accept="choice", also=["/proc/sys/vm/min_free_kbytes"]),
            self.write("vm.lowmem_reserve_ratio", "128 128 32 0 0", accept="ints"),
            self.write("vm.swappiness", "10"),
            self.file(SYSCTL, "# ours\nvm.swappiness = 10\nvm.lowmem_reserve_ratio = 128 128 32 0 0\n"),
            self.file(TMPFILES, f"w- {THP} - - - - never\n"),
            **more,
        )

    def less(self, document: dict[str, Any], setting: str) -> dict[str, Any]:
        """What takes one setting out of a transaction that waits, as `confirm` wants it."""
        (entry,) = [entry for entry in document["writes"] if entry["setting"] == setting]
        value = re.sub(r".*\[(.*)\].*", r"\1", entry["before"])
        name = entry["path"] if setting == "thp.enabled" else setting
        texts = {file["path"]: file["content"].splitlines(keepends=True) for file in document["files"]}
        left = {path: "".join(line for line in lines if name not in line) or None for path, lines in texts.items()}
        back = self.document(self.write(setting, value, accept=entry["accept"]),
                             *(self.file(path, text) for path, text in left.items()))  # fmt: skip
        return {"settings": [setting], "document": back}

    def state(self) -> dict[str, str]:
        """The value of every setting, every file below /etc, and every folder."""
        found = {}
        for path in sorted(path for top in ("proc", "sys", "etc") for path in (self.root / top).rglob("*")):
            name = "/" + str(path.relative_to(self.root))
            found[name] = path.read_text() if path.is_file() else "folder"
            if not name.startswith("/etc"):  # a plain file does not show the other choices again
                found[name] = re.sub(r".*\[(.*)\].*", r"\1", " ".join(found[name].split()))
        return found

    def settled(self, timeout_s: float = 30) -> Mapping[str, str]:
        """The state once no guardian is at work: when the lock can be had and no transaction is open."""
        deadline = time.monotonic() + timeout_s
        path = self.path("/var/lib/memadvisor/lock")
        while path.exists():
            with path.open() as lock, contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            assert time.monotonic() < deadline, "the lock is never given back"
            time.sleep(0.002)
        return self.state()

    def open(self) -> list[str]:
        """The names of transactions that have not ended."""
        folder = self.path("/var/lib/memadvisor/open")
        names = sorted(path.parent.name for path in folder.glob("*/journal.json"))
        return [name for name in names if not name.endswith(".tmp")]  # never begun
