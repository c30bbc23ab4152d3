"""Captures of many samples for verification: a synthetic host whose windows bring what a test says."""

from __future__ import annotations

import random

from advisor.capture.model import Capture, Sample
from tests.synthetic_host import DEFAULTS, PARTS, SYMPTOMS, Host

WINDOW_S = 60.0
MANAGED = (("DMA", 3840), ("DMA32", 196_000), ("Normal", 848_576))
WORK = 1_000_000
"""Pages allocated in a usual window."""


def host(**settings):
    """A host of 4 GiB with some settings of its own; dots are written as __."""
    own = {name.replace("__", "."): value for name, value in settings.items()}
    return Host(MANAGED, {**DEFAULTS, **own}, "madvise", dict.fromkeys(SYMPTOMS, 0), 0.02, 0.4, 0.0)


def capture(which, windows, *, start_s=1000.0, btime=1_700_000_000, kernel="6.12.1", name="db1"):
    """A capture with a sample at the start and after each window.

    Args:
        which: the host.
        windows: what each brings: growth of counters, and `psi_us`, microseconds in which some task waited (all tasks
            did in a quarter of them).
        start_s: uptime of the first sample, which also gives the time of the wall.
    """
    totals = dict.fromkeys((*SYMPTOMS, *PARTS, "pgalloc_normal", "psi_us"), 0)
    samples = [_sample(which, totals, start_s, btime, kernel)]
    for number, window in enumerate(windows, 1):
        totals = {key: value + int(window.get(key, 0)) for key, value in totals.items()}
        samples.append(_sample(which, totals, start_s + number * WINDOW_S, btime, kernel))
    return Capture(tuple(samples), host=name)


def _sample(which, totals, uptime_s, btime, kernel):
    counters = {key: value for key, value in totals.items() if key != "psi_us"}
    files = {
        **which.files(counters),
        "proc/pressure/memory": _waited("some", totals["psi_us"]) + _waited("full", totals["psi_us"] // 4),
        "proc/stat": f"cpu  1 0 1 1 0 0 0 0 0 0\ncpu0 1 0 1 1 0 0 0 0 0 0\nbtime {btime}\n",
        "proc/uptime": f"{uptime_s:.2f} 1.00\n",
        "proc/sys/vm/lowmem_reserve_ratio": "0\t0\t0\t0\t0\n",  # as zoneinfo of the synthetic host says
        "proc/sys/kernel/osrelease": f"{kernel}\n",
    }
    return Sample(files, monotonic_s=uptime_s, wall_s=btime + uptime_s)


def _waited(kind, total_us):
    return f"{kind} avg10=0.00 avg60=0.00 avg300=0.00 total={total_us}\n"


def bursts(count, *, stalls=600, work=WORK, spread=0.2, seed=1, **more):
    """Windows of a host under bursts of allocation: stalls, scanning that is easy, some waiting."""
    draw = random.Random(seed)
    return [burst(stalls * draw.lognormvariate(0, spread), work * draw.lognormvariate(0, spread / 4), **more)
            for _ in range(count)]  # fmt: skip


def burst(stalls, work=WORK, **more):
    """One such window."""
    direct = int(stalls) * 60
    return {
        "allocstall_normal": int(stalls), "pgscan_direct": direct, "pgsteal_direct": int(direct * 0.95),
        "pgscan_kswapd": int(work * 0.4), "pgsteal_kswapd": int(work * 0.39), "pageoutrun": 400,
        "kswapd_low_wmark_hit_quickly": min(300, int(stalls) // 2), "pgalloc_normal": int(work),
        "psi_us": int(stalls) * 8000,
        **more,
    }  # fmt: skip
