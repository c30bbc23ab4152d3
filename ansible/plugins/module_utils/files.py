# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files that are replaced whole or not at all, and are on the disk when a call returns.

A replacement has two parts. `prepare` does what can fail for want of space or rights; `swap` only renames.
Between the two lie the new text and the old file, beside the file itself, under names that nothing reads.
"""

import hashlib
import os

from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError, reason


def read(path):
    """The text of a file, bytes that are no UTF-8 kept as surrogates; None when there is none; raises OSError."""
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None


def missing_folders(path):
    """The folders of a file that do not exist yet, the deepest first."""
    folder = os.path.dirname(path)
    while not os.path.isdir(folder):
        yield folder
        folder = os.path.dirname(folder)


def sha256(text):
    """The SHA-256 of a text; None of None."""
    return None if text is None else hashlib.sha256(encoded(text)).hexdigest()


def encoded(text):
    """The bytes of a text as `read` gives it."""
    return text.encode("utf-8", "surrogateescape")


def beside(path, name, suffix):
    """A hidden name beside a file. It does not end in .conf, so that no reader of drop-ins takes it for one."""
    folder, base = os.path.split(path)
    return os.path.join(folder, f".{base}.{name}.{suffix}")


def sync_folder(path):
    """Bring the names in a folder onto the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write(path, text, mode=0o600):
    """Write a file and bring its bytes onto the disk; raises OSError and then leaves none."""
    try:
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, mode)) as file:
            file.write(encoded(text))
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
    except OSError:
        remove(path)
        raise


def remove(path):
    """Remove a file that may not be there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def replace(path, text, mode=0o600):
    """Replace a file of our own at once, on the disk when this returns; raises OSError."""
    new = f"{path}.new"
    write(new, text, mode)
    os.rename(new, path)
    sync_folder(os.path.dirname(path))


def prepare(path, name, text, mode):
    """Lay a file's new text and its present self beside it.

    Args:
        path: the file to be replaced, or to be removed.
        name: of the transaction.
        text: its new text; None to remove it.
        mode: its new permissions, a number.
    """
    try:
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        if os.path.exists(path):
            _keep(path, beside(path, name, "old"))
        if text is not None:
            new = beside(path, name, "new")
            write(new, text, mode)
            _label(path, new)
        sync_folder(os.path.dirname(path))
    except OSError as error:
        raise TransactionError(f"{path} cannot be written: {reason(error)}") from None


def _keep(path, old):
    remove(old)
    try:
        os.link(path, old)
    except OSError:  # a file system without hard links
        write(old, read(path), os.stat(path).st_mode & 0o7777)
        _label(path, old)


# The security label of the file that is replaced; a new file takes that of its folder.
def _label(source, target):
    try:
        os.setxattr(target, "security.selinux", os.getxattr(source, "security.selinux"))
    except OSError:
        pass


def swap(path, name, text, kept=None):
    """Put the prepared text in place, or remove the file when the text is None.

    Args:
        path: the file.
        name: of the transaction.
        text: its new text.
        kept: a name under which the old file stays; None: it goes when the transaction is tidied up.
    """
    try:
        if kept is not None and os.path.exists(path):
            _keep(path, kept)
        if text is None:
            remove(path)
        else:
            os.rename(beside(path, name, "new"), path)
        sync_folder(os.path.dirname(path))
    except OSError as error:
        raise TransactionError(f"{path} cannot be written: {reason(error)}") from None
