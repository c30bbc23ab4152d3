"""The loop on a real kernel: measure, plan, change, measure again, verify; and the same with a change that is none."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from advisor.analysis import analyse
from advisor.capture.open import open_capture
from advisor.rulebook import library
from advisor.verify import SAME, UNCLEAR, WORSE, verify

if TYPE_CHECKING:
    from advisor.capture.model import Capture
    from tests.hosts.guest import Guest

KERNEL = "6.12"
SCALE = "vm.watermark_scale_factor"
# A factor of 11 on a zone of this size moves marks by a few pages: a change in name only.
PLACEBO = 11
WINDOWS, WINDOW_S = 6, 8
SETUP = f"echo 1024 > /proc/sys/vm/min_free_kbytes; echo 10 > /proc/sys/{SCALE.replace('.', '/')}"
LOAD = (
    "while :; do cat /dev/vdb; done > /dev/null & for i in 1 2 3; do memhog burst 70 3600 1000 > /dev/null & done; wait"
)


def take(guest: Guest, folder: Path, name: str, factor: int | None = None) -> Capture:
    """Set the factor, let the load settle, and capture."""
    if factor is not None:
        guest.run(f"echo {factor} > /proc/sys/{SCALE.replace('.', '/')}")
    time.sleep(5)
    file = folder / f"{KERNEL}-{name}.tar.gz"
    file.write_bytes(guest.capture(WINDOWS * WINDOW_S, WINDOWS + 1))
    return open_capture(str(file))


@pytest.mark.hosts
@pytest.mark.full
def test_the_advice_is_put_to_the_test(start_guest, tmp_path, say):
    folder = Path(os.environ.get("MEMADVISOR_HOSTS_KEEP") or tmp_path)
    guest = start_guest(KERNEL, "noswap")
    guest.run(SETUP)
    guest.capture()  # the tools that it takes are in the page cache then
    guest.throttle("d1", bytes_per_s=48 << 20)
    guest.spawn(LOAD)
    time.sleep(15)
    rules = library.load()
    before = take(guest, folder, "before")
    plan = analyse(before, rules).plan
    proposed = next((change.proposed for change in plan.changes() if change.setting == SCALE), 50)
    for name, factor in (("placebo", PLACEBO), ("after", proposed)):
        found = verify([before], [take(guest, folder, name, factor)], rules)
        say(f"verify {KERNEL} {SCALE} 10 -> {factor}: {found.verdict}; {found.why[0]}")
        assert found.predictions
        assert all(score.right for score in found.predictions), found.predictions
        assert found.verdict != WORSE
        assert name == "after" or found.verdict in {SAME, UNCLEAR}
