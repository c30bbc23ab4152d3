# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What becomes of a transaction that waits to be confirmed: kept, or given up."""

import os

from ansible_collections.memadvisor.linux.plugins.module_utils import ending, guard, values
from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError, said, under
from ansible_collections.memadvisor.linux.plugins.module_utils.journal import LOCK_TIMEOUT_S, State


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
        ending.recover(state, spare=True)
        return _confirm(state, name, check)


def _confirm(state, name, check):
    name = _waiting_name(state, name)
    if os.path.exists(state.receipt(name)):
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
        kept = ending.keep(state, journal, actual)
    except (TransactionError, OSError) as error:
        raise ending.undone(state, name, error, guardian.finish()) from None
    guardian.finish()
    guard.disarm(state, name)
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
    waiting = [other for other in state.unfinished() if ending.waits(state, other)]
    if name is None and len(waiting) == 1:
        return waiting[0]
    if name is None:
        raise TransactionError("no transaction waits to be confirmed here")
    if name in waiting or os.path.exists(state.receipt(name)):
        return name
    if state.was_undone(name):
        raise TransactionError(f"the transaction {name} was not confirmed in time and has been undone; apply it again")
    raise TransactionError(f"there is no transaction {name} on this host")


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
    waiting = [other for other in state.unfinished() if name in (None, other) and ending.waits(state, other)]
    if not waiting:
        return None
    journal = state.journal(waiting[0])
    outcome = _told(journal, _texts(journal, root), journal["before"]["values"])
    if check:
        return outcome
    with state.locked(lock_timeout_s):
        if not ending.waits(state, waiting[0]):
            raise TransactionError(f"the transaction {waiting[0]} has just been confirmed or undone by another run")
        left = guard.undo(state, waiting[0])
    guard.disarm(state, waiting[0])
    if left:
        raise TransactionError(f"the transaction {waiting[0]} cannot be undone: {said(left)}", rolled_back=False)
    return outcome
