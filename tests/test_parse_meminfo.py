import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import ParseError
from advisor.parse import meminfo
from tests.fixtures import KERNELS, STATES, capture_files
from tests.parse_samples import sample


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("state", STATES)
def test_every_field_of_a_real_kernel_is_there_in_bytes(kernel: str, state: str) -> None:
    text = capture_files(kernel, state)["proc/meminfo"]
    fields = re.findall(r"^(\S+): +(\d+)( kB)?$", text, re.MULTILINE)
    assert len(fields) == text.count("\n")
    expected = {name: int(number) * (1024 if unit else 1) for name, number, unit in fields}
    assert meminfo.parse(text) == meminfo.Meminfo(expected, ())


def test_huge_pages_are_counts_and_their_size_is_bytes() -> None:
    values = meminfo.parse("HugePages_Total:     512\nHugepagesize:       2048 kB\n").values
    assert values == {"HugePages_Total": 512, "Hugepagesize": 2097152}


def test_names_in_parentheses_are_kept() -> None:
    assert meminfo.parse("Active(file):    6788 kB\n").values == {"Active(file)": 6788 * 1024}


def test_a_nodes_meminfo_has_the_same_names_as_the_hosts() -> None:
    parsed = meminfo.parse(sample("numa", "sys/devices/system/node/node1/meminfo"))
    assert parsed.problems == ()
    assert parsed.values["MemTotal"] == 33423360 * 1024
    assert parsed.values["Active(anon)"] == 5120344 * 1024
    assert parsed.values["HugePages_Total"] == 512


def test_lines_of_two_nodes_contradict_each_other() -> None:
    parsed = meminfo.parse("Node 0 MemFree:  1 kB\nNode 1 MemFree:  2 kB\nNode 1 Dirty:  3 kB\n")
    assert parsed.values == {"Dirty": 3072}
    assert parsed.problems == ("MemFree is there twice, with different values",)


@pytest.mark.parametrize(
    "line",
    [
        "MemFree:          13840",
        "MemFree:          13840 k",
        "MemFree:          13840 MB",
        "MemFree: 1 2 kB",
        "HugePages_Free:   3 kB",
        "MemFree          13840 kB",
        ": 5 kB",
        "MemFree: kB",
        "MemFree: -5 kB",
        "Node x MemFree: 5 kB",
        "Mem Free: 5 kB",
    ],
)
def test_a_line_that_lost_something_is_absent(line: str) -> None:
    parsed = meminfo.parse(f"{line}\nDirty: 4 kB\n")
    assert parsed.values == {"Dirty": 4096}
    assert len(parsed.problems) == 1


def test_what_is_not_meminfo_says_what_was_expected() -> None:
    with pytest.raises(ParseError, match=r"meminfo .* was expected, but found '<html>'"):
        meminfo.parse("<html>\n")


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][A-Za-z0-9]{0,20}(\([a-z]+\))?", fullmatch=True),
        st.integers(0, 2**64 - 1),
        min_size=1,
    )
)
def test_whatever_the_kernel_prints_comes_back(sizes: dict[str, int]) -> None:
    text = "".join(f"{name + ':':<16}{size:>8} kB\n" for name, size in sizes.items())
    assert meminfo.parse(text).values == {name: size * 1024 for name, size in sizes.items()}
