"""Makes a virtual environment and installs this project into it, editable.

Debian's python3 comes without ensurepip (package python3-venv). Where that is missing, root installs the package;
anybody else gets pip as a wheel from the package index.

usage: make_venv.py FOLDER REQUIREMENT...
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

INDEX = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple")
OLDEST = (3, 11)


def main() -> int:
    """Makes the environment named first and installs what is named after it."""
    folder, requirements = Path(sys.argv[1]), sys.argv[2:]
    if sys.version_info < OLDEST:
        print(f"memadvisor needs Python 3.11 or newer, this is {sys.version.split()[0]}; "
              "try: make PYTHON=python3.11", file=sys.stderr)  # fmt: skip
        return 1
    python = folder / "bin" / "python"
    if not works(python):
        shutil.rmtree(folder, ignore_errors=True)
        make(folder)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    editable = [part for requirement in requirements for part in ("--editable", requirement)]
    code = subprocess.run([*install, *editable], check=False).returncode
    # pip compiles what it copies, and copies nothing here. Without bytecode every start takes twice as long, and some
    # hosts never write any (PYTHONDONTWRITEBYTECODE, a checkout of somebody else). Python checks that it is current.
    subprocess.run([python, "-m", "compileall", "-q", Path(__file__).parent.parent / "advisor"], check=False)
    return code


def works(python: Path) -> bool:
    """Whether an environment is there, runs, and has pip."""
    command = [python, "-c", "import pip"]
    return python.exists() and subprocess.run(command, check=False, capture_output=True).returncode == 0


def make(folder: Path) -> None:
    """Makes the environment with pip in it, one way or the other."""
    if importlib.util.find_spec("ensurepip") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", f"python{version}-venv"], check=False)
    # In a process of its own: a package that was installed just now is seen there.
    if subprocess.run([sys.executable, "-m", "venv", folder], check=False, capture_output=True).returncode == 0:
        return
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--clear", folder], check=True)
    with tempfile.TemporaryDirectory() as scratch:
        wheel = fetch_pip(Path(scratch))
        subprocess.run([folder / "bin" / "python", f"{wheel}/pip", "install", "--quiet", "pip"], check=True)


def fetch_pip(folder: Path) -> Path:
    """The newest pip as a wheel; a wheel runs as it is."""
    page = f"{INDEX.rstrip('/')}/pip/"
    with urllib.request.urlopen(page, timeout=60) as answer:
        links = re.findall(r'href="([^"]+?(pip-[0-9.]+-py3-none-any\.whl)[^"]*)"', answer.read().decode())
    if not links:
        raise SystemExit(f"no pip found at {page}; install the package python3-venv and try again")
    address, name = max(links, key=lambda link: [int(part) for part in re.findall(r"\d+", link[1].split("-")[1])])
    wheel = folder / name
    with urllib.request.urlopen(urllib.parse.urljoin(page, address), timeout=60) as answer:
        wheel.write_bytes(answer.read())
    return wheel


if __name__ == "__main__":
    sys.exit(main())
