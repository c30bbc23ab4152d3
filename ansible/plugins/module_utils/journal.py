# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a target remembers: transactions that are open, that were kept, and that were undone.

::

    /var/lib/memadvisor/lock                 held while something changes
    /var/lib/memadvisor/open/ID/             a transaction that has not ended: journal.json, undo.sh, and the marks
                                             prepared (files lie beside the old ones) and waiting (for `confirmed`)
    /var/lib/memadvisor/receipts/ID.json     kept; this file coming to be is the moment at which a transaction counts
    /var/lib/memadvisor/undone/ID.json       put back

A journal is a receipt (docs/transaction.md) from the beginning, of a transaction that will have been undone. It also
names the copies that are to stay (`backups`, by path) and the folders that it makes (`made`).
"""

import fcntl
import json
import os
import shutil
import time

from ansible_collections.memadvisor.linux.plugins.module_utils import files
from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError, reason, under

FOLDER = "/var/lib/memadvisor"
LOCK_TIMEOUT_S = 30
"""How long a run waits for another one: longer than a transaction takes that has nothing to wait for."""


class State:
    """The folder in which a target remembers.

    Args:
        root: the folder that stands for /.

    Attributes:
        folder: its path.
    """

    def __init__(self, root):
        self.root = root
        self.folder = under(root, FOLDER)
        self.lock = os.path.join(self.folder, "lock")
        self._lock_fd = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def locked(self, timeout_s=LOCK_TIMEOUT_S):
        """Take the lock, for `with`; raises TransactionError when another run keeps it for so long."""
        try:
            for name in ("open", "receipts", "undone"):
                os.makedirs(os.path.join(self.folder, name), mode=0o700, exist_ok=True)
            self._lock_fd = os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise TransactionError(
                f"{self.folder} cannot be written: {reason(error)}; nothing is changed without a journal"
            ) from None
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() >= deadline:
                    self.__exit__()
                    raise TransactionError(
                        f"another run has been changing this host for {timeout_s:g} s; wait for its end, "
                        "then run this again (lock_timeout sets how long to wait)"
                    ) from None
                time.sleep(0.05)
            else:
                return self

    @property
    def lock_fd(self):
        """The open lock, for a child that is to keep it."""
        return self._lock_fd

    def path(self, *names):
        """A path below the folder."""
        return os.path.join(self.folder, *names)

    def open(self, journal, script):
        """Begin: write the journal and the script that undoes it; there or not there as a whole."""
        ready, new = self.path("open", journal["id"]), self.path("open", journal["id"] + ".tmp")
        shutil.rmtree(new, ignore_errors=True)
        try:
            os.mkdir(new, 0o700)
            files.write(os.path.join(new, "journal.json"), _text(journal))
            files.write(os.path.join(new, "undo.sh"), script)
            files.sync_folder(new)
            os.rename(new, ready)
            files.sync_folder(self.path("open"))
        except OSError as error:
            shutil.rmtree(new, ignore_errors=True)
            raise TransactionError(
                f"{ready} cannot be written: {reason(error)}; nothing is changed without a journal"
            ) from None

    def mark(self, name, mark, text=""):
        """Leave a mark in an open transaction; raises OSError."""
        files.replace(self.path("open", name, mark), text)

    def marked(self, name, mark):
        """The text of a mark; None when it is not there."""
        return files.read(self.path("open", name, mark))

    def unmark(self, name, mark):
        """Take a mark away."""
        files.remove(self.path("open", name, mark))
        files.sync_folder(self.path("open", name))

    def unfinished(self):
        """The names of transactions that have not ended, oldest first."""
        names = [name for name in _names(self.path("open")) if not name.endswith(".tmp")]
        return [name for name in names if os.path.exists(self.path("open", name, "journal.json"))]

    def sweep(self):
        """Take away what was never begun, or is over: folders without a journal, under the lock."""
        for name in _names(self.path("open")):
            if name not in self.unfinished():
                shutil.rmtree(self.path("open", name), ignore_errors=True)

    def journal(self, name):
        """The journal of an open transaction; None when its folder is being taken away."""
        return _load(self.path("open", name, "journal.json"))

    def keep(self, receipt):
        """The moment at which a transaction counts: its receipt comes to be. Raises OSError."""
        path = self.path("open", receipt["id"], "receipt.json")
        files.write(path, _text(receipt))
        os.rename(path, self.receipt(receipt["id"]))
        files.sync_folder(self.path("receipts"))

    def receipt(self, name):
        """The path of a receipt."""
        return self.path("receipts", name + ".json")

    def was_undone(self, name):
        """Whether a transaction was put back."""
        return os.path.exists(self.path("undone", name + ".json"))


def _names(folder):
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []


def _text(value):
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def _load(path):
    text = files.read(path)
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return None
