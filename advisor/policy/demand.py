"""A required value of a setting, as a rule: ``"<= 10"``, ``">= auto"``, ``[madvise, never]``, ``present``.

The rule fires where the setting breaks the demand, is open where the setting was not read, and does not apply where
the kernel has no such setting. Its advice is the nearest value that the demand allows.
"""

from __future__ import annotations

import operator
import re

from advisor.engine.check import check
from advisor.engine.checked import Checked, Tree
from advisor.engine.dimension import parse_unit
from advisor.engine.message import Template
from advisor.engine.names import Type
from advisor.engine.text import expression_text
from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING
from advisor.record import Record
from advisor.rulebook.model import Advice, Risk, Rule
from advisor.rulebook.source import types_for
from advisor.rulebook.wording import param_text
from advisor.tunables import TUNABLES, Tunable, get, parse_value, possible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from advisor.tunables import Value

DIAGNOSIS = "policy"
PRESENT = "present"
AUTO = "auto"

# What the kernel itself would have chosen on this host; for other settings its fixed default.
_AUTO_SIGNALS = {"vm.min_free_kbytes": "watermark.default_min_free"}

# The kernel computed its value at boot, when the zones held less: on idle guests that nobody ever tuned it is 0.9 %
# below what the same formula gives now (measured on 5.10 to 7.3 with 464 MiB; the share shrinks with size).
_SINCE_BOOT = 0.02

# A setting that every kernel has, read together with the others of its file system: where it is known and another is
# not, the kernel lacks that one.
_ALWAYS_THERE = {"proc/sys/": ("vm.swappiness", "num"), "sys/": ("thp.enabled", "str")}

_SIGNS: dict[str, Callable[[int, int], bool]] = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
# Direction of the change, how it is rounded, and how far from the named value the nearest allowed one is.
_TARGETS = {"<=": ("decrease", "down", 0), "<": ("decrease", "down", -1), ">=": ("increase", "up", 0),
            ">": ("increase", "up", 1), "==": ("set", "nearest", 0)}  # fmt: skip
_COMPARISON = re.compile(r"\s*(<=|>=|==|!=|<|>)?\s*(.*?)\s*", re.DOTALL)
_KINDS = {"int": "num", "choice": "str", "bool": "bool"}


class Part(Record):
    """One comparison of a demand.

    Attributes:
        sign: how the setting must compare with `value`.
        value: what it is compared with, in base units.
        literal: the same in the setting's own unit where it was written as such; None for an expression.
        text: as written.
    """

    sign: str
    value: Checked
    literal: Value | None
    text: str


class Wanted(Record):
    """A required value as the file has it.

    Attributes:
        value: a scalar, or the list of allowed values, the preferred one first.
        severity: of the finding.
        because: why the organisation demands it; may be empty.
    """

    value: object
    severity: str
    because: str


class Logic(Record):
    """A demand as conditions: when it is broken, where it does not apply, and what to do."""

    when: Checked
    unless: Checked | None
    advice: tuple[Advice, ...]


def demand(policy: str, setting: str, wanted: Wanted, origin: str) -> Rule:
    """The rule that a required value becomes.

    Args:
        policy: the policy's name.
        setting: the setting that the value is required of.
        wanted: the value.
        origin: file of the policy.

    Raises:
        ExpressionError: the value is wrong, at an offset of its text.
        AdvisorError: it cannot be required, or no kernel takes it.
    """
    tunable = _tunable(setting)
    return _rule(policy, tunable, wanted, _logic(tunable, wanted.value), origin)


def _logic(tunable: Tunable, value: object) -> Logic:
    name = _signal(tunable)
    lacking = _lacking(tunable, name)
    if value == PRESENT:
        return Logic(lacking, None, ())
    if isinstance(value, list):
        parts = [_part(tunable, "==", str(item), item) for item in value]
        return Logic(_not(_join("or", [_holds(name, part) for part in parts])), lacking, (_advice(parts[0], tunable),))
    parts = _parts(tunable, value)
    _satisfiable(tunable, parts)
    broken = _not(_join("and", [_holds(name, part) for part in parts]))
    wishes = [_advice(part, tunable, _not(_holds(name, part))) for part in parts if part.sign in _TARGETS]
    return Logic(broken, lacking, tuple(wishes))


def _signal(tunable: Tunable) -> str:
    """The signal that a setting's value is."""
    return tunable.name.replace("-", "_")


def _tunable(setting: str) -> Tunable:
    tunable = get(setting)
    if _signal(tunable) in types_for("host"):
        return tunable
    why = {"cgroup": "every cgroup has its own"}.get(tunable.scope) or {
        "ints": "it is a list with one number per zone", "action": "it is an action and has no value",
    }.get(tunable.kind, "it can only be set at boot")  # fmt: skip
    raise AdvisorError(f"{tunable.name} cannot be required: {why}")


def _parts(tunable: Tunable, value: object) -> list[Part]:
    """The comparisons of ``">= 1 and <= 10"``."""
    if not isinstance(value, str):
        return [_part(tunable, "==", str(value).lower(), value)]
    parts = []
    for text in re.split(r"\s+and\s+(?=[<>=!])", value):
        found = _COMPARISON.fullmatch(text)
        assert found is not None, "every part of the pattern is optional"
        parts.append(_part(tunable, found[1] or "==", found[2], found[2]))
    return parts


def _part(tunable: Tunable, sign: str, text: str, value: object) -> Part:
    if tunable.kind != "int" and sign not in {"==", "!="}:
        raise AdvisorError(f"{tunable.name} is no number and cannot be {sign} something", "name the values: [a, b]")
    literal = _literal(tunable, text, value)
    if literal is None:
        return Part(sign, _expression(tunable, text), None, text)
    if not possible(tunable, literal):
        raise AdvisorError(f"{tunable.name} cannot be {text}: {_outside(tunable)}")
    return Part(sign, _constant(tunable, literal), literal, text)


def _literal(tunable: Tunable, text: str, value: object) -> Value | None:
    """The value that a text names outright; None when it is an expression."""
    if text == AUTO:
        return None if tunable.name in _AUTO_SIGNALS else _fixed_default(tunable)
    try:
        return parse_value(tunable, value)
    except AdvisorError:
        # An amount, a truth value of YAML, or a word where words are all there is: no expression was meant.
        if not isinstance(value, str) or tunable.kind != "int" or re.fullmatch(r"-?[0-9][0-9.]*\s*[A-Za-z]*", text):
            raise
        return None


def _fixed_default(tunable: Tunable) -> Value:
    if tunable.default is None:
        raise AdvisorError(f"{tunable.name} has no 'auto': {tunable.default_note or 'distributions choose it'}",
                           "name the value")  # fmt: skip
    return tunable.default


def _expression(tunable: Tunable, text: str) -> Checked:
    auto = _AUTO_SIGNALS.get(tunable.name)
    default = tunable.default if isinstance(tunable.default, int) else None
    let = {}
    if auto is not None:
        let[AUTO] = check(auto, types_for("host"), want="num")
    elif default is not None:
        let[AUTO] = _constant(tunable, default)
    return check(text, types_for("host"), want="num", want_unit=parse_unit(tunable.unit), let=let)


def _constant(tunable: Tunable, value: Value) -> Checked:
    """A value in the setting's own unit as an expression."""
    if isinstance(value, bool):
        text = str(value).lower()
    else:
        text = f"'{value}'" if isinstance(value, str) else param_text(value, tunable.unit)  # type: ignore[arg-type]
    return check(text, {}, want=None)


def _outside(tunable: Tunable) -> str:
    widest = max(tunable.bounds, key=lambda bounds: bounds.hi - bounds.lo)
    return f"kernels take {widest.lo} to {widest.hi}: {widest.why}"


def _satisfiable(tunable: Tunable, parts: Sequence[Part]) -> None:
    """Refuses a demand that no value meets."""
    numbers = [part.literal for part in parts if isinstance(part.literal, int) and part.sign in _TARGETS]
    if tunable.kind != "int" or len(numbers) < len(parts):
        return
    targets = [number + _TARGETS[part.sign][2] for number, part in zip(numbers, parts, strict=True)]
    for target in targets:
        met = all(_SIGNS[part.sign](target, number) for number, part in zip(numbers, parts, strict=True))
        if met and possible(tunable, target):
            return
    wanted = " and ".join(f"{part.sign} {part.text}" for part in parts)
    raise AdvisorError(f"no value of {tunable.name} is {wanted}")


def _holds(name: str, part: Part) -> Checked:
    signal: Tree = ("sig", name, part.value.type.kind)
    tree: Tree = (part.sign, signal, part.value.tree)
    if AUTO in part.value.let and part.value.names:
        low, high = (("*", part.value.tree, ("num", 1 + side * _SINCE_BOOT, "")) for side in (-1, 1))
        at_least, at_most = (">=", signal, low), ("<=", signal, high)
        tree = {"==": ("and", at_least, at_most), ">=": at_least, "<=": at_most}.get(part.sign, tree)
    return _condition(tree, part.value.names | {name})


def _condition(tree: Tree, names: frozenset[str]) -> Checked:
    return Checked(expression_text(tree), tree, Type("bool"), names)


def _join(word: str, conditions: Sequence[Checked]) -> Checked:
    tree: Tree = conditions[0].tree
    for condition in conditions[1:]:
        tree = (word, tree, condition.tree)
    return _condition(tree, frozenset[str]().union(*(condition.names for condition in conditions)))


def _not(condition: Checked) -> Checked:
    return _condition(("not", condition.tree), condition.names)


def _lacking(tunable: Tunable, name: str) -> Checked:
    """True where the kernel has no such setting, unknown where its neighbours were not read either."""
    other, kind = next(found for root, found in _ALWAYS_THERE.items() if tunable.path.startswith(root))
    witness: Tree = ("!=", ("sig", other, kind), ("num", -1.0, "") if kind == "num" else ("str", ""))
    absent: Tree = ("not", ("known", ("sig", name, _KINDS[tunable.kind])))
    return _condition(("and", witness, absent), frozenset((name, other)))


def _advice(part: Part, tunable: Tunable, when: Checked | None = None) -> Advice:
    direction, rounding, step = _TARGETS[part.sign]
    value = part.value
    if step:
        tree = ("+" if step > 0 else "-", value.tree, _constant(tunable, 1).tree)
        value = Checked(f"{value.text} {step:+}", tree, value.type, value.names)
    because = _text(f"the policy wants {part.sign} {part.text}", ())
    return Advice(tunable.name, direction, value, rounding, when, because)


def _text(head: str, values: Sequence[tuple[str, Checked]]) -> Template:
    parts: list[Tree] = [("text", head)]
    names: frozenset[str] = frozenset()
    for before, value in values:
        parts += [("text", before), ("value", value.tree, str(value.type.unit.dim))]
        names |= value.names
    return Template(head, tuple(parts), names)


def shown(value: object) -> str:
    """A required value as people read it: "<= 10", "madvise or never"."""
    if isinstance(value, list):
        return " or ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rule(policy: str, tunable: Tunable, wanted: Wanted, logic: Logic, origin: str) -> Rule:
    missing = wanted.value == PRESENT
    wants = f"the policy '{policy}' wants {shown(wanted.value)}"
    because = f" Because {wanted.because.rstrip('.')}." if wanted.because else ""
    risk = f"Too low: {tunable.too_low or 'unknown.'} Too high: {tunable.too_high or 'unknown.'}"
    return Rule(
        id=f"policy.{policy}.{tunable.name}",
        title=f"{tunable.name} is {'missing' if missing else 'not as the policy wants'}",
        severity=wanted.severity,
        status="stable",
        since="",
        diagnosis=DIAGNOSIS,
        scope="host",
        what=f"{tunable.name} is required to be {shown(wanted.value)}.",
        why=wanted.because or "The policy says so; it gives no reason.",
        has=(),
        unless=logic.unless,
        window_s=0.0,
        params=(),
        when=logic.when,
        critical_when=None,
        harm=None,
        supports=(),
        doubts=(),
        rules_out=(),
        yields_to=(),
        message=_absent(tunable.name, wants, because) if missing else _broken(tunable, logic, wants, because),
        evidence=(),
        remedy="setting" if logic.advice else "none",
        remedy_text="Set it as the policy wants, or waive it with an owner, a reason and a day on which that ends.",
        advice=logic.advice,
        risk=Risk("low", risk, "immediate") if logic.advice else None,
        verify=None,
        references=(tunable.docs,) if tunable.docs else (),
        origin=origin,
    )


def _absent(name: str, wants: str, because: str) -> Template:
    return _text(f"This kernel does not have {name}, or it cannot be read; {wants}.{because}", ())


def _broken(tunable: Tunable, logic: Logic, wants: str, because: str) -> Template:
    """As in: vm.min_free_kbytes is 4 MiB; the policy 'prod' wants >= auto, which is 66 MiB here."""
    name = _signal(tunable)
    value = Checked(name, ("sig", name, _KINDS[tunable.kind]), types_for("host")[name], frozenset((name,)))
    computed = [a.value for a in logic.advice if a.value is not None and a.value.names]
    now = _text(f"{tunable.name} is ", [("", value)])
    rest = _text(f"; {wants}", [(", which is ", computed_value) for computed_value in computed])
    end = f" here.{because}" if computed else f".{because}"
    return Template(tunable.name, (*now.parts, *rest.parts, ("text", end)), now.names | rest.names)


def required_names() -> tuple[str, ...]:
    """The settings that may be required."""
    return tuple(name for name, tunable in TUNABLES.items() if _signal(tunable) in types_for("host"))
