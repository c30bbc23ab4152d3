"""`advisor apply` and `advisor rollback`, which run the role on made-up hosts."""

import os
import pty
import subprocess
import sys

import pytest

from tests.plays.support import ROOT, Fleet

pytest.importorskip("ansible.release", reason="ansible-core is not installed: pip install 'memadvisor[ansible]'")

WANTED = {"tune_apply_advice": False, "tune_settings": {"vm.swappiness": 30}}


@pytest.fixture
def fleet(tmp_path):
    return Fleet(tmp_path, names=("h1", "h2"), variables=WANTED)


def advisor(fleet, *words, answer=None):
    """Run a command on the fleet; with an answer, on a terminal."""
    command = [sys.executable, "-m", "advisor", *words, "-i", fleet.inventory]
    environment = {name: value for name, value in fleet.environment().items() if not name.startswith("ANSIBLE_C")}
    if answer is None:
        return subprocess.run(command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)  # fmt: skip
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    try:
        return subprocess.run(command, env=environment, cwd=ROOT, stdin=theirs, capture_output=True, text=True,
                              check=False)  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)


def test_without_a_terminal_nothing_is_changed_unasked(fleet):
    before = fleet.trees()
    for command in ("apply", "rollback"):
        ended = advisor(fleet, command)
        assert ended.returncode == 1
        assert "say --yes to change, or --check" in ended.stderr
    assert fleet.trees() == before


def test_it_shows_asks_changes_and_puts_back(fleet):
    before = fleet.trees()
    refused = advisor(fleet, "apply", "--window", "1s", answer="n")
    assert refused.returncode == 1
    assert "vm.swappiness  60 → 30" in refused.stdout
    assert "Change 2 hosts? [y/N]" in refused.stderr
    assert "nothing was changed" in refused.stderr
    assert fleet.trees() == before
    done = advisor(fleet, "apply", "--window", "1s", answer="y")
    assert done.returncode == 0, done.stderr
    assert {fleet.read("proc/sys/vm/swappiness", name) for name in fleet.names} == {"30"}
    assert "h2: changed" in done.stdout
    back = advisor(fleet, "rollback", "--yes")
    assert back.returncode == 0, back.stderr
    assert "vm.swappiness  30 → 60" in back.stdout
    assert fleet.trees() == before


def test_what_is_advised_and_not_allowed_is_named(tmp_path):
    never = {"tune_maintenance_from": "00:00", "tune_maintenance_until": "00:00"}
    fleet = Fleet(tmp_path, "scenarios/6.12-bursts", variables=never)
    before = fleet.trees()
    ended = advisor(fleet, "apply", "--yes", "--window", "1s")
    assert ended.returncode == 0, ended.stderr
    assert "h1: nothing to change; advised, but not allowed by risk or hour: vm.min_free_kbytes" in ended.stdout
    assert fleet.trees() == before


def test_what_did_harm_is_said_to_be_taken_back(tmp_path):
    fleet = Fleet(tmp_path, "scenarios/6.12-bursts", variables={"tune_settings": {"vm.swappiness": 30}})
    ended = advisor(fleet, "apply", "--yes", "--window", "1s")
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout.startswith("h1: worse: vm.min_free_kbytes: ")
    assert "of the change vm.min_free_kbytes was undone and vm.swappiness kept" in ended.stderr
    assert fleet.read("proc/sys/vm/swappiness") == "30"


def test_an_unreachable_host_is_named_and_is_an_error(fleet):
    fleet.inventory.write_text(
        fleet.inventory.read_text().replace(
            "h2: {}", "h2: {ansible_port: 1, ansible_host: 127.0.0.1, ansible_connection: ssh}"
        )
    )
    ended = advisor(fleet, "apply", "--check", "--window", "1s")
    assert ended.returncode == 1
    assert "h1: would be changed" in ended.stdout
    assert ended.stderr.splitlines()[-1].startswith("h2: ")


def test_without_ansible_it_says_how_to_get_it(tmp_path):
    program = "import sys; sys.modules['ansible'] = None; from advisor.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "apply", "--yes"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith(f"{sys.executable} -m pip install 'memadvisor[ansible]'")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("text", ["swappiness = 10", "[]", '{"schema": "memadvisor/report/1"}'])
def test_a_plan_that_is_none_is_refused(fleet, tmp_path, text):
    (tmp_path / "plan.json").write_text(text)
    ended = advisor(fleet, "apply", "--yes", "--plan", str(tmp_path / "plan.json"))
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith("is no plan; make it with: advisor plan --format json -o FILE")


@pytest.mark.parametrize("command", ["apply", "rollback"])
def test_where_no_host_matches_that_is_an_error(fleet, command):
    ended = advisor(fleet, command, "--check", "--limit", "nobody")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "leaves us with no hosts to target" in ended.stderr  # Ansible says so itself
    fleet.inventory.unlink()
    ended = advisor(fleet, command, "--check")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "no host matches" in ended.stderr
