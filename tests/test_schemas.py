"""The published schemas against what the program really prints, and against what it never would."""

import copy
import json
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from advisor.capture.write import write_capture
from advisor.cli import main
from advisor.rulebook import library
from advisor.verify import verify_documents
from tests.verify_captures import bursts, capture, host

CAPTURES = Path(__file__).parent / "captures"
CHANGED = CAPTURES / "changed"
SCALE = "vm.watermark_scale_factor"


def validator(name, capsys):
    capsys.readouterr()
    assert main(["schema", name]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def printed(capsys, *words):
    capsys.readouterr()
    main(list(words))
    return json.loads(capsys.readouterr().out)


@cache
def before():
    return capture(host(), bursts(8))


def after(stalls, **settings):
    return capture(
        host(**{"vm__watermark_scale_factor": 48, **settings}), bursts(8, stalls=stalls, seed=2), start_s=3e3
    )


CASES = {
    "better": lambda: (before(), after(60)),
    "worse": lambda: (before(), after(1800)),
    "cannot tell": lambda: (before(), after(600)),
    "several settings, words among them": lambda: (before(), after(1800, vm__swappiness=10)),
    "no windows": lambda: (before(), capture(host(vm__watermark_scale_factor=48), [], start_s=3e3)),
    "nothing known": lambda: (capture(host(), bursts(2), kernel=""), capture(host(), bursts(2), start_s=3e3)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_verification_and_its_line_in_the_ledger(case, tmp_path, capsys):
    old, new = CASES[case]()
    for name, made in (("before", old), ("after", new)):
        write_capture(made, str(tmp_path / f"{name}.tar.gz"))
    ledger = tmp_path / "ledger.jsonl"
    paths = [str(tmp_path / f"{name}.tar.gz") for name in ("before", "after")]
    document = printed(capsys, "verify", *paths, "-f", "json", "--ledger", str(ledger))
    validator("verification", capsys).validate(document)
    (line,) = ledger.read_text().splitlines()
    validator("ledger", capsys).validate(json.loads(line))
    (trial,) = printed(capsys, "history", "-f", "json", "--ledger", str(ledger))["trials"]
    assert trial == json.loads(line)


def test_a_verification_of_a_real_kernel(capsys):
    paths = [str(CHANGED / f"6.12-{name}.tar.gz") for name in ("before", "after")]
    document = printed(capsys, "verify", *paths, "-f", "json", "--no-ledger")
    assert document["predictions"]
    validator("verification", capsys).validate(document)


@pytest.mark.parametrize("pair", [("before", "after"), ("after", "before"), ("before", "before")])
def test_a_comparison_of_captures(pair, capsys):
    paths = [str(CHANGED / f"6.12-{name}.tar.gz") for name in pair]
    document = printed(capsys, "compare", *paths, "-f", "json")
    assert bool(document["moved"]) is (pair[0] != pair[1])
    validator("comparison", capsys).validate(document)


def test_a_comparison_of_different_hosts_and_of_reports(tmp_path, capsys):
    names = ("6.12-pressure", "5.10-idle")
    for name in names:
        main(["check", str(CAPTURES / f"{name}.tar.xz"), "-f", "json", "-o", str(tmp_path / f"{name}.json")])
    for paths in (
        [str(CAPTURES / f"{name}.tar.xz") for name in names],
        [str(tmp_path / f"{name}.json") for name in names],
    ):
        document = printed(capsys, "compare", *paths, "-f", "json")
        assert document["facts"]
        validator("comparison", capsys).validate(document)


def broken(document, path, value):
    """A copy with one value changed; without a value it is taken out."""
    changed = copy.deepcopy(document)
    *way, last = path
    part = changed
    for key in way:
        part = part[key]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return changed


WRONG = [
    (("schema",), "memadvisor/verification/2"),
    (("verdict",), "good"),
    (("undo",), None),
    (("work", "before"), "many"),
    (("changes", 0, "verdict"), None),
    (("changes", 0, "expectations", 0, "noise", "high"), "infinite"),
    (("costs", 0, "surprise"), 1),
    (("predictions", 0, "predicted"), [1.0]),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_the_schema_refuses_what_is_no_verification(path, value, capsys):
    document = verify_documents([before()], [after(60)], None, library.load())
    checker = validator("verification", capsys)
    assert checker.is_valid(json.loads(json.dumps(document)))
    assert not checker.is_valid(broken(document, path, value))
