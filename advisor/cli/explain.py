"""Say what a rule is about; with SOURCE also why it fired there, or why it did not.

Each part of the condition is shown with its truth and the values that it read. Use `-` or a path for SOURCE, and
--live to take this host.
"""

from __future__ import annotations

from advisor.cli import OK, _shared
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from advisor.report.layout import Line
    from advisor.rulebook.library import Check


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("rule", help="name of the rule, as `advisor rules list` shows it")
    _shared.add_source(parser)
    parser.add_argument("--live", action="store_true", help="judge this host")
    _shared.add_rules(parser)
    _shared.add_output(parser, "text")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    from advisor.report import explanation  # noqa: PLC0415
    from advisor.rulebook import library  # noqa: PLC0415

    check = library.one(arguments.rule, [library.BUILTIN, *(arguments.rules or [])])
    lines = explanation.about(check.rule(), _shared.width())
    if arguments.source is not None or arguments.live:
        lines += _judged(arguments, check)
    _shared.show_lines(arguments, lines)
    return OK


def _judged(arguments: argparse.Namespace, check: Check) -> list[Line]:
    from advisor.report import explanation  # noqa: PLC0415
    from advisor.signals.view import views  # noqa: PLC0415

    whole, _parts = views(_shared.obtain(arguments), arguments.role)
    return explanation.judged(check, whole, _shared.width())
