"""Coverage: which rules a fleet's records decide, and the exact options that would decide the rest."""

import json
import re
import shlex

import pytest

from advisor.cli import main
from advisor.fleet.coverage import reach, reaches, reads_of
from advisor.fleet.exporters import COLLECTORS, CURES, VMSTAT, records
from advisor.rulebook import library
from advisor.signals.model import catalogue
from advisor.tunables import TUNABLES
from tests.fixtures import CAPTURES, INCIDENTS

FILES = sorted([*CAPTURES.glob("*.tar.xz"), *(path for path in INCIDENTS.iterdir() if path.is_dir())])


@pytest.fixture(scope="module")
def rules():
    return library.load()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coverage")
    assert main(["fleet", "ingest", *map(str, FILES), "-o", str(folder / "store")]) == 0
    return folder / "store"


def test_what_is_decided_is_what_check_decides(store, tmp_path, capsys):
    assert main(["fleet", "coverage", str(store), "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    found = {source["how"]: source for source in answer["sources"]}
    open_by_kind: dict[str, list[set[str]]] = {}
    for file in FILES:
        output = tmp_path / "one.json"
        main(["check", str(file), "--format", "json", "--all", "-o", str(output)])
        document = json.loads(output.read_text())
        undecided = {f["rule"] for f in document["findings"] if f["state"] == "open"}
        undecided -= {f["rule"] for f in document["findings"] if f["state"] == "fail"}
        open_by_kind.setdefault(document["capture"]["how"], []).append(undecided)
    for how, hosts in open_by_kind.items():
        assert found[how]["hosts"] == len(hosts)
        assert set(found[how]["nowhere"]) == set.intersection(*hosts)
        assert set(found[how]["everywhere"]).isdisjoint(set.union(*hosts))
        assert set(found[how]["sometimes"]) == set.union(*hosts) - set.intersection(*hosts)


def test_gaps_are_told_with_their_cure(store, capsys):
    assert main(["fleet", "coverage", str(store)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "rules are decided on every host" in out
    assert "the kernel log is not in the capture" in out
    assert "sysctl kernel.dmesg_restrict=0" in out
    assert "/proc/vmstat is not in the capture (on" in out
    assert "/proc/vmstat is not in the capture boot with psi=1" not in out


def test_every_pattern_records_something_that_a_signal_reads():
    reads = {read for signal in catalogue().values() for read in signal.reads}
    for collector in COLLECTORS:
        for pattern in (*collector.gives, *(p for option in collector.options for p in option.gives)):
            assert any(records((pattern,), read) for read in reads), (collector.name, pattern)
    for path, _cure in CURES:
        assert any(read.startswith(path) for read in reads), path


def test_the_default_of_node_exporter_decides_almost_nothing(rules):
    plain = reach(COLLECTORS[0], rules)
    assert plain.plain < 10
    assert plain.full > 50


def test_the_filter_for_counters_takes_the_wanted_ones_and_the_usual_ones(rules):
    (flag,) = [step.flag for step in reach(COLLECTORS[0], rules).steps if "vmstat.fields" in step.flag]
    name, _, value = shlex.split(flag)[0].partition("=")
    assert name == "--collector.vmstat.fields"
    wanted = {read.partition(" ")[2] for check in rules for read in reads_of(check) if read.startswith(f"{VMSTAT} ")}
    assert len(wanted) > 30
    for counter in (*wanted, "pgpgin", "pswpout", "pgmajfault", "oom_kill"):
        assert re.match(value, counter), counter
    assert not re.match(value, "nr_zone_inactive_anon")


def test_named_sysctls_are_those_of_the_kernel(rules):
    (flag,) = [step.flag for step in reach(COLLECTORS[0], rules).steps if "sysctl" in step.flag]
    first, *includes = shlex.split(flag)
    assert first == "--collector.sysctl"
    names = [include.removeprefix("--collector.sysctl.include=") for include in includes]
    assert "vm.swappiness" in names
    assert set(names) <= set(TUNABLES)


def test_an_option_counts_what_needs_it(rules):
    for collector in COLLECTORS:
        whole = reach(collector, rules)
        assert whole.plain <= whole.full <= whole.rules == len(rules)
        for step in whole.steps:
            assert 0 < step.rules <= whole.full - whole.plain
        if whole.full < whole.rules:
            assert whole.without


def test_without_a_store_collectors_are_told(capsys, rules):
    assert main(["fleet", "coverage"]) == 0
    out = capsys.readouterr().out
    assert "node_exporter" in out
    assert [line for line in out.splitlines() if line.endswith("--collector.zoneinfo")]
    assert main(["fleet", "coverage", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "memadvisor/fleet-coverage/1"
    assert [c["collector"] for c in answer["collectors"]] == [r.collector for r in reaches(rules)]
