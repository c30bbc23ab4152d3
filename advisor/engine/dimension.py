"""Units of measure: what may be compared with what, and the factor to base units.

Base units are bytes, pages, seconds and the plain number; ratios run from 0 to 1. Counts have no dimension
of their own, so events per second are `1/s`. Pages and bytes are different dimensions on purpose: the page
size of the host is the only bridge between them (4 KiB on x86, up to 64 KiB on arm64 and ppc64).
"""

from __future__ import annotations

import math
import re

from advisor.engine.suggest import did_you_mean
from advisor.errors import ExpressionError
from advisor.record import Record

_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_LARGEST = 1e30  # far above any amount of memory or time, far below what overflows in products


class Dim(Record):
    """A dimension: the exponents of bytes, pages and seconds.

    >>> str(Dim(byte=1) / Dim(second=1)), str(Dim()), str(Dim() / Dim(second=1))
    ('B/s', '', '1/s')
    """

    byte: int = 0
    page: int = 0
    second: int = 0

    def __mul__(self, other: Dim) -> Dim:
        return Dim(self.byte + other.byte, self.page + other.page, self.second + other.second)

    def __truediv__(self, other: Dim) -> Dim:
        return Dim(self.byte - other.byte, self.page - other.page, self.second - other.second)

    def root(self) -> Dim | None:
        """Returns the dimension of the square root, or None when it would have half exponents."""
        if self.byte % 2 or self.page % 2 or self.second % 2:
            return None
        return Dim(self.byte // 2, self.page // 2, self.second // 2)

    def __str__(self) -> str:
        powers = (("B", self.byte), ("page", self.page), ("s", self.second))
        above = "*".join(name for name, power in powers for _ in range(power))
        below = "".join(f"/{name}" for name, power in powers for _ in range(-power))
        return f"{above or '1'}{below}" if below else above


class Unit(Record):
    """A dimension and the number of base units in one of this unit."""

    dim: Dim = Dim()
    factor: float = 1.0

    def __mul__(self, other: Unit) -> Unit:
        return Unit(self.dim * other.dim, self.factor * other.factor)

    def __truediv__(self, other: Unit) -> Unit:
        return Unit(self.dim / other.dim, self.factor / other.factor)


ONE = Unit()
_BYTE = Dim(byte=1)
_SECOND = Dim(second=1)

#: The units that expressions know by name. Sizes are binary only, as in the kernel.
UNITS: dict[str, Unit] = {
    "B": Unit(_BYTE),
    "KiB": Unit(_BYTE, 2.0**10),
    "MiB": Unit(_BYTE, 2.0**20),
    "GiB": Unit(_BYTE, 2.0**30),
    "TiB": Unit(_BYTE, 2.0**40),
    "page": Unit(Dim(page=1)),
    "us": Unit(_SECOND, 1e-6),
    "ms": Unit(_SECOND, 1e-3),
    "s": Unit(_SECOND),
    "min": Unit(_SECOND, 60.0),
    "h": Unit(_SECOND, 3600.0),
    "day": Unit(_SECOND, 86400.0),
    "percent": Unit(Dim(), 0.01),
}
_PLAIN = ("1", "count", "ratio")


def parse_unit(text: str) -> Unit:
    """Returns the unit that a text such as `B`, `page/s`, `count/s` or `B/page` names.

    Nothing, `1`, `count` and `ratio` are the plain number, `/s` and `per second` the same as `1/s`.

    >>> parse_unit("page/s").dim == Dim(page=1, second=-1)
    True
    >>> parse_unit("KiB").factor
    1024.0

    Raises:
        ExpressionError: for a name that is no unit.
    """
    above, *below = ("/s" if text.strip() == "per second" else text).split("/")
    unit = _product(text, above) if above.strip() else ONE
    for part in below:
        unit = unit / _product(text, part)
    return unit


def _product(text: str, part: str) -> Unit:
    unit = ONE
    for word in part.split("*"):
        name = word.strip()
        if name in _PLAIN:
            continue
        if name not in UNITS:
            hint = did_you_mean(name, [*UNITS, *_PLAIN]) if name else ""
            start = text.find(name) if name else 0
            raise ExpressionError(f"unknown unit {name[:40]!r}", text, start, len(name), hint)
        unit = unit * UNITS[name]
    return unit


def parse_quantity(value: object, unit: Unit) -> float:
    """Returns a value of a YAML file, such as `62 GiB`, `5 percent` or `12`, in base units.

    A bare number is taken in `unit`; a number with a unit must have the dimension of `unit`.

    >>> parse_quantity("64 MiB/s", parse_unit("B/s"))
    67108864.0
    >>> parse_quantity(5, parse_unit("percent"))
    0.05

    Raises:
        ExpressionError: for anything that is no number of that dimension.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _in_range(value, "a number of this file", 0, 1) * unit.factor
    text = value if isinstance(value, str) else repr(value)[:80]
    found = re.match(_NUMBER, text.strip()) if isinstance(value, str) and len(text) <= 100 else None
    if found is None:
        raise ExpressionError("not a number with a unit", text[:100], 0, len(text[:100]), _example(unit))
    stripped = text.strip()
    number = _in_range(float(found.group()), text, text.index(found.group()), found.end())
    name = stripped[found.end() :].strip()
    return number * (_unit_of_quantity(text, name, unit) if name else unit).factor


def _in_range(number: float, text: str, start: int, length: int) -> float:
    # The comparison is false for NaN as well; an integer of any size compares exactly.
    if not -_LARGEST < number < _LARGEST:
        raise ExpressionError("number out of range", text, start, length)
    return float(number)


def _unit_of_quantity(text: str, name: str, expected: Unit) -> Unit:
    start = text.rindex(name)
    try:
        unit = parse_unit(name)
    except ExpressionError as error:
        raise ExpressionError(error.message, text, start + error.start, error.length, error.hint) from None
    if unit.dim != expected.dim:
        message = f"unit {name} where {str(expected.dim) or 'a plain number'} is expected"
        raise ExpressionError(message, text, start, len(name), _example(expected))
    return unit


def _example(unit: Unit) -> str:
    if math.isclose(unit.factor, 0.01):
        return "write for example 5 percent"
    shown = {"B": "512 MiB", "B/s": "64 MiB/s", "s": "10 s", "1/s": "10/s"}.get(str(unit.dim))
    return f"write for example {shown or f'10 {unit.dim}'.strip()}"
