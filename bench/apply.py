"""`advisor apply` on guests, as a user gives the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.hosts.errors import HostError

_APPLIED, _UNDONE = 0, 2


def apply(folder: Path, hosts: str, window_s: int, *, state: Path, role: str | None = None) -> str:
    """Let the role measure, change, measure again and verify; what the command printed.

    Args:
        folder: where the inventory is put.
        hosts: the text of the inventory.
        window_s: how long to watch, before and after.
        state: where the ledger is kept: not the user's own place, or one series would learn from another.
        role: what the hosts are for.

    Raises:
        HostError: the command failed.
    """
    (folder / "hosts.yml").write_text(hosts)
    words = [sys.executable, "-m", "advisor", "apply", "--yes", "-i", str(folder / "hosts.yml")]
    words += ["--window", f"{window_s}s", *(["--role", role] if role else [])]
    here = {"PYTHONPATH": str(Path(__file__).parents[1]), "XDG_STATE_HOME": str(state)}
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder, env=os.environ | here, check=False)
    if done.returncode not in {_APPLIED, _UNDONE}:
        raise HostError(f"advisor apply ended with {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout[-3000:]
