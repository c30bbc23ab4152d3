# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes wrong on a target, in one line that says what to do.

The modules of this folder run on targets: Python 3.6 to 3.13, standard library only. Hence no annotations, and no
syntax newer than 3.6.
"""

import errno
import os


class TransactionError(Exception):
    """A transaction was refused or undone. The text is for the user: one line, without a full stop.

    Args:
        message: the line.
        rolled_back: True when something had been written and everything was put back, False when something had
            been written and could not be put back, None when nothing had been written.
    """

    def __init__(self, message, rolled_back=None):
        super().__init__(message)
        self.rolled_back = rolled_back


_WHY = {
    errno.EACCES: "no permission; run as root (become: true)",
    errno.EPERM: "the kernel does not permit it here (a container?); change it on the host that owns the kernel",
    errno.EROFS: "it is mounted read-only here (a container?); change it on the host that owns it",
    errno.ENOENT: "it does not exist on this kernel or host",
    errno.EINVAL: "the kernel refuses this value",
    errno.ERANGE: "the kernel refuses this value as out of range",
    errno.ENOSPC: "no space is left on its file system; make room first",
    errno.EDQUOT: "the disk quota is used up; make room first",
    errno.EIO: "input/output error",
}


def reason(error):
    """Why an OSError happened, in words that help the user of a target."""
    return _WHY.get(error.errno) or error.strerror or str(error)


def said(problems):
    """Many problems as one line."""
    return "; ".join(problems)


def under(root, path):
    """The path of a file below another root folder."""
    return path if root == "/" else os.path.join(root, path.lstrip("/"))
