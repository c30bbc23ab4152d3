"""The gates of the Ansible collection: ansible-lint, ansible-test sanity, antsibull-docs, antsibull-changelog.

Runs in the environment of the extra `dev-ansible`; see `make lint-ansible`. All of them run, without exceptions; the
exit code is 1 when any fails. Nothing is written outside of .cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache" / "lint-ansible"
COLLECTIONS = CACHE / "collections"
BIN = Path(sys.executable).parent
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

# ansible-test downloads get-pip from a server of its own. This stands in for it: pip comes with Python, and the version
# that is asked for from the usual index.
_GET_PIP = """\
import re, subprocess, sys
wanted = [word for word in sys.argv[1:] if re.fullmatch(r"pip==[0-9.]+", word)]
subprocess.run([sys.executable, "-m", "ensurepip"], check=True)
subprocess.run([sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *wanted], check=True)
"""


def main() -> int:
    """Runs the gates that are named, or all."""
    folder = installed()
    gates = {"lint": lint, "sanity": sanity, "docs": docs, "changelog": changelog}
    failed = []
    for name in sys.argv[1:] or gates:
        start = time.monotonic()
        code = gates[name](folder)
        print(f"{name}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - start:.0f} s", flush=True)
        failed += [name] if code else []
    return 1 if failed else 0


def lint(_folder: Path) -> int:
    """ansible-lint with the rules for production."""
    return run("ansible-lint", "--offline", "--strict", "--profile", "production", "ansible", cwd=ROOT)


def sanity(folder: Path) -> int:
    """ansible-test sanity on the built and installed collection, the only form that it takes."""
    for version in ("24_2", "24_0", "25_0"):
        place = CACHE / "home" / ".ansible" / "test" / "cache" / f"get_pip_{version}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(_GET_PIP, encoding="utf-8")
    return run("ansible-test", "sanity", "--python", PYTHON, "--color", "no", cwd=folder)


def docs(folder: Path) -> int:
    """The documentation of every plugin, and the links in it."""
    return run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", ".", cwd=folder)


def changelog(_folder: Path) -> int:
    """The fragments of the changelog."""
    return run("antsibull-changelog", "lint", cwd=ROOT / "ansible")


def installed() -> Path:
    """The collection, built and installed below .cache."""
    shutil.rmtree(COLLECTIONS, ignore_errors=True)
    shutil.rmtree(CACHE / "dist", ignore_errors=True)
    galaxy("build", str(ROOT / "ansible"), "--output-path", str(CACHE / "dist"))
    (archive,) = (CACHE / "dist").glob("*.tar.gz")
    galaxy("install", "--offline", "--force", "-p", str(COLLECTIONS), str(archive))
    folder = COLLECTIONS / "ansible_collections" / "memadvisor" / "linux"
    # ansible-test asks git which files there are, and ours ignores .cache.
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    return folder


def galaxy(*words: str) -> None:
    """ansible-galaxy collection, quietly."""
    command = [BIN / "ansible-galaxy", "collection", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment())


def environment() -> dict[str, str]:
    """Ours, with the tools on the path and everything that they write below .cache."""
    home = CACHE / "home"
    home.mkdir(parents=True, exist_ok=True)
    python = Path(sys.executable).resolve().parent  # a shim of a version manager is no interpreter to ansible-test
    return {
        **os.environ,
        "PATH": f"{BIN}:{python}:{os.environ['PATH']}",
        "HOME": str(home),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(home / ".ansible"),
        "LC_ALL": "C.UTF-8",
    }


def run(*command: str, cwd: Path) -> int:
    """Runs a tool of the environment; its exit code."""
    return subprocess.run([BIN / command[0], *command[1:]], cwd=cwd, env=environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
