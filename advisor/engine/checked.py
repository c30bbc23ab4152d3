"""A checked expression: the tree that every evaluator reads, and its JSON form.

A tree is a nested tuple of JSON values; its first element says what it is:

===========================  ==================================================================
`("num", value, unit)`       a number in base units; `unit` is the text of its dimension, `percent`
                             for a ratio written as such, `1` for a plain number made from units
                             (`GiB / MiB`), and nothing for a bare number
`("str", text)`              a text
`("bool", value)`            `true` or `false`
`("sig", name, kind)`        a signal of kind `num`, `bool` or `str`
`(op, a, b)`                 `op` one of `+ - * /` on numbers, `< <= > >=` on numbers, `== !=` on
                             two values of one kind; `/` by zero is unknown
`("neg", a)`                 and `abs`, `sqrt`, `ceil`, `floor`
`("min", a, b)`              and `max`; longer forms and `clamp` are nested ones
`("and", a, b)`              and `or`; Kleene's three-valued logic
`("not", a)`
`("in", a, const, …)`        `a` equals one of the constants
`("known", a)`               `a` is not unknown; never unknown itself
`("if", condition, a, b)`    unknown when the condition is
===========================  ==================================================================
"""

from __future__ import annotations

from advisor.engine.dimension import Unit, parse_unit
from advisor.engine.names import Type
from advisor.errors import AdvisorError, ExpressionError
from advisor.hints import Any
from advisor.record import Record

Tree = tuple[Any, ...]


class Checked(Record):
    """An expression that is known to be well formed.

    Args:
        text: as the author wrote it.
        tree: see the module.
        type: of the result; its unit has factor 1, since results are in base units.
        names: the signals that the tree reads, those of inlined `let` parts included.
        let: the `let` parts that the text uses.
    """

    text: str
    tree: Tree
    type: Type
    names: frozenset[str]
    let: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """Returns the expression as JSON values."""
        kind = self.type
        return {
            "text": self.text,
            "tree": self.tree,
            "type": [kind.kind, str(kind.unit.dim), kind.ratio, kind.choices],
            "names": sorted(self.names),
            "let": sorted(self.let),
        }

    @staticmethod
    def from_json(data: Any) -> Checked:
        """Returns the expression that `to_json` described.

        Raises:
            ExpressionError: when `data` has another shape.
        """
        try:
            kind, unit, ratio, choices = data["type"]
            choices = None if choices is None else tuple(choices)
            type_ = Type(kind, Unit(parse_unit(unit).dim), ratio, choices)
            names, let = frozenset(data["names"]), frozenset(data["let"])
            return Checked(data["text"], frozen(data["tree"]), type_, names, let)
        except (AdvisorError, AttributeError, KeyError, RecursionError, TypeError, ValueError):
            raise ExpressionError("not a stored expression", str(data)[:80]) from None


def frozen(value: Any) -> Tree:
    """Returns nested lists as nested tuples.

    >>> frozen(["not", ["bool", True]])
    ('not', ('bool', True))
    """
    return tuple([frozen(part) if isinstance(part, (list, tuple)) else part for part in value])


def signals_in(tree: Tree) -> dict[str, str]:
    """Returns the signals that a tree reads, each with its kind.

    >>> signals_in(("<", ("sig", "mem.free", "num"), ("sig", "mem.low", "num")))
    {'mem.free': 'num', 'mem.low': 'num'}
    """
    signals: dict[str, str] = {}
    pending = [tree]
    while pending:
        node = pending.pop()
        if node[0] == "sig":
            signals[node[1]] = node[2]
        else:
            pending.extend(part for part in reversed(node) if isinstance(part, tuple))
    return signals


def is_bare(tree: Tree) -> bool:
    """Says whether a tree is a number that its author gave no unit."""
    return bool(tree[0] == "num" and tree[2] == "")
