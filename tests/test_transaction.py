import json
from dataclasses import replace as changed
from itertools import count

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from advisor.capture.open import open_capture
from advisor.cli import main
from advisor.errors import AdvisorError
from advisor.transaction import Options, absent, compose, compose_plan, new_id, restored
from tests.fixtures import CAPTURES
from tests.transactions import MIN_FREE, SWAPPINESS, SYSCTL, TMPFILES, capture, collapsed, execute, host

THP_PATH = "/sys/kernel/mm/transparent_hugepage/enabled"
_numbers = count()


def options(**more):
    return Options(id=f"t{next(_numbers)}", **more)


def composed(machine, wanted, **more):
    return compose(capture(machine), wanted, options(**more))


def refused(machine, wanted, **more):
    """All refusals as one text; nothing must come out beside them."""
    result = composed(machine, wanted, **more)
    assert result.document is None
    assert not result.changed
    assert result.refusals
    return "\n".join(map(str, result.refusals))


def applied(machine, wanted, **more):
    result = composed(machine, wanted, **more)
    result.raise_refusals()
    return execute(machine, result.document)


def values(result):
    return {write["setting"]: write["value"] for write in result.document["writes"]}


def contents(result):
    return {file["path"]: file["content"] for file in result.document["files"]}


def test_a_setting_is_written_and_kept():
    result = composed(host(), {SWAPPINESS: 10})
    (write,) = result.document["writes"]
    assert write == {
        "setting": SWAPPINESS, "path": "/proc/sys/vm/swappiness", "before": "60", "value": "10", "accept": "int",
        "bounds": [0, 200], "also": [], "undo": "restore", "undo_not": [],
    }  # fmt: skip
    (file,) = result.document["files"]
    assert file["path"] == SYSCTL
    assert file["before_sha256"] is None
    assert file["content"].splitlines()[-1] == "vm.swappiness = 10"
    assert result.document["host"]["boot_id"] == "b0070000-0000-4000-8000-000000000001"
    assert result.document["host"]["hostname"] == "db1"
    assert json.loads(json.dumps(result.document)) == result.document


def test_what_is_so_already_is_left_alone():
    machine, _receipt = applied(host(), {SWAPPINESS: 10, "thp.enabled": "never", MIN_FREE: ">= 90000"})
    again = composed(machine, {SWAPPINESS: "== 10", "thp.enabled": "never", MIN_FREE: ">= 80000"})
    assert not again.changed
    assert [entry["at_boot"]["stands"] for entry in again.settings] == [True, True, True]


def test_a_right_value_by_chance_is_kept_all_the_same():
    result = composed(host(), {SWAPPINESS: 60})
    assert (values(result), result.changed) == ({}, True)
    assert "vm.swappiness = 60\n" in contents(result)[SYSCTL]


def test_a_value_that_another_file_sets_at_boot_needs_no_line_of_ours():
    machine = host(files={"etc/sysctl.d/50-site.conf": "vm.swappiness=10\n"}, vm__swappiness=10)
    assert not composed(machine, {SWAPPINESS: 10}).changed
    assert contents(composed(machine, {SWAPPINESS: 20})) == {
        SYSCTL: composed(machine, {SWAPPINESS: 20}).files[0]["after"]
    }


def test_writes_come_in_the_order_in_which_settings_depend_on_each_other():
    wanted = {"vm.watermark_scale_factor": 20, MIN_FREE: 100000, "thp.enabled": "always"}
    assert list(values(composed(host(), wanted))) == ["thp.enabled", MIN_FREE, "vm.watermark_scale_factor"]


@pytest.mark.parametrize(
    ("wish", "running", "goal"),
    [(">= 40", 60, "60"), (">= 80", 60, "80"), ("<= 40", 60, "40"), ("<= 80", 60, "60"), ("present only", 60, "60"),
     ("== 7", 60, "7"), ("7", 60, "7"), ("Present  Only", 60, "60")],
)  # fmt: skip
def test_a_wish_decides_what_runs_and_what_is_kept(wish, running, goal):
    machine = host(vm__swappiness=running)
    result = composed(machine, {SWAPPINESS: wish})
    assert values(result) == ({} if goal == str(running) else {SWAPPINESS: goal})
    assert f"vm.swappiness = {goal}\n" in contents(result)[SYSCTL]
    after, _receipt = execute(machine, result.document)
    assert not composed(after, {SWAPPINESS: wish}).changed


def test_a_floor_is_kept_as_what_runs_so_that_a_boot_lowers_nothing():
    kept = contents(composed(host(files={"etc/sysctl.d/9.conf": f"{MIN_FREE}=1024\n"}), {MIN_FREE: ">= 2048"}))
    assert f"{MIN_FREE} = 67584\n" in kept[SYSCTL]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({SWAPPINESS: True}, "YAML reads on, off, yes and no as booleans"),
        ({SWAPPINESS: "banana"}, "cannot be 'banana'"),
        ({SWAPPINESS: -1}, "-1 is outside 0 to 200"),
        ({SWAPPINESS: 201}, "201 is outside 0 to 200"),
        ({SWAPPINESS: 1.5}, "cannot be '1.5'"),
        ({SWAPPINESS: [1]}, "cannot be '[1]'"),
        ({SWAPPINESS: {}}, "cannot be '{}'"),
        ({SWAPPINESS: None}, "cannot be 'None'"),
        ({SWAPPINESS: "!= 3"}, "no operator here; write ==, >=, <= or present only"),
        ({SWAPPINESS: ">= much"}, "cannot be 'much'"),
        ({"vm.swapiness": 1}, "unknown setting 'vm.swapiness'; did you mean 'vm.swappiness'"),
        ({"thp.enabled": "sometimes"}, "one of always, madvise, never"),
        ({"thp.enabled": False}, "put it in quotes"),
        ({"thp.enabled": ">= never"}, "for single numbers"),
        ({"vm.compact_memory": 1}, "action, no setting; "),
        ({"vm.drop_caches": 3}, "action, no setting; "),
        ({"vm.overcommit_memory": 1}, "only ever recommended"),
        ({"boot.psi": 1}, "kernel command line"),
        ({"cgroup.memory.high": "max"}, "belongs to whoever owns the memory cgroup"),
        ({"vm.lowmem_reserve_ratio": "1 2 3 4 5 6"}, "6 numbers, and the kernel has 5"),
        ({"vm.dirty_bytes": 1 << 30, "vm.dirty_ratio": 30}, "cannot both count"),
        ({"vm.dirty_ratio": 5}, "vm.dirty_background_ratio 10 is not below vm.dirty_ratio 5"),
        ({"vm.defrag_mode": 1}, "only ever recommended"),
        ({"vm.percpu_pagelist_fraction": 8}, "this kernel does not have it"),
        ({SWAPPINESS: 1, "vm/swappiness": 2}, "unknown setting"),
        ({SWAPPINESS: 1, "/proc/sys/vm/swappiness": 2}, "asked for twice"),
        ({MIN_FREE: 8_000_000}, "MemAvailable would drop"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(wanted, told):
    message = refused(host(), wanted)
    assert told in message
    assert "\n" not in message


def test_one_refused_setting_stops_all_and_every_one_is_told():
    result = composed(host(), {SWAPPINESS: 10, "vm.nope": 1, MIN_FREE: "banana"})
    assert (result.document, len(result.refusals)) == (None, 2)
    with pytest.raises(
        AdvisorError, match=r"nothing was changed:\n  unknown setting 'vm.nope'.*\n  vm.min_free_kbytes"
    ):
        result.raise_refusals()


def test_a_person_may_set_what_is_otherwise_only_recommended():
    result = composed(host(), {"vm.overcommit_memory": 1}, approved=True)
    assert values(result) == {"vm.overcommit_memory": "1"}


def test_a_setting_that_the_kernel_lacks_can_be_skipped():
    result = composed(host(), {SWAPPINESS: 10, "vm.percpu_pagelist_fraction": 8}, missing="skip")
    assert values(result) == {SWAPPINESS: "10"}
    assert result.notes == ("vm.percpu_pagelist_fraction: skipped, this kernel does not have it",)


def test_of_a_pair_only_one_is_written_and_kept():
    machine, receipt = applied(host(), {"vm.dirty_ratio": 30})
    assert "vm.dirty_ratio = 30" in machine.extra[SYSCTL[1:]]
    result = composed(machine, {"vm.dirty_bytes": "512 MiB", "vm.dirty_ratio": 0})
    assert values(result) == {"vm.dirty_bytes": str(512 << 20)}
    assert result.document["writes"][0]["also"] == ["/proc/sys/vm/dirty_ratio"]
    assert result.document["writes"][0]["undo_not"] == ["0"]
    text = contents(result)[SYSCTL]
    assert ("dirty_ratio" in text, f"vm.dirty_bytes = {512 << 20}\n" in text) == (False, True)
    assert receipt["before"]["values"] == {"/proc/sys/vm/dirty_ratio": "20", "/proc/sys/vm/dirty_bytes": "0"}


def test_a_later_line_for_the_twin_makes_ours_void_and_that_is_told():
    machine = host(files={"etc/sysctl.d/zz-site.conf": "vm.dirty_ratio=40\n"})
    (entry, *_) = composed(machine, {"vm.dirty_bytes": "512 MiB"}).settings
    assert entry["at_boot"]["stands"] is False
    assert (
        entry["at_boot"]["why"] == "vm.dirty_ratio in /etc/sysctl.d/zz-site.conf:1 is written later and makes it void"
    )


def test_rivals_are_told_and_strict_refuses_where_ours_would_not_stand():
    files = {
        "etc/sysctl.d/10-a.conf": "# x\nvm.swappiness=1\n",
        "etc/sysctl.d/zz-b.conf": "vm/swappiness = 5\n",
        "etc/sysctl.conf": "vm.swappiness = 30\n",
    }
    (entry,) = composed(host(files=files), {SWAPPINESS: 10}).settings
    assert entry["at_boot"] == {
        "value": "5", "by": "/etc/sysctl.d/zz-b.conf:1", "stands": False,
        "why": "/etc/sysctl.d/zz-b.conf:1 is read instead and says 5",
    }  # fmt: skip
    assert entry["sysctl_system"] == {"value": "30", "by": "/etc/sysctl.conf:1"}
    assert [other["at"] for other in entry["others"]] == [
        "/etc/sysctl.d/10-a.conf:2", f"{SYSCTL}:2", "/etc/sysctl.conf:1",
    ]  # fmt: skip
    assert "zz-b.conf:1 is read instead" in refused(host(files=files), {SWAPPINESS: 10}, strict=True)


def test_tuned_that_comes_after_the_files_is_told():
    files = {
        "etc/tuned/active_profile": "mine", "run/tuned/tuned.pid": "1", "etc/tuned/tuned-main.conf": "reapply_sysctl=0",
        "etc/tuned/mine/tuned.conf": f"[sysctl]\n{SWAPPINESS}=5\n",
    }  # fmt: skip
    (entry,) = composed(host(files=files), {SWAPPINESS: 10}).settings
    assert entry["at_boot"] == {
        "value": "5", "by": "/etc/tuned/mine/tuned.conf:2", "stands": False,
        "why": "TuneD profile mine sets 5: it comes after the files, since reapply_sysctl is off",
    }  # fmt: skip
    assert entry["rivals"][0]["who"] == "TuneD profile mine"
    assert "TuneD profile mine sets 5" in refused(host(files=files), {SWAPPINESS: 10}, strict=True)


def test_a_value_below_sys_is_kept_by_tmpfiles():
    result = composed(host(), {"thp.enabled": "never"})
    assert contents(result)[TMPFILES].splitlines()[-1] == f"w- {THP_PATH} - - - - never"
    (write,) = result.document["writes"]
    assert (write["before"], write["accept"]) == ("always [madvise] never", "choice")
    assert write["also"] == [f"/proc/sys/{MIN_FREE.replace('.', '/')}"]


def test_live_or_kept_alone():
    assert contents(composed(host(), {SWAPPINESS: 10}, persist=False)) == {}
    only_kept = composed(host(), {SWAPPINESS: 10}, live=False)
    assert (values(only_kept), list(contents(only_kept))) == ({}, [SYSCTL])
    assert only_kept.settings[0]["at_boot"]["stands"] is True


def test_lines_for_other_settings_stay_as_they_are():
    text = "# mine\nvm.dirty_ratio=30   \n\n# vm.swappiness: old reason\nvm.swappiness = 60\nvm/swappiness=50\n# end\n"
    machine = host(files={SYSCTL[1:]: text})
    kept = contents(composed(machine, {SWAPPINESS: 10}, reasons={SWAPPINESS: "new\nreason"}))[SYSCTL]
    assert kept == "# mine\nvm.dirty_ratio=30   \n# vm.swappiness: new\\nreason\nvm.swappiness = 10\n# end\n"


def test_a_reason_alone_changes_nothing():
    machine, _receipt = applied(host(), {SWAPPINESS: 10}, reasons={SWAPPINESS: "one"})
    assert not composed(machine, {SWAPPINESS: 10}, reasons={SWAPPINESS: "two"}).changed


def test_on_nixos_nothing_is_written_below_etc():
    machine = host(files={"etc/os-release": 'NAME=NixOS\nID="nixos"\n'})
    assert "boot.kernel.sysctl" in refused(machine, {SWAPPINESS: 10})
    assert values(composed(machine, {SWAPPINESS: 10}, persist=False)) == {SWAPPINESS: "10"}


def test_further_than_we_would_go_is_done_and_told():
    (entry,) = composed(host(), {SWAPPINESS: 0}).settings
    assert "outside of 1 to 180" in entry["notes"][0]


@pytest.mark.parametrize("wrong", ["", "a b", "../x", "x" * 65])
def test_a_transaction_has_a_name_that_can_be_a_file(wrong):
    with pytest.raises(AdvisorError, match="cannot be called"):
        Options(id=wrong)


def test_our_files_are_where_the_system_looks():
    with pytest.raises(AdvisorError, match=r"name a file /etc/sysctl\.d/NAME\.conf"):
        Options(id="x", sysctl_file="/etc/sysctl.conf")


def test_names_sort_by_time():
    assert new_id(0.0, b"\xff") < new_id(1e9, b"\x00") < new_id(2e9, b"\x00")


def test_the_account_is_completed_from_the_receipt():
    machine = host()
    result = composed(machine, {SWAPPINESS: 10, MIN_FREE: ">= 1024"})
    _after, receipt = execute(machine, result.document)
    actual = {entry["setting"]: (entry["previous"], entry["actual"]) for entry in result.completed(receipt)}
    assert actual == {SWAPPINESS: ("60", "10"), MIN_FREE: ("67584", "67584")}


# --- plans -----------------------------------------------------------------------------------------------------------

HOST = {"hostname": "db1", "boot_id": "b0070000-0000-4000-8000-000000000001", "managed_pages": host().pages}


def plan(*, current=60, proposed=10, **more):
    entry = {
        "setting": SWAPPINESS, "kind": "setting", "entity": None, "current": current, "proposed": proposed,
        "rules": ["swap-active"], "because": "swap is slow",
    }  # fmt: skip
    capacity = {**entry, "setting": "capacity.ram", "kind": "capacity", "proposed": None}
    return {"schema": "memadvisor/plan/1", "host": HOST, "recommendations": [entry, capacity], **more}


def test_a_plan_is_carried_out():
    machine = host()
    result = compose_plan(capture(machine), plan(), options())
    assert values(result) == {SWAPPINESS: "10"}
    assert "# vm.swappiness: swap-active: swap is slow\nvm.swappiness = 10\n" in contents(result)[SYSCTL]
    after, _receipt = execute(machine, result.document)
    assert not compose_plan(capture(after), plan(), options()).changed
    assert not compose_plan(capture(machine), plan(), options(), only=[MIN_FREE]).changed


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (plan(host={**HOST, "hostname": "db2"}), "the plan is for db2, and this is db1"),
        (plan(host={**HOST, "boot_id": "b"}), "another boot"),
        (plan(host={**HOST, "managed_pages": 7}), "7 pages of managed memory"),
        (plan(current=100), "vm.swappiness was 100 when the plan was made, and is 60 now"),
        (plan(schema="memadvisor/report/1"), "this is no plan"),
        (plan(host={**HOST, "hostname": None, "boot_id": None}), "does not tell which host it is for"),
        (plan(host=None), "the plan is damaged"),
        (plan(recommendations=3), "the plan is damaged"),
        (plan(recommendations=[{}]), "the plan is damaged"),
        (plan(proposed="banana"), "cannot be 'banana'"),
        ({}, "this is no plan"),
    ],
)
def test_a_plan_for_something_else_is_refused(document, told):
    result = compose_plan(capture(host()), document, options())
    assert result.document is None
    assert told in str(result.refusals[0])


@pytest.mark.parametrize("scenario", ["6.1-dirty-stall", "6.1-thp-stalls", "6.12-bursts"])
def test_what_the_plan_command_prints_can_be_carried_out(scenario, capsys):
    source = str(CAPTURES / "scenarios" / f"{scenario}.tar.xz")
    assert main(["plan", source, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    result = compose_plan(open_capture(source), document, options())
    result.raise_refusals()
    wanted = {r["setting"]: str(r["proposed"]) for r in document["recommendations"] if r["kind"] == "setting"}
    assert wanted
    assert values(result) == wanted


# --- undo ------------------------------------------------------------------------------------------------------------


def state(machine):
    """Everything that a transaction may change."""
    return machine.settings, machine.thp, machine.extra


def test_restored_brings_back_values_and_files_as_they_were():
    before = host(files={SYSCTL[1:]: "vm.dirty_ratio=20\n"})
    wanted = {SWAPPINESS: 10, "vm.dirty_bytes": "512 MiB", "thp.enabled": "always", MIN_FREE: 90000}
    machine, receipt = applied(before, wanted)
    back = restored(capture(machine), [receipt], options())
    machine, undo = execute(machine, back.document)
    assert state(machine) == state(before)
    assert (back.document["purpose"], restored(capture(machine), [receipt, undo], options()).changed) == (
        "restored",
        False,
    )


def test_restored_for_one_setting_leaves_the_others():
    machine, receipt = applied(host(), {SWAPPINESS: 10, "vm.page-cluster": 0})
    machine, _undo = execute(machine, restored(capture(machine), [receipt], options(), settings=[SWAPPINESS]).document)
    assert (machine.settings[SWAPPINESS], machine.settings["vm.page-cluster"]) == (60, 0)
    assert "vm.swappiness" not in machine.extra[SYSCTL[1:]]
    assert "vm.page-cluster = 0\n" in machine.extra[SYSCTL[1:]]


def test_restored_keeps_what_others_wrote_into_the_file_since():
    machine, receipt = applied(host(), {SWAPPINESS: 10})
    machine = changed(machine, extra={**machine.extra, SYSCTL[1:]: machine.extra[SYSCTL[1:]] + "vm.max_map_count=7\n"})
    machine, _undo = execute(machine, restored(capture(machine), [receipt], options()).document)
    assert "vm.max_map_count=7\n" in machine.extra[SYSCTL[1:]]
    assert "swappiness" not in machine.extra[SYSCTL[1:]]


def test_an_older_receipt_is_not_undone_beneath_a_newer_one():
    machine, first = applied(host(), {SWAPPINESS: 10})
    machine, second = applied(machine, {SWAPPINESS: 20})
    result = restored(capture(machine), [first, second], options(), of=first["id"])
    assert str(result.refusals[0]) == f"vm.swappiness: {second['id']} changed it later; restore {second['id']} first"
    machine, undo = execute(machine, restored(capture(machine), [first, second], options()).document)
    assert machine.settings[SWAPPINESS] == 10
    machine, _undo = execute(
        machine, restored(capture(machine), [first, second, undo], options(), of=first["id"]).document
    )
    assert (machine.settings[SWAPPINESS], SYSCTL[1:] in machine.extra) == (60, False)


def test_a_value_that_somebody_changed_since_is_not_overwritten_unasked():
    machine, receipt = applied(host(), {SWAPPINESS: 10})
    machine = machine.written(SWAPPINESS, 33)
    result = restored(capture(machine), [receipt], options())
    assert "somebody has changed it since: 10 was left, 33 runs" in str(result.refusals[0])
    assert values(restored(capture(machine), [receipt], options(approved=True))) == {SWAPPINESS: "60"}
    gone = absent(capture(machine), [SWAPPINESS], [receipt], options())
    assert (values(gone), contents(gone)) == ({}, {SYSCTL: None})
    assert "the running value stays" in gone.settings[0]["notes"][0]


def test_absent_brings_back_what_ran_before_the_first_change():
    machine, first = applied(host(), {SWAPPINESS: 10, "vm.page-cluster": 0})
    machine, second = applied(machine, {SWAPPINESS: 20})
    machine, third = execute(machine, absent(capture(machine), [SWAPPINESS], [first, second], options()).document)
    assert (machine.settings[SWAPPINESS], machine.settings["vm.page-cluster"]) == (60, 0)
    assert "swappiness" not in machine.extra[SYSCTL[1:]]
    assert not absent(capture(machine), [SWAPPINESS], [first, second, third], options()).changed


def test_absent_without_a_receipt_takes_the_line_away_and_says_what_is_not_known():
    machine = host(files={SYSCTL[1:]: "vm.swappiness = 10\n"}, vm__swappiness=10)
    result = absent(capture(machine), [SWAPPINESS], [], options())
    assert (values(result), contents(result)) == ({}, {SYSCTL: None})
    assert result.settings[0]["notes"] == [
        "no receipt tells what ran before: the running value stays until the next boot"
    ]


def test_undoing_huge_pages_leaves_a_reserve_that_is_still_wanted():
    machine, receipt = applied(host("never"), {"thp.enabled": "always", MIN_FREE: 120000})
    gone = absent(capture(machine), ["thp.enabled"], [receipt], options())
    assert values(gone) == {"thp.enabled": "never"}
    machine, receipt = applied(host("never", vm__min_free_kbytes=20000), {"thp.enabled": "always"})
    assert machine.settings[MIN_FREE] > 20000
    gone = absent(capture(machine), ["thp.enabled"], [receipt], options())
    assert values(gone) == {"thp.enabled": "never", MIN_FREE: "20000"}


@pytest.mark.parametrize(
    ("damage", "told"),
    [({"format": "x"}, "not of the format"), ({"before": {}}, "damaged at 'before'"), ({"writes": [1]}, "damaged"),
     ({"files": [{"path": "/etc/passwd", "content": ""}]}, "damaged at 'files'"), ({"actual": {"a": 1}}, "damaged"),
     ({"hostname": "db9"}, "the receipts are of db9, and this is db1")],
)  # fmt: skip
def test_a_receipt_that_is_not_as_it_should_be_is_refused(damage, told):
    machine, receipt = applied(host(), {SWAPPINESS: 10})
    for result in (
        restored(capture(machine), [{**receipt, **damage}], options()),
        absent(capture(machine), [SWAPPINESS], [{**receipt, **damage}], options()),
    ):
        assert result.document is None
        assert told in str(result.refusals[0])


def test_restored_says_which_receipts_there_are():
    machine, receipt = applied(host(), {SWAPPINESS: 10})
    assert "the newest are" in str(restored(capture(machine), [receipt], options(), of="nope").refusals[0])
    assert "has changed nothing" in str(restored(capture(host()), [], options()).refusals[0])
    reverted = restored(capture(host()), [{**receipt, "outcome": "reverted"}], options())
    assert "has changed nothing" in str(reverted.refusals[0])
    other = restored(capture(machine), [receipt], options(), settings=[MIN_FREE])
    assert "did not change vm.min_free_kbytes; it changed vm.swappiness" in str(other.refusals[0])


WISHES = st.fixed_dictionaries(
    {},
    optional={
        SWAPPINESS: st.sampled_from([0, 10, ">= 30", "<= 30", "present only"]),
        MIN_FREE: st.sampled_from([70000, ">= 90000", "<= 80000"]),
        "vm.watermark_scale_factor": st.sampled_from([10, 15, ">= 20"]),
        "thp.enabled": st.sampled_from(["always", "madvise", "never", "present only"]),
        "vm.dirty_bytes": st.sampled_from(["256 MiB", "<= 1GiB", "present only"]),
        "vm.dirty_background_ratio": st.sampled_from([5, 7]),
        "vm.overcommit_kbytes": st.sampled_from([1 << 20]),
    },
)


@given(st.lists(WISHES, min_size=1, max_size=4), st.sampled_from(["always", "never"]))
@hypothesis_settings(max_examples=60, deadline=None)
def test_whatever_is_applied_is_so_afterwards_and_comes_back_step_by_step(wishes, thp):
    states, receipts, machine = [], [], host(thp)
    for wanted in wishes:
        result = composed(machine, wanted)
        if result.document is None:
            continue
        states.append(machine)
        machine, receipt = execute(machine, result.document)
        receipts.append(receipt)
        assert not composed(machine, wanted).changed
        for write in result.document["writes"]:
            text = collapsed(machine, write["path"])
            assert write["value"] == text or f"[{write['value']}]" in text
    done = list(receipts)
    for before, receipt in zip(reversed(states), reversed(receipts), strict=True):
        back = restored(capture(machine), done, options(), of=receipt["id"])
        back.raise_refusals()
        machine, undo = execute(machine, back.document)
        done.append(undo)
        assert state(machine) == state(before)
