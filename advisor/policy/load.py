"""Reads policy files and inventories; the only part of this package that touches files and runs programs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from advisor.errors import PolicyError, UsageError
from advisor.hints import TYPE_CHECKING, Any
from advisor.policy import inventory, source
from advisor.policy.local import InForce
from advisor.rulebook.library import read_rule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from advisor.policy.inventory import Inventory
    from advisor.rulebook.library import Check

_LARGEST = 1 << 20
_LARGEST_INVENTORY = 256 << 20  # a hundred thousand hosts with their variables
_PATIENCE_S = 300  # dynamic inventories ask a cloud


def in_force(file: str, checks: Sequence[Check], today: date) -> InForce:
    """The policy of a file together with the rules that it is about.

    Raises:
        PolicyError: the file cannot be read, or is wrong.
    """
    text = _text(Path(file), _LARGEST)
    return InForce(source.load(text, file, checks), checks, lambda origin: read_rule(Path(origin)), today)


def _text(file: Path, largest: int) -> str:
    try:
        if file.stat().st_size > largest:
            raise PolicyError(f"{file}: larger than {largest >> 20} MiB")
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise PolicyError(f"{file}: not UTF-8 text") from None
    except OSError as error:
        raise PolicyError(f"{file}: {error.strerror}") from None


def read_inventory(file: str) -> Inventory:
    """The groups and variables of an inventory.

    The file may be a saved ``ansible-inventory --list``, or anything that Ansible itself reads.

    Raises:
        UsageError: it cannot be read, and why.
    """
    path = Path(file)
    if not path.exists():
        raise UsageError(f"{file}: no such inventory")
    if path.is_file() and path.suffix == ".json":
        saved = _json(_text(path, _LARGEST_INVENTORY))
        if inventory.is_listing(saved):
            return inventory.parse(saved)
    return inventory.parse(_listed(file))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _listed(file: str) -> Any:
    """What Ansible itself makes of the inventory."""
    beside = Path(sys.executable).parent  # where an environment that was not activated has it
    program = shutil.which("ansible-inventory") or shutil.which("ansible-inventory", path=str(beside))
    if program is None:
        raise UsageError(f"{file}: ansible-inventory is not installed here",
                         "save its output elsewhere: ansible-inventory --list > inventory.json")  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603  (no shell; the file is the user's own inventory)
            [program, "-i", file, "--list"], capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UsageError(f"{file}: ansible-inventory did not end within {_PATIENCE_S} s") from None
    listing = _json(done.stdout)
    if done.returncode != 0 or not inventory.is_listing(listing):
        said = (done.stderr.strip().splitlines() or ["it printed no JSON"])[-1]
        raise UsageError(f"{file}: ansible-inventory: {said[:200]}")
    return listing
