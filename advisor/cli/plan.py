"""Print what to change, in the form in which you apply settings.

Formats: text, json, sysctl (a file for /etc/sysctl.d), ansible-vars, tuned (a profile). An empty plan is a plan:
exit code 0. With --detailed-exitcode 2 means that there is something to change.
"""

from __future__ import annotations

import json

from advisor.cli import FOUND, OK, _shared
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    _shared.add_source(parser)
    _shared.add_rules(parser)
    _shared.add_ledger(parser)
    _shared.add_output(parser, "text", "json", "sysctl", "ansible-vars", "tuned")
    parser.add_argument("--detailed-exitcode", action="store_true", help="end with 2 when there is something to change")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    report = _shared.judged(arguments)
    if arguments.format == "text":
        from advisor.report import text  # noqa: PLC0415

        _shared.show_lines(arguments, text.plan_layout(report, _shared.width()))
    elif arguments.format == "json":
        from advisor.report import as_json  # noqa: PLC0415

        document = {
            "schema": "memadvisor/plan/1",
            "host": as_json.identity(report),
            **as_json.plan_document(report.plan),
        }
        _shared.put(arguments, json.dumps(document, indent=2) + "\n")
    else:
        from advisor.report import plans  # noqa: PLC0415

        forms = {"sysctl": plans.sysctl, "ansible-vars": plans.ansible_vars, "tuned": plans.tuned}
        _shared.put(arguments, forms[arguments.format](report.plan))
    return FOUND if arguments.detailed_exitcode and report.plan.changes() else OK
