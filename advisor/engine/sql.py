"""Writes a checked tree as SQL: the same answers as `rows`, in the engine that holds the data.

One writer for DuckDB, Spark and PostgreSQL. Unknown is NULL, and SQL's own logic is Kleene's. What the engines do
differently is in their `Dialect`:

* every number is a double, constants too: nothing is divided as integers, nothing rounded as decimals;
* a divisor of zero becomes NULL, so that no engine raises an error or makes an infinity of it;
* no function is used that skips NULLs, as LEAST and GREATEST do;
* what could leave the range of doubles becomes NULL as in `rows`. It is known beforehand where that can happen, since
  signals are bounded (`LARGEST`); conditions of real rules are far from it and are written without that guard.

Names are quoted, texts are literals; neither can end what it stands in. Columns must hold finite numbers within the
bounds; `fitting` makes them so.
"""

from __future__ import annotations

import math

from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from advisor.engine.checked import Tree
    from advisor.engine.rows import Value

LARGEST = 1e30
"""No signal is larger: far above any amount of memory or time, and what `check` allows in constants."""
_SMALLEST = 1e-30  # nor nearer to zero without being zero
_RANGE = 300.0  # decimal exponents that every engine computes with, a little inside of the range of doubles
_LONGEST = 1_000_000  # characters; min and max write their operands twice, so deep nests of them grow fast


class Dialect(Record):
    """What an engine does its own way.

    Attributes:
        name: for messages.
        quote: the character around names; doubled within them.
        double: its type for numbers.
        text: its type for texts.
        backslash: whether a backslash in a text literal is a sign of its own.
        raises: whether it raises an error where a double leaves its range.
        whole_ceil: whether ceil and floor give a 64-bit integer.
        count_if: its quickest way to count the rows on which `{}` is true.
    """

    name: str
    quote: str
    double: str
    text: str
    backslash: bool = False
    raises: bool = False
    whole_ceil: bool = False
    count_if: str = "COUNT_IF({})"


DUCKDB = Dialect("DuckDB", '"', "DOUBLE", "VARCHAR")
SPARK = Dialect("Spark", "`", "DOUBLE", "STRING", backslash=True, whole_ceil=True)
POSTGRES = Dialect(
    "PostgreSQL", '"', "DOUBLE PRECISION", "TEXT", raises=True, count_if="COUNT(CASE WHEN {} THEN 1 END)"
)


def to_sql(tree: Tree, dialect: Dialect, column: Callable[[str], str] | None = None) -> str:
    r"""The SQL expression of a tree.

    Args:
        tree: from `check`.
        dialect: of the engine that will read it.
        column: the SQL of the column that holds a signal; by default its quoted name.

    Raises:
        AdvisorError: the tree came not from `check`, or is too large for SQL.

    >>> to_sql(("<", ("sig", "mem.free", "num"), ("num", 4096.0, "B")), DUCKDB)
    '("mem.free" < CAST(\'4096.0\' AS DOUBLE))'
    """
    writer = _Writer(dialect, column or (lambda name: name_sql(name, dialect)))
    try:
        return writer.write(tree).sql
    except (IndexError, KeyError, RecursionError, TypeError, ValueError):
        raise AdvisorError("not a checked expression", str(tree)[:80]) from None


def name_sql(name: str, dialect: Dialect) -> str:
    """A quoted name.

    >>> name_sql('a"b', POSTGRES), name_sql("mem.free", SPARK)
    ('"a""b"', '`mem.free`')
    """
    quote = dialect.quote
    return f"{quote}{neutral(name).replace(quote, quote * 2)}{quote}"


def text_sql(text: str, dialect: Dialect) -> str:
    r"""A text literal; every character stands for itself.

    >>> text_sql("it's", DUCKDB), text_sql("${x}\\'", SPARK)
    ("'it''s'", "'\\u0024{x}\\\\\\''")
    """
    text = neutral(text)
    if not dialect.backslash:
        return "'" + text.replace("'", "''") + "'"
    # Spark replaces ${name} in the whole text of a query, literals included.
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("$", "\\u0024") + "'"


def number_sql(value: float, dialect: Dialect) -> str:
    """A number, exactly: engines read texts as doubles correctly, but literals as decimals first."""
    return f"CAST('{float(value)!r}' AS {dialect.double})"


def constant_sql(value: float | bool | str, dialect: Dialect) -> str:
    """A constant of any kind."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return text_sql(value, dialect) if isinstance(value, str) else number_sql(value, dialect)


def neutral(text: str) -> str:
    r"""A text that every engine can hold: no zero byte, nothing that is no Unicode; each such becomes U+FFFD.

    >>> neutral("a\0\udcff")
    'a��'
    """
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "�").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def fitting(value: Value) -> Value:
    """A value as columns hold it: unknown where it is no finite number or beyond `LARGEST`; texts neutral.

    >>> fitting(float("nan")), fitting(1e31), fitting(1e-40), fitting(-0.0), fitting(5)
    (None, None, 0.0, 0.0, 5.0)
    """
    if isinstance(value, str):
        return neutral(value)
    if value is None or isinstance(value, bool):
        return value
    if not -LARGEST <= value <= LARGEST:
        return None
    return float(value) if value >= _SMALLEST or value <= -_SMALLEST else 0.0


class _Part(Record):
    """SQL of a part, and for numbers the decimal exponents between which it lies when it is not zero."""

    sql: str
    low: float = 0.0
    high: float = 0.0


_SIGNAL = (math.log10(_SMALLEST), math.log10(LARGEST))
_DIGITS = 16.0  # a difference of two doubles is at least so many digits below the smaller
_COMPARE = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class _Writer:
    def __init__(self, dialect: Dialect, column: Callable[[str], str]) -> None:
        self.dialect, self.column = dialect, column

    def write(self, tree: Tree) -> _Part:
        """The SQL of a tree, in parentheses unless it is a name, a constant or a call."""
        part = _WRITE[tree[0]](self, tree)
        if len(part.sql) > _LONGEST:
            raise AdvisorError("a condition is too large for SQL", "nest fewer min and max")
        return part

    def _number(self, tree: Tree) -> _Part:
        value = float(tree[1])
        size = math.log10(abs(value)) if value else 0.0
        return _Part(number_sql(value, self.dialect), size, size)

    def _constant(self, tree: Tree) -> _Part:
        return _Part(constant_sql(tree[1], self.dialect))

    def _signal(self, tree: Tree) -> _Part:
        return _Part(self.column(tree[1]), *_SIGNAL)

    def _comparison(self, tree: Tree) -> _Part:
        return _Part(f"({self.write(tree[1]).sql} {_COMPARE[tree[0]]} {self.write(tree[2]).sql})")

    def _sum(self, tree: Tree) -> _Part:
        a, b = self.write(tree[1]), self.write(tree[2])
        return self._fit(f"({a.sql} {tree[0]} {b.sql})", min(a.low, b.low) - _DIGITS, max(a.high, b.high) + 1)

    def _product(self, tree: Tree) -> _Part:
        a, b = self.write(tree[1]), self.write(tree[2])
        return self._fit(f"({a.sql} * {b.sql})", a.low + b.low, a.high + b.high)

    def _quotient(self, tree: Tree) -> _Part:
        a, b = self.write(tree[1]), self.write(tree[2])
        divisor = b.sql if tree[2][0] == "num" and tree[2][1] else f"NULLIF({b.sql}, {number_sql(0, self.dialect)})"
        return self._fit(f"({a.sql} / {divisor})", a.low - b.high, a.high - b.low)

    def _fit(self, sql: str, low: float, high: float) -> _Part:
        """A result, unknown where it leaves the range of doubles, if it can leave it at all."""
        if low > -_RANGE and high < _RANGE:
            return _Part(sql, low, high)
        if self.dialect.raises:
            raise AdvisorError(
                f"a condition could leave the range of numbers in {self.dialect.name}", "multiply fewer signals"
            )
        if high >= _RANGE:
            for sign in ("", "-"):
                sql = f"NULLIF({sql}, CAST('{sign}Infinity' AS {self.dialect.double}))"
        return _Part(sql, max(low, -330.0), min(high, 308.5))

    def _least(self, tree: Tree) -> _Part:
        parts = [self.write(part) for part in _operands(tree, tree[0])]
        # In pairs, pairs of pairs and so on: each level doubles the text, and min may have 20 operands.
        while len(parts) > 1:
            pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
            parts = [self._lesser(tree[0], *pair) if len(pair) == 2 else pair[0] for pair in pairs]
        return parts[0]

    @staticmethod
    def _lesser(name: str, a: _Part, b: _Part) -> _Part:
        sign = "<" if name == "min" else ">"
        # When either is NULL, so is the comparison, and then the whole.
        sql = f"(CASE {b.sql} {sign} {a.sql} WHEN TRUE THEN {b.sql} WHEN FALSE THEN {a.sql} END)"
        return _Part(sql, min(a.low, b.low), max(a.high, b.high))

    def _negative(self, tree: Tree) -> _Part:
        a = self.write(tree[1])
        return _Part(f"(- {a.sql})", a.low, a.high)

    def _absolute(self, tree: Tree) -> _Part:
        a = self.write(tree[1])
        return _Part(f"ABS({a.sql})", a.low, a.high)

    def _root(self, tree: Tree) -> _Part:
        a = self.write(tree[1])
        zero = number_sql(0, self.dialect)
        return _Part(f"SQRT(CASE WHEN {a.sql} >= {zero} THEN {a.sql} END)", a.low / 2, a.high / 2)

    def _whole(self, tree: Tree) -> _Part:
        a = self.write(tree[1])
        sql = f"{tree[0].upper()}({a.sql})"
        if self.dialect.whole_ceil:
            # From 2**52 on every double is a whole number.
            most, double = number_sql(2.0**52, self.dialect), self.dialect.double
            sql = f"(CASE WHEN ABS({a.sql}) < {most} THEN CAST({sql} AS {double}) ELSE {a.sql} END)"
        return _Part(sql, 0.0, max(a.high, 0.0))

    def _logic(self, tree: Tree) -> _Part:
        return _Part(f"({self.write(tree[1]).sql} {tree[0].upper()} {self.write(tree[2]).sql})")

    def _not(self, tree: Tree) -> _Part:
        return _Part(f"(NOT {self.write(tree[1]).sql})")

    def _in(self, tree: Tree) -> _Part:
        sql = self.write(tree[1]).sql
        if isinstance(tree[2][1], float):
            # Spark looks long lists up by bits, in which 0 and -0 differ; adding 0 leaves 0 only.
            sql = f"({sql} + {number_sql(0, self.dialect)})"
        constants = (constant_sql(constant[1] or 0.0 if constant[0] == "num" else constant[1], self.dialect)
                     for constant in tree[2:])  # fmt: skip
        return _Part(f"({sql} IN ({', '.join(constants)}))")

    def _known(self, tree: Tree) -> _Part:
        return _Part(f"({self.write(tree[1]).sql} IS NOT NULL)")

    def _if(self, tree: Tree) -> _Part:
        condition, a, b = (self.write(part) for part in tree[1:])
        sql = f"(CASE {condition.sql} WHEN TRUE THEN {a.sql} WHEN FALSE THEN {b.sql} END)"
        return _Part(sql, min(a.low, b.low), max(a.high, b.high))


def _operands(tree: Tree, name: str) -> list[Tree]:
    if tree[0] != name:
        return [tree]
    return [*_operands(tree[1], name), *_operands(tree[2], name)]


_WRITE: dict[str, Callable[[_Writer, Tree], _Part]] = {
    "num": _Writer._number,
    "str": _Writer._constant,
    "bool": _Writer._constant,
    "sig": _Writer._signal,
    **dict.fromkeys(_COMPARE, _Writer._comparison),
    "+": _Writer._sum,
    "-": _Writer._sum,
    "*": _Writer._product,
    "/": _Writer._quotient,
    "min": _Writer._least,
    "max": _Writer._least,
    "neg": _Writer._negative,
    "abs": _Writer._absolute,
    "sqrt": _Writer._root,
    "ceil": _Writer._whole,
    "floor": _Writer._whole,
    "and": _Writer._logic,
    "or": _Writer._logic,
    "not": _Writer._not,
    "in": _Writer._in,
    "known": _Writer._known,
    "if": _Writer._if,
}
