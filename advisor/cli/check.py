"""Measure a host and judge it: what is wrong with memory, how we know, what to change, what that costs.

Without SOURCE this host is watched for a minute. Reading needs no root; the report says what root would add.
"""

from __future__ import annotations

from advisor.analysis import FINDINGS, INSUFFICIENT, Report
from advisor.cli import FOUND, OK, UNSURE, _shared
from advisor.hints import TYPE_CHECKING
from advisor.rulebook.model import SEVERITIES

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    _shared.add_source(parser)
    _shared.add_rules(parser)
    _shared.add_output(parser, "text", "json")
    parser.add_argument(
        "--all", action="store_true", help="also list the checks that passed, are open, or do not apply"
    )
    parser.add_argument("--fail-on", choices=(*SEVERITIES, "never"), default="warning",
                        help="the least severity that ends with exit code 2 (default: warning)")  # fmt: skip
    parser.add_argument("--exit-zero", action="store_true", help="end with 0 whatever was found")
    parser.add_argument("--nagios", action="store_true",
                        help="one line, and 0 OK, 1 warning, 2 critical, 3 unknown as exit code")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    report = _shared.judged(arguments)
    if arguments.nagios:
        return _nagios(arguments, report)
    if arguments.format == "json":
        from advisor.report import as_json  # noqa: PLC0415

        _shared.put(arguments, as_json.render(report, everything=arguments.all))
    else:
        from advisor.report import text  # noqa: PLC0415

        _shared.show_lines(arguments, text.layout(report, _shared.width(), everything=arguments.all))
    return OK if arguments.exit_zero else code(report, arguments.fail_on)


def code(report: Report, fail_on: str) -> int:
    """The exit code of a report."""
    worst = report.worst()
    if fail_on != "never" and worst is not None and SEVERITIES.index(worst) >= SEVERITIES.index(fail_on):
        return FOUND
    return UNSURE if report.verdict == INSUFFICIENT else OK


def _nagios(arguments: argparse.Namespace, report: Report) -> int:
    from advisor.report import nagios  # noqa: PLC0415

    _shared.put(arguments, nagios.render(report))
    if report.verdict == FINDINGS:
        return 2 if report.worst() == "critical" else 1
    return 3 if report.verdict == INSUFFICIENT else 0
