"""One trial: a fresh guest, one watermark_scale_factor, the load, and what came of it."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.effect.table import PERIOD_MS
from tests.hosts import cache as store

if TYPE_CHECKING:
    from tests.hosts.guest import Guest
    from tests.hosts.states import Hosts

SHAPE = "steady"
"""320 MB, one processor, a clock that counts instructions; what is swapped is compressed by whoever reclaims."""

FACTOR = "/proc/sys/vm/watermark_scale_factor"

WARM_S = 3
WINDOW_S = 12
"""Warming up, and what is measured. 12 s: 300 requests, so that a p99 has three beyond it, and 15 in five repeats."""

WORKERS = 2
_BURST_KB = 3072
_PAGES = 64
_DATA_MB = 8
# 8 MB that are read all the time: the service's own data, which fits. The batch job first fills the guest up to about
# 40 MB, then goes on; 6 MB/s for 17 s fit into the swap of 256 MB.
_GROW = (200, 6)
_DISK = {"bytes_per_s": 30 << 20, "requests_per_s": 2000}

COUNTERS = {
    "allocstall": r"allocstall(_\w+)?",
    "pgscan_direct": "pgscan_direct",
    "pgsteal_direct": "pgsteal_direct",
    "pgscan_kswapd": "pgscan_kswapd",
    "pgsteal_kswapd": "pgsteal_kswapd",
    "kswapd_low_wmark_hit_quickly": "kswapd_low_wmark_hit_quickly",
    "workingset_refault_file": "workingset_refault_file",
    "workingset_refault_anon": "workingset_refault_anon",
    "pswpin": "pswpin",
    "pswpout": "pswpout",
    "pgmajfault": "pgmajfault",
}
"""What is counted during the window, and the lines of /proc/vmstat that are summed for it."""

_READ = (
    "echo uptime $(cut -d' ' -f1 /proc/uptime); cat /proc/vmstat; sed 's/^/psi_/; s/ .*total=/ /' /proc/pressure/memory"
)
_MEMORY = ("MemAvailable", "MemFree", "Active(file)", "Inactive(file)")
_SERVED = "while pgrep -xf '/run/load serve .*' > /dev/null; do sleep 0.2; done"
_READY = "until grep -q ready /run/spawned.log; do sleep 0.2; done"


def trial(hosts: Hosts, kernel: str, factor: int) -> dict[str, Any]:
    """Run the load on a fresh guest and return what was measured, ready to be kept as JSON.

    Keys: `kernel` (release), `factor`, `load` (load average of this machine before and after, over one minute),
    `window_s`, one per COUNTERS, `psi_some_ms` and `psi_full_ms` (time in the window), `memory_kb` (at its end),
    `latency_ms` (every request of the window).
    """
    load_before = os.getloadavg()[0]
    guest = hosts.start(kernel, SHAPE)
    start_load(guest, factor)
    words = guest.run(f"{_READ}; sleep {WINDOW_S}; echo; {_READ}", timeout_s=300)
    before, after = (_counters(part) for part in words.split("\n\n"))
    window = after["uptime"] - before["uptime"]
    memory = _memory(guest)
    guest.run(_SERVED, timeout_s=120)
    latency = [float(word) for word in guest.run("cat /run/served.*").split()]
    hosts.stop_all()
    return {
        "kernel": guest.kernel.release,
        "factor": factor,
        "load": [round(load_before, 1), round(os.getloadavg()[0], 1)],
        "window_s": round(window, 1),
        **{name: _delta(before, after, lines) for name, lines in COUNTERS.items()},
        "psi_some_ms": _delta(before, after, "psi_some") // 1000,
        "psi_full_ms": _delta(before, after, "psi_full") // 1000,
        "memory_kb": memory,
        "latency_ms": latency,
    }


def start_load(guest: Guest, factor: int) -> None:
    """Set the factor, start the load, and return when it has warmed up."""
    guest.put(program().read_bytes(), "/run/load", "755")
    guest.run(f"dd if=/dev/zero of=/data bs=1M count={_DATA_MB} 2> /dev/null; sync; echo {factor} > {FACTOR}")
    guest.spawn(f"/run/load grow {_GROW[0]} {_GROW[1]} {WARM_S + WINDOW_S + 2}")
    guest.run(_READY)
    guest.throttle(**_DISK)
    words = f"{WARM_S} {WINDOW_S} {PERIOD_MS} {_BURST_KB} {_PAGES}"
    for worker in range(WORKERS):
        guest.spawn(f"exec /run/load serve /data {words} {worker}", f"/run/served.{worker}")
    guest.run(f"sleep {WARM_S}", timeout_s=300)


@cache
def program() -> Path:
    """The load generator, built."""
    source = Path(__file__).with_name("load.c")
    shared = source.parents[1] / "load.h"

    def build(folder: Path) -> None:
        store.call("load", ["cc", "-O2", "-Wall", "-static", "-I", shared.parent, "-o", folder / "load", source])

    return store.built("effect", store.key(source.read_text(), shared.read_text()), build) / "load"


def _counters(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in (line.split() for line in text.splitlines())}


def _delta(before: dict[str, float], after: dict[str, float], lines: str) -> int:
    return sum(int(after[name] - before[name]) for name in after if re.fullmatch(lines, name))


def _memory(guest: Guest) -> dict[str, int]:
    lines = dict(line.split(":") for line in guest.run("cat /proc/meminfo").splitlines())
    return {name: int(lines[name].split()[0]) for name in _MEMORY}
