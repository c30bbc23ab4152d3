"""A verification for people: the verdict first, then each change with its numbers, the costs, and the predictions."""

from __future__ import annotations

import math

from advisor.hints import TYPE_CHECKING
from advisor.report.layout import Line, clean, paragraph
from advisor.report.wording import format_signed, shown
from advisor.units import format_count, format_pages, format_seconds
from advisor.verify.model import BETTER, MARGIN, SAME, UNCLEAR, WORSE

if TYPE_CHECKING:
    from advisor.noise import Ratio
    from advisor.verify.model import Change, Cost, Expectation, Score, Verification

_INDENT = 14
STYLE = {BETTER: "good", SAME: "notice", WORSE: "critical", UNCLEAR: "warning"}
_HEAD = {BETTER: "Better", SAME: "The same", WORSE: "Worse", UNCLEAR: "Cannot tell"}
MARK = {BETTER: "✔", SAME: "=", WORSE: "✖", UNCLEAR: "?"}

# The picture of an interval reaches from a tenth to ten times, in logarithms.
_DECADES = 1.0
_AXIS = 41


def layout(verification: Verification, width: int = 100) -> list[Line]:
    """The whole verification as lines."""
    lines = _head(verification, width)
    for change in verification.changes:
        lines += [[], *_change(change, width)]
    lines += _costs(verification.costs, width)
    lines += _predictions(verification.predictions, width)
    for note in verification.notes:
        lines += paragraph(note, indent=_INDENT, width=width, label="note", style="quiet")
    return lines


def _head(verification: Verification, width: int) -> list[Line]:
    verdict = verification.verdict
    host = clean(verification.host.hostname or "this host")
    lines: list[Line] = [[(_HEAD[verdict], STYLE[verdict]), (f"  {host}", "title")]]
    lines += paragraph(_measured(verification), indent=2, width=width, style="quiet")
    for why in verification.why:
        lines += paragraph(why, indent=_INDENT, width=width, label="because")
    if verification.wait_s:
        longer = format_seconds(_rounded(verification.wait_s))
        text = f"watch AFTER for about {longer} more of this load, then ask again"
        lines += paragraph(text, indent=_INDENT, width=width, label="to tell")
    if verification.undo:
        lines += paragraph(", ".join(verification.undo), indent=_INDENT, width=width, label="take back", style="value")
    return lines


def _rounded(seconds: float) -> float:
    """An estimate needs no seconds: up to the next minute."""
    return max(60.0, math.ceil(seconds / 60) * 60.0)


def _measured(verification: Verification) -> str:
    before, after, work = verification.before, verification.after, verification.work
    first = f"{before.windows} windows over {format_seconds(before.seconds)} before"
    parts = [f"{first}, {after.windows} over {format_seconds(after.seconds)} after"]
    if work.ratio is not None:
        parts.append(f"compared per unit of work: {work.measure} {shown(work.before, work.unit)} → "
                     f"{shown(work.after, work.unit)} ({times(work.ratio)})")  # fmt: skip
    return " · ".join(parts)


def _change(change: Change, width: int) -> list[Line]:
    before = "?" if change.before is None else change.before
    after = "" if change.after is None else f" {before} → {change.after}"
    verdict = (f"{MARK[change.verdict]} {change.verdict}  ", STYLE[change.verdict])
    title = (clean(f"{change.setting}{after}"), "title")
    rules = f"  [{', '.join(change.rules)}]" if change.rules else "  nobody's advice"
    lines: list[Line] = [[verdict, title, (rules, "quiet")]]
    if not change.expectations or change.verdict == UNCLEAR:
        lines += paragraph(change.why, indent=_INDENT, width=width, label="because")
    for expectation in change.expectations:
        lines += _expectation(expectation, width)
    return lines


def _expectation(expectation: Expectation, width: int) -> list[Line]:
    where = f"{expectation.entity}: " if expectation.entity else ""
    reached = {True: "", False: ", short of what was hoped for" if expectation.role == "goal" else "", None: ""}
    text = f"{where}{expectation.text}: {expectation.verdict}{reached[expectation.reached]}; {expectation.why}"
    lines = paragraph(text, indent=_INDENT, width=width, label=expectation.role)
    if expectation.noise is not None:
        lines.append(_numbers(expectation.noise, expectation.unit))
    return lines


def _numbers(noise: Ratio, unit: str) -> Line:
    style = "good" if noise.high < 1 else "critical" if noise.low > 1 else "quiet"
    values = f"{shown(noise.before, unit)} → {shown(noise.after, unit)}"
    return [(" " * _INDENT, ""), (picture(noise), style), (f"  {values}", "value"),
            (f"  {times(noise.ratio)}, {times(noise.low)} to {times(noise.high)}", "quiet")]  # fmt: skip


def picture(noise: Ratio) -> str:
    """An interval on an axis from a tenth to ten times, better to the left; dots show the range that counts as none.

    >>> from advisor.noise import Ratio
    >>> picture(Ratio(10.0, 2.0, 0.2, 0.1, 0.4, 0.025, (5, 5), 0.0, 1.0))
    '├─────●─────┤     ··|··                  '
    """
    cells = [" "] * _AXIS
    for cell in range(_cell(1 / MARGIN), _cell(MARGIN) + 1):
        cells[cell] = "·"
    cells[_cell(1.0)] = "|"
    low, high = _cell(noise.low), _cell(noise.high)
    for cell in range(low, high + 1):
        cells[cell] = "─"
    cells[low], cells[high] = "├" if noise.low >= 0.1 else "◀", "┤" if noise.high <= 10 else "▶"
    cells[_cell(noise.ratio)] = "●"
    return "".join(cells)


def _cell(ratio: float) -> int:
    place = 0.0 if ratio <= 0 else math.log10(ratio) if math.isfinite(ratio) else _DECADES
    if ratio <= 0:
        place = -_DECADES
    share = (max(-_DECADES, min(_DECADES, place)) + _DECADES) / (2 * _DECADES)
    return round(share * (_AXIS - 1))


def times(ratio: float) -> str:
    """A ratio for people.

    >>> times(0.1), times(2.345)
    ('×0.1', '×2.3')
    """
    return "×∞" if not math.isfinite(ratio) else f"×{format_count(float(f'{ratio:.2g}'))}"


def _costs(costs: tuple[Cost, ...], width: int) -> list[Line]:
    if not costs:
        return []
    lines: list[Line] = [[], [("Costs", "title"), ("  what must not get worse, whatever the change was for", "quiet")]]
    for cost in sorted(costs, key=lambda cost: (WORSE, UNCLEAR, BETTER, SAME).index(cost.verdict)):
        word = cost.verdict
        if cost.verdict == UNCLEAR and cost.noise is not None:
            word = "may have got worse" if cost.noise.ratio > 1 else "seems no worse"
        values = ""
        if cost.noise is not None:
            values = f" {shown(cost.noise.before, cost.unit)} → {shown(cost.noise.after, cost.unit)}"
        text = f"{cost.signal}{values}: {word}; {cost.why}"
        style = STYLE[cost.verdict] if cost.verdict == WORSE else "quiet" if cost.verdict == SAME else ""
        lines += paragraph(text, indent=4, width=width, label=MARK[cost.verdict], style=style)
    return lines


def _predictions(scores: tuple[Score, ...], width: int) -> list[Line]:
    if not scores:
        return []
    right = sum(score.right for score in scores)
    told = f"  {right} of {len(scores)} right; marks are predicted to the page"
    lines: list[Line] = [[], [("Predictions", "title"), (told, "quiet")]]
    for score in scores:
        if not score.right or score.unit == "B":
            lines += paragraph(scored(score), indent=4, width=width)
    return lines


def scored(score: Score) -> str:
    """A prediction beside what came."""
    low, high = score.predicted
    if score.unit == "B":
        predicted = format_signed(low) if low == high else f"{format_signed(low)} to {format_signed(high)}"
        return f"{score.what}: predicted {predicted}, came {format_signed(score.observed)}"
    return f"{score.what}: predicted {format_pages(low)}, came {format_pages(score.observed)}"
