# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What becomes of a transaction that waits to be confirmed: kept, or given up."""

import os

from ansible_collections.memadvisor.linux.plugins.module_utils import document as documents
from ansible_collections.memadvisor.linux.plugins.module_utils import ending, examine, files, guard, transaction, values
from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError, said, under
from ansible_collections.memadvisor.linux.plugins.module_utils.journal import LOCK_TIMEOUT_S, State


def confirm(name=None, less=None, root="/", check=False, lock_timeout_s=LOCK_TIMEOUT_S):
    """Keep the transaction that waits for it: its files are put in place, its receipt is written.

    Some of its settings may be taken back in the same step. A kill -9 in the middle undoes all of it.

    Args:
        name: its id; None: the one that waits.
        less: what is not kept: names of `settings`, and the `document` of a transaction that takes these back, their
            values, and the files as they are to be without them. None: all is kept.
        root: the folder that stands for /.
        check: only look.
        lock_timeout_s: how long to wait for another run.

    Returns:
        changed, transaction, previous, actual, files, receipt, backup_files, and `moved`: settings that no longer read
        as they were accepted. The receipt lists under `undone` what was taken back.

    Raises:
        TransactionError: none waits, or it was undone for want of a confirmation.
    """
    state = State(root)
    if check:
        return _confirm(state, name, less, check)
    with state.locked(lock_timeout_s):
        ending.recover(state, spare=True)
        return _confirm(state, name, less, check)


def _confirm(state, name, less, check):
    name = _waiting_name(state, name)
    if os.path.exists(state.receipt(name)):
        return {"changed": False, "transaction": name}
    whole = journal = state.journal(name)
    back = None
    if less is not None:
        back = examine.look(documents.check(less["document"]), state.root)
        journal = _without(journal, less["settings"], back)
    if check:
        foreseen = {entry["path"]: entry["value"] for entry in back.writes} if back else {}
        return _outcome(whole, journal, dict(_texts(whole, state.root), **foreseen))
    guardian = guard.Guardian(state, name)
    try:
        state.unmark(name, "waiting")
        if back is not None:
            _take_back(state, journal, back)
        actual = _texts(whole, state.root)
        kept = ending.keep(state, journal, {entry["path"]: actual[entry["path"]] for entry in journal["writes"]})
    except (TransactionError, OSError) as error:
        raise ending.undone(state, name, error, guardian.finish()) from None
    guardian.finish()
    guard.disarm(state, name)
    outcome = _outcome(whole, journal, actual)
    return dict(outcome, receipt=kept, backup_files=sorted(journal["backups"].values()))


def _without(journal, settings, back):
    """A journal less some of its settings, which it lists under `undone`; `back` is what brings it there."""
    files_kept = [entry for entry in back.files if entry["path"] in journal["before"]["files"]]
    if len(files_kept) < len(back.files):
        raise TransactionError(f"the transaction {journal['id']} writes other files; nothing is taken back")
    return dict(
        journal,
        writes=[entry for entry in journal["writes"] if entry["setting"] not in settings],
        files=files_kept,
        undone=[
            {key: entry[key] for key in ("setting", "path", "value")}
            for entry in journal["writes"]
            if entry["setting"] in settings
        ],
    )


# The script that undoes the whole stays as it is: until the receipt is there, all of it counts.
def _take_back(state, journal, back):
    for entry in back.writes:
        transaction.write(entry, state.root)
    for entry in journal["files"]:
        path = under(state.root, entry["path"])
        files.prepare(path, journal["id"], entry["content"], int(entry["mode"], 8))


def _outcome(whole, journal, actual):
    moved = [
        entry["setting"]
        for entry in journal["writes"]
        if not values.accepted(entry["accept"], entry["value"], actual[entry["path"]])
    ]
    told = _told(whole, whole["before"]["values"], actual)
    return dict(told, files=[entry["path"] for entry in journal["files"]], moved=moved)


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
