"""Pressure made in real kernels gets the right class of diagnosis and no wrong one; look-alikes get none."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.hosts.kernels import KERNELS
from tests.hosts.scenarios import SCENARIOS, Scenario
from tests.hosts.verdict import HEALTHY, faults, judge, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.hosts.guest import Guest

PRODUCT = Path(__file__).parents[2]
KEEP = os.environ.get("MEMADVISOR_HOSTS_KEEP", "")
"""A folder for the captures of the run; empty: they are dropped."""

QUICK = "6.12"
"""The kernel of the quick run."""

_OUTPUT = "/run/spawned.log"

Matrix = dict[tuple[str, str], str]


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the product, so that every scenario of a run is judged by the same."""
    folder = tmp_path_factory.mktemp("product")
    for part in ("advisor", "rules"):
        shutil.copytree(PRODUCT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def matrix(say: Callable[[str], None]) -> Iterator[Matrix]:
    """What came out for each kernel and scenario; printed at the end."""
    got: Matrix = {}
    yield got
    say("diagnosis, kernel x scenario: expected -> got")
    for (kernel, name), words in got.items():
        expected = " or ".join(sorted(SCENARIOS[name].expected)) or HEALTHY
        say(f"  {kernel:7} {name:17} {expected} -> {words}")


def press(guest: Guest, scenario: Scenario) -> bytes:
    """Put a guest under pressure and capture it."""
    guest.capture()  # the tools that it takes are in the page cache then
    if scenario.setup:
        guest.run(f"set -e\n{scenario.setup}")
    guest.spawn(scenario.load, _OUTPUT)
    if scenario.ready:
        guest.run(f"until grep -q {scenario.ready} {_OUTPUT}; do sleep 0.5; done", timeout_s=180)
    for disk, size, requests in scenario.disks:
        guest.throttle(disk, bytes_per_s=size, requests_per_s=requests)
    time.sleep(scenario.settle_s)
    return guest.capture(scenario.window_s, 3)


def _cases() -> Iterator[Any]:
    for kernel in KERNELS:
        for name, scenario in SCENARIOS.items():
            quick = kernel == QUICK and scenario.quick
            yield pytest.param((kernel, name), marks=() if quick else pytest.mark.full, id=f"{kernel}-{name}")


@pytest.mark.hosts
@pytest.mark.parametrize("case", list(_cases()))
def test_pressure_gets_the_right_class_and_no_wrong_one(start_guest, product, matrix, tmp_path, case):
    kernel, name = case
    scenario = SCENARIOS[name]
    matrix[kernel, name] = "no capture"
    archive = Path(KEEP or tmp_path) / f"{kernel}-{name}.tar"
    archive.write_bytes(press(start_guest(kernel, scenario.shape), scenario))
    report = judge(product, archive)
    wrong = faults(scenario, report)
    matrix[kernel, name] = summary(report) + (f"; WRONG: {'; '.join(wrong)}" if wrong else "")
    assert wrong == []
