"""The contest: its order, its going on after an interruption, how runs are compared, and what is shown of them."""

from __future__ import annotations

import doctest
import json
from xml.etree import ElementTree as ET

import pytest

from bench import records
from bench.contest import arms, judge, picture, series, table
from bench.contest.__main__ import HERE, RECORDS
from bench.contest.workloads import WORKLOADS

RELEASES = {"5.10": "5.10.0-1", "6.12": "6.12.9-1", "newest": "7.3-1"}


def trial(repeat=0, kernel="6.12", workload="scan", arm="defaults", ms=10.0, **changed):
    return {
        "what": "trial", "repeat": repeat, "name": kernel, "kernel": RELEASES[kernel], "workload": workload, "arm": arm,
        "window_s": 10.0, "allocstall": 20, "psi_some_ms": 500, "workingset_refault_file": 70, "pswpin": 0,
        "available_mb": 80.0, "in_time": 100, "requests": 100,
        "ms": {"mean": ms, "p95": 2 * ms, "p99": 3 * ms, "max": 3 * ms},
    } | changed  # fmt: skip


def trials(arm, latencies, **changed):
    return [trial(repeat, arm=arm, ms=ms, **changed) for repeat, ms in enumerate(latencies)]


def asked(settings, kernel="6.12", workload="scan"):
    return {
        "what": "advice",
        "name": kernel,
        "workload": workload,
        "round": 1,
        "settings": settings,
        "same": not settings,
    }


def test_every_repeat_has_every_arm_under_every_load_on_every_kernel_once_in_an_order_of_its_own():
    every = {(kernel, load, arm) for kernel in series.KERNELS for load in WORKLOADS for arm in arms.ARMS}
    orders = [series.order(repeat) for repeat in range(series.REPEATS)]
    assert all(sorted(one) == sorted(every) for one in orders)
    assert len({tuple(one) for one in orders}) == series.REPEATS >= 7
    assert orders == [series.order(repeat) for repeat in range(series.REPEATS)]


def test_a_series_goes_on_where_it_was_even_when_a_line_was_cut_off(tmp_path):
    file = tmp_path / "runs.jsonl"
    first, second, *_ = series.order(0)
    records.add(file, trial(0, *first))
    file.write_text(file.read_text() + json.dumps(trial(0, *second))[:80])
    left = series.missing(records.read(file))
    assert left[0] == (0, second)
    records.add(file, trial(0, *second))
    assert series.missing(records.read(file)) == left[1:]


def test_where_memadvisor_set_nothing_it_has_no_runs_and_is_shown_as_the_defaults():
    kept = [asked({}), *trials("defaults", (10, 11, 12))]
    assert (0, ("6.12", "scan", "memadvisor")) not in series.missing(kept)
    own = judge.cell(kept, "6.12", "scan", "memadvisor")
    assert judge.compare(judge.MEASURES["mean"], own, own).ratio == 1
    changed = [asked({"/proc/sys/vm/swappiness": "10"}), *trials("defaults", (10, 11, 12))]
    assert (0, ("6.12", "scan", "memadvisor")) in series.missing(changed)
    assert judge.cell(changed, "6.12", "scan", "memadvisor") == []


@pytest.mark.parametrize(
    ("latencies", "verdict"),
    [((5, 5.2, 4.9, 5.1, 5), "better"), ((20, 21, 19, 20, 22), "worse"), ((5, 20, 9, 11, 10), "unclear")],
)
def test_an_arm_is_better_or_worse_only_beyond_what_runs_differ_by_themselves(latencies, verdict):
    defaults = trials("defaults", (10, 9.8, 10.3, 10.1, 9.9))
    found = judge.compare(judge.MEASURES["mean"], defaults, trials("charm-helpers", latencies))
    assert found.verdict == verdict
    assert found.low <= found.ratio <= found.high


def test_of_throughput_more_is_better():
    defaults = trials("defaults", (10, 10, 10))
    more = [one | {"in_time": 150} for one in defaults]
    assert judge.compare(judge.MEASURES["throughput"], defaults, more).verdict == "better"
    assert judge.compare(judge.MEASURES["throughput"], more, defaults).verdict == "worse"


def test_serving_nobody_is_no_better_than_serving_nobody():
    nobody = trials("defaults", (10, 10, 10), in_time=0)
    assert judge.compare(judge.MEASURES["throughput"], nobody, nobody).verdict == "unclear"


def test_one_run_with_more_stalls_than_none_is_no_factor_of_infinity():
    defaults = trials("defaults", (10, 10, 10), allocstall=0)
    found = judge.compare(judge.MEASURES["allocstall"], defaults, trials("memadvisor", (10, 10, 10), allocstall=2))
    assert found.ratio < 2


def test_a_service_that_did_not_answer_in_time_is_told_and_has_served_nobody():
    late = {"mean": 60_000.0, "p95": 80_000.0, "p99": 90_000.0, "max": 90_000.0}
    kept = [*trials("defaults", (10, 10, 10)), *trials("charm-helpers", (10, 10, 10))]
    kept[-1]["ms"] = late
    row = next(line for line in table.markdown(kept).splitlines() if line.startswith("| charm-helpers | 3, "))
    assert "3, 1 without an answer" in row
    assert [one["in_time"] for one in judge.cell(kept, "6.12", "scan", "charm-helpers")] == [100, 100, 0]


def test_loads_that_nothing_was_tuned_for_are_told_apart():
    assert len(judge.loads(held_out=True)) >= 2
    kept = [
        *trials("defaults", (10, 10, 10)), *trials("charm-helpers", (30, 30, 30)),
        *trials("defaults", (10, 10, 10), workload="jvm"), *trials("charm-helpers", (5, 5, 5), workload="jvm"),
    ]  # fmt: skip
    tuned, held = table.markdown(kept).split("## Loads that nothing was tuned for")
    row = "| charm-helpers |"
    assert "3.00 (0/0/1)" in next(line for line in tuned.splitlines() if line.startswith(row))
    assert "0.50 (1/0/0)" in next(line for line in held.splitlines() if line.startswith(row))


def test_what_memadvisor_set_is_told_round_by_round():
    kept = [asked({"/proc/sys/vm/swappiness": "10"}), *trials("defaults", (10, 10, 10))]
    assert "- memadvisor, 6.12, scan: vm/swappiness 10" in table.markdown(kept)


def test_the_picture_has_a_point_for_every_cell_and_kernel_within_its_bounds():
    kept = [trial(0, *run, ms=1000.0 if run[2] == "memadvisor" else 1.0) for run in series.order(0)]
    root = ET.fromstring(picture.svg(kept))
    points = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(points) == len(series.KERNELS) * len(WORKLOADS) * len(judge.rivals()) * len(picture.PANELS)
    width, height = (float(size) for size in root.attrib["viewBox"].split()[2:])
    assert all(0 < float(one.attrib["cx"]) < width and 0 < float(one.attrib["cy"]) < height for one in points)


def test_the_contest_is_whole():
    kept = records.read(RECORDS)
    assert series.missing(kept) == []
    assert len(judge.kernels(kept)) >= 3


def test_what_is_shown_is_drawn_from_the_records():
    kept = records.read(RECORDS)
    assert (HERE / "contest.md").read_text() == table.markdown(kept)
    assert (HERE / "contest.svg").read_text() == picture.svg(kept)
    readme = (HERE.parents[1] / "README.md").read_text()
    assert all("\n".join(table.summary(kept, held_out=held_out)) in readme for held_out in (False, True))


@pytest.mark.parametrize("module", [series, arms, judge, table, picture])
def test_examples_in_the_documentation(module):
    assert doctest.testmod(module).failed == 0
