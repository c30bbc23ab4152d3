"""Evaluates a checked tree on one row of signals, in Kleene's three-valued logic.

A row maps names to values in base units; a name that is missing or None is unknown. What cannot be known is
None: `false and unknown` is false, `true and unknown` is unknown, `x / 0` is unknown, and so is what
overflows. NaN and infinity count as unknown wherever they come from. The evaluator is a nest of closures:
quicker to build than generated source code, and fast enough for ten thousand hosts.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from advisor.errors import ExpressionError
from advisor.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advisor.engine.checked import Tree

Value = float | bool | str | None
Row = Mapping[str, Value]
# Inside, the checker has made sure of the kinds; spelling them again would only cost casts.
_Part = Callable[[Mapping[str, Any]], Any]

_INF = math.inf
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def compile_row(tree: Tree) -> Callable[[Row], Value]:
    """Returns a function from a row to the value of a checked tree.

    >>> condition = compile_row(("<", ("sig", "mem.free", "num"), ("num", 4096.0, "B")))
    >>> condition({"mem.free": 100.0}), condition({"mem.free": 8192.0}), condition({})
    (True, False, None)

    Raises:
        ExpressionError: when the tree did not come from `check`.
    """
    try:
        return _compile(tree)
    except (KeyError, IndexError, TypeError, ValueError):
        raise ExpressionError("not a checked expression", str(tree)[:80]) from None


def _compile(tree: Tree) -> _Part:
    return _BUILD[tree[0]](tree)


def _constant(tree: Tree) -> _Part:
    value = tree[1]
    return lambda _row: value


def _signal(tree: Tree) -> _Part:
    _, name, kind = tree
    if kind != "num":
        return lambda row: row.get(name)

    def number(row: Mapping[str, Any]) -> Any:
        x = row.get(name)
        return x if x is not None and -_INF < x < _INF else None

    return number


def _comparison(tree: Tree) -> _Part:
    sign, left, right = tree
    compare = _COMPARE[sign]
    if left[0] == "sig" and left[2] == "num" and right[0] == "num":
        return _signal_with_constant(compare, left[1], right[1])
    a = _compile(left)
    if right[0] in ("num", "str", "bool"):
        constant = right[1]

        def with_constant(row: Mapping[str, Any]) -> Any:
            x = a(row)
            return None if x is None else compare(x, constant)

        return with_constant
    b = _compile(right)

    def comparison(row: Mapping[str, Any]) -> Any:
        x = a(row)
        if x is None:
            return None
        y = b(row)
        return None if y is None else compare(x, y)

    return comparison


# Most conditions are of this shape.
def _signal_with_constant(compare: Callable[[Any, Any], Any], name: str, constant: float) -> _Part:
    def comparison(row: Mapping[str, Any]) -> Any:
        x = row.get(name)
        return compare(x, constant) if x is not None and -_INF < x < _INF else None

    return comparison


def _arithmetic(function: Callable[[Any, Any], Any]) -> Callable[[Tree], _Part]:
    def build(tree: Tree) -> _Part:
        a, b = _compile(tree[1]), _compile(tree[2])

        def arithmetic(row: Mapping[str, Any]) -> Any:
            x = a(row)
            if x is None:
                return None
            y = b(row)
            if y is None:
                return None
            z = function(x, y)
            return z if -_INF < z < _INF else None

        return arithmetic

    return build


def _divide(tree: Tree) -> _Part:
    a, b = _compile(tree[1]), _compile(tree[2])

    def divide(row: Mapping[str, Any]) -> Any:
        x = a(row)
        if x is None:
            return None
        y = b(row)
        if not y:
            return None  # unknown, or zero
        z = x / y
        return z if -_INF < z < _INF else None

    return divide


def _root(x: float) -> float | None:
    return math.sqrt(x) if x >= 0 else None


def _of_one(function: Callable[[Any], Any]) -> Callable[[Tree], _Part]:
    def build(tree: Tree) -> _Part:
        a = _compile(tree[1])

        def apply(row: Mapping[str, Any]) -> Any:
            x = a(row)
            return None if x is None else function(x)

        return apply

    return build


# and, or are associative; nested to the right, a chain stops at the first part that decides it.
def _parts(tree: Tree, sign: str) -> list[Tree]:
    parts, pending = [], [tree]
    while pending:
        node = pending.pop()
        if node[0] == sign:
            pending += (node[2], node[1])
        else:
            parts.append(node)
    return parts


def _and(tree: Tree) -> _Part:
    *firsts, last = map(_compile, _parts(tree, "and"))
    result = last
    for first in reversed(firsts):
        result = _both(first, result)
    return result


def _both(a: _Part, b: _Part) -> _Part:
    def both(row: Mapping[str, Any]) -> Any:
        x = a(row)
        if x:
            return b(row)
        if x is None:
            y = b(row)
            return None if y is None or y else False
        return False

    return both


def _or(tree: Tree) -> _Part:
    *firsts, last = map(_compile, _parts(tree, "or"))
    result = last
    for first in reversed(firsts):
        result = _either(first, result)
    return result


def _either(a: _Part, b: _Part) -> _Part:
    def either(row: Mapping[str, Any]) -> Any:
        x = a(row)
        if x:
            return True
        if x is None:
            return True if b(row) else None
        return b(row)

    return either


def _in(tree: Tree) -> _Part:
    a = _compile(tree[1])
    values = frozenset(constant[1] for constant in tree[2:])

    def membership(row: Mapping[str, Any]) -> Any:
        x = a(row)
        return None if x is None else x in values

    return membership


def _known(tree: Tree) -> _Part:
    a = _compile(tree[1])
    return lambda row: a(row) is not None


def _if(tree: Tree) -> _Part:
    condition, a, b = map(_compile, tree[1:])

    def choice(row: Mapping[str, Any]) -> Any:
        x = condition(row)
        if x is None:
            return None
        return a(row) if x else b(row)

    return choice


_BUILD: dict[str, Callable[[Tree], _Part]] = {
    "num": _constant,
    "str": _constant,
    "bool": _constant,
    "sig": _signal,
    **dict.fromkeys(_COMPARE, _comparison),
    "+": _arithmetic(operator.add),
    "-": _arithmetic(operator.sub),
    "*": _arithmetic(operator.mul),
    "/": _divide,
    "min": _arithmetic(min),
    "max": _arithmetic(max),
    "neg": _of_one(operator.neg),
    "abs": _of_one(abs),
    "sqrt": _of_one(_root),
    "ceil": _of_one(lambda x: float(math.ceil(x))),
    "floor": _of_one(lambda x: float(math.floor(x))),
    "and": _and,
    "or": _or,
    "not": _of_one(operator.not_),
    "in": _in,
    "known": _known,
    "if": _if,
}
