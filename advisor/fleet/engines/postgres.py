"""PostgreSQL: for those who keep their inventory there. The tables are copied into temporary ones of one connection.

Nothing in the server stays: temporary tables end with the connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql as quoted

from advisor.engine.sql import POSTGRES, name_sql
from advisor.errors import AdvisorError, UsageError
from advisor.fleet.columns import column
from advisor.fleet.engines._sql import SqlVerdicts
from advisor.fleet.parts import read_columns
from advisor.fleet.queries import Judged, Plan, Selection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from advisor.fleet.store import Store

_ROWS_AT_ONCE = 2000
_KINDS = {"num": POSTGRES.double, "str": POSTGRES.text, "bool": "BOOLEAN", "int": "BIGINT"}
# Texts are quoted for this setting, which old servers and careful administrators may have changed. Compiling
# conditions takes longer than to run them.
_SETTINGS = "SET standard_conforming_strings = on; SET jit = off"


class _Connection:
    def __init__(self, server: str) -> None:
        try:
            self._connection = psycopg.connect(server)
            self._connection.execute(_SETTINGS)
        except psycopg.Error as error:
            raise _failed(error) from None

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        try:
            # With a name the server keeps the rows and gives some at a time.
            with self._connection.cursor("verdicts") as cursor:
                cursor.itersize = _ROWS_AT_ONCE
                yield from cursor.execute(quoted.SQL(sql))
        except psycopg.Error as error:
            raise _failed(error) from None

    def load(self, store: Store, scope: str, names: Sequence[str]) -> None:
        """Copies a table of the store."""
        table = name_sql(_table(scope), POSTGRES)
        columns = ", ".join(f"{name_sql(name, POSTGRES)} {_KINDS[column(name).kind]}" for name in names)
        try:
            self._connection.execute(quoted.SQL(f"CREATE TEMPORARY TABLE {table} ({columns})"))
            with self._connection.cursor().copy(quoted.SQL(f"COPY {table} FROM STDIN")) as copy:
                for row in read_columns(store.files(scope), names):
                    copy.write_row(tuple(row.values()))
            self._connection.execute(quoted.SQL(f"ANALYZE {table}"))
        except psycopg.Error as error:
            raise _failed(error) from None

    def close(self) -> None:
        self._connection.close()


def _failed(error: psycopg.Error) -> AdvisorError:
    return AdvisorError(f"PostgreSQL: {str(error).strip().splitlines()[0][:300]}")


def _table(scope: str) -> str:
    return f"memadvisor {scope}"


def start(store: Store, rules: Sequence[Judged], selection: Selection, server: str | None = None) -> SqlVerdicts:
    """Verdicts on a store by a PostgreSQL server.

    Args:
        store: the store.
        rules: the rules.
        selection: which captures.
        server: a connection string or URI of libpq; what it does not say comes from the environment (PGHOST …).

    Raises:
        AdvisorError: the server cannot be reached, or refuses.
    """
    if server is not None and not server.strip():
        raise UsageError("an empty connection string", "for example: host=db.example dbname=inventory")
    connection = _Connection(server or "")
    scopes = {"host", *(rule.check.scope for rule in rules)}
    scopes = {scope for scope in scopes if store.files(scope)}
    present = {scope: {name for name in store.columns(scope) if _known(name)} for scope in scopes}
    for scope in scopes:
        connection.load(store, scope, sorted(present[scope]))
    plan = Plan(
        rules,
        POSTGRES,
        tables={scope: name_sql(_table(scope), POSTGRES) for scope in scopes},
        present=present,
        selection=selection,
        replaced=store.manifest.replaced,
        repeats=store.manifest.repeats,
    )
    return SqlVerdicts(connection, plan)


def _known(name: str) -> bool:
    """Whether this version has the column; one that it has not no rule reads."""
    try:
        column(name)
    except KeyError:
        return False
    return True
