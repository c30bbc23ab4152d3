# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carries out a transaction: every value and file of it, or none.

::

    check the document and the host -> lock -> undo what a killed run left -> look at every value and file
    -> journal -> guardian and timer -> lay new files beside the old -> write values in order, each read back
    -> put the files in place -> receipt -> tidy up

A failure on the way, or a kill -9 at any point of it, ends with everything as it was. With `confirm_s` it stops before
the files: they are put in place by `confirm`. So a host that had to be reset in between starts as it always did.
"""

import os

from ansible_collections.memadvisor.linux.plugins.module_utils import document as documents
from ansible_collections.memadvisor.linux.plugins.module_utils import ending, examine, files, guard, undo, values
from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError, reason, under
from ansible_collections.memadvisor.linux.plugins.module_utils.journal import LOCK_TIMEOUT_S, State


def apply(document, root="/", check=False, backup=False, lock_timeout_s=LOCK_TIMEOUT_S):
    """Carry out a transaction document.

    Args:
        document: see `document`.
        root: the folder that stands for /.
        check: only look: nothing is written, the answer is what it would be.
        backup: keep a copy of each file that is replaced.
        lock_timeout_s: how long to wait for another run.

    Returns:
        changed, previous, wanted and actual (values by setting), files, diff; when something was changed also
        transaction (its id) and receipt (docs/transaction.md); backup_files, confirm_by and guarded_by, and recovered
        where they apply.

    Raises:
        TransactionError: it was refused, or undone.
    """
    state = State(root)
    if check:
        ending.refuse(state)
        looked = examine.look(documents.check(document), root)
        return _outcome(looked, {entry["path"]: entry["value"] for entry in looked.writes})
    with state.locked(lock_timeout_s):
        recovered = ending.recover(state)
        looked = examine.look(documents.check(document), root)
        outcome = _carry_out(state, looked, backup) if looked.changed else _outcome(looked, {})
        if recovered:
            outcome.update(recovered=recovered, changed=True)
        return outcome


def _carry_out(state, looked, backup):
    journal = _journal(looked, state, backup)
    name = journal["id"]
    state.open(journal, undo.script(journal, state))
    guardian = guard.Guardian(state, name)
    try:
        deadline = ending.Deadline(journal["confirm_s"])
        guarded_by = guard.arm(state, name, journal["confirm_s"])
        _prepare(state, journal)
        for entry in journal["writes"]:
            write(entry, state.root)
        actual = _read_back(journal, state.root)
        if deadline.at:
            state.mark(name, "waiting", f"{deadline.up_s} {deadline.at}")
            receipt = ending.receipt(journal, actual, "unconfirmed")
        else:
            receipt = ending.keep(state, journal, actual)
    except (TransactionError, OSError) as error:
        raise ending.undone(state, name, error, guardian.finish()) from None
    guardian.finish()
    outcome = dict(_outcome(looked, actual), transaction=name, receipt=receipt)
    if deadline.at:
        return dict(outcome, confirm_by=deadline.at, guarded_by=guarded_by)
    guard.disarm(state, name)
    return dict(outcome, backup_files=sorted(journal["backups"].values()))


def _journal(looked, state, backup):
    document = looked.document
    name = document["id"]
    if os.path.exists(state.receipt(name)) or state.was_undone(name):
        raise TransactionError(f"the transaction {name} has been carried out before; make a new plan")
    old = [path for path, text in looked.before["files"].items() if text is not None]
    journal = dict(
        document,
        writes=looked.writes,
        files=looked.files,
        before=looked.before,
        hostname=examine.hostname(state.root),
        machine=examine.machine(state.root),
        boot_id=examine.boot_id(state.root),
        backups={path: f"{under(state.root, path)}.{name}~" for path in old if backup},
        made=[folder for entry in looked.files for folder in files.missing_folders(under(state.root, entry["path"]))],
    )
    return ending.receipt(journal, {}, "reverted")


def _prepare(state, journal):
    for entry in journal["files"]:
        path = under(state.root, entry["path"])
        files.prepare(path, journal["id"], entry["content"], int(entry["mode"], 8))
    state.mark(journal["id"], "prepared")


def write(entry, root):
    """Write one value and read it back; raises TransactionError."""
    path = under(root, entry["path"])
    try:
        values.write(path, entry["value"])
        actual = values.read(path)
    except OSError as error:
        raise TransactionError(f"{entry['setting']} cannot be set to {entry['value']!r}: {reason(error)}") from None
    _accept(entry, actual)


def _accept(entry, actual):
    if not values.accepted(entry["accept"], entry["value"], actual):
        raise TransactionError(
            f"{entry['setting']} was set to {entry['value']!r}, but the kernel then says {values.in_force(actual)!r}; "
            "it may have limits of its own here, or another program sets it too"
        )


# Once more when all is written: a later write may have moved an earlier value.
def _read_back(journal, root):
    actual = {}
    for entry in journal["writes"]:
        actual[entry["path"]] = values.read(under(root, entry["path"]))
        _accept(entry, actual[entry["path"]])
    return actual


def _outcome(looked, actual):
    texts = dict(looked.before["values"], **actual)
    return {
        "changed": looked.changed,
        "previous": examine.by_setting(looked, looked.before["values"]),
        "wanted": {entry["setting"]: entry["value"] for entry in looked.document["writes"]},
        "actual": examine.by_setting(looked, texts),
        "files": [entry["path"] for entry in looked.files],
        "diff": examine.differences(looked, texts),
    }
