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
    lines = [summary(records), "", f"Medians. {_DAGGER}"]
    for one in _whole(records):
        found = judge(one)
        lines += ["", f"## Linux {one[0]['kernel']}, {one[0]['load']}", "", *_faults(found), "", *_rounds(one)]
    return "\n".join([*lines, *_interrupted(records), ""])


def summary(records: Sequence[Record]) -> str:
    """One line for each series that came to its end."""
    lines = [_row(_HEAD), _rule(len(_HEAD))]
    return "\n".join([*lines, *(_row(_summary(one, judge(one))) for one in _whole(records))])


def _whole(records: Sequence[Record]) -> list[list[Record]]:
    return [found for key in series.SERIES if (found := series.whole(records, key)) is not None]


_DAGGER = "† is a move to the worse beyond noise, though by less than counts."
_HEAD = ("kernel", "load", "changes", "settled in round", *(f"{one.name}, before → end" for one in MEASURES), "verdict")


def _summary(records: Sequence[Record], found: Judgement) -> list[str]:
    sides = [_side(side) for side in found.sides]
    verdict = "settled" if not found.faults else f"{len(found.faults)} faults"
    first = records[0]["kernel"], records[0]["load"]
    return [*first, f"{found.changes}: {_steps(records)}", str(found.settled), *sides, verdict]


def _steps(records: Iterable[Record]) -> str:
    """The values of each setting, one after the other."""
    values: dict[str, list[str]] = {}
    for step in (step for one in records for step in one.get("tried", ())):
        undone = " (undone)" if step["undone"] else ""
        values.setdefault(step["setting"], [str(step["from"])]).append(f"{step['to']}{undone}")
    return "; ".join(f"{setting} {' → '.join(path)}" for setting, path in values.items()) or "–"


def _side(side: Side) -> str:
    mark = " (worse)" if side.worse else " †" if side.moved else ""
    return f"{side.before:.3g} → {side.end:.3g}{mark}"


def _faults(found: Judgement) -> list[str]:
    return [f"- {fault}" for fault in found.faults] or ["It settled, never turned back, and was no worse in the end."]


def _rounds(records: Iterable[Record]) -> list[str]:
    head = ("round", *(one.name for one in MEASURES), "then")
    lines = [_row(head), _rule(len(head))]
    for one in records:
        first = str(one["round"]) if one["what"] == "round" else "before"
        then = told(one) if one["what"] == "round" else ""
        lines.append(_row([first, *(f"{measure.value(one):.3g}" for measure in MEASURES), then]))
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


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(columns: int) -> str:
    return f"|{' --- |' * columns}"
