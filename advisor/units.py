"""Numbers in base units as text for people. Used by messages and reports; nothing else formats.

Three significant digits, binary sizes, one unit for each number. What is unknown, and what is no finite
number, reads "unknown".
"""

from __future__ import annotations

import math

from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_Steps = tuple[tuple[float, str], ...]
_SIZES: _Steps = (
    (2.0**50, " PiB"),
    (2.0**40, " TiB"),
    (2.0**30, " GiB"),
    (2.0**20, " MiB"),
    (2.0**10, " KiB"),
    (1.0, " B"),
)
_TIMES: _Steps = (
    (86400.0, " days"),
    (3600.0, " h"),
    (60.0, " min"),
    (1.0, " s"),
    (1e-3, " ms"),
    (1e-6, " us"),
)
_COUNTS: _Steps = ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1.0, ""))


def format_bytes(value: float) -> str:
    """Returns a size in binary units.

    >>> format_bytes(1610612736), format_bytes(1023), format_bytes(1048575.9)
    ('1.5 GiB', '1023 B', '1 MiB')
    """
    return _scaled(value, _SIZES)


def format_seconds(value: float) -> str:
    """Returns a time span.

    >>> format_seconds(0.0123), format_seconds(90), format_seconds(86400)
    ('12.3 ms', '1.5 min', '1 day')
    """
    if not value:
        return "0 s"
    text = _scaled(value, _TIMES)
    return "1 day" if text == "1 days" else text


def format_percent(value: float) -> str:
    """Returns a ratio as a percentage.

    >>> format_percent(0.0532), format_percent(1.0)
    ('5.32%', '100%')
    """
    return _scaled(value * 100, ((1.0, "%"),))


def format_count(value: float) -> str:
    """Returns a number without unit; a million and more is shortened.

    >>> format_count(12345), format_count(0.4), format_count(1.2e6)
    ('12345', '0.4', '1.2 M')
    """
    return _scaled(value, _COUNTS)


def format_pages(value: float) -> str:
    """Returns a number of pages.

    >>> format_pages(1), format_pages(262144)
    ('1 page', '262144 pages')
    """
    text = format_count(value)
    return f"{text} {'page' if text == '1' else 'pages'}"


def format_rate(value: float) -> str:
    """Returns a number of events per second.

    >>> format_rate(12), format_rate(0.4)
    ('12/s', '0.4/s')
    """
    return f"{format_count(value)}/s"


def format_value(value: float | bool | str | None, unit: str) -> str:
    """Returns a value, given in base units, as its unit demands.

    Args:
        value: a number, a condition, a text, or None for unknown.
        unit: such as `B`, `KiB`, `s`, `page`, `percent`, `1/s`, `B/s`, `count`, or nothing. Only the
            dimension matters: a size in bytes is shown in the same way for `B` and `KiB`.

    >>> format_value(67108864.0, "B/s"), format_value(0.05, "percent"), format_value(None, "B")
    ('64 MiB/s', '5%', 'unknown')
    """
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "unknown"
    above, slash, below = unit.partition("/")
    format_number = _FORMATS.get(above)
    if format_number is None:
        return f"{format_count(value)} {unit}"
    return f"{format_number(value)}{slash}{below}"


_FORMATS: dict[str, Callable[[float], str]] = {
    **dict.fromkeys(("B", "KiB", "MiB", "GiB", "TiB"), format_bytes),
    **dict.fromkeys(("us", "ms", "s", "min", "h", "day"), format_seconds),
    **dict.fromkeys(("", "1", "count"), format_count),
    **dict.fromkeys(("percent", "ratio"), format_percent),
    "page": format_pages,
}


# Steps go from the largest to the smallest.
def _scaled(value: float, steps: _Steps) -> str:
    if not math.isfinite(value):
        return "unknown"
    limits = (math.inf, *(factor for factor, _ in steps))
    for (factor, name), limit in reversed(list(zip(steps, limits, strict=False))):
        if not math.isfinite(value / factor):
            continue
        digits = _digits(value / factor)
        # Rounding may reach the next unit: 1023.9 KiB are 1 MiB.
        if abs(float(digits)) * factor < limit:
            return f"{digits}{name}"
    return "unknown"


# Three significant digits, all digits before the point, no trailing zeros.
def _digits(value: float) -> str:
    size = abs(value)
    if size < 1e-4:
        return f"{value:.3g}" if value else "0"
    places = max(0, 2 - math.floor(math.log10(size)))
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
