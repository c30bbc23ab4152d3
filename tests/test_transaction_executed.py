"""Transactions composed here and carried out by the module's own code, on a folder that stands for a host."""

import importlib
import json
import re

import pytest

from advisor.capture.live import capture_live
from advisor.transaction import Options, absent, compose, new_id, restored, without
from tests.ansible_modules.target import link_collection
from tests.transactions import MIN_FREE, SWAPPINESS, SYSCTL, TMPFILES, host

link_collection()
executor = importlib.import_module("ansible_collections.memadvisor.linux.plugins.module_utils.transaction")
pending = importlib.import_module("ansible_collections.memadvisor.linux.plugins.module_utils.pending")

SITE = "etc/sysctl.d/99-zz-memadvisor.conf"
WANTED = {SWAPPINESS: 10, MIN_FREE: 90000, "thp.defrag": "defer", "vm.page-cluster": "present only"}


@pytest.fixture
def root(tmp_path):
    machine = host(files={SITE: "# mine\nvm.dirty_ratio = 20\n", "proc/sys/kernel/hostname": "db1\n"})
    for path, text in machine.files(machine.counters).items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def taken(root):
    return capture_live(0, 1, root=str(root), processes=False)


def options(number, **more):
    return Options(id=new_id(1.0e9 + number, b"\x01"), **more)


def receipts(root):
    found = sorted((root / "var/lib/memadvisor/receipts").glob("*.json"))
    return [json.loads(path.read_text()) for path in found]


def in_force(text):
    """What a file says; of a choice the word in brackets, which a plain file loses when it is written."""
    return re.sub(r".*\[(\S+)\].*", r"\1", text).split()


def state(root):
    """Every file of the host but what the module remembers."""
    files = (path for path in root.rglob("*") if path.is_file() and "var" not in path.relative_to(root).parts)
    return {str(path.relative_to(root)): in_force(path.read_text()) for path in files}


def carried_out(root, composed):
    composed.raise_refusals()
    return executor.apply(json.loads(json.dumps(composed.document)), str(root))


def test_what_is_composed_is_accepted_done_and_kept(root):
    composed = compose(taken(root), WANTED, options(1))
    result = carried_out(root, composed)
    assert result["changed"] is True
    assert result["actual"] == {SWAPPINESS: "10", MIN_FREE: "90000", "thp.defrag": "defer"}
    assert (root / "proc/sys/vm/swappiness").read_text().strip() == "10"
    assert "vm.page-cluster = 3\n" in (root / SYSCTL[1:]).read_text()
    assert "vm.dirty_ratio = 20\n" in (root / SYSCTL[1:]).read_text()
    assert (root / TMPFILES[1:]).read_text().endswith("defrag - - - - defer\n")
    assert not compose(taken(root), WANTED, options(2)).changed
    completed = {entry["setting"]: entry["actual"] for entry in composed.completed(result["receipt"])}
    assert (completed[SWAPPINESS], completed["vm.page-cluster"]) == ("10", "3")


def test_its_receipt_takes_everything_back(root):
    before = state(root)
    carried_out(root, compose(taken(root), WANTED, options(1)))
    carried_out(root, compose(taken(root), {SWAPPINESS: 20}, options(2)))
    first, second = (receipt["id"] for receipt in receipts(root))
    carried_out(root, restored(taken(root), receipts(root), options(3), of=second))
    assert (root / "proc/sys/vm/swappiness").read_text().strip() == "10"
    carried_out(root, restored(taken(root), receipts(root), options(4), of=first))
    assert state(root) == before


def test_absent_takes_one_setting_back(root):
    carried_out(root, compose(taken(root), WANTED, options(1)))
    carried_out(root, absent(taken(root), [SWAPPINESS], receipts(root), options(2)))
    assert (root / "proc/sys/vm/swappiness").read_text().strip() == "60"
    assert (root / "proc/sys/vm/min_free_kbytes").read_text().strip() == "90000"
    assert "swappiness" not in (root / SYSCTL[1:]).read_text()


def lines(files):
    """The same but for the order of lines, and for the twin that a kernel zeroes and a plain file does not."""
    return {path: sorted(words) for path, words in files.items() if not path.endswith("vm/dirty_bytes")}


TAKEN_OUT = {
    "a value": {SWAPPINESS: 10, MIN_FREE: 90000},
    "all of one file": {"thp.defrag": "defer", MIN_FREE: 90000},
    "what is kept and not written": {"vm.page-cluster": "present only", MIN_FREE: 90000},
    "one of a pair, and the line of its twin": {"vm.dirty_bytes": 1 << 28, MIN_FREE: 90000},
}


@pytest.mark.parametrize("wanted", TAKEN_OUT.values(), ids=TAKEN_OUT)
def test_what_is_taken_out_of_a_transaction_that_waits_was_never_there(root, wanted):
    out, rest = next(iter(wanted)), {MIN_FREE: 90000}
    old = compose(taken(root), {**wanted, **rest}, options(1, confirm_s=600))
    carried_out(root, compose(taken(root), rest, options(0)))
    alone, (first,) = state(root), receipts(root)
    carried_out(root, restored(taken(root), [first], options(2)))
    carried_out(root, old)
    (journal,) = (root / "var/lib/memadvisor/open").glob("*/journal.json")
    less = without(taken(root), json.loads(journal.read_text()), [out], options(3))
    less.raise_refusals()
    pending.confirm(less={"settings": [out], "document": less.document}, root=str(root))
    assert lines(state(root)) == lines(alone)
    carried_out(root, restored(taken(root), receipts(root), options(4), of=old.document["id"]))
    assert (root / "proc/sys/vm/min_free_kbytes").read_text().strip() != "90000"


def test_a_transaction_of_which_nothing_would_be_left_is_to_be_given_up(root):
    carried_out(root, compose(taken(root), WANTED, options(1, confirm_s=600)))
    (file,) = (root / "var/lib/memadvisor/open").glob("*/journal.json")
    journal = json.loads(file.read_text())
    assert without(taken(root), journal, list(WANTED), options(2)).empty
    refused = without(taken(root), journal, ["vm.dirty_ratio"], options(2))
    assert not refused.empty
    assert "did not change vm.dirty_ratio; it changed" in str(refused.refusals[0])
    damaged = without(taken(root), {**journal, "writes": 7}, [SWAPPINESS], options(2))
    assert "is damaged at 'writes'" in str(damaged.refusals[0])
    pending.give_up(root=str(root))


def test_a_host_that_changed_meanwhile_refuses(root):
    composed = compose(taken(root), WANTED, options(1))
    (root / "proc/sys/vm/swappiness").write_text("33\n")
    before = state(root)
    with pytest.raises(Exception, match="was '60' when this was planned and is '33' now"):
        carried_out(root, composed)
    assert state(root) == before
