"""What the parsers share: numbers, lines, and tables that cannot contradict themselves."""

from __future__ import annotations

from advisor.errors import ParseError
from advisor.hints import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

K = TypeVar("K")
V = TypeVar("V")

KIB = 1024

UNSIGNED = 2**64
"""Bound of what the kernel prints with ``%lu`` on 64 bit."""

COUNTABLE = 2**63
"""Bound of what can be counted: more is a negative ``long`` that was printed as unsigned."""

_LONGEST_NOTE = 20
_LONGEST_QUOTE = 60


def number(word: str, below: int = UNSIGNED) -> int | None:
    """The value of ASCII digits, or None when `word` is anything else or not below the bound.

    >>> number("42"), number("-1"), number("1_0"), number("٣"), number("18446744073709551616")
    (42, None, None, None, None)
    """
    if len(word) > 20 or not (word.isascii() and word.isdigit()):
        return None
    value = int(word)
    return value if value < below else None


def numbers(words: Iterable[str], below: int = UNSIGNED) -> tuple[int, ...] | None:
    """All words as numbers, or None when one of them is not one.

    >>> numbers(["1", "2"]), numbers(["1", "x"])
    ((1, 2), None)
    """
    values = []
    for word in words:
        value = number(word, below)
        if value is None:
            return None
        values.append(value)
    return tuple(values)


def signed(word: str) -> int | None:
    """As `number`, with an optional minus sign.

    >>> signed("-2"), signed("2"), signed("--2"), signed("-")
    (-2, 2, None, None)
    """
    if word.startswith("-"):
        value = number(word[1:])
        return None if value is None else -value
    return number(word)


def hundredths(word: str) -> int | None:
    """How many hundredths a number with exactly two decimals has, as the kernel's ``%lu.%02lu`` prints it.

    >>> hundredths("67.31"), hundredths("67.3"), hundredths("67")
    (6731, None, None)
    """
    whole, _, fraction = word.partition(".")
    high, low = number(whole, COUNTABLE), number(fraction)
    if high is None or low is None or len(fraction) != 2:
        return None
    return high * 100 + low


def quote(text: str) -> str:
    """The text as it may stand in a message: one line, not long."""
    return repr(text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…")


def unreadable(expected: str, text: str) -> ParseError:
    """The error for text that has nothing of what was expected."""
    if not text.strip():
        return ParseError(f"{expected} was expected, but there is no text")
    return ParseError(f"{expected} was expected, but found {quote(text.strip())}")


def whole_lines(text: str, expected: str) -> tuple[list[str], list[str]]:
    """The lines that have their newline, and what is to be noted: a last line that was cut off.

    Raises ParseError when the text is binary.
    """
    if "\0" in text:
        raise ParseError(f"{expected} was expected, but found binary data")
    lines = text.split("\n")
    rest = lines.pop()
    return lines, [f"the last line, {quote(rest)}, was cut off"] if rest else []


def words_of(text: str, expected: str) -> list[str]:
    """The words of a file of one line, which must be whole."""
    lines, _ = whole_lines(text, expected)
    if len(lines) != 1 or not text.endswith("\n"):
        raise unreadable(expected, text)
    return lines[0].split()


def not_understood(line: str, expected: str) -> str:
    """The note on a malformed line."""
    return f"{quote(line)} is not {expected}"


def put(table: dict[K, V | None], key: K, value: V, problems: list[str]) -> None:
    """Enter a value, or None when another one is there already: the text contradicts itself.

    >>> table, problems = {}, []
    >>> for value in (1, 1, 2, 1):
    ...     put(table, "a", value, problems)
    >>> table, len(problems)
    ({'a': None}, 2)
    """
    if key not in table:
        table[key] = value
    elif table[key] != value:
        table[key] = None
        problems.append(f"{key} is there twice, with different values")


def known(table: Mapping[K, V | None]) -> dict[K, V]:
    """The table without the contradictions."""
    return {key: value for key, value in table.items() if value is not None}


def notes(problems: list[str]) -> tuple[str, ...]:
    """The problems for a person to read: not thousands of them."""
    if len(problems) <= _LONGEST_NOTE:
        return tuple(problems)
    return (*problems[:_LONGEST_NOTE], f"and {len(problems) - _LONGEST_NOTE} more")


def counters(text: str, expected: str, below: int = UNSIGNED) -> tuple[dict[str, int], list[str]]:
    """A file of lines ``name value``, and its problems. Raises ParseError when no line is one."""
    values = _well_formed(text, below)
    if values is not None:
        return values, []
    lines, problems = whole_lines(text, expected)
    table: dict[str, int | None] = {}
    for line in lines:
        name, _, word = line.partition(" ")
        value = number(word, below)
        # v4.19 prints one counter whose name is empty (nr_indirectly_reclaimable).
        if value is None or not _is_name(name or "nameless"):
            problems.append(not_understood(line, "a name and a number"))
        elif name:
            put(table, name, value, problems)
    if not table:
        raise unreadable(expected, text)
    return known(table), problems


def _well_formed(text: str, below: int) -> dict[str, int] | None:
    # The usual case, five times as fast as line by line: None when anything at all is out of order.
    lines = text.split("\n")
    if lines.pop() or not lines or not text.isascii():
        return None
    try:
        words = dict([line.split(" ") for line in lines])
        values = dict(zip(words, map(int, words.values()), strict=True))
    except ValueError:
        return None
    in_order = (
        len(words) == len(lines)
        and "".join(words.values()).isdigit()
        and all(map(str.isidentifier, words))
        and max(values.values()) < below
    )
    return values if in_order else None


def _is_name(name: str) -> bool:
    return name.isascii() and name.isidentifier()


def zone_of(words: list[str]) -> tuple[int, str] | None:
    """Node and zone out of the words of a line ``Node 0, zone   Normal …``; None when it is not one.

    >>> zone_of(["Node", "0,", "zone", "DMA32", "5"]), zone_of(["Node", "0", "zone", "DMA32"])
    ((0, 'DMA32'), None)
    """
    if len(words) < 4 or words[0] != "Node" or words[2] != "zone" or not words[1].endswith(","):
        return None
    node, zone = number(words[1][:-1]), words[3].removesuffix(",")
    return (node, zone) if node is not None and zone.isalnum() and zone.isascii() else None
