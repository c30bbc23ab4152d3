"""Slab and dentries as signals."""

import pytest

from advisor.signals.model import entities_of
from advisor.signals.table import Table
from advisor.signals.view import views
from tests.test_signals import capture, reason, value

HEADER = (
    "slabinfo - version: 2.1\n"
    "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> "
    "<batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n"
)


def cache_line(name, active, objects, size):
    return f"{name} {active} {objects} {size} 20 1 : tunables 0 0 0 : slabdata 1 1 0\n"


def caches(*lines):
    """Signals of each cache, by its name."""
    whole, _ = views(capture({"proc/slabinfo": HEADER + "".join(lines)}))
    names = ("slabcache.size", "slabcache.in_use", "slabcache.empty", "slabcache.of_files")
    return {
        entity.name: Table(whole).row(names, "slabcache", entity).values for entity in entities_of(whole, "slabcache")
    }


def test_a_cache_shows_what_it_holds_and_what_of_it_is_in_use():
    found = caches(cache_line("dentry", 250_000, 1_000_000, 192))["dentry"]
    assert found["slabcache.size"] == 192e6
    assert found["slabcache.in_use"] == 0.25
    assert found["slabcache.empty"] == 144e6
    assert found["slabcache.of_files"] is True


def test_small_caches_are_left_out():
    assert list(caches(cache_line("names_cache", 5, 57, 4096), cache_line("kmalloc-1k", 30_000, 30_000, 1024))) == [
        "kmalloc-1k"
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"proc/sys/vm/vfs_cache_pressure": "50\n"}, 0.5, id="kernels without a denominator"),
        pytest.param(
            {"proc/sys/vm/vfs_cache_pressure": "50\n", "proc/sys/vm/vfs_cache_pressure_denom": "1000\n"},
            0.05,
            id="with one",
        ),
    ],
)
def test_vfs_cache_pressure_is_taken_by_its_denominator(files, expected):
    assert value(capture(files), "slab.vfs_pressure") == expected


def test_negative_dentries_are_read_where_they_are_counted():
    taken = capture({"proc/sys/fs/dentry-state": "139179\t137714\t45\t0\t48044\t0\n"})
    assert value(taken, "dentry.negative") == 48044
    assert value(taken, "dentry.negative_share") == 48044 / 139179
    assert value(taken, "dentry.unused") == 137714


@pytest.mark.parametrize("name", ["dentry.negative", "dentry.negative_share"])
def test_a_kernel_that_does_not_count_negative_dentries_prints_0(name):
    taken = capture({"proc/sys/fs/dentry-state": "139179\t137714\t45\t0\t0\t0\n"})
    assert "does not count" in reason(taken, name)


def test_a_damaged_dentry_state_is_unknown():
    assert "six numbers" in reason(capture({"proc/sys/fs/dentry-state": "139179\t137714\n"}), "dentry.unused")


def test_growth_of_unreclaimable_slab_is_per_second():
    before, after = ({"proc/meminfo": f"SUnreclaim: {kib} kB\n"} for kib in (1000, 1100))
    assert value(capture(before, after, seconds=10), "slab.unreclaimable_growth") == 10240
    assert value(capture(after, before, seconds=10), "slab.unreclaimable_growth") == -10240
