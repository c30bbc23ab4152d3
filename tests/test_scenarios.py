"""Captures recorded in real kernels under pressure, and in look-alikes, are judged as their table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.hosts.scenarios import NEVER_HELPS, SCENARIOS
from tests.hosts.verdict import faults, judge

HERE = Path(__file__).parent
FOLDER = HERE / "captures" / "scenarios"
ARCHIVES = sorted(FOLDER.glob("*.tar.xz"))
ROW = re.compile(r"\| (\S+) \| (\S+) \| [^|]+ \| ([^|]+) \|")


def scenario_of(archive: Path) -> str:
    return archive.name.removesuffix(".tar.xz").partition("-")[2]


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def test_a_recorded_host_gets_the_right_class_and_no_wrong_one(archive):
    report = judge(HERE.parent, archive)
    assert report["capture"]["samples"] >= 2
    assert faults(SCENARIOS[scenario_of(archive)], report) == []


@pytest.mark.parametrize("name", ["swap-thrash", "file-thrash", "cgroup-limit", "slab-growth", "oom-kill"])
def test_higher_watermarks_count_as_a_fault_where_memory_is_short(name):
    assert set(NEVER_HELPS) <= set(SCENARIOS[name].unadvised)


def test_each_recorded_host_is_small_and_stands_in_the_table():
    rows = ROW.findall((FOLDER / "README.md").read_text())
    listed = {f"{kernel}-{name}.tar.xz": classes for kernel, name, classes in rows if name in SCENARIOS}
    expected = {path.name: " or ".join(sorted(SCENARIOS[scenario_of(path)].expected)) or "healthy" for path in ARCHIVES}
    assert listed == expected
    assert [path.name for path in ARCHIVES if path.stat().st_size > 40_000] == []


def test_a_report_is_held_against_what_is_expected():
    thrash = judge(HERE.parent, FOLDER / "6.12-swap-thrash.tar.xz")
    calm = judge(HERE.parent, FOLDER / "6.12-streaming-read.tar.xz")
    assert faults(SCENARIOS["streaming-read"], thrash) == ["found swap_thrash"]
    assert faults(SCENARIOS["swap-thrash"], calm) == ["did not find swap_thrash"]
