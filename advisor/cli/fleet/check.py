"""Judge every host of a store, for a pipeline: who fails, by what, and an exit code.

Each host is judged by its newest capture, with the verdict that `advisor check` would give; with --policy each by the
gate of its groups. Ends with 2 when a host fails its gate, else with 3 when one could not be judged, else with 0.
"""

from __future__ import annotations

from advisor.cli import FOUND, OK, UNSURE, _shared, check
from advisor.cli.fleet import _judging
from advisor.hints import TYPE_CHECKING
from advisor.report import fleet_text
from advisor.report.fleet import host_result
from advisor.rulebook.model import SEVERITIES

if TYPE_CHECKING:
    import argparse

    from advisor.analysis import Report
    from advisor.cli.fleet._judging import Judged
    from advisor.report.fleet_text import Gate

_MOST_SHOWN = 50


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    _judging.configure(parser, "text", "json")
    parser.add_argument("--fail-on", choices=(*SEVERITIES, "never"),
                        help="the least severity that ends with exit code 2 (default: what the policy says, "
                             "or warning)")  # fmt: skip
    parser.add_argument("--exit-zero", action="store_true", help="end with 0 whatever was found")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    wanted = _judging.targets(arguments)
    judged = _judging.judge(arguments, everything=bool(wanted))
    gate = _gate(judged, arguments.fail_on)
    report = judged.report()
    shown = not _judging.write(wanted, report)
    if shown and arguments.format == "json":
        _shared.put(arguments, _judging.as_json(judged, report))
    elif shown:
        by = f"policy {judged.policy}" if judged.policy else "the rules"
        _shared.show_lines(arguments, fleet_text.gate_layout(gate, report, by, _shared.width(), _MOST_SHOWN))
    if arguments.exit_zero:
        return OK
    return FOUND if gate.failed else UNSURE if gate.unsure or not judged.survey.hosts else OK


def _gate(judged: Judged, fail_on: str | None) -> Gate:
    failed, unsure = [], []
    for report, document in zip(judged.survey.reports, judged.documents, strict=True):
        code = check.code(report, fail_on)
        if code == FOUND:
            failed.append(host_result(document))
        elif code == UNSURE:
            unsure.append((host_result(document), _why(report)))
    failed.sort(key=lambda host: host.rank())
    unsure.sort(key=lambda pair: pair[0].name)
    passed = judged.survey.hosts - len(failed) - len(unsure)
    return fleet_text.Gate(passed, tuple(failed), tuple(unsure))


def _why(report: Report) -> str:
    undecided = [f for f in report.findings if f.rule in report.undecided()]
    if not undecided:
        return "too little data to tell whether tasks wait for memory"
    reasons = dict.fromkeys(f"{f.missing[0].reason}" if f.missing else "unknown" for f in undecided)
    return f"{', '.join(f.rule for f in undecided)} cannot be told: {'; '.join(reasons)}"
