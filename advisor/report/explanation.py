"""A rule for people: what it says, and how it came to its verdict on a capture."""

from __future__ import annotations

from advisor.engine.explain import Part, explain
from advisor.errors import Unknown
from advisor.evidence import evidence
from advisor.findings import in_order, state_of
from advisor.hints import TYPE_CHECKING
from advisor.report.layout import Line, clean, paragraph
from advisor.report.wording import shown
from advisor.signals.model import Entity, catalogue, entities_of
from advisor.signals.table import Row, Table
from advisor.units import format_seconds

if TYPE_CHECKING:
    from advisor.rulebook.library import Check
    from advisor.rulebook.model import Rule
    from advisor.signals.view import View

_INDENT = 14
_SIGN = {True: ("yes", "warning"), False: ("no", "good"), None: ("unknown", "quiet")}


def about(rule: Rule, width: int = 100) -> list[Line]:
    """What the rule is about, from its own fields."""
    head: Line = [(rule.title, "title"), (f"  [{rule.id}]", "quiet")]
    lines: list[Line] = [head]
    kind = f"{rule.severity}, {rule.diagnosis}, judged for each {rule.scope}, {rule.status} since {rule.since}"
    lines += paragraph(kind, indent=_INDENT, width=width, label="kind")
    for label, text in (("what", rule.what), ("why", rule.why), ("when", " ".join(rule.when.text.split()))):
        lines += paragraph(" ".join(text.split()), indent=_INDENT, width=width, label=label)
    for param in rule.params:
        basis = "our policy, no authority behind it" if param.basis == "policy" else param.basis
        lines += paragraph(
            f"{param.name} = {param.value}: {param.help} ({basis})",
            indent=_INDENT,
            width=width,
            label="param",
        )
    lines += paragraph(rule.remedy_text, indent=_INDENT, width=width, label="remedy")
    for advice in rule.advice:
        value = f" to {' '.join(advice.value.text.split())}" if advice.value else ""
        text = f"{advice.setting} {advice.direction}{value}"
        lines += paragraph(text, indent=_INDENT, width=width, label="recommends")
    if rule.risk:
        text = f"{rule.risk.level}: {rule.risk.text} Undo: {rule.risk.undo}."
        lines += paragraph(text, indent=_INDENT, width=width, label="risk")
    if rule.verify:
        text = f"after {format_seconds(rule.verify.after_s)}: " + "; ".join(e.text for e in rule.verify.expect)
        lines += paragraph(text, indent=_INDENT, width=width, label="verify")
    for reference in rule.references:
        lines += paragraph(reference, indent=_INDENT, width=width, label="source")
    return lines


def judged(check: Check, view: View, width: int = 100) -> list[Line]:
    """The verdict of a rule on a capture, part by part, for each entity."""
    lines: list[Line] = [[]]
    if check.scope == "host":
        return lines + _verdict(check, view, None, width)
    try:
        entities = entities_of(view, check.scope)
    except Unknown as reason:
        return lines + paragraph(str(reason), indent=_INDENT, width=width, label="open")
    if not entities:
        return lines + paragraph(f"the host has no {check.scope}", indent=_INDENT, width=width, label="notApplicable")
    for entity in entities:
        lines += [[(clean(entity.name), "title")], *_verdict(check, view, entity, width), []]
    return lines[:-1]


def _verdict(check: Check, view: View, entity: Entity | None, width: int) -> list[Line]:
    rule = check.rule()
    row = Table(view).row(rule.names(), check.scope, entity)
    state = state_of(check, row.values)
    lines: list[Line] = [[("verdict ", "label"), (state, "warning" if state == "fail" else "good")]]
    lines += _applies(check, rule, row, width)
    for part in explain(rule.when, row.values):
        lines.append(_part(part))
    lines.append([])
    for item in evidence(view, row, in_order(rule.when) + list(rule.evidence)):
        reason = row.reasons.get(item.signal)
        said = str(reason) if reason else f"{item.source}  {item.formula}"
        value = shown(item.value, item.unit)
        lines += paragraph(f"{item.signal} = {value}   {said}", indent=_INDENT, width=width, label="")
    return lines


def _applies(check: Check, rule: Rule, row: Row, width: int) -> list[Line]:
    lines: list[Line] = []
    for name in check.has:
        if row.values.get(name) is None:
            reason = row.reasons.get(name, "unknown")
            lines += paragraph(f"{name}: {reason}", indent=_INDENT, width=width, label="needs")
    if rule.unless is not None:
        lines += [[("  unless", "label")], *(_part(part) for part in explain(rule.unless, row.values))]
    return lines


def _part(part: Part) -> Line:
    sign, style = _SIGN[part.value if isinstance(part.value, bool) else None]
    text = part.text if part.kind == "test" else {"and": "all of", "or": "any of", "not": "not"}[part.kind]
    line: Line = [("  " * (part.depth + 1), ""), (sign.ljust(8), style), (clean(text), "")]
    if part.kind == "test" and part.signals:
        values = ", ".join(shown(value, catalogue()[name].unit) for name, value in part.signals.items())
        line.append((f"   [{values}]", "value"))
    return line
