"""The list of what is read: its form, and what patterns mean."""

from __future__ import annotations

import fnmatch
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.capture.files import FILES, NEVER, fits, patterns


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.pattern)
def test_each_line_of_the_list_is_a_relative_pattern_with_one_star_per_name_and_a_reason(file):
    names = file.pattern.split("/")

    assert all(names)
    assert all(name == "**" or name.count("*") <= 1 for name in names)
    assert file.when in {"tick", "edge", "once"}
    assert file.why


def test_no_pattern_is_listed_twice():
    assert len(FILES) == len({file.pattern for file in FILES})


def test_files_that_act_when_they_are_touched_are_never_listed_by_name():
    assert not [file for file in FILES if file.pattern.rpartition("/")[2] in NEVER]


def test_a_tick_reads_five_files():
    expected = {"vmstat", "meminfo", "pressure/memory", "pressure/io", "pressure/cpu"}

    assert expected == {pattern.removeprefix("proc/") for pattern in patterns("tick")}


def test_dear_files_are_read_once_and_named_as_root_s():
    dear = {file.pattern: (file.when, file.root) for file in FILES if file.root}

    assert dear["proc/slabinfo"] == dear["proc/pagetypeinfo"] == ("once", True)


@given(st.text("ab*.", max_size=4), st.text("ab.", max_size=5))
def test_a_pattern_with_one_star_means_what_the_shell_means(pattern, name):
    if pattern.count("*") <= 1:
        assert fits(name, pattern) == fnmatch.fnmatchcase(name, pattern)


def loaded(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_the_package_loads_nothing():
    assert not {"json", "tarfile", "subprocess", "tempfile", "psutil", "dataclasses"} & loaded("import advisor.capture")


def test_measuring_a_host_loads_no_heavy_library_before_it_needs_it():
    heavy = {"json", "tarfile", "subprocess", "tempfile", "psutil", "pathlib", "shutil", "zlib", "lzma"}

    assert not heavy & loaded("import advisor.capture.live")


def test_opening_a_folder_loads_no_archive_library(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/vmstat").write_text("a 1\n")
    opened = loaded(f"from advisor.capture.open import open_capture; open_capture({str(tmp_path)!r})")

    assert not {"tarfile", "subprocess", "tempfile", "psutil", "pathlib", "zlib", "lzma", "bz2"} & opened
