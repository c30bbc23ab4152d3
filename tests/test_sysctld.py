import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import ParseError
from advisor.parse import sysctld, tmpfilesd
from advisor.parse.sysctld import Dropin, SettingLine
from advisor.parse.tmpfilesd import WriteLine


def test_nothing_is_read_from_one_path():
    assert (sysctld.READS, tmpfilesd.READS) == ((), ())


def test_the_synopsis_of_the_manual_page():
    text = (
        "key.name.under.proc.sys = some value\n"
        "key/name/under/proc/sys = some value\n"
        "key/middle.part.with.dots/foo = 123\n"
        "key.middle/part/with/dots.foo = 123\n"
        "-key.that.will.not.fail = value\n"
        "key.pattern.*.with.glob = whatever\n"
        "-key.pattern.excluded.with.glob\n"
        "key.pattern.overridden.with.glob = custom\n"
    )
    assert sysctld.parse(text) == Dropin(
        (
            SettingLine("key.name.under.proc.sys", "some value", 1),
            SettingLine("key.name.under.proc.sys", "some value", 2),
            SettingLine("key.middle/part/with/dots.foo", "123", 3),
            SettingLine("key.middle/part/with/dots.foo", "123", 4),
            SettingLine("key.that.will.not.fail", "value", 5, tolerant=True),
            SettingLine("key.pattern.*.with.glob", "whatever", 6, glob=True),
            SettingLine("key.pattern.excluded.with.glob", None, 7),
            SettingLine("key.pattern.overridden.with.glob", "custom", 8),
        )
    )


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("vm.swappiness", "vm/swappiness"),
        ("vm/swappiness", "vm/swappiness"),
        ("/vm//swappiness/", "vm/swappiness"),
        ("net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"),
        ("net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding"),
        ("swappiness", "swappiness"),
        ("", ""),
    ],
)
def test_the_first_separator_decides(name, path):
    assert sysctld.path(name) == path


@given(st.sampled_from(["vm", "net"]), st.lists(st.text("ab.", min_size=1), min_size=1, max_size=3))
def test_a_key_leads_back_to_its_path(first, parts):
    path = "/".join((first, *parts))
    assert sysctld.path(sysctld.key(path)) == path


def test_comments_blank_lines_and_white_space():
    text = "# a\n  ; b = 1\n\n\t vm.overcommit_ratio\t=\t 50  \r\nnet.ipv4.tcp_rmem=4096  87380\t6291456\n"
    assert sysctld.parse(text).lines == (
        SettingLine("vm.overcommit_ratio", "50", 4),
        SettingLine("net.ipv4.tcp_rmem", "4096 87380 6291456", 5),
    )


def test_a_value_may_hold_an_equals_sign_and_a_dash():
    assert sysctld.parse("kernel.core_pattern = |/bin/x -a=%p\n").lines[0].value == "|/bin/x -a=%p"
    assert sysctld.parse("vm.x = -1\n").lines[0] == SettingLine("vm.x", "-1", 1)


def test_a_last_line_without_its_end_counts_as_it_does_for_systemd():
    assert sysctld.parse("vm.swappiness=10").lines == (SettingLine("vm.swappiness", "10", 1),)


def test_the_same_key_twice_is_kept_twice():
    assert [line.value for line in sysctld.parse("vm.a=1\nvm/a=2\n").lines] == ["1", "2"]


def test_doubtful_lines_are_noted():
    found = sysctld.parse("vm.swappiness\nvm.swappiness = 10 # low\nvm.x =\n= 3\n-\nvm/../x = 1\n")
    assert [line.value for line in found.lines] == ["10 # low", ""]
    assert found.problems == (
        "line 1: 'vm.swappiness' is not an assignment",
        "line 2: the comment after vm.swappiness is part of the value",
        "line 3: vm.x has no value",
        "line 4: '= 3' is not an assignment",
        "line 5: '-' is not an assignment",
        "line 6: 'vm/../x = 1' is not an assignment",
    )


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n"])
def test_a_file_without_assignments_is_no_error(text):
    assert sysctld.parse(text) == Dropin(())


@pytest.mark.parametrize("text", ["\0\0", "vm.swappiness=1\n\0", "<html>\n", "just words\nand more\n"])
def test_other_text_is_an_error(text):
    with pytest.raises(ParseError, match=r"sysctl\.d"):
        sysctld.parse(text)


@given(st.text())
def test_any_text_gives_lines_of_the_text_or_a_parse_error(text):
    try:
        found = sysctld.parse(text)
    except ParseError:
        return
    for line in found.lines:
        assert line.key
        assert 1 <= line.line <= text.count("\n") + 1


# --- tmpfiles.d


def test_writes_to_sys_and_proc():
    text = (
        "# THP\n"
        "w /sys/kernel/mm/transparent_hugepage/enabled - - - - madvise\n"
        "w- /sys/kernel/mm/transparent_hugepage/defrag - - - - defer+madvise\n"
        "w+!  /sys/kernel/mm/ksm/run  -  -  -  -  1\n"
        "w //proc/sys/vm/swappiness 0644 root root 10d 10 \n"
        "w /sys/block/*/queue/nr_requests - - - - 256\n"
        "w '/sys/a b' - - - - x y\n"
        "w /run/x - - - - 1\n"
        "d /tmp 1777 root root 10d\n"
        "wheel /sys/x - - - - 1\n"
    )
    assert tmpfilesd.parse(text) == tmpfilesd.Tmpfiles(
        (
            WriteLine("sys/kernel/mm/transparent_hugepage/enabled", "madvise", 2),
            WriteLine("sys/kernel/mm/transparent_hugepage/defrag", "defer+madvise", 3),
            WriteLine("sys/kernel/mm/ksm/run", "1", 4),
            WriteLine("proc/sys/vm/swappiness", "10", 5),
            WriteLine("sys/block/*/queue/nr_requests", "256", 6, glob=True),
            WriteLine("sys/a b", "x y", 7),
        )
    )


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        (r"quo\x41", "quoA"),
        (r"1\n", "1"),
        ("100%%", "100%"),
        (r"a\\b", r"a\b"),
        (r"\101", "A"),
        ('"x"', '"x"'),
    ],
)
def test_escapes(argument, value):
    assert tmpfilesd.parse(f"w /sys/x - - - - {argument}\n").lines[0].value == value


@pytest.mark.parametrize(
    "line",
    [
        "w /sys/x - - - -",
        "w /sys/x",
        "w",
        "w /sys/x - - - - -",
        "w~ /sys/x - - - - MQ==",
        "w^ /sys/x - - - - credential",
        "w /sys/%m - - - - 1",
        "w /sys/x - - - - %H",
        "w /sys/x - - - - 1%",
        "w /sys/x - - - - \\",
        r"w /sys/x - - - - \x00",
        "w sys/x - - - - 1",
    ],
)
def test_writes_of_something_else_are_noted(line):
    found = tmpfilesd.parse(line + "\n")
    assert found.lines == ()
    assert len(found.problems) == 1


def test_binary_is_an_error_and_nothing_is_not():
    with pytest.raises(ParseError, match="binary"):
        tmpfilesd.parse("w /sys/x - - - - 1\n\0")
    assert tmpfilesd.parse("") == tmpfilesd.Tmpfiles(())


@given(st.text(st.sampled_from("w /sys-\"'%\\x01\n+~!")))
def test_any_text_like_a_tmpfile_raises_nothing(text):
    for line in tmpfilesd.parse(text).lines:
        assert line.path.startswith(("sys/", "proc/"))
