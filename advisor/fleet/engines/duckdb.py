"""DuckDB: within this process, on the Parquet files as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from advisor.engine.sql import DUCKDB, text_sql
from advisor.errors import AdvisorError
from advisor.fleet.engines._sql import SqlVerdicts
from advisor.fleet.queries import Judged, Plan, Selection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from advisor.fleet.store import Store

# A scan of a million hosts needs less; larger joins and groups spill to the disk beyond it.
_MEMORY = "1GB"
_ROWS_AT_ONCE = 2000


class _Connection:
    def __init__(self, threads: int | None) -> None:
        self._duckdb = duckdb.connect()
        self._duckdb.execute(f"SET memory_limit = '{_MEMORY}'")
        # Rows come in any order, so that none waits for others.
        self._duckdb.execute("SET preserve_insertion_order = false")
        if threads is not None:
            self._duckdb.execute(f"SET threads = {threads}")

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        try:
            found = self._duckdb.cursor().execute(sql)
            while batch := found.fetchmany(_ROWS_AT_ONCE):
                yield from batch
        except duckdb.Error as error:
            raise AdvisorError(f"DuckDB: {str(error).splitlines()[0][:300]}") from None

    def close(self) -> None:
        self._duckdb.close()


def start(store: Store, rules: Sequence[Judged], selection: Selection, threads: int | None = None) -> SqlVerdicts:
    """Verdicts on a store by DuckDB.

    Args:
        store: the store.
        rules: the rules.
        selection: which captures.
        threads: how many to use; by default one per processor.
    """
    plan = Plan(
        rules,
        DUCKDB,
        tables=tables(store),
        present={scope: store.columns(scope) for scope in ("host", *tables(store))},
        selection=selection,
        replaced=store.manifest.replaced,
        repeats=store.manifest.repeats,
    )
    return SqlVerdicts(_Connection(threads), plan)


def tables(store: Store) -> dict[str, str]:
    """SQL of each table of a store; a column that a part lacks is NULL there."""
    found = {}
    for scope in {scope for part in store.manifest.parts for scope in part.tables}:
        files = ", ".join(text_sql(str(file), DUCKDB) for file in store.files(scope))
        alike = len({part.schema for part in store.manifest.parts}) <= 1
        found[scope] = f"read_parquet([{files}], union_by_name = {'false' if alike else 'true'})"
    return found
