import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import ParseError
from advisor.parse import vmstat
from tests.fixtures import INCIDENTS, KERNELS, STATES, capture_files
from tests.parse_samples import sample

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,30}", fullmatch=True)
COUNTS = st.integers(0, 2**63 - 1)


def expected_values(text: str) -> dict[str, int]:
    """An independent reading: every line is a name and a number, two of them in KiB."""
    pairs = re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE)
    return {name: int(number) * (1024 if name in {"pgpgin", "pgpgout"} else 1) for name, number in pairs}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("state", STATES)
def test_every_counter_of_a_real_kernel_is_there(kernel: str, state: str) -> None:
    text = capture_files(kernel, state)["proc/vmstat"]
    assert len(expected_values(text)) == text.count("\n")
    assert vmstat.parse(text) == vmstat.VmStat(expected_values(text), ())


def test_pgpgin_and_pgpgout_become_bytes_and_no_other_counter() -> None:
    text = "pgpgin 3\npgpgout 5\npswpin 7\npgpgoutodirect 9\n"
    assert vmstat.parse(text).values == {"pgpgin": 3072, "pgpgout": 5120, "pswpin": 7, "pgpgoutodirect": 9}


def test_a_counter_by_zone_of_an_old_kernel_keeps_its_name() -> None:
    values = vmstat.parse(sample("linux-3.10", "proc/vmstat")).values
    assert values["pgsteal_kswapd_normal"] == 740284
    assert "pgsteal_kswapd" not in values


def test_the_nameless_counter_of_4_19_is_no_problem_and_no_value() -> None:
    parsed = vmstat.parse(sample("linux-4.19", "proc/vmstat"))
    assert parsed.problems == ()
    assert "" not in parsed.values
    assert parsed.values["nr_dirty_threshold"] == 21932


def test_an_excerpt_holds_what_it_holds() -> None:
    text = (INCIDENTS / "compaction-fails-72-percent-testbox/t0/proc/vmstat").read_text()
    values = vmstat.parse(text).values
    assert values["compact_fail"] == 1117
    assert "pgscan_direct" not in values


def test_a_cut_off_line_is_left_out_and_noted() -> None:
    parsed = vmstat.parse("nr_dirty 12\nnr_writeback 34")
    assert parsed.values == {"nr_dirty": 12}
    assert parsed.problems == ("the last line, 'nr_writeback 34', was cut off",)


def test_a_contradiction_is_absent_and_noted() -> None:
    parsed = vmstat.parse("nr_dirty 12\nnr_writeback 1\nnr_dirty 13\n")
    assert parsed.values == {"nr_writeback": 1}
    assert parsed.problems == ("nr_dirty is there twice, with different values",)


def test_the_same_line_twice_is_no_contradiction() -> None:
    assert vmstat.parse("nr_dirty 12\nnr_dirty 12\n") == vmstat.VmStat({"nr_dirty": 12}, ())


@pytest.mark.parametrize(
    "line",
    [
        "nr_dirty",
        "nr_dirty ",
        "nr_dirty  1",
        "nr_dirty 1 ",
        "nr_dirty 1 2",
        "nr_dirty -1",
        "nr_dirty +1",
        "nr_dirty 1_0",
        "nr_dirty 0x1",
        "nr_dirty 1.5",
        "nr_dirty ١",
        "nr_dirty ²",
        "nr_dirty 1\r",
        "nr-dirty 1",
        "nr_dïrty 1",
        "nr_dirty 18446744073709551616",
        "nr_dirty " + "9" * 5000,
        "1 nr_dirty",
        "nr_dirty\t1",
        "nr_dirty 1nr_mlock 2",
    ],
)
def test_a_malformed_line_is_absent_and_noted_and_harms_no_other(line: str) -> None:
    parsed = vmstat.parse(f"nr_mapped 5\n{line}\nnr_shmem 6\n")
    assert parsed.values == {"nr_mapped": 5, "nr_shmem": 6}
    assert len(parsed.problems) == 1


def test_a_negative_count_printed_as_unsigned_is_left_out() -> None:
    parsed = vmstat.parse("nr_isolated_file 18446744073709551613\nnr_dirty 9223372036854775807\n")
    assert parsed.values == {"nr_dirty": 9223372036854775807}
    assert len(parsed.problems) == 1


def test_two_words_on_one_line_and_none_on_the_next_are_not_taken_for_pairs() -> None:
    parsed = vmstat.parse("nr_a 1 nr_b\n2\nnr_c 3\n")
    assert parsed.values == {"nr_c": 3}
    assert len(parsed.problems) == 2


def test_problems_do_not_fill_the_screen() -> None:
    parsed = vmstat.parse("nr_dirty 1\n" + "x" * 500 + "\n" + "?\n" * 3000)
    assert len(parsed.problems) == 21
    assert parsed.problems[-1] == "and 2981 more"
    assert max(map(len, parsed.problems)) < 120


@pytest.mark.parametrize("text", ["", "\n", "nr_dirty 1", "nr_dirty 1\0\n", "<html>\n"])
def test_what_is_not_vmstat_says_what_was_expected(text: str) -> None:
    with pytest.raises(ParseError, match=r"^vmstat \(lines of a name and a number\) was expected"):
        vmstat.parse(text)


@given(st.dictionaries(NAMES, COUNTS, min_size=1))
def test_whatever_the_kernel_counts_comes_back(counts: dict[str, int]) -> None:
    text = "".join(f"{name} {count}\n" for name, count in counts.items())
    assert vmstat.parse(text).values == expected_values(text)


@given(st.dictionaries(NAMES, COUNTS, min_size=1))
def test_the_careful_way_reads_the_same_as_the_fast_one(counts: dict[str, int]) -> None:
    text = "".join(f"{name} {count}\n" for name, count in counts.items())
    assert vmstat.parse(text + "?\n").values == vmstat.parse(text).values


@given(st.lists(st.tuples(NAMES, st.from_regex(r"[0-9a-z\-. ]{0,25}", fullmatch=True)), min_size=1))
def test_every_value_is_a_word_of_the_text(pairs: list[tuple[str, str]]) -> None:
    text = "".join(f"{name} {word}\n" for name, word in pairs)
    try:
        values = vmstat.parse(text).values
    except ParseError:
        return
    for name, value in values.items():
        printed = value // 1024 if name in {"pgpgin", "pgpgout"} else value
        assert any(word.isdigit() and int(word) == printed for key, word in pairs if key == name)
