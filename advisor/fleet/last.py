"""The report of the run before, kept in the store beside the tables, so that the next can say what changed."""

from __future__ import annotations

import gzip
import json
import os
from typing import TYPE_CHECKING, Any

from advisor.errors import AdvisorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from advisor.fleet.store import Store

FORMAT = "memadvisor/last-report/1"
_LARGEST = 1 << 30


def read(store: Store, policy: str) -> list[dict[str, Any]] | None:
    """The documents of the hosts as the last run with a policy found them; None when there was none.

    Args:
        store: the store.
        policy: name of the policy; empty for the rules alone.

    Raises:
        AdvisorError: the file is damaged.
    """
    file = _file(store, policy)
    try:
        with gzip.open(file, "rt", encoding="utf-8") as text:
            document = json.loads(text.read(_LARGEST))
        if document["format"] != FORMAT:
            raise AdvisorError(
                f"{file}: is of format {str(document['format'])[:40]!r}", "remove it, or upgrade memadvisor"
            )
        return list(document["hosts"])
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        raise AdvisorError(f"{file}: is damaged", "remove it: the next run has nothing to compare with") from None


def write(store: Store, policy: str, documents: Iterable[Mapping[str, Any]]) -> None:
    """Keeps what a comparison needs of the documents of a run: whole or not at all."""
    file = _file(store, policy)
    file.parent.mkdir(exist_ok=True)
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with gzip.open(new, "wt", encoding="utf-8", compresslevel=3) as text:
            json.dump({"format": FORMAT, "hosts": [_short(document) for document in documents]}, text)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _file(store: Store, policy: str) -> Path:
    # A policy's name holds letters, digits and dashes only.
    return store.folder / "reports" / f"last{'-' + policy if policy else ''}.json.gz"


def _short(document: Mapping[str, Any]) -> dict[str, Any]:
    failed = [
        {**finding, "evidence": [], "ruled_out": []} for finding in document["findings"] if finding["state"] == "fail"
    ]
    return {**document, "findings": failed, "recommendations": [], "held_back": [], "zones": []}
