"""The records of the contest as tables. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.contest import series
from bench.contest.arms import ARMS, DEFAULTS, MEMADVISOR
from bench.contest.judge import BETTER, MEASURES, UNCLEAR, cell, compare, kernels, loads, rivals, score
from bench.contest.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.contest.judge import Comparison

Record = dict[str, Any]

SHORT = ("throughput", "mean", "p99", "allocstall", "available")
"""What README shows of the measures."""

_MARKS = {BETTER: "▲", UNCLEAR: "", "worse": "▼"}


def markdown(records: Sequence[Record]) -> str:
    """Scores of all arms, then every cell, then what each arm set."""
    parts = [*_scores(records, held_out=False), *_scores(records, held_out=True)]
    for kernel in kernels(records):
        for workload in WORKLOADS:
            parts += _cells(records, kernel, workload)
    return "\n".join([*parts, *_settings(records)])


def summary(records: Sequence[Record], *, held_out: bool, measures: Sequence[str] = SHORT) -> list[str]:
    """A table of all arms: the median of their ratios to the defaults, and how many cells are better/unclear/worse."""
    names = loads(held_out=held_out)
    lines = [_row(["arm", *(MEASURES[name].name for name in measures)]), _row(["---", *("---:" for _ in measures)])]
    return lines + [_row([arm, *(_score(records, arm, name, names) for name in measures)]) for arm in rivals()]


def _scores(records: Sequence[Record], *, held_out: bool) -> list[str]:
    title = "Loads that nothing was tuned for" if held_out else "Loads that we looked at while we worked"
    names = ", ".join(loads(held_out=held_out))
    return [f"## {title}: {names}", "", *summary(records, held_out=held_out, measures=tuple(MEASURES)), ""]


def _score(records: Sequence[Record], arm: str, measure: str, workloads: Iterable[str]) -> str:
    found = score(records, arm, MEASURES[measure], workloads)
    return f"{found.middle:.2f} ({found.better}/{found.unclear}/{found.worse})" if found else "–"


def _cells(records: Sequence[Record], kernel: str, workload: str) -> list[str]:
    defaults = cell(records, kernel, workload, DEFAULTS)
    if not defaults:
        return []
    out = ", held out" if WORKLOADS[workload].held_out else ""
    lines = [f"### {workload}{out}, Linux {defaults[0]['kernel']}", ""]
    lines += [_row(["arm", "runs", *(one.name for one in MEASURES.values())])]
    lines += [_row(["---", "---:", *("---:" for _ in MEASURES)])]
    for arm in ARMS:
        own = cell(records, kernel, workload, arm)
        found = [compare(one, defaults, own) for one in MEASURES.values()]
        lines.append(_row([arm, _runs(own), *(_cell(one, arm) for one in found)]))
    return [*lines, ""]


def _runs(own: Sequence[Record]) -> str:
    silent = sum(not one["requests"] for one in own)
    return f"{len(own)}, {silent} without an answer" if silent else str(len(own))


def _cell(found: Comparison | None, arm: str) -> str:
    if found is None:
        return "–"
    value = f"{found.value:.3g}"
    if arm == DEFAULTS:
        return value
    return f"{value} {_MARKS[found.verdict]}×{found.ratio:.2f} ({found.low:.2f} to {found.high:.2f})"


def _settings(records: Sequence[Record]) -> list[str]:
    lines = ["## What each arm set", ""]
    for one in records:
        if one["what"] == "rivals":
            lines += [f"- {arm}, {one['name']}: {_named(given)}" for arm, given in one["settings"].items()]
    for kernel in kernels(records):
        for workload in WORKLOADS:
            rounds = series.asked(records, kernel, workload)
            told = " → ".join("nothing" if one["same"] else _named(one["settings"]) for one in rounds)
            lines.append(f"- {MEMADVISOR}, {kernel}, {workload}: {told or 'not asked yet'}")
    return [*lines, ""]


def _named(settings: dict[str, str]) -> str:
    short = {file.replace("/proc/sys/", "").replace("/sys/kernel/mm/", ""): value for file, value in settings.items()}
    return ", ".join(f"{file} {value}" for file, value in short.items()) or "nothing"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
