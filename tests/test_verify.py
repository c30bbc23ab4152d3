"""Did it help? Synthetic hosts whose effect is known, bad weather of every kind, and recorded captures."""

import dataclasses
import itertools
import json
import re
from functools import cache
from pathlib import Path

import pytest

from advisor.analysis import analyse
from advisor.capture.model import Capture
from advisor.capture.open import open_capture
from advisor.capture.write import write_capture
from advisor.cli import main
from advisor.errors import AdvisorError
from advisor.record import replace
from advisor.report import as_json
from advisor.report.layout import plain
from advisor.report.verification import layout
from advisor.rulebook import library
from advisor.verify import BETTER, SAME, UNCLEAR, WORSE, How, Measure, verify, verify_documents
from tests.verify_captures import WORK, burst, bursts, capture, host

SCALE = "vm.watermark_scale_factor"
RECORDED = sorted((Path(__file__).parent / "captures").rglob("*.tar.xz"))
LATER_S = 3000.0


@cache
def rules():
    return library.load()


@cache
def before():
    return capture(host(), bursts(8))


@cache
def plan_text():
    report = analyse(before(), rules())
    document = {"schema": "memadvisor/plan/1", "host": as_json.identity(report), **as_json.plan_document(report.plan)}
    return json.dumps(document)


def plan():
    return json.loads(plan_text())


def proposed():
    return next(r["proposed"] for r in plan()["recommendations"] if r["setting"] == SCALE)


def after(stalls=60, *, windows=8, start_s=LATER_S, kernel="6.12.1", **settings):
    """The same host later, with the plan's value unless another is given, and so many stalls a window."""
    given = {"vm__watermark_scale_factor": proposed(), **settings}
    return capture(host(**given), bursts(windows, stalls=stalls, seed=2), start_s=start_s, kernel=kernel)


def judged(new, old=None, **how):
    return verify([old or before()], [new], rules(), plan(), How(**how))


# --- what an effect looks like ------------------------------------------------------------------------------------


def test_stalls_that_fall_to_a_tenth_are_better():
    verification = judged(after(60))
    assert verification.verdict == BETTER
    assert verification.undo == ()
    (change,) = verification.changes
    assert (change.setting, change.before, change.after) == (SCALE, 10, proposed())
    goal = next(each for each in change.expectations if each.role == "goal")
    assert goal.reached is True
    assert goal.noise.low <= 0.1 <= goal.noise.high < 0.2


def test_stalls_that_only_halve_are_better_though_less_than_hoped_for():
    verification = judged(after(250, windows=20), capture(host(), bursts(20)))
    assert verification.verdict == BETTER
    assert next(e for e in verification.changes[0].expectations if e.role == "goal").reached is False
    assert "less than the rule hopes for" in verification.why[0]


def test_three_times_the_stalls_are_worse_and_the_setting_is_named_for_undoing():
    verification = judged(after(1800))
    assert verification.verdict == WORSE
    assert verification.undo == (SCALE,)


def test_a_change_that_does_nothing_is_never_better_and_with_many_windows_the_same():
    assert judged(after(600)).verdict in {SAME, UNCLEAR}
    calm = judged(
        capture(host(vm__watermark_scale_factor=proposed()), bursts(40, spread=0.05, seed=2), start_s=9000.0),
        capture(host(), bursts(40, spread=0.05)),
    )
    assert calm.verdict in {SAME, UNCLEAR}
    goal = next(e for e in calm.changes[0].expectations if e.role == "goal")
    assert 1 / 1.25 <= goal.noise.low <= goal.noise.high <= 1.25


def test_no_change_at_all_is_rarely_called_better():
    called = [
        verify(
            [capture(host(), bursts(5, spread=0.8, seed=seed))],
            [capture(host(vm__watermark_scale_factor=proposed()),
                     bursts(5, spread=0.8, seed=1000 + seed), start_s=LATER_S)],
            rules(), plan(),
        ).verdict
        for seed in range(60)
    ]  # fmt: skip
    assert called.count(BETTER) <= 4  # 0.025 of 60, and three deviations more
    assert called.count(WORSE) <= 6


def test_more_work_at_the_same_stalls_per_page_is_no_change():
    # Half as much again of everything: per second it looks worse, per page it is the same.
    more = [burst(900, WORK * 1.5) for _ in range(8)]
    later = capture(host(vm__watermark_scale_factor=proposed()), more, start_s=LATER_S)
    verification = judged(later, capture(host(), [burst(600) for _ in range(8)]))
    goal = next(each for each in verification.changes[0].expectations if each.role == "goal")
    assert goal.noise.ratio == pytest.approx(1.0, abs=0.01)
    assert verification.verdict in {SAME, UNCLEAR}


def test_requests_replace_pages_as_the_unit_of_work():
    later = after(300, windows=20)
    old = capture(host(), bursts(20))
    fewer = judged(later, old, work=Measure(requests=(1000.0, 510.0)))
    goal = next(each for each in fewer.changes[0].expectations if each.role == "goal")
    assert goal.noise.ratio == pytest.approx(1.0, abs=0.1)


def test_predictions_are_scored_to_the_page():
    scores = judged(after()).predictions
    assert {score.what for score in scores} >= {"node 0 Normal min", "node 0 Normal low", "node 0 Normal high"}
    assert all(score.right for score in scores if score.unit == "page")
    wrong = verify([before()], [after(vm__min_free_kbytes=200_000)], rules(), plan())
    assert not all(score.right for score in wrong.predictions)


def test_a_price_that_nobody_predicted_makes_it_worse():
    thrash = [burst(60, workingset_refault_file=60_000) for _ in range(8)]
    verification = judged(capture(host(vm__watermark_scale_factor=proposed()), thrash, start_s=LATER_S))
    assert verification.verdict == WORSE
    assert verification.undo == (SCALE,)
    assert any("workingset_refault_file got worse" in why for why in verification.why)


def test_a_task_killed_after_the_change_takes_better_away():
    windows = bursts(8, stalls=60, seed=2)
    windows[3] = {**windows[3], "oom_kill": 1}
    verification = judged(capture(host(vm__watermark_scale_factor=proposed()), windows, start_s=LATER_S))
    assert verification.verdict == UNCLEAR
    assert "killed" in verification.why[0]


def test_without_a_plan_the_settings_that_differ_are_judged():
    verification = verify([before()], [after(60)], rules())
    assert verification.verdict == BETTER
    assert [change.setting for change in verification.changes] == [SCALE]


# --- too little to tell -------------------------------------------------------------------------------------------


def test_too_little_load_says_how_long_to_wait():
    quiet = capture(host(), [burst(1) for _ in range(8)])
    verification = judged(after(0), quiet)
    assert verification.verdict == UNCLEAR
    assert "too little load" in verification.why[0]
    # 8 windows of a minute bring 8 events; 20 are needed.
    assert 600 < verification.wait_s < 900


def test_too_few_windows_after_the_change_say_how_long_to_go_on():
    verification = judged(after(60, windows=2))
    assert verification.verdict == UNCLEAR
    assert "too few windows" in verification.why[0]
    assert verification.wait_s == pytest.approx(60.0)  # a third window


def test_too_few_windows_before_the_change_cannot_be_made_good():
    verification = judged(after(60), capture(host(), bursts(2)))
    assert verification.verdict == UNCLEAR
    assert "BEFORE is too short" in verification.why[0]
    assert verification.wait_s is None


def test_a_flood_where_hardly_anything_was_is_worse_and_not_too_little_load():
    quiet = capture(host(), [burst(1) for _ in range(8)])
    assert judged(after(600), quiet).verdict == WORSE


def test_a_capture_of_one_sample_tells_nothing():
    single = replace(after(), samples=after().samples[:1])
    verification = judged(single)
    assert verification.verdict == UNCLEAR
    assert "AFTER has no two samples" in verification.why[0]


# --- bad weather --------------------------------------------------------------------------------------------------


def refused(match, old, new, document=None):
    with pytest.raises(AdvisorError, match=match):
        verify([old], [new], rules(), document)


def unclear(match, old, new):
    verification = verify([old], [new], rules(), plan())
    assert verification.verdict == UNCLEAR
    assert verification.undo == ()
    assert any(match in why for why in verification.why), verification.why
    assert all(change.verdict == UNCLEAR for change in verification.changes)


def test_swapped_captures_are_refused():
    refused("swapped", after(), before())


def test_the_same_capture_twice_is_refused():
    refused("given twice", before(), before())


def test_captures_of_two_hosts_are_refused():
    refused("different hosts: db1, db2", before(), replace(after(), host="db2"))


def test_a_plan_of_another_host_is_refused():
    refused("for db9", before(), after(), {**plan(), "host": {**plan()["host"], "hostname": "db9"}})
    refused("managed memory", before(), after(), {**plan(), "host": {**plan()["host"], "managed_pages": 5}})


@pytest.mark.parametrize("damage", [{}, {"recommendations": 5}, {"recommendations": [{"setting": 1}]}])
def test_a_damaged_plan_is_refused(damage):
    refused("damaged", before(), after(), {"host": {}, **damage})


def test_a_reboot_in_between_is_named():
    later = capture(
        host(vm__watermark_scale_factor=proposed()), bursts(8, stalls=60), start_s=60.0, btime=1_700_009_000
    )
    unclear("rebooted", before(), later)


TOLD = {
    "proc/stat": "nothing tells whether the host rebooted in between",
    "proc/sys/kernel/osrelease": "nothing tells whether it is the same kernel",
    "proc/zoneinfo": "nothing tells whether it is the same memory",
}


@pytest.mark.parametrize(("path", "says"), TOLD.items())
@pytest.mark.parametrize("side", ["before", "after"])
def test_where_nothing_tells_that_it_is_the_same_host_it_is_never_better(path, says, side):
    old, new = (without(before(), path), after(60)) if side == "before" else (before(), without(after(60), path))
    unclear(says, old, new)


def clockless(made):
    samples = [replace(sample, wall_s=None) for sample in without(made, "proc/uptime").samples]
    return replace(made, samples=tuple(samples))


def test_captures_without_a_clock_need_a_plan_to_tell_which_was_first():
    old, new = clockless(before()), clockless(after(1800))
    swapped = verify([new], [old], rules())  # the harm of a change, read backwards, looks like good
    assert swapped.verdict == UNCLEAR
    assert any("which of the captures was taken first" in why for why in swapped.why)
    assert verify([clockless(before())], [clockless(after(60))], rules(), plan()).verdict == BETTER
    assert verify([clockless(after(60))], [clockless(before())], rules(), plan()).verdict == UNCLEAR


def test_captures_of_two_machines_of_one_name_are_refused():
    refused("2 machines of one name", machine(before(), "a" * 32), machine(after(), "b" * 32))


def machine(made, number):
    samples = [replace(sample, files={**sample.files, "etc/machine-id": f"{number}\n"}) for sample in made.samples]
    return replace(made, samples=tuple(samples))


def test_another_kernel_is_named():
    unclear("kernel changed: 6.12.1, 6.13.0", before(), after(kernel="6.13.0"))


def test_more_memory_is_named():
    larger = host(vm__watermark_scale_factor=proposed())
    larger = type(larger)((*larger.managed[:2], ("Normal", 900_000)), *[getattr(larger, name) for name in (
        "settings", "thp", "counters", "free", "cache", "full")])  # fmt: skip
    unclear("memory was added or taken away", before(), capture(larger, bursts(8, stalls=60), start_s=LATER_S))


@pytest.mark.parametrize("factor", [0.3, 3.0])
def test_a_load_beyond_comparison_is_named(factor):
    other = bursts(8, stalls=60, work=WORK * factor)
    unclear("load changed", before(), capture(host(vm__watermark_scale_factor=proposed()), other, start_s=LATER_S))


def test_a_setting_that_was_not_applied_is_named():
    unclear("was not applied", before(), after(vm__watermark_scale_factor=10))


def test_a_setting_that_was_so_already_is_named():
    unclear("already", capture(host(vm__watermark_scale_factor=proposed()), bursts(8)), after())


def test_another_setting_that_changed_too_is_named():
    unclear("other settings changed as well", before(), after(vm__swappiness=10))


def test_captures_without_any_file_are_no_reason_for_a_traceback():
    empty = Capture((), host="db1")
    with pytest.raises(AdvisorError):
        verify([empty], [after()], rules(), plan())


# --- recorded captures --------------------------------------------------------------------------------------------


@cache
def recorded(path):
    return replace(open_capture(str(path)), host="")


def kernel_of(path):
    return path.name.partition("-")[0]


def test_of_no_two_recorded_captures_the_second_is_called_better():
    said, refusals = set(), set()
    alike = [pair for pair in itertools.permutations(RECORDED, 2) if kernel_of(pair[0]) == kernel_of(pair[1])]
    assert len(alike) > 50
    for one, two in alike:
        try:
            said.add(verify([recorded(one)], [recorded(two)], rules()).verdict)
        except AdvisorError as error:
            refusals.add(error.message.partition(":")[0])
    assert said == {UNCLEAR}
    assert refusals == {"BEFORE and AFTER are swapped, or overlap"}


def changed(name):
    return open_capture(str(Path(__file__).parent / "captures" / "changed" / f"6.12-{name}.tar.gz"))


def test_on_a_real_kernel_the_plan_helped():
    old, new = changed("before"), changed("after")
    plan_made = analyse(old, rules()).plan
    assert [(change.setting, change.proposed) for change in plan_made.changes()] == [(SCALE, 50)]
    document = {"host": {}, **as_json.plan_document(plan_made)}
    verification = verify([old], [new], rules(), document)
    assert verification.verdict == BETTER
    noise = verification.changes[0].expectations[0].noise
    assert 0.2 < noise.low < noise.ratio < noise.high < 0.55
    assert len(verification.predictions) == 10
    assert all(score.right for score in verification.predictions)


def test_on_a_real_kernel_a_change_in_name_only_did_nothing():
    verification = verify([changed("before")], [changed("placebo")], rules())
    assert verification.verdict in {SAME, UNCLEAR}
    assert verification.changes[0].setting == SCALE


# --- documents, text, command line --------------------------------------------------------------------------------


def test_the_document_is_plain_json_and_says_what_to_undo():
    document = verify_documents([before()], [after(1800)], plan(), rules())
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert (document["verdict"], document["undo"]) == (WORSE, [SCALE])
    assert document["changes"][0]["expectations"][0]["noise"]["ratio"] > 2


def test_the_text_shows_verdict_numbers_and_pictures():
    text = plain(layout(judged(after(60))))
    assert text.startswith("Better  db1\n")
    assert f"{SCALE} 10 → {proposed()}" in text
    assert "●" in text
    assert "/s → " in text


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = {"before": before(), "better": after(60), "worse": after(1800), "unsure": after(600)}
    for name, each in made.items():
        write_capture(each, str(tmp_path / f"{name}.tar.gz"))
    (tmp_path / "plan.json").write_text(plan_text())
    return tmp_path


@pytest.mark.parametrize(("name", "code"), [("better", 0), ("worse", 2), ("unsure", 3)])
def test_the_exit_code_tells_the_verdict(files, name, code, capsys):
    arguments = [str(files / "before.tar.gz"), str(files / f"{name}.tar.gz"), "--plan", str(files / "plan.json")]
    assert main(["verify", *arguments, "-f", "json"]) == code
    assert json.loads(capsys.readouterr().out)["schema"] == "memadvisor/verification/1"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--work", "rate.pgaloc"], "rate.pgalloc"),
        (["--work", "memory.total"], "no rate"),
        (["--requests", "0", "5"], "above 0"),
        (["--plan", "nowhere.json"], "No such file"),
    ],
)
def test_bad_arguments_get_one_line_and_code_1(files, more, says, capsys):
    assert main(["verify", str(files / "before.tar.gz"), str(files / "better.tar.gz"), *more]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert says in error


def test_a_plan_that_is_no_json_is_named(files, capsys):
    (files / "plan.json").write_text("{")
    given = [str(files / "before.tar.gz"), str(files / "better.tar.gz"), "--plan", str(files / "plan.json")]
    assert main(["verify", *given]) == 1
    assert "no JSON at line 1" in capsys.readouterr().err


# --- rules with other expectations, several changes, missing files -------------------------------------------------


def plan_of(*changes):
    """A plan by hand: (setting, value, rule) each."""
    return {
        "host": {},
        "recommendations": [
            {"setting": setting, "kind": "setting", "proposed": value, "rules": [rule]}
            for setting, value, rule in changes
        ],
    }


RESERVE = ("vm.min_free_kbytes", 135168, "atomic-reserve-used-up")
FAILURE = (
    "[{time}.000000] ksoftirqd/0: page allocation failure: order:0, mode:0x40820(GFP_ATOMIC|__GFP_COMP), "
    "nodemask=(null),cpuset=/,mems_allowed=0\n"
)


def logged(*times, start_s=1000.0, **settings):
    made = capture(host(**settings), bursts(6), start_s=start_s)
    return replace(made, kernel_log="".join(FAILURE.format(time=time) for time in times) or "[1.000000] booted\n")


def days_later(days, *times):
    return logged(*times, start_s=1000.0 + days * 86400, vm__min_free_kbytes=135168)


def test_failures_in_the_log_from_before_the_change_do_not_count_against_it():
    verification = verify([logged(500, 600)], [days_later(2, 500, 600)], rules(), plan_of(RESERVE))
    assert verification.verdict == BETTER, verification.why


def test_rare_events_need_the_time_that_the_rule_gives_them():
    verification = verify([logged(500, 600)], [days_later(0.02, 500, 600)], rules(), plan_of(RESERVE))
    assert verification.verdict == UNCLEAR
    assert "rare" in verification.why[0]
    assert 80_000 < verification.wait_s < 86_400


def test_a_failure_after_the_change_is_no_success():
    verification = verify([logged(500, 600)], [days_later(2, 500, 600, 90_000)], rules(), plan_of(RESERVE))
    assert verification.verdict in {SAME, UNCLEAR}


def test_of_two_changes_only_the_one_at_fault_is_named():
    # Stalls fall as the factor was meant to do; swapping in grows tenfold, which only the other can have done.
    old = [burst(600, pswpin=6000) for _ in range(8)]
    new = [burst(60, pswpin=60_000) for _ in range(8)]
    later = host(vm__watermark_scale_factor=48, vm__swappiness=100)
    both = plan_of((SCALE, 48, "direct-reclaim-though-easy"), ("vm.swappiness", 100, "cache-thrashes-beside-idle-anon"))
    verification = verify([capture(host(), old)], [capture(later, new, start_s=LATER_S)], rules(), both)
    assert verification.verdict == WORSE
    assert verification.undo == ("vm.swappiness",)
    goal = verification.changes[0].expectations[0]
    assert goal.verdict == BETTER


def test_waiting_is_put_down_to_what_is_at_fault_already():
    # No setting is known that alone moves the waiting of all tasks; the stalls beside it tell which of the two it was.
    old = [burst(60) for _ in range(8)]
    new = [burst(900, psi_us=30_000_000) for _ in range(8)]
    later = host(vm__watermark_scale_factor=48, vm__swappiness=100)
    both = plan_of((SCALE, 48, "no-such-rule"), ("vm.swappiness", 100, "no-such-rule"))
    verification = verify([capture(host(), old)], [capture(later, new, start_s=LATER_S)], rules(), both)
    assert verification.verdict == WORSE
    assert {cost.signal for cost in verification.costs if cost.verdict == WORSE} == {
        "psi.memory.full",
        "rate.allocstall",
    }
    assert verification.undo == (SCALE,)


def test_where_no_setting_can_be_named_all_of_them_are():
    new = [burst(60, psi_us=30_000_000) for _ in range(8)]
    later = host(vm__watermark_scale_factor=48, vm__swappiness=100)
    both = plan_of((SCALE, 48, "no-such-rule"), ("vm.swappiness", 100, "no-such-rule"))
    old = capture(host(), [burst(60) for _ in range(8)])
    verification = verify([old], [capture(later, new, start_s=LATER_S)], rules(), both)
    assert verification.undo == (SCALE, "vm.swappiness")


def available(*, cache=0.4, lost=0, start_s=1000.0, **settings):
    """Windows on a host with this share of page cache, the rest in tasks, and `lost` bytes that nobody accounts for."""
    made = capture(dataclasses.replace(host(**settings), cache=cache), [burst(60) for _ in range(8)], start_s=start_s)
    samples = [replace(one, files={**one.files, MEMINFO: less(one.files[MEMINFO], lost)}) for one in made.samples]
    return replace(made, samples=tuple(samples))


def less(meminfo, lost):
    return re.sub(r"(?<=MemAvailable: )\d+", lambda old: str(int(old[0]) - lost // 1024), meminfo)


MEMINFO = "proc/meminfo"
BACKGROUND = plan_of(("vm.dirty_background_ratio", 1, "no-such-rule"))


def test_memory_that_tasks_took_meanwhile_is_not_put_down_to_the_change():
    # A database that fills its buffers.
    later = available(cache=0.2, start_s=LATER_S, vm__dirty_background_ratio=1)
    verification = verify([available(vm__dirty_background_ratio=10)], [later], rules(), BACKGROUND)
    assert (verification.verdict, verification.undo) == (UNCLEAR, ()), verification.why


def test_memory_that_nobody_took_is_put_down_to_the_change():
    later = available(lost=1 << 30, start_s=LATER_S, vm__dirty_background_ratio=1)
    verification = verify([available(vm__dirty_background_ratio=10)], [later], rules(), BACKGROUND)
    assert (verification.verdict, verification.undo) == (WORSE, ("vm.dirty_background_ratio",))


def test_what_tasks_took_counts_where_a_change_moves_just_that():
    later = available(cache=0.2, start_s=LATER_S, vm__swappiness=10)
    verification = verify([available()], [later], rules(), plan_of(("vm.swappiness", 10, "no-such-rule")))
    assert (verification.verdict, verification.undo) == (WORSE, ("vm.swappiness",))


def test_a_change_of_the_plan_that_was_left_out_does_not_hide_the_verdict_on_the_others():
    both = plan_of((SCALE, proposed(), "direct-reclaim-though-easy"), ("vm.swappiness", 10, "swappiness-zero"))
    verification = verify([before()], [after(60)], rules(), both)
    assert verification.verdict == BETTER
    assert [change.verdict for change in verification.changes] == [BETTER, UNCLEAR]


def test_values_that_a_playbook_turned_into_text_are_understood():
    verification = verify([before()], [after(60)], rules(), plan_of((SCALE, "48", "direct-reclaim-though-easy")))
    assert verification.verdict == BETTER


def test_a_setting_that_nobody_knows_is_not_judged():
    verification = verify(
        [before()], [after(60, vm__watermark_scale_factor=10)], rules(), plan_of(("vm.banana", 1, "x"))
    )
    assert verification.verdict == UNCLEAR
    assert "no such setting" in verification.why[0]


def test_a_rule_that_is_no_longer_in_force_has_nothing_to_expect():
    verification = verify([before()], [after(60)], rules(), plan_of((SCALE, proposed(), "no-such-rule")))
    assert verification.verdict == UNCLEAR
    assert "no rule says what to expect" in verification.why[0]


def without(made, path):
    samples = [
        replace(sample, files={name: text for name, text in sample.files.items() if not name.startswith(path)})
        for sample in made.samples
    ]
    return replace(made, samples=tuple(samples))


PATHS = ["proc/vmstat", "proc/meminfo", "proc/zoneinfo", "proc/pressure", "proc/stat", "proc/uptime", "proc/sys",
         "proc/swaps", "sys", "proc"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_file_that_is_missing_makes_nothing_better_or_worse_by_itself(path, side):
    old, new = (without(before(), path), after(600)) if side == "before" else (before(), without(after(600), path))
    verification = verify([old], [new], rules(), plan())
    assert verification.verdict in {SAME, UNCLEAR}
    assert verification.why
    plain(layout(verification))


@pytest.mark.parametrize("side", ["BEFORE", "AFTER"])
def test_without_allocations_counted_nobody_knows_whether_the_load_is_the_same(side):
    old, new = (uncounted(before()), after(60)) if side == "BEFORE" else (before(), uncounted(after(60)))
    unclear(f"the work of {side} (rate.pgalloc) is unknown; count requests", old, new)


def test_requests_stand_in_for_allocations_that_are_not_counted():
    how = How(work=Measure(requests=(1000.0, 1000.0)))
    assert verify([uncounted(before())], [uncounted(after(60))], rules(), plan(), how).verdict == BETTER


def test_a_host_that_did_nothing_before_is_no_measure():
    idle = capture(host(), bursts(8, work=0))
    unclear("the work of BEFORE (rate.pgalloc) is none", idle, after(60))


def uncounted(made):
    """The capture of a kernel that does not count what it allocates."""
    samples = []
    for sample in made.samples:
        lines = [line for line in sample.files["proc/vmstat"].splitlines() if not line.startswith("pgalloc")]
        samples.append(replace(sample, files={**sample.files, "proc/vmstat": "\n".join(lines) + "\n"}))
    return replace(made, samples=tuple(samples))
