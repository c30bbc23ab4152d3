"""Bad weather between a change and its verdict: each is named, nothing is called better, no host is left half done."""

import json
import os
import re

import pytest

from tests.plays.support import STATE, Fleet

pytest.importorskip("ansible.release", reason="ansible-core is not installed: pip install 'memadvisor[ansible]'")

SETTINGS = "memadvisor.linux.settings"
HERE = "{{ tune_root }}"
OURS = "etc/sysctl.d/99-zz-memadvisor.conf"

# What happens on a host between the change and the next visit, in the folder that stands for it; what the role says of
# it, and whether the change stays.
WEATHER = {
    "rebooted": ("echo another > proc/sys/kernel/random/boot_id", "the host rebooted in between", False),
    "kernel": ("echo 6.13.0 > proc/sys/kernel/osrelease", "the kernel changed: 6.12", True),
    "memory": ("sed -i '0,/managed  */s//&9/' proc/zoneinfo", "memory was added or taken away", True),
    "machine": (f"echo {'b' * 32} > etc/machine-id", "the captures are of 2 machines of one name", False),
    "renamed": ("echo db9 > proc/sys/kernel/hostname", "the captures are of different hosts: db9, renamed", False),
    "forgotten": (f"rm -r {STATE}/open/*", "there is no transaction", True),
}


@pytest.fixture(scope="module")
def stormy(tmp_path_factory):
    """One run of the role over all of these hosts, and how they were before."""
    folder = tmp_path_factory.mktemp("stormy")
    fleet = Fleet(folder, names=tuple(WEATHER))
    for name in WEATHER:
        (fleet.root(name) / "etc/machine-id").write_text("a" * 32 + "\n")
    cases = "".join(f"{name}) {does} ;;\n" for name, (does, _says, _stays) in WEATHER.items())
    # Each sample asks for the time first: two to report, one to change, and the fourth is the first after the change.
    fake = folder / "bin" / "date"
    fake.write_text(
        f'#!/bin/sh\nPATH={os.environ["PATH"]}\nname=$(basename "$PWD")\necho x >> {folder}/count.$name\n'
        f'[ $(wc -l < {folder}/count.$name) != 4 ] || case $name in\n{cases}esac\nexec date "$@"\n'
    )
    fake.chmod(0o755)
    before = fleet.trees()
    wanted = {"tune_settings": {"vm.swappiness": 30}, "tune_apply_advice": False}
    run = fleet.play("memadvisor.linux.apply", **wanted, tune_batches=["100%"], tune_max_fail_percentage=100)
    fake.unlink()
    return fleet, before, run


@pytest.mark.parametrize("name", WEATHER)
def test_bad_weather_after_a_change_is_named_and_never_better(stormy, name):
    fleet, before, run = stormy
    _does, says, stays = WEATHER[name]
    said = [result for host, _task, _kind, result in run.said if host == name]
    assert any(says in json.dumps(result) for result in said), run.output
    verdicts = {result["verdict"] for host, task, _kind, result in run.said
                if host == name and task == "Compare with before" and "verdict" in result}  # fmt: skip
    assert verdicts <= {"cannot tell"}
    assert fleet.read("proc/sys/vm/swappiness", name) == ("30" if stays else "60")
    kept = OURS in fleet.trees()[name]
    assert kept is (stays and name != "forgotten")
    assert (OURS in before[name]) is False
    failed = [result.get("msg", "") for host, _task, kind, result in run.said if host == name and kind == "failed"]
    assert bool(failed) is (not stays or name == "forgotten"), failed
    assert all("\n" not in message for message in failed)


def test_what_the_host_has_undone_itself_needs_no_undo(stormy):
    fleet, _before, run = stormy
    transaction = run.of("Change the settings", "rebooted")["transaction"]
    task = {SETTINGS: {"root": HERE, "state": "restored", "transaction": transaction}, "name": "undo"}
    again = fleet.play([{"hosts": "rebooted", "gather_facts": False, "tasks": [task]}])
    assert (again.code, again.of("undo", "rebooted")["changed"]) == (0, False)
    assert "has been undone already" in again.of("undo", "rebooted")["notes"][0]
    late = {SETTINGS: {"root": HERE, "state": "confirmed", "transaction": transaction, "undo": ["vm.swappiness"]}}
    refused = fleet.play([{"hosts": "rebooted", "gather_facts": False, "tasks": [{"name": "late", **late}]}])
    assert "was not confirmed in time and has been undone" in refused.of("late", "rebooted")["msg"]


RECEIPTS = {
    "cloned": "another machine of this name",
    "moved": "the receipts are of db9, and this is moved",
    "emptied": f"there is no receipt, though /{OURS} keeps vm.dirty_ratio, vm.swappiness",
    "garbled": "is damaged; look at it, and move it away",
    "fine": "",
}


def test_receipts_that_are_missing_damaged_or_of_another_host(tmp_path):
    fleet = Fleet(tmp_path, names=tuple(RECEIPTS))
    for name in RECEIPTS:
        (fleet.root(name) / "etc/machine-id").write_text("a" * 32 + "\n")
    before = fleet.trees()
    wanted = {"vm.swappiness": 30, "vm.dirty_ratio": 15}
    assert fleet.tasks({"name": "set", SETTINGS: {"root": HERE, "settings": wanted}}).code == 0
    (fleet.root("cloned") / "etc/machine-id").write_text("b" * 32 + "\n")
    for name in ("moved", "emptied", "garbled"):
        (receipt,) = (fleet.root(name) / STATE / "receipts").iterdir()
        if name == "moved":
            receipt.write_text(receipt.read_text().replace('"hostname": "moved"', '"hostname": "db9"'))
        elif name == "emptied":
            receipt.unlink()
        else:
            receipt.write_text(receipt.read_text()[:200])
    changed = fleet.trees()
    run = fleet.tasks(
        {"name": "undo", SETTINGS: {"root": HERE, "state": "restored"}, "ignore_errors": True},
        {"name": "undo one", SETTINGS: {"root": HERE, "state": "restored", "names": ["vm.swappiness"]},
         "ignore_errors": True},
    )  # fmt: skip
    for name, says in RECEIPTS.items():
        if says:
            for task in ("undo", "undo one"):
                assert run.hosts(task, "failed") >= {name}
                assert re.search(re.escape(says), run.of(task, name)["msg"]), run.of(task, name)["msg"]
            assert fleet.trees()[name] == changed[name]
    assert fleet.trees()["fine"] == before["fine"]
