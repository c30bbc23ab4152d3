"""kill -9 at every step that changes something: the target is wholly old or wholly new, every time."""

import itertools
import os
import shutil
import signal
import subprocess

import pytest

from tests.ansible_modules.target import MOST, Target

BY_LINE = os.environ.get("MEMADVISOR_FAULTS") == "lines"
"""Whether to kill at every line in place of every operation. There are six lines to an operation."""


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return Target(folder)


def cut_off_everywhere(folder, name, prepare, capsys, **how):
    """Kill a call at each of its steps; it has to end in a state that is whole.

    Args:
        folder: an empty folder.
        name: of the call.
        prepare: makes a target ready for it and returns the call's arguments.
        capsys: of pytest.
        how: see `drive.cut_off`.
    """
    target = fresh(folder)
    original, arguments = target.state(), prepare(target)
    whole = {"old": original, "as it was": target.state()}
    target.result(name, **arguments)
    whole["new"] = target.settled()
    ends = dict.fromkeys(whole, 0)
    for step in itertools.count(1):
        target = fresh(folder)
        if not target.cut_off(step, name, how={"by_line": BY_LINE, **how}, **prepare(target)):
            break
        state = target.settled()
        assert "with_guardian" in how or state in whole.values(), f"killed at step {step}"
        # With the guardian dead too nobody was left to undo it: the next run does, whatever it is about.
        target.cut_off(0, "recover")
        assert "with_guardian" in how or target.settled() == state, f"killed at step {step}"
        state = target.settled()
        assert state in whole.values(), f"killed at step {step}"
        assert target.open() == [] or state == whole["as it was"] != original, f"killed at step {step}"
        ends[next(end for end, one in whole.items() if one == state)] += 1
        assert step < MOST
    assert ends["old"] > 0
    assert whole["new"] in (original, whole["as it was"]) or ends["new"] > 0
    with capsys.disabled():
        print(f"\n{name}: {sum(ends.values())} faults tried, ended {ends}")


HOW = pytest.mark.parametrize("how", [{}, {"with_guardian": True}], ids=["alone", "with its guardian"])


@HOW
def test_a_transaction_cut_off_anywhere_leaves_no_half(fast_folder, capsys, how):
    def prepare(target):
        return {"document": target.big(), "backup": True}

    cut_off_everywhere(fast_folder / "root", "apply", prepare, capsys, **how)


@HOW
def test_a_confirmation_cut_off_anywhere_leaves_no_half(fast_folder, capsys, how):
    def prepare(target):
        target.cut_off(0, "apply", document=target.big(confirm_s=600))
        return {"name": "t1"}

    cut_off_everywhere(fast_folder / "root", "confirm", prepare, capsys, **how)


def test_a_confirmation_in_part_cut_off_anywhere_leaves_no_half(fast_folder, capsys):
    def prepare(target):
        document = target.big(confirm_s=600)
        target.cut_off(0, "apply", document=document)
        return {"name": "t1", "less": target.less(document, "thp.enabled")}

    cut_off_everywhere(fast_folder / "root", "confirm", prepare, capsys)


def test_giving_up_cut_off_anywhere_leaves_no_half(fast_folder, capsys):
    def prepare(target):
        target.cut_off(0, "apply", document=target.big(confirm_s=600))
        return {"name": "t1"}

    cut_off_everywhere(fast_folder / "root", "give_up", prepare, capsys)


def test_an_undo_cut_off_anywhere_is_brought_to_an_end_by_the_next(fast_folder, capsys):
    tried = 0
    script = fresh(fast_folder / "root").path("/var/lib/memadvisor/open/t1/undo.sh")
    for number in itertools.count(1):
        target = fresh(fast_folder / "root")
        old = target.state()
        # Everything but the receipt is done when the last file is in place; then all die.
        target.cut_off(0, "apply", document=target.big(confirm_s=600))
        script.with_name("waiting").unlink()
        lines = script.read_text().splitlines()
        if number >= len(lines):
            break
        cut = script.with_name("cut.sh")
        cut.write_text("\n".join([*lines[:number], "kill -9 $$", *lines[number:]]) + "\n")
        if subprocess.call(["sh", "-n", cut], stderr=subprocess.DEVNULL):
            continue  # no place for a command
        tried += subprocess.call(["sh", cut], stderr=subprocess.DEVNULL) == -signal.SIGKILL
        target.cut_off(0, "recover")
        assert target.settled() == old, f"killed before line {number + 1}: {lines[number]}"
        assert target.open() == []
    assert tried > 20
    with capsys.disabled():
        print(f"\nundo.sh: {tried} faults tried")
