"""The reference of all rules as Markdown, from their own fields."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.rulebook.model import Rule


def render(rules: Iterable[Rule]) -> str:
    """One section a rule, by diagnosis and name."""
    ordered = sorted(rules, key=lambda rule: (rule.diagnosis, rule.id))
    return "\n".join(["# Rules\n", *map(_section, ordered)])


def _section(rule: Rule) -> str:
    lines = [
        f"## {rule.id}\n",
        f"**{rule.title}** ({rule.severity}, `{rule.diagnosis}`, for each {rule.scope}, {rule.status})\n",
        rule.what,
        "",
        rule.why,
        "",
        f"Fires when: `{' '.join(rule.when.text.split())}`\n",
    ]
    for param in rule.params:
        basis = "a policy of ours, without authority behind it" if param.basis == "policy" else param.basis
        lines.append(f"- `{param.name}` = `{param.value}`: {param.help} ({basis})")
    lines += ["", f"Remedy ({rule.remedy}): {rule.remedy_text}", ""]
    for advice in rule.advice:
        value = f" to `{' '.join(advice.value.text.split())}`" if advice.value else ""
        lines.append(f"- {advice.direction} `{advice.setting}`{value}")
    if rule.risk:
        lines += ["", f"Risk {rule.risk.level}: {rule.risk.text} Undo: {rule.risk.undo}."]
    return "\n".join([*lines, "", "Sources: " + "; ".join(rule.references), ""])
