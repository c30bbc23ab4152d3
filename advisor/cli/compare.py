"""Show what moved between two captures, or two reports in JSON: settings, findings, signals, zones.

The weightiest comes first. This describes and does not judge: advisor verify says whether a change helped.
"""

from __future__ import annotations

from advisor.cli import OK, _shared
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from advisor.comparison import Side
    from advisor.rulebook.library import Check


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("a", metavar="A", help="a capture, or what advisor check --format json printed")
    parser.add_argument("b", metavar="B", help="another one")
    parser.add_argument("--interval", type=_shared.seconds, metavar="TIME",
                        help="time from the first to the last sample, where a capture does not say itself")  # fmt: skip
    parser.add_argument("--all", action="store_true", help="list every signal that moved")
    _shared.add_rules(parser)
    _shared.add_output(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    from advisor.comparison import compare, document  # noqa: PLC0415

    rules = _shared.checks(arguments)
    found = compare(_side(arguments.a, arguments, rules), _side(arguments.b, arguments, rules))
    if arguments.format == "json":
        import json  # noqa: PLC0415

        _shared.put(arguments, json.dumps(document(found), indent=2, default=str) + "\n")
    else:
        from advisor.report import comparison  # noqa: PLC0415

        _shared.show_lines(arguments, comparison.layout(found, _shared.width(), everything=arguments.all))
    return OK


def _side(path: str, arguments: argparse.Namespace, rules: Sequence[Check]) -> Side:
    from advisor.comparison import of_capture, of_report  # noqa: PLC0415

    if path.endswith(".json"):
        return of_report(_shared.read_json(path, "a report"), path)
    from advisor.capture.open import open_capture  # noqa: PLC0415

    return of_capture(open_capture(path, interval_s=arguments.interval), rules, arguments.role)
