"""What was tried is kept, whole lines only, and what failed on a class of hosts is not proposed there again."""

import errno
import json
import multiprocessing
import resource
from functools import cache

import pytest

from advisor import ledger
from advisor.analysis import analyse
from advisor.capture.write import write_capture
from advisor.cli import main
from advisor.errors import AdvisorError
from advisor.experience import dumps, kind_of, loads, trial_of
from advisor.record import replace
from advisor.rulebook import library
from advisor.verify import verify_documents
from tests.verify_captures import bursts, capture, host

SCALE = "vm.watermark_scale_factor"
AT = "2026-11-24T23:00:00Z"


@cache
def rules():
    return library.load()


@cache
def before(name="db1", kernel="6.12.1"):
    return capture(host(), bursts(8), name=name, kernel=kernel)


def after(stalls, value):
    return capture(host(vm__watermark_scale_factor=value), bursts(8, stalls=stalls, seed=2), start_s=3000.0)


def planned(past=(), of=None, role=None):
    return analyse(of or before(), rules(), role, past=past).plan


@cache
def trial(stalls=1800):
    proposed = next(r.proposed for r in planned().recommendations if r.setting == SCALE)
    return trial_of(verify_documents([before()], [after(stalls, proposed)], None, rules()), AT)


PLANNED = {"recommendations": [{"setting": SCALE, "kind": "setting", "proposed": 20,
                               "rules": ["direct-reclaim-though-easy", "kswapd-woken-too-late"]}]}  # fmt: skip


def settings(plan):
    return [change.setting for change in plan.changes()]


# --- experience ---------------------------------------------------------------------------------------------------


def test_what_made_a_host_worse_is_held_back_with_the_reason():
    assert settings(planned()) == [SCALE]
    plan = planned((trial(),))
    assert settings(plan) == []
    (held,) = [loser for loser in plan.held_back if loser.setting == SCALE]
    assert "db1 worse on 2026-11-24" in held.why


def test_a_later_trial_that_could_not_be_told_is_no_new_evidence():
    """Such as the one of a user who verifies a change that was taken back in the meantime."""
    unmade = trial_of(verify_documents([before()], [after(1800, 10)], PLANNED, rules()), AT)
    assert unmade.changes[0]["verdict"] == "cannot tell"
    assert settings(planned((trial(), unmade))) == []
    assert settings(planned((unmade,))) == [SCALE]


def test_what_helped_is_proposed_again():
    assert settings(planned((trial(60),))) == [SCALE]


def test_another_host_of_the_class_learns_from_it_too():
    assert settings(planned((trial(),), before("db2"))) == []


@pytest.mark.parametrize(
    "evidence",
    ["another kernel series", "another size", "another role", "another rule", "another direction", "a later success"],
)
def test_new_evidence_lifts_the_objection(evidence):
    (change,) = trial().changes
    past = {
        "another kernel series": (trial(),),
        "another size": (replace(trial(), kind=replace(trial().kind, memory_bytes=1 << 36)),),
        "another role": (trial(),),
        "another rule": (replace(trial(), changes=({**change, "rules": ["zone-reclaim-on"]},)),),
        "another direction": (replace(trial(), changes=({**change, "before": 900},)),),
        "a later success": (trial(), trial(60)),
    }[evidence]
    of = before("db1", "6.13.4") if evidence == "another kernel series" else None
    assert settings(planned(past, of, "database" if evidence == "another role" else None)) == [SCALE]


FREE = "vm.min_free_kbytes"


def steps(*changes, name="db1", verdict="cannot tell"):
    """Trials of which each made a step of a setting: the setting, the value before, and the one after."""
    host = {**trial().host, "hostname": name}
    return tuple(
        replace(trial(), host=host, undo=(), verdict=verdict, changes=({
            "setting": setting, "before": old, "proposed": new, "after": new, "rules": ["x"], "verdict": verdict},))
        for setting, old, new in changes
    )  # fmt: skip


UP = ((SCALE, 2, 5), (SCALE, 5, 10))


def test_a_host_does_not_go_on_in_the_dark():
    plan = planned(steps(*UP))
    assert settings(plan) == []
    (held,) = [loser for loser in plan.held_back if loser.setting == SCALE]
    assert "2 steps in this direction were made on this host, and none could be shown to help" in held.why


def test_steps_of_a_setting_that_moves_the_same_marks_count_too():
    assert settings(planned(steps((FREE, 1024, 2048), (SCALE, 5, 10)))) == []
    assert settings(planned(steps((SCALE, 5, 10), ("vm.swappiness", 10, 60)))) == [SCALE]


@pytest.mark.parametrize(
    "past",
    [
        steps(*UP[1:]),
        (*steps(*UP[:1]), *steps(*UP[1:], verdict="better")),
        steps(*UP, name="db2"),
        steps((SCALE, 40, 20), (SCALE, 20, 10)),
        steps((SCALE, 5, 20), (SCALE, 20, 50)),
        steps((SCALE, 2, 4), (SCALE, 5, 10)),
        tuple(replace(one, changes=({**one.changes[0], "after": one.changes[0]["before"]},)) for one in steps(*UP)),
    ],
    ids=["one step", "it helped", "another host", "the other direction", "set back since", "set anew in between",
         "never made"],
)  # fmt: skip
def test_a_step_that_is_no_further_one_in_the_dark_is_advised(past):
    assert settings(planned(past)) == [SCALE]


def test_a_newer_patch_of_the_same_kernel_series_is_no_new_evidence():
    assert settings(planned((trial(),), before("db1", "6.12.99"))) == []


def test_a_trial_survives_its_line():
    assert loads(dumps(trial())) == trial()
    assert trial().kind == kind_of(4.2e9, "6.12.1", None)


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "5", '{"format": "memadvisor/ledger/1"}', '{"format": "memadvisor/ledger/9"}']
)
def test_what_is_no_line_of_a_ledger_is_said_to_be_none(line):
    with pytest.raises(AdvisorError):
        loads(line)


# --- the file -----------------------------------------------------------------------------------------------------


def test_lines_are_appended_and_read_in_order(tmp_path):
    file = tmp_path / "state" / "ledger.jsonl"
    assert ledger.read(file) == ()
    ledger.append(file, trial())
    ledger.append(file, trial(60))
    assert ledger.read(file) == (trial(), trial(60))
    assert file.stat().st_mode & 0o777 == 0o600


def test_half_a_line_of_a_crash_costs_only_itself(tmp_path):
    file = tmp_path / "ledger.jsonl"
    ledger.append(file, trial())
    file.write_bytes(file.read_bytes() + dumps(trial(60)).encode()[:50])
    ledger.append(file, trial(60))
    said = []
    assert ledger.read(file, said.append) == (trial(), trial(60))
    (line,) = said
    assert line.startswith(f"{file}:2: skipped")


def _append_many(file):
    for _ in range(20):
        ledger.append(file, trial())


def test_writers_at_the_same_time_do_not_mix_their_lines(tmp_path):
    file = tmp_path / "ledger.jsonl"
    trial()
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_append_many, args=(file,)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(ledger.read(file, pytest.fail)) == 80


def _append_with_little_room(file, result):
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 100,) * 2)
    try:
        ledger.append(file, trial())
    except OSError as error:
        result.put(error.errno)


def test_without_room_for_a_line_the_ledger_stays_as_it_was(tmp_path):
    file = tmp_path / "ledger.jsonl"
    ledger.append(file, trial())
    content = file.read_bytes()
    context = multiprocessing.get_context("fork")
    result = context.Queue()
    writer = context.Process(target=_append_with_little_room, args=(file, result))
    writer.start()
    assert result.get(timeout=60) == errno.EFBIG
    writer.join()
    assert file.read_bytes() == content


def test_a_file_that_is_no_ledger_is_named(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("buy milk\n")
    with pytest.raises(AdvisorError, match="no line of it"):
        ledger.read(file)


# --- the command line ---------------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A ledger that `advisor verify` wrote where it writes by default, and the captures."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    write_capture(before(), str(tmp_path / "before.tar.gz"))
    write_capture(after(1800, 48), str(tmp_path / "after.tar.gz"))
    assert main(["verify", str(tmp_path / "before.tar.gz"), str(tmp_path / "after.tar.gz")]) == 2
    return tmp_path


def test_verify_keeps_its_verdict_and_check_and_plan_heed_it(kept, capsys):
    file = kept / "state" / "memadvisor" / "ledger.jsonl"
    source = str(kept / "before.tar.gz")
    for command in ("check", "plan"):
        capsys.readouterr()
        main([command, source, "-f", "json"])
        assert any(r["setting"] == SCALE for r in json.loads(capsys.readouterr().out)["recommendations"])
        main([command, source, "-f", "json", "--ledger", str(file)])
        document = json.loads(capsys.readouterr().out)
        assert not any(r["setting"] == SCALE for r in document["recommendations"])
        assert any("advisor history" in held["why"] for held in document["held_back"])


def test_history_shows_host_class_values_and_verdict(kept, capsys):
    capsys.readouterr()
    assert main(["history"]) == 0
    text = capsys.readouterr().out
    for part in ("db1", "4 GiB, Linux 6.12", f"{SCALE} 10 → 48: worse", "to be taken back", "predictions right"):
        assert part in " ".join(text.split())


def test_history_shows_what_was_predicted_beside_what_came(kept, capsys):
    file = kept / "state" / "memadvisor" / "ledger.jsonl"
    (right,) = ledger.read(file)
    missed = tuple({**score, "observed": score["observed"] + 7, "error": 7.0} for score in right.predictions)
    ledger.append(file, replace(right, predictions=missed))
    ledger.append(file, replace(right, predictions=({"what": "MemAvailable"},)))
    capsys.readouterr()
    assert main(["history"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert text.count("MemAvailable: predicted −") == 2
    count = len(right.predictions)
    for part in (f"{count} of {count} predictions right", f"0 of {count} predictions right", "Normal high: predicted",
                 f"and {count - 3} more predictions that did not hold", "its predictions cannot be read"):  # fmt: skip
        assert part in text, part


CHOICES = [
    ([], 1),
    (["--host", "db1"], 1),
    (["--host", "db2"], 0),
    (["--setting", SCALE], 1),
    (["--setting", "vm.swappiness"], 0),
]


@pytest.mark.parametrize(("chosen", "count"), CHOICES)
def test_history_can_be_asked_for_a_host_or_a_setting(kept, capsys, chosen, count):
    capsys.readouterr()
    assert main(["history", "-f", "json", *chosen]) == 0
    assert len(json.loads(capsys.readouterr().out)["trials"]) == count


def test_no_ledger_means_none(kept, capsys):
    file = kept / "state" / "memadvisor" / "ledger.jsonl"
    size = file.stat().st_size
    main(["verify", str(kept / "before.tar.gz"), str(kept / "after.tar.gz"), "--no-ledger"])
    assert file.stat().st_size == size


def test_a_ledger_that_cannot_be_written_is_said_and_the_verdict_stands(kept, capsys):
    arguments = ["verify", str(kept / "before.tar.gz"), str(kept / "after.tar.gz")]
    assert main([*arguments, "--ledger", str(kept / "before.tar.gz" / "x")]) == 1
    assert "Worse" in capsys.readouterr().out


def test_a_ledger_that_is_not_there_is_an_error_for_check(kept, capsys):
    assert main(["check", str(kept / "before.tar.gz"), "--ledger", str(kept / "none")]) == 1
    assert "no such ledger" in capsys.readouterr().err
