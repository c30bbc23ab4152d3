"""What `advisor check` says of a capture, and what is wrong with it for a scenario."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.scenarios import Scenario

HEALTHY = "healthy"
_LOUD = ("warning", "critical")


def judge(product: Path, archive: Path) -> dict[str, Any]:
    """The report on a capture, as a user would ask for it.

    Args:
        product: a folder with the package `advisor` and the rules.
        archive: the capture.
    """
    command = [sys.executable, "-m", "advisor", "check", str(archive), "--format", "json", "--exit-zero"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=product)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def classes(report: dict[str, Any]) -> list[str]:
    """The classes found at warning or above, that of the worst finding first."""
    loud = [finding["diagnosis"] for finding in report["findings"] if finding["severity"] in _LOUD]
    return list(dict.fromkeys(loud))


def faults(scenario: Scenario, report: dict[str, Any]) -> list[str]:
    """What is wrong with a report on a scenario."""
    found = set(classes(report))
    advised = {one["setting"] for one in report["recommendations"] if one["direction"] == "increase"}
    wrong = [f"found {name}" for name in sorted(found - scenario.expected - scenario.also)]
    wrong += [f"advised to increase {name}" for name in scenario.unadvised if name in advised]
    if scenario.expected and not found & scenario.expected:
        wrong.append(f"did not find {' or '.join(sorted(scenario.expected))}")
    if not scenario.expected and report["verdict"] == "insufficient":
        wrong.append("could not judge")
    return wrong


def summary(report: dict[str, Any]) -> str:
    """The report in one line."""
    advised = dict.fromkeys(f"{one['setting']} {one['direction']}" for one in report["recommendations"])
    return f"{', '.join(classes(report)) or HEALTHY}; advice: {', '.join(advised) or 'none'}"
