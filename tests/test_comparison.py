"""What moved between two captures or reports, in words and pictures."""

import json
from functools import cache

import pytest

from advisor.capture.write import write_capture
from advisor.cli import main
from advisor.comparison import compare, document, of_capture
from advisor.report.comparison import layout
from advisor.report.layout import plain
from advisor.rulebook import library
from tests.verify_captures import bursts, capture, host


@cache
def sides(scale=48, stalls=60):
    rules = library.load()
    before = capture(host(), bursts(8))
    after = capture(host(vm__watermark_scale_factor=scale), bursts(8, stalls=stalls, seed=2), start_s=3000.0)
    return of_capture(before, rules), of_capture(after, rules)


def moved(comparison):
    return {each.signal: each for each in comparison.moved}


def test_it_names_the_setting_the_finding_and_the_signals_that_moved():
    comparison = compare(*sides())
    assert [(each.name, each.before, each.after) for each in comparison.settings] == [
        ("vm.watermark_scale_factor", 10, 48)
    ]
    assert ("direct-reclaim-though-easy", "warning", None) in [
        (each.rule, each.before, each.after) for each in comparison.findings
    ]
    assert moved(comparison)["rate.allocstall"].after < 2 < moved(comparison)["rate.allocstall"].before
    assert "rate.pgalloc" not in moved(comparison)  # the work stayed what it was


def test_the_weightiest_comes_first():
    weights = [each.weight for each in compare(*sides()).moved]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > weights[-1]


def test_the_other_way_round_it_says_the_opposite():
    there, back = compare(*sides()), compare(*reversed(sides()))
    assert moved(there).keys() == moved(back).keys()
    one, two = moved(there)["rate.allocstall"], moved(back)["rate.allocstall"]
    assert one.ratio == pytest.approx(1 / two.ratio)
    assert any(each.rule == "direct-reclaim-though-easy" and each.after == "warning" for each in back.findings)


def test_a_capture_beside_itself_has_nothing_to_tell():
    side = sides()[0]
    comparison = compare(side, side)
    assert not any([comparison.facts, comparison.settings, comparison.findings, comparison.moved])


def test_the_text_shows_windows_as_lines_and_both_states_of_each_zone():
    text = plain(layout(compare(*sides())))
    assert "vm.watermark_scale_factor 10 → 48" in text
    assert any(mark in text for mark in "▂▃▄▅▆▇")
    zone = [line for line in text.splitlines() if "free;" in line]
    assert len(zone) == 2 * len(sides()[0].zones)


def test_the_document_is_plain_json():
    found = document(compare(*sides()))
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(found))
    assert found["schema"] == "memadvisor/comparison/1"
    assert found["moved"][0]["signal"]


@pytest.fixture
def files(tmp_path, capsys):
    later = capture(host(vm__watermark_scale_factor=48), bursts(8, stalls=60), start_s=3000.0)
    for name, made in (("a", capture(host(), bursts(8))), ("b", later)):
        write_capture(made, str(tmp_path / f"{name}.tar.gz"))
        main(["check", str(tmp_path / f"{name}.tar.gz"), "-f", "json", "-o", str(tmp_path / f"{name}.json")])
    capsys.readouterr()
    return tmp_path


@pytest.mark.parametrize(("a", "b"), [("a.tar.gz", "b.tar.gz"), ("a.json", "b.json"), ("a.json", "b.tar.gz")])
def test_captures_and_reports_can_be_compared(files, a, b, capsys):
    assert main(["compare", str(files / a), str(files / b), "-f", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert any(each["rule"] == "direct-reclaim-though-easy" for each in found["findings"])
    assert len(found["zones"]) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("[]", "not a report"),
        ('{"schema": "memadvisor/plan/1"}', "no report of a host"),
        ('{"schema": "memadvisor/report/1"}', "damaged"),
    ],
)
def test_what_is_no_report_is_named_in_one_line(files, text, says, capsys):
    (files / "a.json").write_text(text)
    assert main(["compare", str(files / "a.json"), str(files / "b.json")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert says in error
