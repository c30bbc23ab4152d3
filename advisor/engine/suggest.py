"""Suggestions for misspelt words."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str], *, limit: int = 3) -> str:
    """Returns a hint naming the known words that look most like `word`, or nothing.

    >>> did_you_mean("rate.alocstall", ["rate.allocstall", "mem.free"])
    "did you mean 'rate.allocstall'?"
    >>> did_you_mean("mib", ["GiB", "MiB"])
    "did you mean 'MiB'?"
    >>> did_you_mean("qqq", ["mem.free"])
    ''
    """
    words = list(known)
    close = [candidate for candidate in words if candidate.casefold() == word.casefold()]
    if not close:
        # difflib is only worth its import when something is wrong.
        from difflib import get_close_matches  # noqa: PLC0415

        close = get_close_matches(word, words, limit, 0.6)
    return f"did you mean {' or '.join(map(repr, close))}?" if close else ""
