"""The changes that are judged: those of a plan, or, without one, what differs between the captures."""

from __future__ import annotations

from advisor.errors import AdvisorError
from advisor.findings import FAIL
from advisor.hints import TYPE_CHECKING, Any
from advisor.outlook import same
from advisor.record import Record
from advisor.tunables import TUNABLES, parse_value
from advisor.verify.model import BETTER, SAME, UNCLEAR, WORSE, Change, Expectation, longest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from advisor.findings import Finding
    from advisor.tunables import Value as SettingValue

_AGAIN = "give what advisor plan --format json, or advisor check --format json, printed"


class Wanted(Record):
    """A change that somebody planned: the setting, its value (None for an action), and the rules that ask for it."""

    setting: str
    proposed: SettingValue | None
    rules: tuple[str, ...]


def of_plan(plan: Mapping[str, Any], host: str, boot_id: str | None, managed: int | None) -> list[Wanted]:
    """The changes of a plan: its settings with a value, and its actions.

    Args:
        plan: a plan or a report, as JSON values.
        host: name of the host that was captured; empty when unknown.
        boot_id: its boot at the time of BEFORE, None when unknown.
        managed: pages that its allocator managed then, None when unknown.

    Raises:
        AdvisorError: it is damaged, or of another host, boot or amount of memory.
    """
    try:
        _check_host(plan.get("host") or {}, host, boot_id, managed)
        return [
            Wanted(str(entry["setting"]), _value(entry), tuple(map(str, entry["rules"])))
            for entry in plan["recommendations"]
            if not entry.get("entity") and (entry["kind"] == "action" or _settable(entry))
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AdvisorError(f"the plan is damaged: {type(error).__name__} {error}", _AGAIN) from None


def _settable(entry: Mapping[str, Any]) -> bool:
    return bool(entry["kind"] == "setting" and entry["proposed"] is not None)


def _value(entry: Mapping[str, Any]) -> SettingValue | None:
    """The value in the setting's own type; what has passed through a playbook may have become text."""
    value, tunable = entry["proposed"], TUNABLES.get(entry["setting"])
    if isinstance(value, str) and tunable is not None:
        return parse_value(tunable, value)
    return tuple(value) if isinstance(value, list) else value


def _check_host(made_for: Mapping[str, Any], host: str, boot_id: str | None, managed: int | None) -> None:
    name = made_for.get("hostname") or made_for.get("name")
    if name and host and name != host:
        raise AdvisorError(f"the plan is for {name}, and the captures are of {host}", "give the plan of this host")
    boot = made_for.get("boot_id") or made_for.get("host.boot_id")
    if boot and boot_id and boot != boot_id:
        raise AdvisorError("the plan is of another boot than BEFORE", "give the plan that was made from BEFORE")
    pages = made_for.get("managed_pages")
    if pages is not None and managed is not None and pages != managed:
        raise AdvisorError(f"the plan is for {pages} pages of managed memory, and BEFORE has {managed}",
                           "give the plan that was made from BEFORE")  # fmt: skip


def of_captures(moved: Sequence[str], after: Mapping[str, SettingValue], findings: Sequence[Finding]) -> list[Wanted]:
    """What differs between the captures, each with the rules that asked for that setting in BEFORE."""
    firing = [finding for finding in findings if finding.state == FAIL]
    return [
        Wanted(name, after[name], tuple(dict.fromkeys(
            finding.rule for finding in firing if any(advice.setting == name for advice in finding.advice))))
        for name in moved
    ]  # fmt: skip


def applied(wanted: Wanted, before: Mapping[str, SettingValue], after: Mapping[str, SettingValue]) -> str:
    """Why a change cannot be judged, seen from the setting alone; empty where it was made between the captures."""
    tunable = TUNABLES.get(wanted.setting)
    if wanted.proposed is None or (tunable is not None and tunable.kind == "action"):
        return ""
    if tunable is None:
        return "this memadvisor knows no such setting"
    old, new = before.get(wanted.setting), after.get(wanted.setting)
    if new is None:
        return "AFTER does not tell whether it was applied"
    if not same(new, wanted.proposed):
        return f"it was not applied: AFTER has {new}, the plan says {wanted.proposed}"
    if old is not None and same(old, wanted.proposed):
        return f"it was {old} in BEFORE already: nothing was changed"
    return ""


def judge(
    wanted: Wanted,
    values: tuple[Mapping[str, SettingValue], Mapping[str, SettingValue]],
    expectations: Sequence[Expectation],
    blocked: str,
) -> Change:
    """The verdict on one change from those on its expectations.

    Args:
        wanted: the change.
        values: all settings before and after.
        expectations: those of its rules.
        blocked: why nothing can be said of it, whatever its numbers are; empty where something can.
    """
    before, after = values
    verdict, why = (UNCLEAR, blocked) if blocked else together(expectations)
    wait = None
    if verdict == UNCLEAR and not blocked:
        wait = longest([each.wait_s for each in expectations if each.verdict == UNCLEAR])
    return Change(wanted.setting, before.get(wanted.setting), wanted.proposed, after.get(wanted.setting),
                  wanted.rules, verdict, why, tuple(expectations), wait)  # fmt: skip


def together(expectations: Sequence[Expectation]) -> tuple[str, str]:
    """One verdict out of many: worse counts most, then better, and the same only where nothing is open."""
    worse = [each for each in expectations if each.verdict == WORSE]
    if worse:
        return WORSE, f"{worse[0].text}: {worse[0].why}"
    goals = [each for each in expectations if each.role == "goal"]
    if not goals:
        return UNCLEAR, "no rule says what to expect of it here"
    better = [each for each in goals if each.verdict == BETTER]
    if better:
        hoped = "" if better[0].reached is not False else ", though by less than the rule hopes for"
        return BETTER, f"{better[0].text}: {better[0].why}{hoped}"
    open_ = [each for each in goals if each.verdict == UNCLEAR]
    if open_:
        return UNCLEAR, f"{open_[0].text}: {open_[0].why}"
    return SAME, f"{goals[0].text}: {goals[0].why}"
