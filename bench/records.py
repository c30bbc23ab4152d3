"""Records of measurements, one JSON object in a line, added one by one: an interrupted series goes on where it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def read(file: Path) -> list[dict[str, Any]]:
    """The records kept so far; a line that was cut off while it was written does not count."""
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}\n")]


def add(file: Path, record: dict[str, Any]) -> None:
    """Keep one more record."""
    text = file.read_text() if file.exists() else ""
    start = "" if text.endswith("\n") or not text else "\n"
    with file.open("a") as data:
        data.write(start + json.dumps(record, separators=(",", ":")) + "\n")
