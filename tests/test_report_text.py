"""What people read: verdict first, evidence, costs, what was ruled out; all within the width."""

import pytest

from advisor.analysis import ZonePicture, analyse
from advisor.report.layout import clean, paragraph, plain
from advisor.report.text import bar, layout, plan_layout
from advisor.report.wording import describe
from advisor.rulebook import library
from tests.test_plan import bursting, host

MIB = 1 << 20


@pytest.fixture(scope="module")
def rules():
    return library.load()


@pytest.fixture(scope="module")
def burst(rules):
    return analyse(bursting().capture(), rules)


def lines(report, width=100):
    return plain(layout(report, width)).splitlines()


def test_the_verdict_comes_first(burst):
    first = lines(burst)[0]
    assert "finding" in first
    assert "synthetic" in first


def test_a_finding_shows_evidence_with_file_and_line(burst):
    text = "\n".join(lines(burst))
    assert "t1/proc/vmstat:" in text
    assert "rate.allocstall" in text
    assert "ruled out" in text


def test_the_plan_shows_value_reason_prediction_risk_and_undo(burst):
    text = "\n".join(lines(burst))
    assert "vm.watermark_scale_factor 10 → " in text
    for label in ("because", "predicted", "risk", "undo"):
        assert f"\n  {label} " in text, label
    assert "MemAvailable −" in text


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_everything_keeps_within_the_width(burst, width):
    assert [line for line in lines(burst, width) if len(line) > width] == []


def test_a_healthy_host_is_told_so_and_what_was_checked(rules):
    text = lines(analyse(host().capture(), rules))
    assert text[0].startswith("Healthy: nothing to tune")
    assert any(line.startswith("  passed ") and "reclaim" in line for line in text)


def test_an_empty_plan_says_why(rules):
    assert "No setting to change: healthy" in plain(plan_layout(analyse(host().capture(), rules)))


def test_what_is_open_says_what_is_missing(rules):
    from advisor.capture.model import Capture, Sample

    text = "\n".join(lines(analyse(Capture((Sample({"proc/loadavg": "0 0 0 1/1 1\n"}),)), rules)))
    assert "Could not judge" in text
    assert "/proc/vmstat is not in the capture" in text


def drawing(**more):
    zone = {"name": "node 0 Normal", "managed": 1000 * MIB, "free": 30 * MIB, "min": 10 * MIB, "low": 20 * MIB,
            "high": 40 * MIB, "boost": 0, **more}  # fmt: skip
    ((text, style),) = bar(ZonePicture(**zone))
    return text, style


def test_the_bar_of_a_zone_is_filled_up_to_its_free_memory():
    text, style = drawing()
    assert text.index("m") < text.index("l") < text.index("h")
    assert text.rindex("█") < text.index("h")
    assert style == "free"


def test_a_zone_below_its_low_mark_is_drawn_as_such():
    text, style = drawing(free=15 * MIB)
    assert text.rindex("█") < text.index("l")
    assert style == "below"


def test_far_more_free_memory_than_the_marks_runs_off_the_bar():
    assert drawing(free=900 * MIB)[0].endswith("▶")


def test_a_zone_without_marks_can_be_drawn():
    assert len(drawing(min=0, low=0, high=0, free=0)[0]) == 44


def test_a_recommendation_without_value_says_its_direction(burst):
    from dataclasses import replace

    recommendation = replace(burst.plan.recommendations[0], proposed=None, current=None)
    assert describe(recommendation) == "vm.watermark_scale_factor increase"


def test_text_of_the_host_cannot_drive_the_terminal():
    assert clean("a\x1b[31mb\rc\u202ed\n") == "a?[31mb?c?d?"
    assert "\x1b" not in plain(paragraph("x \x1b[2J y", indent=4, width=40, label="z"))
