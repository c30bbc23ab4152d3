"""Show what rules can read: name, unit, meaning, file. A word leads there also by old names: vmeff, pgscand/s.

advisor signals               every signal
advisor signals WORD          those that are called so, or mean it
advisor signals WORD SOURCE   with their values in a capture
"""

from __future__ import annotations

from advisor.cli import OK, _shared
from advisor.errors import AdvisorError, Unknown
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from advisor.report.layout import Line
    from advisor.signals.model import Signal


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("word", nargs="?", help="a signal, a part of its name, or a word for it")
    _shared.add_source(parser)
    _shared.add_output(parser, "text")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    found = _found(arguments.word)
    values = _values(arguments, found) if arguments.source is not None else {}
    lines: list[Line] = []
    for signal in found:
        lines += _lines(signal, values.get(signal.name), detailed=arguments.word is not None)
    _shared.show_lines(arguments, [*lines, [(f"{len(found)} signals", "quiet")]])
    return OK


def _found(word: str | None) -> list[Signal]:
    from advisor.signals.model import catalogue  # noqa: PLC0415

    signals = list(catalogue().values())
    if word is None:
        return signals
    asked = word.lower().lstrip("%")
    found = [
        s for s in signals if asked in s.name.lower() or any(asked in other.lower().lstrip("%") for other in s.also)
    ]
    if found:
        return found
    found = [s for s in signals if asked in s.meaning.lower()]
    if found:
        return found
    from advisor.engine.suggest import did_you_mean  # noqa: PLC0415  (only for a mistake)

    raise AdvisorError(f"no signal is called '{word}'", did_you_mean(word, [s.name for s in signals]))


def _values(arguments: argparse.Namespace, signals: list[Signal]) -> dict[str, str]:
    from advisor.report.wording import shown  # noqa: PLC0415
    from advisor.signals.table import Table  # noqa: PLC0415
    from advisor.signals.view import views  # noqa: PLC0415

    whole, _parts = views(_shared.obtain(arguments))
    row = Table(whole).row([s.name for s in signals if s.scope == "host"])
    return {
        s.name: shown(row.values[s.name], s.unit) + _why(row.reasons.get(s.name)) for s in signals if s.scope == "host"
    }


def _why(reason: Unknown | None) -> str:
    return f": {reason}" if reason else ""


def _lines(signal: Signal, value: str | None, *, detailed: bool) -> list[Line]:
    from advisor.report.layout import paragraph  # noqa: PLC0415

    head: Line = [(signal.name.ljust(38), "title"), (signal.unit.ljust(9), "quiet")]
    if not detailed:
        return [[*head, (signal.meaning.split(". ")[0], "")]]
    lines: list[Line] = [[*head, (f"for each {signal.scope}" if signal.scope != "host" else "", "quiet")]]
    rows = [("", signal.meaning), ("formula", signal.formula), ("reads", ", ".join(signal.reads))]
    rows += [("also", ", ".join(signal.also)), ("choices", ", ".join(signal.choices)), ("value", value or "")]
    for label, text in rows:
        if text:
            lines += paragraph(text, indent=12, width=_shared.width(), label=label)
    return lines
