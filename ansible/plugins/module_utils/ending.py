# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How an open transaction ends: kept, left to wait for its confirmation, or undone."""

import os
import re
import time

from ansible_collections.memadvisor.linux.plugins.module_utils import examine, files, guard
from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError, reason, said, under

RECEIPT = "memadvisor/receipt/1"


def keep(state, journal, actual):
    """Put the files in place, write the receipt and return it; raises TransactionError or OSError."""
    for entry in journal["files"]:
        path, backup = under(state.root, entry["path"]), journal["backups"].get(entry["path"])
        files.swap(path, journal["id"], entry["content"], backup)
    kept = receipt(journal, actual, "applied")
    state.keep(kept)
    return kept


def receipt(journal, actual, outcome):
    """The receipt of a transaction (docs/transaction.md).

    Args:
        journal: its journal.
        actual: texts by path, as read back.
        outcome: applied, reverted or unconfirmed.
    """
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return dict(journal, format=RECEIPT, actual=actual, outcome=outcome, applied_at=at)


def undone(state, name, error, left):
    """The error to raise after an undo.

    Args:
        state: the State.
        name: of the transaction.
        error: what went wrong first.
        left: what could not be put back, as `guard.Guardian.finish` tells it.
    """
    guard.disarm(state, name)
    what = (
        f"{os.path.basename(error.filename or '')} {reason(error)}".strip()
        if isinstance(error, OSError)
        else str(error)
    )
    if left:
        return TransactionError(f"{what}. NOT EVERYTHING COULD BE PUT BACK: {said(left)}", rolled_back=False)
    return TransactionError(f"{what}; everything was put back", rolled_back=True)


class Deadline:
    """When a transaction has to be confirmed.

    Attributes:
        up_s: in seconds since the boot; None when there is nothing to confirm.
        at: the same in words.
    """

    def __init__(self, seconds):
        self.up_s = self.at = None
        if seconds is not None:
            self.up_s = up_s() + seconds
            self.at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def up_s():
    """Seconds since the boot."""
    return float(files.read("/proc/uptime").split()[0])


def waits(state, name):
    """Whether an open transaction waits to be confirmed, and still may be."""
    mark, journal = state.marked(name, "waiting"), state.journal(name)
    if mark is None or journal is None or journal["boot_id"] != examine.boot_id(state.root):
        return False
    found = re.match(r"[0-9.]+", mark)
    return bool(found) and up_s() < float(found.group())


def recover(state, spare=False):
    """Undo what killed runs left open, under the lock; returns the names of what was undone.

    Args:
        state: the State, locked.
        spare: whether one that waits to be confirmed is left alone; else it is refused to go on beside it.
    """
    found = []
    state.sweep()
    for name in state.unfinished():
        if waits(state, name):
            if not spare:
                raise TransactionError(_waits_text(state, name))
            continue
        left = guard.undo(state, name)
        if left:
            raise TransactionError(
                f"the transaction {name} was cut off and cannot be undone: {said(left)}", rolled_back=False
            )
        if state.was_undone(name):
            found.append(name)
    return found


def _waits_text(state, name):
    by = state.marked(name, "waiting").split()[-1]
    return f"the transaction {name} waits until {by}; first keep it (state: confirmed) or undo it (state: restored)"


def refuse(state):
    """Raise TransactionError where check mode cannot tell the truth, since a transaction is open."""
    for name in state.unfinished():
        if waits(state, name):
            raise TransactionError(_waits_text(state, name))
        raise TransactionError(
            f"the transaction {name} was cut off, so nothing can be foretold; a run without check mode undoes it "
            f"first, or by hand: sh {state.path('open', name, 'undo.sh')}"
        )
