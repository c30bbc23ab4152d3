"""Every format of a report, of one host and of many: readable by those who read it, and neutral for hostile names."""

import csv
import io
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

from advisor.cli import main
from advisor.errors import AdvisorError
from advisor.record import replace
from advisor.report import formats
from advisor.report.csv import COLUMNS
from advisor.report.fleet import FleetFinding, HostResult, Since, from_documents, since
from tests import reports
from tests.fixtures import CAPTURES, INCIDENTS
from tests.reports import SECRET, burst, healthy, hostile, incident, named, recorded, unjudged

SCHEMA = json.loads((Path(__file__).parent / "sarif" / "sarif-2.1.0-rtm.5.json").read_text())
IDLE = str(CAPTURES / "6.12-idle.tar.xz")
PRESSURE = str(CAPTURES / "6.12-pressure.tar.xz")
SICK = "psi-memory-full-58-percent"
EVERY = {"burst": burst, "healthy": healthy, "unjudged": unjudged, "hostile": hostile,
         "recorded": lambda: recorded("6.12-pressure"), "incident": lambda: incident(SICK)}  # fmt: skip


@pytest.fixture(scope="module")
def fleet():
    """Four hosts, of which one is hostile and one could not be judged, and a source that could not be read."""
    hosts = [named(burst(), "db1"), named(healthy(), "web1"), named(unjudged(), "old1"), named(hostile(), SECRET)]
    return from_documents(hosts, unreadable=((SECRET, "is no archive"),), notes=(SECRET,))


# What each format's readers require.


def sarif(text):
    log = json.loads(text)
    jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    (run,) = log["runs"]
    return run


def junit(text):
    root = ET.fromstring(text)
    for element in (root, *root.iter("testsuite")):
        cases = list(element.iter("testcase"))
        assert int(element.get("tests")) == len(cases)
        for total, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.get(total)) == len(list(element.iter(tag))), total
    return root


def rows(text):
    head, *found = csv.reader(io.StringIO(text, newline=""))
    assert head == list(COLUMNS)
    return [dict(zip(head, row, strict=True)) for row in found]


def promtool(text):
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool (Debian package prometheus) is not installed")
    done = subprocess.run([tool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", EVERY)
def test_sarif_of_every_host_is_valid(name):
    run = sarif(formats.host("sarif", EVERY[name]()))
    report = EVERY[name]()
    assert len(run["results"]) == len(report.failed())
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["partialFingerprints"]
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1


def test_sarif_points_at_the_line_of_the_first_number():
    run = sarif(formats.host("sarif", recorded("6.12-pressure")))
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "this-host/proc/pressure/memory"}, "region": {"startLine": 2}}


def test_sarif_keeps_its_fingerprints_and_has_none_twice(fleet):
    first, again = (sarif(formats.fleet("sarif", fleet)) for _ in range(2))
    marks = [tuple(result["partialFingerprints"].values()) for result in first["results"]]
    assert marks == [tuple(result["partialFingerprints"].values()) for result in again["results"]]
    assert len(set(marks)) == len(marks)


def test_sarif_has_no_link_that_a_host_made(fleet):
    assert "](" in SECRET
    run = sarif(formats.fleet("sarif", fleet))
    related = [place for result in run["results"] for place in result["relatedLocations"]]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    texts = [each["message"]["text"] for each in (*run["results"], *related, *notes)]
    assert any("] (y)" in text for text in texts)
    assert not any("](" in text for text in texts)


def test_sarif_tells_what_was_open_beside_the_results(fleet):
    notes = sarif(formats.fleet("sarif", fleet))["invocations"][0]["toolExecutionNotifications"]
    assert any("/proc/vmstat is not in the capture" in note["message"]["text"] for note in notes)
    assert any("could not be read" in note["message"]["text"] for note in notes)


@pytest.mark.parametrize("name", EVERY)
def test_junit_of_every_host_is_well_formed_and_counts_right(name):
    report = EVERY[name]()
    root = junit(formats.host("junit", report))
    failing = [finding for finding in report.failed() if finding.severity != "notice"]
    assert int(root.get("failures")) == len(failing)
    assert len({(case.get("classname"), case.get("name")) for case in root.iter("testcase")}) == int(root.get("tests"))


def test_junit_skips_what_was_open_with_the_reason():
    root = junit(formats.host("junit", unjudged()))
    reasons = [skipped.get("message") for skipped in root.iter("skipped")]
    assert "could not judge: too little data" in reasons
    assert any("/proc/vmstat is not in the capture" in reason for reason in reasons)


def test_junit_has_a_suite_for_each_host_and_for_what_could_not_be_read(fleet):
    root = junit(formats.fleet("junit", fleet))
    names = [suite.get("name") for suite in root]
    assert {"db1", "web1", "old1"} < set(names)
    assert len(names) == 5
    assert root.get("errors") == "1"


def test_junit_of_very_many_hosts_sums_up_what_was_open(fleet):
    few = junit(formats.fleet("junit", fleet))
    many = junit(formats.fleet("junit", replace(fleet, hosts=fleet.hosts * 60)))
    assert int(many.get("failures")) == 60 * int(few.get("failures"))
    assert int(many.get("tests")) < 15 * int(few.get("tests"))
    assert any("/proc/vmstat is not in the capture" in case.get("name") for case in many.iter("testcase"))


@pytest.mark.parametrize("name", EVERY)
def test_prometheus_of_every_host_is_clean(name):
    promtool(formats.host("prometheus", EVERY[name]()))


def test_prometheus_of_a_fleet_is_clean_also_with_two_hosts_of_one_name(fleet):
    text = formats.fleet("prometheus", from_documents([named(healthy(), "twin"), named(burst(), "twin")]))
    promtool(text)
    assert 'memadvisor_host_status{host="twin",status="healthy"} 0' in text
    promtool(formats.fleet("prometheus", fleet))


def test_prometheus_states_sizes_in_full_bytes_and_no_unknown():
    text = formats.host("prometheus", recorded("6.12-pressure"))
    zone = recorded("6.12-pressure").zones[0]
    assert f'memadvisor_zone_free_bytes{{host="this host",zone="{zone.name}"}} {zone.free}\n' in text
    assert "nan" not in text.lower()
    assert "thrashing_state" not in formats.host("prometheus", unjudged())


def test_csv_has_a_row_for_each_finding_and_open_check():
    report = burst()
    found = rows(formats.host("csv", report))
    assert [row["rule"] for row in found if row["state"] == "fail"] == [finding.rule for finding in report.failed()]
    assert sum(row["state"] == "open" for row in found) >= report.counts["open"]


def test_csv_of_a_host_without_findings_still_names_it(fleet):
    assert {row["host"] for row in rows(formats.fleet("csv", fleet))} >= {"db1", "web1", "old1"}


@pytest.mark.parametrize("form", ["csv"])
def test_no_cell_is_a_formula(form, fleet):
    for row in rows(formats.fleet(form, fleet)):
        for cell in row.values():
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "＝"))


def test_markdown_keeps_markup_of_hosts_neutral(fleet):
    for text in (formats.host("markdown", hostile()), formats.fleet("markdown", fleet)):
        assert "<script" not in text
        assert "](y)" not in text.replace("\\]", "")
        tables = [line for line in text.splitlines() if line.startswith("|")]
        assert all(len(re.findall(r"(?<!\\)\|", line)) in {4, 5, 6, 7, 3} for line in tables)


@pytest.mark.parametrize("name", EVERY)
def test_markdown_of_every_host_starts_with_the_verdict_and_names_each_finding(name):
    report = EVERY[name]()
    text = formats.host("markdown", report)
    assert text.startswith("# ")
    assert all(f"Rule `{finding.rule}`" in text for finding in report.failed())


@pytest.mark.parametrize("form", [*formats.FLEET])
def test_no_format_of_a_fleet_lets_a_hostile_name_act(form, fleet):
    text = formats.fleet(form, fleet)
    assert "\x1b" not in text
    assert "\u202e" not in text
    if form not in {"csv", "prometheus", "sarif"}:
        assert "<script>alert" not in text
    text.encode("utf-8", "strict")


@pytest.mark.parametrize("form", [*formats.HOST])
def test_every_format_of_one_host_is_unicode_without_control_characters(form):
    text = formats.host(form, hostile())
    assert "\x1b" not in text
    text.encode("utf-8", "replace" if form == "text" else "strict")


# The fleet report itself.


def test_hosts_are_in_order_of_severity_and_counts_agree(fleet):
    statuses = [host.status() for host in fleet.hosts]
    order = ("critical", "warning", "insufficient", "notice", "healthy")
    assert statuses == sorted(statuses, key=order.index)
    assert sum(fleet.verdicts().values()) == len(fleet.hosts)
    assert fleet.verdicts()["insufficient"] == 1
    for count in fleet.rules():
        assert count.hosts


def test_a_waived_finding_does_not_count_and_is_shown_as_waived():
    report = from_documents([named(burst(), "db1")])
    (host,) = report.hosts
    waived = replace(host, findings=tuple(replace(f, waived="ops, until 2027-01-01") for f in host.findings))
    calm = replace(report, hosts=(waived,))
    assert waived.status() == "healthy"
    assert calm.rules() == ()
    assert junit(formats.fleet("junit", calm)).get("failures") == "0"
    assert all(result["suppressions"] for result in sarif(formats.fleet("sarif", calm))["results"])
    assert all(row["waived"] for row in rows(formats.fleet("csv", calm)) if row["state"] == "fail")


def test_what_changed_between_two_reports():
    before = from_documents([named(burst(), "db1"), named(healthy(), "web1"), named(healthy(), "old1")])
    now = from_documents([named(healthy(), "db1"), named(burst(), "web1"), named(healthy(), "new1")])
    change = since(before, now)
    assert {host for host, _finding in change.new} == {"web1"}
    assert {host for host, _finding in change.gone} == {"db1"}
    assert (change.new_hosts, change.gone_hosts) == (("new1",), ("old1",))
    text = formats.fleet("markdown", replace(now, since=change))
    assert "new on web1" in text
    assert "gone from db1" in text


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "host 1 is no report"),
        ([], "host 1 is no report"),
        ({"schema": "memadvisor/report/2"}, "is newer than this memadvisor"),
        ({"schema": "memadvisor/report/1"}, "the report is damaged"),
    ],
)
def test_a_document_that_is_no_report_is_refused(document, said):
    with pytest.raises(AdvisorError, match=said):
        from_documents([document])


def test_the_records_of_a_fleet_can_be_made_by_hand():
    host = HostResult("x", "findings", findings=(FleetFinding("r", "warning", "t", "m"),))
    report = replace(from_documents([]), hosts=(host,), since=Since((), (), (), ()))
    for form in formats.FLEET:
        assert "x" in formats.fleet(form, report)


# The command.


def test_several_reports_are_written_beside_the_usual_output(tmp_path, capsys):
    wanted = {form: tmp_path / f"out.{form}" for form in formats.HOST}
    arguments = [part for form, path in wanted.items() for part in ("--report", f"{form}={path}")]
    assert main(["check", str(INCIDENTS / SICK), *arguments]) == 2
    assert "finding" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in wanted.values())
    sarif(wanted["sarif"].read_text())
    junit(wanted["junit"].read_text())
    promtool(wanted["prometheus"].read_text())


def test_a_report_on_stdout_takes_the_place_of_the_usual_one(capsys):
    assert main(["check", IDLE, "--report", "junit=-"]) == 0
    junit(capsys.readouterr().out)
    assert main(["check", PRESSURE, "--nagios", "--report", "md=-"]) == 1
    assert capsys.readouterr().out.startswith("# 1 finding")


def test_a_report_replaces_a_file_and_follows_a_link(tmp_path, capsys):
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to(real)
    assert main(["check", IDLE, "--report", f"csv={link}"]) == 0
    assert link.is_symlink()
    assert real.read_text().startswith('"host"')
    assert real.stat().st_mode & 0o777 == 0o600
    assert main(["check", IDLE, "--report", "csv=/dev/null"]) == 0
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--report", "htm=x"], "did you mean 'html'"),
        (["--report", "pdf=x"], "unknown format 'pdf'"),
        (["--report", "csv"], "names no file"),
        (["--report", "csv="], "names no file"),
        (["--report", "csv=/no/such/x.csv"], "there is no folder /no/such"),
        (["--report", "csv=/tmp"], "/tmp is a folder"),
        (["--report", "csv=-", "--report", "junit=-"], "would both go to stdout"),
        (["--report", "csv=x.csv", "--report", "junit=./x.csv"], "would both go to"),
        (["-o", "x.csv", "--report", "csv=x.csv"], "csv and --output would both go to"),
    ],
)
def test_a_wrong_report_is_refused_before_anything_is_measured(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["check", *arguments]) == 1  # this host, for a minute, if it were not refused first
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_hostile_reports_hold_the_hostile_name():
    """Else the tests above would prove nothing."""
    assert any("script" in finding.message or "script" in finding.entity for finding in hostile().failed())
    assert reports.hostile().host.name == SECRET
