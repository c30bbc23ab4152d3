import pytest

from advisor.errors import ParseError
from advisor.parse import cgroup
from advisor.parse.cgroup import Keyed
from tests.parse_samples import sample

V1 = "sys/fs/cgroup/memory/app/"
V2 = "sys/fs/cgroup/system.slice/db.service/"


def test_memory_stat_of_version_2() -> None:
    parsed = cgroup.memory_stat(sample("cgroup-v2", V2 + "memory.stat"))
    assert parsed.problems == ()
    assert parsed.values["anon"] == 912044032
    assert parsed.values["workingset_restore_file"] == 3012


def test_memory_stat_of_version_1_keeps_pages_as_pages() -> None:
    parsed = cgroup.memory_stat(sample("cgroup-v1", V1 + "memory.stat"))
    assert parsed.problems == ()
    assert parsed.values["pgpgin"] == 368752
    assert parsed.values["hierarchical_memory_limit"] == 9223372036854771712


def test_a_limit_of_an_old_kernel_is_larger_than_any_count() -> None:
    assert cgroup.memory_stat("hierarchical_memory_limit 18446744073709551615\n").values == {
        "hierarchical_memory_limit": 18446744073709551615
    }


def test_memory_events() -> None:
    expected = {"low": 0, "high": 81234, "max": 12, "oom": 1, "oom_kill": 1, "oom_group_kill": 0}
    assert cgroup.memory_events(sample("cgroup-v2", V2 + "memory.events")) == Keyed(expected, ())


def test_keyed_files_in_general() -> None:
    expected = {"oom_kill_disable": 0, "under_oom": 0, "oom_kill": 3}
    assert cgroup.keyed(sample("cgroup-v1", V1 + "memory.oom_control")) == Keyed(expected, ())


@pytest.mark.parametrize(
    ("parse", "expected"),
    [
        (cgroup.keyed, "a keyed file"),
        (cgroup.memory_stat, "memory.stat"),
        (cgroup.memory_events, "memory.events"),
    ],
)
def test_the_error_says_which_form_was_expected(parse: object, expected: str) -> None:
    with pytest.raises(ParseError, match=expected):
        parse("max\n")  # type: ignore[operator]
