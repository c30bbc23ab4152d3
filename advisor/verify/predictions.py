"""Predicted beside observed: the marks of every zone, and what MemAvailable lost by them."""

from __future__ import annotations

from advisor.errors import AdvisorError, Unknown
from advisor.hints import TYPE_CHECKING
from advisor.memavailable import current_protections, mem_available, totalreserve
from advisor.predict import predict
from advisor.signals.formula import auto_upper, memory_counters, settings, zone_inputs
from advisor.signals.host import page_size
from advisor.verify.model import Score
from advisor.watermarks import choose_variant, current_marks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.predict import Prediction
    from advisor.signals.view import View
    from advisor.tunables import Value as SettingValue
    from advisor.watermarks import Marks


def predicted(view: View, changes: Mapping[str, SettingValue]) -> Prediction | None:
    """What the formula makes of all changes together, from the last state before them; None where it has no say.

    MemAvailable is a range: how much of it the marks take depends on the page cache and slab of the moment.
    """
    try:
        prediction = predict(zone_inputs(view), settings(view), None, changes, auto_upper=auto_upper(view))
    except AdvisorError:
        return None
    if prediction.effect != "changes" or prediction.after is None:
        return None
    return prediction


def score(prediction: Prediction, before: View, after: View) -> list[Score]:
    """The marks to the page, and the part of MemAvailable that the marks took away."""
    try:
        observed = _marks(after)
    except Unknown:
        return []
    marks = [zone.after for zone in prediction.zones if zone.after is not None and zone.managed]
    found = [_mark(each, observed[each.node, each.zone], name) for each in marks if (each.node, each.zone) in observed
             for name in ("min", "low", "high")]  # fmt: skip
    loss = _loss(before, after)
    if loss is not None and prediction.available_change is not None:
        worst, best = sorted(prediction.available_change)
        found.append(_scored("MemAvailable", "B", (float(worst), float(best)), float(loss)))
    return found


def _mark(marks: Marks, observed: Marks, name: str) -> Score:
    value = float(getattr(marks, name))
    return _scored(f"node {marks.node} {marks.zone} {name}", "page", (value, value), float(getattr(observed, name)))


def _scored(what: str, unit: str, predicted: tuple[float, float], observed: float) -> Score:
    low, high = predicted
    error = min(0.0, observed - low) + max(0.0, observed - high)
    return Score(what, unit, predicted, observed, error)


def _marks(view: View) -> dict[tuple[int, str], Marks]:
    zones, known = zone_inputs(view), settings(view)
    return {(marks.node, marks.zone): marks for marks in current_marks(zones, known, choose_variant(zones, known))}


def _loss(before: View, after: View) -> int | None:
    """What the new marks take from MemAvailable, in bytes, by the formula and the counters after the change.

    The change that /proc/meminfo shows is no measure of it: memory was used and freed in between.
    """
    try:
        old, new, memory = _reserve(before, boosted=True), _reserve(after), memory_counters(after)
        if memory is None:
            return None
        return (mem_available(memory, *new) - mem_available(memory, *old)) * page_size(after)
    except Unknown:
        return None


def _reserve(view: View, *, boosted: bool = False) -> tuple[int, int]:
    """The two sums that MemAvailable depends on, pages: what is reserved, and the low marks (perhaps with boost)."""
    zones, known = zone_inputs(view), settings(view)
    marks = current_marks(zones, known, choose_variant(zones, known))
    low = sum((zone.boost or 0) if boosted else 0 for zone in zones) + sum(mark.low for mark in marks)
    return totalreserve(zones, marks, current_protections(zones, known.lowmem_reserve_ratio)), low
