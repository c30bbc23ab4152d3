"""Print the JSON schema of what a command prints, or of a file.

report: advisor check; verification: advisor verify; comparison: advisor compare, each with --format json. ledger: a
line of the file that advisor verify keeps. policy: a policy file, for editors.
"""

from __future__ import annotations

import json
from pathlib import Path

from advisor.cli import OK, _shared
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_PUBLISHED = ("report", "verification", "comparison", "ledger")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("what", nargs="?", choices=(*_PUBLISHED, "policy"), default="report", help="default: report")
    parser.add_argument("-o", "--output", metavar="FILE", help="write there instead of to stdout")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    if arguments.what == "policy":
        from advisor.policy.schema import json_schema  # noqa: PLC0415  (pydantic)

        _shared.put(arguments, json.dumps(json_schema(), indent=1) + "\n")
        return OK
    from advisor import report  # noqa: PLC0415

    file = Path(report.__path__[0]) / f"{arguments.what}-1.schema.json"
    _shared.put(arguments, file.read_text(encoding="utf-8"))
    return OK
