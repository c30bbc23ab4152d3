"""Writes a checked tree as text of the rule language again: `let` parts in place, sizes in readable units."""

from __future__ import annotations

from advisor.engine.dimension import UNITS
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.engine.checked import Tree

_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _ATOM = range(1, 9)
_INFIX = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), _COMPARE),
    **dict.fromkeys("+-", _SUM),
    **dict.fromkeys("*/", _PRODUCT),
}


def expression_text(tree: Tree) -> str:
    """Returns the text of a tree; checking that text gives an equal value on every row.

    >>> expression_text(("<", ("sig", "mem.free", "num"), ("num", 536870912.0, "B")))
    'mem.free < 512 * MiB'
    """
    return _text(tree)[0]


# The text and how strongly it binds.
def _text(tree: Tree) -> tuple[str, int]:
    head = tree[0]
    if head == "sig":
        return tree[1], _ATOM
    if head in ("num", "str", "bool"):
        return _constant(tree)
    if head in _INFIX:
        strength = _INFIX[head]
        # A comparison as operand of another would read as a chain.
        left = _within(tree[1], strength + (strength == _COMPARE))
        return f"{left} {head} {_within(tree[2], strength + 1)}", strength
    if head == "not":
        return f"not {_within(tree[1], _NOT)}", _NOT
    if head == "neg":
        return f"-{_within(tree[1], _ATOM)}", _SIGN
    if head == "in":
        constants = ", ".join(_text(constant)[0] for constant in tree[2:])
        return f"{_within(tree[1], _SUM)} in [{constants}]", _COMPARE
    if head == "if":
        condition, left, right = (_within(part, _OR) for part in tree[1:])
        return f"{left} if {condition} else {right}", 0
    return f"{head}({', '.join(_text(part)[0] for part in tree[1:])})", _ATOM


def _within(tree: Tree, strength: int) -> str:
    text, own = _text(tree)
    return text if own >= strength else f"({text})"


def _constant(tree: Tree) -> tuple[str, int]:
    head, value = tree[0], tree[1]
    if head == "bool":
        return str(value).lower(), _ATOM
    if head == "str":
        return f'"{value}"' if "'" in value else f"'{value}'", _ATOM
    if tree[2] not in ("", "1"):
        return _quantity(value, tree[2]), _PRODUCT
    return _plain(value), _ATOM if value >= 0 else _SIGN


# The largest unit in which the number is short and exact, for example 512 * MiB.
def _quantity(value: float, unit: str) -> str:
    above, slash, below = unit.partition("/")
    if above == "1":
        return f"{_plain(value)} / {below}"
    base = UNITS.get(above)
    if base is not None:
        alike = [(other.factor, name) for name, other in UNITS.items() if other.dim == base.dim]
        for factor, name in sorted(alike, reverse=True):
            scaled = round(value / factor, 10)
            if scaled * factor == value and abs(scaled) >= 1 and len(_plain(scaled)) <= 5:
                return f"{_plain(scaled)} * {name}{slash}{below}"
    if unit == "percent":
        # Exact, where the product with 0.01 would be rounded.
        return _plain(value) if abs(value) <= 1 else f"100 * percent * {_plain(value)}"
    return f"{_plain(value)} * {unit}"


def _plain(value: float) -> str:
    return repr(value).removesuffix(".0")
