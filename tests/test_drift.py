import json

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from advisor.capture.write import write_capture
from advisor.cli import main
from advisor.drift import drift
from advisor.errors import AdvisorError, Unknown
from advisor.record import replace
from advisor.report.drift import document, layout
from tests.fixtures import CAPTURES
from tests.transactions import MIN_FREE, SWAPPINESS, capture, host

CONF = "etc/sysctl.d/50-site.conf"
TMPFILES = "etc/tmpfiles.d/thp.conf"
THP = "w /sys/kernel/mm/transparent_hugepage/enabled - - - - "


def rows(files, desired=None, **settings):
    found = drift(capture(host(files=files, **settings)), desired)
    return {row.tunable.name: row for row in found.rows}


def differences(files, desired=None, **settings):
    return {name: row.differences for name, row in rows(files, desired, **settings).items() if row.differences}


def test_what_runs_as_the_files_say_does_not_drift():
    files = {CONF: f"{SWAPPINESS}=60\nvm.dirty_bytes = 300000000\n", TMPFILES: f"{THP}madvise\n"}
    assert differences(files, vm__dirty_bytes=300000000, vm__dirty_ratio=0) == {}


def test_the_next_boot_and_sysctl_system_set_other_values():
    files = {CONF: f"{SWAPPINESS}=10\n", "etc/sysctl.conf": f"{SWAPPINESS}=30\n", TMPFILES: f"{THP}never\n"}
    assert differences(files) == {SWAPPINESS: ("boot", "system"), "thp.enabled": ("boot",)}
    row = rows(files)[SWAPPINESS]
    assert (row.running, row.next_boot, row.next_boot_by) == ("60", "10", f"/{CONF}:1")
    assert row.outlook.system.value == "30"
    assert differences({"etc/sysctl.conf": f"{SWAPPINESS}=30\n"}) == {SWAPPINESS: ("system",)}


def test_a_value_that_nothing_keeps_was_set_by_hand():
    assert differences({CONF: ""}, vm__swappiness=1) == {SWAPPINESS: ("by hand",)}
    assert differences({CONF: ""}, vm__dirty_bytes=300000000, vm__dirty_ratio=0) == {
        "vm.dirty_bytes": ("by hand",), "vm.dirty_ratio": ("by hand",),
    }  # fmt: skip
    assert differences({CONF: ""}) == {}


def test_what_is_desired_is_compared_with_what_runs_and_with_the_next_boot():
    files = {CONF: f"{SWAPPINESS}=10\n"}
    assert differences(files, {SWAPPINESS: 10}, vm__swappiness=10) == {}
    assert differences(files, {SWAPPINESS: "<= 30"}, vm__swappiness=10) == {}
    assert differences(files, {SWAPPINESS: 60}) == {SWAPPINESS: ("boot", "system", "desired at boot")}
    assert differences(files, {MIN_FREE: ">= 1024"}) == {
        SWAPPINESS: ("boot", "system"), MIN_FREE: ("desired at boot",),
    }  # fmt: skip
    assert differences(files, {MIN_FREE: ">= 90000"}, vm__swappiness=10) == {MIN_FREE: ("desired", "desired at boot")}
    assert differences({CONF: ""}, {"vm.page-cluster": 3}) == {}  # the kernel's default keeps it


def test_a_rival_decides_the_next_boot():
    files = {
        CONF: f"{SWAPPINESS}=60\n", "etc/tuned/active_profile": "mine", "run/tuned/tuned.pid": "1",
        "etc/tuned/tuned-main.conf": "reapply_sysctl=0", "etc/tuned/mine/tuned.conf": f"[sysctl]\n{SWAPPINESS}=5\n",
    }  # fmt: skip
    row = rows(files)[SWAPPINESS]
    assert (row.next_boot, row.next_boot_by, row.differences) == ("5", "TuneD profile mine", ("boot",))


def test_a_capture_without_these_files_cannot_be_judged():
    with pytest.raises(Unknown, match="nobody can tell what a boot would set"):
        drift(capture(host()))
    empty = replace(capture(host()), unread={"etc/sysctl.conf": "not on this host"})
    assert not drift(empty).differing()


@pytest.mark.parametrize(
    ("wish", "told"), [({"vm.swapiness": 1}, "did you mean 'vm.swappiness'"), ({SWAPPINESS: "x"}, "cannot be 'x'")]
)
def test_a_wrong_wish_is_told(wish, told):
    with pytest.raises(AdvisorError) as raised:
        drift(capture(host(files={CONF: ""})), wish)
    assert told in str(raised.value)


PIECES = st.sampled_from([
    "vm.swappiness", "vm.*", "-", "=", " ", "10", "500", "\n", "\0", "#", "[vm]", "[sysctl]", "[main]\ninclude=mine",
    "dirty_bytes=10%", '{"AllNotes":', "[{", '"Value": 3', "}]}", "echo 1 > /proc/sys/vm/swappiness", "w /sys/",
    "\udcff", "sysctl.", "transparent_hugepage=", "${a}", "protectKernelDefaults: true", "x",
])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join)
PATHS = (
    CONF, "etc/sysctl.conf", "usr/lib/sysctl.d/.conf", "etc/tmpfiles.d/a.conf", "etc/tuned/active_profile",
    "etc/tuned/mine/tuned.conf", "etc/tuned/tuned-main.conf", "run/saptune/parameter/vm.swappiness", "proc/cmdline",
    "etc/sysconfig/sapconf", "var/lib/kubelet/config.yaml", "etc/rc.local", "etc/ufw/sysctl.conf",
)  # fmt: skip


@given(st.fixed_dictionaries({CONF: TEXTS}, optional=dict.fromkeys(PATHS[1:], TEXTS)))
@hypothesis_settings(max_examples=150, deadline=None)
def test_whatever_stands_in_the_files_there_is_an_answer(files):
    found = drift(capture(host(files=files)), {SWAPPINESS: "<= 30"})
    assert layout(found, 80, everything=True)
    assert json.dumps(document(found, everything=True))


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def source(tmp_path):
    files = {
        CONF: f"# dba\n{SWAPPINESS}=10\n",
        "usr/lib/sysctl.d/10-v.conf": f"{SWAPPINESS}=1\n",
        "etc/sysctl.d/10-v.conf": "",
        "etc/sysctl.conf": f"{SWAPPINESS}=30\n",
        "etc/sysctl.d/60-x.conf": f"{MIN_FREE}=many\n",
    }
    taken = replace(capture(host(files=files)), links={"etc/sysctl.d/99-s.conf": "../sysctl.conf"})
    write_capture(taken, str(tmp_path / "db1"))
    return str(tmp_path / "db1")


def test_the_text_names_lines_winners_losers_and_the_outcome(source, capsys):
    assert main(["drift", source, "--desired", f"{SWAPPINESS}=10", "--desired", f"{MIN_FREE} >= 90000"]) == 2
    text = capsys.readouterr().out
    for told in (
        "2 settings drift on db1, of 2 that somebody sets or wants.",
        "The next boot sets 10 instead of 60.",
        "sysctl --system sets 30.",
        "10 is desired, and 60 runs.",
        f"/{CONF}:2 = 10",
        "/etc/sysctl.conf:1 = 30",
        "/usr/lib/sysctl.d/10-v.conf:1 = 1 (a file of the same name masks it)",
        "/etc/sysctl.d/60-x.conf:1 = many (the kernel refuses it)",
        ">= 90000 is desired, and 67584 runs.",
    ):
        assert told in text
    assert max(map(len, text.splitlines())) <= 100


def test_json_has_the_same(source, capsys):
    assert main(["drift", source, "-f", "json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["host"], found["drifting"]) == ("memadvisor/drift/1", "db1", 1)
    (setting,) = found["settings"]
    assert (setting["running"], setting["boot"]["by"], setting["sysctl_system"]["value"]) == ("60", f"/{CONF}:2", "30")
    assert [other["at"] for other in setting["others"]] == ["/usr/lib/sysctl.d/10-v.conf:1", "/etc/sysctl.conf:1"]


def test_all_shows_what_does_not_drift_too(source, capsys):
    assert main(["drift", source, "--all", "-f", "json"]) == 2
    assert {entry["setting"] for entry in json.loads(capsys.readouterr().out)["settings"]} == {SWAPPINESS, MIN_FREE}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("site.yml", f"{SWAPPINESS}: 10\n{MIN_FREE}: '>= 90000'\n"),
        ("site.json", json.dumps({SWAPPINESS: 10, MIN_FREE: ">= 90000"})),
        ("vars.yml", f"memadvisor_settings:\n  {SWAPPINESS}: '10'\n  {MIN_FREE}: '>= 90000'\n"),
        ("site.conf", f"# x\n{SWAPPINESS} = 10\n{MIN_FREE}=90000\n"),
    ],
)
def test_what_is_desired_may_stand_in_a_file(source, tmp_path, capsys, name, text):
    (tmp_path / name).write_text(text)
    assert main(["drift", source, "--desired", str(tmp_path / name), "-f", "json"]) == 2
    found = {entry["setting"]: entry["desired"] for entry in json.loads(capsys.readouterr().out)["settings"]}
    assert found[SWAPPINESS] == "10"
    assert "90000" in found[MIN_FREE]


def test_a_plan_is_something_desired_too(source, tmp_path, capsys):
    assert main(["plan", str(CAPTURES / "scenarios/6.12-bursts.tar.xz"), "-f", "json", "-o", str(tmp_path / "p")]) == 0
    assert main(["drift", source, "--desired", str(tmp_path / "p"), "-f", "json"]) == 2
    assert {entry["setting"] for entry in json.loads(capsys.readouterr().out)["settings"]} >= {
        "vm.watermark_scale_factor"
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("just words\n", "found"),
        ("", "no settings"),
        ("a: [\n", "is no YAML"),
        ("[1]\n", "was expected"),
        ("x: 1\n", "unknown setting 'x'"),
        (f"{SWAPPINESS}: yes\n", "put it in quotes"),
        ("memadvisor_settings: 3\n", "holds no settings"),
        ("recommendations: 3\n", "the plan is damaged"),
        ("recommendations: [{}]\n", "the plan is damaged"),
    ],
)
def test_a_file_that_says_nothing_is_one_clear_line(source, tmp_path, capsys, text, told):
    (tmp_path / "site.yml").write_text(text)
    assert main(["drift", source, "--desired", str(tmp_path / "site.yml")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
    assert captured.err.count("\n") == 1


def test_a_file_that_is_not_there_or_no_text(source, tmp_path, capsys):
    assert main(["drift", source, "--desired", str(tmp_path / "nope")]) == 1
    assert "no such file or directory; say SETTING=VALUE" in capsys.readouterr().err
    (tmp_path / "blob").write_bytes(b"\xff\x00")
    assert main(["drift", source, "--desired", str(tmp_path / "blob")]) == 1
    assert "is no text" in capsys.readouterr().err


def test_what_cannot_be_judged_ends_with_3(capsys):
    assert main(["drift", str(CAPTURES / "6.12-idle.tar.xz")]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "add /etc/sysctl.d" in captured.err


def test_no_drift_ends_with_0(tmp_path, capsys):
    write_capture(capture(host(files={CONF: f"{SWAPPINESS}=60\n"})), str(tmp_path / "h"))
    assert main(["drift", str(tmp_path / "h")]) == 0
    assert capsys.readouterr().out == "No drift on db1: what is set runs so.\n"
