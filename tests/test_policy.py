"""A policy: what it demands, of whom, who is excused, and what a wrong one says."""

import json
import shutil
import sys
import tarfile
import textwrap
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings

from advisor.analysis import analyse, local_for
from advisor.capture.write import write_capture
from advisor.cli import main
from advisor.errors import PolicyError, UsageError
from advisor.policy import inventory, source
from advisor.policy.load import read_inventory
from advisor.policy.local import InForce
from advisor.policy.model import Member
from advisor.record import replace as changed
from advisor.rulebook import library
from advisor.rulebook.library import read_rule
from tests.fixtures import CAPTURES, KERNELS
from tests.synthetic_host import DEFAULTS, SYMPTOMS, Host, hosts
from tests.test_cli import SCHEMA

TODAY = date(2026, 11, 24)
ZONES = (("DMA", 3840), ("DMA32", 196_000), ("Normal", 3_900_000))
PRESSURE = str(CAPTURES / "6.12-pressure.tar.xz")


@pytest.fixture(scope="module")
def rules():
    return library.load()


def host(**written):
    """A calm host of 16 GiB with some settings."""
    calm = Host(ZONES, dict(DEFAULTS), "madvise", dict.fromkeys(SYMPTOMS, 0), 0.3, 0.3, 0.0)
    return replace(calm, settings={**DEFAULTS, **{name.replace("_", ".", 1): v for name, v in written.items()}})


def blind():
    """The calm host, as a capture in which the settings were not read."""
    taken = host().capture()
    samples = [{p: t for p, t in sample.files.items() if not p.startswith("proc/sys/vm/")} for sample in taken.samples]
    return changed(taken, samples=tuple(changed(s, files=f) for s, f in zip(taken.samples, samples, strict=True)))


def policy(text):
    return textwrap.dedent(text)


def judged(text, taken, rules, *, name="db1", groups=(), labels=(), today=TODAY, role=None):
    """The report of a capture by the text of a policy."""
    loaded = source.load(policy(text), "policy.yml", rules)
    force = InForce(loaded, rules, lambda origin: read_rule(library.builtin_folder() / origin), today)
    taken = changed(taken, host=name)
    member = Member(name, frozenset(groups), tuple(labels))
    return analyse(taken, rules, role, local_for(taken, force, member, role))


def demanded(report):
    return {f.rule.removeprefix("policy.prod."): f for f in report.findings if f.rule.startswith("policy.prod.")}


def states(text, taken, rules, **more):
    return {setting: finding.state for setting, finding in demanded(judged(text, taken, rules, **more)).items()}


def refused(text, rules):
    with pytest.raises(PolicyError) as error:
        source.load(policy(text), "policy.yml", rules)
    return str(error.value)


# What is demanded


@pytest.mark.parametrize(
    ("wanted", "value", "state"),
    [
        ('"<= 10"', 10, "pass"),
        ('"<= 10"', 11, "fail"),
        ('">= 10"', 9, "fail"),
        ("10", 10, "pass"),
        ("10", 11, "fail"),
        ('"!= 60"', 60, "fail"),
        ('"> 9 and < 12"', 11, "pass"),
        ('"> 9 and < 12"', 12, "fail"),
        ("[1, 10]", 10, "pass"),
        ("[1, 10]", 5, "fail"),
        ("auto", 60, "pass"),
        ("auto", 61, "fail"),
        ("present", 60, "pass"),
    ],
)
def test_a_number_is_compared_as_written(wanted, value, state, rules):
    taken = host(vm_swappiness=value).capture()
    assert states(f"policy: prod\nrequire: {{vm.swappiness: {wanted}}}", taken, rules) == {"vm.swappiness": state}


def test_auto_is_what_the_kernel_would_have_on_this_very_host(rules):
    text = 'policy: prod\nrequire: {vm.min_free_kbytes: ">= auto"}'
    exact = 67584  # 11 pageblocks of 2 MiB in each of three zones: the rule of transparent huge pages
    assert states(text, host(vm_min_free_kbytes=exact).capture(), rules) == {"vm.min_free_kbytes": "pass"}
    report = judged(text, host(vm_min_free_kbytes=exact - 1).capture(), rules)
    assert demanded(report)["vm.min_free_kbytes"].state == "pass"
    report = judged(text, host(vm_min_free_kbytes=exact * 97 // 100).capture(), rules)
    assert demanded(report)["vm.min_free_kbytes"].state == "fail"
    assert [(r.setting, r.proposed) for r in report.plan.changes()] == [("vm.min_free_kbytes", exact)]
    small = replace(host(vm_min_free_kbytes=3000), managed=(("DMA", 3840), ("DMA32", 250_000)), thp="never")
    report = judged(text, small.capture(), rules)
    assert "66 MiB" not in demanded(report)["vm.min_free_kbytes"].message
    (change,) = report.plan.changes()
    assert 3900 < change.proposed < 4100  # 4 × √(memory in KiB)


def test_amounts_take_units_and_shares_of_the_host(rules):
    taken = host(vm_min_free_kbytes=262144).capture()
    assert (
        states('policy: prod\nrequire: {vm.min_free_kbytes: "<= 256 MiB"}', taken, rules)["vm.min_free_kbytes"]
        == "pass"
    )
    share = 'policy: prod\nrequire: {vm.min_free_kbytes: "<= 0.01 * memory.total"}'
    assert states(share, taken, rules)["vm.min_free_kbytes"] == "fail"


def test_words_are_compared_and_the_first_is_proposed(rules):
    text = "policy: prod\nrequire: {thp.enabled: [never, madvise]}"
    assert states(text, host().capture(), rules) == {"thp.enabled": "pass"}
    report = judged(text, replace(host(), thp="always").capture(), rules)
    assert [(r.setting, r.proposed) for r in report.plan.changes()] == [("thp.enabled", "never")]


def test_a_kernel_without_the_setting_is_excused_and_one_that_was_not_asked_is_open(rules):
    text = 'policy: prod\nrequire: {vm.compaction_proactiveness: "<= 10"}'
    there = host()
    old = replace(there, settings={k: v for k, v in DEFAULTS.items() if k != "vm.compaction_proactiveness"})
    assert states(text, there.capture(), rules)["vm.compaction_proactiveness"] == "fail"
    assert states(text, old.capture(), rules)["vm.compaction_proactiveness"] == "notApplicable"
    report = judged(text, blind(), rules)
    assert report.undecided() == ("policy.prod.vm.compaction_proactiveness",)
    present = "policy: prod\nrequire: {vm.compaction_proactiveness: present}"
    assert states(present, old.capture(), rules)["vm.compaction_proactiveness"] == "fail"
    assert states(present, blind(), rules)["vm.compaction_proactiveness"] == "open"


@pytest.mark.parametrize("kernel", KERNELS)
def test_auto_suits_real_kernels_that_nobody_ever_tuned(kernel, rules):
    from advisor.capture.open import open_capture

    taken = open_capture(str(CAPTURES / f"{kernel}-idle.tar.xz"))
    for wanted in ("'>= auto'", "'<= auto'", "auto"):
        text = f"policy: prod\nrequire: {{vm.min_free_kbytes: {wanted}}}"
        assert states(text, taken, rules) == {"vm.min_free_kbytes": "pass"}


# Rules as changed


def test_a_rule_is_switched_off_made_milder_and_given_another_threshold(rules):
    sick = judged("policy: prod", host(vm_swappiness=0).capture(), rules)
    assert "swappiness-zero" in {f.rule for f in sick.findings}
    off = judged("policy: prod\nrules: {swappiness-zero: {enabled: false}}", host(vm_swappiness=0).capture(), rules)
    assert "swappiness-zero" not in {f.rule for f in off.findings}
    pressure = judged("policy: prod", _pressure(), rules)
    assert pressure.worst() == "warning"
    milder = judged("policy: prod\nrules: {swap-thrash: {severity: notice}}", _pressure(), rules)
    assert {f.rule: f.severity for f in milder.failed()}["swap-thrash"] == "notice"


def test_a_threshold_is_put_into_condition_and_message(rules):
    name, param = next((c.id, p) for c in rules for p in c.rule().params if c.id == "min-free-too-large")
    huge = host(vm_min_free_kbytes=4 << 20).capture()
    assert name in {f.rule for f in judged("policy: prod", huge, rules).failed()}
    text = f"policy: prod\nrules: {{{name}: {{{param.name}: 90 percent}}}}"
    assert name not in {f.rule for f in judged(text, huge, rules).failed()}


def _pressure():
    from advisor.capture.open import open_capture

    return open_capture(PRESSURE)


# Groups


GROUPS = """
    policy: prod
    require: {vm.swappiness: "<= 60"}
    groups:
      all-databases:
        hosts: ["db*", "pg[0-9]"]
        role: database
        fail_on: notice
        require: {vm.swappiness: "<= 10"}
      large-in-prod:
        when: memory.total >= 8 * GiB and label.env == 'prod'
        require: {vm.swappiness: "<= 1"}
      from-inventory:
        inventory: [caches]
        fail_on: never
"""


@pytest.mark.parametrize(
    ("name", "more", "groups", "gate", "wanted"),
    [
        ("web1", {}, (), "warning", "<= 60"),
        ("DB7.example.org", {}, ("all-databases",), "notice", "<= 10"),
        ("pg3", {"labels": [("env", "prod")]}, ("all-databases", "large-in-prod"), "notice", "<= 1"),
        ("web1", {"labels": [("env", "test")]}, (), "warning", "<= 60"),
        ("db1", {"groups": ["caches"]}, ("all-databases", "from-inventory"), "never", "<= 10"),
    ],
)
def test_later_groups_win(name, more, groups, gate, wanted, rules):  # noqa: PLR0917
    report = judged(GROUPS, host(vm_swappiness=61).capture(), rules, name=name, **more)
    assert report.policy.groups == groups
    assert report.policy.fail_on == gate
    assert f"wants {wanted}" in demanded(report)["vm.swappiness"].message
    assert report.host.role == ("database" if "all-databases" in groups else None)


def test_a_group_that_cannot_be_told_is_said(rules):
    report = judged(GROUPS, host().capture(), rules, name="web1")
    assert report.warnings == (
        "whether this host is in the group 'large-in-prod' cannot be told: label.env unknown; it is judged as outside",
    )


# Waivers


WAIVER = """
    policy: prod
    require: {{vm.swappiness: "<= 10"}}
    waivers:
      - {{setting: vm.swappiness, hosts: {hosts}, owner: dba-team, reason: vendor wants it so, expires: {day}}}
"""


def test_a_waiver_holds_to_its_last_day_and_takes_the_change_out_of_the_plan(rules):
    text = WAIVER.format(hosts="db*", day=TODAY.isoformat())
    report = judged(text, host().capture(), rules)
    (finding,) = report.waived()
    assert finding.rule == "policy.prod.vm.swappiness"
    assert finding.waived.owner == "dba-team"
    assert report.verdict == "healthy"
    assert report.worst() is None
    assert report.plan.changes() == ()
    assert report.warnings == ()
    late = judged(text, host().capture(), rules, today=TODAY + timedelta(1))
    assert late.worst() == "warning"
    assert late.warnings == (
        f"waiver 1 (policy.prod.vm.swappiness on db*, of dba-team) expired on {TODAY}; renew or remove it",
    )
    assert judged(text, host().capture(), rules, name="web1").worst() == "warning"


def test_a_waiver_for_this_host_that_matches_nothing_is_said(rules):
    text = WAIVER.format(hosts="db1", day="2027-01-01")
    fine = judged(text, host(vm_swappiness=1).capture(), rules)
    assert fine.warnings == (
        "waiver 1 (policy.prod.vm.swappiness on db1, of dba-team) matches nothing on this host; remove it",
    )
    other = judged(text, host(vm_swappiness=1).capture(), rules, name="web1")
    assert other.warnings == ()


def test_a_waived_shortage_still_forbids_higher_marks(rules):
    text = """
        policy: prod
        require: {vm.min_free_kbytes: ">= 8 MiB"}
        waivers:
          - {rule: swap-thrash, hosts: "*", owner: dba, reason: batch host by design, expires: 2027-01-01}
    """
    report = judged(text, _pressure(), rules)
    assert {f.rule for f in report.waived()} == {"swap-thrash"}
    assert report.plan.changes() == ()
    assert any(loser.setting == "vm.min_free_kbytes" for loser in report.plan.held_back)


# Plan and policy


@settings(max_examples=40, deadline=None)
@given(hosts())
def test_no_plan_breaks_the_policy(sick):
    rules = library.load()
    text = """
        policy: prod
        require: {vm.watermark_scale_factor: "<= 20", vm.swappiness: "<= 10", thp.enabled: [madvise, never],
                  vm.vfs_cache_pressure: ">= 50 and <= 200"}
    """
    demands = {"vm.watermark_scale_factor": lambda v: v <= 20, "vm.swappiness": lambda v: v <= 10,
               "thp.enabled": lambda v: v != "always", "vm.vfs_cache_pressure": lambda v: 50 <= v <= 200}  # fmt: skip
    report = judged(text, sick.capture(), rules)
    for change in report.plan.changes():
        assert change.setting not in demands or demands[change.setting](change.proposed)
    healed = sick.healed()
    for change in report.plan.changes():
        healed = healed.written(change.setting, change.proposed)
    again = judged(text, healed.capture(), rules)
    planned = {change.setting for change in report.plan.changes()}
    assert not [s for s, f in demanded(again).items() if s in planned and f.state == "fail"]


# Mistakes


WAIVED_SETTING = """\
policy: prod
waivers: [{setting: vm.numa_stat, hosts: x, owner: us, reason: a good one, expires: 2027-01-01}]"""


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("require: {vm.swappiness: 10}", "1:1", "the field 'policy' is missing"),
        ("policy: Prod", "1:9", "policy: string should match"),
        ("policy: prod\nrequires: {}", "2:1", "did you mean 'require'?"),
        ("policy: prod\nrequire: {vm.swapiness: 10}", "2:11", "did you mean 'vm.swappiness'"),
        ("policy: prod\nrequire:\n  vm.swappiness: 1\n  vm.swappiness: 2", "4:3", "stands here twice, first in line 3"),
        ("policy: prod\nrequire: {vm.swappiness: ten}", "2:26", "unknown signal 'ten'"),
        ("policy: prod\nrequire: {vm.swappiness: 10 MiB}", "2:26", "cannot be '10 MiB'"),
        ("policy: prod\nrequire: {vm.swappiness: '<= 500'}", "2:26", "kernels take 0 to 200"),
        ("policy: prod\nrequire: {vm.watermark_scale_factor: '< 1'}", "2:38", "no value of"),
        ("policy: prod\nrequire: {vm.watermark_scale_factor: 5000}", "2:38", "kernels take 1 to 3000"),
        ("policy: prod\nrequire: {vm.swappiness: '>= 20 and <= 10'}", "2:26", "no value of vm.swappiness is"),
        ("policy: prod\nrequire: {vm.min_free_kbytes: '<= 2 * 65536'}", "2:35", "a bare number where the unit is B"),
        ("policy: prod\nrequire: {vm.min_free_kbytes: '<= mem.fre'}", "2:35", "unknown signal 'mem.fre'"),
        ("policy: prod\nrequire: {vm.user_reserve_kbytes: '>= auto'}", "2:35", "auto"),
        ("policy: prod\nrequire: {thp.enabled: on}", "2:24", "put it in quotes"),
        ("policy: prod\nrequire: {thp.enabled: mavdise}", "2:24", "one of always, madvise, never"),
        ("policy: prod\nrequire: {thp.enabled: '<= never'}", "2:24", "is no number"),
        ("policy: prod\nrequire: {vm.lowmem_reserve_ratio: 1}", "2:36", "one number per zone"),
        ("policy: prod\nrequire: {cgroup.memory.high: 1}", "2:31", "every cgroup has its own"),
        ("policy: prod\nrequire: {vm.compact_memory: 1}", "2:30", "it is an action"),
        ("policy: prod\nrequire: {vm.swappiness: {valu: 1}}", "2:27", "did you mean 'value'?"),
        ("policy: prod\nrequire: {vm.swappiness: []}", "2:26", "no value is named"),
        ("policy: prod\nrules: {swap-activ: {enabled: false}}", "2:9", "did you mean 'swap-active'"),
        ("policy: prod\nrules: {swap-active: {enable: false}}", "2:23", "did you mean 'enabled'?"),
        ("policy: prod\nrules: {swap-active: {enabled: 1}}", "2:32", "enabled is true or false"),
        ("policy: prod\nrules: {swap-active: {severity: grave}}", "2:33", "notice, warning, critical"),
        ("policy: prod\nrole: databse", "2:7", "did you mean 'database'?"),
        ("policy: prod\nfail_on: always", "2:10", "fail_on"),
        ("policy: prod\ngroups: {db: {role: database}}", "2:10", "nothing says which hosts"),
        ("policy: prod\ngroups: {db: {when: memory.totl > 1 * GiB}}", "2:21", "did you mean 'memory.total'"),
        ("policy: prod\ngroups: {db: {when: memory.total}}", "2:21", "must be a condition"),
        ("policy: prod\ngroups: {db: {host: 'db*'}}", "2:15", "did you mean 'hosts'?"),
        ("policy: prod\nwaivers: [{rule: swap-active, owner: me, reason: a good one, expires: 2027-01-01}]",
         "2:11", "the field 'hosts' is missing"),
        ("policy: prod\nwaivers: [{rule: swap-activ, hosts: x, owner: me, reason: a good one, expires: 2027-01-01}]",
         "2:18", "did you mean 'swap-active'"),
        (WAIVED_SETTING,
         "2:21", "requires nothing of"),
        ("policy: prod\nwaivers: [{hosts: x, owner: me, reason: a good one, expires: 2027-01-01}]",
         "2:11", "either a rule or a setting"),
        ("policy: prod\nwaivers: [{rule: swap-active, hosts: x, owner: me, reason: it is so here, expires: soon}]",
         "2:", "expires"),
        ("- policy: prod", "1:1", "a policy is a mapping of fields"),
        ("policy: [prod", "2:1", "YAML"),
    ],
)  # fmt: skip
def test_each_mistake_is_shown_where_it_stands(text, where, said, rules):
    shown = refused(text, rules)
    assert shown.startswith(f"policy.yml:{where}"), shown
    assert said in shown
    assert "^" in shown


def test_a_typo_is_one_message_with_line_caret_and_suggestion(rules):
    assert refused("policy: prod\nrequire:\n  vm.swapiness: '<= 10'\n", rules) == textwrap.dedent("""\
        policy.yml:3:3: unknown setting 'vm.swapiness'
           3 |   vm.swapiness: '<= 10'
             |   ^^^^^^^^^^^^
             = did you mean 'vm.swappiness'?""")


# Inventories


LISTING = {
    "_meta": {"hostvars": {"db1": {"env": "prod", "rack": 7, "virtual": True, "disks": ["sda"]}, "web1": {}}},
    "all": {"children": ["databases", "ungrouped"]},
    "databases": {"children": ["postgres"]},
    "postgres": {"hosts": ["db1"], "children": ["databases"]},
    "ungrouped": {"hosts": ["web1"]},
}


def test_groups_hold_the_hosts_of_their_children_and_plain_variables_are_labels():
    found = inventory.parse(LISTING).member("db1.example.org", {"rack": "8"})
    assert found.inventory == {"all", "databases", "postgres"}
    assert dict(found.labels) == {"env": "prod", "rack": "8", "virtual": "true"}
    assert inventory.parse(LISTING).member("unheard-of", {}).inventory == frozenset()


def test_two_hosts_that_agree_up_to_the_dot_are_not_guessed():
    listing = {"_meta": {"hostvars": {}}, "a": {"hosts": ["db1.north", "db1.south"]}}
    assert inventory.parse(listing).member("db1", {}).inventory == frozenset()


@pytest.mark.skipif(
    not (shutil.which("ansible-inventory") or (Path(sys.executable).parent / "ansible-inventory").exists()),
    reason="ansible-inventory is not installed",
)
def test_an_inventory_is_read_as_ansible_reads_it(tmp_path):
    file = tmp_path / "hosts.ini"
    file.write_text("[postgres]\ndb1 env=prod\n[databases:children]\npostgres\n")
    found = read_inventory(str(file)).member("db1", {})
    assert {"postgres", "databases"} <= found.inventory
    assert dict(found.labels)["env"] == "prod"


def test_a_missing_inventory_is_said(tmp_path):
    with pytest.raises(UsageError, match="no such inventory"):
        read_inventory(str(tmp_path / "absent"))


# As a user types it


@pytest.fixture
def folder(tmp_path, rules):
    """A capture of a host called db1, a policy, and a saved inventory."""
    taken = changed(host().capture(), host="db1")
    write_capture(taken, str(tmp_path / "db1.tar.gz"))
    (tmp_path / "inventory.json").write_text(json.dumps(LISTING))
    (tmp_path / "policy.yml").write_text(
        policy("""
        policy: prod
        groups:
          prod-databases:
            inventory: databases
            when: label.env == 'prod'
            require: {vm.swappiness: "<= 10"}
    """)
    )
    assert tarfile.is_tarfile(tmp_path / "db1.tar.gz")
    return tmp_path


def test_check_with_a_policy_reports_and_ends_by_its_gate(folder, capsys):
    arguments = ["check", str(folder / "db1.tar.gz"), "--policy", str(folder / "policy.yml")]
    assert main(arguments) == 0
    assert "in none of its groups" in capsys.readouterr().out
    arguments += ["--inventory", str(folder / "inventory.json")]
    assert main(arguments) == 2
    assert "vm.swappiness is 60; the policy 'prod' wants <= 10." in capsys.readouterr().out
    assert main([*arguments, "--fail-on", "critical"]) == 0
    assert main([*arguments, "--label", "env=test"]) == 0
    capsys.readouterr()
    assert main([*arguments, "--format", "json"]) == 2
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, SCHEMA)
    assert document["policy"] == {"name": "prod", "groups": ["prod-databases"], "role": None, "fail_on": "warning",
                                  "undecided": [], "warnings": []}  # fmt: skip
    (finding,) = [f for f in document["findings"] if f["severity"] == "warning"]
    assert finding["rule"] == "policy.prod.vm.swappiness"
    assert finding["waived"] is None
    assert document["recommendations"][0]["proposed"] == 10


def test_what_is_waived_is_shown_with_owner_and_day_and_fails_nothing(folder, capsys):
    with (folder / "policy.yml").open("a") as file:
        file.write(
            "waivers: [{setting: vm.swappiness, hosts: db*, owner: dba, reason: vendor wants it, expires: 9999-12-31}]"
        )
    arguments = ["check", str(folder / "db1.tar.gz"), "--policy", str(folder / "policy.yml"),
                 "--inventory", str(folder / "inventory.json")]  # fmt: skip
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert out.startswith("Healthy: nothing to tune, 1 waived")
    assert "waived by   dba until 9999-12-31: vendor wants it" in out
    assert main([*arguments, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, SCHEMA)
    (finding,) = [f for f in document["findings"] if f["waived"]]
    assert finding["waived"] == {"owner": "dba", "reason": "vendor wants it", "expires": "9999-12-31"}
    assert document["checks"]["waived"] == 1


def test_a_demand_that_cannot_be_judged_ends_with_three(folder, tmp_path, capsys):
    write_capture(changed(blind(), host="db1"), str(tmp_path / "blind.tar.gz"))
    arguments = ["check", str(tmp_path / "blind.tar.gz"), "--policy", str(folder / "policy.yml"),
                 "--inventory", str(folder / "inventory.json")]  # fmt: skip
    assert main(arguments) == 3
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--policy", "/does/not/exist"], "No such file"),
        (["--label", "env"], "write NAME=VALUE"),
        (["--label", "1x=2"], "write NAME=VALUE"),
    ],
)
def test_a_mistake_ends_with_one(arguments, said, capsys):
    assert main(["check", PRESSURE, *arguments]) == 1
    assert said in capsys.readouterr().err


def test_the_example_of_the_documentation_loads(rules):
    text = (Path(__file__).parent.parent / "docs" / "policy.md").read_text()
    example = text.partition("```yaml\n")[2].partition("```")[0]
    loaded = source.load(example, "policy.yml", rules)
    assert [group.name for group in loaded.groups] == ["databases", "large-in-production"]


def test_the_schema_for_editors_takes_the_example_and_not_a_typo(capsys):
    import yaml

    assert main(["schema", "policy"]) == 0
    schema = json.loads(capsys.readouterr().out)
    text = (Path(__file__).parent.parent / "docs" / "policy.md").read_text()
    example = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])
    example["waivers"][0]["expires"] = example["waivers"][0]["expires"].isoformat()
    jsonschema.validate(example, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**example, "requires": {}}, schema)
