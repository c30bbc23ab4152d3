"""Parquet files: a part of a store is a folder with one file per table."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from advisor.errors import AdvisorError
from advisor.fleet.columns import KEY, Column, catalogue_version, columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from advisor.fleet.flatten import Rows

FORMAT = 1
ROW_BITS = 20  # of `@key`: the number of the capture within its part; the rest is the number of the part
_ROWS_TOGETHER = 100_000  # a row group: what an engine's thread takes at once
_TYPES = {"num": pa.float64(), "bool": pa.bool_(), "str": pa.string(), "int": pa.int64()}


class Batch:
    """Captures on their way into one part, column by column."""

    def __init__(self, part: int) -> None:
        self.part = part
        self.captures = 0
        self._values: dict[str, dict[str, list[Any]]] = {}

    def add(self, rows: Rows) -> int:
        """Takes the rows of a capture; returns its key."""
        key = (self.part << ROW_BITS) | self.captures
        self.captures += 1
        for scope, found in rows.items():
            table = self._values.setdefault(scope, {column.name: [] for column in columns(scope)})
            for row in found:
                row[KEY] = key
            for name, values in table.items():
                values.extend([row.get(name) for row in found])
        return key

    def write(self, folder: Path) -> dict[str, tuple[int, int]]:
        """Writes the tables into a new folder, to the disk; returns rows and bytes of each."""
        folder.mkdir()
        written = {}
        for scope, values in self._values.items():
            arrays = [pa.array(values[column.name], _TYPES[column.kind]) for column in columns(scope)]
            file = folder / f"{scope}.parquet"
            write_table(pa.Table.from_arrays(arrays, schema=schema(scope, columns(scope))), file)
            written[scope] = (len(values[KEY]), file.stat().st_size)
        sync(folder)
        return written


def schema(scope: str, of: Sequence[Column]) -> pa.Schema:
    """The schema of a table, with what a reader must know: units, and which catalogue named them."""
    fields = [pa.field(column.name, _TYPES[column.kind], metadata={"unit": column.unit}) for column in of]
    about = {"memadvisor.store": str(FORMAT), "memadvisor.scope": scope, "memadvisor.catalogue": catalogue_version()}
    return pa.schema(fields, metadata=about)


def write_table(table: pa.Table, file: Path) -> None:
    """Writes a table, to the disk."""
    pq.write_table(table, file, compression="zstd", row_group_size=_ROWS_TOGETHER)
    sync(file)


def sync(path: Path) -> None:
    """Waits until a file, or the list of a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_units(file: Path) -> dict[str, list[str]]:
    """Kind and unit of each column of a table.

    Raises:
        AdvisorError: it is no Parquet file of a store, is damaged, or a column says no unit.
    """
    try:
        found = pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        detail = str(error).partition("\n")[0][:120]
        raise AdvisorError(f"{file}: not a whole Parquet file: {detail}", "ingest its captures again") from None
    about = found.metadata or {}
    version = about.get(b"memadvisor.store", b"").decode("ascii", "replace")
    if not version.isdigit() or int(version) > FORMAT:
        what = f"a table of format {version}" if version else "no table of a store"
        raise AdvisorError(f"{file}: is {what}, and this memadvisor reads format {FORMAT}", "upgrade memadvisor")
    return {field.name: _described(field, file) for field in found}


def _described(field: pa.Field, file: Path) -> list[str]:
    kinds = {str(type_): kind for kind, type_ in _TYPES.items()}
    kind, unit = kinds.get(str(field.type)), (field.metadata or {}).get(b"unit")
    if kind is None or unit is None:
        what = f"type {field.type}" if kind is None else "no unit"
        raise AdvisorError(f"{file}: column {field.name!r} has {what}", "ingest its captures again")
    return [kind, unit.decode("utf-8", "replace")]


def read_columns(files: Iterable[Path], names: Sequence[str]) -> Iterable[dict[str, Any]]:
    """Rows of some columns, a batch at a time; a column that a file has not is None."""
    for file in files:
        reader = pq.ParquetFile(file)
        present = [name for name in names if name in reader.schema_arrow.names]
        for batch in reader.iter_batches(batch_size=4096, columns=present):
            for row in batch.to_pylist():
                yield {name: row.get(name) for name in names}
