"""The records of the series as a table. Pure."""

from __future__ import annotations

import math
import re
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

PERIOD_MS = 80
"""Milliseconds between two requests for one worker; the load keeps to it."""

Record = dict[str, Any]
Measure = tuple[str, "Callable[[Record], float]", int]


def rate(name: str) -> Callable[[Record], float]:
    """A counter of a trial as a rate per second of the guest's clock."""
    return lambda record: record[name] / record["window_s"]


def latency(share: float) -> Callable[[Record], float]:
    """The latency in ms that this share of the requests of a trial did not exceed (nearest rank).

    >>> latency(0.5)({"latency_ms": [3, 1, 2]}), latency(1)({"latency_ms": [3, 1, 2]})
    (2.0, 3.0)
    """

    def value(record: Record) -> float:
        ordered = sorted(record["latency_ms"])
        return float(ordered[math.ceil(share * len(ordered)) - 1])

    return value


def memory(*names: str) -> Callable[[Record], float]:
    """Lines of /proc/meminfo, summed, in MiB."""
    return lambda record: sum(record["memory_kb"][name] for name in names) / 1024


def stalled(record: Record) -> float:
    """Time in which some task waited for memory, in percent."""
    return float(record["psi_some_ms"] / record["window_s"] / 10)


def served(record: Record) -> float:
    """Requests per second that were answered before the next one for the same worker arrived."""
    return float(sum(took <= PERIOD_MS for took in record["latency_ms"]) / record["window_s"])


MEASURES: tuple[Measure, ...] = (
    ("direct reclaim, stalls/s", rate("allocstall"), 1),
    ("pages/s scanned by tasks", rate("pgscan_direct"), 0),
    ("by kswapd", rate("pgscan_kswapd"), 0),
    ("PSI some, %", stalled, 1),
    ("p50, ms", latency(0.5), 1),
    ("p99, ms", latency(0.99), 0),
    ("max, ms", latency(1), 0),
    ("in time, requests/s", served, 1),
    ("refaults/s", rate("workingset_refault_file"), 0),
    ("swapped out, pages/s", rate("pswpout"), 0),
    ("MemAvailable, MiB", memory("MemAvailable"), 1),
    ("page cache, MiB", memory("Active(file)", "Inactive(file)"), 1),
)


def markdown(records: Sequence[Record]) -> str:
    """A table for each kernel: the median of the trials of a factor, and their range."""
    kernels = sorted({one["kernel"] for one in records}, key=_number)
    return "\n".join(part for kernel in kernels for part in _table(kernel, records))


def _number(release: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", release)[:3]]


def _table(kernel: str, records: Iterable[Record]) -> list[str]:
    own = [one for one in records if one["kernel"] == kernel]
    trials = [one for one in own if one["what"] == "trial"]
    names = ["factor", "trials", *(name for name, _, _ in MEASURES)]
    lines = [f"Linux {kernel}", "", f"| {' | '.join(names)} |", f"| {' | '.join('---:' for _ in names)} |"]
    for factor in sorted({one["factor"] for one in trials}):
        of_factor = [one for one in trials if one["factor"] == factor]
        cells = [_cell([value(one) for one in of_factor], digits) for _, value, digits in MEASURES]
        lines.append(f"| {factor} | {len(of_factor)} | {' | '.join(cells)} |")
    return [*lines, "", *_advice(own), ""]


def _cell(values: list[float], digits: int) -> str:
    low, middle, high = (f"{value:.{digits}f}" for value in (min(values), median(values), max(values)))
    return middle if low == high else f"{middle} ({low} to {high})"


def _advice(records: Iterable[Record]) -> list[str]:
    chains: dict[int, list[str]] = {}
    for one in records:
        if one["what"] == "advice":
            said = "no change" if one["proposed"] is None else str(one["proposed"])
            chains.setdefault(one["repeat"], [str(one["factor"])]).append(said)
    told = "; ".join(" → ".join(chain) for chain in chains.values())
    return [f"Advice of `advisor plan`, followed and asked for again: {told}.", ""] if told else []
