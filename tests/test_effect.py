"""The dose series: its order, its going on after an interruption, and that what is shown is what was measured."""

from __future__ import annotations

import doctest
import json
from xml.etree import ElementTree as ET

import pytest

from bench import records
from bench.effect import picture, series, table
from bench.effect.__main__ import HERE, RECORDS


def trial(repeat: int = 0, name: str = "6.1", factor: int = 10, **changed: object) -> dict[str, object]:
    return {
        "what": "trial", "repeat": repeat, "name": name, "kernel": f"{name}.9-1", "factor": factor, "window_s": 10.0,
        "allocstall": 20, "pgscan_direct": 300, "pgscan_kswapd": 4000, "psi_some_ms": 500, "pswpout": 100,
        "workingset_refault_file": 70, "latency_ms": [10.0] * 98 + [100.0, 200.0],
        "memory_kb": {"MemAvailable": 20480, "Active(file)": 1024, "Inactive(file)": 1024},
    } | changed  # fmt: skip


def test_every_repeat_has_every_dose_on_every_kernel_once_in_an_order_of_its_own():
    doses = {(kernel, factor) for kernel in series.KERNELS for factor in series.FACTORS}
    orders = [series.order(repeat) for repeat in range(series.REPEATS)]
    assert all(sorted(one) == sorted(doses) for one in orders)
    assert len({tuple(one) for one in orders}) == series.REPEATS
    assert orders == [series.order(repeat) for repeat in range(series.REPEATS)]


def test_a_series_goes_on_where_it_was_even_when_a_line_was_cut_off(tmp_path):
    file = tmp_path / "runs.jsonl"
    first, second, *rest = series.order(1)
    assert series.missing(records.read(file), 1) == [first, second, *rest]
    records.add(file, trial(1, *first))
    file.write_text(file.read_text() + json.dumps(trial(1, *second))[:80])
    assert series.missing(records.read(file), 1) == [second, *rest]
    records.add(file, trial(1, *second))
    assert series.missing(records.read(file), 1) == rest
    assert series.missing(records.read(file), 0) == series.order(0)


def test_the_table_has_the_median_of_the_trials_and_their_range():
    records = [trial(repeat, allocstall=stalls) for repeat, stalls in enumerate((20, 50, 90))]
    line = next(line for line in table.markdown(records).splitlines() if line.startswith("| 10 |"))
    assert line.split(" | ")[1:8] == ["3", "5.0 (2.0 to 9.0)", "30", "400", "5.0", "10.0", "100"]


def test_advice_is_told_as_a_chain():
    told = [{"what": "advice", "repeat": 0, "name": "6.1", "kernel": "6.1.9-1", "factor": factor, "proposed": proposed}
            for factor, proposed in ((10, 50), (50, None))]  # fmt: skip
    assert "asked for again: 10 → 50 → no change." in table.markdown([trial(), *told])


def test_the_picture_has_a_point_for_every_trial_in_every_panel():
    records = [trial(repeat, *dose) for repeat in range(series.REPEATS) for dose in series.order(repeat)]
    root = ET.fromstring(picture.svg(records))
    points = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(points) == len(records) * len(picture.PANELS)
    width, height = (float(size) for size in root.attrib["viewBox"].split()[2:])
    assert all(0 < float(one.attrib["cx"]) < width and 0 < float(one.attrib["cy"]) < height for one in points)


def test_what_is_shown_is_drawn_from_the_records():
    kept = records.read(RECORDS)
    assert (HERE / "effect.md").read_text() == table.markdown(kept)
    assert (HERE / "effect.svg").read_text() == picture.svg(kept)


@pytest.mark.parametrize("module", [series, table, picture])
def test_examples_in_the_documentation(module):
    assert doctest.testmod(module).failed == 0
