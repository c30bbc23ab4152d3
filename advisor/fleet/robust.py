"""Statistics that a few odd hosts cannot move: the median, and the median distance from it."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

# What Iglewicz and Hoaglin recommend for the modified z-score ("How to Detect and Handle Outliers", 1993).
FAR = 3.5
# The median distance of a normal distribution is 0.6745 of its standard deviation: it makes the score comparable.
_NORMAL = 0.6745
# Two hosts of one class whose shares differ by less than five points differ by their load of the moment (our
# judgement). It also stands in where more than half of the hosts are equal and the median distance is 0.
MATERIAL = 0.05


class Odd(Record):
    """A value that is far from that of the others.

    Attributes:
        middle: the median of the class.
        spread: the median distance from it.
        score: modified z-score: how many standard deviations it would be, if the class were normally distributed.
    """

    signal: str
    value: float
    middle: float
    spread: float
    score: float


def odd_ones(signal: str, values: Sequence[tuple[int, float]]) -> list[tuple[int, Odd]]:
    """Those of some shares that are far from the rest, by what they belong to.

    >>> [place for place, _odd in odd_ones("x", [(n, 0.4 + n / 100) for n in range(8)] + [(9, 0.9)])]
    [9]
    >>> odd_ones("x", [(n, 0.0) for n in range(8)] + [(9, 0.04)])
    []
    """
    middle = median(value for _place, value in values)
    spread = median(abs(value - middle) for _place, value in values)
    sigma = max(spread / _NORMAL, MATERIAL / FAR)
    scores = [(place, value, (value - middle) / sigma) for place, value in values]
    return [(place, Odd(signal, value, middle, spread, round(score, 1))) for place, value, score in scores
            if abs(score) > FAR]  # fmt: skip
