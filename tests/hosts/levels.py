"""Which kernels a test runs on in the quick run, and which in the full one only."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hosts.kernels import KERNELS


def kernels(*quick: str) -> list[Any]:
    """Parameters for a test of every kernel; the quick run takes those that are named."""
    return [pytest.param(one, marks=() if one in quick else pytest.mark.full, id=one) for one in KERNELS]
