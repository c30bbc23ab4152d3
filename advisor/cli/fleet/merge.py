"""Merge stores, or reports of fleets, into one: the slices of an AWX job, sites, days.

PARTS are stores (then so is the outcome, which may be there already and grows), or JSON files that the callback
memadvisor.linux.fleet_report or `advisor fleet check --format json` wrote. Of two captures or reports of one host and
time the later one counts.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from advisor.cli import OK, _shared
from advisor.cli.fleet import _common, _judging
from advisor.errors import UsageError
from advisor.hints import TYPE_CHECKING
from advisor.report.layout import clean

if TYPE_CHECKING:
    import argparse

_MOST_SHOWN = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("parts", nargs="+", metavar="PART", type=Path, help="a store, or the JSON of a fleet's report")
    parser.add_argument("-o", "--output", required=True, metavar="TARGET", type=Path,
                        help="the store, or the JSON file, to write")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    kinds = {part.is_dir() for part in arguments.parts}
    if len(kinds) > 1:
        raise UsageError("stores and reports cannot be merged with each other", "name stores only, or reports only")
    for part in arguments.parts:
        if not part.exists():
            raise UsageError(f"{part}: no such file or folder")
    (_stores if kinds == {True} else _reports)(arguments)
    return OK


def _stores(arguments: argparse.Namespace) -> None:
    _common.need()
    from advisor.fleet.merge import merge  # noqa: PLC0415
    from advisor.fleet.store import create_store, open_store  # noqa: PLC0415

    if any(part.resolve() == arguments.output.resolve() for part in arguments.parts):
        raise UsageError(f"{arguments.output}: would be merged with itself", "name another store, or leave it out")
    stores = [open_store(part) for part in arguments.parts]
    target = create_store(arguments.output)
    merged = merge(stores, target)
    twice = f", {merged.skipped} there already or replaced" if merged.skipped else ""
    _say(arguments.output, f"{merged.added} captures added{twice}; {target.captures} in all", merged.remarks)


def _reports(arguments: argparse.Namespace) -> None:
    from advisor.report.fleet_documents import merged  # noqa: PLC0415

    documents = [_judging.read_documents(part) for part in arguments.parts]
    document, remarks = merged(documents)
    text = json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8", "replace").decode()
    _shared.write_text(str(arguments.output), text + "\n")
    unread = f", {len(document['unreadable'])} unreadable" if document["unreadable"] else ""
    _say(arguments.output, f"{len(document['hosts'])} hosts{unread}", remarks)


def _say(target: Path, what: str, remarks: tuple[str, ...]) -> None:
    for remark in remarks[:_MOST_SHOWN]:
        print(clean(f"note: {remark}"), file=sys.stderr)
    if len(remarks) > _MOST_SHOWN:
        print(f"… and {len(remarks) - _MOST_SHOWN} more", file=sys.stderr)
    print(clean(f"{target}: {what}"), file=sys.stderr)
