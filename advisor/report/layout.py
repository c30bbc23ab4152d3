"""Lines of styled text: one layout for pipes and for terminals.

A line is a list of spans, each a text and the name of a style. `plain` drops the styles; `to_terminal` hands
them to rich, which is loaded only there and knows about colours, NO_COLOR and the width.
"""

from __future__ import annotations

import textwrap

from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

Span = tuple[str, str]
Line = list[Span]

_LONGEST = 4000  # characters of a paragraph; a capture may bring megabytes, and wrapping them takes minutes

STYLES = {
    "critical": "bold red",
    "warning": "bold yellow",
    "notice": "cyan",
    "good": "bold green",
    "title": "bold",
    "label": "dim",
    "value": "bold cyan",
    "quiet": "dim",
    "free": "green",
    "below": "red",
    "": "",
}


def host_count(count: int) -> str:
    """A number of hosts, in words.

    >>> host_count(1), host_count(20)
    ('1 host', '20 hosts')
    """
    return "1 host" if count == 1 else f"{count} hosts"


def clean(text: str) -> str:
    r"""The text without control characters: a host's strings must not drive the reader's terminal.

    >>> clean("evil\x1b[2J name\n")
    'evil?[2J name?'
    """
    return "".join(c if c.isprintable() else "?" for c in text)


def paragraph(text: str, *, indent: int, width: int, label: str = "", style: str = "") -> list[Line]:
    """A text wrapped to the width, with a label before its first line.

    Args:
        text: what to say.
        indent: column of the text; the label stands to the left of it.
        width: last column.
        label: a short word, at most `indent` - 3 characters.
        style: style of the text.
    """
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    wrapped = textwrap.wrap(clean(text), max(20, width - indent), break_on_hyphens=False) or [""]
    head = f"  {label}".ljust(indent)
    lines: list[Line] = [[(head, "label"), (wrapped[0], style)]]
    lines += [[(" " * indent, ""), (part, style)] for part in wrapped[1:]]
    return lines


def plain(lines: Iterable[Line]) -> str:
    """The lines as text without styles, each ended by a newline."""
    return "".join("".join(text for text, _style in line).rstrip() + "\n" for line in lines)


def to_terminal(lines: Iterable[Line], stream: TextIO, *, color: bool | None = None) -> None:
    """Prints the lines with colours.

    Args:
        lines: what to print.
        stream: where to.
        color: True and False decide; None leaves it to the terminal and NO_COLOR.
    """
    from rich.console import Console  # noqa: PLC0415  (slow to load, wanted on terminals only)
    from rich.text import Text  # noqa: PLC0415

    console = Console(
        file=stream, force_terminal=color, no_color=color is False or None, soft_wrap=True, highlight=False
    )
    for line in lines:
        console.print(Text.assemble(*((text, STYLES[style]) for text, style in line)))
