"""kill -9 at every line of the target side that can change something: the host is wholly old or wholly new."""

import itertools
import shutil

import pytest

from tests.ansible_modules.target import Target

LINES = 2000  # more than any call runs


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return Target(folder)


@pytest.mark.parametrize("with_guardian", [False, True], ids=["alone", "with its guardian"])
@pytest.mark.parametrize("backup", [False, True], ids=["plain", "backup"])
def test_a_transaction_cut_off_anywhere_leaves_no_half(fast_folder, capsys, with_guardian, backup):
    target = fresh(fast_folder / "root")
    old, document = target.state(), target.big()
    target.result("apply", document=document, backup=backup)
    new = target.settled()
    assert old != new
    ends = {"old": 0, "new": 0}
    for line in itertools.count(1):
        target = fresh(fast_folder / "root")
        if not target.cut_off(line, "apply", with_guardian=with_guardian, document=document, backup=backup):
            break
        state = target.settled()
        assert with_guardian or state in (old, new), f"killed at line {line}"
        # With the guardian dead too nobody was left to undo it: the next run does, whatever it is about.
        target.cut_off(0, "confirm", name="none")
        assert with_guardian or target.settled() == state, f"killed at line {line}"
        state = target.settled()
        assert state in (old, new), f"killed at line {line}"
        assert target.open() == [], f"killed at line {line}"
        ends["old" if state == old else "new"] += 1
        assert line < LINES
    assert min(ends.values()) > 0
    with capsys.disabled():
        print(f"\n{sum(ends.values())} faults tried, ended {ends}")
