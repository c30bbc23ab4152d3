"""A plan is computed, limited, merged, and says what it held back and why."""

from dataclasses import replace

import pytest

from advisor.analysis import analyse
from advisor.capture.model import Capture, Sample
from advisor.known import predict_changes
from advisor.report import plans
from advisor.rulebook import library
from advisor.signals.view import views
from advisor.tunables import get, in_own_unit, parse_value
from tests.synthetic_host import DEFAULTS, SECONDS, Host

QUIET = {
    "allocstall_normal": 0, "pgscan_kswapd": 0, "pgsteal_kswapd": 0, "pgscan_direct": 0, "pgsteal_direct": 0,
    "pgscan_anon": 0, "pgscan_file": 0, "workingset_refault_file": 0, "workingset_refault_anon": 0,
    "workingset_restore_file": 0, "workingset_restore_anon": 0, "pswpin": 0, "pswpout": 0, "compact_stall": 0,
    "pageoutrun": 0, "kswapd_low_wmark_hit_quickly": 0, "oom_kill": 0, "pgmajfault": 0, "pgpgin": 0, "pgpgout": 0,
    "nr_vmscan_immediate_reclaim": 0, "pgscan_direct_throttle": 0,
}  # fmt: skip
BURSTS = {
    "allocstall_normal": 3000, "pgscan_kswapd": 2_000_000, "pgsteal_kswapd": 1_900_000, "pgscan_direct": 400_000,
    "pgsteal_direct": 380_000, "pgscan_anon": 0, "pgscan_file": 2_400_000, "pageoutrun": 400,
    "kswapd_low_wmark_hit_quickly": 10,
}  # fmt: skip


ZONES = (("DMA", 3840), ("DMA32", 196_000), ("Normal", 4_000_000))


def host(**more):
    return replace(Host(ZONES, dict(DEFAULTS), "madvise", dict(QUIET), 0.01, 0.7, 0.0), **more)


def bursting(**more):
    return host(**{"counters": QUIET | BURSTS, "full": 0.04, **more})


@pytest.fixture(scope="module")
def rules():
    return library.load()


def planned(taken, rules, role=None):
    return analyse(taken.capture(), rules, role).plan


def change(plan, setting):
    return next((r for r in plan.recommendations if r.setting == setting), None)


def test_a_healthy_host_has_an_empty_plan(rules):
    plan = planned(host(), rules)
    assert plan.recommendations == ()


def test_bursts_over_a_small_gap_raise_the_scale_factor_to_a_computed_value(rules):
    found = change(planned(bursting(), rules), "vm.watermark_scale_factor")
    # 380 000 pages in 120 s are what tasks freed a second; on top of the gap, as a share of all managed pages.
    gap = 16896 // 4
    wanted = 10000 * (gap + 380_000 / SECONDS) / (3840 + 196_000 + 4_000_000)
    assert found.current == 10
    assert found.proposed >= wanted
    assert found.direction == "increase"
    assert found.predicted.effect == "changes"
    assert found.predicted.after.gap > found.predicted.before.gap


def test_the_predicted_marks_are_those_of_the_formula(rules):
    found = change(planned(bursting(), rules), "vm.watermark_scale_factor")
    after = bursting().written("vm.watermark_scale_factor", found.proposed).capture()
    whole, _parts = views(after)
    now = predict_changes(whole, {"vm.watermark_scale_factor": found.proposed})
    assert [zone.before for zone in now.zones] == [zone.after for zone in found.predicted.zones]


def test_one_change_raises_a_factor_five_times_at_most(rules):
    storm = bursting(counters=QUIET | BURSTS | {"pgsteal_direct": 39_000_000, "pgscan_direct": 40_000_000})
    found = change(planned(storm, rules), "vm.watermark_scale_factor")
    assert found.proposed == 50
    assert any("5 times" in limit for limit in found.limits)


def test_no_watermark_goes_up_where_memory_itself_is_short(rules):
    short = bursting(
        counters=QUIET | BURSTS | {
            "pswpin": 400_000, "pswpout": 400_000, "workingset_refault_anon": 400_000,
            "workingset_restore_anon": 300_000, "pgmajfault": 90_000,
        },
        full=0.4, swap=(1 << 20, 0.5, False), cache=0.02,
    )  # fmt: skip
    plan = planned(short, rules)
    assert change(plan, "vm.watermark_scale_factor") is None
    assert change(plan, "vm.min_free_kbytes") is None


def test_a_setting_that_the_kernel_lacks_is_not_proposed(rules):
    capture = bursting().capture()
    without = tuple(
        Sample({p: t for p, t in s.files.items() if not p.endswith("watermark_scale_factor")}, s.monotonic_s)
        for s in capture.samples
    )
    plan = analyse(Capture(without), rules).plan
    assert change(plan, "vm.watermark_scale_factor") is None


def test_only_one_of_two_knobs_that_move_the_same_marks_is_turned(rules):
    both = bursting(counters=QUIET | BURSTS | {"pgscan_direct_throttle": 5})
    plan = planned(both, rules)
    moved = {r.setting for r in plan.changes()} & {"vm.min_free_kbytes", "vm.watermark_scale_factor"}
    assert len(moved) <= 1


def test_values_are_rounded_in_the_settings_own_unit():
    assert in_own_unit("vm.min_free_kbytes", 67584 * 1024.0, "nearest") == 67584
    assert in_own_unit("vm.min_free_kbytes", 1.0, "up") == 1
    assert in_own_unit("vm.min_free_kbytes", 1.0, "down") == 0
    assert in_own_unit("vm.swappiness", 12.4, "nearest") == 12
    assert in_own_unit("thp.enabled", "madvise", "nearest") == "madvise"
    assert in_own_unit("capacity.ram", None, "nearest") is None


def test_the_plan_as_a_sysctl_file_can_be_read_back(rules):
    plan = planned(bursting(), rules)
    text = plans.sysctl(plan)
    (line,) = [line for line in text.splitlines() if line.startswith("vm.watermark_scale_factor")]
    key, _equals, value = line.partition(" = ")
    assert parse_value(get(key), value) == change(plan, key).proposed


def test_the_plan_as_ansible_variables_is_yaml_of_texts(rules):
    import yaml

    values = yaml.safe_load(plans.ansible_vars(planned(bursting(), rules)))["memadvisor_settings"]
    assert set(values) == {"vm.watermark_scale_factor"}
    assert all(isinstance(value, str) for value in values.values())


def test_the_plan_as_a_tuned_profile_has_a_sysctl_section(rules):
    import configparser

    profile = configparser.ConfigParser()
    profile.read_string(plans.tuned(planned(bursting(), rules)))
    assert int(profile["sysctl"]["vm.watermark_scale_factor"]) > 10


def test_an_empty_plan_is_a_valid_file_of_each_form(rules):
    import yaml

    plan = planned(host(), rules)
    assert "=" not in plans.sysctl(plan).replace("#", "")
    assert yaml.safe_load(plans.ansible_vars(plan)) == {"memadvisor_settings": {}}
    assert "[main]" in plans.tuned(plan)
