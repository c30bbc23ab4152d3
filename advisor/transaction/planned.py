"""Wishes from a plan, which holds for the host, the boot and the values that it was made for."""

from __future__ import annotations

from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING, Any
from advisor.outlook import same, written
from advisor.record import replace
from advisor.transaction.compose import compose
from advisor.transaction.host import Host
from advisor.transaction.model import Composed, Options, Refusal
from advisor.tunables import get

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from advisor.capture.model import Capture
    from advisor.tunables import Value

SCHEMA = "memadvisor/plan/1"
_AGAIN = "make the plan again on this host"


def compose_plan(
    capture: Capture, plan: Mapping[str, Any], options: Options, *, only: Collection[str] | None = None
) -> Composed:
    """The transaction that carries out a plan.

    Args:
        capture: of the host, as it is now.
        plan: what ``advisor plan --format json`` printed, as JSON values.
        options: how; its reasons are added to those of the plan.
        only: leave out all settings but these; None: all.
    """
    try:
        wanted, reasons = read_plan(capture, plan)
    except AdvisorError as error:
        return Composed(None, refusals=(Refusal("", error.message, error.hint),))
    chosen = {name: value for name, value in wanted.items() if only is None or name in only}
    return compose(capture, chosen, replace(options, reasons={**reasons, **options.reasons}))


def read_plan(capture: Capture, plan: Mapping[str, Any]) -> tuple[dict[str, object], dict[str, str]]:
    """What a plan wants, and why, by setting.

    Raises:
        AdvisorError: it is no plan, or one for another host, boot, amount of memory, or other present values.
    """
    host = Host(capture)
    try:
        _check_format(plan)
        _check_host(host.identity(), plan["host"])
        wanted, reasons = {}, {}
        for entry in plan["recommendations"]:
            if entry["kind"] == "setting" and entry["proposed"] is not None and not entry.get("entity"):
                _check_current(host, entry)
                wanted[str(entry["setting"])] = entry["proposed"]
                reasons[str(entry["setting"])] = f"{', '.join(entry['rules'])}: {entry['because']}"
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AdvisorError(
            f"the plan is damaged: {type(error).__name__} {error}", "give what advisor plan --format json printed"
        ) from None
    return wanted, reasons


def _check_format(plan: Mapping[str, Any]) -> None:
    found = plan.get("schema")
    if found != SCHEMA:
        hint = "give what advisor plan --format json printed"
        raise AdvisorError(f"this is no plan: its schema is {str(found)[:60]!r}, not {SCHEMA!r}", hint)


def _check_host(here: Mapping[str, Any], made_for: Mapping[str, Any]) -> None:
    if made_for["hostname"] is None and made_for["boot_id"] is None:
        raise AdvisorError("the plan does not tell which host it is for", _AGAIN)
    if made_for["hostname"] and here["hostname"] and made_for["hostname"] != here["hostname"]:
        raise AdvisorError(f"the plan is for {made_for['hostname']}, and this is {here['hostname']}", _AGAIN)
    if made_for["boot_id"] and here["boot_id"] and made_for["boot_id"] != here["boot_id"]:
        raise AdvisorError("the plan is of another boot of this host, or of another host of this name", _AGAIN)
    then, now = made_for["managed_pages"], here["managed_pages"]
    if then is not None and now is not None and then != now:
        raise AdvisorError(f"the plan is for {then} pages of managed memory, and this host has {now}", _AGAIN)


def _check_current(host: Host, entry: Mapping[str, Any]) -> None:
    """A plan rests on the values that it found; what it wants already is fine too."""
    tunable = get(entry["setting"])
    running = written(tunable, host.text(tunable))
    known = [_value(entry["current"]), _value(entry["proposed"])]
    if entry["current"] is not None and running is not None and not any(same(running, value) for value in known):
        told = f"{tunable.name} was {entry['current']} when the plan was made, and is {running} now"
        raise AdvisorError(told, _AGAIN)


def _value(value: Any) -> Value | None:
    return tuple(value) if isinstance(value, list) else value
