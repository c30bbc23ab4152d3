# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What undoes a transaction when its process cannot: a guardian beside it, and a timer for later.

The guardian runs `undo.sh guard` in a session of its own. It waits for the end of a pipe whose other end only the
transaction's process holds, so it notices a kill -9 at once. It also inherits the lock: nobody gets in between the
death and the undo.
"""

import os
import subprocess

from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError, reason

SECOND_NET_S = 120
"""When systemd looks after a transaction that has no `confirm`, in seconds: long after the slowest one has ended."""

_SILENT = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class Guardian:
    """Undoes an open transaction as soon as this process ends, or when told to.

    Args:
        state: the State, locked.
        name: of the open transaction.
    """

    def __init__(self, state, name):
        self._state = state
        self._name = name
        reading, self._pipe = os.pipe()
        try:
            with open(state.path("open", name, "undo.log"), "wb") as log:
                self._process = subprocess.Popen(
                    ["/bin/sh", state.path("open", name, "undo.sh"), "guard"],
                    stdin=reading,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd="/",
                    pass_fds=(state.lock_fd,),
                    start_new_session=True,
                )
        except OSError as error:
            os.close(self._pipe)
            raise TransactionError(f"the guardian cannot be started (/bin/sh): {reason(error)}") from None
        finally:
            os.close(reading)

    def finish(self):
        """End the transaction as it stands: tidied up when kept, left when waiting, else undone.

        Returns:
            What could not be put back and how to do it by hand, one line each.
        """
        os.close(self._pipe)
        output = self._process.communicate()[0]
        if self._process.returncode in (0, 1):
            return _lines(output)
        return undo(self._state, self._name)


def undo(state, name):
    """Undo an open transaction now, under the caller's lock, which the script keeps; returns as `Guardian.finish`."""
    script = state.path("open", name, "undo.sh")
    process = subprocess.Popen(
        ["/bin/sh", script, "held"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        pass_fds=(state.lock_fd,),
        start_new_session=True,
    )
    output = process.communicate()[0]
    return _lines(output) or ([] if process.returncode == 0 else [f"by hand: sh {script}"])


def _lines(output):
    return output.decode("utf-8", "replace").splitlines()


def arm(state, name, seconds):
    """Have the transaction undone after so many seconds, whatever becomes of this process.

    Args:
        state: the State.
        name: of the open transaction.
        seconds: to be confirmed within; None when there is nothing to confirm.

    Returns:
        Who looks after it: systemd, process, or None.
    """
    script = state.path("open", name, "undo.sh")
    # A folder that stands for / is not what the machine's systemd looks after.
    if state.root == "/" and os.path.isdir("/run/systemd/system") and _timer(name, script, seconds or SECOND_NET_S):
        return "systemd"
    if seconds is None:
        return None
    subprocess.Popen(["/bin/sh", script, "later", str(seconds)], cwd="/", start_new_session=True, **_SILENT)
    return "process"


def _timer(name, script, seconds):
    return _quiet(
        "systemd-run",
        "--quiet",
        "--collect",
        f"--unit={_unit(name)}",
        f"--on-active={seconds}s",
        "--timer-property=AccuracySec=1s",
        "/bin/sh",
        "-c",
        '[ ! -e "$1" ] || exec /bin/sh "$1"',
        "sh",
        script,
    )


def disarm(state, name):
    """Take the timer away; it would find nothing to do."""
    if state.root == "/" and os.path.isdir("/run/systemd/system"):
        _quiet("systemctl", "stop", "--no-block", f"{_unit(name)}.timer")


def _unit(name):
    return f"memadvisor-undo-{name}"


def _quiet(*command):
    try:
        return subprocess.call(command, cwd="/", **_SILENT) == 0
    except OSError:
        return False
