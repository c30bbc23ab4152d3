"""Numbers as text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.units import (
    format_bytes,
    format_count,
    format_pages,
    format_percent,
    format_rate,
    format_seconds,
    format_value,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (1, "1 B"),
        (0.4, "0.4 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (1023.4 * 1024, "1023 KiB"),
        (1048575, "1 MiB"),
        (12.34 * 2**20, "12.3 MiB"),
        (62 * 2**30, "62 GiB"),
        (123.45 * 2**30, "123 GiB"),
        (2**40, "1 TiB"),
        (5000 * 2**50, "5000 PiB"),
        (-1536, "-1.5 KiB"),
    ],
)
def test_bytes(value, text):
    assert format_bytes(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (2.5e-7, "0.25 us"),
        (0.00032, "320 us"),
        (0.0005, "500 us"),
        (0.9999, "1 s"),
        (12.345, "12.3 s"),
        (59.99, "1 min"),
        (90, "1.5 min"),
        (5400, "1.5 h"),
        (86400, "1 day"),
        (1000000, "11.6 days"),
        (-90, "-1.5 min"),
    ],
)
def test_seconds(value, text):
    assert format_seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0%"), (0.05, "5%"), (0.0532, "5.32%"), (0.00001, "0.001%"), (1, "100%"), (2.5, "250%"), (-0.5, "-50%")],
)
def test_percent(value, text):
    assert format_percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.4, "0.4"),
        (0.00004, "4e-05"),
        (12.34, "12.3"),
        (12345, "12345"),
        (12345.6, "12346"),
        (999999.4, "999999"),
        (999999.9, "1 M"),
        (1.2e6, "1.2 M"),
        (3.456e9, "3.46 G"),
        (7e12, "7 T"),
        (-1.2e6, "-1.2 M"),
    ],
)
def test_count(value, text):
    assert format_count(value) == text


def test_pages_and_rates():
    assert [format_pages(value) for value in (0, 1, 1.5, 2e6)] == ["0 pages", "1 page", "1.5 pages", "2 M pages"]
    assert [format_rate(value) for value in (0, 0.4, 12, 2e6)] == ["0/s", "0.4/s", "12/s", "2 M/s"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "B", "unknown"),
        (math.nan, "B", "unknown"),
        (math.inf, "", "unknown"),
        (True, "", "yes"),
        (False, "B", "no"),
        ("always", "", "always"),
        (1536.0, "B", "1.5 KiB"),
        (1536.0, "KiB", "1.5 KiB"),
        (1536, "MiB/s", "1.5 KiB/s"),
        (4096.0, "B/page", "4 KiB/page"),
        (800.0, "page/s", "800 pages/s"),
        (12.0, "1/s", "12/s"),
        (12.0, "count/s", "12/s"),
        (0.05, "percent", "5%"),
        (0.05, "ratio", "5%"),
        (90.0, "s", "1.5 min"),
        (7.0, "", "7"),
        (7.0, "B*B", "7 B*B"),
    ],
)
def test_a_value_is_shown_by_its_unit(value, unit, text):
    assert format_value(value, unit) == text


@given(st.floats(min_value=-1e25, max_value=1e25))
def test_a_size_keeps_three_digits_of_the_number(value):
    number, unit = format_bytes(value).split(" ")
    factor = {"B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40, "PiB": 50}[unit]
    assert float(number) * 2**factor == pytest.approx(value, rel=0.00501)


@given(st.floats() | st.integers(-(10**30), 10**30))
def test_any_number_has_a_text(value):
    for formatter in (format_bytes, format_seconds, format_percent, format_count, format_pages, format_rate):
        assert formatter(value)
