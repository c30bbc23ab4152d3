"""From the text of a policy file to a checked policy, or an error that points at the culprit."""

from __future__ import annotations

from fnmatch import fnmatchcase

from advisor.engine.check import check
from advisor.engine.dimension import parse_quantity, parse_unit
from advisor.engine.names import Type
from advisor.engine.suggest import did_you_mean
from advisor.errors import AdvisorError, ExpressionError, PolicyError
from advisor.hints import TYPE_CHECKING, Any
from advisor.policy.demand import Wanted, demand, required_names
from advisor.policy.model import HOST_NAME, LABEL, Group, Override, Policy, Terms, Waiver
from advisor.policy.schema import GroupPart, PolicyPart, RequirePart, WaiverPart, fields_at
from advisor.rulebook.document import Document
from advisor.rulebook.library import check_of
from advisor.rulebook.source import types_for
from advisor.rulebook.wording import words
from advisor.signals.model import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from advisor.policy.schema import TermsPart
    from advisor.rulebook.library import Check
    from advisor.rulebook.model import Param

FAMILY = "policy"
_SWITCHES = ("enabled", "severity")
_SEVERITIES = ("notice", "warning", "critical")


def load(text: str, file: str, checks: Iterable[Check]) -> Policy:
    """The policy of a file.

    Args:
        text: the file's text.
        file: its name for messages.
        checks: the rules in force, which it may change and waive.

    Raises:
        PolicyError: with file, line, column, the line itself, a caret, and what to do.
    """
    return _Source(text, file, {check.id: check for check in checks}).load()


class _Source(Document):
    """One policy file while it is being checked."""

    fault = PolicyError

    def __init__(self, text: str, file: str, checks: Mapping[str, Check]) -> None:
        super().__init__(text, file, "a policy is a mapping of fields", "begin with 'policy: its-name'")
        self.checks = checks

    def load(self) -> Policy:
        part = self.validated(PolicyPart, fields_at)
        base = self.terms(part.policy, part, ())
        groups = tuple(self.group(part.policy, name, group) for name, group in part.groups.items())
        required = [check.id for terms in (base, *(g.terms for g in groups)) for check in terms.required.values()]
        known = {*self.checks, *required}
        waivers = tuple(self.waiver(part.policy, i, waiver, known) for i, waiver in enumerate(part.waivers))
        return Policy(part.policy, part.about, base, groups, waivers, self.file)

    def terms(self, policy: str, part: TermsPart, path: tuple[str, ...]) -> Terms:
        roles = catalogue()["host.role"].choices
        if part.role is not None and part.role not in roles:
            hint = did_you_mean(part.role, roles) or f"known: {', '.join(roles)}"
            raise self.at([*path, "role"], f"unknown role '{part.role}'", hint)
        required = {}
        for setting, value in part.require.items():
            place = (*path, "require", setting)
            name, rule = self.required(policy, setting, value, place)
            if name in required:
                raise self.at_key(place, f"{name} is required twice, the other time by its path", "keep one of them")
            required[name] = rule
        overrides = {rule: self.override(rule, given, (*path, "rules", rule)) for rule, given in part.rules.items()}
        return Terms(part.role, part.fail_on, required, overrides)

    def required(self, policy: str, setting: str, value: Any, path: tuple[str, ...]) -> tuple[str, Check]:
        """The setting's name in the catalogue, and the rule for its required value."""
        wanted = Wanted(value, "warning", "")
        if isinstance(value, RequirePart):
            wanted, place = Wanted(value.value, value.severity, value.because), (*path, "value")
        else:
            place = path
        if wanted.value in ("", []):
            raise self.at(place, "no value is named", "write for example '<= 10', '>= auto', present, or [a, b]")
        try:
            rule = demand(policy, setting, wanted, self.file)
        except ExpressionError as error:
            raise self.within(list(place), error) from None
        except AdvisorError as error:
            if not error.message.startswith("unknown setting"):
                raise self.at(place, error.message, error.hint) from None
            raise self.at_key(path, error.message, did_you_mean(setting, required_names())) from None
        return rule.id.removeprefix(f"policy.{policy}."), check_of(rule, FAMILY)

    def override(self, rule: str, given: Mapping[str, Any], path: tuple[str, ...]) -> Override:
        if rule not in self.checks:
            raise self.at_key(path, f"unknown rule '{rule}'", did_you_mean(rule, self.checks) or "advisor rules list")
        known = {param.name: param for param in self.checks[rule].rule().params}
        for name in given:
            if name not in known and name not in _SWITCHES:
                hint = did_you_mean(name, [*known, *_SWITCHES], limit=1)
                names = ", ".join([*_SWITCHES, *known])
                raise self.at_key((*path, name), f"'{name}' is no param of {rule}", hint or f"known here: {names}")
        enabled, severity = given.get("enabled"), given.get("severity")
        if enabled is not None and not isinstance(enabled, bool):
            raise self.at([*path, "enabled"], "enabled is true or false")
        if severity is not None and severity not in _SEVERITIES:
            raise self.at([*path, "severity"], f"severity is one of {', '.join(_SEVERITIES)}",
                          did_you_mean(str(severity), _SEVERITIES))  # fmt: skip
        values = tuple((n, self.param(known[n], v, (*path, n))) for n, v in given.items() if n not in _SWITCHES)
        return Override(enabled, severity, values)

    def param(self, param: Param, value: Any, path: tuple[str, ...]) -> float:
        """A threshold in the param's own unit."""
        unit = parse_unit(_unit_of(param))
        try:
            return round(parse_quantity(value, unit) / unit.factor, 12)
        except ExpressionError as error:
            hint = error.hint or f"its default is {param.value}"
            raise self.at(path, f"{param.name}: {error.message}", hint) from None

    def group(self, policy: str, name: str, part: GroupPart) -> Group:
        path = ("groups", name)
        if part.hosts is None and part.inventory is None and part.when is None:
            hint = "add hosts: [patterns], inventory: [groups], or when: a condition"
            raise self.at_key(path, f"nothing says which hosts the group '{name}' has", hint)
        when = None
        if part.when is not None:
            labels = {word: Type("str") for word in words(part.when) if word.startswith(LABEL)}
            try:
                when = check(part.when, {**types_for("host"), HOST_NAME: Type("str"), **labels})
            except ExpressionError as error:
                raise self.within([*path, "when"], error) from None
        hosts, inventory = _words(part.hosts), _words(part.inventory)
        return Group(name, hosts, inventory, when, self.terms(policy, part, path))

    def waiver(self, policy: str, index: int, part: WaiverPart, known: set[str]) -> Waiver:
        path = ("waivers", index)
        if (part.rule is None) == (part.setting is None):
            raise self.at(path, "a waiver names either a rule or a setting", "add rule: or setting:")
        if part.setting is not None:
            rule, named, field = f"policy.{policy}.{part.setting}", part.setting, "setting"
            names = [id_.removeprefix(f"policy.{policy}.") for id_ in known if id_.startswith(f"policy.{policy}.")]
        else:
            rule, named, field, names = str(part.rule), str(part.rule), "rule", sorted(known)
        hosts = _words(part.hosts) or ()
        waiver = Waiver(index + 1, rule, hosts, part.entity, part.owner, part.reason, part.expires)
        if not any(fnmatchcase(id_, rule) for id_ in known):
            why = "the policy requires nothing of" if field == "setting" else "no rule is called"
            raise self.at([*path, field], f"{why} '{named}'", did_you_mean(named, names))
        return waiver


def _words(value: str | list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple([value] if isinstance(value, str) else value)


def _unit_of(param: Param) -> str:
    """The unit of a threshold, from its text: "5 * percent" is in percent, "100 / s" in 1/s."""
    number, _, unit = param.value.partition(" * ")
    if unit:
        return unit.replace(" ", "")
    return "1/s" if number.endswith(" / s") else "1"
