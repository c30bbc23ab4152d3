"""Fixtures that hand out guests. Without MEMADVISOR_HOSTS=quick or =full no test that needs one is run."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.hosts import tools
from tests.hosts.errors import MissingToolError, UnfitKernelError
from tests.hosts.states import Hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.hosts.guest import Guest

HERE = Path(__file__).parent

LEVEL = os.environ.get("MEMADVISOR_HOSTS", "")
"""Which tests with guests run: none, `quick` or `full`."""

_END = time.monotonic() + float(os.environ.get("MEMADVISOR_HOSTS_SECONDS", "inf"))
"""When the time is over that CI gives to tests with guests."""

_SAID = pytest.StashKey[list[str]]()
_LEFT_OUT = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks."""
    config.addinivalue_line("markers", "hosts: needs a guest; runs with make test-hosts")
    config.addinivalue_line("markers", "full: takes long; runs with make test-hosts-full only")
    config.stash[_SAID] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the level does not ask for; predictions come first, for CI gives little time."""
    items.sort(key=lambda item: item.path.parent == HERE and item.path.name != "test_prediction.py")
    unwanted = [item for item in items if not _wanted(item)]
    config.stash[_LEFT_OUT] = len(unwanted)
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)
        items[:] = [item for item in items if item not in set(unwanted)]
    for item in items:
        if item.get_closest_marker("hosts") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(3600))  # guests have limits of their own, and say what they were at


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start no test with a guest after the time for them."""
    if item.get_closest_marker("hosts") and time.monotonic() > _END:
        pytest.skip("no time left for test hosts (MEMADVISOR_HOSTS_SECONDS)")


def _wanted(item: pytest.Item) -> bool:
    if item.get_closest_marker("hosts") is None:
        return True
    return LEVEL == "full" or (LEVEL == "quick" and item.get_closest_marker("full") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what the tests have to say, and how to run those that were left out."""
    if config.stash.get(_LEFT_OUT, 0):
        how = "make test-hosts-full" if LEVEL else "make test-hosts"
        terminalreporter.write_line(f"{config.stash[_LEFT_OUT]} tests on real kernels were not run: {how}")
    for line in config.stash[_SAID]:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Adds a line to the end of the run's output."""
    return pytestconfig.stash[_SAID].append


@pytest.fixture(scope="session")
def hosts() -> Iterator[Hosts]:
    """All guests of the run; skips where this machine cannot run any."""
    try:
        tools.require(tools.RUN)
    except MissingToolError as error:
        pytest.skip(f"no test hosts on this machine: {error}")
    with Hosts() as hosts:
        yield hosts


@pytest.fixture
def start_guest(hosts: Hosts) -> Iterator[Callable[[str, str], Guest]]:
    """Starts guests: `start_guest("6.12", "numa")`. They end with the test."""

    def start(kernel: str, shape: str = "normal") -> Guest:
        try:
            return hosts.start(kernel, shape)
        except UnfitKernelError as error:
            pytest.skip(str(error))

    yield start
    hosts.stop_all()
