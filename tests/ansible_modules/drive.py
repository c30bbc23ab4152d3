"""Runs one call of the collection's target side in a process of its own, under any Python from 3.6.

Reads a request as JSON from standard input: {"call": "apply", "arguments": {…}}. The answer is JSON: {"result": …} or
{"error": …, "rolled_back": …}.
"""

import json
import os
import signal
import sys
from pathlib import Path

CHANGING = ("files.py", "guard.py", "journal.py", "pending.py", "transaction.py")
"""Modules that change something on a target, or call what does. Between their lines nothing happens."""


def answer(request):
    """Do what is asked for."""
    from ansible_collections.memadvisor.linux.plugins.module_utils import pending, transaction
    from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError

    calls = {"apply": transaction.apply, "confirm": pending.confirm, "give_up": pending.give_up}
    try:
        return {"result": calls[request["call"]](**request["arguments"])}
    except TransactionError as error:
        return {"error": str(error), "rolled_back": error.rolled_back}


def cut_off(request, kill_at, with_guardian=False):
    """The same, but the process ends by SIGKILL just before a line of CHANGING is run, counted from 1.

    Args:
        request: what to do.
        kill_at: the number of the line; beyond the last one nothing happens.
        with_guardian: whether all children are killed first, the guardian among them.
    """
    left = [kill_at]

    def trace(frame, event, argument):
        path = frame.f_code.co_filename
        if not path.endswith(CHANGING) or "module_utils" not in path:
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                for child in _children() if with_guardian else ():
                    os.kill(child, signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    answer(request)
    sys.settrace(None)


def _children():
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(word) for word in text.split()]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    sys.path.insert(0, asked["collections"])
    json.dump(answer(asked), sys.stdout)
