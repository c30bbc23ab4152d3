"""One zone's section of /proc/zoneinfo while it is read: see `zoneinfo`."""

from __future__ import annotations

from advisor.parse._text import COUNTABLE, not_understood, number, numbers, put

_PAGESETS = "\n  pagesets\n"
_CPU = "\n    cpu: "


class Section:
    """The figures of a zone as found, with None for contradictions.

    Attributes:
        node: NUMA node.
        name: name of the zone.
        figures: all numbers of the zone by name.
        node_figures: numbers that the kernel keeps by node and prints with the node's first populated zone.
        protection: the one entry `protection`.
        pagesets_count: how many processors' page lists follow; None when their end is not there.
        pageset_high: `high` of the first list.
        problems: what was left out.
    """

    def __init__(self, node: int, name: str) -> None:
        self.node = node
        self.name = name
        self.figures: dict[str, int | None] = {}
        self.node_figures: dict[str, int | None] = {}
        self.protection: dict[str, tuple[int, ...] | None] = {}
        self.pagesets_count: int | None = None
        self.pageset_high: int | None = None
        self.problems: list[str] = []

    def read(self, text: str, start: int, end: int) -> None:
        """Read the section that lies between two places of the text; `start` is the end of its first line."""
        pagesets = text.find(_PAGESETS, start, end)
        if pagesets < 0:
            self._lines(text[start:end].split("\n"))
        elif self._lines(text[start:pagesets].split("\n")):
            self._pagesets(text, pagesets + len(_PAGESETS) - 1, end)

    def _lines(self, lines: list[str], table: dict[str, int | None] | None = None) -> bool:
        # Enter the lines; False when they run into something that is not of the zone.
        for line in lines:
            words = line.split()
            if not words:
                continue
            if not line.startswith("  ") or self._is_foreign(line, words[0]):
                self.problems.append(not_understood(line, "a line of the zone"))
                return False
            if words[0] == "per-node":
                table = self.node_figures
                continue
            # A node's figures stand six blanks deep. The zone's first ones do not, later ones may.
            if not line.startswith("      ") or line.startswith("       "):
                table = self.figures
            self._enter(line, words, table)
        return True

    def _is_foreign(self, line: str, word: str) -> bool:
        # The first lines of a zone, where it has lines already: the heading between was lost.
        if word in {"per-node", "pages"} and self.figures:
            return True
        # A line of a processor's page list: "pagesets" before it was lost.
        return word.endswith(":") and word != "protection:" and line.startswith("    ")

    def _enter(self, line: str, words: list[str], table: dict[str, int | None] | None) -> None:
        # Two words, or "pages free 476" or "vm stats threshold: 4".
        name = words[0] if len(words) == 2 else " ".join(words[:-1]).removeprefix("pages ")
        name = name.removesuffix(":")
        value = number(words[-1], COUNTABLE)
        if words[0] == "protection:":
            self._enter_protection(line, words)
        elif value is None or table is None or name.count(" ") not in {0, 2}:
            # v2.6 prints "scanned  0 (a: 7 i: 30)".
            if words[0] != "scanned":
                self.problems.append(not_understood(line, "a name and a number"))
        elif name:
            # v4.19 prints one counter whose name is empty (nr_indirectly_reclaimable).
            put(table, name, value, self.problems)

    def _enter_protection(self, line: str, words: list[str]) -> None:
        inside = " ".join(words[1:])
        pages = numbers(inside[1:-1].split(", ")) if inside[:1] + inside[-1:] == "()" else None
        if pages is None:
            self.problems.append(not_understood(line, "the protection of a zone"))
        else:
            put(self.protection, "protection", pages, self.problems)

    def _pagesets(self, text: str, start: int, end: int) -> None:
        # `start` is where the list of the first processor should start.
        last = text.rfind(_CPU, start, end)
        count = _count(text, start, last) if text.startswith(_CPU, start) else None
        if count is None:
            self.problems.append("its page lists are damaged")
            return
        self.pageset_high = _high(text[start : min(end, start + 400)].split("\n")[2:-1])
        before = self.figures.keys() - {"vm stats threshold"}
        lines = text[last:end].split("\n")[2:]
        self._lines([line for line in lines if not line.startswith("    ")], self.figures)
        if self.figures.keys() - {"vm stats threshold"} == before:
            self.problems.append("it ends within its page lists")
        else:
            self.pagesets_count = count


def _count(text: str, first: int, last: int) -> int | None:
    # Every processor has equally many lines. They are listed once each, in ascending order. Otherwise a line
    # was damaged, or another zone's lists follow without their heading: None.
    second = text.find(_CPU, first + 1, last)
    each = text.count("\n", first, second if second > 0 else last)
    others, rest = divmod(text.count("\n", first, last), each) if each else (0, 0)
    processor = number(text[last + len(_CPU) : text.find("\n", last + 1)])
    if processor is None or rest or processor < others:
        return None
    return others + 1


def _high(lines: list[str]) -> int | None:
    # `high` among the lines of the first processor.
    for line in lines:
        name, _, word = line.strip().partition(":")
        if not line.startswith("      ") or name == "high":
            return number(word.strip()) if name == "high" else None
    return None
