"""Stores and reports of several slices become one."""

import json
import shutil

import pytest

from advisor.capture.write import write_capture
from advisor.cli import main
from advisor.fleet.store import open_store
from advisor.record import replace as changed
from tests.test_policy import host


def taken(name, day=1, **settings):
    """A capture of a host on a day."""
    calm = host(**settings).capture()
    samples = tuple(changed(sample, wall_s=1.7e9 + day * 86400) for sample in calm.samples)
    return changed(calm, host=name, samples=samples)


def store(folder, name, *captures, raw=False):
    """A store of some captures."""
    (folder / f"{name}-in").mkdir()
    for number, capture in enumerate(captures):
        write_capture(capture, str(folder / f"{name}-in" / f"{number}.tar.gz"))
    more = ["--keep-raw"] if raw else []
    assert main(["fleet", "ingest", str(folder / f"{name}-in"), "-o", str(folder / name), *more]) == 0
    return folder / name


def judged(folder, capsys):
    """Rules that fail, by host, and how many hosts there are."""
    capsys.readouterr()
    main(["fleet", "check", str(folder), "--fail-on", "notice", "--format", "json"])
    answer = json.loads(capsys.readouterr().out)
    failed = {d["host"]["name"]: {f["rule"] for f in d["findings"] if f["state"] == "fail"} for d in answer["hosts"]}
    return failed, answer["judged"]


def test_a_merged_store_judges_all_hosts_by_their_newest_captures(tmp_path, capsys):
    zero, fine = {"vm_min_free_kbytes": 1000}, {}
    one = store(tmp_path, "one", taken("a", **zero), taken("b", **fine), taken("c", day=3, **zero))
    two = store(tmp_path, "two", taken("a", day=2, **fine), taken("c", day=2, **fine), taken("d", **zero), raw=True)
    target = tmp_path / "all"
    assert main(["fleet", "merge", str(one), str(two), "-o", str(target)]) == 0
    failed, hosts = judged(target, capsys)
    assert hosts == 4
    assert {name for name, rules in failed.items() if "min-free-too-small" in rules} == {"c", "d"}
    assert open_store(target).captures == 6
    assert len(list((target / "raw").glob("*/*"))) == 3


def test_what_is_there_already_is_there_once(tmp_path, capsys):
    one = store(tmp_path, "one", taken("a"), taken("b"))
    (tmp_path / "again").mkdir()
    two = store(tmp_path / "again", "two", taken("b"), taken("e"))
    target = tmp_path / "all"
    assert main(["fleet", "merge", str(one), str(two), "-o", str(target)]) == 0
    assert "3 captures added, 1 there already or replaced; 3 in all" in capsys.readouterr().err
    assert main(["fleet", "merge", str(one), str(two), "-o", str(target)]) == 0
    assert "0 captures added; 3 in all" in capsys.readouterr().err
    assert judged(target, capsys)[1] == 3


def test_of_two_captures_of_one_host_and_time_the_later_counts(tmp_path, capsys):
    one = store(tmp_path, "one", taken("a", vm_min_free_kbytes=1000))
    two = store(tmp_path, "two", taken("a"))
    for order, sick in (((one, two), False), ((two, one), True)):
        target = tmp_path / f"all-{sick}"
        assert main(["fleet", "merge", *map(str, order), "-o", str(target)]) == 0
        assert "a second capture of the same time" in capsys.readouterr().err
        failed, hosts = judged(target, capsys)
        assert hosts == 1
        assert ("min-free-too-small" in failed.get("a", ())) is sick


def test_an_interrupted_merge_goes_on(tmp_path, capsys, monkeypatch):
    one, two = store(tmp_path, "one", taken("a")), store(tmp_path, "two", taken("b"))
    target, copy, copies = tmp_path / "all", shutil.copytree, []

    def stop_at_the_second(source, to, **more):
        copies.append(source)
        if len(copies) == 2:
            raise KeyboardInterrupt
        return copy(source, to, **more)

    monkeypatch.setattr(shutil, "copytree", stop_at_the_second)
    assert main(["fleet", "merge", str(one), str(two), "-o", str(target)]) == 130
    assert open_store(target).captures == 1
    assert main(["fleet", "merge", str(one), str(two), "-o", str(target)]) == 0
    assert open_store(target).captures == 2
    assert judged(target, capsys)[1] == 2


@pytest.fixture
def reports(tmp_path, capsys):
    """Two reports as the callback of the collection writes them, each of a slice."""
    found = []
    for number, hosts in enumerate(({"a": 1000, "b": 67584}, {"b": 1000, "c": 67584})):
        documents = []
        for name, reserve in hosts.items():
            file = tmp_path / f"{number}-{name}.tar.gz"
            write_capture(taken(name, day=number + 1, vm_min_free_kbytes=reserve), str(file))
            main(["check", str(file), "--format", "json", "--exit-zero"])
            documents.append(json.loads(capsys.readouterr().out))
        unreadable = [{"source": name, "why": "unreachable"} for name in ("c", "z")] if number == 0 else []
        document = {"schema": "memadvisor/fleet-report/1", "hosts": documents, "unreadable": unreadable,
                    "runs": {name: {"verify": [{"verdict": "better"}]} for name in hosts}}  # fmt: skip
        found.append(tmp_path / f"slice{number}.json")
        found[-1].write_text(json.dumps(document))
    return found


def test_reports_of_slices_become_one_and_are_shown(reports, tmp_path, capsys):
    target = tmp_path / "all.json"
    assert main(["fleet", "merge", *map(str, reports), "-o", str(target)]) == 0
    assert "b: in more than one report; the later one counts" in capsys.readouterr().err
    merged = json.loads(target.read_text())
    assert [h["host"]["name"] for h in merged["hosts"]] == ["a", "b", "c"]
    assert merged["unreadable"] == [{"source": "z", "why": "unreachable"}]
    assert set(merged["runs"]) == {"a", "b", "c"}
    (newer,) = [h for h in merged["hosts"] if h["host"]["name"] == "b"]
    assert "min-free-too-small" in {f["rule"] for f in newer["findings"]}
    assert main(["fleet", "report", str(target), "--report", f"csv={tmp_path / 'all.csv'}"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith("3 hosts")
    assert "z: unreachable" in out
    assert "min-free-too-small" in (tmp_path / "all.csv").read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "is no report of a fleet"),
        ('{"schema": "memadvisor/report/1"}', "is no report of a fleet"),
        ('{"schema": "memadvisor/fleet-report/2", "hosts": []}', "is not what this memadvisor reads; upgrade"),
        ('{"schema": "memadvisor/fleet-report/1", "hosts": [1]}', "the report is damaged"),
    ],
)
def test_what_is_no_report_is_refused(text, said, tmp_path, capsys):
    file = tmp_path / "x.json"
    file.write_text(text)
    assert main(["fleet", "merge", str(file), "-o", str(tmp_path / "all.json")]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "all.json").exists()


def test_stores_and_reports_do_not_mix(tmp_path, capsys):
    one = store(tmp_path, "one", taken("a"))
    file = tmp_path / "x.json"
    file.write_text("{}")
    assert main(["fleet", "merge", str(one), str(file), "-o", str(tmp_path / "all")]) == 1
    assert "cannot be merged with each other" in capsys.readouterr().err
    assert main(["fleet", "merge", str(one), "-o", str(one)]) == 1
    assert "would be merged with itself" in capsys.readouterr().err
    assert main(["fleet", "merge", str(tmp_path / "absent"), "-o", str(tmp_path / "all")]) == 1
    assert "no such file or folder" in capsys.readouterr().err
