"""What files set at boot against what runs, and which of the two TuneD stands behind."""

import pytest

from advisor.analysis import analyse
from advisor.capture.model import Capture, Sample
from advisor.errors import Unknown
from advisor.rulebook import library
from advisor.signals.model import entities_of
from advisor.signals.table import Table
from advisor.signals.view import views
from tests.fixtures import capture_files

KEY = "vm.swappiness"
CONF = "etc/sysctl.d/90-x.conf"
TUNED = {"etc/tuned/active_profile": "mine\n"}


def host(files=None, **running):
    """A host with these files, and these values below /proc/sys/vm."""
    proc = {f"proc/sys/vm/{name}": f"{value}\n" for name, value in {"swappiness": 60, **running}.items()}
    return Capture((Sample({**proc, **(files or {})}),))


def setting(capture, name, key=KEY):
    row = _row(capture, name, key)
    return row.values[f"setting.{name}"]


def _row(capture, name, key):
    whole, _parts = views(capture)
    (found,) = (entity for entity in entities_of(whole, "setting") if entity.name == key)
    return Table(whole).row([f"setting.{name}"], "setting", found)


def found(capture):
    return {(finding.rule, finding.entity) for finding in analyse(capture, CHECKS).failed()}


CHECKS = library.load()


def test_a_setting_that_runs_as_it_is_written():
    capture = host({CONF: f"{KEY} = 60"})
    assert setting(capture, "differs") is False
    assert (setting(capture, "value"), setting(capture, "running")) == ("60", "60")
    assert setting(capture, "file") == f"/{CONF}:1"
    assert found(capture) == set()


def test_a_setting_that_runs_with_another_value():
    assert found(host({CONF: f"{KEY} = 10"})) == {("running-differs-from-file", KEY)}


def test_a_default_of_the_distribution_may_be_changed_by_hand_or_by_file():
    vendor = {"usr/lib/sysctl.d/50-x.conf": f"{KEY} = 10"}
    assert found(host(vendor)) == set()
    assert found(host({**vendor, CONF: f"{KEY} = 60"})) == set()


def test_what_sysctl_conf_alone_sets_is_known_too():
    capture = host({"etc/sysctl.conf": f"{KEY} = 10"})
    assert setting(capture, "file") == "/etc/sysctl.conf:1"
    assert setting(capture, "procps_differs") is False
    assert found(capture) == {("running-differs-from-file", KEY)}


def test_two_files_of_the_administrator_that_disagree():
    capture = host({"etc/sysctl.d/10-a.conf": f"{KEY}=1", CONF: f"{KEY}=60"})
    assert setting(capture, "loser") == "/etc/sysctl.d/10-a.conf:1 = 1"
    assert found(capture) == {("setting-in-two-files", KEY)}


def test_two_files_that_say_the_same_do_not_disagree():
    assert found(host({"etc/sysctl.d/10-a.conf": f"{KEY}=60", CONF: f"{KEY} =  60"})) == set()


def test_boot_and_procps_may_come_to_different_values():
    capture = host({"etc/sysctl.conf": f"{KEY}=10", CONF: f"{KEY}=60"})
    assert (setting(capture, "value"), setting(capture, "procps_value")) == ("60", "10")
    assert ("boot-and-sysctl-disagree", KEY) in found(capture)


def test_a_list_that_is_shorter_leaves_the_rest_alone():
    capture = host({CONF: "vm.lowmem_reserve_ratio = 256 256 32"}, lowmem_reserve_ratio="256\t256\t32\t0\t0")
    assert setting(capture, "differs", "vm.lowmem_reserve_ratio") is False


def test_of_ratio_and_bytes_the_earlier_line_is_void():
    capture = host({CONF: "vm.dirty_ratio=10\nvm.dirty_bytes=536870912"}, dirty_ratio=0, dirty_bytes=536870912)
    assert setting(capture, "zeroed", "vm.dirty_ratio") is True
    assert setting(capture, "zeroed", "vm.dirty_bytes") is False
    assert found(capture) == {("ratio-and-bytes-both-set", "vm.dirty_ratio")}


@pytest.mark.parametrize(
    "files",
    [
        {CONF: "vm.dirty_ratio=10\nvm.dirty_bytes=0"},
        {CONF: "vm.dirty_ratio=0\nvm.dirty_bytes=536870912"},
        {"usr/lib/sysctl.d/10-v.conf": "vm.dirty_ratio=30", CONF: "vm.dirty_bytes=536870912"},
    ],
)
def test_a_pair_of_which_one_does_not_count_is_no_conflict(files):
    capture = host(files)
    assert setting(capture, "zeroed", "vm.dirty_bytes") is False
    assert ("ratio-and-bytes-both-set", "vm.dirty_ratio") not in found(capture)


@pytest.mark.parametrize(
    ("value", "accepted"),
    [("100", True), ("201", False), ("-1", False), ("low", False), ("0x10", None), ("10 # percent", None)],
)
def test_a_value_that_no_kernel_takes_is_refused(value, accepted):
    assert setting(host({CONF: f"{KEY} = {value}"}), "accepted") is accepted


def test_a_value_that_only_some_kernels_take_is_not_held_against_an_unknown_one():
    assert setting(host({CONF: f"{KEY} = 150"}), "accepted") is True


def test_a_value_that_this_kernel_takes():
    files = dict(capture_files("6.12", "idle"))
    capture = Capture((Sample({**files, CONF: f"{KEY} = 150\nvm.watermark_scale_factor = 4000"}),))
    assert setting(capture, "accepted") is True
    assert setting(capture, "accepted", "vm.watermark_scale_factor") is False
    assert setting(capture, "refusal", "vm.watermark_scale_factor").startswith("4000 is outside 1 to 3000")


def test_settings_that_the_kernel_does_not_have_and_names_that_are_misspelt():
    capture = host({CONF: "vm.swapiness = 10\nvm.percpu_pagelist_fraction = 8\nvm.foo = 1"})
    assert found(capture) == {
        ("misspelt-setting", "vm.swapiness"),
        ("setting-unknown-to-kernel", "vm.percpu_pagelist_fraction"),
        ("setting-unknown-to-kernel", "vm.foo"),
    }
    assert setting(capture, "likely_name", "vm.swapiness") == KEY


def test_without_the_settings_of_the_kernel_nobody_can_tell_what_it_lacks():
    capture = Capture((Sample({CONF: "vm.foo = 1"}),))
    assert setting(capture, "exists", "vm.foo") is None
    assert found(capture) == set()


def test_an_action_is_no_setting():
    capture = host({CONF: "vm.drop_caches = 3"})
    assert setting(capture, "exists", "vm.drop_caches") is True
    assert found(capture) == {("action-at-boot", "vm.drop_caches")}


def test_what_tmpfiles_writes_to_sysfs_is_a_setting_as_well():
    path = "sys/kernel/mm/transparent_hugepage/enabled"
    files = {"etc/tmpfiles.d/thp.conf": f"w /{path} - - - - never", path: "always [madvise] never\n"}
    assert setting(host(files), "running", "thp.enabled") == "madvise"
    assert found(host(files)) == {("running-differs-from-file", "thp.enabled")}


def test_huge_pages_that_raised_the_reserve_are_no_drift():
    files = {**capture_files("6.12", "idle"), CONF: "vm.min_free_kbytes = 1024"}
    files["sys/kernel/mm/transparent_hugepage/enabled"] = "[always] madvise never\n"
    whole, _parts = views(Capture((Sample(files),)))
    raised = Table(whole).row(["watermark.thp_min_free"]).values["watermark.thp_min_free"]
    files["proc/sys/vm/min_free_kbytes"] = f"{raised / 1024:.0f}\n"
    rules = {rule for rule, entity in found(Capture((Sample(files),))) if entity == "vm.min_free_kbytes"}
    assert rules == {"huge-pages-raised-min-free"}


def test_without_files_of_sysctl_nothing_is_said():
    whole, _parts = views(host())
    with pytest.raises(Unknown, match=r"no sysctl\.d file"):
        entities_of(whole, "setting")


def test_a_host_that_has_none_of_these_files_has_no_such_settings():
    whole, _parts = views(Capture((Sample({}),), unread={"etc/sysctl.conf": "not on this host"}))
    assert entities_of(whole, "setting") == ()


# --- TuneD


def test_a_profile_of_tuned_that_overrules_a_file():
    files = {**TUNED, CONF: f"{KEY} = 10", "etc/tuned/mine/tuned.conf": f"[sysctl]\n{KEY}=60\n"}
    capture = host(files)
    assert setting(capture, "tuned_value") == "60"
    assert found(capture) == {("tuned-overrules-file", KEY)}


def test_a_profile_that_lets_the_file_win_is_no_conflict():
    files = {**TUNED, CONF: f"{KEY} = 60", "etc/tuned/mine/tuned.conf": f"[sysctl]\n{KEY}=10\n"}
    assert found(host(files)) == set()


def test_a_profile_takes_what_it_includes_and_changes_it():
    files = {
        **TUNED,
        CONF: f"{KEY} = 1\nvm.dirty_ratio = 5",
        "etc/tuned/profiles/mine/tuned.conf": f"[main]\ninclude=base\n[sysctl]\n{KEY} = 60\n",
        "usr/lib/tuned/base/tuned.conf": f"[sysctl]\n{KEY} = 10 # less\n[vm]\ndirty_ratio=40\n",
    }
    assert setting(host(files), "tuned_value") == "60"
    assert setting(host(files), "tuned_value", "vm.dirty_ratio") == "40"


@pytest.mark.parametrize("value", ["${isolated}", ">60", "10%", "${f:calc_isolated_cores:1}"])
def test_what_only_tuned_can_work_out_is_unknown(value):
    files = {**TUNED, CONF: f"{KEY} = 10", "etc/tuned/mine/tuned.conf": f"[sysctl]\n{KEY}={value}\n"}
    assert setting(host(files), "tuned_value") is None
    assert setting(host(files), "set_by_tuned") is False


def test_profiles_that_include_each_other_end():
    files = {**TUNED, CONF: f"{KEY} = 10", "etc/tuned/mine/tuned.conf": "[main]\ninclude=mine\n"}
    assert setting(host(files), "tuned_value") is None


# --- pressure information


@pytest.mark.parametrize(
    ("why", "available"), [("switched off in this kernel", False), ("not on this host", False), ("", None)]
)
def test_pressure_information_that_is_missing(why, available):
    capture = Capture((Sample({"proc/vmstat": "workingset_restore_file 0\n"}),), unread={"proc/pressure/memory": why})
    whole, _parts = views(capture)
    values = Table(whole).row(["psi.available", "psi.can_be_switched_on"]).values
    assert values == {"psi.available": available, "psi.can_be_switched_on": True}
    assert (("pressure-information-off", "") in found(capture)) is (available is False)


def test_pressure_information_that_is_there():
    whole, _parts = views(Capture((Sample(capture_files("6.12", "idle")),)))
    assert Table(whole).row(["psi.available"]).values["psi.available"] is True
