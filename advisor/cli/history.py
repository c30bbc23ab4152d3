"""Show what was tried and what came of it: the ledger that `advisor verify` writes.

One line for each change, oldest first. Kept are host, class, values, verdict, numbers and how predictions did.
"""

from __future__ import annotations

from advisor.cli import OK, _shared
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from advisor.experience import Trial


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("--ledger", metavar="FILE", help="default: ~/.local/state/memadvisor/ledger.jsonl")
    parser.add_argument("--host", metavar="NAME", help="only this host")
    parser.add_argument("--setting", metavar="NAME", help="only trials of this setting")
    _shared.add_output(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    from advisor import ledger  # noqa: PLC0415

    trials = ledger.read(arguments.ledger or ledger.default_path(), _shared.warn)
    chosen = [trial for trial in trials if _chosen(trial, arguments)]
    if arguments.format == "json":
        import json  # noqa: PLC0415

        from advisor.experience import dumps  # noqa: PLC0415

        entries = [json.loads(dumps(trial)) for trial in chosen]
        _shared.put(arguments, json.dumps({"schema": "memadvisor/history/1", "trials": entries}, indent=2) + "\n")
    else:
        from advisor.report import history  # noqa: PLC0415

        _shared.show_lines(arguments, history.layout(chosen, len(trials), _shared.width(), arguments.setting))
    return OK


def _chosen(trial: Trial, arguments: argparse.Namespace) -> bool:
    if arguments.host is not None and trial.hostname != arguments.host:
        return False
    return arguments.setting is None or any(change["setting"] == arguments.setting for change in trial.changes)
