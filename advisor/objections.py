"""Why we would not make a change by ourselves, although the kernel would take it.

The budgets are our own policy; they stand in `advisor.tunables.limits`.
"""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.predict import MIN_FREE, THP, Prediction
from advisor.tunables.limits import AVAILABLE_DROP, HIGH_BUDGET, MIN_FREE_BUDGET

if TYPE_CHECKING:
    from collections.abc import Callable


def objections(prediction: Prediction, *, approved: bool = False) -> tuple[str, ...]:
    """What speaks against a change, one clause each; empty when nothing does.

    A change that takes no more memory than before meets no objection, and one that only brings
    min_free_kbytes to what the kernel enforces anyway is held against no share of memory.

    Args:
        prediction: of the change.
        approved: whether a person agreed to go further than a change by itself may.
    """
    before, after, change = prediction.before, prediction.after, prediction.available_change
    if prediction.effect == "none":
        return ()
    if after is None or change is None:
        return (f"its effect cannot be told: {prediction.reason}",)
    found, to_floor = [], _only_to_floor(prediction)
    if after.high > before.high:
        if not to_floor:
            found += _over_budget(prediction, after.high, approved=approved)
        if prediction.room is not None and after.high > prediction.room:
            found.append("the high marks would exceed free memory and page cache: reclaim would start at once")
    if not to_floor and before.available is not None and -change[0] > AVAILABLE_DROP * before.available:
        found.append(f"MemAvailable would drop by more than {AVAILABLE_DROP:.0%}")
    return tuple(found)


def _only_to_floor(prediction: Prediction) -> bool:
    """Whether nothing is written but a min_free_kbytes (or THP, which raises it) that the kernel asks for itself."""
    written = {item.setting for item in prediction.effective}
    return written <= {MIN_FREE, THP} and prediction.settings.min_free_kbytes <= prediction.floor


def _over_budget(prediction: Prediction, high_after: int, *, approved: bool) -> list[str]:
    found = []
    high, reserve = (budget.share(approved=approved) for budget in (HIGH_BUDGET, MIN_FREE_BUDGET))
    kept = high_after / max(1, prediction.managed)
    if kept > high:
        found.append(f"kswapd would keep {kept:.1%} of memory free, the limit is {high:.0%}")
    min_free = prediction.settings.min_free_kbytes
    asked = any(item.setting == MIN_FREE and item.requested is not None for item in prediction.effective)
    if asked and min_free > prediction.floor and min_free * 1024 > reserve * prediction.managed:
        found.append(f"{MIN_FREE} would be more than {reserve:.0%} of memory")
    return found


def largest_without_objection(
    judge: Callable[[int], Prediction], current: int, wanted: int, *, approved: bool = False
) -> int | None:
    """The value nearest to `wanted`, above the present one, that nothing speaks against.

    A large change is then made in steps, each judged by the memory of its own time.

    Args:
        judge: gives the prediction for a value, for example
            ``lambda value: predict(zones, settings, memory, {"vm.watermark_scale_factor": value})``.
        current: the value now.
        wanted: the value asked for.
        approved: whether a person agreed to go further.

    Returns:
        `wanted` itself when nothing speaks against it or it is not above `current`; None when something
        speaks against every value that would do anything.
    """

    def fine(value: int) -> bool:
        return not objections(judge(value), approved=approved)

    if wanted <= current or fine(wanted):
        return wanted
    low, high = current, wanted
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fine(middle) else (low, middle)
    return low if low > current and judge(low).effect != "none" else None
