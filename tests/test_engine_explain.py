"""The parts of a condition and their text."""

from __future__ import annotations

import pytest

from advisor.engine.check import check
from advisor.engine.explain import explain
from advisor.engine.names import Type, number
from advisor.engine.text import expression_text

NAMES = {
    "a": number(),
    "b": number(),
    "mem.free": number("B"),
    "rate.pgin": number("B/s"),
    "rate.allocstall": number("1/s"),
    "psi": number("ratio"),
    "zone.low": number("page"),
    "host.uptime": number("s"),
    "p": Type("bool"),
    "q": Type("bool"),
    "role": Type("str"),
}


def summary(text: str, row: dict) -> list[tuple]:
    return [(part.depth, part.kind, part.text, part.value) for part in explain(check(text, NAMES), row)]


def test_each_part_is_shown_with_its_depth_and_its_answer():
    row = {"mem.free": 1048576.0, "psi": 0.5, "p": None}
    assert summary("mem.free < 512 * MiB and (psi > 5 * percent or not p) and a > 1", row) == [
        (0, "and", "mem.free < 512 * MiB and (psi > 5 * percent or not p) and a > 1", None),
        (1, "test", "mem.free < 512 * MiB", True),
        (1, "or", "psi > 5 * percent or not p", True),
        (2, "test", "psi > 5 * percent", True),
        (2, "not", "not p", None),
        (3, "test", "p", None),
        (1, "test", "a > 1", None),
    ]


def test_a_part_carries_the_values_that_it_read_and_those_of_its_sides():
    let = {"share": check("a / (a + b)", NAMES, want=None)}
    whole, share, free = explain(check("share > 0.5 and mem.free > 0", NAMES, let=let), {"a": 3.0, "b": 1.0})
    assert whole.signals == {"a": 3.0, "b": 1.0, "mem.free": None}
    assert whole.sides == ()
    assert (share.text, share.signals, share.sides) == ("a / (a + b) > 0.5", {"a": 3.0, "b": 1.0}, (0.75, 0.5))
    assert (free.value, free.signals, free.sides) == (None, {"mem.free": None}, (None, 0.0))


def test_a_value_that_is_no_finite_number_is_shown_as_unknown():
    (part,) = explain(check("a > 1", NAMES), {"a": float("nan")})
    assert (part.value, part.signals, part.sides) == (None, {"a": None}, (None, 1.0))


def test_a_chain_of_comparisons_is_shown_as_its_links():
    assert [part.text for part in explain(check("1 < a <= b", NAMES), {})] == ["1 < a and a <= b", "1 < a", "a <= b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mem.free<536870912*B", "mem.free < 512 * MiB"),
        ("mem.free < 1.5 * GiB", "mem.free < 1.5 * GiB"),
        ("mem.free < 1000000 * B", "mem.free < 1000000 * B"),
        ("rate.pgin > 10 * MiB / s", "rate.pgin > 10 * MiB/s"),
        ("rate.allocstall > 5 / min * 12", "rate.allocstall > 1 / s"),
        ("psi > 7 * percent", "psi > 7 * percent"),
        ("psi > 150 * percent", "psi > 150 * percent"),
        ("psi > 0.07", "psi > 0.07"),
        ("host.uptime > 90 * s", "host.uptime > 1.5 * min"),
        ("host.uptime > 0.001 * s", "host.uptime > 1 * ms"),
        ("zone.low > -3 * page", "zone.low > -3 * page"),
        ("(a - b) - 1 > a - (b - 1)", "a - b - 1 > a - (b - 1)"),
        ("a / (b / 2) * -3 > -(a + b)", "a / (b / 2) * -3 > -(a + b)"),
        ("not (p or q) and p", "not (p or q) and p"),
        ("p and (q and p)", "p and (q and p)"),
        ("(a > 1) == (b > 1)", "(a > 1) == (b > 1)"),
        ("role not in ['x', \"it's\"]", "not role in ['x', \"it's\"]"),
        ("(a if p else b) > 1", "(a if p else b) > 1"),
        ("role is undefined or p == true", "not known(role) or p == true"),
        ("min(a, b, 3) > sqrt(abs(a))", "min(min(a, b), 3) > sqrt(abs(a))"),
    ],
)
def test_a_tree_is_written_in_the_rule_language(text, expected):
    tree = check(text, NAMES).tree
    assert expression_text(tree) == expected
    assert check(expected, NAMES).tree == tree
