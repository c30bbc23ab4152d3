"""Fixtures for what runs on targets; `module_utils` needs no Ansible."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.ansible_modules.target import Target, link_collection

link_collection()


@pytest.fixture
def target(tmp_path):
    """A folder that stands for the root of a target."""
    (tmp_path / "root").mkdir()
    return Target(tmp_path / "root")


@pytest.fixture
def fast_folder():
    """A folder in memory where there is such a place: thousands of fsync calls on a disk take minutes."""
    folder = tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    yield Path(folder)
    shutil.rmtree(folder)
