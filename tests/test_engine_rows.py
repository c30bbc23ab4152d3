"""Evaluation on rows: three-valued logic, against an evaluator that shares nothing with the product."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from advisor.engine.check import check
from advisor.engine.checked import Checked
from advisor.engine.names import number
from advisor.engine.rows import compile_row
from advisor.engine.source import MAX_TEXT
from advisor.engine.text import expression_text
from advisor.errors import ExpressionError
from tests.engine_expressions import (
    CATALOGUE,
    NUMBERS,
    condition,
    has_known,
    numeric,
    reference,
    rows,
    text_of,
)

T, F, U = True, False, None
NAMES = {name: number() for name in ("a", "b", "c")}
THOROUGH = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))

expressions = st.sampled_from(("bool", "bool", *NUMBERS)).flatmap(
    lambda kind: condition(4) if kind == "bool" else numeric(kind, 4)
)


def value_of(text: str, row: dict) -> object:
    return compile_row(check(text, CATALOGUE | NAMES, want=None).tree)(row)


# The generator may write a text that is too long, a constant out of range, or a constant zero as a divisor.
def checked(text: str) -> Checked:
    assume(len(text) <= MAX_TEXT)
    try:
        return check(text, CATALOGUE, want=None)
    except ExpressionError as error:
        assume(error.message not in ("division by zero", "number out of range"))
        raise


@given(expressions, rows())
@THOROUGH
def test_a_random_expression_has_the_value_that_the_plain_evaluator_gives(tree, row):
    expected = reference(tree, row)
    actual = compile_row(checked(text_of(tree)).tree)(row)
    assert (type(actual), actual) == (type(expected), expected)


@given(expressions, rows())
@THOROUGH
def test_an_expression_stored_as_json_is_the_same_expression(tree, row):
    before = checked(text_of(tree))
    after = Checked.from_json(json.loads(json.dumps(before.to_json())))
    assert after == before
    assert compile_row(after.tree)(row) == compile_row(before.tree)(row)


@given(expressions, rows())
@THOROUGH
def test_an_expression_written_out_again_has_the_same_value(tree, row):
    first = checked(text_of(tree)).tree
    second = checked(expression_text(first)).tree
    assert compile_row(second)(row) == compile_row(first)(row)


@given(expressions, rows(), rows(missing=False))
@THOROUGH
def test_a_result_known_without_some_signals_stays_whatever_they_turn_out_to_be(tree, row, filling):
    assume(not has_known(tree))
    evaluate = compile_row(checked(text_of(tree)).tree)
    early = evaluate(row)
    assume(early is not None)
    known = {name: value for name, value in row.items() if is_known(value)}
    assert evaluate(filling | known) == early


def is_known(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (T, T, T, T),
        (T, F, F, T),
        (T, U, U, T),
        (F, T, F, T),
        (F, F, F, F),
        (F, U, F, U),
        (U, T, U, T),
        (U, F, F, U),
        (U, U, U, U),
    ],
)
def test_and_or_follow_kleene(left, right, both, either):
    row = {"zram.active": left, "host.container": right}
    assert value_of("zram.active and host.container", row) is both
    assert value_of("zram.active or host.container", row) is either


@pytest.mark.parametrize(("value", "expected"), [(T, F), (F, T), (U, U)])
def test_not_of_unknown_is_unknown(value, expected):
    assert value_of("not zram.active", {"zram.active": value}) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a - b - c", 4.0),
        ("a / b * c", 20.0),
        ("a - b * c", 2.0),
        ("-a * b", -20.0),
        ("a + -b", 8.0),
        ("a > b or b > a and false", True),
        ("not a > b and false", False),
        ("not (a > b and false)", True),
        ("a if b > c else b if c > a else c", 4.0),
        ("0 < b <= 2 < a", True),
        ("0 < b <= 1 < a", False),
        ("min(a, b, c + 0.5)", 2.0),
        ("max(a, b, c + 10)", 14.0),
        ("clamp(a, b, c)", 4.0),
        ("clamp(b, c, a)", 4.0),
        ("ceil(a / c)", 3.0),
        ("floor(a / c)", 2.0),
        ("sqrt(c)", 2.0),
        ("abs(b - a)", 8.0),
        ("0x10 + 1_000", 1016.0),
    ],
)
def test_operators_bind_and_compute_as_in_a_playbook(text, expected):
    assert value_of(text, {"a": 10.0, "b": 2.0, "c": 4.0}) == expected


@pytest.mark.parametrize(
    "text",
    ["a / b", "b / b", "a / (b - b)", "sqrt(-a)", "a * a", "c > 0", "c - c", "min(c, a)", "-c", "ceil(c)"],
)
@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_what_has_no_finite_value_is_unknown(text, odd):
    assert value_of(text, {"a": 1e200, "b": 0.0, "c": odd}) is None


@pytest.mark.parametrize("row", [{}, {"a": None}, {"a": math.nan}])
def test_known_tells_a_missing_value_from_a_zero(row):
    assert value_of("known(a)", row) is False
    assert value_of("a is undefined", row) is True
    assert value_of("a is not defined", row) is True
    assert value_of("a is defined", {"a": 0.0}) is True


def test_a_let_part_stands_for_its_tree():
    let = {"share": check("a / (a + b)", NAMES, want="num")}
    let["high"] = check("share > 0.5", NAMES, let=let)
    rule = check("high and c > 0", NAMES, let=let)
    assert rule.names == {"a", "b", "c"}
    assert (rule.let, let["high"].let) == ({"high"}, {"share"})
    evaluate = compile_row(rule.tree)
    assert [evaluate({"a": a, "b": b, "c": 1.0}) for a, b in ((3.0, 1.0), (1.0, 3.0), (0.0, 0.0))] == [
        T,
        F,
        U,
    ]


@pytest.mark.parametrize("tree", [(), ("what", 1), ("<", ("sig", "a", "num")), ("num",), ("and", 1, 2), ("sig", "a")])
def test_a_tree_that_no_check_made_is_refused(tree):
    with pytest.raises(ExpressionError, match="not a checked expression"):
        compile_row(tree)


@pytest.mark.parametrize(
    "data", [None, [], {}, {"text": "a"}, {"text": "", "tree": 1, "type": 2, "names": 3, "let": 4}]
)
def test_stored_data_of_another_shape_is_refused(data):
    with pytest.raises(ExpressionError, match="not a stored expression"):
        Checked.from_json(data)


def test_evaluation_does_not_load_jinja2():
    modules = ("checked", "dimension", "explain", "message", "names", "rows", "suggest", "text")
    code = ";".join(f"import advisor.engine.{name}" for name in modules) + ";import sys;print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
