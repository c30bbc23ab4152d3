"""A checked message: text with values in it, and its rendering. Loads no Jinja2."""

from __future__ import annotations

from advisor.engine.checked import Tree, frozen
from advisor.engine.rows import Row, compile_row
from advisor.errors import ExpressionError
from advisor.hints import Any
from advisor.record import Record
from advisor.units import format_value

UNKNOWN = "unknown"


class Template(Record):
    """A message that is known to be well formed.

    Args:
        text: as the author wrote it.
        parts: `("text", text)`, `("value", tree, unit)` with the text of the unit to show it in, or
            `("if", tree, parts, parts or None)`.
        names: the signals that it reads.
        let: the `let` parts that it uses.
    """

    text: str
    parts: tuple[Any, ...]
    names: frozenset[str]
    let: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """Returns the message as JSON values."""
        return {"text": self.text, "parts": self.parts, "names": sorted(self.names), "let": sorted(self.let)}

    @staticmethod
    def from_json(data: Any) -> Template:
        """Returns the message that `to_json` described.

        Raises:
            ExpressionError: when `data` has another shape.
        """
        try:
            names, let = frozenset(data["names"]), frozenset(data["let"])
            return Template(data["text"], frozen(data["parts"]), names, let)
        except (KeyError, RecursionError, TypeError):
            raise ExpressionError("not a stored message", str(data)[:80]) from None


def render(template: Template, row: Row) -> str:
    """Returns the message for one row.

    An unknown value reads "unknown". An `if` whose condition is unknown takes neither of its branches: it
    reads "unknown" when it has an else, and nothing when it has none.

    >>> free = ("sig", "mem.free", "num")
    >>> render(Template("", (("text", "free: "), ("value", free, "B")), frozenset()), {"mem.free": 4096.0})
    'free: 4 KiB'
    """
    return _render(template.parts, row)


def _render(parts: tuple[Any, ...], row: Row) -> str:
    return "".join(part[1] if part[0] == "text" else _part(part, row) for part in parts)


def _part(part: Tree, row: Row) -> str:
    value = compile_row(part[1])(row)
    if part[0] == "value":
        return format_value(value, part[2])
    _, _, then, otherwise = part
    if value is None:
        return "" if otherwise is None else UNKNOWN
    return _render(then if value else otherwise or (), row)
