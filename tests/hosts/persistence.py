"""What systemd-sysctl and `sysctl --system` of a guest make of the cases of `tests/persistence.py`.

`python -m tests.hosts.persistence` measures all and writes `tests/persistence.json`.
"""

from __future__ import annotations

import json
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.hosts import debian
from tests.hosts.states import Hosts
from tests.persistence import CASES, MEASURED, START, WRITE_START, WRITES, Case

if TYPE_CHECKING:
    from tests.hosts.guest import Guest

KERNEL = "6.12"
READERS = {
    "systemd 252": "/lib/systemd/systemd-sysctl",
    "procps 4.0.2": "sysctl -q --system",
    "procps 3.3.17": "LD_LIBRARY_PATH=/opt/old /opt/old/sysctl -q --system",
}
"""The command of each reader, by the version that Debian 12 (and before it 11) has."""

TMPFILES = "systemd-tmpfiles 252"
_THP = "/sys/kernel/mm/transparent_hugepage/enabled"

_OLD = ("3.3.17", ("sbin/sysctl", "lib/x86_64-linux-gnu/libprocps.so.8"))
_FOLDERS = tuple(
    f"{root}/{kind}" for root in ("etc", "run", "usr/local/lib", "usr/lib") for kind in ("sysctl.d", "tmpfiles.d")
)
_EMPTY = f"rm -rf {' '.join(f'/{folder}' for folder in _FOLDERS)} /etc/sysctl.conf /etc/ufw /root/kept-elsewhere.conf\n"


def measure(guest: Guest) -> dict[str, dict[str, dict[str, int | str]]]:
    """The value of each setting, by case and reader."""
    _install_old(guest)
    starts = {f"/proc/sys/{key.replace('.', '/')}": (key, str(value)) for key, value in START.items()}
    script = "".join(_script(name, case, READERS, starts) for name, case in CASES.items())
    tmpfiles = {TMPFILES: "systemd-tmpfiles --create --prefix=/sys/kernel/mm"}
    thp = {_THP: ("thp.enabled", WRITE_START)}
    script += "".join(_script(f"tmpfiles: {name}", case, tmpfiles, thp) for name, case in WRITES.items())
    found: dict[str, dict[str, dict[str, int | str]]] = {}
    for line in guest.run("sh -s", data=script.encode(), timeout_s=1200).splitlines():
        name, reader, key, text = line.split("\t")
        value = text.partition("[")[2].partition("]")[0] or int(text)
        found.setdefault(name, {}).setdefault(reader, {})[key] = value
    return found


def versions(guest: Guest) -> str:
    """What the readers say of themselves."""
    return guest.run(
        "/lib/systemd/systemd-sysctl --version | head -1; sysctl --version; "
        "LD_LIBRARY_PATH=/opt/old /opt/old/sysctl --version"
    )


# All of it in one visit: writes the files of a case, lets each reader apply them, prints what runs then.
def _script(name: str, case: Case, readers: dict[str, str], starts: dict[str, tuple[str, str]]) -> str:
    lines = [_EMPTY, f"mkdir -p {' '.join(f'/{folder}' for folder in _FOLDERS)}\n"]
    for path, text in case.files.items():
        lines.append(f"mkdir -p {shlex.quote(str(Path('/', path).parent))}\nprintf %s {shlex.quote(text)} > /{path}\n")
    lines += [f"ln -s {shlex.quote(target)} /{path}\n" for path, target in case.links.items()]
    for reader, command in readers.items():
        lines += [f"echo {value} > {path}\n" for path, (_key, value) in starts.items() if value != "0"]
        lines.append(f"{command} > /dev/null 2>&1\n")
        for path, (key, _value) in starts.items():
            words = " ".join(map(shlex.quote, (name, reader, key)))
            lines.append(f"printf '%s\\t%s\\t%s\\t' {words}\ncat {path}\n")
    return "".join(lines)


def _install_old(guest: Guest) -> None:
    version, files = _OLD
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for package in ("procps", "libprocps8"):
            newest = next(found for found in debian.versions(package) if version in found)
            debian.unpack(folder, package, newest)
        for file in files:
            guest.put((folder / file).read_bytes(), f"/opt/old/{Path(file).name}", "755")


if __name__ == "__main__":
    with Hosts() as hosts:
        machine = hosts.start(KERNEL, "normal")
        results = measure(machine)
        print(versions(machine))
    MEASURED.write_text(json.dumps(results, indent=1) + "\n")
