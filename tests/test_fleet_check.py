"""A fleet judged from its store: the verdicts of `advisor check`, host by host; gates, changes, what is told."""

import gzip
import json
import textwrap
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.analysis import analyse, local_for
from advisor.capture.open import open_capture
from advisor.capture.write import write_capture
from advisor.cli import main
from advisor.fleet.ingest import Options, ingest
from advisor.fleet.sources import find
from advisor.fleet.store import create_store
from advisor.fleet.survey import How, survey
from advisor.policy import load
from advisor.policy.model import Member
from advisor.record import replace as changed
from advisor.report import as_json
from advisor.rulebook import library
from tests.fixtures import CAPTURES, INCIDENTS, KERNELS, STATES
from tests.synthetic_host import hosts as synthetic_hosts
from tests.test_fleet_postgres import server as database  # noqa: F401  (a fixture: a real PostgreSQL server)
from tests.test_policy import LISTING, blind, host

POLICY = """
    policy: prod
    require:
      vm.swappiness: "<= 60"
      vm.min_free_kbytes: ">= auto"
      thp.enabled: [madvise, never]
    rules:
      swap-thrash: {severity: critical}
      direct-reclaim-in-shortage: {enabled: false}
    groups:
      databases:
        hosts: ["db*"]
        role: database
        require: {vm.swappiness: "<= 10"}
      tiny:
        when: memory.total < 1 * GiB
        fail_on: critical
        rules: {tasks-stall-on-memory: {severity: notice}}
    waivers:
      - {setting: vm.swappiness, hosts: db1, owner: dba, reason: the vendor wants it, expires: 9999-12-31}
      - {rule: "page-cache-*", hosts: "*", owner: ops, reason: known and watched, expires: 9999-12-31}
      - {rule: swap-active, hosts: db2, owner: ops, reason: gone for long now, expires: 2020-01-31}
"""


def captures():
    """Recorded hosts and synthetic ones, by name."""
    found = {f"{kernel}-{state}": open_capture(str(CAPTURES / f"{kernel}-{state}.tar.xz"))
             for kernel in KERNELS for state in STATES}  # fmt: skip
    found |= {path.name: open_capture(str(path)) for path in INCIDENTS.iterdir() if path.is_dir()}
    found |= {"db1": host().capture(), "db2": host(vm_swappiness=30).capture(), "web1": host().capture()}
    found |= {"web2": replace(host(vm_min_free_kbytes=16384), thp="always").capture(), "blind": blind()}
    return {name: changed(taken, host=name) for name, taken in found.items()}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """A folder with captures, a store of them, a policy and an inventory."""
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "captures").mkdir()
    for name, taken in captures().items():
        write_capture(taken, str(folder / "captures" / f"{name}.tar.gz"))
    (folder / "policy.yml").write_text(textwrap.dedent(POLICY))
    (folder / "inventory.json").write_text(json.dumps(LISTING))
    assert main(["fleet", "ingest", str(folder / "captures"), "-o", str(folder / "store")]) == 0
    return folder


@pytest.fixture(scope="module")
def alone(fleet):
    """What `advisor check` says of each capture, without and with the policy: exit code and document, by host."""
    found = {}
    for policy in (False, True):
        by = ["--policy", str(fleet / "policy.yml")] if policy else []
        for file in sorted((fleet / "captures").iterdir()):
            output = fleet / "alone.json"
            code = main(["check", str(file), *by, "--format", "json", "--all", "-o", str(output)])
            found.setdefault(policy, {})[file.name.removesuffix(".tar.gz")] = code, json.loads(output.read_text())
    return found


def told(document):
    """What a verdict rests on."""
    findings = [(f["rule"], f["entity"], f["severity"], f["message"], f["explained_by"], f["waived"], f["fingerprint"])
                for f in document["findings"] if f["state"] == "fail"]  # fmt: skip
    undecided = sorted(document["policy"]["undecided"]) if document["policy"] else []
    return document["verdict"], sorted(findings, key=str), undecided


@pytest.mark.parametrize("engine", ["duckdb", "rows"])
@pytest.mark.parametrize("policy", [True, False])
def test_each_host_has_the_verdict_that_check_gives(fleet, alone, engine, policy, capsys):
    by = ["--policy", str(fleet / "policy.yml")] if policy else []
    ended = main(["fleet", "check", str(fleet / "store"), *by, "--engine", engine, "--format", "json"])
    answer = json.loads(capsys.readouterr().out)
    found = {document["host"]["name"]: document for document in answer["hosts"]}
    for name, (_code, document) in alone[policy].items():
        if name in found:
            assert told(found[name]) == told(document), name
        else:
            assert told(document) == ("healthy", [], []), name
    assert len(found) < len(alone[policy]) == answer["judged"]
    assert ended == max((code for code, _document in alone[policy].values()), key=(0, 3, 2).index)


@pytest.mark.parametrize("engine", ["duckdb", "rows"])
def test_what_a_report_counts_is_what_check_counts(fleet, alone, engine, capsys):
    by = ["--policy", str(fleet / "policy.yml")]
    main(["fleet", "report", str(fleet / "store"), *by, "--engine", engine, "--format", "json", "--no-remember"])
    found = {document["host"]["name"]: document for document in json.loads(capsys.readouterr().out)["hosts"]}
    for name, (_code, expected) in alone[True].items():
        document = found[name]
        for part in ("checks", "thrash", "policy", "zones"):
            assert document[part] == expected[part], (name, part)
        assert document["pressure"]["memory"]["some"] == expected["pressure"]["memory"]["some"]


def test_a_database_server_gives_the_same(fleet, database, capsys):  # noqa: F811
    answers = []
    for engine in (["duckdb"], ["postgres", "--server", database]):
        by = ["--policy", str(fleet / "policy.yml"), "--format", "json", "--engine", *engine]
        assert main(["fleet", "check", str(fleet / "store"), *by]) == 2
        answers.append(json.loads(capsys.readouterr().out))
    hosts = [{document["host"]["name"]: told(document) for document in answer["hosts"]} for answer in answers]
    assert hosts[0] == hosts[1]
    assert len(hosts[0]) > 10


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=st.lists(synthetic_hosts(), min_size=12, max_size=12))
def test_random_hosts_have_the_verdict_that_check_gives(some, tmp_path_factory):
    folder, rules = tmp_path_factory.mktemp("random"), library.load()
    (folder / "policy.yml").write_text(textwrap.dedent(POLICY))
    force = load.in_force(str(folder / "policy.yml"), rules, date(2026, 11, 24))
    taken = {f"db{n}": changed(one.capture(), host=f"db{n}") for n, one in enumerate(some)}
    for name, capture in taken.items():
        write_capture(capture, str(folder / f"{name}.tar.gz"))
    store = create_store(folder / "store")
    ingest(store, find([str(folder / f"{name}.tar.gz") for name in taken]), Options())
    for engine in ("duckdb", "rows"):
        how = How(engine=engine, everything=True)
        found = survey(store, rules, force, how, lambda report: (report.host.name, as_json.document(report)))
        assert found.hosts == len(taken)
        for name, judged in found.kept:
            local = local_for(taken[name], force, Member(name))
            assert told(judged) == told(as_json.document(analyse(taken[name], rules, policy=local))), name


def test_the_gate_is_told_with_hosts_rules_and_reasons(fleet, capsys):
    assert main(["fleet", "check", str(fleet / "store"), "--policy", str(fleet / "policy.yml")]) == 2
    out = capsys.readouterr().out
    assert "hosts fail" in out.splitlines()[0]
    assert "policy prod" in out.splitlines()[0]
    assert "vm.swappiness is 30; the policy 'prod' wants <= 10. [policy.prod.vm.swappiness]" in " ".join(out.split())
    assert "? could not be judged  blind" in out
    assert "policy.prod.vm.swappiness on 1 host: dba until 9999-12-31: the vendor wants it" in " ".join(out.split())
    assert "waiver 3 (swap-active on db2, of ops) expired on 2020-01-31; renew or remove it" in " ".join(out.split())
    assert "waiver 1" not in out


def test_gates_end_with_their_codes(fleet, tmp_path, capsys):
    store = str(fleet / "store")
    assert main(["fleet", "check", store, "--exit-zero"]) == 0
    assert main(["fleet", "check", store, "--fail-on", "never"]) == 3  # some could not be judged
    calm = tmp_path / "calm"
    calm.mkdir()
    write_capture(changed(host().capture(), host="web1"), str(calm / "web1.tar.gz"))
    assert main(["fleet", "ingest", str(calm), "-o", str(tmp_path / "calm-store")]) == 0
    assert main(["fleet", "check", str(tmp_path / "calm-store")]) == 0
    assert main(["fleet", "check", str(tmp_path / "calm-store"), "--policy", str(fleet / "policy.yml")]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "None of 1 hosts fails" in out
    assert "no host of this store is in the group 'databases'" in out
    assert "waiver 1 (policy.prod.vm.swappiness on db1, of dba) matches nothing in this store; remove it" in out


def test_groups_and_labels_come_from_the_inventory_and_its_other_hosts_are_missed(fleet, tmp_path, capsys):
    policy = tmp_path / "policy.yml"
    policy.write_text(
        textwrap.dedent("""
        policy: prod
        groups:
          inventory-databases: {inventory: postgres, when: label.env == 'prod', require: {vm.swappiness: 1}}
    """)
    )
    listing = {**LISTING, "ungrouped": {"hosts": ["web1", "lost1"]}}
    (tmp_path / "inventory.json").write_text(json.dumps(listing))
    assert main(["fleet", "check", str(fleet / "store"), "--policy", str(policy), "--inventory",
                 str(tmp_path / "inventory.json"), "--format", "json"]) == 2  # fmt: skip
    answer = json.loads(capsys.readouterr().out)
    breaking = {d["host"]["name"] for d in answer["hosts"] for f in d["findings"]
                if f["rule"] == "policy.prod.vm.swappiness" and f["state"] == "fail"}  # fmt: skip
    assert breaking == {"db1"}
    assert answer["unreadable"] == [{"source": "lost1", "why": "no capture of it is in the store"}]


def test_labels_of_the_store_count_too(tmp_path, capsys):
    write_capture(changed(host().capture(), host="web1"), str(tmp_path / "web1.tar.gz"))
    assert (
        main(["fleet", "ingest", str(tmp_path / "web1.tar.gz"), "-o", str(tmp_path / "s"), "--label", "env=prod"]) == 0
    )
    policy = tmp_path / "policy.yml"
    policy.write_text("policy: p\ngroups: {prod: {when: label.env == 'prod', require: {vm.swappiness: 1}}}\n")
    assert main(["fleet", "check", str(tmp_path / "s"), "--policy", str(policy)]) == 2
    capsys.readouterr()


def test_a_report_says_what_changed_since_the_last(tmp_path, capsys):
    folder, store = tmp_path / "captures", str(tmp_path / "store")
    folder.mkdir()

    def take(name, taken, day):
        samples = tuple(changed(sample, wall_s=1.7e9 + day * 86400) for sample in taken.samples)
        write_capture(changed(taken, host=name, samples=samples), str(folder / f"{name}-{day}.tar.gz"))
        assert main(["fleet", "ingest", str(folder), "-o", store]) == 0
        capsys.readouterr()

    def report(*more):
        assert main(["fleet", "report", store, *more]) == 0
        return " ".join(capsys.readouterr().out.split())

    take("web1", host(vm_swappiness=0).capture(), 1)
    take("db1", host().capture(), 1)
    assert "Since the last run" not in report()
    assert "nothing changed" in report("--no-remember")
    take("web1", host().capture(), 2)
    take("db1", host(vm_min_free_kbytes=1000).capture(), 2)
    take("web2", host().capture(), 2)
    said = report("--no-remember")
    assert "host came web2" in said
    assert "new db1: vm.min_free_kbytes" in said
    assert said == report()
    assert "nothing changed" in report()


def test_a_damaged_memory_of_the_last_run_is_said(fleet, tmp_path, capsys):
    import shutil

    store = tmp_path / "store"
    shutil.copytree(fleet / "store", store)
    assert main(["fleet", "report", str(store)]) == 0
    file = store / "reports" / "last.json.gz"
    file.write_bytes(gzip.compress(b'{"format": "memadvisor/last-report/9", "hosts": []}'))
    assert main(["fleet", "report", str(store)]) == 1
    assert "is of format" in capsys.readouterr().err
    file.write_bytes(b"\x1f\x8b")
    assert main(["fleet", "report", str(store)]) == 1
    assert "is damaged; remove it" in capsys.readouterr().err


def test_every_format_of_a_fleet_is_written(fleet, tmp_path, capsys):
    from advisor.report.formats import FLEET

    reports = [part for name in FLEET for part in ("--report", f"{name}={tmp_path / name}")]
    assert main(["fleet", "check", str(fleet / "store"), "--policy", str(fleet / "policy.yml"), *reports]) == 2
    capsys.readouterr()
    for name in FLEET:
        text = (tmp_path / name).read_text()
        assert "web2" in text, name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/does/not/exist"], "is no store"),
        (["STORE", "--engine", "oracle"], "unknown engine 'oracle'"),
        (["STORE", "--policy", "/does/not/exist"], "No such file"),
        (["STORE", "--report", "pdf=x"], "unknown format 'pdf'"),
    ],
)
def test_a_mistake_is_one_line(arguments, said, fleet, capsys):
    store = str(fleet / "store")
    assert main(["fleet", "check", *(store if part == "STORE" else part for part in arguments)]) == 1
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
