"""Conditions and rows for comparing SQL engines with the row evaluator, cell by cell."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from advisor.engine.check import check
from advisor.engine.rows import compile_row
from advisor.engine.source import MAX_TEXT
from advisor.engine.sql import fitting
from advisor.errors import ExpressionError
from tests.engine_expressions import CATALOGUE, NUMBERS, condition, numeric, rows, text_of

if TYPE_CHECKING:
    from advisor.engine.checked import Checked

# Numbers that are NULL in columns, at the bounds of what columns hold, and whole numbers that integers would spoil.
EDGES = (None, 0.0, -0.0, 1.0, -1.0, 2.5, 1e30, -1e30, 1e-30, 1e31, float("nan"), float("inf"), 2.0**53 + 2, 0.1)

expressions = st.sampled_from(("bool", "bool", *NUMBERS)).flatmap(
    lambda kind: condition(4) if kind == "bool" else numeric(kind, 4)
)


def edge_row(random_: random.Random) -> dict:
    """A row of values at the edges."""
    pick = {"num": EDGES, "bool": (None, True, False), "str": (None, "always", "never", 'it\'s\\ "x" ${y}')}
    return {name: random_.choice(pick[type_.kind]) for name, type_ in CATALOGUE.items()}


many_rows = st.builds(
    lambda drawn, seed: [
        {name: fitting(row.get(name)) for name in CATALOGUE}
        for row in [*drawn, *(edge_row(random.Random(seed + n)) for n in range(10))]
    ],
    st.lists(rows(), min_size=1, max_size=3),
    st.integers(0, 2**32),
)


def checked(tree: tuple) -> Checked:
    """The expression, checked; those that the language refuses are skipped."""
    text = text_of(tree)
    assume(len(text) <= MAX_TEXT)
    try:
        return check(text, CATALOGUE, want=None)
    except ExpressionError as error:
        assume(error.message not in ("division by zero", "number out of range"))
        raise


def expected(expression: Checked, table: list[dict]) -> list[object]:
    """What the row evaluator says of each row."""
    evaluate = compile_row(expression.tree)
    return [evaluate(row) for row in table]


def corpus(count: int, seed: int = 0) -> tuple[list[Checked], list[dict]]:
    """Conditions and rows for engines that are too slow to be asked one condition at a time."""
    found: list[Checked] = []
    tables: list[dict] = []

    @settings(max_examples=count * 3, deadline=None, phases=[Phase.generate], database=None,
              suppress_health_check=list(HealthCheck), derandomize=seed == 0)  # fmt: skip
    @given(expressions, many_rows)
    def draw(tree: tuple, table: list[dict]) -> None:
        expression = checked(tree)
        if len(found) < count and expression.names:
            found.append(expression)
            tables.extend(table[: max(0, 300 - len(tables))])

    draw()
    return found, tables
