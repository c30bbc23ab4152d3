import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import ParseError
from advisor.parse import scalar
from advisor.parse.scalar import Choice, Limit
from tests.fixtures import capture_files

FILES = capture_files("7.3", "pressure")
THP = "sys/kernel/mm/transparent_hugepage"


def test_values_of_a_real_host() -> None:
    assert scalar.integer(FILES["proc/sys/vm/min_free_kbytes"]) == 4096
    assert scalar.integers(FILES["proc/sys/vm/lowmem_reserve_ratio"]) == (256, 256, 32, 0, 0)
    assert scalar.hexmask(FILES["sys/kernel/mm/lru_gen/enabled"]) == 7
    assert scalar.boolean(FILES["sys/kernel/mm/numa/demotion_enabled"]) is False
    assert scalar.choice(FILES[f"{THP}/defrag"]) == Choice(
        "never", ("always", "defer", "defer+madvise", "madvise", "never")
    )


def test_a_file_that_reads_as_an_empty_line_has_no_value() -> None:
    with pytest.raises(ParseError, match="a whole number was expected, but there is no text"):
        scalar.integer(FILES["proc/sys/vm/stat_refresh"])


@given(st.integers(-(2**64) + 1, 2**64 - 1))
def test_any_integer_with_or_without_its_newline(value: int) -> None:
    assert scalar.integer(f"{value}\n") == scalar.integer(str(value)) == value


@pytest.mark.parametrize(
    "text", ["", "\n", "x", "1 2", "1_0", "+1", "0x10", "1.0", "--1", "18446744073709551616", "٣", "1\0"]
)
def test_what_is_no_integer(text: str) -> None:
    with pytest.raises(ParseError, match="a whole number"):
        scalar.integer(text)


@pytest.mark.parametrize("text", ["", " \n", "256 x 32", "256,256"])
def test_what_are_no_integers(text: str) -> None:
    with pytest.raises(ParseError, match="whole numbers"):
        scalar.integers(text)


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("always [madvise] never\n", "madvise"),
        ("[none] scan-time\n", "none"),
        ("[always]", "always"),
        ("a [b] a", "b"),
    ],
)
def test_the_option_in_brackets_is_selected(text: str, selected: str) -> None:
    parsed = scalar.choice(text)
    assert parsed.selected == selected
    assert parsed.options == tuple(text.replace("[", "").replace("]", "").split())


@pytest.mark.parametrize(
    "text",
    ["", "always madvise never", "[always] [never]", "always [madvise", "always [] never", "[a]b c", "[[a]]"],
)
def test_not_exactly_one_option_in_brackets(text: str) -> None:
    with pytest.raises(ParseError, match=r"options of which one is in \[brackets\]"):
        scalar.choice(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("Y\n", True), ("1", True), ("true\n", True), ("N\n", False), ("0\n", False), ("false", False)],
)
def test_booleans_of_module_parameters_and_sysfs(text: str, value: bool) -> None:
    assert scalar.boolean(text) is value


@pytest.mark.parametrize("text", ["", "2", "YES", "[1]"])
def test_what_is_no_boolean(text: str) -> None:
    with pytest.raises(ParseError, match="Y or N"):
        scalar.boolean(text)


@pytest.mark.parametrize("text", ["", "0x", "7", "0x7g", "0x-1", "0x1_0", "-0x7", "0x11111111111111111"])
def test_what_is_no_mask(text: str) -> None:
    with pytest.raises(ParseError, match="a mask"):
        scalar.hexmask(text)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("max\n", Limit(None)),
        ("9223372036854771712\n", Limit(None)),
        ("9223372036854710272\n", Limit(None)),
        ("9223372036854775807\n", Limit(None)),
        ("18446744073709551615\n", Limit(None)),
        ("4294967296\n", Limit(4294967296)),
        ("0\n", Limit(0)),
    ],
)
def test_no_limit_is_told_from_a_limit(text: str, limit: Limit) -> None:
    assert scalar.limit(text) == limit


@pytest.mark.parametrize("text", ["", "maximum", "-1", "4G"])
def test_what_is_no_limit_is_an_error_and_not_unlimited(text: str) -> None:
    with pytest.raises(ParseError, match="a number of bytes"):
        scalar.limit(text)
