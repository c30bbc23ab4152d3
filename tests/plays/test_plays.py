"""The plugins, the role and the playbooks, as ansible-playbook runs them."""

import importlib
import json
import os
import re
import subprocess
import sys

import pytest
import yaml

from advisor.capture.files import patterns
from advisor.report import fleet_documents
from tests.ansible_modules.target import link_collection
from tests.plays.support import STATE, Fleet

pytest.importorskip("ansible.release", reason="ansible-core is not installed: pip install 'memadvisor[ansible]'")

MEASURE = "memadvisor.linux.memory_info"
ADVISE = "memadvisor.linux.advise"
SETTINGS = "memadvisor.linux.settings"
HERE = "{{ tune_root }}"


@pytest.fixture
def one(tmp_path):
    return Fleet(tmp_path)


def test_two_visits_make_a_window_that_is_judged(one):
    run = one.tasks(
        {"name": "first", MEASURE: {"root": HERE}, "register": "first"},
        {"name": "wait", "ansible.builtin.pause": {"seconds": 1}},
        {"name": "second", MEASURE: {"root": HERE, "previous": "{{ first.capture }}"}, "register": "second"},
        {"name": "advise", ADVISE: {"capture": "{{ second.capture }}", "dest": f"{one.folder}/report.json"}},
    )
    assert run.code == 0, run.output
    first, second, advice = run.of("first"), run.of("second"), run.of("advise")
    assert (first["samples"], second["samples"], first["hostname"]) == (1, 2, "h1")
    assert second["window_s"] >= 1
    assert first["sent_bytes"] < 27_000  # base64 of 20 kB
    assert len(json.dumps(second)) < 2000, "what was measured does not travel in variables"
    assert advice["report"] == json.loads((one.folder / "report.json").read_text())
    assert advice["report"]["capture"]["samples"] == 2
    assert advice["text"][0].startswith(("Healthy", "1 finding", "2 findings", "3 findings"))
    fleet = json.loads((one.folder / "fleet.json").read_text())
    assert (fleet["schema"], [host["host"]["name"] for host in fleet["hosts"]]) == ("memadvisor/fleet-report/1", ["h1"])
    assert not list((one.folder / "ansible").rglob("*.tar.gz")), "a sample outlived its run"


CONTROLLERS = {
    "something else is called advisor": {"__init__.py": "version = 3\n"},
    "too old": {
        "__init__.py": '__version__ = "0.0.9"\n',
        "analysis.py": "",
        "capture/open.py": "",
        "capture/shell.py": "",
        "capture/write.py": "",
        "rulebook/library.py": "",
        "errors.py": "class AdvisorError(Exception):\n    pass\n",
    },
}


@pytest.mark.parametrize("files", CONTROLLERS.values(), ids=CONTROLLERS)
def test_a_controller_without_memadvisor_gets_the_line_that_mends_it(one, monkeypatch, files):
    for name, text in files.items():
        place = one.folder / "elsewhere" / "advisor" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(one.folder / "elsewhere"))
    run = one.tasks({"name": "measure", MEASURE: {"root": HERE}})
    assert run.code != 0
    assert f"{sys.executable} -m pip install --upgrade 'memadvisor>=" in run.of("measure")["msg"]


HOSTILE = {
    "garbage": ("gzip", "head -c 5000 /dev/urandom", "damaged|cut short"),
    "far too much": ("base64", "head -c 40000000 /dev/zero | tr '\\0' A", "sent 38 MiB, and 32 MiB are the most"),
    "no answer": ("head", "exit 1", "sent no capture|cut short|more than"),
}


@pytest.mark.parametrize(("tool", "does", "said"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_host_is_refused_and_nothing_is_written(one, tool, does, said):
    before = one.trees()
    fake = one.folder / "bin" / tool
    fake.write_text(f"#!/bin/sh\nPATH={os.environ['PATH']}\n{does}\n")
    fake.chmod(0o755)
    run = one.tasks({"name": "set", SETTINGS: {"root": HERE, "settings": {"vm.swappiness": 10}}})
    assert run.code != 0
    message = run.of("set")["msg"]
    assert re.search(said, message), message
    assert "\n" not in message
    assert one.trees() == before


REFUSED = {
    "a word": ({"vm.swappiness": "banana"}, "vm.swappiness"),
    "a boolean of YAML": ({"vm.swappiness": True}, "vm.swappiness"),
    "negative": ({"vm.swappiness": -1}, "vm.swappiness"),
    "beyond the bounds": ({"vm.swappiness": 201}, "vm.swappiness"),
    "an action": ({"vm.compact_memory": 1}, "vm.compact_memory"),
    "another action": ({"vm.drop_caches": 3}, "drop_caches"),
    "misspelt": ({"vm.swapiness": 10}, "did you mean"),
    "good and bad together": ({"vm.swappiness": 10, "vm.dirty_ratio": "many"}, "vm.dirty_ratio"),
}


def test_bad_input_is_refused_in_one_clear_line_and_nothing_is_written(one):
    before = one.trees()
    tasks = [
        {"name": name, SETTINGS: {"root": HERE, "settings": wanted}, "ignore_errors": True}
        for name, (wanted, _said) in REFUSED.items()
    ]
    plan = {"schema": "memadvisor/plan/1", "recommendations": []}
    alien = {**plan, "host": {"hostname": "other", "boot_id": None, "managed_pages": None}}
    reboot = {**plan, "host": {"hostname": "h1", "boot_id": "another", "managed_pages": None}}
    resized = {**plan, "host": {"hostname": "h1", "boot_id": None, "managed_pages": 7}}
    plans = {"a plan of another host": alien, "of another boot": reboot, "of another size": resized}
    tasks += [
        {"name": name, SETTINGS: {"root": HERE, "plan": plan}, "ignore_errors": True} for name, plan in plans.items()
    ]
    for arguments in ((), ("--check",)):
        run = one.tasks(*tasks, arguments=arguments)
        for name in (*REFUSED, *plans):
            assert run.hosts(name, "failed") == {"h1"}, name
            message = run.of(name)["msg"]
            assert REFUSED.get(name, ("", "the plan is"))[1] in message, message
            assert "\n" not in message
    assert one.trees() == before


def test_check_mode_foretells_and_a_second_run_changes_nothing(one):
    before = one.trees()
    task = {"name": "set", SETTINGS: {"root": HERE, "settings": {"vm.swappiness": 10, "thp.defrag": "defer"}}}
    foretold = one.tasks(task, arguments=("--check", "--diff"))
    assert one.trees() == before
    done = one.tasks(task, arguments=("--diff",))
    assert foretold.of("set")["diff"] == done.of("set")["diff"]
    assert foretold.of("set")["actual"] == {
        **done.of("set")["actual"],
        "thp.defrag": foretold.of("set")["actual"]["thp.defrag"],
    }
    assert one.read("proc/sys/vm/swappiness") == "10"
    for arguments in ((), ("--check",)):
        again = one.tasks(task, arguments=arguments)
        assert again.of("set")["changed"] is False
    said = done.of("set")
    assert said["wins_at_boot"]["vm.swappiness"]["by"].startswith("/etc/sysctl.d/99-zz-memadvisor.conf:")
    assert (said["previous"]["vm.swappiness"], said["wanted"]["vm.swappiness"]) == ("60", "10")


def test_a_file_that_is_read_later_is_named_and_refused(one):
    (one.root() / "etc/sysctl.d/99-zzz-theirs.conf").write_text("vm.swappiness = 77\n")
    before = one.trees()
    wanted = {"root": HERE, "settings": {"vm.swappiness": 10}}
    run = one.tasks(
        {"name": "refused", SETTINGS: wanted, "ignore_errors": True},
        {"name": "warned", SETTINGS: {**wanted, "rivals": "warn"}, "check_mode": True},
    )
    assert "/etc/sysctl.d/99-zzz-theirs.conf:1" in run.of("refused")["msg"]
    assert "99-zzz-theirs.conf:1" in run.of("warned")["warnings"][0]
    assert run.of("warned")["others"][0]["setting"] == "vm.swappiness"
    assert one.trees() == before


def test_a_kubelet_that_writes_a_setting_is_named_and_refused(one):
    config = one.root() / "var/lib/kubelet/config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("kind: KubeletConfiguration\n")
    before = one.trees()
    wanted = {"root": HERE, "settings": {"vm.overcommit_memory": 2}, "approved": True}
    run = one.tasks({"name": "refused", SETTINGS: wanted, "ignore_errors": True})
    assert "kubelet" in run.of("refused")["msg"]
    assert one.trees() == before


def test_settings_reads_every_file_that_sets_something_at_boot():
    link_collection()
    read = importlib.import_module("ansible_collections.memadvisor.linux.plugins.action.settings")._READ
    at_boot = [one for one in patterns("once") if not one.startswith(("proc/", "sys/"))]
    assert [one for one in at_boot if not one.startswith(read)] == []


def test_report_check_apply_undo_by_the_role(one):
    before = one.trees()
    wanted = {"tune_settings": {"vm.swappiness": 30, "khugepaged.pages_to_scan": 8192}}
    reported = one.play("memadvisor.linux.report", **wanted)
    assert reported.code == 0, reported.output
    assert one.trees() == before
    assert json.loads((one.folder / "reports/h1.json").read_text())["schema"] == "memadvisor/report/1"
    checked = one.play("memadvisor.linux.apply", "--check", **wanted)
    assert checked.of("Change the settings")["changed"]
    assert one.trees() == before
    applied = one.play("memadvisor.linux.apply", **wanted)
    assert applied.code == 0, applied.output
    assert applied.of("Compare with before")["verdict"] in {"same", "cannot tell"}
    assert json.loads((one.folder / "reports/h1.change.json").read_text())["outcome"] == "kept"
    assert one.read("proc/sys/vm/swappiness") == "30"
    again = one.play("memadvisor.linux.apply", **wanted)
    assert not again.of("Change the settings")["changed"]
    undone = one.play("memadvisor.linux.undo")
    assert undone.code == 0, undone.output
    assert one.trees() == before


def test_a_canary_that_becomes_worse_is_put_back_and_stops_the_rollout(tmp_path):
    # The marks of a made-up host do not follow min_free_kbytes, which a kernel's always do: the advice is not kept.
    fleet = Fleet(tmp_path, "scenarios/6.12-bursts", names=("h1", "h2", "h3"))
    before = fleet.trees()
    run = fleet.play("memadvisor.linux.apply")
    assert run.code != 0
    assert run.hosts("Change the settings", "ok") == {"h1"}, run.output
    assert run.of("Compare with before")["verdict"] == "worse"
    said = run.of("Stop the rollout after a change that did harm")["msg"]
    assert said.startswith("h1 became worse, and the change was undone")
    assert fleet.trees() == before
    fleet_report = json.loads((tmp_path / "fleet.json").read_text())
    assert fleet_report["runs"]["h1"]["verify"][0]["verdict"] == "worse"
    assert fleet_report["unreadable"][0]["source"] == "h1"


def test_a_change_that_cannot_be_verified_is_put_back(one):
    before = one.trees()
    fake = one.folder / "bin" / "gzip"  # each visit packs once: two to report, one to change, and the fourth fails
    fake.write_text(f"#!/bin/sh\nPATH={os.environ['PATH']}\necho x >> {one.folder}/count\n"
                    f"[ $(wc -l < {one.folder}/count) = 4 ] || exec gzip -c\n")  # fmt: skip
    fake.chmod(0o755)
    run = one.play("memadvisor.linux.apply", tune_settings={"vm.swappiness": 30})
    assert run.code != 0
    assert run.of("Change the settings")["changed"]
    said = run.of("Stop the rollout after a change that could not be verified")["msg"]
    assert said.startswith("the change was undone, since a task failed after it:")
    assert one.trees() == before


def test_batches_change_every_host_after_the_canary(tmp_path):
    fleet = Fleet(tmp_path, names=("h1", "h2", "h3"))
    run = fleet.play("memadvisor.linux.apply", tune_settings={"vm.swappiness": 30}, tune_verify=False)
    assert run.code == 0, run.output
    changed = [host for host, task, _kind, _result in run.said if task == "Change the settings"]
    assert (changed[0], sorted(changed)) == ("h1", ["h1", "h2", "h3"])
    assert {fleet.read("proc/sys/vm/swappiness", name) for name in fleet.names} == {"30"}
    assert "vm.swappiness = 30" in fleet.read("etc/sysctl.d/99-zz-memadvisor.conf", "h3")


def test_the_gates_of_the_role(one):
    before = one.trees()
    wanted = {"tune_settings": {"vm.swappiness": 30}, "tune_mode": "apply", "tune_verify": False}
    hours = one.play("memadvisor.linux.apply", **wanted, tune_maintenance_from="00:00", tune_maintenance_until="00:00")
    assert "UTC, and changes are made from 00:00 until 00:00" in hours.of("Say why nothing is changed")["msg"][0]
    plan = {"schema": "memadvisor/plan/1", "recommendations": [{"kind": "setting", "risk": {"level": "high"}}]}
    (one.folder / "plan.json").write_text(json.dumps(plan))
    risky = one.play("memadvisor.linux.apply", **wanted, tune_plan=str(one.folder / "plan.json"))
    assert risky.of("Say why nothing is changed")["msg"] == ["a change carries more than low risk: high"]
    wrong = one.play("memadvisor.linux.apply", **wanted, tune_maintenance_from="9:00", tune_maintenance_until="17:00")
    assert 'such as "22:00"' in wrong.of("Check the maintenance hours")["msg"]
    mode = one.play("memadvisor.linux.report", tune_mode="applly")
    assert mode.code != 0
    assert "report, check, apply" in mode.output
    assert one.trees() == before


def test_pipelines_fail_where_there_are_findings(tmp_path):
    fleet = Fleet(tmp_path, "scenarios/6.12-bursts", variables={"fleet_check_window": 1})
    assert fleet.play("memadvisor.linux.fleet_check", fleet_check_fail_on="critical").code == 0
    run = fleet.play("memadvisor.linux.fleet_check")
    assert run.code != 0
    assert run.of("Judge")["msg"].startswith("warning: ")


def test_a_check_of_an_inventory_leaves_a_store(tmp_path):
    fleet = Fleet(tmp_path, names=("h1", "h2"), variables={"fleet_check_window": 1})
    run = fleet.play("memadvisor.linux.fleet_check", fleet_check_store=str(tmp_path / "store"))
    assert run.code == 0, run.output
    command = [sys.executable, "-m", "advisor", "fleet", "report", tmp_path / "store", "--format", "json"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert sorted(host["host"]["name"] for host in told["hosts"]) == ["h1", "h2"]


def test_a_host_that_does_not_answer_stands_in_the_fleet_report(tmp_path):
    fleet = Fleet(tmp_path, names=("h1", "h2"))
    content = yaml.safe_load(fleet.inventory.read_text())
    content["all"]["hosts"]["h2"] = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    fleet.inventory.write_text(yaml.safe_dump(content))
    fleet.play("memadvisor.linux.report")
    report = json.loads((tmp_path / "fleet.json").read_text())
    merged, _remarks = fleet_documents.merged([fleet_documents.checked(report, "one slice of a job"), report])
    assert (merged["hosts"], merged["unreadable"]) == (report["hosts"], report["unreadable"])
    assert [host["host"]["name"] for host in report["hosts"]] == ["h1"]
    assert [entry["source"] for entry in report["unreadable"]] == ["h2"]


def test_one_setting_is_given_back_and_a_damaged_receipt_is_named(one):
    before = one.trees()
    wanted = {"vm.swappiness": 30, "vm.dirty_ratio": 15}
    run = one.tasks(
        {"name": "set", SETTINGS: {"root": HERE, "settings": wanted}},
        {"name": "give one back", SETTINGS: {"root": HERE, "state": "absent", "names": ["vm.swappiness"]}},
    )
    assert run.code == 0, run.output
    assert (one.read("proc/sys/vm/swappiness"), one.read("proc/sys/vm/dirty_ratio")) == ("60", "15")
    assert "swappiness" not in one.read("etc/sysctl.d/99-zz-memadvisor.conf")
    back = one.tasks({"name": "give all back", SETTINGS: {"root": HERE, "state": "absent"}})
    assert back.code == 0, back.output
    assert one.trees() == before
    (one.root() / STATE / "receipts/29990101T000000Z-00000000.json").write_text('{"writes": 7}')
    refused = one.tasks({"name": "undo", SETTINGS: {"root": HERE, "state": "absent"}})
    assert "is not of the format memadvisor/receipt/1" in refused.of("undo")["msg"]
    assert one.trees() == before


AT_FAULT = "vm.min_free_kbytes"


def worse(tmp_path, **variables):
    """A host on which the advice for the reserve does harm, and a setting of the user's besides does none."""
    fleet = Fleet(tmp_path, "scenarios/6.12-bursts")
    before = fleet.trees()["h1"]
    run = fleet.play("memadvisor.linux.apply", tune_settings={"vm.swappiness": 30}, **variables)
    assert run.code != 0
    assert run.of("Compare with before")["undo"] == [AT_FAULT]
    return fleet, before, run, json.loads((tmp_path / "reports/h1.change.json").read_text())


@pytest.mark.parametrize("confirm", [300, 0], ids=["waiting for its confirmation", "without such a wait"])
def test_of_a_change_that_does_harm_only_what_is_at_fault_is_undone(tmp_path, confirm):
    fleet, before, run, told = worse(tmp_path, tune_confirm=confirm)
    after = fleet.trees()["h1"]
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed == {"proc/sys/vm/swappiness", "etc/sysctl.d/99-zz-memadvisor.conf"}
    assert fleet.read("proc/sys/vm/swappiness") == "30"
    file = fleet.read("etc/sysctl.d/99-zz-memadvisor.conf")
    assert "vm.swappiness = 30" in file
    assert "min_free" not in file
    assert (told["outcome"], told["kept"], told["undone"]) == ("undone in part", ["vm.swappiness"], [AT_FAULT])
    assert run.of("Stop the rollout after a change that did harm")["msg"].startswith(
        f"h1 became worse, and of the change {AT_FAULT} was undone and vm.swappiness kept; worse: {AT_FAULT}: "
    )
    report = json.loads((tmp_path / "fleet.json").read_text())["runs"]["h1"]["settings"]
    assert report[-1]["undone"] == [AT_FAULT]
    receipts = [json.loads(path.read_text()) for path in sorted((fleet.root() / STATE / "receipts").iterdir())]
    if confirm:
        (receipt,) = receipts
        assert [write["setting"] for write in receipt["writes"]] == ["vm.swappiness"]
        assert [entry["setting"] for entry in receipt["undone"]] == [AT_FAULT]
    else:
        assert [receipt["purpose"] for receipt in receipts] == ["present", "restored"]
        assert [write["setting"] for write in receipts[1]["writes"]] == [AT_FAULT]
    undone = fleet.play("memadvisor.linux.undo")
    assert undone.code == 0, undone.output
    assert fleet.trees()["h1"] == before


def test_all_of_a_change_that_does_harm_is_undone_where_that_is_wanted(tmp_path):
    fleet, before, _run, told = worse(tmp_path, tune_on_worse="undo_all")
    assert fleet.trees()["h1"] == before
    assert (told["outcome"], told["kept"]) == ("undone", [])


def test_a_change_that_does_harm_is_kept_where_that_is_wanted(tmp_path):
    fleet, _before, _run, told = worse(tmp_path, tune_on_worse="keep")
    assert fleet.read("proc/sys/vm/swappiness") == "30"
    assert AT_FAULT in fleet.read("etc/sysctl.d/99-zz-memadvisor.conf")
    assert (told["outcome"], told["undone"]) == ("kept", [])


def test_what_failed_on_a_class_of_hosts_is_not_tried_there_again(tmp_path):
    fleet = Fleet(tmp_path, "scenarios/6.12-bursts", names=("h1", "h2"))
    first = fleet.play("memadvisor.linux.apply", "--limit", "h1")
    assert first.of("Compare with before")["verdict"] == "worse"
    before = fleet.trees()
    again = fleet.play("memadvisor.linux.apply")
    assert again.code == 0, again.output
    assert fleet.trees() == before
    for host in fleet.names:
        (said,) = again.of("Say why nothing is changed", host)["msg"]
        assert AT_FAULT in said
        assert "it made h1 worse on 2" in said
        assert any("held back" in line for line in again.of("Show the report", host)["msg"])
    free = fleet.play("memadvisor.linux.apply", "--check", tune_ledger="")
    assert free.of("Change the settings")["changed"]


def test_the_role_keeps_prediction_and_verdict_where_history_shows_them(tmp_path):
    fleet = Fleet(tmp_path, "scenarios/6.12-bursts")
    wanted = {"tune_settings": {"vm.watermark_scale_factor": 100}, "tune_apply_advice": False, "tune_on_worse": "keep"}
    assert fleet.play("memadvisor.linux.apply", "--check", **wanted).code == 0
    ledger = tmp_path / "state/memadvisor/ledger.jsonl"
    assert not ledger.exists(), "check mode wrote into the ledger"
    fleet.play("memadvisor.linux.apply", **wanted)
    (line,) = ledger.read_text().splitlines()
    trial = json.loads(line)
    assert (trial["host"]["hostname"], trial["changes"][0]["setting"]) == ("h1", "vm.watermark_scale_factor")
    assert {"predicted", "observed"} <= trial["predictions"][0].keys()
    shown = subprocess.run([sys.executable, "-m", "advisor", "history"], env=fleet.environment(), check=True,
                           capture_output=True, text=True).stdout  # fmt: skip
    assert "h1" in shown
    assert "predictions right" in shown
    undone = fleet.play("memadvisor.linux.undo")
    assert undone.code == 0, undone.output
    fleet.play("memadvisor.linux.apply", **wanted, tune_ledger="")
    assert len(ledger.read_text().splitlines()) == 1


def test_a_ledger_that_cannot_be_written_is_a_warning_and_the_verdict_stands(tmp_path):
    fleet = Fleet(tmp_path)
    (tmp_path / "state").write_text("no folder")
    wanted = {"tune_settings": {"vm.swappiness": 30}, "tune_apply_advice": False}
    run = fleet.play("memadvisor.linux.apply", **wanted)
    assert run.code != 0  # the report reads it, before anything is changed
    assert "ledger.jsonl: Not a directory" in run.of("Judge")["msg"]
    (tmp_path / "state").unlink()
    (tmp_path / "state/memadvisor").mkdir(parents=True)
    (tmp_path / "state/memadvisor/ledger.jsonl").symlink_to("nowhere/ledger.jsonl")
    run = fleet.play("memadvisor.linux.apply", **wanted)
    assert run.code == 0, run.output
    assert "was not kept in the ledger" in run.of("Compare with before")["warnings"][0]
