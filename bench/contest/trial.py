"""One run: a fresh guest, the settings of an arm, the load, and what came of it."""

from __future__ import annotations

import math
import os
import re
import shlex
from typing import TYPE_CHECKING, Any

from bench.contest.workloads import IN_GROUP, WARM_S, WINDOW_S, slow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.contest.workloads import Workload
    from tests.hosts.guest import Guest
    from tests.hosts.states import Hosts

COUNTERS = {
    "allocstall": r"allocstall(_\w+)?",
    "compact_stall": "compact_stall",
    "pgscan_direct": "pgscan_direct",
    "pgsteal_direct": "pgsteal_direct",
    "pgscan_kswapd": "pgscan_kswapd",
    "pgsteal_kswapd": "pgsteal_kswapd",
    "workingset_refault_file": "workingset_refault(_file)?",
    "workingset_refault_anon": "workingset_refault_anon",
    "pswpin": "pswpin",
    "pswpout": "pswpout",
    "pgmajfault": "pgmajfault",
    "oom_kill": "oom_kill",
}
"""What is counted during the window, and the lines of /proc/vmstat that are summed for it."""

READ = (
    "echo uptime $(cut -d' ' -f1 /proc/uptime); cat /proc/vmstat; "
    "sed 's/^/psi_/; s/ .*total=/ /' /proc/pressure/memory; "
    "sed -n 's/^MemAvailable: */kb_available /; s/ kB//; s/^kb/&/p' /proc/meminfo"
)
"""A script that prints the counters; `counters` reads what it prints."""

PATIENCE_MS = 37_000
"""How long after the start of the window its answers are waited for, by the guest's clock."""

_ANSWERS = f"""
now() {{ cut -d. -f1 /proc/uptime; }}
end=$(($(now) + {PATIENCE_MS // 1000 - WINDOW_S}))
until [ -e /run/done ] || [ $(now) -ge $end ]; do sleep 0.2; done
[ ! -e /run/done ] || cat /run/served.*
"""


def trial(hosts: Hosts, kernel: str, workload: Workload, settings: Mapping[str, str]) -> dict[str, Any]:
    """Run the load on a fresh guest and return what was measured, ready to be kept as JSON.

    Keys: `kernel` (release), `load` (load average of this machine before and after, over one minute), `window_s`,
    one per COUNTERS, `psi_some_ms` and `psi_full_ms` (time in the window), `available_mb` (mean of MemAvailable at
    its start and end), `requests` (answered), `in_time`, `ms` (latency: mean, p50, p90, p95, p99, max). The load of a
    service that has not ended after PATIENCE_MS counts as not answered, and its latencies as that.
    """
    load_before = os.getloadavg()[0]
    guest = hosts.start(kernel, workload.shape)
    set_files(guest, settings)
    start_load(guest, workload)
    words = guest.run(f"sleep {WARM_S}; {READ}; sleep {WINDOW_S}; echo; {READ}", timeout_s=600)
    before, after = (counters(part) for part in words.split("\n\n"))
    took = sorted(float(word) for word in guest.run(_ANSWERS, timeout_s=600).split())
    guest.stop()
    window = after["uptime"] - before["uptime"]
    return {
        "kernel": guest.kernel.release,
        "load": [round(load_before, 1), round(os.getloadavg()[0], 1)],
        "window_s": round(window, 1),
        **{name: delta(before, after, lines) for name, lines in COUNTERS.items()},
        "psi_some_ms": delta(before, after, "psi_some") // 1000,
        "psi_full_ms": delta(before, after, "psi_full") // 1000,
        "available_mb": round((before["kb_available"] + after["kb_available"]) / 2048, 1),
        "requests": len(took),
        "in_time": len(took) if workload.period_ms is None else sum(ms <= workload.period_ms for ms in took),
        "ms": _latency(took or [PATIENCE_MS]),
    }


def set_files(guest: Guest, settings: Mapping[str, str]) -> None:
    """Write settings, by file; a kernel that refuses one fails the run."""
    guest.run("set -e\n" + "\n".join(f"echo {shlex.quote(value)} > {file}" for file, value in settings.items()))


def start_load(guest: Guest, workload: Workload, window_s: int = WINDOW_S) -> None:
    """Start the load; it goes on after this returns."""
    guest.run("set -e\n" + "\n".join(slow(*disk) for disk in workload.disks))
    guest.spawn(f"{IN_GROUP}\nWARM={WARM_S} WINDOW={window_s}\n{workload.load}\ntouch /run/done")


def counters(text: str) -> dict[str, float]:
    """Numbers by name."""
    return {name: float(value) for name, value in (line.split() for line in text.splitlines())}


def delta(before: Mapping[str, float], after: Mapping[str, float], lines: str) -> int:
    """By how much the counters grew whose names match."""
    return sum(int(after[name] - before[name]) for name in after if re.fullmatch(lines, name))


def _latency(took: Sequence[float]) -> dict[str, float]:
    """Nearest ranks of sorted latencies, and their mean."""
    shares = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "max": 1.0}
    ranks = {name: took[math.ceil(share * len(took)) - 1] for name, share in shares.items()}
    return {"mean": round(sum(took) / len(took), 2), **ranks}
