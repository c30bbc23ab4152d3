"""The series: which there are, and which are done. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

ROUNDS = 20

SERIES = (("6.12", "large"), ("newest", "large"))
"""Kernel and load."""

Record = dict[str, Any]
Key = tuple[str, str]


def attempts(records: Iterable[Record], key: Key) -> list[list[Record]]:
    """The records of each attempt at a series, oldest first."""
    found: dict[int, list[Record]] = {}
    for one in records:
        if (one["name"], one["load"]) == key:
            found.setdefault(one["attempt"], []).append(one)
    return list(found.values())


def is_whole(attempt: Iterable[Record]) -> bool:
    """Whether an attempt came to its last round.

    >>> is_whole({"what": "round"} for _ in range(ROUNDS)), is_whole([{"what": "before"}])
    (True, False)
    """
    return sum(one["what"] == "round" for one in attempt) >= ROUNDS


def whole(records: Iterable[Record], key: Key) -> list[Record] | None:
    """The records of the first attempt that came to its end; None where there is none.

    The first, so that no attempt is chosen for its result.
    """
    return next((attempt for attempt in attempts(records, key) if is_whole(attempt)), None)


def missing(records: Iterable[Record]) -> list[Key]:
    """The series that have not come to their end."""
    kept = list(records)
    return [key for key in SERIES if whole(kept, key) is None]
