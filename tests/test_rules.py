"""Every rule proves that it fires and that it stays quiet, and runs on every capture."""

import json

import pytest
import yaml

from advisor.analysis import analyse
from advisor.capture.open import open_capture
from advisor.cli import main
from advisor.findings import FAIL
from advisor.rulebook import cases, library, source
from tests.fixtures import CAPTURES, INCIDENTS, KERNELS

FILES = library.rule_files([library.builtin_folder()])
INCIDENT_IDS = sorted(path.name for path in INCIDENTS.iterdir() if (path / "expected.yml").exists())


def loaded(path):
    return source.load(library.read_rule(path), str(path))


@pytest.fixture(scope="module")
def checks():
    return library.load()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_rule_gives_what_its_cases_promise(path):
    assert [f"{f.case}: {f.what}" for f in cases.run(loaded(path))] == []


def test_there_are_at_least_sixty_rules():
    assert len(FILES) >= 60


def test_every_rule_says_what_why_risk_and_source():
    for path in FILES:
        rule = loaded(path).rule
        assert rule.references, path
        assert rule.remedy_text, path
        assert not rule.advice or (rule.risk is not None), path


@pytest.mark.parametrize("kernel", KERNELS)
def test_an_idle_host_gets_no_warning(kernel, checks):
    report = analyse(open_capture(str(CAPTURES / f"{kernel}-idle.tar.xz")), checks)
    assert [(f.rule, f.severity) for f in report.failed() if f.severity != "notice"] == []
    assert report.plan.recommendations == ()
    assert report.verdict == "healthy"


@pytest.mark.parametrize("name", INCIDENT_IDS)
def test_an_incident_gets_the_experts_verdict(name, checks):
    expected = yaml.safe_load((INCIDENTS / name / "expected.yml").read_text(encoding="utf-8"))
    report = analyse(open_capture(str(INCIDENTS / name)), checks)
    found = {finding.diagnosis for finding in report.failed() if finding.severity != "notice"}
    primary = set(expected["diagnosis"]["primary"])
    allowed = primary | set(expected["diagnosis"]["acceptable"])
    assert not found & (set(expected["diagnosis"]["must_not"]) - allowed)
    if primary == {"healthy"}:
        assert not found - allowed
    else:
        assert primary <= found


@pytest.mark.parametrize("name", INCIDENT_IDS)
def test_nothing_forbidden_is_recommended(name, checks):
    expected = yaml.safe_load((INCIDENTS / name / "expected.yml").read_text(encoding="utf-8"))
    report = analyse(open_capture(str(INCIDENTS / name)), checks)
    said = {(r.setting, r.direction) for r in report.plan.recommendations}
    for item in expected["forbidden"]:
        wrong = {(s, d) for s, d in said if s == item["setting"] and item["direction"] in {"any", d}}
        assert not wrong, item["why"]


def test_removing_any_one_file_never_makes_an_idle_host_sick(checks):
    capture = open_capture(str(CAPTURES / "6.12-idle.tar.xz"))
    sample = capture.samples[0]
    for path in sample.files:
        if not path.startswith("proc/") or path.startswith("proc/sys/vm/"):
            continue
        files = {name: text for name, text in sample.files.items() if name != path}
        report = analyse(type(capture)((type(sample)(files, sample.monotonic_s, sample.wall_s),)), checks)
        assert [f.rule for f in report.failed() if f.severity != "notice"] == [], path


def test_the_command_tests_the_rules(capsys):
    assert main(["rules", "test"]) == 0
    assert f"{len(FILES)} rules" in capsys.readouterr().out


def test_the_command_lists_the_rules_as_json(capsys):
    assert main(["rules", "list", "--format", "json"]) == 0
    assert {rule["id"] for rule in json.loads(capsys.readouterr().out)} == {path.stem for path in FILES}


def test_every_finding_on_a_capture_has_its_evidence_traced_to_a_file(checks):
    report = analyse(open_capture(str(CAPTURES / "6.12-pressure.tar.xz")), checks)
    for finding in report.failed():
        assert finding.evidence
        for item in finding.evidence:
            assert item.source, item.signal
    assert any(finding.state == FAIL for finding in report.findings)
