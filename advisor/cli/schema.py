"""Print the JSON schema of what `advisor check --format json` prints."""

from __future__ import annotations

from pathlib import Path

from advisor.cli import OK, _shared
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("-o", "--output", metavar="FILE", help="write there instead of to stdout")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    from advisor import report  # noqa: PLC0415

    file = Path(report.__path__[0]) / "report-1.schema.json"
    _shared.put(arguments, file.read_text(encoding="utf-8"))
    return OK
