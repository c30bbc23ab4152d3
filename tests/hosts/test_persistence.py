"""The cases of `tests/persistence.py`, applied by the real programs."""

import pytest

from tests.hosts.persistence import KERNEL, READERS, TMPFILES, measure
from tests.persistence import CASES, LIKE, WRITES, measured
from tests.test_persistence import NOT_SEEN, ours, ours_below_sys


@pytest.mark.hosts
def test_we_tell_what_the_programs_of_a_guest_do(start_guest, say, tmp_path):
    found = measure(start_guest(KERNEL))
    assert found == measured(), "measure again: python -m tests.hosts.persistence"
    told = {name: ours(case, tmp_path / str(number)) for number, (name, case) in enumerate(CASES.items())}
    for reader in READERS:
        agreed = {name for name in CASES if told[name][reader] == found[name][reader]}
        say(f"persistence, {reader}: {len(agreed & set(LIKE))} of {len(LIKE)} like those of compliance checks, "
            f"{len(agreed)} of {len(CASES)} in all")  # fmt: skip
        assert agreed == set(CASES) - NOT_SEEN
    writes = {name: ours_below_sys(case, tmp_path / f"w{n}") for n, (name, case) in enumerate(WRITES.items())}
    same = sum(writes[name] == found[f"tmpfiles: {name}"][TMPFILES]["thp.enabled"] for name in WRITES)
    say(f"persistence, {TMPFILES}: {same} of {len(WRITES)}")
    assert same == len(WRITES)
