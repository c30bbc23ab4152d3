"""The cases of `tests/persistence.py`, applied by the real programs."""

import pytest

from advisor.capture.open import open_capture
from advisor.drift import drift
from advisor.outlook import same, written
from tests.hosts.persistence import KERNEL, READERS, TMPFILES, measure
from tests.persistence import CASES, LIKE, WRITES, measured
from tests.test_persistence import NOT_SEEN, ours, ours_below_sys

FILES = {
    "etc/sysctl.d/50-database.conf": "vm.swappiness = 10\nvm.dirty_bytes = 268435456\n",
    "etc/sysctl.d/60-site.conf": "vm.dirty_ratio = 30\nvm.watermark_scale_factor = 50000\nvm.v*_pressure = 150\n",
    "etc/sysctl.conf": "vm.swappiness = 30\nvm.compaction_proactiveness = 7\n",
    "usr/lib/sysctl.d/20-vendor.conf": "vm.swappiness = 1\nvm.max_map_count = 262144\n",
    "usr/lib/sysctl.d/30-gone.conf": "vm.stat_interval = 9\n",
    "etc/tmpfiles.d/thp.conf": "w /sys/kernel/mm/transparent_hugepage/enabled - - - - never\n",
}

BY_HAND = """
ln -sf /nowhere /etc/sysctl.d/30-gone.conf
echo 100 > /proc/sys/vm/swappiness
echo 0 > /proc/sys/vm/page-cluster
echo always > /sys/kernel/mm/transparent_hugepage/enabled
"""


@pytest.mark.hosts
@pytest.mark.full
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


@pytest.mark.hosts
def test_the_next_boot_does_what_drift_says(start_guest, say, tmp_path):
    guest = start_guest(KERNEL, "systemd")
    for path, text in FILES.items():
        guest.put(text.encode(), f"/{path}")
    guest.run(BY_HAND)
    (tmp_path / "before.tar.gz").write_bytes(guest.capture())
    told = {row.tunable: row for row in drift(open_capture(str(tmp_path / "before.tar.gz"))).rows}
    drifting = {tunable.name for tunable, row in told.items() if row.differences}
    assert drifting >= {"vm.swappiness", "vm.page-cluster", "vm.dirty_ratio", "thp.enabled"}
    guest.reboot()
    known = {tunable: row.next_boot for tunable, row in told.items() if row.next_boot is not None}
    runs = {tunable: guest.run(f"cat /{tunable.path}") for tunable in known}
    wrong = [
        tunable.name for tunable in known if not same(written(tunable, known[tunable]), written(tunable, runs[tunable]))
    ]
    say(f"drift: {len(known)} settings told before a boot, {len(wrong)} wrong")
    assert not wrong
