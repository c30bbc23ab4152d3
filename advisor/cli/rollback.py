"""Put back what memadvisor changed on hosts: what runs, and what the next boot sets.

advisor rollback                  this host: the last change; shows it, asks, puts it back
advisor rollback -i INVENTORY --check

Works from the receipts on the hosts; it asks nothing of the controller that made the change.
"""

from __future__ import annotations

from advisor.cli import ERROR, OK, _playbook
from advisor.cli.apply import add_consent, ask, need_consent, show
from advisor.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("settings", nargs="*", metavar="SETTING", help="only these settings of it")
    _playbook.add_hosts(parser)
    add_consent(parser, "putting anything back")
    parser.add_argument("--transaction", metavar="ID", help="this change, as its receipt is called")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    need_consent(arguments)
    variables: dict[str, Any] = {"undo_names": arguments.settings}
    if arguments.transaction:
        variables["undo_transaction"] = arguments.transaction
    if not arguments.yes or arguments.check:
        foreseen = _playbook.play("undo", arguments, variables, check=True)
        changing = show(foreseen, "would be put back")
        if arguments.check or not changing or not foreseen.ok:
            return OK if foreseen.ok else ERROR
        ask("Put it back?")
    done = _playbook.play("undo", arguments, variables)
    show(done, "put back")
    return OK if done.ok else ERROR
