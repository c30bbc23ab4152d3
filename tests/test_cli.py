"""The command as a user types it: what it prints, and how it ends."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema
import psutil
import pytest

from advisor import report
from advisor.cli import _commands, main
from tests.fixtures import CAPTURES, INCIDENTS, KERNELS, STATES

IDLE = str(CAPTURES / "6.12-idle.tar.xz")
PRESSURE = str(CAPTURES / "6.12-pressure.tar.xz")
ADVISOR = [sys.executable, "-m", "advisor"]
SCHEMA = json.loads((Path(report.__path__[0]) / "report-1.schema.json").read_text())


def run(*arguments, **more):
    return subprocess.run([*ADVISOR, *arguments], capture_output=True, text=True, timeout=120, check=False, **more)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("state", STATES)
def test_the_json_of_every_capture_is_valid(kernel, state, capsys):
    main(["check", "--format", "json", "--all", str(CAPTURES / f"{kernel}-{state}.tar.xz")])
    jsonschema.validate(json.loads(capsys.readouterr().out), SCHEMA)


@pytest.mark.parametrize("name", sorted(p.name for p in INCIDENTS.iterdir() if p.is_dir()))
def test_the_json_of_every_incident_is_valid(name, capsys):
    main(["check", "--format", "json", str(INCIDENTS / name)])
    jsonschema.validate(json.loads(capsys.readouterr().out), SCHEMA)


def test_the_schema_is_printed(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA


def test_a_healthy_host_ends_with_zero_and_says_so_first(capsys):
    assert main(["check", IDLE]) == 0
    assert capsys.readouterr().out.startswith("Healthy: nothing to tune")


def test_findings_end_with_two(capsys):
    assert main(["check", str(INCIDENTS / "psi-memory-full-58-percent")]) == 2
    out = capsys.readouterr().out
    assert "finding" in out.splitlines()[0]
    assert "No setting to change" in out


def test_exit_zero_and_fail_on_are_obeyed(capsys):
    sick = str(INCIDENTS / "psi-memory-full-58-percent")
    assert main(["check", "--exit-zero", sick]) == 0
    assert main(["check", "--fail-on", "never", sick]) == 0
    capsys.readouterr()


def test_too_little_data_end_with_three(tmp_path, capsys):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "loadavg").write_text("0.00 0.01 0.05 1/100 1\n")
    (tmp_path / "proc" / "swaps").write_text("Filename\tType\tSize\tUsed\tPriority\n")
    assert main(["check", str(tmp_path)]) == 3
    assert capsys.readouterr().out.startswith("Could not judge")


def test_the_monitoring_line_has_the_plugin_codes(capsys):
    assert main(["check", "--nagios", IDLE]) == 0
    line = capsys.readouterr().out
    assert line.startswith("MEMORY OK - ")
    assert line.count("\n") == 1
    assert "findings=0" in line
    assert main(["check", "--nagios", str(INCIDENTS / "psi-memory-full-58-percent")]) == 2
    assert capsys.readouterr().out.startswith("MEMORY CRITICAL - ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chek"], "did you mean 'check'"),
        (["check", "--windw", "3"], "unknown arguments: --windw"),
        (["check", "--window", "0"], "no time span"),
        (["check", "--window", "5x"], "no time span"),
        (["check", "--samples", "0"], "no number of samples"),
        (["check", "--window", "5", IDLE], "are for this host"),
        (["check", "/does/not/exist"], "/does/not/exist: no such file"),
        (["check", "--role", "toaster", IDLE], "invalid choice: 'toaster'"),
        (["check", "--rules", "/does/not/exist", IDLE], "no such folder"),
        (["explain", "no-such-rule"], "unknown rule 'no-such-rule'"),
        (["predict", "vm.swapiness=1", IDLE], "did you mean 'vm.swappiness'"),
        (["predict", "vm.swappiness=banana", IDLE], "vm.swappiness cannot be 'banana'"),
        (["predict", "vm.watermark_scale_factor=5000", IDLE], "is outside 1 to 3000"),
        (["predict", IDLE], "nothing to predict"),
        (["signals", "gremlin"], "no signal is called 'gremlin'"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_ends_with_one(arguments, said, capsys):
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("advisor: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", _commands())
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"advisor {command}" in capsys.readouterr().out


def test_without_arguments_the_commands_are_listed_and_it_is_an_error(capsys):
    assert main([]) == 1
    out = capsys.readouterr().out
    assert all(command in out for command in _commands())


def test_a_capture_judged_again_gives_the_same_report(tmp_path):
    file = tmp_path / "host.tar.gz"
    assert run("capture", "--window", "1", "-o", str(file)).returncode == 0
    first = json.loads(run("check", "--format", "json", str(file)).stdout)
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    subprocess.run(["tar", "-xf", file, "-C", unpacked], check=True)
    (folder,) = unpacked.iterdir()
    again = json.loads(run("check", "--format", "json", str(folder)).stdout)
    for report_ in (first, again):
        del report_["capture"]["source"], report_["capture"]["how"]
    assert again == first
    assert first["capture"]["cost"]["cpu_s"] > 0


def test_a_capture_does_not_overwrite_before_measuring(tmp_path):
    file = tmp_path / "host.tar.gz"
    file.write_bytes(b"precious")
    ended = run("capture", "--window", "3600", "-o", str(file))
    assert ended.returncode == 1
    assert "exists" in ended.stderr
    assert file.read_bytes() == b"precious"


def test_a_tar_on_standard_input_is_judged():
    with Path(PRESSURE).open("rb") as archive:
        piped = subprocess.run(
            [*ADVISOR, "check", "--format", "json", "-"], stdin=archive, capture_output=True, check=False
        )
    named = json.loads(run("check", "--format", "json", PRESSURE).stdout)
    assert json.loads(piped.stdout)["findings"] == named["findings"]


def test_a_live_check_works_and_says_what_it_cost():
    ended = run("check", "--window", "1", "--format", "json")
    assert ended.returncode in {0, 2, 3}, ended.stderr
    document = json.loads(ended.stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["capture"]["samples"] == 2
    assert document["capture"]["cost"]["bytes_read"] > 1000


@pytest.fixture
def open_folder():
    """A folder that everybody may enter, unlike tmp_path."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_somebody_without_rights_gets_a_report_that_says_what_root_would_add(open_folder):
    python = shutil.which("python3", path="/usr/bin:/bin")
    if (
        python is None
        or subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False).returncode
    ):
        pytest.skip("the system has no Python 3.11 that everybody may run")
    root = Path(report.__path__[0]).parent.parent
    for folder in (root / "advisor", root / "rules", Path(psutil.__path__[0])):
        shutil.copytree(folder, open_folder / folder.name)
    environment = {
        "PYTHONPATH": str(open_folder),
        "XDG_CACHE_HOME": str(open_folder / "cache"),
        "PATH": os.environ["PATH"],
    }
    subprocess.run([*ADVISOR, "rules", "list"], env=environment, cwd="/", check=True, capture_output=True)
    for path in (open_folder / "cache", *(open_folder / "cache").rglob("*")):
        os.chown(path, 65534, 65534)
    ended = subprocess.run(
        [python, "-m", "advisor", "check", "--window", "1"], env=environment, cwd="/",
        capture_output=True, text=True, check=False, user=65534, group=65534, extra_groups=[],
    )  # fmt: skip
    assert ended.returncode in {0, 2}, ended.stderr
    assert "root reads it" in ended.stdout


def test_output_to_a_file_is_whole_or_not_there(tmp_path):
    target = tmp_path / "report.json"
    assert main(["check", "--format", "json", "-o", str(target), IDLE]) == 0
    assert json.loads(target.read_text())["verdict"] == "healthy"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    assert main(["check", "-o", str(tmp_path / "no" / "where.txt"), IDLE]) == 1


def test_a_reader_that_goes_away_is_no_error():
    command = f"{' '.join(ADVISOR)} signals | head -1; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert ended.stderr == ""


def test_pipes_get_no_colours_and_terminals_can_be_told(capsys):
    main(["check", PRESSURE])
    assert "\x1b[" not in capsys.readouterr().out
    main(["check", "--color", PRESSURE])
    assert "\x1b[" in capsys.readouterr().out


def test_names_of_a_hostile_host_do_not_drive_the_terminal(tmp_path, capsys):
    group = tmp_path / "sys" / "fs" / "cgroup" / "evil\x1b[2J\nname"
    group.mkdir(parents=True)
    (tmp_path / "sys" / "fs" / "cgroup" / "cgroup.controllers").write_text("memory\n")
    (group / "memory.current").write_text("1000\n")
    (group / "memory.max").write_text("1000\n")
    (group / "memory.events").write_text("low 0\nhigh 0\nmax 9\noom 5\noom_kill 5\n")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "uptime").write_text("100.00 1.00\n")
    main(["check", "--all", str(tmp_path)])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "evil" in out


def test_explain_shows_why_a_rule_did_not_fire(capsys):
    assert main(["explain", "direct-reclaim-though-easy", IDLE]) == 0
    out = capsys.readouterr().out
    assert "verdict pass" in out
    assert re.search(r"no +reclaim\.task_stall_rate > .*\[0/s\]", out)
    assert "t0/proc/vmstat:" in out


def test_predict_prints_every_zone_before_and_after(capsys):
    assert main(["predict", "vm.watermark_scale_factor=100", PRESSURE]) == 0
    out = capsys.readouterr().out
    for zone in ("node 0 DMA", "node 0 DMA32", "node 0 Normal"):
        assert zone in out
    assert "MemAvailable" in out


def test_predict_says_when_a_change_has_no_effect(capsys):
    assert main(["predict", "vm.watermark_scale_factor=11", PRESSURE]) == 0
    assert capsys.readouterr().out.startswith("No effect: ")


def test_plan_says_that_there_is_nothing_to_change(capsys):
    assert main(["plan", "--detailed-exitcode", IDLE]) == 0
    assert "No setting to change" in capsys.readouterr().out


def test_text_that_is_no_unicode_does_not_break_the_output(tmp_path):
    log = tmp_path / "dmesg.txt"
    log.write_bytes(b"[1.0] \xff\xfe: page allocation failure: order:0, mode:0x20(GFP_ATOMIC)\n")
    for form in ("text", "json"):
        ended = subprocess.run([*ADVISOR, "check", "--format", form, str(tmp_path)], capture_output=True, check=False)
        assert ended.returncode == 2, ended.stderr
        io.TextIOWrapper(io.BytesIO(ended.stdout), encoding="utf-8").read()
