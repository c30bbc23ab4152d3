import pytest

from advisor.errors import ParseError
from advisor.parse import uptime
from tests.fixtures import capture_files


def test_seconds_of_a_real_host() -> None:
    assert uptime.parse(capture_files("7.3", "pressure")["proc/uptime"]) == 67.31


def test_the_newline_may_be_missing() -> None:
    assert uptime.parse("67.31 22.11") == 67.31


@pytest.mark.parametrize("text", ["", "67.31", "67.31\n", "67 22\n", "-1.00 0.00\n", "1.00 2.00 3.00\n", "nan 0.00\n"])
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(ParseError, match="uptime"):
        uptime.parse(text)


def test_a_cut_off_file_never_gives_another_uptime() -> None:
    text = "67.31 22.11\n"
    for end in range(len(text)):
        try:
            assert uptime.parse(text[:end]) == 67.31
        except ParseError:
            continue
