"""What a usual `advisor check` loads. Time is measured by `make bench`; here is what it is lost by first."""

import io
import json
import os
import subprocess
import sys
import tarfile

import pytest

from tests.fixtures import capture_files

# What a run with a warm cache must not load, and why not; the cost is of a run of about 40 ms.
NEVER = {
    "yaml", "pydantic", "jinja2", "psutil", "rich",  # for new rules, for processes, for a terminal
    "dataclasses", "inspect", "ast", "dis", "tokenize",  # 40 ms; see advisor.record, advisor.discovery
    "typing",  # 2 ms; see advisor.hints
    "pathlib", "urllib",  # 3 ms, and as much again to use it
    "pkgutil", "hashlib", "tempfile", "subprocess", "logging", "heapq", "random", "datetime", "importlib.util",
}  # fmt: skip
FOR_ARCHIVES = {"tarfile", "shutil", "fnmatch", "zlib", "bz2", "lzma", "copy", "weakref"}
FOR_A_LOG = {"advisor.parse.kernlog.trigger", "advisor.parse.kernlog.scan"}
FOR_CHANGES = {"advisor.predict", "advisor.objections"}
FOR_OTHERS = {
    "advisor.cli.plan", "advisor.cli.explain", "advisor.cli.capture", "advisor.cli.predict", "advisor.cli.rules",
    "advisor.capture.live", "advisor.capture.write", "advisor.capture.processes", "advisor.rulebook.source",
    "advisor.rulebook.schema", "advisor.rulebook.cases", "advisor.report.text", "advisor.report.layout",
    "advisor.report.nagios", "advisor.report.formats", "advisor.report.fleet", "advisor.report.page",
    "advisor.report.wording", "advisor.cli._reports", "advisor.capture.redact",
    "advisor.engine.check", "advisor.engine.source", "advisor.engine.template",
    "advisor.engine.explain",
}  # fmt: skip

PROGRAM = (
    "import atexit, json, sys; before = set(sys.modules);"
    "atexit.register(lambda: print(json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr));"
    "sys.argv[0] = 'advisor'; from advisor.cli import main; sys.exit(main())"
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("capture")
    for path, text in capture_files("6.12", "pressure").items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", errors="surrogateescape")
    return root


def run(cache, *arguments):
    """The modules that a run loads beyond those of a bare interpreter (and json, which the list itself takes)."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    return set(json.loads(ended.stderr.splitlines()[-1])), ended


def warm(cache, *arguments):
    run(cache, "check", "--format", "json", "--exit-zero", *arguments)
    loaded, ended = run(cache, "check", "--format", "json", "--exit-zero", *arguments)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["findings"]
    return loaded


def test_a_warm_check_of_a_folder_loads_what_it_needs(cache, folder):
    loaded = warm(cache, str(folder))
    assert loaded & (NEVER | FOR_ARCHIVES | FOR_A_LOG | FOR_CHANGES | FOR_OTHERS) == set()


def test_a_warm_check_of_an_archive_loads_what_it_needs(cache, folder, tmp_path):
    packed = tmp_path / "capture.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(folder, ".")
    loaded = warm(cache, str(packed))
    assert loaded & (NEVER | FOR_A_LOG | FOR_CHANGES | FOR_OTHERS) == set()
    assert "tarfile" in loaded


def test_a_quiet_kernel_log_loads_no_more_than_the_pattern_that_finds_it_quiet(cache, folder, tmp_path):
    packed = tmp_path / "capture.tar"
    log = b"[    0.000000] Linux version 6.12.0\n"
    with tarfile.open(packed, "w") as archive:
        archive.add(folder / "proc", "t0/proc")
        member = tarfile.TarInfo("log/kernel.txt")
        member.size = len(log)
        archive.addfile(member, io.BytesIO(log))
    loaded = warm(cache, str(packed))
    assert loaded & FOR_A_LOG == {"advisor.parse.kernlog.trigger"}


def test_the_text_report_of_a_pipe_loads_no_rich(cache, folder):
    run(cache, "check", "--exit-zero", str(folder))
    loaded, ended = run(cache, "check", "--exit-zero", str(folder))
    assert ended.returncode == 0
    assert "advisor.report.text" in loaded
    assert loaded & (NEVER | FOR_ARCHIVES) == set()


def test_the_version_loads_no_command(cache):
    loaded, ended = run(cache, "--version")
    assert ended.stdout.startswith("memadvisor ")
    assert not {name for name in loaded if name.startswith("advisor.cli.")} | (loaded & NEVER)


def test_a_cold_start_does_load_the_rules(tmp_path, folder):
    loaded, _ended = run(tmp_path, "check", "--exit-zero", str(folder))
    assert {"yaml", "pydantic", "jinja2", "advisor.rulebook.source"} <= loaded
