"""What the product itself advises for the load of the series, from a capture, as a user would ask it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.effect.trial import SHAPE, WINDOW_S, start_load

if TYPE_CHECKING:
    from tests.hosts.states import Hosts

_SETTING = "vm.watermark_scale_factor"
_SAMPLES = 3


def advice(hosts: Hosts, kernel: str, factor: int) -> dict[str, Any]:
    """Capture a fresh guest under the load and ask for a plan.

    Keys: `kernel`, `factor` (in effect), `load`, `found` (rules that failed at warning or above), `settings` (all that
    the plan names), `proposed` (the factor; null when the plan does not change it).
    """
    guest = hosts.start(kernel, SHAPE)
    start_load(guest, factor)
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "guest.tar"
        archive.write_bytes(guest.capture(WINDOW_S, _SAMPLES))
        hosts.stop_all()
        findings = _ask("check", archive, "--exit-zero", "--format", "json")["findings"]
        wanted = _ask("plan", archive, "--format", "json")["recommendations"]
    return {
        "kernel": guest.kernel.release,
        "factor": factor,
        "load": [round(os.getloadavg()[0], 1)],
        "found": [one["rule"] for one in findings if one["severity"] != "notice"],
        "settings": [one["setting"] for one in wanted],
        "proposed": next((int(one["proposed"]) for one in wanted if one["setting"] == _SETTING), None),
    }


def _ask(command: str, archive: Path, *options: str) -> dict[str, Any]:
    words = [sys.executable, "-m", "advisor", command, str(archive), *options]
    answer: dict[str, Any] = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    return answer
