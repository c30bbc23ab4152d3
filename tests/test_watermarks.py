from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.watermarks import (
    Marks,
    Settings,
    ZoneInput,
    atomic_reserve,
    choose_variant,
    current_marks,
    fitting_variant,
    predict_marks,
    seconds_of_headroom,
    total_gap,
    total_high,
)
from tests.zoneinputs import (
    CAPTURES,
    IDLE,
    PRESSURE,
    SETTINGS,
    VARIANT,
    ZONES,
    gib,
    host,
    settings_of,
    zones_of,
)

EXPECTED_VARIANT = {
    "5.10": "movable_as_lowmem",
    "6.1": "movable_as_lowmem",
    "6.12": "movable_capped",
    "7.3": "movable_capped",
}


def printed(zones):
    return tuple(
        Marks(
            zone.node,
            zone.name,
            zone.min - (zone.boost or 0),
            zone.low - (zone.boost or 0),
            zone.high - (zone.boost or 0),
            None if zone.promo is None else zone.promo - (zone.boost or 0),
        )
        for zone in zones
    )


def test_a_written_setting_gives_exactly_the_printed_marks():
    compared = 0
    for kernel, state in PRESSURE:
        zones, settings = zones_of(kernel, state), settings_of(kernel, state)
        assert fitting_variant(zones, settings) == EXPECTED_VARIANT[kernel]
        assert predict_marks(zones, settings, EXPECTED_VARIANT[kernel]) == printed(zones)
        compared += sum(zone.managed > 0 for zone in zones)
    assert compared == 12  # DMA, DMA32 and Normal on four kernels


def test_boost_is_taken_off_before_comparing():
    zones, settings = zones_of("7.3", "pressure"), settings_of("7.3", "pressure")
    normal = next(zone for zone in zones if zone.name == "Normal")
    assert normal.boost == 852
    unaware = [replace(zone, boost=0) for zone in zones]
    assert fitting_variant(unaware, settings) is None


@pytest.mark.parametrize(("kernel", "state"), IDLE)
def test_marks_from_boot_are_recognised_as_not_from_a_write(kernel, state):
    zones, settings = zones_of(kernel, state), settings_of(kernel, state)
    assert fitting_variant(zones, settings) is None
    predicted = predict_marks(zones, settings, EXPECTED_VARIANT[kernel])
    # The same reserve, split otherwise between the zones: computed while the kernel still held memory.
    capped = 32 if EXPECTED_VARIANT[kernel] == "movable_capped" else 0
    assert abs(sum(zone.min for zone in zones) - sum(mark.min for mark in predicted)) <= 2
    assert sum(zone.min for zone in zones) - capped <= settings.pages_min
    assert predicted != printed(zones)


@pytest.mark.parametrize(("kernel", "state"), CAPTURES)
def test_the_variant_is_told_by_the_movable_zone_even_from_boot(kernel, state):
    assert choose_variant(zones_of(kernel, state), settings_of(kernel, state)) == EXPECTED_VARIANT[kernel]


@pytest.mark.parametrize(("kernel", "state"), CAPTURES)
def test_current_marks_are_the_printed_ones_without_boost(kernel, state):
    zones, settings = zones_of(kernel, state), settings_of(kernel, state)
    assert current_marks(zones, settings, choose_variant(zones, settings)) == printed(zones)


def test_without_a_movable_zone_the_promo_mark_decides():
    zones = [ZoneInput(0, "Normal", 10_000, min=1, low=2, high=3, promo=4)]
    assert choose_variant(zones, Settings(67584)) == "movable_capped"
    assert choose_variant([replace(zones[0], promo=None)], Settings(67584)) == "movable_as_lowmem"


def test_nothing_printed_fits_nothing():
    assert fitting_variant(host(("Normal", 1000)), Settings(67584)) is None
    assert fitting_variant([], Settings(67584)) is None


# A live host: x86_64, kernel 6.18, 2 CPUs, one node, THP on, three moments of it.
@pytest.mark.parametrize(
    ("normal", "expected"),
    [
        (327_680, [(58, 72, 86, 100), (11824, 14780, 17736, 20692), (5012, 6265, 7518, 8771)]),
        (688_128, [(44, 55, 66, 77), (8914, 11142, 13370, 15598), (7936, 9920, 11904, 13888)]),
        (1_736_704, [(25, 31, 37, 43), (5195, 6493, 7791, 9089), (11674, 14592, 17510, 20428)]),
    ],
)
def test_live_host(normal, expected):
    zones = host(("DMA", 3840), ("DMA32", 772_917), ("Normal", normal), ("Movable", 0), ("Device", 0))
    marks = predict_marks(zones, Settings(67584, 10), "movable_capped")
    assert [(m.min, m.low, m.high, m.promo) for m in marks] == [*expected, (32, 32, 32, 32), (0, 0, 0, 0)]


@pytest.mark.parametrize(
    ("size", "factor", "mib"),
    [
        (16, 10, 98),
        (16, 100, 393),
        (16, 200, 721),
        (16, 500, 1704),
        (64, 10, 197),
        (64, 100, 1376),
        (64, 200, 2687),
        (64, 500, 6619),
        (256, 10, 590),
        (256, 100, 5308),
        (256, 200, 10551),
        (256, 500, 26280),
    ],
)
def test_memory_held_free_by_size_and_factor(size, factor, mib):
    zones = host(("DMA", 3840), ("DMA32", gib(3)), ("Normal", gib(size) - gib(3) - 3840))
    held = total_high(predict_marks(zones, Settings(67584, factor), "movable_capped"))
    assert held * 4096 // (1 << 20) == mib


def test_kernels_without_scale_factor_use_quarter_and_half():
    (mark,) = predict_marks(host(("Normal", 100_003)), Settings(4096 + 3 * 4, None), "movable_as_lowmem")
    assert mark == Marks(0, "Normal", 1027, 1027 + 256, 1027 + 513, None)


def test_promo_is_absent_where_the_kernel_prints_none():
    zone = ZoneInput(0, "Normal", 1000, min=1, low=2, high=3)
    assert predict_marks([zone], Settings(4096), "movable_as_lowmem")[0].promo is None


def test_movable_zone_shares_or_is_capped():
    zones = host(("Normal", gib(4)), ("Movable", gib(12)))
    shared = predict_marks(zones, Settings(16384), "movable_as_lowmem")
    capped = predict_marks(zones, Settings(16384), "movable_capped")
    assert [mark.min for mark in shared] == [1024, 3072]
    assert [mark.min for mark in capped] == [4096, 128]
    # The distances are not capped: here a thousandth of the zone exceeds a quarter of its share.
    assert capped[1].gap == gib(12) // 1000 > 12288 // 4
    assert predict_marks(zones, Settings(16384, 1), "movable_capped")[1].gap == 12288 // 4


def test_high_memory_is_capped_and_takes_movable_with_it():
    zones = host(("DMA", 4000), ("Normal", 220_000), ("HighMem", 800_000), ("Movable", 40_000))
    marks = predict_marks(zones, Settings(3792), "movable_as_lowmem")
    pages_min, lowmem = 948, 224_000
    assert [mark.min for mark in marks] == [948 * 4000 // lowmem, 948 * 220_000 // lowmem, 128, 39]
    assert marks[2].gap == max(pages_min * 800_000 // lowmem // 4, 800_000 * 10 // 10_000)


def test_several_nodes_share_one_reserve():
    zones = [
        *host(("DMA", 3840), ("DMA32", 500_000), ("Normal", 1_000_000)),
        ZoneInput(1, "Normal", 2_000_000),
    ]
    marks = predict_marks(zones, Settings(90112), "movable_capped")
    total = 3840 + 500_000 + 3_000_000
    assert [mark.min for mark in marks] == [22528 * zone.managed // total for zone in zones]
    assert [mark.node for mark in marks] == [0, 0, 0, 1]


def test_64k_pages():
    (mark,) = predict_marks(host(("Normal", gib(16, 65536))), Settings(45056, page_size=65536), "movable_capped")
    assert (mark.min, mark.low) == (704, 704 + 262)


def test_a_boost_that_the_kernel_does_not_print_is_recognised():
    settings = Settings(67584, 10, watermark_boost_factor=15000)
    plain = predict_marks(host(("Normal", gib(4))), settings, "movable_as_lowmem")
    boosted = ZoneInput(0, "Normal", gib(4), min=plain[0].min + 600, low=plain[0].low + 600, high=plain[0].high + 600)
    assert fitting_variant([boosted], settings) == "movable_capped"
    assert current_marks([boosted], settings, "movable_as_lowmem") == (replace(plain[0], promo=None),)
    without_boost = replace(settings, watermark_boost_factor=0)
    assert fitting_variant([boosted], without_boost) is None


def test_zones_without_any_memory_divide_by_nothing():
    assert predict_marks(host(("Normal", 0)), Settings(67584), "movable_capped") == (Marks(0, "Normal", 0, 0, 0, 0),)


@pytest.mark.parametrize(("minimum", "reserve"), [(0, 0), (1, 0), (2, 1), (7, 4), (1600, 1000), (16896, 10560)])
def test_atomic_reserve_is_five_eighths_rounded_as_the_kernel_does(minimum, reserve):
    assert atomic_reserve([Marks(0, "Normal", minimum, 0, 0, None)]) == reserve


def test_atomic_reserve_leaves_out_zones_that_the_kernel_cannot_use():
    marks = [Marks(0, "Normal", 1600, 0, 0, None), Marks(0, "Movable", 1600, 0, 0, None)]
    assert atomic_reserve(marks) == 1000


def test_headroom_without_allocations_is_unknown():
    assert seconds_of_headroom(1000, 0) is None
    assert seconds_of_headroom(1000, 500) == 2.0


@given(ZONES, SETTINGS, VARIANT)
def test_marks_are_ordered_and_equally_spaced(zones, settings, variant):
    for mark in predict_marks(zones, settings, variant):
        assert 0 <= mark.min <= mark.low <= mark.high <= mark.promo
        assert mark.low - mark.min == mark.high - mark.low == mark.promo - mark.high


@given(ZONES, SETTINGS, VARIANT)
def test_low_memory_never_gets_more_than_the_reserve(zones, settings, variant):
    marks = predict_marks(zones, settings, variant)
    lowmem = [m.min for m in marks if m.zone not in ("HighMem", "Movable")]
    assert sum(lowmem) <= settings.pages_min


@given(ZONES, SETTINGS, VARIANT, st.integers(0, 1 << 20), st.integers(0, 2000))
def test_a_larger_setting_never_lowers_a_mark(zones, settings, variant, more_free, more_scale):
    larger = replace(
        settings,
        min_free_kbytes=settings.min_free_kbytes + more_free,
        watermark_scale_factor=settings.watermark_scale_factor + more_scale,
    )
    before = predict_marks(zones, settings, variant)
    after = predict_marks(zones, larger, variant)
    for old, new in zip(before, after, strict=True):
        assert (new.min, new.low, new.high, new.promo) >= (old.min, old.low, old.high, old.promo)
        assert new.gap >= old.gap
    assert total_high(after) >= total_high(before)
    assert total_gap(after) >= total_gap(before)


@given(ZONES, SETTINGS, VARIANT, st.integers(0, 5000))
def test_printed_predictions_fit_with_any_boost(zones, settings, variant, boost):
    seen = [
        replace(
            zone,
            boost=boost,
            min=mark.min + boost,
            low=mark.low + boost,
            high=mark.high + boost,
            promo=mark.promo + boost,
        )
        for zone, mark in zip(zones, predict_marks(zones, settings, variant), strict=True)
    ]
    fitting = fitting_variant(seen, settings)
    assert fitting is not None
    assert predict_marks(seen, settings, fitting) == predict_marks(seen, settings, variant)
