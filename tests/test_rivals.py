import json

import pytest

from advisor.capture.model import Capture, Process, Sample
from advisor.outlook import Boot
from advisor.persisted import files_of
from advisor.rivals import Rival, rivals, winner
from advisor.tunables import get

SWAPPINESS = "vm.swappiness"
ACTIVE = {"etc/tuned/active_profile": "mine\n", "run/tuned/tuned.pid": "812\n"}
CONF = "etc/sysctl.d/50-site.conf"


def found(files, name=SWAPPINESS, processes=()):
    """The rivals of one setting on a host with these files."""
    capture = Capture((Sample(files),), processes=processes)
    return rivals(capture, get(name), Boot(files_of(capture)).of(get(name)))


def one(files, name=SWAPPINESS, **more):
    (rival,) = found(files, name, **more)
    return rival


def test_a_host_without_rivals():
    assert found({CONF: f"{SWAPPINESS}=1\n", "proc/cmdline": "quiet psi=1\n", "etc/rc.local": "exit 0\n"}) == ()


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("sysctl.vm.swappiness=10", SWAPPINESS, "10"),
        ("sysctl.vm/swappiness=10", SWAPPINESS, "10"),
        ("transparent_hugepage=never", "thp.enabled", "never"),
        ("zswap.enabled=1", "zswap.enabled", "1"),
        ("hugepages=64", "vm.nr_hugepages", "64"),
    ],
)
def test_the_kernel_command_line_counts_where_no_file_comes_later(line, name, value):
    rival = one({"proc/cmdline": f"root=/dev/vda {line} quiet\n"}, name)
    assert (rival.who, rival.value, rival.wins) == (f"kernel command line, {line.partition('=')[0]}", value, True)
    if name == SWAPPINESS:
        later = one({"proc/cmdline": f"{line}\n", CONF: "vm.swappiness=5\n"})
        assert (later.wins, later.note) == (False, "the files come later")


def tuned(profile, name=SWAPPINESS, **files):
    return found({**ACTIVE, "etc/tuned/mine/tuned.conf": profile, **files}, name)


def test_tuned_wins_over_no_file_and_loses_to_one_that_it_applies_again():
    profile = f"[main]\nsummary=x\n[sysctl]\n{SWAPPINESS}=5\n"
    (alone,) = tuned(profile)
    assert alone == Rival("TuneD profile mine", "/etc/tuned/mine/tuned.conf:4", "5", True, "it comes after the files")
    (against,) = tuned(profile, **{CONF: f"{SWAPPINESS}=10\n"})
    assert (against.wins, against.note) == (False, "reapply_sysctl: /etc and /run come after it again")


@pytest.mark.parametrize(
    "main",
    ["reapply_sysctl = 0\n", "reapply_sysctl=False # no\n", f"reapply_sysctl_exclude = vm.x, {SWAPPINESS[:6]}*\n"],
)
def test_tuned_wins_where_it_does_not_apply_them_again(main):
    profile = f"[sysctl]\n{SWAPPINESS}=5\n"
    (rival,) = tuned(profile, **{CONF: f"{SWAPPINESS}=10\n", "etc/tuned/tuned-main.conf": main})
    assert (rival.value, rival.wins) == ("5", True)


def test_what_the_vendor_ships_is_not_applied_again():
    (rival,) = tuned(f"[sysctl]\n{SWAPPINESS}=5\n", **{"usr/lib/sysctl.d/50-v.conf": f"{SWAPPINESS}=10\n"})
    assert (rival.value, rival.wins) == ("5", True)


def test_tuned_applies_sysctl_conf_last_whatever_its_profile_says():
    files = {CONF: f"{SWAPPINESS}=10\n", "etc/sysctl.conf": f"{SWAPPINESS}=30\n"}
    (again,) = tuned("[vm]\n", **files)
    assert (again.who, again.at, again.value, again.wins) == (
        "TuneD, reapply_sysctl", "/etc/sysctl.conf:1", "30", True,
    )  # fmt: skip
    assert found(files) == ()


def test_whether_tuned_runs_is_not_assumed():
    files = {"etc/tuned/active_profile": "mine\n", "etc/tuned/mine/tuned.conf": f"[sysctl]\n{SWAPPINESS}=5\n"}
    assert (one(files).wins, one(files).note) == (None, "it comes after the files, if TuneD runs")


@pytest.mark.parametrize(
    ("profile", "name", "value"),
    [
        ("[vm]\ntransparent_hugepages=never\n", "thp.enabled", "never"),
        ("[vm]\ntransparent_hugepage=never\n", "thp.enabled", "never"),
        ("[vm]\ntransparent_hugepage.defrag=defer\n", "thp.defrag", "defer"),
        ("[vm]\ndirty_bytes=10%\n", "vm.dirty_ratio", "10"),
        ("[vm]\ndirty_background_bytes=10000\n", "vm.dirty_background_bytes", "10000"),
        ("[sysfs]\n/sys/kernel/mm/transparent_hugepage/enabled=always\n", "thp.enabled", "always"),
        ("[sysctl]\nvm.swappiness=${x}\n", SWAPPINESS, None),
        ("[sysctl]\nvm.swappiness=>10\n", SWAPPINESS, None),
    ],
)
def test_every_way_in_which_a_profile_sets_memory(profile, name, value):
    (rival,) = tuned(profile, name)
    assert (rival.value, rival.wins) == (value, True)


def test_tuned_leaves_huge_pages_to_the_kernel_command_line():
    word, profile = tuned(
        "[vm]\ntransparent_hugepages=never\n", "thp.enabled", **{"proc/cmdline": "transparent_hugepage=always\n"}
    )
    assert (word.value, word.wins, profile.wins) == ("always", True, False)


def saptune(*notes):
    return json.dumps({"AllNotes": [{"NoteID": name, "Value": value} for name, value in notes]})


def test_saptune_tells_what_it_changed_and_for_which_note():
    files = {"run/saptune/parameter/vm.swappiness": saptune(("start", "60"), ("1656250", "10"), ("2382421", "5"))}
    assert one(files) == Rival(
        "saptune, note 2382421",
        "/run/saptune/parameter/vm.swappiness",
        "5",
        True,
        "applied again when its service starts",
    )
    assert (
        one({"var/lib/saptune/parameter/THP": saptune(("start", "always"), ("x", "never"))}, "thp.enabled").value
        == "never"
    )


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"AllNotes": []}', '{"AllNotes": [3]}', saptune(("start", "60")), "[" * 100_000]
)
def test_a_state_of_saptune_that_says_nothing(text):
    assert found({"run/saptune/parameter/vm.swappiness": text}) == ()


def test_sapconf_has_floors_and_values():
    text = '# DIRTY_BYTES_DEF=1\nDIRTY_BYTES_DEF=629145600\nDIRTY_BG_BYTES="314572800"\nTHP=never\nKSM=0\n'
    files = {"etc/sysconfig/sapconf": text}
    floor = one(files, "vm.dirty_bytes")
    assert (floor.at, floor.value, floor.wins) == ("/etc/sysconfig/sapconf:2", "629145600", None)
    assert floor.note.startswith("at least that")
    assert one(files, "vm.dirty_background_bytes").value == "314572800"
    assert one(files, "thp.enabled").value == "never"
    assert found(files) == ()


def test_a_kubelet_sets_two_settings_or_refuses_to_start():
    config = {"var/lib/kubelet/config.yaml": "kind: KubeletConfiguration\nprotectKernelDefaults: false\n"}
    assert (one(config, "vm.overcommit_memory").value, one(config, "vm.overcommit_memory").wins) == ("1", True)
    strict = {"var/lib/kubelet/config.yaml": "a: b\nprotectKernelDefaults: true # hard\n"}
    assert one(strict, "vm.panic_on_oom").at == "/var/lib/kubelet/config.yaml:2"
    assert one(strict, "vm.panic_on_oom").wins is False
    assert found(config) == ()
    assert one({}, "vm.overcommit_memory", processes=(Process(1, "kubelet", 1),)).value == "1"


@pytest.mark.parametrize(
    ("path", "line", "who"),
    [
        ("etc/rc.local", "sysctl -w vm.swappiness=10", "rc.local"),
        ("etc/rc.d/rc.local", "/sbin/sysctl -q vm/swappiness='10'", "rc.local"),
        ("etc/rc.local", "echo 10 > /proc/sys/vm/swappiness", "rc.local"),
        ("etc/rc.local", 'echo "10" | tee /proc/sys/vm/swappiness', "rc.local"),
        ("etc/ufw/sysctl.conf", "vm/swappiness=10", "ufw"),
        ("etc/sysctl.ktune", "vm.swappiness = 10", "ktune"),
        ("etc/systemd/system/disable-x.service", 'ExecStart=sh -c "sysctl vm.swappiness=10"', "unit disable-x.service"),
    ],
)
def test_scripts_that_write_at_boot(path, line, who):
    rival = one({path: f"#!/bin/sh\n# sysctl -w vm.swappiness=1\n{line}\nsysctl vm.swappinessx=3\n"})
    assert (rival.who, rival.at, rival.value, rival.wins) == (who, f"/{path}:3", "10", None)


def test_a_unit_that_switches_huge_pages_off():
    path = "etc/systemd/system/disable-thp.service"
    unit = (
        "[Service]\nExecStart=/bin/sh -c 'echo never | tee /sys/kernel/mm/transparent_hugepage/enabled > /dev/null'\n"
    )
    assert (one({path: unit}, "thp.enabled").value, found({path: unit}, "thp.defrag")) == ("never", ())


def test_the_last_that_wins_is_the_winner():
    lines = [
        Rival("a", "", "1", True),
        Rival("b", "", "2", None),
        Rival("c", "", "3", True),
        Rival("d", "", "4", False),
    ]
    assert winner(lines).who == "c"
    assert winner(lines[1:2]) is None
