"""Runs one call of the collection's target side in a process of its own, under any Python from 3.6.

Reads a request as JSON from standard input: {"call": "apply", "arguments": {…}}. The answer is JSON: {"result": …} or
{"error": …, "rolled_back": …}. With "kill_at" there is no answer, see `cut_off`.
"""

import json
import os
import signal
import sys
from pathlib import Path

CHANGING = ("ending.py", "files.py", "guard.py", "journal.py", "pending.py", "transaction.py")
"""Modules that change something on a target, or call what does."""
OPERATIONS = {
    "_posixsubprocess": ("fork_exec",),
    "fcntl": ("flock",),
    "io": ("open",),
    "_io": ("open",),
    "posix": ("close", "fchmod", "fsync", "link", "mkdir", "open", "pipe", "pipe2", "rename", "rmdir", "setxattr",
              "unlink", "waitpid", "write"),
}  # fmt: skip
"""What a process asks the kernel for that others can see, by the module of Python that asks."""
METHODS = ("close", "flush", "write")
"""The same, of open files."""


def answer(request):
    """Do what is asked for."""
    from ansible_collections.memadvisor.linux.plugins.module_utils import ending, pending, transaction
    from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError
    from ansible_collections.memadvisor.linux.plugins.module_utils.journal import State

    def recover(root):
        with State(root).locked() as state:
            return ending.recover(state, spare=True)

    calls = {"apply": transaction.apply, "confirm": pending.confirm, "give_up": pending.give_up, "recover": recover}
    try:
        return {"result": calls[request["call"]](**request["arguments"])}
    except TransactionError as error:
        return {"error": str(error), "rolled_back": error.rolled_back}


def cut_off(request, kill_at, by_line=False, with_guardian=False):
    """The same, but the process ends by SIGKILL just before one of its steps, counted from 1.

    Args:
        request: what to do.
        kill_at: the number of the step; beyond the last one nothing happens.
        by_line: whether each line of CHANGING is a step, or each operation of OPERATIONS and METHODS.
        with_guardian: whether all children are killed first, the guardian among them.
    """
    left = [kill_at]

    def step():
        left[0] -= 1
        if left[0] == 0:
            for child in _children() if with_guardian else ():
                os.kill(child, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

    def trace(frame, event, argument):
        path = frame.f_code.co_filename
        if not path.endswith(CHANGING) or "module_utils" not in path:
            return None
        if event == "line":
            step()
        return trace

    def profile(frame, event, argument):
        if event == "c_call" and _is_operation(argument):
            step()

    if by_line:
        sys.settrace(trace)
    else:
        sys.setprofile(profile)
    answer(request)
    sys.settrace(None)
    sys.setprofile(None)


def _is_operation(function):
    owner = getattr(function, "__self__", None)
    if type(owner).__module__ == "_io":
        return function.__name__ in METHODS
    return function.__name__ in OPERATIONS.get(function.__module__, ())


def _children():
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(word) for word in text.split()]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    sys.path.insert(0, asked["collections"])
    if "kill_at" in asked:
        cut_off(asked, asked["kill_at"])
    else:
        json.dump(answer(asked), sys.stdout)
