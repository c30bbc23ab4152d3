"""What the checker makes of an expression: its tree, its type, its `let` parts."""

from __future__ import annotations

import pytest

from advisor.engine.check import check
from advisor.engine.dimension import parse_unit
from advisor.engine.names import Type, check_names, number
from advisor.errors import ExpressionError
from tests.engine_refusals import NAMES, caret, refusal


@pytest.mark.parametrize("text", [None, 5, True, ["a"], {"a": 1}, b"a"])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(ExpressionError, match="not a text"):
        check(text, NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "rate.allocstall > 3 and host.cpus > 2",
        "mem.free < 0 or zone.low == 0 or host.uptime > 0",
        "psi.some > 0.05 and psi.some < 1 and psi.some > 250 * percent",
        "100 * psi.some > 5",
        "mem.total * 5 * percent > mem.free",
        "zone.low * page_size < mem.free - 1 * GiB",
        "rate.pswpin * page_size > 10 * MiB/s",
        "rate.pswpin > 10 * page / s",
        "rate.allocstall > 5 / min",
        "sqrt(mem.total / KiB) * KiB > 1 * MiB",
        "sqrt(mem.total * mem.free) > 1 * MiB",
        "min(0, mem.free) < max(mem.free, 1 * KiB, 0)",
        "mem.free > (1 * GiB if zram.active else 0)",
        "thp.enabled in ('always', 'never') and thp.enabled not in ['madvise']",
        "thp.enabled == host.role and host.role == 'ünïcode'",
        "known(mem.free) and host.role is defined and psi.some is not undefined",
        "zram.active == true and zram.active != (host.cpus > 1)",
        "1 * GiB / MiB > host.cpus",
        "host.uptime > 2 * h + 30 * min + 1 * day - 5 * ms - 1 * us",
    ],
)
def test_what_makes_sense_is_accepted(text):
    assert check(text, NAMES).type == Type("bool")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("512 * MiB", ("num", 536870912.0, "B")),
        ("64 * MiB / s", ("num", 67108864.0, "B/s")),
        ("5 * percent", ("num", 0.05, "percent")),
        ("2 * 3 - 1", ("num", 5.0, "")),
        ("GiB / MiB", ("num", 1024.0, "1")),
        ("-(2 * page)", ("num", -2.0, "page")),
        ("clamp(host.cpus, 1, 8)", ("min", ("max", ("sig", "host.cpus", "num"), ("num", 1.0, "")), ("num", 8.0, ""))),
        ("zram.active is not defined", ("not", ("known", ("sig", "zram.active", "bool")))),
        (
            "1 < host.cpus < 8",
            (
                "and",
                ("<", ("num", 1.0, ""), ("sig", "host.cpus", "num")),
                ("<", ("sig", "host.cpus", "num"), ("num", 8.0, "")),
            ),
        ),
    ],
)
def test_constants_are_worked_out_and_short_forms_spelled_out(text, tree):
    assert check(text, NAMES, want=None).tree == tree


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("mem.free / zone.low", number("B/page")),
        ("mem.free / mem.total", number()),
        ("mem.free * psi.some", number("B")),
        ("psi.some", number("ratio")),
        ("1 - psi.some", number("ratio")),
        ("psi.some * psi.some", number("ratio")),
        ("100 * psi.some", number()),
        ("psi.some / 2", number()),
        ("psi.some / psi.some", number()),
        ("50 * percent / 2", number("ratio")),
        ("rate.pswpin * 10 * s", number("page")),
        ("ceil(zone.low / 3)", number("page")),
        ("thp.enabled", Type("str", choices=("always", "madvise", "never"))),
        ("thp.enabled if known(thp.enabled) else 'absent'", Type("str")),
    ],
)
def test_the_result_has_a_type(text, type_):
    assert check(text, NAMES, want=None).type == type_


@pytest.mark.parametrize(
    ("text", "unit", "place", "message"),
    [
        ("67584", "KiB", "^^^^^", "a bare number where the unit is B"),
        ("zone.low * 2", "KiB", "^^^^^^^^^^^^", "this value is unit page, wanted is unit B"),
        ("mem.free", "", "^^^^^^^^", "this value is unit B, wanted is a number without unit"),
        ("20 if zram.active else 10", "percent", "^^^^^^^^^^^^^^^^^^^^^^^^^", "a ratio lies between 0 and 1"),
        ("host.role", "KiB", "^^^^^^^^^", "this must be a number and is a text"),
    ],
)
def test_a_value_that_does_not_fit_its_setting_is_refused(text, unit, place, message):
    error = refusal(text, want="num", want_unit=parse_unit(unit))
    assert (caret(error), error.message) == (place, message)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [("64 * MiB", "KiB", 67108864.0), ("10", "", 10.0), ("0", "KiB", 0.0), ("10 * percent", "percent", 0.1)],
)
def test_a_value_that_fits_its_setting_is_in_base_units(text, unit, value):
    assert check(text, NAMES, want="num", want_unit=parse_unit(unit)).tree[1] == value


def test_a_let_part_keeps_its_unit_and_its_bareness():
    let = {"few": check("5", NAMES, want=None), "gap": check("mem.total - mem.free", NAMES, want=None)}
    assert check("gap > 1 * GiB and host.cpus > few", NAMES, let=let).names == {"mem.total", "mem.free", "host.cpus"}
    bare = refusal("gap > few", let=let)
    assert (caret(bare), bare.message) == ("      ^^^", "a bare number where the unit is B")
    share = refusal("psi.some > few", let=let)
    assert (caret(share), share.hint) == ("           ^^^", "write 5 * percent")


def test_let_parts_that_grow_without_bound_are_refused():
    let = {"x0": check("host.cpus + host.cpus", NAMES, want=None)}
    for step in range(1, 8):
        let[f"x{step}"] = check(f"x{step - 1} + x{step - 1}", NAMES, want=None, let=let)
    error = refusal("x7 + x7 > x7", let=let)
    assert (caret(error), error.message) == ("     ^^", "too large, with all its let parts in place")


def test_a_chain_of_chains_does_not_grow_without_bound():
    text = "zram.active"
    for _ in range(25):
        text = f"(true == {text} == true)"
    assert refusal(text).message == "too large, with all its let parts in place"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("MiB", "the name 'MiB' is a unit"),
        ("s", "the name 's' is a unit"),
        ("min", "the name 'min' is a unit"),
        ("clamp", "the name 'clamp' is a function"),
        ("known", "the name 'known' is a function"),
        ("mem.in", "the name 'mem.in' contains a word of the language"),
        ("not", "the name 'not' contains a word of the language"),
        ("mem free", "the name 'mem free' is not made of ASCII words joined by dots"),
        ("mem.0", "the name 'mem.0' is not made of ASCII words joined by dots"),
        ("größe", "the name 'größe' is not made of ASCII words joined by dots"),
        ("", "the name '' is not made of ASCII words joined by dots"),
        ("a\n", "the name 'a\\n' is not made of ASCII words joined by dots"),
    ],
)
def test_names_that_an_expression_cannot_use_are_refused(name, message):
    with pytest.raises(ExpressionError) as caught:
        check_names([*NAMES, name])
    assert caught.value.message == message
