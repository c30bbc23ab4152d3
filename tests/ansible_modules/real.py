"""Kills transactions on the host that this runs on, which is a guest: its own /proc/sys and /etc.

python3 -m tests.ansible_modules.real faults|guarded|survivor
"""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

from tests.ansible_modules.target import MOST, SYSCTL, THP, TMPFILES, Target, link_collection

VALUES = [
    THP, "/proc/sys/vm/min_free_kbytes", "/proc/sys/vm/dirty_bytes", "/proc/sys/vm/dirty_ratio",
    "/proc/sys/vm/dirty_background_bytes", "/proc/sys/vm/dirty_background_ratio", "/proc/sys/vm/swappiness",
    "/proc/sys/vm/watermark_scale_factor", "/proc/sys/vm/lowmem_reserve_ratio",
]  # fmt: skip
STATE = Path("/var/lib/memadvisor")


class Host(Target):
    """This host."""

    def __init__(self):
        super().__init__(Path("/"), sys.executable, files={})

    def state(self):
        """The settings that `big` touches or moves, and the folders of drop-ins."""
        found = {path: " ".join(self.text(path).split()) for path in VALUES}
        for folder in ("/etc/sysctl.d", "/etc/tmpfiles.d"):
            found.update((str(path), path.read_text()) for path in sorted(Path(folder).iterdir()))
        return found

    def big(self, **more):
        """A transaction of five values, coupled ones among them, and two files, one of them new."""
        thp = "madvise" if "[always]" in self.text(THP) else "always"
        return self.document(
            self.write("thp.enabled", thp, accept="choice", also=["/proc/sys/vm/min_free_kbytes"]),
            self.write("vm.min_free_kbytes", "23456"),
            self.write("vm.dirty_bytes", "134217728", also=["/proc/sys/vm/dirty_ratio"], undo_not=["0"]),
            self.write("vm.dirty_background_ratio", "3", also=["/proc/sys/vm/dirty_background_bytes"]),
            self.write("vm.lowmem_reserve_ratio", "128 128 32 0", accept="ints"),
            self.write("vm.swappiness", "11"),
            self.file(SYSCTL, "vm.min_free_kbytes = 23456\nvm.dirty_bytes = 134217728\nvm.swappiness = 11\n"),
            self.file(TMPFILES, f"w- {THP} - - - - {thp}\n"),
            **more,
        )


def whole(host):
    """The states before and after the transaction; the host is as before when this returns."""
    old, document = host.state(), host.big()
    host.result("apply", document=document)
    new = host.settled()
    back(host, old)
    return old, new, document


def back(host, old):
    """Bring a state back by hand."""
    for path in VALUES * 2:  # some values move others
        text = old[path].split("[")[-1].split("]")[0]
        with contextlib.suppress(OSError):  # 0 of a pair, which is written by the other one
            Path(path).write_text(text)
    for name in (SYSCTL, TMPFILES):
        if name in old:
            Path(name).write_text(old[name])
        else:
            Path(name).unlink(missing_ok=True)
    subprocess.run(["rm", "-rf", STATE], check=True)
    now = host.state()
    assert now == old, {
        key: (old.get(key), now.get(key)) for key in old.keys() | now.keys() if old.get(key) != now.get(key)
    }


def faults(with_guardian):
    """Kill at each operation; print how many there were and how they ended."""
    host = Host()
    old, new, document = whole(host)
    ends = {"old": 0, "new": 0}
    for step in range(1, MOST):
        if not host.cut_off(step, "apply", how={"with_guardian": with_guardian}, document=document):
            break
        if with_guardian:
            host.settled()
            host.cut_off(0, "recover")
        state = host.settled()
        assert state in (old, new), f"killed at step {step}: {state}"
        ends["old" if state == old else "new"] += 1
        back(host, old)
    print(json.dumps(ends))


def survivor():
    """Kill a transaction that is to be confirmed, and its guardian, half done; print when somebody has undone it."""
    host = Host()
    old, _new, document = whole(host)
    for step in range(112, MOST, 3):  # from about where values are written
        document = {**document, "id": f"s{step}", "confirm_s": 8}
        host.cut_off(step, "apply", how={"with_guardian": True}, document=document)
        if host.text("/proc/sys/vm/dirty_bytes") != "0\n":
            break
        host.cut_off(0, "recover")
        back(host, old)
    start = time.monotonic()
    while host.state() != old and time.monotonic() < start + 120:
        time.sleep(0.2)
    print(json.dumps({"undone": host.settled() == old, "open": host.open()}))


if __name__ == "__main__":
    link_collection()
    {"faults": lambda: faults(False), "guarded": lambda: faults(True), "survivor": survivor}[sys.argv[1]]()
