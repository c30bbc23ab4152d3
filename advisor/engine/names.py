"""Types of signals, and which names an expression may use for them."""

from __future__ import annotations

import re

from advisor.engine.dimension import ONE, UNITS, Unit, parse_unit
from advisor.errors import ExpressionError
from advisor.hints import TYPE_CHECKING, Literal
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["num", "bool", "str"]

#: Functions of the language and the least and greatest number of arguments.
FUNCTIONS: dict[str, tuple[int, int]] = {
    "min": (2, 20),
    "max": (2, 20),
    "clamp": (3, 3),
    "abs": (1, 1),
    "sqrt": (1, 1),
    "ceil": (1, 1),
    "floor": (1, 1),
    "known": (1, 1),
}

#: Words that the grammar itself uses.
KEYWORDS = frozenset(("and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"))
_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*"


class Type(Record):
    """What is known of a value before it is measured.

    Args:
        kind: number, condition or text.
        unit: the dimension that checks use. Values in rows are always in base units, whatever the factor.
        ratio: a number between 0 and 1; a bare 5 beside it is refused, since 5 percent may be meant.
        choices: the only texts that a signal of kind `str` takes; None when they are not known.
    """

    kind: Kind
    unit: Unit = ONE
    ratio: bool = False
    choices: tuple[str, ...] | None = None


def number(unit_text: str = "") -> Type:
    """Returns the type of a number measured in a unit; `ratio` and `percent` make it a ratio.

    >>> number("B/s").unit == parse_unit("B/s"), number("percent").ratio
    (True, True)
    """
    return Type("num", parse_unit(unit_text), ratio=unit_text in ("ratio", "percent"))


def check_names(names: Iterable[str]) -> None:
    """Refuses names that an expression could not use, or would take for something else.

    Raises:
        ExpressionError: for the name of a unit, a function or a keyword, and for anything that is not
            ASCII words joined by dots.
    """
    for name in names:
        if name in UNITS:
            raise ExpressionError(f"the name {name!r} is a unit", name, 0, len(name))
        if name in FUNCTIONS:
            raise ExpressionError(f"the name {name!r} is a function", name, 0, len(name))
        if not KEYWORDS.isdisjoint(name.split(".")):
            raise ExpressionError(f"the name {name!r} contains a word of the language", name, 0, len(name))
        if not re.fullmatch(_NAME, name):
            message = f"the name {name[:40]!r} is not made of ASCII words joined by dots"
            raise ExpressionError(message, name, 0, len(name))
