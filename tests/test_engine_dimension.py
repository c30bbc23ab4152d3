"""Units and quantities with units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.dimension import UNITS, Dim, Unit, parse_quantity, parse_unit
from advisor.errors import ExpressionError

dims = st.builds(Dim, *(st.integers(-3, 3) for _ in range(3)))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("", Unit()),
        ("1", Unit()),
        ("count", Unit()),
        ("ratio", Unit()),
        ("percent", Unit(Dim(), 0.01)),
        ("KiB", Unit(Dim(byte=1), 1024.0)),
        ("page/s", Unit(Dim(page=1, second=-1))),
        ("count/s", Unit(Dim(second=-1))),
        ("per second", Unit(Dim(second=-1))),
        ("1/min", Unit(Dim(second=-1), 1 / 60)),
        (" MiB / s ", Unit(Dim(byte=1, second=-1), 1048576.0)),
        ("B/page/s", Unit(Dim(1, -1, -1))),
    ],
)
def test_a_unit_is_a_dimension_and_a_factor(text, unit):
    assert parse_unit(text) == unit


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("kB", "^^", "unknown unit 'kB'"),
        ("page/S", "     ^", "unknown unit 'S'"),
        ("B//s", "^", "unknown unit ''"),
        ("5", "^", "unknown unit '5'"),
        ("B^2", "^^^", "unknown unit 'B^2'"),
    ],
)
def test_an_unknown_unit_is_pointed_at(text, place, message):
    with pytest.raises(ExpressionError) as caught:
        parse_unit(text)
    error = caught.value
    assert (" " * error.start + "^" * error.length, error.message) == (place, message)


@given(dims)
def test_a_dimension_written_out_is_the_unit_of_that_dimension(dim):
    assert parse_unit(str(dim)) == Unit(dim)


@given(dims, dims)
def test_a_root_undoes_a_square_and_division_undoes_a_product(one, two):
    assert (one * one).root() == one
    assert one * two / two == one


def test_half_exponents_do_not_exist():
    assert Dim(byte=1).root() is None


@pytest.mark.parametrize(
    ("value", "unit", "number"),
    [
        ("62 GiB", "B", 66571993088.0),
        ("62GiB", "KiB", 66571993088.0),
        ("5 percent", "percent", 0.05),
        ("5 percent", "ratio", 0.05),
        ("0.05", "ratio", 0.05),
        (5, "percent", 0.05),
        ("5", "percent", 0.05),
        (12, "per second", 12.0),
        ("12/s", "1/s", 12.0),
        ("30/min", "1/s", 0.5),
        ("10 min", "s", 600.0),
        (" 64 MiB/s ", "B/s", 67108864.0),
        (16, "KiB", 16384.0),
        ("-1.5e3 page", "page", -1500.0),
        (0, "B", 0.0),
    ],
)
def test_a_quantity_is_a_number_in_base_units(value, unit, number):
    assert parse_quantity(value, parse_unit(unit)) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    ("value", "unit", "place", "message", "hint"),
    [
        ("5 percent", "B", "  ^^^^^^^", "unit percent where B is expected", "write for example 512 MiB"),
        ("5 GiB", "", "  ^^^", "unit GiB where a plain number is expected", "write for example 10"),
        ("5 MB", "B", "  ^^", "unknown unit 'MB'", "did you mean 'MiB' or 'B'?"),
        ("5 MiB/S", "B/s", "      ^", "unknown unit 'S'", "did you mean 's'?"),
        ("much", "percent", "^^^^", "not a number with a unit", "write for example 5 percent"),
        ("", "1/s", "^", "not a number with a unit", "write for example 10/s"),
        (" 1e400 B", "B", " ^^^^^", "number out of range", ""),
    ],
)
def test_a_wrong_quantity_is_pointed_at(value, unit, place, message, hint):
    with pytest.raises(ExpressionError) as caught:
        parse_quantity(value, parse_unit(unit))
    error = caught.value
    assert (" " * error.start + "^" * error.length, error.message, error.hint) == (place, message, hint)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        [],
        {},
        float("nan"),
        float("inf"),
        10**400,
        "nan",
        "inf",
        "1_000",
        "1\u0662",
        "\u0661",
        "0x10",
        "1 2",
        "--1",
        "1 B B",
        "1." + "0" * 200,
        "5 B; rm",
    ],
)
def test_what_is_no_quantity_is_refused(value):
    with pytest.raises(ExpressionError):
        parse_quantity(value, UNITS["B"])


@given(st.text(max_size=30) | st.floats() | st.integers() | st.none() | st.booleans())
def test_any_value_gives_a_finite_number_or_our_error(value):
    number, place, length = 0.0, 0, 0
    try:
        number = parse_quantity(value, UNITS["MiB"])
    except ExpressionError as error:
        place, length = error.start, len(error.text)
    assert abs(number) < 1e40
    assert 0 <= place <= length
