"""What pip installs: the package with its rules, and nothing that is not ours."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from advisor.rulebook import library

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of the tracked files, as a clean clone would have them."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout, so there are no tracked files to build from")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            target = folder / "clone" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, folder / "clone"]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (file,) = folder.glob("*.whl")
    return file


def test_the_wheel_holds_the_package_and_no_folder_of_ansible(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"advisor", wheel.name.split("-py3")[0] + ".dist-info"}


def test_the_wheel_holds_every_rule(wheel):
    names = {Path(name).name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("advisor/_rules/")}
    assert names >= {path.name for path in library.rule_files([ROOT / "rules"])}


def test_the_wheel_holds_the_collection_for_its_own_use(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        f"advisor/_collection/{name}" for name in ("galaxy.yml", "meta/runtime.yml", "plugins/action/advise.py")
    } <= names
    assert not [name for name in names if name.startswith("advisor/_collection/") and "__init__" in name]


def test_the_wheel_holds_what_the_program_reads_beside_its_code(wheel):
    wanted = [
        *(ROOT / "advisor" / "report").glob("*-1.schema.json"),
        *(ROOT / "advisor" / "report" / "templates").iterdir(),
    ]
    names = zipfile.ZipFile(wheel).namelist()
    assert [path for path in wanted if str(path.relative_to(ROOT)) not in names] == []


def test_the_installed_program_works_with_its_own_rules(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import advisor; from advisor.cli import main;"
        "assert advisor.__file__.startswith(sys.path[0]), advisor.__file__; sys.exit(main())"
    )
    capture = ROOT / "tests" / "captures" / "6.12-idle.tar.xz"
    command = [sys.executable, "-I", "-c", program, str(tmp_path / "site"), "check", str(capture)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("Healthy")


def test_the_installed_program_runs_its_own_copy_of_the_collection(wheel, tmp_path):
    pytest.importorskip("ansible.release", reason="ansible-core is not installed: pip install 'memadvisor[ansible]'")
    from tests.plays.support import Fleet

    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    (tmp_path / "fleet").mkdir()
    fleet = Fleet(tmp_path / "fleet", variables={"tune_settings": {"vm.swappiness": 30}})
    (tmp_path / "fleet" / "collections" / "ansible_collections" / "memadvisor" / "linux").unlink()
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from advisor.cli import main;"
        "from advisor.cli._playbook import collection_folder; print(collection_folder()); sys.exit(main())"
    )
    command = [sys.executable, "-I", "-c", program, str(tmp_path / "site"), "apply", "--check", "--window", "1s"]
    ended = subprocess.run(
        [*command, "-i", fleet.inventory],
        env=fleet.environment(),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[0] == str(tmp_path / "site" / "advisor" / "_collection")
    assert "vm.swappiness  60 → 30" in ended.stdout


def test_the_project_says_its_licence():
    assert (ROOT / "LICENSE").read_text().startswith("                    GNU GENERAL PUBLIC LICENSE")
