"""The target side under every Python that a target may have, as far as this machine has them."""

import functools
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.ansible_modules.target import REPOSITORY, SYSCTL, Target

VERSIONS = ["3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]
PLUGINS = REPOSITORY / "ansible" / "plugins"
COMPILE = "import sys\nfor path in sys.argv[1:]: compile(open(path, encoding='utf-8').read(), path, 'exec')"


@functools.cache
def interpreter(version):
    """The path of an interpreter, from PATH or where pyenv keeps them."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    names = [shutil.which(f"python{version}"), *sorted(map(str, kept.glob(f"{version}.*/bin/python")))]
    for name in filter(None, names):
        told = subprocess.run(
            [name, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
        )
        if told.stdout.startswith(f"{version}."):
            return name
    pytest.skip(f"no Python {version} on this machine")


@pytest.fixture(params=VERSIONS)
def old_target(request, tmp_path):
    (tmp_path / "root").mkdir()
    return Target(tmp_path / "root", python=interpreter(request.param))


def test_everything_that_runs_on_a_target_is_understood(old_target):
    names = [*PLUGINS.glob("module_utils/*.py"), PLUGINS / "modules/settings.py", PLUGINS / "modules/compact_memory.py"]
    assert len(names) > 10
    subprocess.run([old_target.python, "-c", COMPILE, *names], check=True)


def test_a_transaction_is_carried_out_confirmed_and_refused(old_target):
    document = old_target.big(confirm_s=600)
    foretold = old_target.result("apply", document=document, check=True)
    done = old_target.result("apply", document=document, backup=True)
    assert foretold == {key: done[key] for key in foretold}
    assert old_target.result("confirm", name="t1")["moved"] == []
    assert "vm.swappiness = 10" in old_target.text(SYSCTL)
    assert json.loads(old_target.text("/var/lib/memadvisor/receipts/t1.json"))["outcome"] == "applied"
    assert "plan again" in old_target.error("apply", document={**document, "id": "t2", "host": {"boot_id": "x"}})


def test_a_failure_puts_everything_back(old_target):
    name = old_target.path("/proc/sys/vm/swappiness")
    name.unlink()
    name.symlink_to(f"/proc/{os.getpid()}/comm")
    before = old_target.state()
    assert "everything was put back" in old_target.error("apply", document=old_target.big())
    assert old_target.settled() == before


def test_a_run_that_is_killed_leaves_no_half(old_target):
    tried = 0
    for step in range(45, 400, 10):  # from about where the journal is written
        shutil.rmtree(old_target.root)
        target = Target(old_target.root, old_target.python)
        before = target.state()
        run = target.start("apply", kill_at=step, document=target.big())
        run.communicate(timeout=60)
        if run.returncode == 0:
            break
        assert run.returncode == -signal.SIGKILL
        assert target.settled() == before or target.text("/var/lib/memadvisor/receipts/t1.json")
        tried += 1
    assert tried > 4
