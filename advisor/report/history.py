"""The ledger for people: one line for each change that was tried."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING, Any
from advisor.report.layout import Line, clean, paragraph
from advisor.report.verification import MARK, STYLE, scored, times
from advisor.units import format_bytes
from advisor.verify.model import Score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from advisor.experience import Trial

_MOST = 3  # predictions of one trial, of which MemAvailable is the last


def layout(trials: Sequence[Trial], whole: int, width: int = 100, setting: str | None = None) -> list[Line]:
    """Trials as lines, oldest first.

    Args:
        trials: those to show.
        whole: how many the ledger holds.
        width: columns to use.
        setting: show changes of this setting only; None: all.
    """
    if not trials:
        text = "The ledger is empty." if not whole else f"None of the {whole} trials in the ledger is such a one."
        return paragraph(text, indent=0, width=width)
    lines: list[Line] = []
    for trial in trials:
        lines += _trial(trial, width, setting)
    return lines


def _trial(trial: Trial, width: int, setting: str | None) -> list[Line]:
    head = f"{trial.at[:16].replace('T', ' ')}  {trial.hostname or 'unknown host'}"
    lines: list[Line] = [[(clean(head), "title"), (f"  {clean(_class(trial))}{_scored(trial)}", "quiet")]]
    shown = [change for change in trial.changes if setting is None or change.get("setting") == setting]
    for change in shown:
        lines += _change(trial, change, width)
    if not shown:
        lines += paragraph("; ".join(trial.why), indent=4, width=width, label=MARK.get(trial.verdict, "?"))
    for text in _predictions(trial):
        lines += paragraph(text, indent=4, width=width, style="quiet")
    return lines


def _predictions(trial: Trial) -> list[str]:
    """What was predicted beside what came, where it is not merely a mark that came to the page."""
    try:
        scores = [Score(score["what"], score["unit"], tuple(score["predicted"]), score["observed"], score["error"])
                  for score in trial.predictions]  # fmt: skip
        told = [scored(score) for score in scores if score.unit == "B" or not score.right]
    except (KeyError, TypeError, ValueError):
        return ["its predictions cannot be read"]
    more = [f"and {len(told) - _MOST} more predictions that did not hold"] if len(told) > _MOST else []
    return told[-_MOST:] + more


def _class(trial: Trial) -> str:
    kind = trial.kind
    size = format_bytes(kind.memory_bytes) if kind.memory_bytes else "unknown size"
    return ", ".join([size, f"Linux {kind.kernel or '?'}", *([kind.role] if kind.role else [])])


def _scored(trial: Trial) -> str:
    right = sum(1 for score in trial.predictions if score.get("error") == 0)
    return f"; {right} of {len(trial.predictions)} predictions right" if trial.predictions else ""


def _change(trial: Trial, change: Mapping[str, Any], width: int) -> list[Line]:
    verdict = str(change.get("verdict"))
    numbers = ""
    if isinstance(change.get("ratio"), int | float):
        low, high = (_end(change.get(name)) for name in ("low", "high"))
        numbers = f" ({times(change['ratio'])}, {low} to {high})"
    undone = "; to be taken back" if change.get("setting") in trial.undo else ""
    text = f"{change.get('setting')} {change.get('before')} → {change.get('proposed')}: {verdict}{numbers}{undone}; "
    return paragraph(text + str(change.get("why")), indent=4, width=width, label=MARK.get(verdict, "?"),
                     style=STYLE.get(verdict, "") if undone else "")  # fmt: skip


def _end(value: object) -> str:
    """An end of an interval; the windows may not have bounded it."""
    return times(value) if isinstance(value, int | float) else "?"
