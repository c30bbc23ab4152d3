"""Checks an expression: the names exist, the types and units fit, nothing else is in it.

Loads Jinja2; evaluators work on the `Checked` that this returns and do not.
"""

from __future__ import annotations

from types import MappingProxyType

from jinja2 import nodes

from advisor.engine import arithmetic
from advisor.engine.agree import KINDS, Operand, agree, agree_with_unit
from advisor.engine.checked import Checked, Tree, signals_in
from advisor.engine.dimension import UNITS, Unit
from advisor.engine.names import FUNCTIONS, Type
from advisor.engine.source import Source, parse_expression
from advisor.engine.suggest import did_you_mean
from advisor.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LARGEST = 1e30
_MAX_DEPTH = 100
_MAX_NODES = 1000
_TOO_LARGE = "too large, with all its let parts in place"
_COMPARISONS = {"gt": ">", "gteq": ">=", "lt": "<", "lteq": "<=", "eq": "==", "ne": "!="}
_CONSTRUCTS: dict[type[nodes.Node], tuple[str, str]] = {
    nodes.Getitem: ("a subscript '[…]'", ""),
    nodes.Pos: ("a sign '+'", ""),
    nodes.Tuple: ("a list outside of 'in'", ""),
    nodes.List: ("a list outside of 'in'", ""),
    nodes.Filter: (
        "a filter inside an expression",
        "put the whole in parentheses, as in {{ (a + b) | bytes }}",
    ),
}
_NO_LET: Mapping[str, Checked] = MappingProxyType({})


def check(
    text: str,
    names: Mapping[str, Type],
    *,
    want: str | None = "bool",
    want_unit: Unit | None = None,
    let: Mapping[str, Checked] = _NO_LET,
) -> Checked:
    """Returns the checked form of an expression.

    Args:
        text: the expression, at most 2000 characters.
        names: the signals that it may use.
        want: the kind of the result (`bool`, `num`, `str`), or None for any.
        want_unit: the unit that the result must be measured in; a bare result is refused where a bare
            number beside such a signal would be. The result itself is in base units.
        let: named parts; a name stands for the whole tree.

    Raises:
        ExpressionError: with the place of the culprit and, where possible, what to write instead.
    """
    source, syntax = parse_expression(text)
    return Checker(source, names, let).expression(syntax, want, want_unit)


class Checker:
    """Checks the parts of one text.

    Args:
        source: the text.
        names: the signals that it may use.
        let: named parts.
    """

    def __init__(self, source: Source, names: Mapping[str, Type], let: Mapping[str, Checked]) -> None:
        self._source = source
        self._names = names
        self._let = let
        self._depth = 0
        self._inlined = 0
        self._used: set[str] = set()

    def expression(self, syntax: nodes.Node, want: str | None = None, want_unit: Unit | None = None) -> Checked:
        """Returns the checked form of one expression of the text.

        Raises:
            ExpressionError: see `check`.
        """
        self._used = set()
        try:
            result = self._walk(syntax)
        except RecursionError:
            raise self._source.error("nested too deep", syntax, "name a part with let") from None
        if want is not None and result.type.kind != want:
            raise self._source.error(f"this must be {KINDS[want]} and is {KINDS[result.type.kind]}", syntax)
        if want_unit is not None and result.type.kind == "num":
            agree_with_unit(self._source, result, want_unit)
        if _size(result.tree) > _MAX_NODES:
            raise self._source.error(_TOO_LARGE, syntax)
        kind = result.type
        type_ = Type(kind.kind, Unit(kind.unit.dim), kind.ratio, kind.choices)
        names = frozenset(signals_in(result.tree))
        return Checked(self._source.text, result.tree, type_, names, frozenset(self._used))

    def _walk(self, node: nodes.Node) -> Operand:
        visit = _VISITS.get(type(node))
        if visit is None:
            construct, hint = _CONSTRUCTS.get(type(node), (type(node).__name__, ""))
            raise self._source.error(f"{construct} is not part of the rule language", node, hint)
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._source.error("nested too deep", node, "name a part with let")
        result = visit(self, node)
        self._depth -= 1
        return result

    def _of_kind(self, kind: str, node: nodes.Node, what: str) -> Operand:
        operand = self._walk(node)
        if operand.type.kind != kind:
            message = f"{what} needs {KINDS[kind]} and gets {KINDS[operand.type.kind]}"
            raise self._source.error(message, node)
        return operand

    def _const(self, node: nodes.Const) -> Operand:
        value = node.value
        if isinstance(value, bool):
            return Operand(("bool", value), Type("bool"), node)
        if isinstance(value, str):
            return Operand(("str", value), Type("str"), node)
        if value is None:
            hint = "write known(x) or x is defined"
            raise self._source.error("none is not part of the rule language", node, hint)
        if not abs(value) < _LARGEST:
            raise self._source.error("number out of range", node)
        return Operand(("num", float(value), ""), Type("num"), node)

    def _name(self, node: nodes.Name | nodes.Getattr) -> Operand:
        name = self._dotted(node)
        if name in UNITS:
            return self._unit(name, node)
        if name in self._let:
            part = self._let[name]
            self._used.add(name)
            self._inlined += _size(part.tree)
            if self._inlined > _MAX_NODES:
                raise self._source.error(_TOO_LARGE, node)
            return Operand(part.tree, part.type, node)
        if name in self._names:
            type_ = self._names[name]
            return Operand(("sig", name, type_.kind), type_, node)
        if name in FUNCTIONS:
            raise self._source.error(f"{name} is a function", node, f"write {name}(…)")
        known = [*self._names, *self._let, *UNITS]
        raise self._source.error(f"unknown signal {name[:60]!r}", node, did_you_mean(name, known))

    def _unit(self, name: str, node: nodes.Node) -> Operand:
        unit = UNITS[name]
        ratio = name == "percent"
        tree = ("num", unit.factor, "percent" if ratio else str(unit.dim))
        return Operand(tree, Type("num", Unit(unit.dim), ratio=ratio), node)

    def _dotted(self, node: nodes.Node) -> str:
        if isinstance(node, nodes.Name):
            return node.name
        if isinstance(node, nodes.Getattr):
            return f"{self._dotted(node.node)}.{node.attr}"
        raise self._source.error("a dot may only follow a name", node)

    def _compare(self, node: nodes.Compare) -> Operand:
        left = self._walk(node.expr)
        tree: Tree = ()
        for operand in node.ops:
            if operand.op in ("in", "notin"):
                part = self._membership(left, operand, node)
            else:
                right = self._walk(operand.expr)
                part = self._comparison(left, _COMPARISONS[operand.op], right, node)
                left = right
            tree = ("and", tree, part) if tree else part
        return Operand(tree, Type("bool"), node)

    def _comparison(self, left: Operand, sign: str, right: Operand, node: nodes.Compare) -> Tree:
        # The two sides alone, not a whole chain, are the culprit.
        pair = nodes.Tuple([left.node, right.node], "load", lineno=node.lineno)
        agree(self._source, left, right, pair, f"'{sign}'")
        if left.type.kind != "num" and sign not in ("==", "!="):
            raise self._source.error(f"'{sign}' needs numbers and gets {KINDS[left.type.kind]}", pair)
        return (sign, left.tree, right.tree)

    def _membership(self, left: Operand, operand: nodes.Operand, node: nodes.Compare) -> Tree:
        values = operand.expr
        if not isinstance(values, (nodes.List, nodes.Tuple)) or not values.items:
            raise self._source.error("'in' needs a list of values", values, "write x in ['a', 'b']")
        constants = []
        for item in values.items:
            value = self._walk(item)
            if value.tree[0] not in ("num", "str", "bool"):
                raise self._source.error("the list after 'in' may hold constants only", item)
            pair = nodes.Tuple([left.node, item], "load", lineno=node.lineno)
            agree(self._source, left, value, pair, "'in'")
            constants.append(value.tree)
        tree = ("in", left.tree, *constants)
        return ("not", tree) if operand.op == "notin" else tree

    def _logic(self, node: nodes.BinExpr) -> Operand:
        sign = "and" if isinstance(node, nodes.And) else "or"
        left, right = (self._of_kind("bool", part, f"'{sign}'") for part in (node.left, node.right))
        return Operand((sign, left.tree, right.tree), Type("bool"), node)

    def _not(self, node: nodes.Not) -> Operand:
        return Operand(("not", self._of_kind("bool", node.node, "'not'").tree), Type("bool"), node)

    def _sum(self, node: nodes.BinExpr) -> Operand:
        left, right = (self._of_kind("num", part, f"'{node.operator}'") for part in (node.left, node.right))
        return arithmetic.add(self._source, node.operator, left, right, node)

    def _product(self, node: nodes.BinExpr) -> Operand:
        left, right = (self._of_kind("num", part, f"'{node.operator}'") for part in (node.left, node.right))
        return arithmetic.multiply(self._source, node.operator, left, right, node)

    def _negative(self, node: nodes.Neg) -> Operand:
        return arithmetic.negate(self._of_kind("num", node.node, "'-'"), node)

    def _test(self, node: nodes.Test) -> Operand:
        if node.name not in ("defined", "undefined") or node.args or node.dyn_args:
            message = f"the test {node.name[:40]!r} is not part of the rule language"
            raise self._source.error(message, node, "only 'is defined' and 'is undefined' are")
        tree = ("known", self._walk(node.node).tree)
        return Operand(tree if node.name == "defined" else ("not", tree), Type("bool"), node)

    def _choice(self, node: nodes.CondExpr) -> Operand:
        if node.expr2 is None:
            raise self._source.error("'if' without 'else'", node, "write a if condition else b")
        condition = self._of_kind("bool", node.test, "'if'")
        left, right = self._walk(node.expr1), self._walk(node.expr2)
        if left.type.kind == right.type.kind == "str":
            type_ = Type("str")
        else:
            type_ = agree(self._source, left, right, node, "'if … else'")
        return Operand(("if", condition.tree, left.tree, right.tree), type_, node)

    def _call(self, node: nodes.Call) -> Operand:
        name = node.node.name if isinstance(node.node, nodes.Name) else None
        if name not in FUNCTIONS:
            hint = did_you_mean(name, FUNCTIONS) if name else ""
            message = f"a call of {name[:40] if name else 'this'} is not part of the rule language"
            raise self._source.error(message, node, hint)
        # Named arguments cannot come here: their sign '=' is refused before.
        if node.dyn_args:
            raise self._source.error(f"{name} takes plain arguments only", node)
        least, most = FUNCTIONS[name]
        if not least <= len(node.args) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            noun = "argument" if most == 1 else "arguments"
            raise self._source.error(f"{name} takes {wanted} {noun}, not {len(node.args)}", node)
        if name == "known":
            return Operand(("known", self._walk(node.args[0]).tree), Type("bool"), node)
        arguments = [self._of_kind("num", argument, name) for argument in node.args]
        return arithmetic.apply(self._source, name, arguments, node)


_VISITS: dict[type[nodes.Node], Callable[[Checker, Any], Operand]] = {
    nodes.Const: Checker._const,
    nodes.Name: Checker._name,
    nodes.Getattr: Checker._name,
    nodes.Compare: Checker._compare,
    nodes.And: Checker._logic,
    nodes.Or: Checker._logic,
    nodes.Not: Checker._not,
    nodes.Add: Checker._sum,
    nodes.Sub: Checker._sum,
    nodes.Mul: Checker._product,
    nodes.Div: Checker._product,
    nodes.Neg: Checker._negative,
    nodes.Test: Checker._test,
    nodes.CondExpr: Checker._choice,
    nodes.Call: Checker._call,
}


# The number of nodes; a tree that is too large or too deep counts as one node more than allowed. A part that
# stands in several places counts each time, so a short text can make a huge tree.
def _size(tree: Tree) -> int:
    count, pending = 0, [(tree, 1)]
    while pending:
        node, depth = pending.pop()
        count += 1
        if count > _MAX_NODES or depth > _MAX_DEPTH:
            return _MAX_NODES + 1
        pending.extend((part, depth + 1) for part in node if isinstance(part, tuple))
    return count
