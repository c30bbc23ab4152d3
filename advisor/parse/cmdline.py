"""/proc/cmdline: the parameters that the kernel was booted with."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.parse._text import notes, quote, unreadable, whole_lines
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

READS = ("proc/cmdline",)

_EXPECTED = "the kernel's command line"


class Cmdline(Record):
    """Parameters as written; the kernel takes ``-`` and ``_`` in their names for the same.

    Attributes:
        values: the last value of each ``name=value``.
        flags: words without a value, in order.
        problems: what was left out, and why.
    """

    values: Mapping[str, str]
    flags: tuple[str, ...]
    problems: tuple[str, ...]


def parse(text: str) -> Cmdline:
    r"""Parse the command line (lib/cmdline.c, next_arg): blanks separate, double quotes hold together.

    What follows ``--`` is for init and not read. Without the newline the last word may be incomplete: it is
    left out.

    >>> parse('psi=1 quiet dyndbg="file a.c +p" psi=0\n')
    Cmdline(values={'psi': '0', 'dyndbg': 'file a.c +p'}, flags=('quiet',), problems=())
    """
    lines, problems = whole_lines(text, _EXPECTED)
    words = _words(text)
    if len(lines) + len(problems) != 1 or words is None:
        raise unreadable(_EXPECTED, text)
    if problems:
        problems = [f"the last word, {quote(words.pop())}, may be cut off"] if words else problems
        if not words:
            raise unreadable(_EXPECTED, text)
    if "--" in words:
        words = words[: words.index("--")]
    pairs = dict([word.partition("=")[::2] for word in words if "=" in word])
    return Cmdline(pairs, tuple(word for word in words if "=" not in word), notes(problems))


def _words(text: str) -> list[str] | None:
    # None when a quotation does not end.
    outside, *rest = text.split('"')
    words = outside
    for index, part in enumerate(rest):
        # Odd parts are outside of quotes again; within them, blanks are kept by a stand-in.
        words += part if index % 2 else part.replace(" ", "\0")
    if len(rest) % 2:
        return None
    return [word.replace("\0", " ") for word in words.split()]
