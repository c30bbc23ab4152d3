from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.fragmentation import (
    WOULD_SUCCEED,
    fragmentation_index,
    free_pages,
    proactive_limits,
    proactive_score,
    unusable_index,
    usable_pages,
)
from tests.fixtures import capture_files
from tests.zoneinputs import CAPTURES, zones_of

BLOCKS = st.lists(st.integers(0, 1 << 20), min_size=1, max_size=14)


def test_only_small_blocks_are_all_unusable_and_fragmented():
    blocks = [4096] + [0] * 10
    assert unusable_index(blocks, 9) == 1000
    assert fragmentation_index(blocks, 9) == 1000 - (1000 + 4096 * 1000 // 512) // 4096 == 998
    assert fragmentation_index(blocks, 1) == 1000 - (1000 + 2048 * 1000) // 4096 == 500


def test_little_memory_in_one_block_is_lack_of_memory():
    blocks = [0] * 8 + [1, 0, 0]
    assert fragmentation_index(blocks, 9) == 1000 - (1000 + 500) // 1 == -500
    assert fragmentation_index(blocks, 8) == WOULD_SUCCEED


def test_no_free_memory():
    assert unusable_index([0] * 11, 9) == 1000
    assert fragmentation_index([0] * 11, 9) == 0
    assert proactive_score([(1000, [0] * 11)]) == 0


@pytest.mark.parametrize("order", [-1, 11, 100])
def test_an_order_that_the_table_lacks_is_unknown(order):
    assert unusable_index([1] * 11, order) is None
    assert fragmentation_index([1] * 11, order) is None
    assert unusable_index([], 0) is None


def test_large_tables_of_64k_pages_are_counted_not_assumed():
    blocks = [0] * 13 + [5]
    assert free_pages(blocks) == 5 << 13
    assert unusable_index(blocks, 13) == 0


def test_proactive_score_weighs_zones_by_their_memory():
    broken, whole = [1000] + [0] * 10, [0] * 10 + [1]
    assert proactive_score([(9000, broken), (1000, whole)]) == 9000 * 100 // 10001 == 89
    assert proactive_score([(1000, broken), (9000, whole)]) == 9
    assert proactive_score([(0, broken)]) == 0


@pytest.mark.parametrize(
    ("value", "limits"), [(0, None), (20, (80, 90)), (50, (50, 60)), (100, (5, 15)), (1, (99, 100))]
)
def test_proactive_limits(value, limits):
    assert proactive_limits(value) == limits


@pytest.mark.parametrize(("kernel", "state"), CAPTURES)
def test_free_pages_of_recorded_hosts_agree_with_zoneinfo(kernel, state):
    rows = [line.split() for line in capture_files(kernel, state)["proc/buddyinfo"].splitlines()]
    counted = {row[3]: free_pages(list(map(int, row[4:]))) for row in rows}
    for zone in zones_of(kernel, state):
        if zone.managed:
            # buddyinfo does not hold the per-CPU lists, and is read at another moment.
            assert abs(counted[zone.name] - zone.free) < 2000


@given(BLOCKS, st.data())
def test_indices_stay_in_their_ranges(blocks, data):
    order = data.draw(st.integers(0, len(blocks) - 1))
    assert 0 <= unusable_index(blocks, order) <= 1000
    index = fragmentation_index(blocks, order)
    assert (index == WOULD_SUCCEED) == (usable_pages(blocks, order) > 0) or index <= 1000
    assert index <= 1000


@given(BLOCKS)
def test_higher_orders_are_never_easier(blocks):
    indices = [unusable_index(blocks, order) for order in range(len(blocks))]
    assert indices == sorted(indices)


@given(st.lists(st.tuples(st.integers(0, 1 << 30), BLOCKS), max_size=5))
def test_score_is_a_percentage(zones):
    assert 0 <= proactive_score(zones) <= 100
