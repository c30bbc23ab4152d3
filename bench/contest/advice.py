"""What memadvisor sets: `advisor apply` on a guest under the load, as a user would give the command, and again."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.apply import apply
from bench.contest.arms import Settings, changed, settings
from bench.contest.trial import set_files, start_load
from bench.contest.workloads import WARM_S
from tests.hosts.inventory import inventory

if TYPE_CHECKING:
    from bench.contest.workloads import Workload
    from tests.hosts.states import Hosts

ROUNDS = 3
"""How many times advice is followed at most: each time on a fresh guest with what was set before."""

_WATCH_S = 12
_LOAD_S = 90


def advice(hosts: Hosts, kernel: str, workload: Workload, given: Settings, state: Path) -> dict[str, Any]:
    """Let the role measure, change, measure again and verify; what it learned before is in the ledger in `state`.

    Keys: `kernel` (release), `settings` (those that differ from the kernel's own now), `same` (nothing was changed in
    this round), `said` (what the command printed).

    Raises:
        HostError: the guest or the command failed.
    """
    guest = hosts.start(kernel, workload.shape)
    first = settings(guest)
    set_files(guest, given)
    before = settings(guest)
    start_load(guest, workload, _LOAD_S)
    time.sleep(WARM_S)
    with tempfile.TemporaryDirectory() as folder:
        said = apply(Path(folder), inventory(guest), _WATCH_S, role=workload.role, state=state)
    after = settings(guest)
    release = guest.kernel.release
    guest.stop()
    return {"kernel": release, "settings": changed(first, after), "same": after == before, "said": said}
