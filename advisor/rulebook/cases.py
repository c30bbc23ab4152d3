"""Runs the test cases that a rule file holds."""

from __future__ import annotations

from advisor.engine.dimension import parse_quantity, parse_unit
from advisor.engine.message import render
from advisor.engine.rows import compile_row
from advisor.errors import ExpressionError, RuleError
from advisor.findings import FAIL, NOT_APPLICABLE, OPEN, PASS
from advisor.hints import TYPE_CHECKING, Any
from advisor.record import Record
from advisor.signals.model import Value, catalogue
from advisor.tunables import TUNABLES, in_own_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.rulebook.model import Rule
    from advisor.rulebook.schema import CasePart
    from advisor.rulebook.source import Loaded

Values = dict[str, Value]


class Failure(Record):
    """A case that did not give what it promised."""

    rule: str
    case: str
    what: str


def run(loaded: Loaded) -> Iterator[Failure]:
    """Every failure among the cases of a rule, and of the removal of each signal from them.

    A case that does not fire must not fire either when a signal that the rule reads becomes unknown.
    """
    for case in loaded.part.cases:
        values = given(loaded, case)
        for what in _differences(loaded.rule, case, values):
            yield Failure(loaded.rule.id, case.name, what)
        if case.expect.state != FAIL:
            yield from _removals(loaded.rule, case, values)
    if not any(case.near for case in loaded.part.cases):
        yield Failure(loaded.rule.id, "", "no case is marked 'near: true': show what nearly fires")


def given(loaded: Loaded, case: CasePart) -> Values:
    """The signals of a case, in base units.

    Raises:
        RuleError: a value does not fit the signal's unit.
    """
    written = {**loaded.part.base, **case.given}
    return {name: _value(loaded, case, name, value) for name, value in written.items() if name not in case.without}


def _value(loaded: Loaded, case: CasePart, name: str, value: Any) -> Value:
    unit = catalogue()[name].unit
    if unit in {"bool", "text"}:
        wanted = bool if unit == "bool" else str
        if not isinstance(value, wanted):
            raise RuleError(f"{loaded.rule.origin}: case '{case.name}': {name} is {unit}, not {value!r}")
        return value
    try:
        return parse_quantity(value, parse_unit(unit))
    except ExpressionError as error:
        raise RuleError(f"{loaded.rule.origin}: case '{case.name}': {name}: {error}") from None


def state(rule: Rule, values: Values) -> str:
    """The state of a rule on some signals."""
    if any(values.get(name) is None for name in rule.has):
        return NOT_APPLICABLE
    if rule.unless is not None and compile_row(rule.unless.tree)(values) is True:
        return NOT_APPLICABLE
    verdict = compile_row(rule.when.tree)(values)
    return OPEN if verdict is None else FAIL if verdict else PASS


def _differences(rule: Rule, case: CasePart, values: Values) -> Iterator[str]:
    found = state(rule, values)
    if found != case.expect.state:
        yield f"expected {case.expect.state}, got {found}"
        return
    if found != FAIL:
        return
    if "unknown" in (text := render(rule.message, values)):
        yield f"the message says 'unknown' for a signal that the case does not give: {text}"
    yield from _wrong_severity(rule, case, values)
    yield from _wrong_settings(rule, case, values)
    excluded = {r.rival for r in rule.rules_out if compile_row(r.when.tree)(values) is True}
    for rival in case.expect.ruled_out:
        if rival not in excluded:
            yield f"{rival} is not ruled out; ruled out are {', '.join(sorted(excluded)) or 'none'}"


def _wrong_severity(rule: Rule, case: CasePart, values: Values) -> Iterator[str]:
    critical = rule.critical_when is not None and compile_row(rule.critical_when.tree)(values) is True
    severity = "critical" if critical else rule.severity
    if case.expect.severity is not None and severity != case.expect.severity:
        yield f"expected severity {case.expect.severity}, got {severity}"


def _wrong_settings(rule: Rule, case: CasePart, values: Values) -> Iterator[str]:
    found = {}
    for advice in rule.advice:
        if advice.when is None or compile_row(advice.when.tree)(values) is True:
            value = compile_row(advice.value.tree)(values) if advice.value else None
            found[advice.setting] = in_own_unit(advice.setting, value, advice.rounding)
    for setting, wanted in case.expect.set.items():
        expected = _wanted(setting, wanted)
        if setting not in found:
            yield f"{setting} is not recommended"
        elif found[setting] != expected:
            yield f"{setting}: expected {expected}, got {found[setting]}"


def _wanted(setting: str, wanted: Any) -> Any:
    tunable = TUNABLES.get(setting)
    if tunable is None or tunable.kind != "int":
        return wanted
    unit = parse_unit(tunable.unit)
    return round(parse_quantity(wanted, unit) / unit.factor)


def _removals(rule: Rule, case: CasePart, values: Values) -> Iterator[Failure]:
    # The role is what the user said, not what was measured: it cannot get lost.
    for name in sorted((rule.names() & values.keys()) - {"host.role"}):
        rest = {key: value for key, value in values.items() if key != name}
        if state(rule, rest) == FAIL:
            yield Failure(rule.id, case.name, f"fires when {name} is unknown")
