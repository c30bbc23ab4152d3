"""Memory cgroups of both versions as signals."""

import pytest

from advisor.signals.cgroups import UNLIMITED
from advisor.signals.model import entities_of
from advisor.signals.table import Table
from advisor.signals.view import views
from tests.test_signals import capture, reason, value

ROOT = "sys/fs/cgroup"


def v2(group, **files):
    """Files of a version 2 group; `events_local` is memory.events.local."""
    named = {"current": "1048576\n", **files}
    return {f"{ROOT}/{group}/memory.{name.replace('_', '.')}": text for name, text in named.items()}


def v1(group, **files):
    named = {"usage_in_bytes": "1048576\n", **files}
    return {f"{ROOT}/memory/{group}/memory.{name}": text for name, text in named.items()}


def of_group(taken, name, signal):
    whole, _ = views(taken)
    entity = next(e for e in entities_of(whole, "cgroup") if e.name == name)
    row = Table(whole).row([signal], "cgroup", entity)
    return row.values[signal] if row.values[signal] is not None else str(row.reasons[signal])


def grew(before, after, name, signal):
    return of_group(capture(before, after), name, signal)


def test_groups_of_both_versions_have_the_path_that_people_know():
    files = v2("system.slice/a.service") | v1("docker/4f2a") | {f"{ROOT}/memory/memory.usage_in_bytes": "1\n"}
    whole, _ = views(capture(files))
    assert sorted(entity.name for entity in entities_of(whole, "cgroup")) == ["/docker/4f2a", "/system.slice/a.service"]


def test_the_root_of_a_container_has_a_name_too():
    whole, _ = views(capture({f"{ROOT}/memory.current": "1\n"}))
    assert [entity.name for entity in entities_of(whole, "cgroup")] == ["/"]


def test_no_limit_is_a_known_value():
    assert of_group(capture(v2("a", max="max\n")), "/a", "cgroup.max") == UNLIMITED
    assert of_group(capture(v1("a", limit_in_bytes="9223372036854771712\n")), "/a", "cgroup.max") == UNLIMITED


@pytest.mark.parametrize("signal", ["cgroup.high_rate", "cgroup.max_rate"])
def test_events_of_the_groups_below_are_not_the_groups_own(signal):
    key = signal.removeprefix("cgroup.").removesuffix("_rate")
    before = v2("a", events=f"{key} 0\n", events_local=f"{key} 0\n")
    after = v2("a", events=f"{key} 90\n", events_local=f"{key} 20\n")
    assert grew(before, after, "/a", signal) == 2.0


def test_kernels_without_local_events_count_those_below_as_well():
    assert grew(v2("a", events="high 0\n"), v2("a", events="high 90\n"), "/a", "cgroup.high_rate") == 9.0


def test_a_group_that_was_made_anew_is_unknown_and_not_negative():
    found = grew(v2("a", events="high 50\n"), v2("a", events="high 9\n"), "/a", "cgroup.high_rate")
    assert "went backwards" in found
    found = grew(v1("a", failcnt="50\n"), v1("a", failcnt="9\n"), "/a", "cgroup.max_rate")
    assert "went backwards" in found


def test_version_1_counts_charges_that_met_the_limit():
    assert grew(v1("a", failcnt="50\n"), v1("a", failcnt="80\n"), "/a", "cgroup.max_rate") == 3.0


def test_an_out_of_memory_counts_where_the_limit_is():
    before = v2("pods", events="oom 1\noom_kill 1\n", events_local="oom 0\noom_kill 0\n")
    after = v2("pods", events="oom 3\noom_kill 3\n", events_local="oom 0\noom_kill 0\n")
    assert grew(before, after, "/pods", "cgroup.own_ooms") == 0
    assert grew(before, after, "/pods", "cgroup.oom_kills") == 2


def test_version_1_counts_the_victims():
    before, after = (v1("a", oom_control=f"oom_kill_disable 0\nunder_oom 0\noom_kill {n}\n") for n in (4, 6))
    assert grew(before, after, "/a", "cgroup.own_ooms") == 2
    assert of_group(capture(after), "/a", "cgroup.own_ooms") == 6


@pytest.mark.parametrize(
    "stat",
    [
        pytest.param("workingset_refault_anon {0}\nworkingset_refault_file {0}\n", id="by kind"),
        pytest.param("workingset_refault {0}0\nworkingset_refault_x {0}\n", id="before the split"),
    ],
)
def test_refaults_of_a_group_are_one_number(stat):
    found = grew(v2("a", stat=stat.format(0)), v2("a", stat=stat.format(10)), "/a", "cgroup.refault_rate")
    assert found == (2.0 if "_anon" in stat else 10.0)


def test_version_1_knows_refaults_and_not_whether_the_pages_were_active():
    before, after = (v1("a", stat=f"cache 1\nrss 1\ntotal_workingset_refault_file {n}\n") for n in (0, 50))
    assert grew(before, after, "/a", "cgroup.refault_rate") == 5.0
    assert "v1" in grew(before, after, "/a", "cgroup.restore_rate")


def test_protection_is_summed_over_the_groups_below_the_root_only():
    files = v2("system.slice", min="1073741824\n") | v2("system.slice/a.service", min="1073741824\n")
    files |= v2("user.slice", min="0\n")
    taken = capture(files)
    assert value(taken, "cgroup.most_protected") == "/system.slice"
    assert "no cgroup v2" in reason(capture(v1("a")), "cgroup.protected_share")


def test_version_1_groups_with_a_swappiness_of_their_own_are_found():
    host = {"proc/sys/vm/swappiness": "10\n"}
    files = v1("big", usage_in_bytes="9000000\n", swappiness="60\n") | v1("same", swappiness="10\n")
    files |= v1("small", swappiness="60\n") | v1("empty", usage_in_bytes="0\n", swappiness="60\n")
    assert value(capture(host | files), "cgroup.swappiness_overrides") == 2
    assert value(capture(host | files), "cgroup.largest_override") == "/big"
    assert "no cgroup v1" in reason(capture(host | v2("a")), "cgroup.swappiness_overrides")
