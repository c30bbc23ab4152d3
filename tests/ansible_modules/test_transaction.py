"""What a transaction does to a target, and what it says when it does not."""

import json
import os
import subprocess
import time

import pytest

from tests.ansible_modules.target import SYSCTL, THP, TMPFILES

SWAPPINESS = "/proc/sys/vm/swappiness"


def receipt(target, name="t1"):
    return json.loads(target.text(f"/var/lib/memadvisor/receipts/{name}.json"))


def test_values_and_files_are_written_and_told(target):
    before, document = target.state(), target.big()
    told = target.result("apply", document=document)
    assert told["changed"]
    assert told["previous"] == {
        "thp.enabled": "madvise",
        "vm.lowmem_reserve_ratio": "256 256 32 0 0",
        "vm.swappiness": "60",
    }
    assert told["actual"] == {
        "thp.enabled": "never",
        "vm.lowmem_reserve_ratio": "128 128 32 0 0",
        "vm.swappiness": "10",
    }
    assert told["files"] == [SYSCTL, TMPFILES]
    assert (target.text(SWAPPINESS), target.path(TMPFILES).stat().st_mode & 0o7777) == ("10\n", 0o644)
    kept = receipt(target)
    assert kept == told["receipt"]
    assert (kept["format"], kept["outcome"], kept["hostname"]) == ("memadvisor/receipt/1", "applied", "db1")
    assert kept["before"]["values"][THP] == "always [madvise] never"
    assert kept["before"]["files"] == {SYSCTL: before[SYSCTL], TMPFILES: None}
    assert kept["actual"][SWAPPINESS] == "10"
    assert [path.name for path in target.path("/etc/sysctl.d").iterdir()] == ["99-zz-memadvisor.conf"]
    assert target.open() == []


def test_a_second_time_nothing_changes(target):
    document = target.big()
    target.result("apply", document=document)
    again = target.result("apply", document={**document, "id": "t2"})
    assert (again["changed"], again["diff"], "receipt" in again) == (False, [], False)


def test_check_mode_tells_what_would_be_and_leaves_no_trace(target):
    before, document = target.state(), target.big()
    foretold = target.result("apply", document=document, check=True)
    assert (target.state(), target.path("/var").exists()) == (before, False)
    done = target.result("apply", document=document)
    assert {key: foretold[key] for key in foretold} == {key: done[key] for key in foretold}
    assert [hunk["after_header"] for hunk in done["diff"]] == ["live", SYSCTL, TMPFILES]
    assert "vm.swappiness = 60\n" in done["diff"][0]["before"]
    assert "vm.swappiness = 10\n" in done["diff"][0]["after"]


def test_a_copy_is_left_that_nobody_reads(target):
    told = target.result("apply", document=target.big(), backup=True)
    assert told["backup_files"] == [str(target.path(f"{SYSCTL}.t1~"))]
    assert "vm.swappiness = 60" in target.text(f"{SYSCTL}.t1~")


def test_a_file_is_removed(target):
    target.result("apply", document=target.document(target.file(SYSCTL, None)))
    assert target.text(SYSCTL) is None
    assert receipt(target)["before"]["files"][SYSCTL].startswith("# ours")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"host": {"boot_id": "other"}}, "another boot"),
        ({"host": {"hostname": "db2"}}, "another host, db2, and here it is db1"),
        ({"host": {"managed_pages": 5}}, "another amount of memory"),
        ({"format": "memadvisor/transaction/2"}, "of the same release"),
        ({"id": "../x"}, "the id cannot be"),
        ({"writes": {}}, "writes is no list"),
        ({"confirm_s": True}, "confirm is True"),
        ({"confirm_s": 0}, "from 1 to 86400"),
    ],
)
def test_a_document_for_something_else_is_refused(target, change, told):
    before = target.state()
    assert told in target.error("apply", document={**target.big(), **change})
    assert (target.state(), target.open()) == (before, [])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"path": "/proc/sys/vm/nope"}, "cannot be read: it does not exist on this kernel"),
        ({"path": "/proc/sys/../../etc/passwd"}, "is not straight"),
        ({"path": "/etc/passwd"}, "the path cannot be"),
        ({"before": "59"}, "was '59' when this was planned and is '60' now; plan again"),
        ({"value": "201", "bounds": [0, 200]}, "201 is outside of 0 to 200"),
        ({"value": "1\n2"}, "value of vm.swappiness cannot be"),
        ({"value": True}, "value of vm.swappiness cannot be 'True'"),
        ({"accept": "maybe"}, "accept is 'maybe'"),
        ({"bounds": [1]}, "bounds are no two numbers"),
    ],
)
def test_one_wrong_value_and_nothing_is_changed(target, change, told):
    before = target.state()
    good = target.write("thp.enabled", "never", accept="choice")
    bad = {**target.write("vm.swappiness", "10"), **change}
    assert told in target.error("apply", document=target.document(good, bad))
    assert target.state() == before


def test_all_that_is_wrong_is_told_at_once(target):
    gone = {**target.write("vm.swappiness", "1"), "setting": "vm.gone", "path": "/proc/sys/vm/gone"}
    message = target.error("apply", document=target.document(gone, target.write("vm.swappiness", "1", before="2")))
    assert "vm.gone cannot be read" in message
    assert "vm.swappiness was '2'" in message


@pytest.mark.parametrize(
    ("path", "told"), [("/etc/passwd", "the path cannot be"), ("/etc/sysctl.d/../x.conf", "is not straight")]
)
def test_only_drop_ins_are_written(target, path, told):
    assert told in target.error("apply", document=target.document({**target.file(SYSCTL, "x\n"), "path": path}))


def test_a_file_that_was_changed_since_is_left_alone(target):
    document = target.big()
    target.put(SYSCTL, "# somebody else\n")
    assert "changed since this was planned" in target.error("apply", document=document)
    assert (target.text(SYSCTL), target.text(SWAPPINESS)) == ("# somebody else\n", "60\n")


def test_a_link_is_not_replaced(target):
    target.path(SYSCTL).unlink()
    target.path(SYSCTL).symlink_to("/nix/store/x.conf")
    assert "a symbolic link to /nix/store/x.conf" in target.error("apply", document=target.big())


def test_a_second_run_waits_and_then_says_so(target):
    target.path("/var/lib/memadvisor").mkdir(parents=True)
    with target.path("/var/lib/memadvisor/lock").open("w") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
        message = target.error("apply", document=target.big(), lock_timeout_s=0.2)
    assert "another run has been changing this host for 0.2 s" in message
    assert target.text(SWAPPINESS) == "60\n"


def test_two_runs_at_once_are_one_after_the_other(target):
    documents = [
        target.document(target.write("vm.swappiness", value, before=None), name=value) for value in ("10", "20")
    ]
    runs = [target.start("apply", document=document) for document in documents]
    results = [json.loads(run.communicate(timeout=60)[0])["result"] for run in runs]
    first, second = sorted(results, key=lambda result: result["previous"]["vm.swappiness"], reverse=True)
    assert (first["previous"], second["previous"]) == ({"vm.swappiness": "60"}, first["actual"])
    assert target.text(SWAPPINESS).strip() == second["actual"]["vm.swappiness"]


def test_a_value_that_the_kernel_refuses_in_the_middle_puts_all_back(target):
    # The name of a process can be read by all, and written by itself alone: a real kernel says EINVAL.
    target.path(SWAPPINESS).unlink()
    target.path(SWAPPINESS).symlink_to(f"/proc/{os.getpid()}/comm")
    before, document = target.state(), target.big()
    answer = target.call("apply", document=document)
    message = "vm.swappiness cannot be set to '10': the kernel refuses this value; everything was put back"
    assert answer == {"error": message, "rolled_back": True}
    assert (target.settled(), target.open()) == (before, [])


def test_a_value_that_the_kernel_makes_another_puts_all_back(target):
    # 0 resets the timer slack of a process to its default: a real kernel that does not take a value as it is.
    with subprocess.Popen(["sleep", "600"]) as process:
        target.path(SWAPPINESS).unlink()
        target.path(SWAPPINESS).symlink_to(f"/proc/{process.pid}/timerslack_ns")
        before = target.state()
        good = target.write("thp.enabled", "never", accept="choice")
        document = target.document(good, target.write("vm.swappiness", "0"), target.file(SYSCTL, "x\n"))
        answer = target.call("apply", document=document)
        assert (target.settled(), target.open()) == (before, [])
        process.kill()
    assert "vm.swappiness was set to '0', but the kernel then says '50000'" in answer["error"]
    assert answer["rolled_back"] is True


def test_what_cannot_be_put_back_is_told_with_the_command(target):
    # Each process reads a name of its own there, so what was before is never seen again.
    target.path(SWAPPINESS).unlink()
    target.path(SWAPPINESS).symlink_to("/proc/self/comm")
    name = target.path(SWAPPINESS)
    document = target.document(target.write("vm.swappiness", "1234567890123456789", before=None, accept="exact"))
    answer = target.call("apply", document=document)
    assert answer["rolled_back"] is False
    assert "the kernel then says '123456789012345'" in answer["error"]
    assert "NOT EVERYTHING COULD BE PUT BACK" in answer["error"]
    assert f"> '{name}'" in answer["error"]
    script = target.path("/var/lib/memadvisor/open/t1/undo.sh")
    assert f"after that: sh {script}" in answer["error"]
    # Nothing else is begun until that is done; once it is, the script brings it to an end.
    assert "was cut off and cannot be undone" in target.error("apply", document={**target.big(), "id": "t2"})
    before = json.loads(script.with_name("journal.json").read_text())["before"]["values"][SWAPPINESS]
    target.path(SWAPPINESS).unlink()
    target.put(SWAPPINESS, f"{before}\n")
    assert subprocess.run(["sh", script], check=True, capture_output=True).stdout == b""
    assert target.open() == []


def test_a_transaction_is_carried_out_once(target):
    target.result("apply", document=target.big())
    document = target.document(target.write("vm.swappiness", "11"))
    assert "has been carried out before" in target.error("apply", document=document)


def confirmed_in(target, seconds):
    return target.result("apply", document=target.big(confirm_s=seconds))


def test_until_it_is_confirmed_no_file_is_changed(target):
    before = target.state()
    told = confirmed_in(target, 600)
    assert (told["receipt"]["outcome"], told["guarded_by"]) == ("unconfirmed", "process")
    assert (target.text(SWAPPINESS), target.text(SYSCTL), target.text(TMPFILES)) == ("10\n", before[SYSCTL], None)
    foretold = target.result("confirm", check=True)
    kept = target.result("confirm", name=told["transaction"])
    assert (foretold["changed"], kept["changed"], kept["moved"]) == (True, True, [])
    assert receipt(target) == kept["receipt"]
    assert "vm.swappiness = 10" in target.text(SYSCTL)
    assert not target.result("confirm", name="t1")["changed"]


def test_without_a_confirmation_everything_comes_back(target):
    before = target.state()
    confirmed_in(target, 1)
    deadline = time.monotonic() + 30
    while target.open() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert target.settled() == before
    assert "was not confirmed in time and has been undone" in target.error("confirm", name="t1")
    assert json.loads(target.text("/var/lib/memadvisor/undone/t1.json"))["outcome"] == "reverted"


def test_nothing_else_is_changed_while_one_waits(target):
    confirmed_in(target, 600)
    other = target.document(target.write("vm.swappiness", "20"), name="t2")
    assert "the transaction t1 waits until" in target.error("apply", document=other)
    assert "the transaction t1 waits until" in target.error("apply", document=other, check=True)
    assert "no transaction none" in target.error("confirm", name="none")
    assert target.result("give_up", name="t1")["changed"]  # and nobody waits any more


def test_one_that_waits_can_be_undone_at_once(target):
    before = target.state()
    confirmed_in(target, 600)
    assert target.result("give_up", check=True)["actual"]["vm.swappiness"] == "60"
    assert target.text(SWAPPINESS) == "10\n"
    assert target.result("give_up", name="t1")["changed"]
    assert target.settled() == before
    assert target.result("give_up", name="t1") is None


@pytest.mark.parametrize("setting", ["vm.swappiness", "thp.enabled"])
def test_it_can_be_confirmed_less_a_setting(target, setting):
    before, document = target.state(), target.big(confirm_s=600)
    target.result("apply", document=document)
    path = next(entry["path"] for entry in document["writes"] if entry["setting"] == setting)
    foretold = target.result("confirm", check=True, less=target.less(document, setting))
    assert target.open() == ["t1"]
    told = target.result("confirm", less=target.less(document, setting))
    assert foretold["actual"] == told["actual"]
    assert target.state()[path] == before[path]
    kept = {entry["setting"]: entry for entry in document["writes"] if entry["setting"] != setting}
    assert {name: told["actual"][name] for name in kept} == {name: entry["value"] for name, entry in kept.items()}
    files = [target.text(file) or "" for file in (SYSCTL, TMPFILES)]
    assert setting not in files[0]
    assert (files[1] == "") is (setting == "thp.enabled")
    assert "vm.lowmem_reserve_ratio = 128" in files[0]
    assert receipt(target) == told["receipt"]
    assert [entry["setting"] for entry in receipt(target)["writes"]] == list(kept)
    value = next(entry["value"] for entry in document["writes"] if entry["setting"] == setting)
    assert receipt(target)["undone"] == [{"setting": setting, "path": path, "value": value}]
    assert target.open() == []
    assert not [name for name in target.state() if name.endswith((".new", ".old"))]


def test_what_cannot_be_taken_back_alone_leaves_the_transaction_waiting(target):
    document = target.big(confirm_s=600)
    target.result("apply", document=document)
    stale = target.less(document, "vm.swappiness")
    target.put(SWAPPINESS, "33\n")
    assert "is '33' now" in target.error("confirm", less=stale)
    theirs = target.document(target.file("/etc/sysctl.d/50-theirs.conf", "x = 1\n"))
    alien = {"settings": ["vm.swappiness"], "document": theirs}
    assert "writes other files" in target.error("confirm", less=alien)
    assert target.open() == ["t1"]
    assert target.text("/etc/sysctl.d/50-theirs.conf") is None
    assert target.result("give_up")["changed"]


def test_when_taking_back_fails_everything_is_undone(target):
    twin = "/proc/sys/vm/dirty_ratio"
    target.path(twin).unlink()
    target.path(twin).symlink_to(f"/proc/{os.getpid()}/comm")  # a real kernel refuses to write that
    before, document = target.state(), target.big(confirm_s=600)
    target.result("apply", document=document)
    wrong = target.less(document, "vm.swappiness")
    wrong["document"]["writes"].append(target.write("vm.dirty_ratio", "20"))
    assert "everything was put back" in target.error("confirm", less=wrong)
    assert (target.settled(), target.open()) == (before, [])


def test_after_a_reboot_it_cannot_be_confirmed(target):
    before = target.state()
    confirmed_in(target, 600)
    target.put("/proc/sys/kernel/random/boot_id", "b0070000-0000-4000-8000-000000000002\n")
    target.put(SWAPPINESS, "30\n")  # what this boot set
    assert "has been undone" in target.error("confirm", name="t1")
    assert (target.text(SWAPPINESS), target.text(SYSCTL), target.text(TMPFILES)) == ("30\n", before[SYSCTL], None)


def test_what_has_moved_since_is_told_when_it_is_confirmed(target):
    confirmed_in(target, 600)
    target.put(SWAPPINESS, "33\n")
    assert target.result("confirm")["moved"] == ["vm.swappiness"]
