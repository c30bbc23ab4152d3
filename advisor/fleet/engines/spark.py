"""Spark: for stores that lie in a data lake, judged by a cluster. The cluster reads the Parquet files itself.

Every executor must see the store under the same path: a shared file system, or one machine.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyspark
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from advisor.engine.sql import SPARK, name_sql
from advisor.errors import AdvisorError
from advisor.fleet.engines._sql import SqlVerdicts
from advisor.fleet.queries import Judged, Plan, Selection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from advisor.fleet.store import Store

_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.codegen.wholeStage": "false",  # to compile hundreds of conditions takes longer than to run them
    "spark.sql.caseSensitive": "true",  # as Parquet
    "spark.sql.variable.substitute": "false",  # ${…} in a text is text
    "spark.sql.parser.escapedStringLiterals": "false",  # a backslash is a sign of its own, as `text_sql` writes it
}


class _Connection:
    def __init__(self, master: str) -> None:
        # What executors of a local cluster are started from; a cluster of its own has set it.
        os.environ.setdefault("SPARK_HOME", pyspark.__path__[0])
        builder = SparkSession.builder.appName("memadvisor").master(master)
        for name, value in _SETTINGS.items():
            builder = builder.config(name, value)
        try:
            self.session = builder.getOrCreate()
        except Exception as error:  # the JVM that is missing, too old, or cannot reach its master
            first = str(error).strip().splitlines()[:1]
            raise AdvisorError(f"Spark did not start: {' '.join(first)[:300]}", "it needs Java 17 or newer") from None

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        try:
            yield from map(tuple, self.session.sql(sql).toLocalIterator())
        except PySparkException as error:
            raise AdvisorError(f"Spark: {str(error).strip().splitlines()[0][:300]}") from None

    def load(self, store: Store, scope: str) -> str:
        """Names a table of the store; nothing is read yet."""
        name = f"memadvisor_{scope}"
        alike = len({part.schema for part in store.manifest.parts}) <= 1
        reader = self.session.read.option("mergeSchema", str(not alike).lower())
        reader.parquet(*(f"file://{file.absolute()}" for file in store.files(scope))).createOrReplaceTempView(name)
        return name_sql(name, SPARK)

    def close(self) -> None:
        self.session.stop()


def start(store: Store, rules: Sequence[Judged], selection: Selection, master: str = "local[*]") -> SqlVerdicts:
    """Verdicts on a store by a Spark cluster.

    Args:
        store: the store.
        rules: the rules.
        selection: which captures.
        master: the cluster's address: spark://HOST:PORT, yarn, k8s://…, or local[*] for this machine.

    Raises:
        AdvisorError: Spark cannot be started, or fails.
    """
    connection = _Connection(master)
    scopes = {"host", *(rule.check.scope for rule in rules)}
    tables = {scope: connection.load(store, scope) for scope in scopes if store.files(scope)}
    plan = Plan(
        rules,
        SPARK,
        tables=tables,
        present={scope: store.columns(scope) for scope in tables},
        selection=selection,
        replaced=store.manifest.replaced,
        repeats=store.manifest.repeats,
    )
    return SqlVerdicts(connection, plan)
