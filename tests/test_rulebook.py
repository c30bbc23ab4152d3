"""A wrong rule file gets one error that points at the culprit."""

import json
import textwrap

import pytest

from advisor.cli import main
from advisor.errors import AdvisorError, RuleError
from advisor.rulebook import library, source

GOOD = """\
id: too-much
title: There is too much of it
severity: warning
status: stable
since: 0.1.0
diagnosis: kswapd_cpu
what: Something is too much, as anybody can see.
why: Because it hurts those who wait for it.
params:
  much: {default: 10, unit: count/s, help: stalls that users notice, basis: policy}
when: rate.allocstall > much
message: "{{ rate.allocstall | rate }} stalls"
remedy: {kind: none, text: There is nothing to do.}
references: [https://docs.kernel.org/admin-guide/sysctl/vm.html]
cases:
  - {name: it is too much, given: {rate.allocstall: 11}, expect: {state: fail}}
  - {name: it is not quite too much, near: true, given: {rate.allocstall: 10}, expect: {state: pass}}
"""


def refused(text, file="rules/too-much.yml"):
    with pytest.raises(RuleError) as error:
        source.load(text, file)
    return str(error.value)


def change(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


def test_a_good_rule_loads():
    loaded = source.load(GOOD, "rules/too-much.yml")
    assert loaded.rule.id == "too-much"
    assert loaded.rule.when.names == {"rate.allocstall"}


def test_a_misspelt_signal_is_shown_with_a_caret_and_the_right_name():
    text = refused(change("when: rate.allocstall", "when: rate.alocstall"))
    assert text == textwrap.dedent("""\
        rules/too-much.yml:11:7: when: unknown signal 'rate.alocstall'
          11 | when: rate.alocstall > much
             |       ^^^^^^^^^^^^^^
             = did you mean 'rate.allocstall' or 'rate.numa_local' or 'delta.allocstall'?""")


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("severity: warning", "severty: warning", ":3:1:", "severity"),
        ("severity: warning", "severity: grave", ":3:11:", "severity"),
        ("id: too-much", "id: much-too-much", ":1:5:", "name of the file"),
        ("diagnosis: kswapd_cpu", "diagnosis: gremlins", ":6:12:", "diagnosis"),
        ("when: rate.allocstall > much", "when: rate.allocstall", ":11:", "must be a condition"),
        ("when: rate.allocstall > much", "when: rate.pswpin > 10", ":11:", "100 * page/s"),
        ("when: rate.allocstall > much", "when: rate.allocstall > 10", ":10:", "never used"),
        ("references: [https://docs.kernel.org/admin-guide/sysctl/vm.html]", "references: []", ":14:", "references"),
        ("given: {rate.allocstall: 11}", "given: {rate.allocstal: 11}", ":16:", "rate.allocstall"),
        ("expect: {state: fail}", "expect: {state: pass}", ":16:", "fires"),
        ("{{ rate.allocstall | rate }}", "{{ rate.allocstall | bytes }}", ":12:", "bytes"),
        ("{{ rate.allocstall | rate }}", "{{ ''.__class__ }}", ":12:", "message"),
    ],
)  # fmt: skip
def test_each_mistake_is_found_where_it_stands(old, new, where, what):
    text = refused(change(old, new))
    assert text.startswith(f"rules/too-much.yml{where}"), text
    assert what in text
    assert "^" in text


def test_yaml_that_does_not_parse_says_how_to_quote():
    text = refused(change("what: Something", "what: Something: that"))
    assert ":7:" in text
    assert "quote this text" in text


def test_a_recommendation_without_risk_is_refused():
    advice = "recommend:\n  - {setting: vm.swappiness, direction: decrease, because: it is far too much}\n"
    assert "needs the field 'risk'" in refused(GOOD + advice)


def test_an_unknown_setting_is_refused_with_a_suggestion():
    advice = "recommend:\n  - {setting: vm.swapiness, direction: decrease, because: it is far too much}\n"
    risk = "risk: {level: low, text: it may be slower, undo: immediate}\n"
    assert "did you mean 'vm.swappiness'" in refused(GOOD + advice + risk)


def test_a_value_of_the_wrong_unit_is_refused():
    advice = (
        "recommend:\n  - {setting: vm.min_free_kbytes, direction: increase, value: host.managed,\n"
        "     because: more of it is needed}\n"
    )
    risk = "risk: {level: low, text: it may be slower, undo: immediate}\n"
    assert "multiply pages by page_size" in refused(GOOD + advice + risk)


def test_of_a_very_long_line_the_part_around_the_culprit_is_shown():
    text = refused(change("{{ rate.allocstall | rate }}", f"{'so many ' * 100} {{{{ rate.alocstall | rate }}}}"))
    line, caret = text.splitlines()[1:3]
    assert len(line) < 300
    assert line[caret.index("^") :].startswith("rate.alocstall")


@pytest.mark.parametrize("text", ["", "[]", "just a text", "\0", "a: &a [*a]", "{" * 500])
def test_what_is_no_rule_is_refused(text):
    assert refused(text)


def rule_folder(tmp_path, text=GOOD, name="too-much"):
    folder = tmp_path / "mine"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yml").write_text(text)
    return folder


def test_rules_are_kept_and_used_again_without_yaml(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = rule_folder(tmp_path)
    first = library.load([folder])
    monkeypatch.setattr(source, "load", lambda *_: pytest.fail("the cache was not used"))
    again = library.load([folder])
    assert [check.id for check in again] == [check.id for check in first]
    assert again[0].rule() == first[0].rule()


def test_a_changed_rule_is_read_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = rule_folder(tmp_path)
    library.load([folder])
    rule_folder(tmp_path, change("title: There is too much of it", "title: There is a lot more than enough of it"))
    assert library.load([folder])[0].rule().title == "There is a lot more than enough of it"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": 1}', b"\xff\xfe", b'{"key": [], "checks": [[1]]}'])
def test_a_damaged_cache_is_made_anew(tmp_path, monkeypatch, content):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = rule_folder(tmp_path)
    library.load([folder])
    (tmp_path / "cache" / "memadvisor" / "rules.json").write_bytes(content)
    assert [check.id for check in library.load([folder])] == ["too-much"]


def test_a_cache_that_others_may_write_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = rule_folder(tmp_path)
    library.load([folder])
    file = tmp_path / "cache" / "memadvisor" / "rules.json"
    key, judging, *rules = file.read_text().split("\n")
    checks = json.loads(judging)
    checks[0][0] = "planted"
    file.write_text("\n".join([key, json.dumps(checks), *rules]))
    file.chmod(0o666)
    assert [check.id for check in library.load([folder])] == ["too-much"]


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file is in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert [check.id for check in library.load([rule_folder(tmp_path)])] == ["too-much"]


def test_two_rules_of_one_name_are_refused(tmp_path):
    folder = rule_folder(tmp_path)
    (folder / "more").mkdir()
    (folder / "more" / "too-much.yml").write_text(GOOD)
    with pytest.raises(RuleError, match="exists already"):
        library.load([folder])


def test_own_rules_are_judged_beside_the_built_in_ones(tmp_path, capsys):
    folder = rule_folder(tmp_path)
    assert main(["explain", "too-much", "--rules", str(folder)]) == 0
    assert "There is too much of it" in capsys.readouterr().out


def test_a_wrong_rule_stops_the_check_before_it_measures(tmp_path, capsys):
    folder = rule_folder(tmp_path, change("when: rate.allocstall", "when: rate.alocstall"))
    assert main(["check", "--window", "3600", "--rules", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "did you mean 'rate.allocstall'" in err


def test_the_name_of_an_unknown_rule_is_suggested():
    with pytest.raises(AdvisorError, match="did you mean 'direct-reclaim-though-easy'"):
        library.one("direct-reclaim-though-eazy")
