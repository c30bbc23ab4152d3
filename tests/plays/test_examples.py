"""Every example of the documentation, run on a made-up host."""

import re
from pathlib import Path

import pytest
import yaml

from tests.plays.support import ROOT, Fleet, enlarge

pytest.importorskip("ansible.release", reason="ansible-core is not installed: pip install 'memadvisor[ansible]'")

MODULES = sorted((ROOT / "ansible" / "plugins" / "modules").glob("*.py"))
ROOTED = {"memadvisor.linux.memory_info", "memadvisor.linux.settings", "memadvisor.linux.compact_memory"}


def documented(module: Path, name: str) -> str:
    return re.search(rf'^{name} = r?"""\n(.*?)^"""', module.read_text(), re.MULTILINE | re.DOTALL)[1]


def rooted(task: dict) -> dict:
    """A task on the made-up host; what would take minutes takes a second."""
    for name in ROOTED & set(task):
        task[name] = {**(task[name] or {}), "root": "{{ tune_root }}"}
    if "ansible.builtin.pause" in task:
        task["ansible.builtin.pause"] = {"seconds": 1}
    if "window" in (task.get("memadvisor.linux.memory_info") or {}):
        task["memadvisor.linux.memory_info"]["window"] = 0.1
    return {**task, "become": False}


def plays(module: Path, folder: Path) -> list[dict]:
    text = documented(module, "EXAMPLES").replace("/tmp/", f"{folder}/")
    content = yaml.safe_load(text)
    if "hosts" not in content[0]:
        content = [{"name": "Tasks", "hosts": "all", "gather_facts": False, "tasks": content}]
    return [{**play, "become": False, "tasks": [rooted(task) for task in play["tasks"]]} for play in content]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_the_examples_run(module, tmp_path):
    fleet = Fleet(tmp_path, "6.12-idle")
    enlarge(fleet.root(), 64)
    run = fleet.play(plays(module, tmp_path))
    assert run.code == 0, run.output
    assert "skipping" not in run.output or module.stem in {"advise", "verify"}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_every_option_is_explained_and_used_names_exist(module):
    options = yaml.safe_load(documented(module, "DOCUMENTATION"))["options"]
    assert all(option.get("description") for option in options.values())
    for play in yaml.safe_load(documented(module, "EXAMPLES")):
        for task in play.get("tasks", [play]):
            for name in ROOTED & set(task):
                if name.endswith(module.stem):
                    assert set(task[name] or {}) <= set(options)
