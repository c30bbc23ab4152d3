"""The trials of the series: which there are, in which order, and which are done."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

FACTORS = (10, 30, 50, 100, 200, 300, 500, 1000)
"""The doses: vm.watermark_scale_factor; 10 is the kernel's default."""

KERNELS = ("6.12", "6.1")
REPEATS = 5

STEPS = 4
"""How many times advice is followed at most, on each kernel in each repeat."""

_SEED = 20261124

Dose = tuple[str, int]
"""Kernel and factor."""


def order(repeat: int) -> list[Dose]:
    """Every dose on every kernel, in an order that is random, another one for each repeat, and always the same.

    Whatever drifts while the series runs meets all doses alike.

    >>> len(order(0)) == len(set(order(0))) == len(KERNELS) * len(FACTORS)
    True
    """
    doses = [(kernel, factor) for kernel in KERNELS for factor in FACTORS]
    return random.Random(_SEED + repeat).sample(doses, len(doses))


def missing(records: Iterable[dict[str, Any]], repeat: int) -> list[Dose]:
    """The trials of a repeat that are not among the records."""
    done = {(one["name"], one["factor"]) for one in records if (one["what"], one["repeat"]) == ("trial", repeat)}
    return [dose for dose in order(repeat) if dose not in done]


def next_to_ask(records: Iterable[dict[str, Any]], repeat: int, kernel: str) -> int | None:
    """The factor at which to ask for advice next; None when an earlier answer was to leave it, or after STEPS.

    The user who follows advice asks again afterwards, and may be told to go on.

    >>> told = [{"what": "advice", "repeat": 0, "name": "6.1", "proposed": 50}]
    >>> next_to_ask([], 0, "6.1"), next_to_ask(told, 0, "6.1"), next_to_ask(told, 1, "6.1")
    (10, 50, 10)
    >>> next_to_ask([*told, {**told[0], "proposed": None}], 0, "6.1") is None
    True
    """
    answers = [one["proposed"] for one in records if _is_advice(one, repeat, kernel)]
    if not answers:
        return FACTORS[0]
    return None if len(answers) >= STEPS else answers[-1]


def _is_advice(record: dict[str, Any], repeat: int, kernel: str) -> bool:
    return (record["what"], record["repeat"], record["name"]) == ("advice", repeat, kernel)
