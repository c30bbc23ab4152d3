"""Judge every host of a store, for a pipeline: who fails, by what, and an exit code.

Each host is judged by its newest capture, with the verdict that `advisor check` would give; with --policy each by the
gate of its groups. Ends with 2 when a host fails its gate, else with 3 when one could not be judged, else with 0.
"""

from __future__ import annotations

from advisor.cli import FOUND, OK, UNSURE, _shared
from advisor.cli.fleet import _judging
from advisor.hints import TYPE_CHECKING
from advisor.report import fleet_text
from advisor.report.fleet import HostResult
from advisor.rulebook.model import SEVERITIES

if TYPE_CHECKING:
    import argparse

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
    judged = _judging.judge(
        arguments, everything=bool(wanted), documents=arguments.format == "json", fail_on=arguments.fail_on
    )
    gate = _gate(judged)
    report = judged.report()
    shown = not _judging.write(wanted, report)
    if shown and arguments.format == "json":
        _shared.put(arguments, _judging.as_json(judged, report))
    elif shown:
        by = f"policy {judged.policy}" if judged.policy else "the rules"
        _shared.show_lines(arguments, fleet_text.gate_layout(gate, report, by, _shared.width(), _MOST_SHOWN))
    if arguments.exit_zero:
        return OK
    return FOUND if gate.failed else UNSURE if gate.unsure or not judged.hosts else OK


def _gate(judged: Judged) -> Gate:
    failed = [each.result for each in judged.taken if each.code == FOUND]
    unsure = [(each.result, each.why) for each in judged.taken if each.code == UNSURE]
    failed.sort(key=HostResult.rank)
    unsure.sort(key=lambda pair: pair[0].name)
    return fleet_text.Gate(judged.hosts - len(failed) - len(unsure), tuple(failed), tuple(unsure))
