from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.minfree import (
    AUTO_UPPER,
    AUTO_UPPER_OLD,
    auto_min_free_kbytes,
    effective_min_free_kbytes,
    free_buffer_pages,
    min_free_for_atomic,
    thp_min_free_kbytes,
)
from advisor.watermarks import Settings, ZoneInput, atomic_reserve, predict_marks
from tests.zoneinputs import IDLE, SETTINGS, VARIANT, ZONES, gib, host, settings_of, zones_of

THREE_ZONES = host(("DMA", 3840), ("DMA32", 700_000), ("Normal", gib(13)), ("Movable", 0), ("Device", 0))


@pytest.mark.parametrize(
    ("size", "new", "old"),
    [
        (1, 4096, 4096),
        (4, 8192, 8192),
        (16, 16384, 16384),
        (64, 32768, 32768),
        (256, 65536, 65536),
        (1024, 131072, 65536),
        (4096, 262144, 65536),
        (16384, 262144, 65536),
    ],
)
def test_default_is_four_times_the_root_within_the_bounds_of_the_kernel(size, new, old):
    zones = host(("Normal", gib(size)))
    assert auto_min_free_kbytes(zones, Settings(0), AUTO_UPPER) == new
    assert auto_min_free_kbytes(zones, Settings(0), AUTO_UPPER_OLD) == old


def test_default_has_a_lower_bound():
    assert auto_min_free_kbytes(host(("Normal", 16)), Settings(0)) == 128


@pytest.mark.parametrize(("kernel", "state"), IDLE)
def test_default_of_a_booted_host_is_within_one_percent(kernel, state):
    # The kernel computed it at boot, with less memory and no marks yet.
    settings = settings_of(kernel, state)
    assert auto_min_free_kbytes(zones_of(kernel, state), settings) == pytest.approx(settings.min_free_kbytes, rel=0.01)


@pytest.mark.parametrize(
    ("zones", "kbytes"),
    [
        (THREE_ZONES, 67584),
        ([*THREE_ZONES, ZoneInput(1, "Normal", gib(16))], 90112),
        ([*THREE_ZONES, *(ZoneInput(node, "Normal", gib(16)) for node in (1, 2, 3))], 135168),
        (host(("Normal", gib(1))), 22528),
        (host(("DMA", 3840), ("DMA32", gib(1) - 3840)), 45056),
        (host(("DMA", 3840), ("DMA32", 200_000), ("Normal", gib(1) - 203_840)), 52428),
    ],
)
def test_thp_rule_counts_populated_zones_over_all_nodes(zones, kbytes):
    assert thp_min_free_kbytes(zones, Settings(0)) == kbytes


def test_thp_rule_leaves_out_movable_memory_but_counts_zones_without_managed_pages():
    movable = [*THREE_ZONES[:3], ZoneInput(0, "Movable", gib(64), present=gib(64))]
    assert thp_min_free_kbytes(movable, Settings(0)) == 67584
    # A zone whose pages all went to the kernel image is still populated.
    drained = [replace(THREE_ZONES[0], managed=0), *THREE_ZONES[1:]]
    assert thp_min_free_kbytes(drained, Settings(0)) == 67584


def test_thp_rule_with_64k_pages_ends_at_five_percent():
    zones = host(("Normal", gib(64, 65536)))
    settings = Settings(0, page_size=65536, pageblock_pages=8192)
    assert thp_min_free_kbytes(zones, settings) == gib(64, 65536) // 20 * 64 == 3_355_392


def test_high_marks_do_not_count_as_low_memory():
    assert free_buffer_pages([ZoneInput(0, "Normal", 1000, high=300), ZoneInput(0, "HighMem", 5000)]) == 700
    assert free_buffer_pages([ZoneInput(0, "Normal", 100, high=300)]) == 0


def test_a_write_is_taken_as_it_is_even_below_the_rule_of_thp():
    settings = Settings(67584, thp="always")
    assert effective_min_free_kbytes(THREE_ZONES, settings, requested=8192) == 8192
    assert effective_min_free_kbytes(THREE_ZONES, settings, requested=8192, thp="madvise") == 8192


def test_switching_thp_raises_and_never_lowers():
    assert effective_min_free_kbytes(THREE_ZONES, Settings(8192), thp="madvise") == 67584
    assert effective_min_free_kbytes(THREE_ZONES, Settings(200_000), thp="always") == 200_000


def test_after_switching_thp_off_the_value_is_unknown_unless_it_is_the_default():
    assert effective_min_free_kbytes(THREE_ZONES, Settings(67584), thp="never") is None
    auto = auto_min_free_kbytes(THREE_ZONES, Settings(0))
    assert effective_min_free_kbytes(THREE_ZONES, Settings(auto), thp="never") == auto


def test_nothing_written_changes_nothing():
    assert effective_min_free_kbytes(THREE_ZONES, Settings(12345)) == 12345


def test_atomic_need_is_met_with_about_eight_fifths():
    wanted = min_free_for_atomic(THREE_ZONES, Settings(67584), 16_000, "movable_capped")
    assert wanted == pytest.approx(16_000 * 4 * 8 / 5, rel=0.001)


def test_a_need_beyond_all_memory_has_no_answer():
    assert min_free_for_atomic(host(("Normal", 1000)), Settings(128), 1000, "movable_capped") is None
    assert min_free_for_atomic([], Settings(128), 1, "movable_capped") is None


@given(ZONES, SETTINGS, VARIANT, st.integers(1, 100_000))
def test_smallest_reserve_for_atomics_is_enough_and_one_page_less_is_not(zones, settings, variant, need):
    found = min_free_for_atomic(zones, settings, need, variant)
    if found is None:
        return

    def reserve(kbytes):
        return atomic_reserve(predict_marks(zones, replace(settings, min_free_kbytes=kbytes), variant))

    assert reserve(found) >= need
    assert reserve(found - settings.page_size // 1024) < need


@given(ZONES, SETTINGS)
def test_thp_never_takes_more_than_five_percent_of_low_memory(zones, settings):
    kbytes = thp_min_free_kbytes(zones, settings)
    assert 0 <= kbytes * 1024 * 20 <= free_buffer_pages(zones) * settings.page_size
