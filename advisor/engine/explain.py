"""Shows how a condition came to its answer: each part, what it says, and the values that it read."""

from __future__ import annotations

from advisor.engine.checked import Checked, Tree, signals_in
from advisor.engine.rows import Row, Value, compile_row
from advisor.engine.text import expression_text
from advisor.hints import TYPE_CHECKING, Literal
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["and", "or", "not", "test"]
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


class Part(Record):
    """One part of a condition.

    Args:
        depth: 0 for the whole condition, one more for each `and`, `or`, `not` around the part.
        kind: `and`, `or`, `not`, or `test` for everything that is not taken apart further.
        text: the part in the rule language, `let` parts in place.
        value: True, False, or None for unknown.
        signals: the values that the part reads, by name, in base units; None is unknown.
        sides: for a comparison, the values of its two sides in base units; empty for anything else.
    """

    depth: int
    kind: Kind
    text: str
    value: Value
    signals: dict[str, Value]
    sides: tuple[Value, ...] = ()


def explain(condition: Checked | Tree, row: Row) -> list[Part]:
    """Returns the parts of a condition on one row, each before the parts that it is made of.

    >>> free = ("<", ("sig", "mem.free", "num"), ("num", 1048576.0, "B"))
    >>> for part in explain(("not", free), {"mem.free": 4096.0}):
    ...     print(part.depth, part.text, part.value)
    0 not mem.free < 1 * MiB False
    1 mem.free < 1 * MiB True
    """
    tree = condition.tree if isinstance(condition, Checked) else condition
    return list(_explain(tree, row, 0))


def _explain(tree: Tree, row: Row, depth: int) -> Iterator[Part]:
    kind: Kind = tree[0] if tree[0] in ("and", "or", "not") else "test"
    # Read through the evaluator, so that what it holds unknown is shown as unknown.
    signals = {name: compile_row(("sig", name, of))(row) for name, of in signals_in(tree).items()}
    sides = tuple(compile_row(side)(row) for side in tree[1:]) if tree[0] in _COMPARISONS else ()
    yield Part(depth, kind, expression_text(tree), compile_row(tree)(row), signals, sides)
    for part in _operands(tree, kind):
        yield from _explain(part, row, depth + 1)


# a and b and c are three parts side by side, not nested pairs.
def _operands(tree: Tree, kind: str) -> Iterator[Tree]:
    if kind == "test":
        return
    for part in tree[1:]:
        if kind != "not" and part[0] == kind:
            yield from _operands(part, kind)
        else:
            yield part
