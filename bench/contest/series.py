"""The runs of the contest: which there are, in which order, and which are done. Pure, but for reading and adding."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from bench.contest.arms import ARMS, MEMADVISOR
from bench.contest.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterable

KERNELS = ("5.10", "6.12", "newest")
REPEATS = 7
_SEED = 20261125

Record = dict[str, Any]
Run = tuple[str, str, str]
"""Kernel, workload, arm."""


def order(repeat: int) -> list[Run]:
    """Every arm under every load on every kernel, in an order that is random, and always the same for a repeat.

    Whatever drifts while the series runs meets all arms alike.

    >>> len(order(0)) == len(set(order(0))) == len(KERNELS) * len(WORKLOADS) * len(ARMS), order(0) != order(1)
    (True, True)
    """
    runs = [(kernel, workload, arm) for kernel in KERNELS for workload in WORKLOADS for arm in ARMS]
    return random.Random(_SEED + repeat).sample(runs, len(runs))


def missing(records: Iterable[Record]) -> list[tuple[int, Run]]:
    """The runs that are not among the records, one repeat after the other.

    Where memadvisor set nothing it has no runs of its own: they would be the defaults' once more.
    """
    kept = list(records)
    done = {(one["repeat"], one["name"], one["workload"], one["arm"]) for one in kept if one["what"] == "trial"}
    return [
        (repeat, run)
        for repeat in range(REPEATS)
        for run in order(repeat)
        if (repeat, *run) not in done and not idle(kept, *run)
    ]


def asked(records: Iterable[Record], kernel: str, workload: str) -> list[Record]:
    """What memadvisor set under a load on a kernel, round by round."""
    cell = ("advice", kernel, workload)
    return [one for one in records if (one["what"], one.get("name"), one.get("workload")) == cell]


def idle(records: Iterable[Record], kernel: str, workload: str, arm: str) -> bool:
    """Whether it is memadvisor's arm, and it set nothing."""
    rounds = asked(records, kernel, workload) if arm == MEMADVISOR else []
    return bool(rounds) and not rounds[-1]["settings"]
