"""The state of a fleet: the worst hosts, rules and classes, what changed since the last run, what could not be judged.

Each host is judged by its newest capture. The store remembers the outcome, for the comparison of the next run; with
--no-remember it does not. Ends with 0; `advisor fleet check` is for pipelines.
"""

from __future__ import annotations

from advisor.cli import OK, _shared
from advisor.cli.fleet import _judging
from advisor.hints import TYPE_CHECKING
from advisor.report import fleet_text
from advisor.report.fleet import from_documents, since

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    _judging.configure(parser, "text", "json")
    parser.add_argument("--no-remember", action="store_true",
                        help="do not keep the outcome for the comparison of the next run")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    wanted = _judging.targets(arguments)
    judged = _judging.judge(arguments, everything=True)
    from advisor.fleet import last  # noqa: PLC0415

    before = last.read(judged.store, judged.policy)
    report = judged.report()
    changes = None if before is None else since(from_documents(before), report)
    report = _judging.with_classes(judged.report(since=changes))
    shown = not _judging.write(wanted, report)
    if shown and arguments.format == "json":
        _shared.put(arguments, _judging.as_json(judged, report))
    elif shown:
        _shared.show_lines(arguments, fleet_text.layout(report, _shared.width()))
    if not arguments.no_remember:
        last.write(judged.store, judged.policy, judged.documents)
    return OK
