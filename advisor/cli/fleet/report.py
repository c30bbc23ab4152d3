"""The state of a fleet: the worst hosts, rules and classes, what changed since the last run, what could not be judged.

Each host is judged by its newest capture. The store remembers the outcome, for the comparison of the next run; with
--no-remember it does not. STORE may also be the JSON of a fleet's report, to show it in another format. Ends with 0;
`advisor fleet check` is for pipelines.
"""

from __future__ import annotations

from advisor.cli import OK, _shared
from advisor.cli.fleet import _judging
from advisor.errors import UsageError
from advisor.hints import TYPE_CHECKING
from advisor.report import fleet_text
from advisor.report.fleet import from_documents, since

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from advisor.cli._reports import Target
    from advisor.report.fleet import FleetReport


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    _judging.configure(parser, "text", "json")
    _shared.add_redact(parser)
    parser.add_argument("--no-remember", action="store_true",
                        help="do not keep the outcome for the comparison of the next run")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    wanted, hide = _judging.targets(arguments), _hider(arguments)
    if arguments.store.is_file():
        return _of_documents(arguments, wanted, hide)
    judged = _judging.judge(arguments, everything=True)
    from advisor.fleet import last  # noqa: PLC0415

    before = last.read(judged.store, judged.policy)
    report = judged.report()
    changes = None if before is None else since(from_documents(before), report)
    report = hide(_judging.with_classes(judged.report(since=changes)))
    shown = not _judging.write(wanted, report)
    if shown and arguments.format == "json":
        _shared.put(arguments, _judging.as_json(judged, report))
    elif shown:
        _shared.show_lines(arguments, fleet_text.layout(report, _shared.width()))
    if not arguments.no_remember:
        last.write(judged.store, judged.policy, (each.document for each in judged.taken if each.document))
    return OK


def _of_documents(
    arguments: argparse.Namespace, wanted: Sequence[Target], hide: Callable[[FleetReport], FleetReport]
) -> int:
    """The report of what was judged before: by the playbooks of the collection, or by `advisor fleet check`."""
    if arguments.policy or arguments.format == "json":
        raise UsageError(f"{arguments.store}: is a report, and judged already", "name a store to judge it by a policy")
    document = _judging.read_documents(arguments.store)
    unreadable = tuple((str(each["source"]), str(each["why"])) for each in document.get("unreadable", []))
    report = from_documents(document["hosts"], unreadable=unreadable, notes=tuple(document.get("notes", ())))
    report = hide(_judging.with_classes(report))
    if not _judging.write(wanted, report):
        _shared.show_lines(arguments, fleet_text.layout(report, _shared.width()))
    return OK


def _hider(arguments: argparse.Namespace) -> Callable[[FleetReport], FleetReport]:
    """Gives names their pseudonyms where the arguments ask for it.

    Raises:
        UsageError: JSON is asked for, which holds each host's own report.
    """
    if not arguments.redact and arguments.redact_key is None:
        return lambda report: report
    if arguments.format == "json":
        raise UsageError("the JSON of a fleet holds the reports of its hosts, names and all",
                         "use --report html=FILE, csv=FILE or markdown=FILE with --redact")  # fmt: skip
    from advisor.capture.redact import read_key  # noqa: PLC0415
    from advisor.report.redacted import redact  # noqa: PLC0415

    key = read_key(arguments.redact_key)
    return lambda report: redact(report, key)
