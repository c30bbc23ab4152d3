"""A store judged by a Spark cluster of several executors, and conditions compared with the row evaluator there."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from advisor.engine.sql import SPARK, name_sql, text_sql, to_sql
from advisor.fleet.evaluate import Verdict, evaluate
from advisor.rulebook import library
from tests.engine_expressions import CATALOGUE
from tests.sql_agreement import corpus, expected
from tests.synthetic_fleet import add_part, fleet, real_rows, varied, without_column
from tests.test_engine_sql import ARROW, HOSTILE

if TYPE_CHECKING:
    from advisor.fleet.store import Store
    from advisor.rulebook.library import Check

pytest.importorskip("pyspark", reason="no Spark here: pip install 'memadvisor[spark]'")
if shutil.which("java") is None:
    pytest.skip("no Java here, which Spark needs: apt-get install openjdk-17-jre-headless", allow_module_level=True)

RULES = library.load()
MASTER = "local-cluster[2,1,1024]"  # two executors, each a process with one core and 1 GiB


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """The session that the engine starts; it stays for all tests, and ends with them."""
    folder = tmp_path_factory.mktemp("spark")
    with evaluate(fleet(folder / "s", 1), library.load(), "spark", master=MASTER) as found:
        list(found.hosts([]))
        session = found.connection.session
        session.sparkContext.setLogLevel("ERROR")
        yield session


def test_it_is_a_cluster_of_several_executors(session):
    driver_and_executors = session.sparkContext._jsc.sc().getExecutorMemoryStatus().size()
    assert driver_and_executors == 3


def test_random_conditions_agree_cell_by_cell(session, tmp_path):
    conditions, table = corpus(60)
    arrays = {name: pa.array([row[name] for row in table], ARROW[t.kind]) for name, t in CATALOGUE.items()}
    pq.write_table(pa.table({"place": range(len(table)), **arrays}), tmp_path / "hosts.parquet")
    session.read.parquet(f"file://{tmp_path}/hosts.parquet").createOrReplaceTempView("hosts")
    columns = ", ".join(f"{to_sql(each.tree, SPARK)} AS c{n}" for n, each in enumerate(conditions))
    found = session.sql(f"SELECT place, {columns} FROM hosts ORDER BY place").collect()
    for n, condition in enumerate(conditions):
        assert [row[n + 1] for row in found] == expected(condition, table), condition.text


def verdicts(store: Store, rules: list[Check], engine: str, **more: object) -> Counter[Verdict]:
    with evaluate(store, rules, engine, **more) as found:
        return Counter(found.verdicts(0))


def test_all_rules_agree_cell_by_cell(session, tmp_path, monkeypatch):
    monkeypatch.setattr(type(session), "stop", lambda _self: None)  # the next test needs it
    store = fleet(tmp_path / "s", 120)
    assert verdicts(store, RULES, "spark", master=MASTER) == verdicts(store, RULES, "rows")


def test_parts_of_two_versions_are_judged_together_and_counted(session, tmp_path, monkeypatch):
    monkeypatch.setattr(type(session), "stop", lambda _self: None)
    store = without_column(fleet(tmp_path / "s", 5), "vm.swappiness")
    add_part(store, [varied(rows, random.Random(n), f"n{n}") for n, rows in enumerate(real_rows())])
    some = [rule for rule in RULES if "vm.swappiness" in rule.names]
    assert verdicts(store, some, "spark", master=MASTER) == verdicts(store, some, "rows")
    with evaluate(store, some, "spark", master=MASTER) as found, evaluate(store, some, "rows") as expected_:
        assert Counter(found.counts(["host.kernel"])) == Counter(expected_.counts(["host.kernel"]))


def test_hostile_texts_and_names_are_neutral(session):
    columns = ", ".join(f"{text_sql(text, SPARK)} AS {name_sql(text, SPARK)}" for text in HOSTILE)
    (row,) = session.sql(f"SELECT {columns}").collect()
    assert tuple(row) == HOSTILE
    assert tuple(row.asDict()) == HOSTILE
