"""Runs molecule on the collection, with everything that it writes below .cache; see `make molecule`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


def main() -> int:
    """Tests every scenario, or what the arguments say."""
    home = ROOT / ".cache" / "molecule"
    home.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(home),
        "ANSIBLE_HOME": str(home / "ansible"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "LC_ALL": "C.UTF-8",
        "MEMADVISOR_MADE_UP_HOSTS": str(home / "hosts"),
        "MEMADVISOR_CAPTURES": str(ROOT / "tests" / "captures"),
    }
    command = [BIN / "molecule", *(sys.argv[1:] or ["test", "--all", "--report", "--command-borders"])]
    return subprocess.run(command, cwd=ROOT / "ansible", env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
