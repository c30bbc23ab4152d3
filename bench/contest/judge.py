"""How runs are compared. Pure.

An arm is held against the kernel's defaults under the same load on the same kernel: the ratio of their medians, and a
95 % interval of it by bootstrap (percentiles; runs of each side drawn anew, with replacement). A repeat is no pair:
every run has a guest of its own. The arm is better where the whole interval lies on the better side of 1, worse where
it lies on the other; else so few runs cannot tell. A bootstrap of 7 runs is rather narrow, and of 20 comparisons
without a difference at least one comes out as one: read single cells so.

A service whose load had not ended after PATIENCE_MS has answered nothing; its latencies are shown as that, and are
longer.
"""

from __future__ import annotations

import random
from functools import cache
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.contest.arms import ARMS, DEFAULTS
from bench.contest.series import idle
from bench.contest.trial import PATIENCE_MS
from bench.contest.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Record = dict[str, Any]

BETTER, WORSE, UNCLEAR = "better", "worse", "unclear"
_DRAWS = 4000
_SEED = 7


class Measure(NamedTuple):
    """Something that is compared.

    Attributes:
        name: for headings.
        value: of a run.
        more: whether more of it is better.
        floor: added to both sides, so that a ratio of small counts says little; in the unit of the value.
        felt: whether it is what the user of the service feels; the others are counters of the kernel.
    """

    name: str
    value: Callable[[Record], float]
    more: bool = False
    floor: float = 0.0
    felt: bool = False


def rate(name: str) -> Callable[[Record], float]:
    """A counter per second of the guest's clock."""
    return lambda record: record[name] / record["window_s"]


def _latency(name: str) -> Callable[[Record], float]:
    return lambda record: float(record["ms"][name])


def _throughput(record: Record) -> float:
    return float(record["in_time"] / record["window_s"])


MEASURES = {
    "throughput": Measure("requests in time, 1/s", _throughput, more=True, felt=True),
    "mean": Measure("latency, mean, ms", _latency("mean"), felt=True),
    "p95": Measure("latency, p95, ms", _latency("p95"), felt=True),
    "p99": Measure("latency, p99, ms", _latency("p99"), felt=True),
    "allocstall": Measure("direct reclaim, stalls/s", rate("allocstall"), floor=0.5),
    "psi": Measure("PSI some, %", lambda record: record["psi_some_ms"] / record["window_s"] / 10, floor=0.5),
    "refault": Measure("refaults of files, pages/s", rate("workingset_refault_file"), floor=10),
    "swapin": Measure("swapped in, pages/s", rate("pswpin"), floor=10),
    "available": Measure("MemAvailable, MiB", lambda record: float(record["available_mb"]), more=True),
}
"""Everything that is compared; what the user feels comes first."""


class Comparison(NamedTuple):
    """An arm against the defaults.

    Attributes:
        value: the median of the arm.
        ratio: median of the arm / median of the defaults.
        low, high: the interval of the ratio.
        verdict: better, worse or unclear.
        runs: of the arm.
    """

    value: float
    ratio: float
    low: float
    high: float
    verdict: str
    runs: int


def cell(records: Sequence[Record], kernel: str, workload: str, arm: str) -> list[Record]:
    """The runs of an arm under a load on a kernel; where memadvisor set nothing, those of the defaults."""
    wanted = ("trial", kernel, workload, DEFAULTS if idle(records, kernel, workload, arm) else arm)
    found = (one for one in records if (one["what"], one.get("name"), one.get("workload"), one.get("arm")) == wanted)
    return [_waited(one) for one in found]


# The first runs waited for answers until they came.
def _waited(record: Record) -> Record:
    if record["ms"]["max"] < PATIENCE_MS:
        return record
    return record | {"requests": 0, "in_time": 0, "ms": dict.fromkeys(record["ms"], PATIENCE_MS)}


def compare(measure: Measure, defaults: Sequence[Record], arm: Sequence[Record]) -> Comparison | None:
    """An arm against the defaults; None without runs of both."""
    if not defaults or not arm:
        return None
    base = tuple(measure.value(one) + measure.floor for one in defaults)
    own = tuple(measure.value(one) + measure.floor for one in arm)
    low, high = _interval(base, own)
    good, bad = (low > 1, high < 1) if measure.more else (high < 1, low > 1)
    verdict = BETTER if good else WORSE if bad else UNCLEAR
    return Comparison(median(own) - measure.floor, _ratio(base, own), low, high, verdict, len(arm))


def _ratio(base: Sequence[float], own: Sequence[float]) -> float:
    over, under = median(own), median(base)
    return over / under if under else float("inf") if over else 1.0


@cache  # the tables and the picture ask for the same ones
def _interval(base: Sequence[float], own: Sequence[float]) -> tuple[float, float]:
    draw = random.Random(_SEED)
    ratios = sorted(_ratio(draw.choices(base, k=len(base)), draw.choices(own, k=len(own))) for _ in range(_DRAWS))
    return ratios[int(0.025 * _DRAWS)], ratios[int(0.975 * _DRAWS)]


class Score(NamedTuple):
    """An arm over several cells.

    Attributes:
        better, unclear, worse: how many cells.
        middle: median of the ratios.
    """

    better: int
    unclear: int
    worse: int
    middle: float


def score(records: Sequence[Record], arm: str, measure: Measure, workloads: Iterable[str]) -> Score | None:
    """An arm over all kernels and some loads; None where there are no runs."""
    found = [
        result
        for kernel in kernels(records)
        for load in workloads
        if (result := compare(measure, cell(records, kernel, load, DEFAULTS), cell(records, kernel, load, arm)))
    ]
    if not found:
        return None
    verdicts = [one.verdict for one in found]
    counts = (verdicts.count(word) for word in (BETTER, UNCLEAR, WORSE))
    return Score(*counts, median(one.ratio for one in found))


def kernels(records: Iterable[Record]) -> list[str]:
    """The kernels that have runs, oldest first, by the names they are asked for."""
    releases = {one["name"]: one["kernel"] for one in records if one["what"] == "trial"}
    return sorted(releases, key=lambda name: [int(part) for part in releases[name].split("-")[0].split(".")[:2]])


def rivals() -> tuple[str, ...]:
    """All arms but the defaults."""
    return tuple(arm for arm in ARMS if arm != DEFAULTS)


def loads(*, held_out: bool) -> list[str]:
    """The loads that the product was or was not changed for."""
    return [name for name, one in WORKLOADS.items() if one.held_out is held_out]
