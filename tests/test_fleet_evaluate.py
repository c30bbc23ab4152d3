"""A store judged as a whole: the states of each host are those of `advisor check`, in every engine."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.capture.open import open_capture
from advisor.errors import AdvisorError
from advisor.findings import judge
from advisor.fleet.evaluate import evaluate
from advisor.fleet.queries import FAIL, OPEN, Selection
from advisor.fleet.sources import find
from advisor.fleet.store import Store, create_store, open_store
from advisor.record import replace
from advisor.rulebook import library
from advisor.signals.view import views
from tests.fixtures import CAPTURES, INCIDENTS
from tests.synthetic_fleet import add_part, fleet, real_rows, varied, without_column

LOCAL = ("duckdb", "rows")
RULES = library.load()


def everything(store: Store, engine: str, selection: Selection | None = None, **more: object) -> dict[str, object]:
    """All that an engine says of a store, in an order of its own."""
    with evaluate(store, RULES, engine, selection, **more) as found:
        return {
            "verdicts": Counter(found.verdicts(0)),
            "failures": Counter(found.verdicts()),
            "counts": {(count.rule, count.group): count.hosts for count in found.counts()},
            "by kernel": {(count.rule, count.group): count.hosts for count in found.counts(["host.kernel"])},
            "per host": dict(found.per_host()),
            "hosts": sorted(found.hosts(["@host", "@time", "memory.total"])),
        }


@pytest.mark.parametrize("engine", LOCAL)
def test_a_store_says_of_each_host_what_check_says_of_its_capture(tmp_path, engine):
    paths = [source.path for source in find([str(CAPTURES), str(INCIDENTS)])]
    store = create_store(tmp_path / "s")
    keys = dict(zip(add_part(store, list(real_rows())), paths, strict=True))
    with evaluate(store, RULES, engine, Selection(latest=False)) as found:
        verdicts = list(found.verdicts(0))
    fired = 0
    for key, path in keys.items():
        whole, parts = views(open_capture(path))
        told = judge(RULES, whole, parts)
        ours = [verdict for verdict in verdicts if verdict.key == key]
        assert Counter((f.rule, f.entity, f.state) for f in told) == Counter((v.rule, v.entity, v.state) for v in ours)
        severities = {(v.rule, v.entity): v.severity for v in ours}
        for finding in told:
            if finding.state == "fail" and not finding.explained_by:
                assert severities[finding.rule, finding.entity] == finding.severity
                fired += 1
    assert fired > 20


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=3, suppress_health_check=list(HealthCheck))
def test_all_rules_on_random_fleets_agree_cell_by_cell(seed):
    with tempfile.TemporaryDirectory() as folder:
        store = fleet(Path(folder) / "s", 150, seed)
        assert everything(store, "duckdb") == everything(store, "rows")


def test_random_fleets_show_every_state_of_many_rules(tmp_path):
    states = everything(fleet(tmp_path / "s", 400), "duckdb")["verdicts"]
    codes = Counter(verdict.code for verdict in states)
    assert all(codes[code] > 100 for code in range(6))
    assert len({verdict.rule for verdict in states if verdict.code >= FAIL}) > 85


def two_of_each(folder: Path) -> tuple[Store, list[int], list[int]]:
    chance = random.Random(1)
    store = create_store(folder)
    old = [varied(real_rows()[n], chance, f"h{n}") for n in range(5)]
    new = [varied(real_rows()[n + 5], chance, f"h{n}") for n in range(5)]
    for rows in old:
        rows["host"][0]["@time"] = 1000.0
    for rows in new:
        rows["host"][0]["@time"] = 2000.0
    keys = add_part(store, old), add_part(store, new)
    store.manifest = replace(store.manifest, repeats=True)
    return store, *keys


@pytest.mark.parametrize("engine", LOCAL)
def test_of_each_host_the_newest_capture_is_judged(tmp_path, engine):
    store, old, new = two_of_each(tmp_path / "s")

    def judged(selection: Selection) -> set[int]:
        with evaluate(store, RULES, engine, selection) as found:
            keys = {key for key, *_ in found.hosts([])}
            assert {verdict.key for verdict in found.verdicts(0)} == keys
        return keys

    assert judged(Selection()) == set(new)
    assert judged(Selection(until_s=1500.0)) == set(old)
    assert judged(Selection(latest=False)) == {*old, *new}
    store.manifest = replace(store.manifest, replaced=(new[0],))
    assert judged(Selection()) == {old[0], *new[1:]}


@pytest.mark.parametrize("engine", LOCAL)
def test_a_role_given_when_judging_is_that_of_the_signals(tmp_path, engine):
    store = create_store(tmp_path / "s")
    hostile = "x'); --"
    add_part(store, [varied(real_rows()[0], random.Random(2), host) for host in ("h0", hostile)])
    with evaluate(store, RULES, engine, Selection(roles={"h0": "database", hostile: "it's"})) as found:
        roles = {host: role for _key, host, role in found.hosts(["@host_id", "host.role"])}
    assert roles == {"h0": "database", hostile: "it's"}


@pytest.mark.parametrize("engine", LOCAL)
def test_a_column_that_an_older_version_did_not_write_is_unknown(tmp_path, engine, monkeypatch):
    store = fleet(tmp_path / "s", 5)
    with evaluate(store, RULES, engine) as found:
        before = {(verdict.key, verdict.rule) for verdict in found.verdicts(OPEN) if verdict.code == OPEN}
    lost = "vm.min_free_kbytes"
    readers = {rule.id for rule in RULES if lost in rule.names}
    with evaluate(without_column(store, lost), RULES, engine) as found:
        after = {(verdict.key, verdict.rule) for verdict in found.verdicts(OPEN) if verdict.code == OPEN}
    assert before < after
    assert {rule for _key, rule in after - before} <= readers


@pytest.mark.parametrize("engine", LOCAL)
def test_parts_of_two_versions_are_judged_together(tmp_path, engine):
    store = without_column(fleet(tmp_path / "s", 5), "vm.swappiness")
    add_part(store, [varied(rows, random.Random(n), f"n{n}") for n, rows in enumerate(real_rows())])
    assert len({part.schema for part in store.manifest.parts}) == 2
    with evaluate(store, RULES, engine) as found:
        assert len(list(found.hosts([]))) == 5 + len(real_rows())


def test_a_damaged_store_is_refused_before_an_engine_reads_it(tmp_path):
    store = fleet(tmp_path / "s", 2)
    (file,) = store.files("host")
    file.write_bytes(b"PAR1")
    with pytest.raises(AdvisorError, match=r"has 4 bytes instead of"):
        evaluate(open_store(tmp_path / "s"), RULES)


def test_an_empty_store_has_no_verdicts(tmp_path):
    for engine in LOCAL:
        with evaluate(create_store(tmp_path / "s"), RULES, engine) as found:
            assert list(found.verdicts(0)) == []
            assert list(found.per_host()) == []


def test_an_unknown_engine_is_refused(tmp_path):
    with pytest.raises(AdvisorError, match="unknown engine 'oracle'; engines: duckdb, rows, spark, postgres"):
        evaluate(create_store(tmp_path / "s"), RULES, "oracle")
