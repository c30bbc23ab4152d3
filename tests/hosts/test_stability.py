"""Advice on a busy guest, followed again and again: at most three steps, none turned back, and no harm."""

from __future__ import annotations

import pytest

from bench.stability import judge
from bench.stability.loop import loop

pytest.importorskip("ansible.release", reason="ansible-core is not installed: pip install 'memadvisor[ansible]'")

KERNEL, LOAD = "6.12", "heavy"
# Three steps may well take all of the rounds that there is time for: whether it is quiet then, `make stability` tells.
ROUNDS, LAST, QUIET = 5, 3, 0


@pytest.mark.hosts
@pytest.mark.full
def test_advice_takes_few_steps_on_a_guest_that_stays_busy(hosts, say):
    try:
        records = list(loop(hosts, KERNEL, LOAD, ROUNDS))
    finally:
        hosts.stop_all()
    found = judge.judge(records, LAST, QUIET)
    steps = [f"{one['setting']} {one['from']} → {one['to']}" for record in records for one in record.get("tried", ())]
    sides = "; ".join(f"{side.name} {side.before:.3g} → {side.end:.3g}" for side in found.sides)
    say(f"{ROUNDS} rounds of advice on {KERNEL}: {', '.join(steps)}, settled in round {found.settled}; {sides}")
    assert not found.faults, (found, [record.get("said") for record in records])
