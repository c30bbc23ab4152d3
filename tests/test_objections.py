from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from advisor.memavailable import MemoryCounters
from advisor.objections import largest_without_objection, objections
from advisor.predict import MIN_FREE, RATIO, SCALE, THP, predict
from advisor.watermarks import Settings, ZoneInput
from tests.zoneinputs import gib, host

SIXTEEN = host(("DMA", 3840), ("DMA32", gib(3)), ("Normal", gib(13) - 3840))
NOW = Settings(67584, 10, thp="always")
PLENTY = MemoryCounters(gib(4), gib(4), gib(4), gib(1))


def test_a_modest_factor_meets_no_objection():
    assert objections(predict(SIXTEEN, NOW, PLENTY, {SCALE: 100})) == ()


def test_five_percent_by_itself_ten_with_approval():
    prediction = predict(SIXTEEN, NOW, PLENTY, {SCALE: 300})
    assert objections(prediction) == ("kswapd would keep 6.4% of memory free, the limit is 5%",)
    assert objections(prediction, approved=True) == ()
    assert "the limit is 10%" in objections(predict(SIXTEEN, NOW, PLENTY, {SCALE: 600}), approved=True)[0]


def test_a_large_reserve():
    found = objections(predict(SIXTEEN, NOW, PLENTY, {MIN_FREE: 600_000}))
    assert "vm.min_free_kbytes would be more than 3% of memory" in found


def test_available_memory_must_not_drop_by_a_quarter():
    tight = MemoryCounters(gib(0.5), gib(0.25), gib(0.25), 0)
    assert objections(predict(SIXTEEN, NOW, tight, {SCALE: 150})) == ("MemAvailable would drop by more than 25%",)
    assert objections(predict(SIXTEEN, NOW, tight, {SCALE: 150}), approved=True) != ()


def test_marks_above_free_memory_and_cache_would_start_reclaim_at_once():
    tight = MemoryCounters(gib(0.2), gib(0.05), gib(0.05), gib(8))
    found = objections(predict(SIXTEEN, NOW, tight, {SCALE: 100}), approved=True)
    assert "the high marks would exceed free memory and page cache: reclaim would start at once" in found


def test_what_the_kernel_enforces_anyway_is_not_held_against_the_budget():
    small = host(("DMA", 3840), ("DMA32", gib(1) - 3840))
    prediction = predict(small, replace(NOW, min_free_kbytes=8192), None, {MIN_FREE: 45056})
    assert prediction.after.high > 0.05 * prediction.managed
    assert prediction.floor == 45056
    assert objections(prediction) == ()
    assert objections(predict(small, replace(NOW, min_free_kbytes=8192), None, {MIN_FREE: 50_000})) != ()


def test_giving_memory_back_or_changing_nothing_meets_no_objection():
    wasteful = Settings(67584, 2000, thp="always")
    assert objections(predict(SIXTEEN, wasteful, PLENTY, {SCALE: 1500})) == ()
    assert objections(predict(SIXTEEN, wasteful, PLENTY, {SCALE: 2000})) == ()


def test_a_change_without_effect_is_not_blamed_for_marks_from_boot():
    # Marks of boot a little below the formula, on a host whose high marks already exceed the budget.
    zones = [ZoneInput(0, "Normal", 100_000, min=4990, low=6237, high=7484)]
    settings = Settings(20_000, 10)
    prediction = predict(zones, settings, None, {SCALE: 20})
    assert prediction.after.high > prediction.before.high > 0.05 * prediction.managed
    assert objections(prediction) == ()
    assert objections(predict(zones, settings, None, {SCALE: 200})) != ()


def test_protection_that_takes_all_available_memory_is_objected_to():
    settings = replace(NOW, lowmem_reserve_ratio=(256, 256, 32))
    tight = MemoryCounters(gib(1), 0, 0, 0)
    assert objections(predict(SIXTEEN, settings, tight, {RATIO: (1, 1, 32)})) != ()


def test_thp_on_a_small_host_only_brings_its_own_floor():
    small = host(("DMA", 3840), ("DMA32", gib(1) - 3840))
    assert objections(predict(small, Settings(4096, thp="never"), None, {THP: "always"})) == ()


def judge_of(zones, settings, memory, name):
    return lambda value: predict(zones, settings, memory, {name: value})


def test_a_large_wish_ends_at_the_last_value_without_objection():
    judge = judge_of(SIXTEEN, NOW, PLENTY, SCALE)
    found = largest_without_objection(judge, 10, 3000)
    assert objections(judge(found)) == ()
    assert objections(judge(found + 1)) != ()
    assert largest_without_objection(judge, 10, 3000, approved=True) > found


def test_a_wish_without_objection_is_granted():
    judge = judge_of(SIXTEEN, NOW, PLENTY, SCALE)
    assert largest_without_objection(judge, 10, 100) == 100
    assert largest_without_objection(judge, 100, 10) == 10


def test_no_value_is_better_than_one_without_effect():
    # Factors up to 40 do nothing here, and every one above meets an objection.
    four = host(("DMA", 3840), ("DMA32", gib(3) - 3840), ("Normal", gib(1)))
    tight = MemoryCounters(gib(0.05), 0, 0, 0)
    assert largest_without_objection(judge_of(four, NOW, tight, SCALE), 10, 400) is None


@given(
    st.integers(1, 1 << 24),
    st.integers(1, 1000),
    st.integers(1, 3000),
    st.integers(0, 1 << 24),
    st.booleans(),
)
@hypothesis_settings(deadline=None)
def test_the_search_never_returns_what_is_objected_to(managed, current, wanted, free, approved):
    zones = [ZoneInput(0, "Normal", managed)]
    settings = Settings(67584, current)
    judge = judge_of(zones, settings, MemoryCounters(free, free, 0, 0), SCALE)
    found = largest_without_objection(judge, current, wanted, approved=approved)
    if found is not None and found > current:
        assert objections(judge(found), approved=approved) == ()
        assert found <= wanted
