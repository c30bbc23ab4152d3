"""The records of the series as tables. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.stability import series
from bench.stability.judge import MEASURES, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.stability.judge import Judgement, Side

Record = dict[str, Any]


def markdown(records: Sequence[Record]) -> str:
    """What came of each series, then its rounds."""
    done = [(key, whole) for key in series.SERIES if (whole := series.whole(records, key)) is not None]
    judged = [(whole[0], judge(whole)) for _, whole in done]
    lines = [*_row(_HEAD), _rule(len(_HEAD)), *(line for one, found in judged for line in _row(_summary(one, found)))]
    for whole, (_, found) in zip((whole for _, whole in done), judged, strict=True):
        lines += ["", f"## Linux {whole[0]['kernel']}, {whole[0]['load']}", "", *_faults(found), "", *_rounds(whole)]
    return "\n".join([*lines, *_interrupted(records), ""])


_HEAD = ("kernel", "load", "changes", "settled in round", *(f"{one.name}, before → end" for one in MEASURES), "verdict")


def _summary(one: Record, found: Judgement) -> list[str]:
    sides = [_side(side) for side in found.sides]
    verdict = "settled" if not found.faults else f"{len(found.faults)} faults"
    return [one["kernel"], one["load"], str(found.changes), str(found.settled), *sides, verdict]


def _side(side: Side) -> str:
    return f"{side.before:.3g} → {side.end:.3g}{' (worse)' if side.worse else ''}"


def _faults(found: Judgement) -> list[str]:
    return [f"- {fault}" for fault in found.faults] or ["It settled, never turned back, and was no worse in the end."]


def _rounds(records: Iterable[Record]) -> list[str]:
    head = ("round", *(one.name for one in MEASURES), "then")
    lines = [*_row(head), _rule(len(head))]
    for one in records:
        first = str(one["round"]) if one["what"] == "round" else "before"
        then = told(one) if one["what"] == "round" else ""
        lines += _row([first, *(f"{measure.value(one):.3g}" for measure in MEASURES), then])
    return lines


def told(record: Record) -> str:
    """What was done in a round.

    >>> told({"tried": [{"setting": "vm.swappiness", "from": 60, "to": 30, "undone": True}], "verdict": "worse"})
    'vm.swappiness 60 → 30: worse, undone'
    """
    steps = [
        f"{one['setting']} {one['from']} → {one['to']}: {record['verdict']}, {'undone' if one['undone'] else 'kept'}"
        for one in record["tried"]
    ]
    return "; ".join(steps) or "nothing to change"


def _interrupted(records: Sequence[Record]) -> list[str]:
    counts = {key: sum(not series.is_whole(one) for one in series.attempts(records, key)) for key in series.SERIES}
    told_of = [f"{' '.join(key)}: {count}" for key, count in counts.items() if count]
    return ["", f"Attempts that were interrupted, and are judged nowhere: {', '.join(told_of)}."] if told_of else []


def _row(cells: Iterable[str]) -> list[str]:
    return [f"| {' | '.join(cells)} |"]


def _rule(columns: int) -> str:
    return f"|{' --- |' * columns}"
