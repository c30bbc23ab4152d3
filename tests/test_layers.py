"""Data flows one way; a module imports only from its left. No wheel or test may break that unseen."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "advisor"

# A module may import from lower numbers and from its own. Longest prefix wins.
LAYERS = {
    "errors": 0,
    "record": 0,
    "discovery": 0,
    "hints": 0,
    "units": 0,
    "engine": 1,
    "capture.model": 1,
    "parse": 1,
    "watermarks": 1,
    "scalefactor": 1,
    "minfree": 1,
    "memavailable": 1,
    "fragmentation": 1,
    "noise": 1,
    "tunables": 2,
    "predict": 3,
    "objections": 3,
    "persisted": 2,
    "capture": 3,
    "signals": 4,
    "evidence": 5,
    "rulebook": 5,
    "findings": 6,
    "outlook": 3,
    "policy": 6,
    "rivals": 3,
    "known": 5,
    "plan": 7,
    "transaction": 8,
    "drift": 8,
    "analysis": 8,
    "experience": 5,
    "ledger": 6,
    "verify": 8,
    "comparison": 8,
    "fleet": 8,
    "report": 9,
    "cli": 10,
}
# Code that touches files, clocks or processes; everything else is pure.
FLEET = (
    "fleet.parts",
    "fleet.store",
    "fleet.sources",
    "fleet.ingest",
    "fleet.engines",
    "fleet.rows",
    "fleet.last",
    "fleet.merge",
)
IMPURE = ("capture", "cli", "ledger", "discovery", "rulebook.library", "policy.load", "__main__", *FLEET)


def modules():
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def dotted(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def layer(name):
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        if (found := LAYERS.get(".".join(parts[:length]))) is not None:
            return found
    return None


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("advisor."):
            yield node.module.removeprefix("advisor.")
        elif isinstance(node, ast.ImportFrom) and node.module == "advisor":
            yield from (alias.name for alias in node.names if alias.name != "__version__")
        elif isinstance(node, ast.Import):
            yield from (a.name.removeprefix("advisor.") for a in node.names if a.name.startswith("advisor."))


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_a_module_imports_only_from_its_left(path):
    own = layer(dotted(path))
    if dotted(path) == "__main__":
        return
    assert own is not None, f"{dotted(path)} has no layer; give it one in this test"
    for name in imported(path):
        if dotted(path) == "rulebook.cases":  # runs cases with the findings and the plan, for the tests of rules
            continue
        assert layer(name) is not None, name
        assert layer(name) <= own, f"{dotted(path)} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_only_capture_and_the_command_line_touch_the_machine(path):
    if dotted(path).startswith(IMPURE):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert "open" not in calls
    assert not modules & {"os", "pathlib", "shutil", "socket", "subprocess", "tempfile", "time"}


def test_the_collection_root_is_no_package():
    assert not list((PACKAGE.parent / "ansible").glob("__init__.py"))
    assert not (PACKAGE.parent / "__init__.py").exists()
