from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from advisor.errors import AdvisorError
from advisor.memavailable import MemoryCounters
from advisor.predict import MIN_FREE, RATIO, SCALE, THP, predict
from advisor.watermarks import Settings, predict_marks
from tests.zoneinputs import (
    CAPTURES,
    PRESSURE,
    SETTINGS,
    ZONES,
    gib,
    host,
    meminfo_counters_of,
    meminfo_of,
    settings_of,
    zones_of,
)

SIXTEEN = host(("DMA", 3840), ("DMA32", gib(3)), ("Normal", gib(13) - 3840), ("Movable", 0))
FOUR = host(("DMA", 3840), ("DMA32", gib(3) - 3840), ("Normal", gib(1)))
MEMORY = MemoryCounters(gib(2), gib(3), gib(4), gib(1))


def given_up(prediction):
    """Bytes that kswapd keeps free in addition."""
    return prediction.after.high - prediction.before.high


@pytest.mark.parametrize("kernel", [kernel for kernel, _ in PRESSURE])
def test_the_marks_after_a_real_write_were_predicted_from_the_capture_before_it(kernel):
    # Between the idle and the pressure capture 4096 was written to vm.min_free_kbytes.
    before, after = zones_of(kernel, "idle"), zones_of(kernel, "pressure")
    prediction = predict(before, settings_of(kernel, "idle"), None, {MIN_FREE: 4096})
    found = [(change.after.min, change.after.low, change.after.high) for change in prediction.zones]
    assert found == [
        (zone.min - (zone.boost or 0), zone.low - (zone.boost or 0), zone.high - (zone.boost or 0)) for zone in after
    ]
    assert prediction.effect == "changes"
    assert not prediction.exact


@pytest.mark.parametrize(("kernel", "state"), CAPTURES)
def test_available_memory_before_is_what_the_kernel_prints(kernel, state):
    prediction = predict(
        zones_of(kernel, state), settings_of(kernel, state), meminfo_counters_of(kernel, state), {SCALE: 50}
    )
    assert prediction.before.available == meminfo_of(kernel, state)["MemAvailable"] * 1024
    assert prediction.after.available - prediction.before.available == prediction.available_change[0]
    assert prediction.available_change[0] == prediction.available_change[1]


def test_a_factor_that_counts():
    prediction = predict(SIXTEEN, Settings(67584), MEMORY, {SCALE: 100})
    assert prediction.effect == "changes"
    assert prediction.after.high // (1 << 20) == 393
    assert given_up(prediction) > 0
    assert prediction.after.gap > prediction.before.gap
    assert prediction.after.atomic == prediction.before.atomic
    assert prediction.available_change[1] < 0
    assert [(item.setting, item.value) for item in prediction.effective] == [(SCALE, 100)]
    assert prediction.settings.watermark_scale_factor == 100


def test_a_factor_that_does_nothing_says_which_would():
    prediction = predict(FOUR, Settings(67584), MEMORY, {SCALE: 30})
    assert prediction.effect == "none"
    assert prediction.smallest_effective == 41
    assert prediction.reason.endswith("the smallest vm.watermark_scale_factor that moves one is 41")
    assert given_up(prediction) == 0
    assert prediction.available_change == (0, 0)


def test_a_reserve_raises_every_mark_and_what_atomics_may_take():
    prediction = predict(SIXTEEN, Settings(67584), None, {MIN_FREE: 2 * 67584})
    assert prediction.after.atomic == pytest.approx(2 * prediction.before.atomic, abs=3 * 4096)
    assert prediction.before.available is prediction.after.available is prediction.room is None
    worst, best = prediction.available_change
    assert worst < best < 0


def test_switching_thp_on_raises_the_reserve_unasked():
    prediction = predict(SIXTEEN, Settings(16384, thp="never"), MEMORY, {THP: "madvise"})
    assert prediction.effect == "changes"
    assert [(item.setting, item.requested, item.value) for item in prediction.effective] == [
        (THP, "madvise", "madvise"),
        (MIN_FREE, None, 67584),
    ]
    assert prediction.settings.min_free_kbytes == 67584


def test_thp_comes_before_the_reserve_whatever_the_order_asked_for():
    for changes in ({MIN_FREE: 32768, THP: "always"}, {THP: "always", MIN_FREE: 32768}):
        prediction = predict(SIXTEEN, Settings(16384, thp="never"), MEMORY, changes)
        assert prediction.settings.min_free_kbytes == 32768
        assert any("raises vm.min_free_kbytes to 67584 KiB" in text for text in prediction.warnings)


def test_switching_thp_off_alone_cannot_be_predicted():
    prediction = predict(SIXTEEN, Settings(67584, thp="always"), MEMORY, {THP: "never"})
    assert prediction.effect == "unknown"
    assert "write it afterwards" in prediction.reason
    together = predict(SIXTEEN, Settings(67584, thp="always"), MEMORY, {THP: "never", MIN_FREE: 16384})
    assert together.effect == "changes"
    assert given_up(together) < 0
    assert together.available_change[0] > 0


def test_a_kernel_without_the_factor_is_told_so():
    prediction = predict(SIXTEEN, Settings(67584, None), MEMORY, {SCALE: 100})
    assert prediction.effect == "none"
    assert prediction.reason == "vm.watermark_scale_factor: this kernel has no such setting"
    assert prediction.smallest_effective is None


def test_other_settings_have_no_formula():
    prediction = predict(SIXTEEN, Settings(67584), MEMORY, {"vm.swappiness": 10})
    assert prediction.effect == "unknown"
    assert prediction.not_predicted == ("vm.swappiness",)
    assert given_up(prediction) == 0


def test_the_same_values_again_have_no_effect():
    prediction = predict(SIXTEEN, Settings(67584, 10), MEMORY, {SCALE: 10, MIN_FREE: 67584})
    assert (prediction.effect, prediction.reason) == ("none", "these values are in effect already")


def test_a_divisor_moves_protection_and_available_memory_but_no_mark():
    settings = Settings(67584, lowmem_reserve_ratio=(256, 256, 32, 0))
    prediction = predict(SIXTEEN, settings, MEMORY, {RATIO: (256, 64)})
    assert prediction.effect == "changes"
    assert prediction.reason == "the protection of low zones moves"
    assert given_up(prediction) == 0
    assert prediction.settings.lowmem_reserve_ratio == (256, 64, 32, 0)
    assert prediction.available_change[0] < 0


def test_printed_protections_do_not_outlive_a_new_divisor():
    zones, settings = zones_of("6.12", "pressure"), settings_of("6.12", "pressure")
    prediction = predict(zones, settings, None, {RATIO: (64, 64, 32, 0, 0)})
    # DMA protects 115052 pages: 449 become 1797; DMA32 95876: 374 become 1498.
    assert prediction.available_change == (-4096 * (1348 + 1124),) * 2


def test_a_write_drops_the_boost_and_gives_its_memory_back():
    zones, settings = zones_of("7.3", "pressure"), settings_of("7.3", "pressure")
    prediction = predict(zones, settings, meminfo_counters_of("7.3", "pressure"), {SCALE: 10})
    assert "the write drops a boost of 852 pages" in prediction.warnings
    assert prediction.effect == "none"
    assert prediction.available_change[0] > 0


def test_marks_from_boot_are_mentioned():
    prediction = predict(zones_of("6.12", "idle"), settings_of("6.12", "idle"), None, {SCALE: 100})
    assert not prediction.exact
    assert any("as after boot" in text for text in prediction.warnings)


@pytest.mark.parametrize(
    "changes",
    [
        {SCALE: "100"},
        {SCALE: True},
        {MIN_FREE: -1},
        {THP: "on"},
        {THP: False},
        {RATIO: 256},
        {MIN_FREE: (1, 2)},
    ],
)
def test_values_of_the_wrong_type_are_refused(changes):
    with pytest.raises(AdvisorError):
        predict(SIXTEEN, Settings(67584), None, changes)


def test_no_zones_no_trouble():
    prediction = predict([], Settings(67584), None, {SCALE: 100})
    assert (prediction.effect, prediction.managed, given_up(prediction)) == ("none", 0, 0)


@given(
    ZONES,
    SETTINGS,
    st.fixed_dictionaries(
        {},
        optional={
            MIN_FREE: st.integers(0, 2**31 - 1),
            SCALE: st.integers(1, 3000),
            THP: st.sampled_from(["always", "madvise", "never"]),
            RATIO: st.lists(st.integers(0, 1000), max_size=6).map(tuple),
            "vm.swappiness": st.integers(0, 200),
        },
    ),
)
@hypothesis_settings(deadline=None)
def test_any_change_of_any_host_is_predicted(zones, settings, changes):
    prediction = predict(zones, settings, None, changes)
    if prediction.after is None:
        assert prediction.effect == "unknown"
        return
    written = changes.keys() & {SCALE, MIN_FREE, THP}
    after = predict_marks(zones, prediction.settings, prediction.variant)
    if written:
        assert tuple(change.after for change in prediction.zones) == after
    worst, best = prediction.available_change
    assert worst <= best
    if prediction.effect == "none":
        assert given_up(prediction) == 0
    if not changes:
        assert prediction.effect == "none"
    # What is written again after it has been written does nothing more.
    again = predict(zones, prediction.settings, None, {k: v for k, v in changes.items() if k in (SCALE, MIN_FREE)})
    assert again.effect == "none"


@given(ZONES, SETTINGS, st.integers(1, 3000), st.integers(1, 3000))
@hypothesis_settings(deadline=None)
def test_a_larger_factor_never_leaves_more_memory(zones, settings, one, other):
    smaller, larger = sorted((one, other))
    first, second = (predict(zones, settings, MEMORY, {SCALE: factor}) for factor in (smaller, larger))
    assert second.after.high >= first.after.high
    assert second.after.available <= first.after.available


def test_unknown_printed_marks_are_replaced_by_the_formula():
    bare = [replace(zone, min=None, low=None, high=None, promo=None, boost=None) for zone in FOUR]
    prediction = predict(bare, Settings(67584), None, {MIN_FREE: 90112})
    assert prediction.zones[2].before == predict_marks(bare, Settings(67584), "movable_as_lowmem")[2]
    assert not prediction.exact
    assert prediction.warnings == ()


@pytest.mark.parametrize("kernel", [kernel for kernel, _ in PRESSURE])
def test_a_write_that_computes_no_marks_leaves_those_of_boot(kernel):
    zones, now = zones_of(kernel, "idle"), settings_of(kernel, "idle")
    prediction = predict(zones, now, None, {RATIO: (64, 64, 16, 0, 0)})
    assert [zone.before for zone in prediction.zones] == [zone.after for zone in prediction.zones]
    moved = predict(zones, now, None, {SCALE: now.watermark_scale_factor})
    assert [zone.before for zone in moved.zones] != [zone.after for zone in moved.zones]


def test_what_cannot_be_told_has_no_numbers():
    zones, now = zones_of("6.12", "idle"), settings_of("6.12", "idle")
    prediction = predict(zones, replace(now, thp="always", min_free_kbytes=40000), None, {THP: "never"})
    assert prediction.effect == "unknown"
    assert prediction.after is None
    assert prediction.available_change is None
    assert {zone.after for zone in prediction.zones} == {None}
