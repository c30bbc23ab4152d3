"""A rule after checking: what the evaluator, the plan and the reports read.

Nothing here needs YAML, pydantic or Jinja2, so that a run with a warm cache starts fast.
"""

from __future__ import annotations

from advisor.engine.checked import Checked
from advisor.engine.message import Template
from advisor.hints import Any
from advisor.record import Record, fields

SEVERITIES = ("notice", "warning", "critical")


class Param(Record):
    """A threshold: its value as text with a unit, what it means, and what it rests on.

    `basis` is kernel, documented, measured, or policy: a policy has no authority behind it but ours.
    """

    name: str
    value: str
    help: str
    basis: str


class RuleOut(Record):
    """A rival diagnosis: it is ruled out when `when` is true, for the reason that `because` renders."""

    rival: str
    when: Checked
    because: Template


class Doubt(Record):
    """Something that lowers confidence when it is true, and why."""

    when: Checked
    because: Template


class Advice(Record):
    """One recommendation of a rule.

    Attributes:
        setting: a setting of the catalogue, or a non-setting such as ``capacity.ram``.
        direction: increase, decrease, set, trigger; for non-settings also reduce, add, enable, upgrade.
        value: the proposed value: a number in base units, or a text for settings with choices; None when
            the direction is all that can be said.
        rounding: up, down or nearest, in the setting's own unit.
        when: only if true; None means always.
        because: why this value.
    """

    setting: str
    direction: str
    value: Checked | None
    rounding: str
    when: Checked | None
    because: Template


class Risk(Record):
    """What following the advice costs: level low, medium or high; undo immediate, slow or reboot."""

    level: str
    text: str
    undo: str


class Verify(Record):
    """How to see whether it helped: wait `after_s` seconds, then expect these conditions.

    Expressions see the signals of the new capture, and those of the old one as ``before.NAME``.
    """

    after_s: float
    expect: tuple[Checked, ...]


class Rule(Record):
    """One check. The fields are those of the rule file; rules/README.md describes each."""

    id: str
    title: str
    severity: str
    status: str
    since: str
    diagnosis: str
    scope: str
    what: str
    why: str
    has: tuple[str, ...]
    unless: Checked | None
    window_s: float
    params: tuple[Param, ...]
    when: Checked
    critical_when: Checked | None
    harm: Checked | None
    supports: tuple[Checked, ...]
    doubts: tuple[Doubt, ...]
    rules_out: tuple[RuleOut, ...]
    yields_to: tuple[str, ...]
    message: Template
    evidence: tuple[str, ...]
    remedy: str
    remedy_text: str
    advice: tuple[Advice, ...]
    risk: Risk | None
    verify: Verify | None
    references: tuple[str, ...]
    origin: str

    def expressions(self) -> tuple[Checked | Template, ...]:
        """Every expression and text of the rule that is evaluated on the capture at hand."""
        found: list[Checked | Template | None] = [
            self.unless,
            self.when,
            self.critical_when,
            self.harm,
            self.message,
        ]
        found += self.supports
        for doubt in self.doubts:
            found += [doubt.when, doubt.because]
        for rival in self.rules_out:
            found += [rival.when, rival.because]
        for advice in self.advice:
            found += [advice.value, advice.when, advice.because]
        return tuple(expression for expression in found if expression is not None)

    def names(self) -> frozenset[str]:
        """Every signal that the rule reads."""
        return frozenset(self.has).union(self.evidence, *(expression.names for expression in self.expressions()))


def to_json(value: Any) -> Any:
    """A rule, or a part of one, as JSON values."""
    if isinstance(value, Checked | Template):
        return value.to_json()
    if isinstance(value, tuple):
        return [to_json(part) for part in value]
    if isinstance(value, Record):
        return {name: to_json(getattr(value, name)) for name in fields(type(value))}
    return value


def _checked(data: Any) -> Checked | None:
    return None if data is None else Checked.from_json(data)


def from_json(data: Any) -> Rule:
    """The rule that `to_json` described."""
    read = Checked.from_json
    text = Template.from_json
    plain = {
        **data,
        "has": tuple(data["has"]),
        "unless": _checked(data["unless"]),
        "params": tuple(Param(**param) for param in data["params"]),
        "when": read(data["when"]),
        "critical_when": _checked(data["critical_when"]),
        "harm": _checked(data["harm"]),
        "supports": tuple(map(read, data["supports"])),
        "doubts": tuple(Doubt(read(d["when"]), text(d["because"])) for d in data["doubts"]),
        "rules_out": tuple(RuleOut(r["rival"], read(r["when"]), text(r["because"])) for r in data["rules_out"]),
        "yields_to": tuple(data["yields_to"]),
        "message": text(data["message"]),
        "evidence": tuple(data["evidence"]),
        "advice": tuple(_advice(advice) for advice in data["advice"]),
        "risk": None if data["risk"] is None else Risk(**data["risk"]),
        "verify": _verify(data["verify"]),
        "references": tuple(data["references"]),
    }
    return Rule(**plain)


def _advice(data: Any) -> Advice:
    return Advice(
        data["setting"],
        data["direction"],
        _checked(data["value"]),
        data["rounding"],
        _checked(data["when"]),
        Template.from_json(data["because"]),
    )


def _verify(data: Any) -> Verify | None:
    if data is None:
        return None
    return Verify(data["after_s"], tuple(Checked.from_json(expression) for expression in data["expect"]))
