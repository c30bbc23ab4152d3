"""The Ansible collection on real kernels: report, check, apply, reboot, undo, and everything as before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.hosts.inventory import inventory
from tests.hosts.levels import kernels

if TYPE_CHECKING:
    from tests.hosts.guest import Guest

pytest.importorskip("ansible.release", reason="ansible-core is not installed: pip install 'memadvisor[ansible]'")

NEW = "6.12"

# Everything that the collection could have changed. Counters are none, and each boot computes the reserves anew.
_STATE = (
    "cd /; for file in proc/sys/vm/* sys/kernel/mm/transparent_hugepage/* "
    "sys/kernel/mm/transparent_hugepage/khugepaged/* sys/kernel/mm/lru_gen/* etc/sysctl.conf etc/sysctl.d/* "
    "etc/tmpfiles.d/*; do case $file in "
    "*stat_refresh|*/pages_collapsed|*/full_scans|*_stat|*_reserve_kbytes) continue ;; esac; "
    '[ -f "$file" ] && [ -r "$file" ] && echo "$file: $(cat "$file" 2>&1)"; done; true'
)
_SETTINGS = {"vm.swappiness": 30, "vm.watermark_scale_factor": 20, "khugepaged.pages_to_scan": 8192}
_WANTED = {"tune_settings": _SETTINGS, "tune_apply_advice": False, "tune_window": 2, "tune_samples": 2,
           "tune_settle": 1, "tune_become": False}  # fmt: skip


def controller(guest: Guest, folder):
    from tests.plays.support import Controller

    hosts = json.loads(inventory(guest))
    hosts["all"]["vars"] = {"tune_report_dir": str(folder / "reports")}
    return Controller(folder, hosts)


def values(guest: Guest) -> list[str]:
    files = "/proc/sys/vm/swappiness /proc/sys/vm/watermark_scale_factor"
    return guest.run(f"cat {files} /sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan").split()


@pytest.mark.hosts
@pytest.mark.parametrize("kernel", kernels(NEW))
def test_report_check_apply_reboot_undo(start_guest, tmp_path, kernel, say):
    guest = start_guest(kernel, "normal")
    name = guest.name
    here = controller(guest, tmp_path)
    before = guest.run(_STATE)
    reported = here.play("memadvisor.linux.report", **_WANTED)
    assert reported.code == 0, reported.output
    assert reported.of("Next visit", name)["sent_bytes"] < 27_000  # base64 of 20 kB
    checked = here.play("memadvisor.linux.apply", "--check", "--diff", **_WANTED)
    assert checked.of("Change the settings", name)["changed"]
    assert guest.run(_STATE) == before, "a report or check mode changed the guest"
    applied = here.play("memadvisor.linux.apply", "--diff", **_WANTED)
    assert applied.code == 0, applied.output
    assert applied.of("Compare with before", name)["verdict"] in {"same", "cannot tell"}
    assert applied.of("Change the settings", name)["diff"] == checked.of("Change the settings", name)["diff"]
    assert values(guest) == ["30", "20", "8192"]
    for arguments in ((), ("--check",)):
        again = here.play("memadvisor.linux.apply", *arguments, **_WANTED)
        assert again.of("Change the settings", name)["changed"] is False
    guest.disconnect()
    guest.reboot()
    assert values(guest) == ["30", "20", "8192"], "it did not last over a reboot"
    undone = here.play("memadvisor.linux.undo", **_WANTED)
    assert undone.code == 0, undone.output
    assert guest.run(_STATE) == before
    say(f"role on {name}: report, check, apply, idempotence, reboot, undo; all as before")


@pytest.mark.hosts
def test_a_rival_is_named_and_a_guest_without_python_is_measured(start_guest, tmp_path):
    guest = start_guest(NEW, "normal")
    here = controller(guest, tmp_path)
    guest.put(b"# theirs\nvm.swappiness = 77\n", "/etc/sysctl.d/99-zzz-theirs.conf")
    before = guest.run(_STATE)
    refused = here.tasks({"name": "set", "memadvisor.linux.settings": {"settings": {"vm.swappiness": 10}}})
    assert "/etc/sysctl.d/99-zzz-theirs.conf:2" in refused.of("set", guest.name)["msg"]
    assert guest.run(_STATE) == before
    guest.run("mv /usr/bin/python3 /usr/bin/python3.away")
    measured = here.tasks(
        {"name": "measure", "memadvisor.linux.memory_info": {"window": 1}, "register": "measured"},
        {"name": "judge", "memadvisor.linux.advise": {"capture": "{{ measured.capture }}"}},
    )
    assert measured.code == 0, measured.output
    assert measured.of("judge", guest.name)["report"]["capture"]["samples"] == 2


@pytest.mark.hosts
def test_a_guest_that_is_lost_after_a_change_puts_itself_back(start_guest, tmp_path):
    guest = start_guest(NEW, "normal")
    here = controller(guest, tmp_path)
    before = guest.run(_STATE)
    changed = here.tasks(
        {"name": "set", "memadvisor.linux.settings": {"settings": {"vm.swappiness": 10}, "confirm": 10}}
    )
    assert changed.of("set", guest.name)["changed"], changed.output
    guest.disconnect()  # nobody comes back to confirm
    guest.run("for i in $(seq 60); do [ $(cat /proc/sys/vm/swappiness) = 60 ] && exit 0; sleep 1; done; exit 1")
    assert guest.run(_STATE) == before


# Bursts of allocation beside a streaming read, on a host whose marks are far enough apart for them.
_BURSTS = "while :; do cat /dev/vdb; done > /dev/null & for i in 1 2 3; do memhog burst 70 3600 100 & done; wait"
_WIDE = "echo 1024 > /proc/sys/vm/min_free_kbytes; echo 300 > /proc/sys/vm/watermark_scale_factor"
_HARM, _HARMLESS = "vm.watermark_scale_factor", "vm.swappiness"


@pytest.mark.hosts
@pytest.mark.full
def test_of_two_settings_the_one_that_does_harm_is_undone(start_guest, tmp_path, say):
    guest = start_guest(NEW, "noswap")
    here = controller(guest, tmp_path)
    guest.run(_WIDE)
    guest.throttle("d1", bytes_per_s=48 << 20)
    guest.spawn(_BURSTS)
    wanted = {**_WANTED, "tune_settings": {_HARM: 10, _HARMLESS: 30}, "tune_window": 96, "tune_samples": 13,
              "tune_settle": 8, "tune_confirm": 900}  # fmt: skip
    run = here.play("memadvisor.linux.apply", **wanted)
    verified = run.of("Compare with before", guest.name)
    assert (verified["verdict"], verified["undo"]) == ("worse", [_HARM]), (verified["msg"], run.output)
    assert run.code != 0
    told = json.loads((tmp_path / "reports" / f"{guest.name}.change.json").read_text())
    assert (told["outcome"], told["kept"], told["undone"]) == ("undone in part", [_HARMLESS], [_HARM])
    values = guest.run("cat /proc/sys/vm/watermark_scale_factor /proc/sys/vm/swappiness").split()
    assert values == ["300", "30"]
    dropin = guest.get("/etc/sysctl.d/99-zz-memadvisor.conf").decode()
    assert "vm.swappiness = 30" in dropin
    assert _HARM not in dropin
    receipt = json.loads(guest.run("cat /var/lib/memadvisor/receipts/*.json"))
    assert [entry["setting"] for entry in receipt["undone"]] == [_HARM]
    assert guest.run("ls /var/lib/memadvisor/open") == ""
    stalls = next(cost["noise"] for cost in verified["costs"] if cost["signal"] == "rate.allocstall")
    say(f"two settings on {guest.name}: {_HARM} 300 -> 10 took stalls from {stalls['before']:.3g}/s to "
        f"{stalls['after']:.3g}/s and was undone alone; {_HARMLESS} 60 -> 30 was kept")  # fmt: skip
