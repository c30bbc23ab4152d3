"""Which two values may meet in a comparison, a sum, a choice.

Sizes, pages and times must say their unit: a bare number beside them is refused, since nobody can know
whether 512 means bytes, KiB or pages. Counts and their rates have no unit to confuse, so bare numbers are
fine there. Zero is zero in every unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from advisor.engine.checked import Tree, is_bare
from advisor.engine.dimension import UNITS, Dim, Unit
from advisor.engine.names import Type
from advisor.engine.suggest import did_you_mean

if TYPE_CHECKING:
    from jinja2 import nodes

    from advisor.engine.source import Source

KINDS = {"num": "a number", "bool": "a condition", "str": "a text"}
_EXAMPLES = {
    "B": "512 * MiB",
    "B/s": "64 * MiB/s",
    "page": "1000 * page",
    "page/s": "100 * page/s",
    "s": "10 * s",
}
_NO_UNIT_NEEDED = (Dim(), Dim(second=-1))


class Operand(NamedTuple):
    """A checked part of an expression and the node that it came from."""

    tree: Tree
    type: Type
    node: nodes.Node


def agree(source: Source, left: Operand, right: Operand, where: nodes.Node, what: str) -> Type:
    """Returns the common type of two values that meet.

    Args:
        source: the text, for errors.
        left: one value.
        right: the other.
        where: the node that joins them.
        what: that node in words, for errors.

    Raises:
        ExpressionError: when they differ in kind or dimension, or one is a bare number that needs a unit.
    """
    if left.type.kind != right.type.kind:
        message = f"{what} joins {KINDS[left.type.kind]} and {KINDS[right.type.kind]}"
        raise source.error(message, where, _kind_hint(left, right))
    if left.type.kind == "str":
        return _agree_texts(source, left, right)
    if left.type.kind == "bool":
        return Type("bool")
    return _agree_numbers(source, left, right, where, what)


def _kind_hint(left: Operand, right: Operand) -> str:
    trees = (left.tree, right.tree)
    if ("str", "true") in trees or ("str", "false") in trees:
        return "write true or false without quotes"
    return ""


def agree_with_unit(source: Source, value: Operand, unit: Unit) -> None:
    """Refuses a value that cannot be measured in a unit, by the same rules as `agree`.

    Raises:
        ExpressionError: pointing at the value.
    """
    numbers = bare_values(value.tree)
    if numbers is not None:
        _check_bare(source, value, numbers, Type("num", unit, ratio=unit.factor == UNITS["percent"].factor))
    elif value.type.unit.dim != unit.dim:
        message = f"this value is {_shown(value.type.unit.dim)}, wanted is {_shown(unit.dim)}"
        raise source.error(message, value.node, _bridge(value.type.unit.dim, unit.dim))


def bare_values(tree: Tree) -> list[float] | None:
    """Returns the bare numbers that a tree can come to, or None when it is no choice of bare numbers.

    >>> bare_values(("if", ("sig", "zram.active", "bool"), ("num", 5.0, ""), ("num", 6.0, "")))
    [5.0, 6.0]
    """
    if is_bare(tree):
        return [tree[1]]
    if tree[0] not in ("if", "min", "max"):
        return None
    left, right = bare_values(tree[-2]), bare_values(tree[-1])
    return None if left is None or right is None else left + right


def _agree_texts(source: Source, left: Operand, right: Operand) -> Type:
    for signal, literal in ((left, right), (right, left)):
        choices, text = signal.type.choices, literal.tree[1]
        if choices is not None and literal.tree[0] == "str" and text not in choices:
            hint = did_you_mean(text, choices) or f"it is one of {', '.join(choices)}"
            raise source.error(f"{text[:40]!r} is never the value here", literal.node, hint)
    return Type("str")


def _agree_numbers(source: Source, left: Operand, right: Operand, where: nodes.Node, what: str) -> Type:
    for bare, other in ((left, right), (right, left)):
        numbers = bare_values(bare.tree)
        if numbers is not None:
            _check_bare(source, bare, numbers, other.type)
            return other.type
    one, two = left.type.unit.dim, right.type.unit.dim
    if one != two:
        raise source.error(f"{what} joins {_shown(one)} and {_shown(two)}", where, _bridge(one, two))
    return Type("num", left.type.unit, ratio=left.type.ratio and right.type.ratio)


def _check_bare(source: Source, bare: Operand, numbers: list[float], other: Type) -> None:
    largest, dim = max(numbers, key=abs), other.unit.dim
    if other.ratio and abs(largest) > 1:
        raise source.error("a ratio lies between 0 and 1", bare.node, f"write {largest:g} * percent")
    if largest != 0 and dim not in _NO_UNIT_NEEDED:
        hint = f"give the number a unit, e.g. {_EXAMPLES.get(str(dim), f'10 * {dim}')}"
        raise source.error(f"a bare number where the unit is {dim}", bare.node, hint)


def _bridge(one: Dim, two: Dim) -> str:
    bytes_and_pages = one / two in (Dim(byte=1, page=-1), Dim(byte=-1, page=1))
    return "multiply pages by page_size" if bytes_and_pages else ""


def _shown(dim: Dim) -> str:
    return f"unit {dim}" if str(dim) else "a number without unit"
