from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from advisor.scalefactor import (
    has_effect,
    scale_factor_for_gap,
    scale_factor_for_high,
    smallest_effective_scale_factor,
)
from advisor.watermarks import Settings, predict_marks, total_gap, total_high
from tests.zoneinputs import SETTINGS, VARIANT, ZONES, gib, host

FOUR_GIB = host(("DMA", 3840), ("DMA32", gib(3) - 3840), ("Normal", gib(1)))


def scaled(base, factor):
    return replace(base, watermark_scale_factor=factor)


def test_on_four_gib_a_factor_up_to_forty_does_nothing():
    now = Settings(67584, 10)
    assert not has_effect(FOUR_GIB, now, scaled(now, 40), "movable_capped")
    assert smallest_effective_scale_factor(FOUR_GIB, now, "movable_capped") == 41
    assert has_effect(FOUR_GIB, now, scaled(now, 41), "movable_capped")


def test_on_a_large_host_the_next_factor_already_counts():
    assert smallest_effective_scale_factor(host(("Normal", gib(64))), Settings(67584, 10), "movable_capped") == 11


def test_kernels_without_the_factor_have_none():
    old = Settings(67584, None)
    assert smallest_effective_scale_factor(FOUR_GIB, old, "movable_capped") is None
    assert scale_factor_for_gap(FOUR_GIB, old, 1000, "movable_capped") is None
    assert scale_factor_for_high(FOUR_GIB, old, 10**9, "movable_capped") is None


def test_no_memory_no_factor():
    assert smallest_effective_scale_factor(host(("Normal", 0)), Settings(67584), "movable_capped") is None
    assert smallest_effective_scale_factor([], Settings(67584), "movable_capped") is None


def test_factor_for_a_gap_of_one_second_at_a_rate():
    zones, now = host(("Normal", gib(16))), Settings(67584, 10)
    factor = scale_factor_for_gap(zones, now, 4224 + 65536, "movable_capped")
    assert factor == 167  # ceil(10000 * 69760 / 4194304)


def test_factor_that_keeps_high_within_five_percent():
    zones, now = host(("Normal", gib(16))), Settings(67584, 10)
    factor = scale_factor_for_high(zones, now, gib(16) // 20, "movable_capped")
    assert factor == 229
    assert total_high(predict_marks(zones, scaled(now, factor), "movable_capped")) <= gib(16) // 20
    assert total_high(predict_marks(zones, scaled(now, factor + 1), "movable_capped")) > gib(16) // 20


@pytest.mark.parametrize(("high_pages", "factor"), [(100, None), (10**12, 10_000)])
def test_bounds_that_no_factor_or_every_factor_keeps(high_pages, factor):
    assert scale_factor_for_high(FOUR_GIB, Settings(67584), high_pages, "movable_capped") == factor


@given(ZONES, SETTINGS, VARIANT)
@hypothesis_settings(deadline=None)
def test_smallest_effective_factor_is_the_first_that_moves_a_mark(zones, settings, variant):
    found = smallest_effective_scale_factor(zones, settings, variant)
    assert (found is None) == (not any(zone.managed for zone in zones))
    if found is not None:
        assert found > settings.watermark_scale_factor
        assert has_effect(zones, settings, scaled(settings, found), variant)
        assert not has_effect(zones, settings, scaled(settings, found - 1), variant)


@given(ZONES, SETTINGS, VARIANT, st.integers(1, 1 << 31))
@hypothesis_settings(deadline=None)
def test_factor_for_a_gap_is_enough_and_one_less_is_not(zones, settings, variant, gap):
    found = scale_factor_for_gap(zones, settings, gap, variant)

    def reached(factor):
        return total_gap(predict_marks(zones, scaled(settings, factor), variant)) >= gap

    if found is None:
        assert not reached(10_000)
    else:
        assert reached(found)
        assert found == 1 or not reached(found - 1)
