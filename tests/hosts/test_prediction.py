"""Real kernels agree with `advisor predict`: the marks of every managed zone to the page, and MemAvailable."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from advisor.capture.open import open_capture
from tests.hosts.kernels import KERNELS
from tests.hosts.levels import kernels
from tests.hosts.shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hosts.guest import Guest

MIN_FREE = "vm.min_free_kbytes"
SCALE = "vm.watermark_scale_factor"
RATIO = "vm.lowmem_reserve_ratio"
PERCPU = "vm.percpu_pagelist_high_fraction"
PERCPU_OLD = "vm.percpu_pagelist_fraction"
THP = "thp.enabled"

STEPS = (
    {MIN_FREE: "4096", SCALE: "10"},
    {MIN_FREE: "16384", SCALE: "10"},
    {SCALE: "100"},
    {MIN_FREE: "11584", SCALE: "500"},
    {THP: "always"},
    {MIN_FREE: "2048", SCALE: "200"},
    {PERCPU: "16"},
    {RATIO: "64 64 16 0 0"},
    {SCALE: "35"},
    {THP: "madvise"},
    {THP: "never", MIN_FREE: "5000"},
    {RATIO: "256 256 32 1 1", SCALE: "1000"},
    {MIN_FREE: "65536", SCALE: "10"},
)
"""What is written, one after the other."""

ALIKE = ("noswap", "steady", "systemd")
"""Shapes whose zones are those of another one."""

FIRST = "never"
"""THP before the first step, so that `always` raises min_free_kbytes."""

QUICK = {*((kernel, "normal") for kernel in KERNELS), ("6.12", "numa"), ("6.12", "movable")}
"""What the quick run takes: every kernel, and every kind of zone once."""

PLACES = [
    pytest.param(kernel, shape, marks=() if (kernel, shape) in QUICK else pytest.mark.full, id=f"{kernel}-{shape}")
    for kernel in KERNELS
    for shape in SHAPES
    if shape not in ALIKE
]

MARKS = ("min", "low", "high", "promo")
_THP_FILE = "/sys/kernel/mm/transparent_hugepage/enabled"
_PAGE = 4096
# Counters that MemAvailable is made of; they go on changing between the capture and the reading after the
# write. Free pages count in full; of the others some part, between none and all.
_FREE = "nr_free_pages"
_OTHERS = ("nr_active_file", "nr_inactive_file", "nr_slab_reclaimable", "nr_kernel_misc_reclaimable")
# /proc/meminfo and /proc/vmstat are two readings, a moment apart.
_BETWEEN_READINGS = 64
_NEEDED = ("proc/zoneinfo", "proc/vmstat", "proc/meminfo", "proc/sys/vm", "sys/kernel/mm/transparent_hugepage")
_READ = "cat /proc/zoneinfo; echo; cat /proc/meminfo /proc/vmstat"


@dataclass
class Tally:
    """How often the kernel agreed, and in bytes how far MemAvailable was off at most."""

    seen: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    worst: int = 0

    def add(self, what: str, right: bool, words: str) -> None:
        self.seen[what] += 1
        self.right[what] += right
        if not right:
            self.wrong.append(words)


@pytest.fixture(scope="module")
def tally(say: Callable[[str], None]) -> Any:
    total = Tally()
    yield total
    say(
        f"prediction: {total.right['zone']} of {total.seen['zone']} zones to the page; protections in "
        f"{total.right['protection']} of {total.seen['protection']} zones; MemAvailable in range "
        f"{total.right['available']} of {total.seen['available']} times, off by {total.worst >> 10} KiB at most"
    )


def check(guest: Guest, step: dict[str, str], archive: Path, tally: Tally) -> list[str]:
    """Predict from a capture, write, compare; the differences."""
    if PERCPU in step and PERCPU_OLD.removeprefix("vm.") in guest.run("ls /proc/sys/vm"):
        step = {PERCPU_OLD: step[PERCPU]}
    archive.write_bytes(guest.capture(only=_NEEDED))
    prediction = predict(step, archive)
    after = guest.run(write_script(step) + _READ)
    known = len(tally.wrong)
    compare(tally, f"{guest.name} {step}", prediction, text_of(archive, "proc/vmstat"), after)
    return tally.wrong[known:]


def predict(step: dict[str, str], archive: Path) -> dict[str, Any]:
    """What `advisor predict` says, as a user would ask it."""
    changes = [f"{name}={value}" for name, value in step.items()]
    command = [sys.executable, "-m", "advisor", "predict", *changes, str(archive), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def text_of(archive: Path, path: str) -> str:
    """A file of a capture."""
    text = open_capture(str(archive)).text(path)
    assert text is not None
    return text


def write_script(step: dict[str, str]) -> str:
    """Shell commands that write the values, in the order that predictions assume."""
    lines = []
    for name, value in sorted(step.items(), key=lambda item: item[0] != THP):
        path = _THP_FILE if name == THP else f"/proc/sys/{name.replace('.', '/', 1)}"
        lines.append(f"echo {value} > {path}\n")
    return "set -e\n" + "".join(lines)


def zones(text: str) -> dict[tuple[int, str], dict[str, int]]:
    """Marks and managed pages of each zone as the kernel prints them; read here without advisor's parser."""
    found = {}
    for part in re.split(r"^(?=Node \d+, zone)", text, flags=re.MULTILINE):
        head = re.match(r"Node (\d+), zone +(\w+)", part)
        if head:
            lines = re.findall(r"^ +(min|low|high|promo|managed|boost) +(\d+)$", part, re.MULTILINE)
            found[int(head[1]), head[2]] = {name: int(value) for name, value in reversed(lines)}
    return found


def kept_back(text: str) -> dict[tuple[int, str], list[int]]:
    """The line `protection:` of each zone as the kernel prints it."""
    lines = re.findall(r"^Node (\d+), zone +(\w+)$.*?^ +protection: \((.*?)\)$", text, re.MULTILINE | re.DOTALL)
    return {(int(node), zone): [int(word) for word in row.split(", ")] for node, zone, row in lines}


def counter(text: str, name: str) -> int:
    """A line of /proc/meminfo (in KiB) or /proc/vmstat."""
    return int(re.search(rf"^{name}:? +(\d+)", text, re.MULTILINE)[1])  # type: ignore[index]


def compare(tally: Tally, where: str, prediction: dict[str, Any], before: str, after: str) -> None:
    """Count how often the kernel agrees with a prediction."""
    real = zones(after)
    predicted = {(zone["after"]["node"], zone["after"]["zone"]): zone for zone in prediction["zones"]}
    managed = {place: zone for place, zone in real.items() if zone["managed"]}
    assert managed
    for place, zone in managed.items():
        marks = [name for name in MARKS if name in zone]
        expected = {name: predicted[place]["after"][name] for name in marks}
        got = {name: zone[name] for name in marks}
        tally.add("zone", expected == got, f"{where}, node {place[0]} {place[1]}: predicted {expected}, is {got}")
    for place, row in kept_back(after).items():
        foretold = predicted[place]["protection"]
        words = f"{where}, node {place[0]} {place[1]}: protection predicted {foretold}, is {row}"
        tally.add("protection", foretold == row, words)
    drift = {name: counter(after, name) - counter(before, name) for name in (_FREE, *_OTHERS)}
    slack = _PAGE * (_BETWEEN_READINGS + sum(abs(drift[name]) for name in _OTHERS))
    available = 1024 * counter(after, "MemAvailable")
    expected = prediction["after"]["available"] + _PAGE * drift[_FREE]
    off = abs(available - expected)
    words = f"{where}: MemAvailable predicted {expected}, is {available}: off by {off}, of which drift explains {slack}"
    tally.add("available", off <= slack, words)
    tally.worst = max(tally.worst, off)


@pytest.mark.hosts
@pytest.mark.parametrize(("kernel", "shape"), PLACES)
def test_the_kernel_agrees_with_the_prediction(start_guest, tally, tmp_path, kernel, shape):
    guest = start_guest(kernel, shape)
    guest.run(f"echo {FIRST} > {_THP_FILE}")
    guest.capture(only=_NEEDED)  # a first capture loads its tools, which moves MemAvailable between two readings
    wrong = [check(guest, step, tmp_path / "before.tar", tally) for step in STEPS]
    assert wrong == [[]] * len(STEPS)


@pytest.mark.hosts
@pytest.mark.parametrize("kernel", kernels("6.12"))
@pytest.mark.parametrize("step", [{RATIO: "64 64 16 0 0"}, {PERCPU: "16"}], ids=["reserve", "percpu"])
def test_what_boot_computed_stays_until_a_mark_is_written(start_guest, tally, tmp_path, kernel, step):
    guest = start_guest(kernel, "normal")
    assert check(guest, step, tmp_path / "before.tar", tally) == []
