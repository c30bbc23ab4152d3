"""Sums, products and functions of checked numbers: their units, and the constants among them worked out."""

from __future__ import annotations

import operator

from advisor.engine.agree import Operand, agree
from advisor.engine.checked import is_bare
from advisor.engine.dimension import Dim, Unit
from advisor.engine.names import Type
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import nodes

    from advisor.engine.source import Source

_FOLD: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_LARGEST = 1e300


def add(source: Source, sign: str, left: Operand, right: Operand, node: nodes.Node) -> Operand:
    """Returns a sum or a difference.

    Raises:
        ExpressionError: when the units differ, or a constant gets out of range.
    """
    return _folded(source, sign, (left, right), agree(source, left, right, node, f"'{sign}'"), node)


def multiply(source: Source, sign: str, left: Operand, right: Operand, node: nodes.Node) -> Operand:
    """Returns a product or a quotient.

    Raises:
        ExpressionError: for a division by zero, or a constant out of range.
    """
    one, two = left.type.unit, right.type.unit
    if sign == "*":
        unit, ratio = one * two, _is_share(left, right) or _is_share(right, left)
    else:
        unit, ratio = one / two, left.type.ratio and is_bare(right.tree) and left.tree[0] == "num"
    type_ = Type("num", Unit(unit.dim), ratio=ratio and unit.dim == Dim())
    return _folded(source, sign, (left, right), type_, node)


# A ratio of a ratio, or a constant such as 5 * percent. 100 * psi is no ratio any more.
def _is_share(one: Operand, other: Operand) -> bool:
    return one.type.ratio and (other.type.ratio or (is_bare(other.tree) and one.tree[0] == "num"))


def _folded(source: Source, sign: str, sides: tuple[Operand, Operand], type_: Type, node: nodes.Node) -> Operand:
    left, right = sides
    if sign == "/" and right.tree[0] == "num" and right.tree[1] == 0:
        raise source.error("division by zero", right.node)
    if not left.tree[0] == right.tree[0] == "num":
        return Operand((sign, left.tree, right.tree), type_, node)
    value = _FOLD[sign](left.tree[1], right.tree[1])
    if not abs(value) < _LARGEST:
        raise source.error("number out of range", node)
    bare = is_bare(left.tree) and is_bare(right.tree)
    unit = "" if bare else "percent" if type_.ratio else str(type_.unit.dim) or "1"
    return Operand(("num", value, unit), type_, node)


def negate(operand: Operand, node: nodes.Node) -> Operand:
    """Returns the negative of a number."""
    tree = operand.tree
    if tree[0] == "num":
        return Operand(("num", -tree[1], tree[2]), operand.type, node)
    return Operand(("neg", tree), operand.type, node)


def apply(source: Source, name: str, arguments: list[Operand], node: nodes.Node) -> Operand:
    """Returns a function of numbers: `abs`, `sqrt`, `ceil`, `floor`, `min`, `max` or `clamp`.

    `clamp(x, low, high)` is `min(max(x, low), high)`; longer forms of `min` and `max` nest to the left.

    Raises:
        ExpressionError: when the units of the arguments differ, or the result would have none.
    """
    first, *others = arguments
    if not others:
        return Operand((name, first.tree), _type_of_one(source, name, first, node), node)
    steps = ("max", "min") if name == "clamp" else (name,) * len(others)
    result = first
    for step, other in zip(steps, others, strict=True):
        type_ = agree(source, result, other, node, name)
        result = Operand((step, result.tree, other.tree), type_, first.node)
    return Operand(result.tree, result.type, node)


def _type_of_one(source: Source, name: str, argument: Operand, node: nodes.Node) -> Type:
    if name != "sqrt":
        return Type("num", argument.type.unit, ratio=argument.type.ratio)
    root = argument.type.unit.dim.root()
    if root is None:
        hint = "divide by a unit first, e.g. sqrt(x / KiB)"
        raise source.error(f"sqrt of unit {argument.type.unit.dim} has no unit", node, hint)
    return Type("num", Unit(root), ratio=argument.type.ratio)
