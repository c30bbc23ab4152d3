import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.persisted import (
    ROOTS,
    SYSTEMD,
    Persisted,
    Source,
    Sysctl,
    effective_write,
    persisted,
    problems,
    sysfs_writes,
)

KEY = "vm.swappiness"


def one(files: dict[str, str], key: str = KEY) -> Persisted:
    return persisted(files)[key]


def test_a_later_name_wins_whatever_its_directory():
    found = one({"usr/lib/sysctl.d/99-z.conf": f"{KEY}=60", "etc/sysctl.d/10-a.conf": f"{KEY}=1"})
    assert found == Persisted(
        KEY,
        "60",
        Source("usr/lib/sysctl.d/99-z.conf", 1, "60"),
        (Source("etc/sysctl.d/10-a.conf", 1, "1"),),
        "60",
        Source("usr/lib/sysctl.d/99-z.conf", 1, "60"),
    )


def test_a_later_line_of_the_same_file_wins():
    found = one({"etc/sysctl.d/a.conf": f"{KEY}=1\nvm/swappiness = 2\n"})
    assert (found.value, found.winner.line) == ("2", 2)
    assert found.shadowed == (Source("etc/sysctl.d/a.conf", 1, "1"),)


@pytest.mark.parametrize("higher", range(4))
def test_of_files_with_the_same_name_the_first_directory_counts(higher):
    files = {f"{root}/sysctl.d/50-x.conf": f"{KEY}={rank}" for rank, root in enumerate(ROOTS) if rank >= higher}
    found = one(files)
    assert (found.value, found.winner.path) == (str(higher), f"{ROOTS[higher]}/sysctl.d/50-x.conf")
    assert {source.path for source in found.shadowed} == set(files) - {found.winner.path}
    assert all(source.masked for source in found.shadowed)


def test_a_key_that_only_a_masked_file_sets_is_not_set():
    found = one({"usr/lib/sysctl.d/50-x.conf": f"{KEY}=60", "etc/sysctl.d/50-x.conf": "vm.dirty_ratio=10"})
    assert (found.value, found.winner, found.procps_value) == (None, None, None)
    assert found.shadowed == (Source("usr/lib/sysctl.d/50-x.conf", 1, "60", masked=True),)


def test_an_empty_file_masks():
    files = {"usr/lib/sysctl.d/50-x.conf": f"{KEY}=60", "etc/sysctl.d/50-x.conf": ""}
    assert one(files).value is None


def test_lib_that_is_a_link_to_usr_lib_is_not_a_second_file():
    text = f"{KEY}=60"
    found = one({"usr/lib/sysctl.d/50-x.conf": text, "lib/sysctl.d/50-x.conf": text})
    assert (found.winner.path, found.shadowed) == ("usr/lib/sysctl.d/50-x.conf", ())


def test_sysctl_conf_alone_is_for_procps_only():
    found = one({"etc/sysctl.conf": f"{KEY}=5", "etc/sysctl.d/99-zz.conf": f"{KEY}=10"})
    assert (found.value, found.winner.path) == ("10", "etc/sysctl.d/99-zz.conf")
    assert (found.procps_value, found.procps_winner.path) == ("5", "etc/sysctl.conf")
    assert found.shadowed == (Source("etc/sysctl.conf", 1, "5"),)
    assert found.agreed is False
    assert (one({"etc/sysctl.conf": f"{KEY}=5"}).value, one({"etc/sysctl.conf": f"{KEY}=5"}).winner) == (
        None,
        None,
    )


def test_the_link_to_sysctl_conf_is_read_at_boot_in_its_place():
    text = f"{KEY}=5"
    files = {
        "etc/sysctl.conf": text,
        "etc/sysctl.d/99-sysctl.conf": text,
        "etc/sysctl.d/98-a.conf": f"{KEY}=1",
    }
    assert (one(files).value, one(files).winner.path) == ("5", "etc/sysctl.d/99-sysctl.conf")
    later = one(files | {"etc/sysctl.d/99-zz.conf": f"{KEY}=10"})
    assert (later.value, later.procps_value, later.agreed) == ("10", "5", False)


def test_names_are_sorted_by_bytes():
    files = {
        "etc/sysctl.d/a.conf": f"{KEY}=1",
        "etc/sysctl.d/Z.conf": f"{KEY}=2",
        "etc/sysctl.d/9.conf": f"{KEY}=3",
    }
    assert one(files).value == "1"
    assert [source.value for source in one(files).shadowed] == ["3", "2"]


def test_other_files_are_not_read():
    files = {
        "etc/sysctl.d/README": f"{KEY}=1",
        "etc/sysctl.d/sub/a.conf": f"{KEY}=1",
        "srv/etc/sysctl.d/a.conf": f"{KEY}=1",
        "sysctl.d/a.conf": f"{KEY}=1",
        "proc/sys/vm/swappiness": "60\n",
    }
    assert persisted(files) == {}


def test_a_leading_slash_makes_no_difference():
    assert one({"/etc/sysctl.d/a.conf": f"{KEY}=1"}).winner.path == "etc/sysctl.d/a.conf"
    assert one({"/etc/sysctl.conf": f"{KEY}=1"}).procps_value == "1"


def test_an_exclusion_takes_an_earlier_assignment_back_at_boot_but_not_in_procps():
    found = one({"etc/sysctl.d/a.conf": f"{KEY}=1\n-{KEY}\n"})
    assert (found.value, found.winner, found.procps_value) == (None, None, "1")
    assert [source.value for source in found.shadowed] == ["1", None]
    assert one({"etc/sysctl.d/a.conf": f"-{KEY}\n{KEY}=1\n"}).value == "1"


def boot_value(text, key):
    writes = Sysctl({"etc/sysctl.d/a.conf": text}, SYSTEMD).of([key])
    return writes[-1].value if writes else None


def test_a_pattern_holds_for_keys_that_no_line_names():
    text = "vm.*=1\nvm.dirty_*=2\nvm.dirty_ratio=3\n-vm.swappiness\nvm.x*=4\n-vm.x*\n"
    assert boot_value(text, "vm.min_free_kbytes") == "1"
    assert boot_value(text, "vm.dirty_bytes") == "2"
    assert boot_value(text, "vm.dirty_ratio") == "3"
    assert boot_value(text, "vm.swappiness") is None
    assert boot_value(text, "kernel.panic") is None
    assert boot_value(text, "vm.a.b") is None
    assert persisted({"etc/sysctl.d/a.conf": text})["vm.*"].glob is True


def test_problems_name_their_file_and_spare_the_others():
    files = {
        "etc/sysctl.d/a.conf": "\0",
        "etc/sysctl.d/b.conf": f"{KEY}=1\noops\n",
        "etc/tmpfiles.d/c.conf": "w /sys/x\n",
        "etc/sysctl.conf": "<html>",
    }
    assert one(files).value == "1"
    assert [problem.partition(": ")[0] for problem in problems(files)] == [
        "etc/sysctl.d/a.conf",
        "etc/sysctl.d/b.conf",
        "etc/sysctl.conf",
        "etc/tmpfiles.d/c.conf",
    ]
    assert problems({"etc/sysctl.d/b.conf": f"{KEY}=1\n"}) == ()


# --- tmpfiles.d

PATH = "sys/kernel/mm/transparent_hugepage/enabled"


def write(value: str, path: str = PATH) -> str:
    return f"w /{path} - - - - {value}\n"


def test_of_writes_the_first_name_wins():
    files = {
        "usr/lib/tmpfiles.d/10-a.conf": write("always"),
        "etc/tmpfiles.d/zz.conf": write("madvise") + write("never"),
    }
    found = sysfs_writes(files)[PATH]
    assert (found.value, found.winner) == ("always", Source("usr/lib/tmpfiles.d/10-a.conf", 1, "always"))
    assert [source.value for source in found.shadowed] == ["madvise", "never"]


def test_of_writes_in_files_with_the_same_name_the_first_directory_counts():
    files = {"usr/lib/tmpfiles.d/thp.conf": write("always"), "etc/tmpfiles.d/thp.conf": write("madvise")}
    found = sysfs_writes(files)[PATH]
    assert (found.value, found.winner.path) == ("madvise", "etc/tmpfiles.d/thp.conf")
    assert found.shadowed == (Source("usr/lib/tmpfiles.d/thp.conf", 1, "always", masked=True),)


def test_a_write_of_a_masked_file_alone_is_none():
    assert sysfs_writes({"usr/lib/tmpfiles.d/thp.conf": write("always"), "etc/tmpfiles.d/thp.conf": ""}) == {}


def test_a_pattern_of_writes_is_kept_as_such():
    found = sysfs_writes({"etc/tmpfiles.d/a.conf": write("8", "sys/block/*/queue/nr_requests")})
    assert found["sys/block/*/queue/nr_requests"].glob is True


def test_a_later_pattern_of_writes_has_the_last_word():
    files = {
        "usr/lib/tmpfiles.d/a.conf": write("1", "sys/k/a") + write("2", "sys/k/*") + write("3", "sys/k/b"),
        "etc/tmpfiles.d/b.conf": write("4", "sys/k/a"),
    }
    writes = sysfs_writes(files)
    assert {name: effective_write(writes, f"/sys/k/{name}").value for name in "abc"} == {"a": "2", "b": "3", "c": "2"}
    assert effective_write(writes, "sys/k/a/b") is None


@given(
    st.dictionaries(
        st.builds(
            "{}/{}/{}.conf".format,
            st.sampled_from(ROOTS),
            st.sampled_from(["sysctl.d", "tmpfiles.d"]),
            st.sampled_from("ab"),
        ),
        st.text(st.sampled_from("w /sys-=vm.a*#\n1\0")),
    )
)
def test_every_line_is_the_winner_or_shadowed_and_nothing_is_raised(files):
    for setting in persisted(files).values():
        assert setting.winner not in setting.shadowed
        assert (setting.winner.value if setting.winner else None) == setting.value
        assert not (setting.winner and setting.winner.masked)
    for found in sysfs_writes(files).values():
        assert found.winner.value == found.value
    problems(files)
