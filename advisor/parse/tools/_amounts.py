"""Numbers as tools print them: with a decimal point or comma, and a unit."""

from __future__ import annotations

import re

from advisor.errors import ParseError
from advisor.parse._text import UNSIGNED, quote

_AMOUNT = re.compile(r"([0-9]{1,18})(?:[.,]([0-9]{1,3}))?([BKMGTPEbkmgtpe]?)(i?)B?")
_POWERS = "BKMGTPE"


def amount(word: str, unit: int = 1) -> int | None:
    """Bytes of one number; `unit` is for a number without one.

    A single letter counts in steps of 1024, as free prints it without ``--si``.

    >>> amount("7,3Gi"), amount("576Mi"), amount("976.5", 1 << 20), amount("7.3Gii")
    (7838315315, 603979776, 1023934464, None)
    """
    match = _AMOUNT.fullmatch(word)
    if match is None or (match[4] and not match[3]):
        return None
    fraction = match[2] or ""
    scale = 1024 ** _POWERS.index(match[3].upper()) if match[3] else unit
    value = int(match[1] + fraction) * scale // 10 ** len(fraction)
    return value if value < UNSIGNED else None


def has_unit(word: str) -> bool:
    """Tell whether a number carries its unit.

    >>> has_unit("15Gi"), has_unit("15")
    (True, False)
    """
    return not word[-1:].isdigit()


def ratio(percent: str) -> float | None:
    """A share of 1 from a percentage.

    >>> ratio("97,5"), ratio("100"), ratio("101"), ratio("٣")
    (0.975, 1.0, None, None)
    """
    match = re.fullmatch(r"([0-9]{1,3})(?:[.,]([0-9]{1,3}))?", percent)
    if match is None:
        return None
    value = float(f"{match[1]}.{match[2] or 0}") / 100
    return value if value <= 1 else None


def table_lines(text: str, expected: str) -> tuple[list[str], list[str]]:
    """The lines of an output, and a note when the last one has no end and so lost its last word."""
    if "\0" in text:
        raise ParseError(f"{expected} was expected, but found binary data")
    lines = text.split("\n")
    rest = lines.pop()
    if not rest.strip():
        return lines, []
    whole = rest.rstrip().rpartition(" ")[0] if rest == rest.rstrip() else rest
    return [*lines, whole], [f"the last line, {quote(rest)}, has no end, so its last word was left out"]
