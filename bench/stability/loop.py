"""The rounds on one guest: measure the symptom, follow the advice, read back what is set."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.tunables import TUNABLES
from bench.apply import apply
from bench.contest.arms import changed, settings
from bench.contest.trial import COUNTERS, READ, counters, delta
from bench.stability.loads import LOADS
from tests.hosts.inventory import inventory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hosts.guest import Guest
    from tests.hosts.states import Hosts

BEFORE = 5
"""Windows before the first round."""

_WARM_S = 40
_SYMPTOM_S = 10
_WATCH_S = 12

Record = dict[str, Any]


def loop(hosts: Hosts, kernel: str, load: str, rounds: int) -> Iterator[Record]:
    """Keep a guest busy and follow the advice on it, round after round; each is given when it is over.

    Keys: `name` and `load` of the series, `kernel` (release), `what` ("before" or "round"), `round`; of the window
    `window_s`, one per COUNTERS, `psi_some_ms`, `psi_full_ms`, `available_mb`, and `machine` (load average of this
    one); of a round also `settings` (that differ from those at the start), `changed` and `tried` (see `judge`),
    `verdict` (of the verification; null where nothing was changed), `said` (what the command printed), `took_s`.

    Raises:
        HostError: the guest or the command failed.
    """
    guest = hosts.start(kernel, LOADS[load].shape)
    series = {"name": kernel, "load": load, "kernel": guest.kernel.release}
    LOADS[load].start(guest)
    guest.run(f"sleep {_WARM_S}", timeout_s=300)
    for number in range(1, BEFORE + 1):
        yield {**series, "what": "before", "round": number, **symptom(guest)}
    first = last = settings(guest)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1, rounds + 1):
            start = time.monotonic()
            window = symptom(guest)
            followed = follow(guest, Path(folder))
            now = settings(guest)
            for step in followed["tried"]:
                step["undone"] = now.get(step["file"]) != str(step["to"])
            moved = {file: [last.get(file), value] for file, value in changed(last, now).items()}
            yield {**series, "what": "round", "round": number, **window, "settings": changed(first, now),
                   "changed": moved, **followed, "took_s": round(time.monotonic() - start)}  # fmt: skip
            last = now
    guest.stop()


def symptom(guest: Guest) -> Record:
    """What the guest suffers over a window of its clock, by its own counters."""
    words = guest.run(f"{READ}; sleep {_SYMPTOM_S}; echo; {READ}", timeout_s=600)
    before, after = (counters(part) for part in words.split("\n\n"))
    return {
        "machine": round(os.getloadavg()[0], 1),
        "window_s": round(after["uptime"] - before["uptime"], 1),
        **{name: delta(before, after, lines) for name, lines in COUNTERS.items()},
        "psi_some_ms": delta(before, after, "psi_some") // 1000,
        "psi_full_ms": delta(before, after, "psi_full") // 1000,
        "available_mb": round((before["kb_available"] + after["kb_available"]) / 2048, 1),
    }


def follow(guest: Guest, folder: Path) -> Record:
    """`advisor apply`, and what it wrote into its ledger, which lives as long as the folder does."""
    ledger = folder / "memadvisor" / "ledger.jsonl"
    before = _lines(ledger)
    said = apply(folder, inventory(guest), _WATCH_S, state=folder)
    trials = [json.loads(line) for line in _lines(ledger)[len(before) :]]
    tried = [
        {"setting": change["setting"], "file": f"/{TUNABLES[change['setting']].path}", "from": change["before"],
         "to": change["proposed"], "verdict": change["verdict"], "rules": change["rules"]}
        for trial in trials for change in trial["changes"]
    ]  # fmt: skip
    return {"tried": tried, "verdict": trials[-1]["verdict"] if trials else None, "said": said}


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []
