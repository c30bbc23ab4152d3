"""Runs a playbook of our collection by ansible-playbook, and reads back what became of each host.

The collection is the copy that came with this package, so that both are of one release. Ansible sees it through a
temporary folder that is laid out as it wants. What Ansible prints goes to stderr when asked for; what counts comes from
the report that our callback writes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import advisor
from advisor.errors import AdvisorError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

_LONG_AGO = "~/.ansible/collections:/usr/share/ansible/collections"  # where ansible-core looks by itself
_REPORT = "fleet.json"


def add_hosts(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which hosts, and how to reach them."""
    parser.add_argument("-i", "--inventory", action="append", metavar="FILE",
                        help="hosts, as Ansible takes them; without it: this host")  # fmt: skip
    parser.add_argument("-l", "--limit", metavar="PATTERN", help="only these hosts of the inventory")
    parser.add_argument("-K", "--ask-become-pass", action="store_true", help="ask for the password of sudo")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what Ansible does")


class Outcome:
    """What a run left.

    Attributes:
        ok: whether no host failed.
        reports: the report document of each host that was judged.
        runs: by host, what the tasks that change or compare said, by module.
        failed: why, by host.
    """

    def __init__(self, code: int, document: Mapping[str, Any]) -> None:
        self.ok = code == 0
        self.reports: list[dict[str, Any]] = document.get("hosts", [])
        self.runs: dict[str, dict[str, list[dict[str, Any]]]] = document.get("runs", {})
        self.failed = {entry["source"]: entry["why"] for entry in document.get("unreadable", ())}

    def last(self, module: str) -> dict[str, dict[str, Any]]:
        """By host, what a module said last."""
        return {host: said[module][-1] for host, said in self.runs.items() if said.get(module)}


def play(name: str, arguments: argparse.Namespace, variables: Mapping[str, Any], *, check: bool = False) -> Outcome:
    """Runs one of our playbooks.

    Args:
        name: of the playbook, without the collection's.
        arguments: those of `add_hosts`.
        variables: for the play; they win over those of the inventory.
        check: in Ansible's check mode.

    Raises:
        AdvisorError: Ansible is missing, stopped before it came to the hosts, or found none.
    """
    _need_ansible()
    with tempfile.TemporaryDirectory(prefix="memadvisor-") as folder:
        command = _command(name, arguments, variables, check=check)
        if arguments.ask_become_pass:
            command += ["--become-password-file", _password(Path(folder), arguments)]
        stdout = sys.stderr.fileno() if arguments.verbose else subprocess.PIPE
        ended = subprocess.run(  # noqa: S603 (our own interpreter)
            # Of a terminal on stdin alone Ansible's pause would make a prompt, and fail.
            command, env=_environment(Path(folder)), stdin=subprocess.DEVNULL, stdout=stdout,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        report = Path(folder, _REPORT)
        document = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    if ended.returncode and not document.get("unreadable"):
        said = (ended.stdout or b"").decode(errors="replace").strip()
        raise AdvisorError(
            f"ansible-playbook ended with {ended.returncode}: {_why(said)}", "run it again with --verbose"
        )
    outcome = Outcome(ended.returncode, document)
    if not (outcome.reports or outcome.runs or outcome.failed):
        raise AdvisorError("no host matches, so nothing was done",
                           f"look at {', '.join(arguments.inventory or ['--inventory'])} and at --limit")  # fmt: skip
    return outcome


def _need_ansible() -> None:
    # A folder called `ansible` in the current directory is found too, and is no ansible-core.
    try:
        found = importlib.util.find_spec("ansible.release")
    except ImportError:
        found = None
    if found is None:
        raise AdvisorError("hosts are changed by Ansible, and ansible-core is not installed here",
                           f"{sys.executable} -m pip install 'memadvisor[ansible]'")  # fmt: skip


def _command(name: str, arguments: argparse.Namespace, variables: Mapping[str, Any], *, check: bool) -> list[str]:
    command = [sys.executable, "-m", "ansible", "playbook", f"memadvisor.linux.{name}"]
    values = dict(variables)
    if arguments.inventory:
        for inventory in arguments.inventory:
            command += ["--inventory", inventory]
    else:
        command += ["--inventory", "localhost,", "--connection", "local"]
        values["ansible_python_interpreter"] = sys.executable
        values["tune_become"] = os.geteuid() != 0
    if arguments.limit:
        command += ["--limit", arguments.limit]
    if check:
        command.append("--check")
    return [*command, "--extra-vars", json.dumps(values)]


def _password(folder: Path, arguments: argparse.Namespace) -> str:
    """A file with the password of sudo, for our eyes only; asked for once."""
    import getpass  # noqa: PLC0415

    if arguments.ask_become_pass is True:
        arguments.ask_become_pass = getpass.getpass("password of sudo: ")
    file = folder / "password"
    file.touch(mode=0o600)
    file.write_text(arguments.ask_become_pass, encoding="utf-8")
    return str(file)


def _environment(folder: Path) -> dict[str, str]:
    place = folder / "collections" / "ansible_collections" / "memadvisor"
    place.mkdir(parents=True)
    (place / "linux").symlink_to(collection_folder())
    theirs = os.environ.get("ANSIBLE_COLLECTIONS_PATH", _LONG_AGO)
    enabled = os.environ.get("ANSIBLE_CALLBACKS_ENABLED", "")
    package = str(Path(advisor.__file__).parent.parent)
    return {
        **os.environ,
        "LC_ALL": "C.UTF-8",  # Ansible refuses to run without UTF-8
        "ANSIBLE_COLLECTIONS_PATH": f"{folder / 'collections'}:{theirs}",
        "ANSIBLE_CALLBACKS_ENABLED": ",".join(filter(None, [enabled, "memadvisor.linux.fleet_report"])),
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "MEMADVISOR_FLEET_REPORT": str(folder / _REPORT),
        "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")])),
    }


def collection_folder() -> Path:
    """The root of the collection: in an installed package, or beside it in a checkout."""
    package = Path(advisor.__file__).resolve().parent
    for folder in (package / "_collection", package.parent / "ansible"):
        if (folder / "galaxy.yml").is_file():
            return folder
    raise AdvisorError("the Ansible collection is missing from this installation", "install memadvisor again")


def _why(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.upper().startswith(("[ERROR]", "ERROR"))]
    return (errors or lines or ["it said nothing"])[-1 if not errors else 0]
