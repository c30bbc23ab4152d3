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
    from collections.abc import Sequence

    from advisor.cli._reports import Target

_GATE = "warning"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    _shared.add_source(parser)
    _shared.add_rules(parser)
    _shared.add_policy(parser)
    _shared.add_redact(parser)
    _shared.add_ledger(parser)
    _shared.add_output(parser, "text", "json")
    parser.add_argument(
        "--all", action="store_true", help="also list the checks that passed, are open, or do not apply"
    )
    parser.add_argument("--fail-on", choices=(*SEVERITIES, "never"),
                        help="the least severity that ends with exit code 2 (default: what the policy says, "
                             "or warning)")  # fmt: skip
    parser.add_argument("--exit-zero", action="store_true", help="end with 0 whatever was found")
    parser.add_argument("--report", action="append", metavar="FORMAT=FILE", default=[],
                        help="also write a report: html, markdown, sarif, junit, prometheus, csv, json, text, nagios; "
                             "may be given again; - as FILE puts it on stdout instead of the usual one")  # fmt: skip
    parser.add_argument("--nagios", action="store_true",
                        help="one line, and 0 OK, 1 warning, 2 critical, 3 unknown as exit code")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    wanted = _wanted(arguments) if arguments.report else ()
    report = _shared.judged(arguments)
    if wanted and _written(wanted, report, everything=arguments.all):
        return _plugin_code(report) if arguments.nagios else _exit_code(arguments, report)
    if arguments.nagios:
        return _nagios(arguments, report)
    if arguments.format == "json":
        from advisor.report import as_json  # noqa: PLC0415

        _shared.put(arguments, as_json.render(report, everything=arguments.all))
    else:
        from advisor.report import text  # noqa: PLC0415

        _shared.show_lines(arguments, text.layout(report, _shared.width(), everything=arguments.all))
    return _exit_code(arguments, report)


def _wanted(arguments: argparse.Namespace) -> Sequence[Target]:
    """The reports to write; asked for before the window, since a wrong name must not cost a minute."""
    from advisor.cli import _reports  # noqa: PLC0415

    return _reports.parse(arguments.report, usual=arguments.output)


def _written(wanted: Sequence[Target], report: Report, *, everything: bool) -> bool:
    """Writes the reports; whether one of them took the place of the usual output."""
    from advisor.cli import _reports  # noqa: PLC0415
    from advisor.report import formats  # noqa: PLC0415

    return _reports.write(wanted, lambda name: formats.host(name, report, everything=everything))


def _exit_code(arguments: argparse.Namespace, report: Report) -> int:
    return OK if arguments.exit_zero else code(report, arguments.fail_on)


def code(report: Report, fail_on: str | None) -> int:
    """The exit code of a report; without `fail_on` by the gate of its policy.

    A required value of which nobody can tell whether it holds is not met: the host could not be judged.
    """
    fail_on = fail_on or (report.policy.fail_on if report.policy else _GATE)
    worst = report.worst()
    if fail_on != "never" and worst is not None and SEVERITIES.index(worst) >= SEVERITIES.index(fail_on):
        return FOUND
    return UNSURE if report.verdict == INSUFFICIENT or report.undecided() else OK


def _nagios(arguments: argparse.Namespace, report: Report) -> int:
    from advisor.report import nagios  # noqa: PLC0415

    _shared.put(arguments, nagios.render(report))
    return _plugin_code(report)


def _plugin_code(report: Report) -> int:
    """The exit code of a monitoring plugin."""
    if report.verdict == FINDINGS:
        return 2 if report.worst() == "critical" else 1
    return 3 if report.verdict == INSUFFICIENT else 0
