"""A finding says what it rests on; what is missing is neither zero nor healthy."""

import pytest

from advisor.capture.model import Capture, Sample
from advisor.findings import FAIL, NOT_APPLICABLE, OPEN, PASS, judge
from advisor.rulebook import library
from advisor.signals.view import views
from tests.fixtures import capture_files

RULE = """\
id: {id}
title: Tasks stall, as this test wants it
severity: {severity}
status: stable
since: 0.1.0
diagnosis: {diagnosis}
what: Something stalls, as anybody can see.
why: Because it hurts those who wait for it.
needs: {{window: {window}}}
when: {when}
message: "{{{{ rate.allocstall | rate }}}} stalls"
remedy: {{kind: none, text: There is nothing to do.}}
references: [https://docs.kernel.org/admin-guide/sysctl/vm.html]
{more}
cases:
  - {{name: it stalls a lot, given: {{rate.allocstall: 99}}, expect: {{state: fail}}}}
  - {{name: it does not stall, given: {{rate.allocstall: 0}}, expect: {{state: pass}}}}
"""


@pytest.fixture
def rule(tmp_path, monkeypatch):
    """Makes checked rules out of a few fields."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def make(*rules):
        folder = tmp_path / "rules"
        folder.mkdir(exist_ok=True)
        for fields in rules:
            known = {"id": "stalls", "severity": "warning", "diagnosis": "direct_reclaim_stall", "window": 0,
                     "when": "rate.allocstall > 1", "more": ""}  # fmt: skip
            known.update(fields)
            (folder / f"{known['id']}.yml").write_text(RULE.format(**known))
        return library.load([folder])

    return make


def samples(*stalls, seconds=100.0, **files):
    """Samples with these numbers of stalls, evenly spread over the time."""
    step = seconds / max(1, len(stalls) - 1)
    return Capture(tuple(
        Sample({"proc/vmstat": f"allocstall {count}\npgfault {i}\n", **files}, monotonic_s=i * step)
        for i, count in enumerate(stalls)
    ), host="db01")  # fmt: skip


def findings(capture, checks):
    whole, parts = views(capture)
    return judge(checks, whole, parts)


def test_a_condition_that_holds_is_a_finding(rule):
    (finding,) = findings(samples(0, 1000), rule({}))
    assert (finding.state, finding.severity) == (FAIL, "warning")
    assert finding.message == "10/s stalls"


def test_a_condition_that_does_not_hold_passes(rule):
    (finding,) = findings(samples(0, 50), rule({}))
    assert finding.state == PASS


def test_missing_data_leave_the_finding_open_and_say_what_is_missing(rule):
    capture = Capture((Sample({"proc/vmstat": "pgfault 1\n"}, 0.0), Sample({"proc/vmstat": "pgfault 2\n"}, 9.0)))
    (finding,) = findings(capture, rule({}))
    assert finding.state == OPEN
    assert [(m.signal, m.reason) for m in finding.missing] == [
        ("rate.allocstall", "/proc/vmstat has no allocstall here")
    ]


def test_a_rule_for_a_setting_that_the_kernel_lacks_does_not_apply(rule):
    (finding,) = findings(samples(0, 1000), rule({"more": "applies: {has: [vm.watermark_scale_factor]}"}))
    assert finding.state == NOT_APPLICABLE


def test_a_rule_for_cgroups_does_not_apply_where_there_are_none(rule):
    (finding,) = findings(samples(0, 1000), rule({"when": "cgroup.fill > 0.9", "more": "scope: cgroup"}))
    assert finding.state == NOT_APPLICABLE


def test_a_rule_for_zones_is_open_without_zoneinfo(rule):
    (finding,) = findings(samples(0, 1000), rule({"when": "zone.free < zone.low", "more": "scope: zone"}))
    assert finding.state == OPEN
    assert "zoneinfo" in finding.missing[0].reason


def test_evidence_leads_to_file_line_and_formula(rule):
    (finding,) = findings(samples(0, 1000), rule({}))
    (item,) = finding.evidence
    assert (item.signal, item.value, item.source) == ("rate.allocstall", 10.0, "t1/proc/vmstat:1 allocstall")
    assert item.formula == "Δallocstall / window.seconds"


def test_a_short_window_lowers_confidence(rule):
    (long,) = findings(samples(0, 1000, seconds=100.0), rule({}))
    (short,) = findings(samples(0, 1000, seconds=10.0), rule({}))
    assert short.confidence < long.confidence
    assert "shorter than 60 s" in short.confidence_why[0]


def test_an_average_since_boot_has_low_confidence_and_is_never_critical(rule):
    capture = samples(100_000, **{"proc/uptime": "1000.00 1.00\n"})
    (finding,) = findings(capture, rule({"severity": "critical"}))
    assert (finding.state, finding.severity) == (FAIL, "warning")
    assert finding.confidence <= 0.4
    assert "since boot" in " ".join(finding.confidence_why)


def test_a_problem_in_every_part_of_the_window_is_surer_than_one_burst(rule):
    (steady,) = findings(samples(0, 250, 500, 750, 1000), rule({}))
    (burst,) = findings(samples(0, 0, 0, 0, 1000), rule({}))
    assert steady.windows == (4, 4)
    assert burst.windows == (1, 4)
    assert burst.confidence < steady.confidence


def test_an_independent_witness_raises_confidence_and_a_doubt_lowers_it(rule):
    def confidence(more):
        return findings(samples(0, 1000), rule({"more": more}))[0].confidence

    plain = confidence("")
    assert confidence("supports: [delta.pgfault > 0]") > plain
    assert confidence("doubts: [{when: delta.pgfault > 0, because: there were faults as well}]") < plain
    assert confidence("supports: [rate.pswpin > 1 * page / s]") == plain


def test_rivals_are_ruled_out_by_numbers_or_named_as_open(rule):
    more = (
        "rules_out:\n"
        '  - {rival: fragmentation, when: delta.pgfault < 5, because: "{{ delta.pgfault | count }} faults"}\n'
        "  - {rival: slab_leak, when: slab.unreclaimable_share < 0.1, because: slab is small}\n"
    )
    (finding,) = findings(samples(0, 1000), rule({"more": more}))
    assert finding.ruled_out == (("fragmentation", "1 faults"),)
    assert finding.not_ruled_out == (("slab_leak", ""),)


def test_a_symptom_gives_way_to_its_cause(rule):
    checks = rule(
        {"id": "cause", "diagnosis": "swap_thrash"},
        {"id": "symptom", "diagnosis": "memory_pressure", "more": "yields_to: [swap_thrash]"},
    )
    first, second = findings(samples(0, 1000), checks)
    assert (first.rule, first.severity) == ("cause", "warning")
    assert (second.rule, second.severity, second.explained_by) == ("symptom", "notice", "cause")


def test_the_symptom_of_a_symptom_names_the_cause_at_the_end(rule):
    checks = rule(
        {"id": "cause", "diagnosis": "thrashing_file"},
        {"id": "between", "diagnosis": "direct_reclaim_stall", "more": "yields_to: [thrashing_file]"},
        {
            "id": "symptom",
            "diagnosis": "memory_pressure",
            "severity": "critical",
            "more": "yields_to: [direct_reclaim_stall]",
        },
    )
    found = {finding.rule: finding for finding in findings(samples(0, 1000), checks)}
    assert (found["cause"].severity, found["cause"].explained_by) == ("warning", "")
    assert found["between"].explained_by == "cause"
    assert found["symptom"].explained_by == "cause"


def test_of_two_that_would_yield_to_each_other_one_stands(rule):
    checks = rule(
        {"id": "one", "diagnosis": "swap_thrash", "more": "yields_to: [memory_pressure]"},
        {"id": "other", "diagnosis": "memory_pressure", "more": "yields_to: [swap_thrash]"},
    )
    assert sorted(finding.severity for finding in findings(samples(0, 1000), checks)) == ["notice", "warning"]


def test_the_fingerprint_is_stable_and_depends_on_host_and_rule(rule):
    def fingerprint(host, **fields):
        capture = Capture(samples(0, 1000).samples, host=host)
        return findings(capture, rule(fields))[0].fingerprint

    assert fingerprint("a") == fingerprint("a")
    assert fingerprint("a") != fingerprint("b")


def test_each_zone_is_judged_for_itself(rule):
    capture = Capture((Sample(capture_files("6.12", "pressure")),))
    found = findings(capture, rule({"when": "zone.managed > 0 * page", "more": "scope: zone"}))
    assert {finding.entity for finding in found} == {"node 0 DMA", "node 0 DMA32", "node 0 Normal"}
    normal = next(finding for finding in found if finding.entity == "node 0 Normal")
    line = int(normal.evidence[0].source.split(":")[1].split()[0])
    text = capture_files("6.12", "pressure")["proc/zoneinfo"].splitlines()
    assert text[line - 1].split() == ["managed", str(int(normal.evidence[0].value))]
