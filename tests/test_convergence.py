"""Advice ends: following it and asking again leads to no more advice, in a few rounds, and never back and forth."""

from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.analysis import analyse
from advisor.rulebook import library
from advisor.tunables import TUNABLES, parse_value, validate
from tests.synthetic_host import hosts

# Where nothing ever helps: seven doublings of a tiny vm.min_free_kbytes, four steps of a factor from 1 to 200.
ROUNDS = 12
ROLES = (None, "database", "jvm", "kubernetes-node", "cache", "latency", "vm-host", "desktop", "hpc", "small-vm")
several = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def rules():
    return library.load()


def planned(host, role=None):
    return analyse(host.capture(), rules(), role).plan.changes()


def applied(host, changes):
    for change in changes:
        host = host.written(change.setting, change.proposed)
    return host


@several
@given(hosts(), st.sampled_from(ROLES))
def test_when_the_advice_helps_nothing_is_advised_again(host, role):
    changes = planned(host, role)
    after = applied(host, changes).healed()
    again = {change.setting for change in planned(after, role)}
    assert not again & {change.setting for change in changes}


@several
@given(hosts(), st.sampled_from(ROLES))
def test_when_the_advice_never_helps_it_ends_all_the_same(host, role):
    directions = {}
    for _round in range(ROUNDS):
        changes = planned(host, role)
        if not changes:
            return
        for change in changes:
            assert directions.setdefault(change.setting, change.direction) == change.direction, change
        host = applied(host, changes)
    left = [(change.setting, change.current, change.proposed) for change in changes]
    raise AssertionError(f"still advised after {ROUNDS} rounds: {left}")


@several
@given(hosts(), st.sampled_from(ROLES))
def test_nothing_leaves_the_bounds_of_the_kernel(host, role):
    for change in planned(host, role):
        tunable = TUNABLES[change.setting]
        assert validate(tunable, change.proposed, ("proc/vmstat pgscan_anon", "proc/zoneinfo promo")) is None
        assert parse_value(tunable, str(change.proposed)) == change.proposed
        assert change.proposed != change.current


@several
@given(hosts())
def test_a_host_on_which_nothing_happens_is_not_told_to_move_its_watermarks_up(host):
    for change in planned(host.healed()):
        assert (change.setting, change.direction) != ("vm.watermark_scale_factor", "increase")
