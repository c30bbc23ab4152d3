"""SQL text of conditions: the same answers as the row evaluator, in a real engine; nothing hostile gets through."""

from __future__ import annotations

import math

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from advisor.engine.check import check
from advisor.engine.rows import compile_row
from advisor.engine.sql import DUCKDB, LARGEST, POSTGRES, SPARK, fitting, name_sql, text_sql, to_sql
from advisor.errors import AdvisorError
from advisor.rulebook import library
from tests.engine_expressions import CATALOGUE
from tests.sql_agreement import checked, expected, expressions, many_rows

ARROW = {"num": pa.float64(), "bool": pa.bool_(), "str": pa.string()}
HOSTILE = ("'", "''", '"', '""', "\\", "\\'", "'; DROP TABLE t; --", "${spark.app.name}", "{{ 1 }}", "%s", "?", ":a",
           "$1", "/*", "--", "\n", "\t", "\x1b[2J", "\U0001f4a3", "`", "\\u0027", "a\\", "é", "e\u0301")  # fmt: skip


@pytest.fixture(scope="module")
def database():
    with duckdb.connect() as connection:
        yield connection


def answers(database, sql: str, table: list[dict]) -> list[object]:
    arrow = pa.table({name: pa.array([row[name] for row in table], ARROW[t.kind]) for name, t in CATALOGUE.items()})
    database.register("hosts", arrow)
    return [value for (value,) in database.execute(f"SELECT {sql} FROM hosts").fetchall()]


@given(expressions, many_rows)
@settings(deadline=None, max_examples=250, suppress_health_check=list(HealthCheck))
def test_every_cell_is_that_of_the_row_evaluator(database, tree, table):
    expression = checked(tree)
    assert answers(database, to_sql(expression.tree, DUCKDB), table) == expected(expression, table)


def product(signs: str, names: str = "n") -> tuple:
    tree: tuple = ("sig", names, "num")
    for sign in signs:
        tree = (sign, tree, ("sig", names, "num"))
    return tree


@pytest.mark.parametrize("signs", ["*" * 12, "*" * 9, "+" * 12, "*" * 10 + "-"])
@pytest.mark.parametrize("value", [1e30, -1e30, 1e29, 1e-30, 0.0])
def test_what_leaves_the_range_of_numbers_is_unknown(database, signs, value):
    row = dict.fromkeys(CATALOGUE) | {"n": value}
    assert answers(database, to_sql(product(signs), DUCKDB), [row]) == [compile_row(product(signs))(row)]


def test_a_number_beyond_the_range_of_a_divisor_is_unknown(database):
    small = ("/", ("sig", "n", "num"), product("*" * 9, "host.cpus"))  # 1 / 1e-300
    tree = ("/", ("*", small, ("num", 1e20, "")), ("num", 1.0, ""))
    row = dict.fromkeys(CATALOGUE) | {"n": 1.0, "host.cpus": 1e-30}
    assert compile_row(tree)(row) is None
    assert answers(database, to_sql(tree, DUCKDB), [row]) == [None]


def test_postgresql_which_would_raise_an_error_refuses_beforehand():
    with pytest.raises(AdvisorError, match="leave the range of numbers in PostgreSQL"):
        to_sql(product("*" * 12), POSTGRES)


@pytest.mark.parametrize("dialect", [DUCKDB, SPARK, POSTGRES], ids=lambda d: d.name)
def test_every_rule_has_sql_without_a_guard(dialect):
    for one in library.load():
        for tree in (one.when, one.unless):
            if tree is not None:
                assert "Infinity" not in to_sql(tree, dialect)


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_hostile_texts_and_names_are_neutral(database, text):
    assert database.execute(f"SELECT {text_sql(text, DUCKDB)}").fetchall() == [(text,)]
    found = database.execute(f"SELECT 1 AS {name_sql(text, DUCKDB)}")
    assert [column[0] for column in found.description] == [text]


def test_a_text_that_no_engine_holds_becomes_one_that_they_do(database):
    text = "a\0b\udcff"
    assert database.execute(f"SELECT {text_sql(text, DUCKDB)}").fetchall() == [("a\ufffdb\ufffd",)]
    assert fitting(text) == "a\ufffdb\ufffd"


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-30, LARGEST, 2.0**53 + 2, 123456789.123456789, 5e-324])
def test_numbers_arrive_to_the_last_bit(database, value):
    sql = to_sql(("num", value, ""), DUCKDB)
    assert database.execute(f"SELECT {sql}").fetchall() == [(value,)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e31])
def test_what_is_no_number_of_a_computer_is_unknown_in_columns(value):
    assert fitting(value) is None


@pytest.mark.parametrize("tree", [("drop",), ("sig",), ("+", 1, 2), (), ("num", "x; --", "")])
def test_a_tree_that_no_checker_made_is_refused(tree):
    with pytest.raises(AdvisorError, match="not a checked expression"):
        to_sql(tree, DUCKDB)


def test_deep_nests_of_min_are_refused_before_they_fill_memory():
    tree: tuple = ("sig", "n", "num")
    for _ in range(60):
        tree = ("min", tree, ("max", tree, ("sig", "host.cpus", "num")))
    with pytest.raises(AdvisorError, match="too large for SQL"):
        to_sql(tree, DUCKDB)


def test_the_longest_min_of_the_language_is_not_too_large(database):
    text = f"min({', '.join(['n', 'host.cpus'] * 10)})"
    tree = check(text, CATALOGUE, want="num").tree
    row = dict.fromkeys(CATALOGUE) | {"n": 3.0, "host.cpus": 2.0}
    assert answers(database, to_sql(tree, DUCKDB), [row, row | {"n": None}]) == [2.0, None]
