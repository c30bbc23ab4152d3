"""What a change must not make worse, whatever it was for: the usual places where a memory setting takes its price."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.noise import compare
from advisor.record import Record
from advisor.signals.model import catalogue
from advisor.units import format_count
from advisor.verify.expectations import classify
from advisor.verify.model import MARGIN, SAME, UNCLEAR, WORSE, Cost
from advisor.verify.sides import mean_row, points

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from advisor.verify.expectations import Sides

_MARKS = ("vm.min_free_kbytes", "vm.watermark_scale_factor", "vm.lowmem_reserve_ratio", "thp.enabled")
_SWAP = ("vm.swappiness", "vm.page-cluster")
_CACHE = ("vm.vfs_cache_pressure", "vm.watermark_boost_factor")
_PAGE = 4096

AVAILABLE = "meminfo.MemAvailable"
_HELD = ("meminfo.AnonPages", "meminfo.Shmem")
_MOVE_HELD = (*_SWAP, "thp.enabled", "thp.defrag", "thp.shmem_enabled")
KILLS = "delta.oom_kill"


class Watched(Record):
    """A signal to watch.

    Attributes:
        signal: its name; more of it is worse, except for MemAvailable.
        matters: the least growth that counts, in base units; a policy, the same as in the rules for the symptom.
        causes: settings that are known to move it; none: any can.
    """

    signal: str
    matters: float
    causes: tuple[str, ...] = ()


WATCHED = (
    Watched("psi.memory.full", 0.01),
    Watched("rate.allocstall", 1.0, (*_MARKS, *_CACHE)),
    Watched("rate.compact_stall", 1.0, (*_MARKS, "thp.defrag", "vm.compaction_proactiveness",
                                        "vm.watermark_boost_factor", "vm.extfrag_threshold")),
    Watched("rate.workingset_refault_file", 100.0, (*_MARKS, *_SWAP, *_CACHE)),
    Watched("swap.in_rate", 10.0 * _PAGE, (*_MARKS, *_SWAP)),
)  # fmt: skip
"""What is watched. MemAvailable is watched besides, against what the plan predicted it would cost.

Six in all, no more: each would make the others harder to see, and with six five windows on each side still tell
(1 of 252 swaps is less than 0.025 / 6). Waiting is that of all tasks, since that of some grows whenever kswapd works.
"""


def judge(sides: Sides, level: float, predicted_loss: float, settings: Sequence[str]) -> list[Cost]:
    """Everything that is watched and known on both sides.

    Args:
        sides: the windows.
        level: of each interval.
        predicted_loss: bytes of MemAvailable that the plan said it would cost, at worst; 0 or more.
        settings: what was changed.
    """
    found = [_one(watched.signal, 4 * watched.matters, sides, level) for watched in WATCHED]
    found.append(_available(sides, level, predicted_loss + _taken(sides, settings)))
    return [cost for cost in found if cost is not None]


def causes(signal: str, settings: Sequence[str]) -> list[str]:
    """Which of these settings are known to move a signal."""
    if signal == AVAILABLE:
        known: Iterable[str] = (*_MARKS, "vm.nr_hugepages")
    else:
        known = next((watched.causes for watched in WATCHED if watched.signal == signal), ())
    return [name for name in settings if name in known]


# A growth from nothing to `matters` is one by the margin, when four times that much is added to both.
def _one(signal: str, floor: float, sides: Sides, level: float) -> Cost | None:
    old, new = (points(side.rows([signal], sides.reference, "host", ""), lambda row: row[signal])
                for side in (sides.before, sides.after))  # fmt: skip
    if not any(old) or not any(new):
        return None
    noise = compare(old, new, floor, level)
    verdict, why = classify(noise)
    if verdict == UNCLEAR and noise.high <= MARGIN:
        verdict, why = SAME, "it did not get worse"
    return Cost(signal, catalogue()[signal].meaning, catalogue()[signal].unit, verdict, why, noise)


def _taken(sides: Sides, settings: Sequence[str]) -> float:
    """Bytes that tasks took besides; 0 where a setting was changed that moves what they hold, or nobody knows.

    A database that fills its buffers has less memory available an hour after its start, whatever was changed meanwhile.
    """
    if any(name in _MOVE_HELD for name in settings):
        return 0.0
    old, new = (mean_row(side.rows(_HELD, None, "host", "")) for side in (sides.before, sides.after))
    return max(0.0, sum(_number(new[name]) - _number(old[name]) for name in _HELD)) if old and new else 0.0


def _available(sides: Sides, level: float, accounted: float) -> Cost | None:
    """MemAvailable, to which what is accounted for is added again: only what is lost beyond it counts."""
    old, new = (points(side.rows([AVAILABLE], None, "host", ""), lambda row: row[AVAILABLE])
                for side in (sides.before, sides.after))  # fmt: skip
    if not any(old) or not any(new):
        return None
    restored = [[type(point)(point.value + accounted, point.weight) for point in run] for run in new]
    noise = compare(old, restored, 0.0, level).inverse()
    verdict, why = classify(noise)
    if verdict == UNCLEAR and noise.high <= MARGIN:
        verdict, why = SAME, "no more of it was lost than the plan predicted and tasks took"
    if verdict == WORSE:
        why = "more of it was lost than the plan predicted and tasks took"
    found = catalogue()[AVAILABLE]
    return Cost(AVAILABLE, found.meaning, found.unit, verdict, why, noise)


def new_kills(sides: Sides) -> str:
    """Tasks killed for want of memory in AFTER and none in BEFORE; empty where that did not happen.

    Such events are too rare for statistics and too bad to pass over: with one, nothing is called better.
    """
    before, after = (sum(_number(row.values[KILLS]) for run in side.rows([KILLS], None, "host", "") for row in run)
                     for side in (sides.before, sides.after))  # fmt: skip
    if after and not before:
        return f"{format_count(after)} tasks were killed for want of memory in AFTER, none in BEFORE"
    return ""


def _number(value: object) -> float:
    return value if isinstance(value, float) else 0.0
