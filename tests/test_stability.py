"""Whether advice settles: made-up series that oscillate, creep or do harm are caught, good ones are not."""

from __future__ import annotations

import doctest
import json
import random

import pytest

from bench import records
from bench.stability import judge, series, table
from bench.stability.__main__ import HERE, RECORDS

SCALE, FREE = "vm.watermark_scale_factor", "vm.min_free_kbytes"
BEFORE = 5


def window(stalls: float = 3.0, available: float = 140.0, seed: int = 0) -> dict[str, object]:
    """A window of 12 s with some noise."""
    noise = random.Random(seed)
    return {
        "name": "6.12", "load": "large", "attempt": 1, "kernel": "6.12.9-1", "window_s": 12.0,
        "allocstall": round(12 * stalls * noise.uniform(0.8, 1.2)), "psi_some_ms": round(480 * noise.uniform(0.8, 1.2)),
        "psi_full_ms": round(240 * noise.uniform(0.8, 1.2)), "workingset_refault_file": 480,
        "workingset_refault_anon": 0, "available_mb": available + noise.uniform(-2, 2),
    }  # fmt: skip


def step(before: object, to: object, *, setting: str = SCALE, undone: bool = False) -> dict[str, object]:
    file = f"/proc/sys/{setting.replace('.', '/')}"
    return {"setting": setting, "file": file, "from": before, "to": to, "verdict": "same", "undone": undone}


def rounds(steps: dict[int, list[dict[str, object]]], **ends: float) -> list[dict[str, object]]:
    """A series of twenty rounds with these steps; `ends` is what windows are like after the last one."""
    last = max(steps, default=0)
    found = [{"what": "before", "round": at, **window(seed=at)} for at in range(1, BEFORE + 1)]
    for at in range(1, series.ROUNDS + 1):
        here = steps.get(at, [])
        moved = {one["file"]: [str(one["from"]), str(one["to"])] for one in here if not one["undone"]}
        values = window(seed=100 + at, **(ends if at > last else {}))
        verdict = {"verdict": "same" if here else None, "tried": here, "changed": moved}
        found.append({"what": "round", "round": at, **values, **verdict})
    return found


GOOD = {1: [step(10, 50)], 3: [step(50, 100)]}


def test_advice_that_ends_after_two_steps_and_helps_is_without_fault():
    found = judge.judge(rounds(GOOD, stalls=0.5, available=130))
    assert (found.changes, found.settled, found.faults) == (2, 3, ())
    assert [(side.name, side.worse) for side in found.sides] == [(one.name, False) for one in judge.MEASURES]


def test_a_symptom_that_stays_as_it_was_is_no_fault():
    assert judge.judge(rounds(GOOD)).faults == ()


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ({1: [step(10, 50)], 2: [step(50, 10)]}, "came back to 10"),
        ({1: [step(10, 50)], 2: [step(50, 30)]}, "turned round: 10 → 50 → 30"),
        ({1: [step(10, 50)], 2: [step(50, 100)], 3: [step(100, 50)]}, "came back to 50"),
        ({1: [step("always", "madvise", setting="thp.enabled")], 2: [step("madvise", "always", setting="thp.enabled")]},
         "came back to always"),
        ({1: [step(10, 50, undone=True)], 4: [step(10, 50, undone=True)]}, "tried again towards 50"),
        ({1: [step(10, 50, undone=True)], 4: [step(10, 40)]}, "tried again towards 40"),
        ({at: [step(10 + at, 11 + at)] for at in range(1, 5)}, "4 changes, more than 3"),
        ({at: [step(10, 50), step(1024, 4096, setting=FREE)] for at in (1, 2)}, "4 changes, more than 3"),
        ({1: [step(10, 50)], 17: [step(50, 100)]}, "round 17 still changed something"),
        ({}, "nothing was ever advised"),
    ],
)  # fmt: skip
def test_advice_that_turns_back_or_creeps_is_caught(steps, said):
    assert said in "; ".join(judge.judge(rounds(steps)).faults)


def test_a_series_too_short_to_be_quiet_in_the_end_is_still_judged_by_the_rest():
    short = rounds({1: [step(10, 50)], 3: [step(50, 100)], 5: [step(100, 200)]})[: BEFORE + 5]
    assert "round 5 still changed something" in "; ".join(judge.judge(short, 3, 3).faults)
    assert judge.judge(short, 3, 0).faults == ()
    short[-1]["tried"].append(step(100, 50))
    assert "more than 3" in "; ".join(judge.judge(short, 3, 0).faults)


def test_one_step_that_is_undone_and_another_setting_instead_are_without_fault():
    steps = {1: [step(10, 50, undone=True)], 2: [step(1024, 4096, setting=FREE)]}
    assert judge.judge(rounds(steps)).faults == ()


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ({"stalls": 6.0}, "direct reclaim, stalls/s became worse"),
        ({"available": 90.0}, "MemAvailable, MiB became worse"),
    ],
)
def test_a_symptom_that_is_worse_in_the_end_is_caught(ends, said):
    assert said in "; ".join(judge.judge(rounds(GOOD, **ends)).faults)


def test_a_symptom_that_only_differs_by_noise_is_not_called_worse():
    noisy = rounds(GOOD)
    for at, one in enumerate(noisy):
        one["allocstall"] = (10, 60, 35, 90, 20)[at % 5]
    assert judge.judge(noisy).faults == ()


def test_a_symptom_that_comes_from_nothing_is_caught_and_a_trace_of_it_is_not():
    for stalls, worse in ((3.0, True), (0.5, False)):
        quiet = rounds(GOOD, stalls=stalls)
        for one in quiet[: BEFORE + 1]:
            one["allocstall"] = 0
        side = judge.judge(quiet).sides[0]
        assert (side.moved, side.worse) == (True, worse)


def test_windows_between_the_first_change_and_the_end_do_not_count():
    bad = rounds(GOOD)
    for one in bad[BEFORE + 1 : BEFORE + 10]:
        one["allocstall"] = 10_000
    assert judge.judge(bad).faults == ()


def test_a_setting_that_is_not_what_the_ledger_says_is_caught():
    other = rounds(GOOD)
    other[BEFORE + 6]["changed"] = {"/proc/sys/vm/swappiness": ["60", "10"]}
    other[BEFORE]["changed"] = {}
    said = "; ".join(judge.judge(other).faults)
    assert "/proc/sys/vm/swappiness was ['60', '10'], by the ledger None" in said
    assert "watermark_scale_factor was None, by the ledger ['10', '50']" in said


def test_a_series_that_was_interrupted_begins_anew_and_the_first_whole_one_counts(tmp_path):
    file, key = tmp_path / "rounds.jsonl", series.SERIES[0]
    kept = [{**one, "name": key[0], "load": key[1]} for one in rounds(GOOD)]
    for one in kept[:9]:
        records.add(file, one)
    file.write_text(file.read_text() + json.dumps(kept[9])[:40])
    assert series.missing(records.read(file)) == list(series.SERIES)
    for attempt in (2, 3):
        for one in kept:
            records.add(file, {**one, "attempt": attempt})
    assert key not in series.missing(records.read(file))
    assert {one["attempt"] for one in series.whole(records.read(file), key)} == {2}
    assert "interrupted, and are judged nowhere: 6.12 large: 1." in table.markdown(records.read(file))


def test_the_table_has_every_round_and_every_fault():
    text = table.markdown(rounds({1: [step(10, 50)], 2: [step(50, 10)]}))
    assert "| 6.12.9-1 | large | 2: vm.watermark_scale_factor 10 → 50 → 10 | 2 |" in text
    assert "| 2 faults |" in text
    assert "- /proc/sys/vm/watermark_scale_factor came back to 10, which it had left" in text
    assert text.count("\n| before | ") == BEFORE
    assert all(f"\n| {at} | " in text for at in range(1, series.ROUNDS + 1))
    assert "vm.watermark_scale_factor 10 → 50: same, kept |" in text


def test_what_is_shown_is_drawn_from_the_records():
    kept = records.read(RECORDS)
    assert (HERE / "stability.md").read_text() == table.markdown(kept)
    assert table.summary(kept) in (HERE.parents[1] / "docs" / "verification.md").read_text()


def test_what_was_measured_settled():
    """What docs/verification.md says: on two kernels at least, with a change in each, and without a fault."""
    kept = records.read(RECORDS)
    found = {key: judge.judge(whole) for key in series.SERIES if (whole := series.whole(kept, key)) is not None}
    assert len({kernel for kernel, _ in found}) >= 2
    assert all(one.changes > 0 and not one.faults for one in found.values()), found


@pytest.mark.parametrize("module", [series, judge, table])
def test_examples_in_the_documentation(module):
    assert doctest.testmod(module).failed == 0
