"""Checks a message: Jinja2 text of which only values, one filter for each, and if/else are allowed.

Loads Jinja2 for its parser; nothing is ever rendered by it (see `message`).
"""

from __future__ import annotations

from types import MappingProxyType

from jinja2 import nodes

from advisor.engine.check import Checker
from advisor.engine.dimension import Dim
from advisor.engine.message import Template
from advisor.engine.source import Source, parse_template
from advisor.engine.suggest import did_you_mean
from advisor.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from advisor.engine.checked import Checked
    from advisor.engine.names import Type

_NO_LET: Mapping[str, Checked] = MappingProxyType({})
_PER_SECOND = (Dim(second=-1), Dim(byte=1, second=-1), Dim(page=1, second=-1))


def _exactly(dim: Dim, unit: str) -> Callable[[Dim], str | None]:
    return lambda found: unit if found == dim else None


#: Each filter: what it wants, and the unit to show a dimension in, None when it does not fit.
_FILTERS: dict[str, tuple[str, Callable[[Dim], str | None]]] = {
    "bytes": ("bytes", _exactly(Dim(byte=1), "B")),
    "pages": ("pages", _exactly(Dim(page=1), "page")),
    "seconds": ("seconds", _exactly(Dim(second=1), "s")),
    "percent": ("a number without unit", _exactly(Dim(), "percent")),
    "rate": ("something per second", lambda dim: str(dim) if dim in _PER_SECOND else None),
    "count": (
        "a number without unit, or per second",
        lambda dim: "" if dim in (Dim(), Dim(second=-1)) else None,
    ),
}


def check_template(text: str, names: Mapping[str, Type], let: Mapping[str, Checked] = _NO_LET) -> Template:
    """Returns the checked form of a message.

    A value without a filter is shown by its unit: bytes as `1.5 GiB`, ratios as `5%`, pages and times with
    their unit; counts, and counts per second, as the plain number, so that a message can say "12 stalls per
    second".

    Args:
        text: the message, at most 2000 characters.
        names: the signals that it may show.
        let: named parts.

    Raises:
        ExpressionError: with the place of the culprit.
    """
    source, syntax = parse_template(text)
    reader = _Reader(source, Checker(source, names, let))
    parts = tuple(reader.parts(syntax.body))
    return Template(text, parts, frozenset(reader.names), frozenset(reader.let))


class _Reader:
    def __init__(self, source: Source, checker: Checker) -> None:
        self._source = source
        self._checker = checker
        self.names: set[str] = set()
        self.let: set[str] = set()

    def parts(self, body: list[nodes.Node]) -> Iterator[tuple[Any, ...]]:
        for node in body:
            if isinstance(node, nodes.If):
                yield self._if(node)
            elif isinstance(node, nodes.Output):
                for piece in node.nodes:
                    yield (("text", piece.data) if isinstance(piece, nodes.TemplateData) else self._value(piece))
            else:
                raise self._source.error(f"{type(node).__name__} is not part of a message", node)

    def _if(self, node: nodes.If) -> tuple[Any, ...]:
        condition = self._checked(node.test, "bool")
        otherwise = tuple(self.parts(node.else_)) if node.else_ else None
        return ("if", condition.tree, tuple(self.parts(node.body)), otherwise)

    def _value(self, node: nodes.Expr) -> tuple[Any, ...]:
        if not isinstance(node, nodes.Filter):
            checked = self._checked(node)
            return ("value", checked.tree, _default_unit(checked.type))
        place = self._source.tokens[self._source.index[node.lineno]]
        if node.name not in _FILTERS:
            hint = did_you_mean(node.name, _FILTERS) or f"there are {', '.join(_FILTERS)}"
            raise self._source.error(f"unknown filter {node.name[:40]!r}", place, hint)
        if node.node is None or node.args or node.dyn_args:
            raise self._source.error(f"the filter {node.name} takes no arguments", place)
        if isinstance(node.node, nodes.Filter):
            raise self._source.error("a value takes one filter only", place)
        wanted, unit_for = _FILTERS[node.name]
        checked = self._checked(node.node, "num")
        unit = unit_for(checked.type.unit.dim)
        if unit is None:
            found = str(checked.type.unit.dim) or "no unit"
            raise self._source.error(f"the filter {node.name} needs {wanted} and gets {found}", node)
        return ("value", checked.tree, unit)

    def _checked(self, node: nodes.Node, want: str | None = None) -> Checked:
        checked = self._checker.expression(node, want)
        self.names |= checked.names
        self.let |= checked.let
        return checked


def _default_unit(type_: Type) -> str:
    if type_.ratio:
        return "percent"
    dim = type_.unit.dim
    return "" if dim == Dim(second=-1) else str(dim)
