"""Writing captures: what is written comes back, whole or not at all, and nothing else is harmed."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import stat
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor import __version__
from advisor.capture.live import capture_live
from advisor.capture.model import Capture, Cost, Process, Sample
from advisor.capture.open import open_capture
from advisor.capture.write import write_capture
from advisor.errors import AdvisorError, CaptureError, UsageError
from tests.capture_helpers import FakeTime, plant

ROOT = Path(__file__).parent.parent
FORMS = ("x", "x.tar.gz", "x.tgz", "x.tar.xz")
SMALL = Capture(
    samples=(Sample({"proc/vmstat": "a 1\n"}, 10.0, 1e9), Sample({"proc/vmstat": "a 2\n"}, 12.5, 1e9 + 2.5)),
    host="db1",
    how="live",
    source="this host",
    kernel_log="[1.0] x\n",
    tools={"free": "f\n"},
    processes=(Process(1, "java", 5, 0, 3, 9, ("java", "kafka")), Process(2, "x", 0)),
    cost=Cost(0.25, 100, 7, 2),
    unread={"proc/slabinfo": "permission denied; root reads it"},
    notes=("one", "two"),
)

text = st.binary(max_size=40).map(lambda data: data.decode("utf-8", "surrogateescape"))
hostile = st.binary(min_size=1, max_size=12).map(lambda data: data.decode("utf-8", "surrogateescape"))
name = st.one_of(
    st.sampled_from(["proc", "vmstat", "sys", "t0", "capture.json", "a b", "\n", "-", "ö", "…"]), hostile
).filter(lambda part: part not in {".", ".."} and "/" not in part and "\0" not in part)
path = st.lists(name, min_size=1, max_size=3).map("/".join)
files = st.dictionaries(path, text, max_size=4).filter(
    lambda found: not any(other.startswith(f"{one}/") for one in found for other in found)
)
words = st.text(max_size=10).filter(lambda word: not any("\ud800" <= letter <= "\udfff" for letter in word))
count = st.integers(0, 1 << 60)
number = st.floats(-1e12, 1e12, allow_nan=False)
process = st.builds(
    Process,
    count,
    words,
    count,
    st.none() | count,
    st.none() | count,
    st.none() | count,
    st.lists(words, max_size=2).map(tuple),
)


@st.composite
def captures(draw) -> Capture:
    contents = draw(st.lists(files, min_size=1, max_size=3))
    clocks = draw(st.none() | st.lists(number, unique=True, min_size=len(contents), max_size=len(contents)).map(sorted))
    walls = draw(st.lists(st.none() | number, min_size=len(contents), max_size=len(contents)))
    return Capture(
        samples=tuple(
            Sample(content, None if clocks is None else clocks[at], walls[at]) for at, content in enumerate(contents)
        ),
        host=draw(words.filter(bool)),
        how=draw(st.sampled_from(["live", "folder", "archive", "sosreport"])),
        interval_s=draw(st.none() | st.floats(1e-3, 1e6)) if clocks is None else None,
        kernel_log=draw(st.none() | text),
        tools=draw(st.dictionaries(name.filter(lambda tool: tool != "dmesg"), text, max_size=2)),
        processes=draw(st.lists(process, max_size=2).map(tuple)),
        cost=draw(st.none() | st.builds(Cost, st.floats(0, 1e6), count, count, count)),
        unread=draw(st.dictionaries(path, words, max_size=2)),
        notes=draw(st.lists(words, unique=True, max_size=2).map(tuple)),
        zero_baseline=draw(st.booleans()),
    )


def round_trip(capture: Capture, target: Path) -> Capture:
    write_capture(capture, str(target))
    return dataclasses.replace(open_capture(str(target)), source=capture.source)


@pytest.mark.parametrize("form", FORMS)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(captures())
def test_what_is_written_comes_back(form, capture):
    with tempfile.TemporaryDirectory() as folder:
        assert round_trip(capture, Path(folder) / form) == capture


@pytest.mark.parametrize("form", FORMS)
def test_a_live_capture_comes_back(form, tmp_path):
    capture = capture_live(0, 1)

    assert round_trip(capture, tmp_path / form) == capture


def test_the_layout_is_the_documented_one(tmp_path):
    write_capture(SMALL, str(tmp_path / "x"))

    found = sorted(path.relative_to(tmp_path / "x").as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert found == ["capture.json", "free.txt", "log/kernel.txt", "t0/proc/vmstat", "t1/proc/vmstat"]
    manifest = json.loads((tmp_path / "x/capture.json").read_text())
    assert manifest["format"] == 1
    assert manifest["tool"] == f"memadvisor {__version__}"
    assert manifest["times"] == [
        {"monotonic_s": 10.0, "wall_s": 1e9},
        {"monotonic_s": 12.5, "wall_s": 1e9 + 2.5},
    ]
    assert "interval_s" not in manifest


def test_an_archive_holds_one_folder_named_after_it(tmp_path):
    write_capture(SMALL, str(tmp_path / "db1-before.tar.gz"))

    with tarfile.open(tmp_path / "db1-before.tar.gz") as archive:
        names = archive.getnames()
    assert {each.partition("/")[0] for each in names} == {"db1-before"}
    assert "db1-before/t1/proc/vmstat" in names


@pytest.mark.parametrize("stem", ["t0", "proc", "sys", "log", "-x", "free.txt", "a b"])
def test_a_misleading_archive_name_does_not_mislead(stem, tmp_path):
    assert round_trip(SMALL, tmp_path / f"{stem}.tar.gz") == SMALL


def test_equal_captures_make_equal_archives(tmp_path):
    write_capture(SMALL, str(tmp_path / "x.tar.gz"))
    first = (tmp_path / "x.tar.gz").read_bytes()
    write_capture(SMALL, str(tmp_path / "x.tar.gz"), force=True)

    assert (tmp_path / "x.tar.gz").read_bytes() == first


@pytest.mark.parametrize("form", FORMS)
def test_only_the_owner_may_read_it(form, tmp_path):
    write_capture(SMALL, str(tmp_path / form))

    assert stat.S_IMODE((tmp_path / form).stat().st_mode) & 0o077 == 0


def test_standard_output_takes_an_archive_only_when_it_is_no_terminal(tmp_path):
    code = (
        "from advisor.capture.open import open_capture; from advisor.capture.write import write_capture; import sys\n"
        "write_capture(open_capture(sys.argv[1]), '-')"
    )
    write_capture(SMALL, str(tmp_path / "x"))
    command = [sys.executable, "-c", code, str(tmp_path / "x")]

    piped = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    primary, secondary = os.openpty()
    refused = subprocess.run(command, cwd=ROOT, stdout=secondary, stderr=subprocess.PIPE, text=True, check=False)
    os.close(primary)
    os.close(secondary)

    (tmp_path / "piped").write_bytes(piped)
    assert dataclasses.replace(open_capture(str(tmp_path / "piped")), source=SMALL.source) == SMALL
    assert refused.returncode == 1
    assert "UsageError: an archive is nothing for a terminal" in refused.stderr


@pytest.mark.parametrize(
    "files",
    [
        {"../x": ""},
        {"/x": ""},
        {"a//b": ""},
        {"a/./b": ""},
        {"": ""},
        {"a/": ""},
        {"a\0b": ""},
        {"a": "", "a/b": ""},
        {"a": "\ud800"},
        {"\ud800": ""},
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_paths_and_texts_that_cannot_be_stored_are_refused_and_leave_nothing(files, form, tmp_path):
    with pytest.raises(CaptureError):
        write_capture(Capture((Sample(files),)), str(tmp_path / form))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tool", ["dmesg", "", "a/b", "..", "../x", "a\0"])
def test_names_of_tools_that_cannot_be_stored_are_refused(tool, tmp_path):
    if tool == "..":
        assert round_trip(Capture((Sample({}),), tools={tool: "x"}, how="live"), tmp_path / "x").tools == {tool: "x"}
        return
    with pytest.raises(CaptureError):
        write_capture(Capture((Sample({}),), tools={tool: "x"}), str(tmp_path / "x"))


@pytest.mark.parametrize(
    "wrong",
    [
        Capture((Sample({}, float("nan")),)),
        Capture((Sample({}, 2.0), Sample({}, 1.0))),
        Capture((Sample({}),), interval_s=-1),
        Capture((Sample({}),), cost=Cost(float("inf"), 0, 0, 0)),
        Capture((Sample({}),), processes=(Process(-1, "x", 0),)),
    ],
)
def test_what_could_not_be_read_back_is_not_written(wrong, tmp_path):
    with pytest.raises(CaptureError):
        write_capture(wrong, str(tmp_path / "x"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["x.zip", "x.tar", "x.tar.bz2", "x.tar.zst", "x.gz", "", "a\0b"])
def test_other_forms_are_refused_with_what_is_possible(target, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError, match=r"name a folder, or a \.tar\.gz or \.tar\.xz"):
        write_capture(SMALL, target)
    assert list(tmp_path.iterdir()) == []


def contents(folder: Path) -> dict[str, bytes | None]:
    return {
        each.relative_to(folder).as_posix(): each.read_bytes() if each.is_file() else None for each in folder.rglob("*")
    }


@pytest.mark.parametrize("form", FORMS)
def test_what_exists_is_kept_unless_forced(form, tmp_path):
    write_capture(SMALL, str(tmp_path / form))
    before = contents(tmp_path)

    with pytest.raises(UsageError, match="--force"):
        write_capture(SMALL, str(tmp_path / form))
    assert contents(tmp_path) == before

    other = dataclasses.replace(SMALL, host="db2", kernel_log=None)
    write_capture(other, str(tmp_path / form), force=True)
    assert dataclasses.replace(open_capture(str(tmp_path / form)), source=SMALL.source) == other
    assert [each.name for each in tmp_path.iterdir()] == [form]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "x").mkdir()

    assert round_trip(SMALL, tmp_path / "x") == SMALL


@pytest.mark.parametrize("beside", ["notes.md", "t0.bak/x", ".git/config", "expected.yml"])
def test_force_never_deletes_what_we_did_not_write(beside, tmp_path):
    write_capture(SMALL, str(tmp_path / "x"))
    plant(tmp_path / "x", {beside: "mine"})
    before = contents(tmp_path)

    with pytest.raises(UsageError, match="exists and is not an empty folder"):
        write_capture(SMALL, str(tmp_path / "x"), force=True)
    assert contents(tmp_path) == before


def test_force_never_replaces_a_folder_that_is_no_capture(tmp_path):
    plant(tmp_path / "x", {"t0/proc/vmstat": "mine", "notes.txt": "mine"})

    with pytest.raises(UsageError):
        write_capture(SMALL, str(tmp_path / "x"), force=True)
    (tmp_path / "x.tar.gz").mkdir()
    with pytest.raises(UsageError):
        write_capture(SMALL, str(tmp_path / "x.tar.gz"), force=True)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("occupied", [False, True])
def test_a_failure_in_the_middle_leaves_nothing_behind(form, occupied, tmp_path, monkeypatch):
    if occupied:
        write_capture(SMALL, str(tmp_path / form))
    before = contents(tmp_path)
    done = iter([None, OSError(28, "No space left on device")])

    def fail(descriptor):
        if (error := next(done)) or form != "x":
            raise error or OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(CaptureError, match="no space left on device"):
        write_capture(SMALL, str(tmp_path / form), force=True)
    assert contents(tmp_path) == before


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)

    for form in FORMS:
        with pytest.raises(KeyboardInterrupt):
            write_capture(SMALL, str(tmp_path / form))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_swap_brings_the_old_folder_back(tmp_path, monkeypatch):
    write_capture(SMALL, str(tmp_path / "x"))
    before = contents(tmp_path)
    replace = Path.replace

    def fail(self, target):
        if Path(target) == tmp_path / "x" and (self / "capture.json").read_text().count("db2"):
            raise OSError(5, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)

    with pytest.raises(CaptureError, match="input/output error"):
        write_capture(dataclasses.replace(SMALL, host="db2"), str(tmp_path / "x"), force=True)
    assert contents(tmp_path) == before


def test_a_missing_parent_is_an_error_of_ours(tmp_path):
    with pytest.raises(CaptureError, match=r"cannot write .*: no such file or directory"):
        write_capture(SMALL, str(tmp_path / "no/where/x.tar.gz"))


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    write_capture(SMALL, str(tmp_path / "link"))

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/capture.json").exists()


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "format",
                        "times",
                        "monotonic_s",
                        "wall_s",
                        "interval_s",
                        "processes",
                        "pid",
                        "name",
                        "rss_bytes",
                        "cost",
                        "cpu_s",
                        "unread",
                        "notes",
                        "flags",
                        "host",
                        "how",
                        "baseline",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_any_json_is_a_manifest_or_an_error_of_ours(content):
    with tempfile.TemporaryDirectory() as folder:
        plant(Path(folder), {"capture.json": json.dumps(content), "t0/proc/vmstat": "a 1\n"})
        try:
            capture = open_capture(folder)
        except AdvisorError:
            return
    assert capture.interval_s is None or capture.interval_s > 0


def test_a_fake_host_s_capture_comes_back(tmp_path):
    capture = capture_live(10, 3, root=str(plant(tmp_path / "host")), processes=False, clock=FakeTime().clock)

    assert round_trip(capture, tmp_path / "x") == capture


def test_a_compressed_stream_on_standard_output_is_flushed(monkeypatch):
    class Out(io.TextIOWrapper):
        def isatty(self):
            return False

    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Out(buffer))
    write_capture(SMALL, "-")

    assert buffer.getvalue()[:2] == b"\x1f\x8b"
