"""Whole rows of chosen captures of a store, a batch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from advisor.fleet.columns import ENTITY, KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from advisor.fleet.store import Store

Entities = dict[tuple[str, str], dict[str, Any]]


def batches(
    store: Store, keys: Sequence[int], wanted: Mapping[str, set[str]], more: Sequence[str]
) -> Iterator[list[tuple[int, dict[str, Any], Entities]]]:
    """Rows of some captures, part by part of the store.

    Args:
        store: the store.
        keys: which captures.
        wanted: columns of signals by scope; a scope that is not named is not read.
        more: other columns of the table of hosts.

    Yields:
        For each part the key, the row of the host, and the rows of its entities by scope and name.
    """
    store.check(wanted)
    chosen = pa.array(sorted(keys), pa.int64())
    if not len(chosen):
        return
    for part in store.manifest.parts:
        folder = store.folder / "parts" / part.name
        hosts = {row[KEY]: row for row in _read(folder / "host.parquet", chosen, {*wanted["host"], *more, KEY})}
        entities: dict[int, Entities] = {key: {} for key in hosts}
        for scope in sorted(wanted.keys() - {"host"}) if hosts else ():
            if scope not in part.tables:
                continue
            for row in _read(folder / f"{scope}.parquet", chosen, {*wanted[scope], KEY, ENTITY}):
                entities[row[KEY]][scope, row[ENTITY]] = row
        yield [(key, row, entities[key]) for key, row in hosts.items()]


def _read(file: Path, keys: pa.Array, names: set[str]) -> list[dict[str, Any]]:
    """Rows of some captures; a column that an older version did not write is None."""
    parquet = pq.ParquetFile(file)
    present = [name for name in sorted(names) if name in parquet.schema_arrow.names]
    table = parquet.read(columns=present)
    table = table.filter(pc.is_in(table[KEY], value_set=keys))
    absent = dict.fromkeys(names - set(present))
    return [{**absent, **row} for row in table.to_pylist()]
