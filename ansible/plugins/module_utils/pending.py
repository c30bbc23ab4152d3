# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How an open transaction ends: kept, confirmed, or undone."""

import os
import re
import time

from ansible_collections.memadvisor.linux.plugins.module_utils import examine, files, guard, values
from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError, reason, said, under
from ansible_collections.memadvisor.linux.plugins.module_utils.journal import LOCK_TIMEOUT_S, State

RECEIPT = "memadvisor/receipt/1"


def keep(state, journal, actual):
    """Put the files in place and write the receipt; raises TransactionError or OSError."""
    for entry in journal["files"]:
        path, backup = under(state.root, entry["path"]), journal["backups"].get(entry["path"])
        files.swap(path, journal["id"], entry["content"], backup)
    state.keep(receipt(journal, actual, "applied"))


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


def confirm(name=None, root="/", check=False, lock_timeout_s=LOCK_TIMEOUT_S):
    """Keep the transaction that waits for it: its files are put in place, its receipt is written.

    Args:
        name: its id; None: the one that waits.
        root: the folder that stands for /.
        check: only look.
        lock_timeout_s: how long to wait for another run.

    Returns:
        changed, transaction, previous, actual, files, receipt, backup_files, and `moved`: settings that no longer read
        as they were accepted.

    Raises:
        TransactionError: none waits, or it was undone for want of a confirmation.
    """
    state = State(root)
    if check:
        return _confirm(state, name, check)
    with state.locked(lock_timeout_s):
        recover(state, spare=True)
        return _confirm(state, name, check)


def _confirm(state, name, check):
    name = _waiting_name(state, name)
    if name is None or os.path.exists(state.receipt(name)):
        return {"changed": False, "transaction": name}
    journal = state.journal(name)
    actual = _texts(journal, state.root)
    outcome = _told(journal, journal["before"]["values"], actual)
    outcome["moved"] = [
        entry["setting"]
        for entry in journal["writes"]
        if not values.accepted(entry["accept"], entry["value"], actual[entry["path"]])
    ]
    if check:
        return outcome
    guardian = guard.Guardian(state, name)
    try:
        state.unmark(name, "waiting")
        keep(state, journal, actual)
    except (TransactionError, OSError) as error:
        raise undone(state, name, error, guardian.finish()) from None
    guardian.finish()
    guard.disarm(state, name)
    kept = receipt(journal, actual, "applied")
    return dict(outcome, receipt=kept, backup_files=sorted(journal["backups"].values()))


# The texts by path that a transaction's settings have now.
def _texts(journal, root):
    return {entry["path"]: values.read(under(root, entry["path"])) for entry in journal["writes"]}


def _told(journal, previous, actual):
    def by_setting(texts):
        return {entry["setting"]: values.in_force(texts[entry["path"]]) for entry in journal["writes"]}

    return {
        "changed": True,
        "transaction": journal["id"],
        "previous": by_setting(previous),
        "actual": by_setting(actual),
        "files": [entry["path"] for entry in journal["files"]],
    }


def _waiting_name(state, name):
    waiting = [other for other in state.unfinished() if waits(state, other)]
    if name is None and len(waiting) == 1:
        return waiting[0]
    if name is None:
        raise TransactionError("no transaction waits to be confirmed here")
    if name in waiting or os.path.exists(state.receipt(name)):
        return name
    if state.was_undone(name):
        raise TransactionError(f"the transaction {name} was not confirmed in time and has been undone; apply it again")
    raise TransactionError(f"there is no transaction {name} on this host")


def waits(state, name):
    """Whether an open transaction waits to be confirmed, and still may be."""
    mark, journal = state.marked(name, "waiting"), state.journal(name)
    if mark is None or journal is None or journal["boot_id"] != examine.boot_id(state.root):
        return False
    found = re.match(r"[0-9.]+", mark)
    return bool(found) and up_s() < float(found.group())


def give_up(name=None, root="/", check=False, lock_timeout_s=LOCK_TIMEOUT_S):
    """Undo the transaction that waits to be confirmed, at once.

    Args:
        name: its id; None: the one that waits.
        root: the folder that stands for /.
        check: only look.
        lock_timeout_s: how long to wait for another run.

    Returns:
        As `transaction.apply`; None when it does not wait.
    """
    state = State(root)
    waiting = [other for other in state.unfinished() if name in (None, other) and waits(state, other)]
    if not waiting:
        return None
    journal = state.journal(waiting[0])
    outcome = _told(journal, _texts(journal, root), journal["before"]["values"])
    if check:
        return outcome
    with state.locked(lock_timeout_s):
        left = guard.undo(state, waiting[0])
    guard.disarm(state, waiting[0])
    if left:
        raise TransactionError(f"the transaction {waiting[0]} cannot be undone: {said(left)}", rolled_back=False)
    return outcome


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
