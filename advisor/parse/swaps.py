"""/proc/swaps: the swap areas in use."""

from __future__ import annotations

from advisor.parse._text import (
    KIB,
    known,
    not_understood,
    notes,
    number,
    put,
    signed,
    unreadable,
    whole_lines,
)
from advisor.record import Record

READS = ("proc/swaps",)

_EXPECTED = "swaps (a heading 'Filename Type Size Used Priority')"
_HEADING = ["Filename", "Type", "Size", "Used", "Priority"]


class SwapDevice(Record):
    """A swap area.

    Attributes:
        path: device or file; " (deleted)" follows the name of a file that was removed.
        kind: partition or file.
        size_bytes: size without the header page.
        used_bytes: what is in use.
        priority: the highest is used first; negative when the kernel chose it.
    """

    path: str
    kind: str
    size_bytes: int
    used_bytes: int
    priority: int

    @property
    def is_zram(self) -> bool:
        """Whether swapping goes to compressed memory.

        >>> SwapDevice("/dev/zram0", "partition", 4096, 0, 100).is_zram
        True
        """
        return self.path.rpartition("/")[2].startswith("zram")


class Swaps(Record):
    """The swap areas in use, none when the host has no swap, and what was left out."""

    devices: tuple[SwapDevice, ...]
    problems: tuple[str, ...]


def parse(text: str) -> Swaps:
    r"""Parse swaps (mm/swapfile.c, swap_show): sizes in KiB, white space in paths as octal escapes.

    A file with only its heading says that there is no swap.

    >>> parse("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n").devices
    ()
    """
    lines, problems = whole_lines(text, _EXPECTED)
    if not lines or lines[0].split() != _HEADING:
        raise unreadable(_EXPECTED, text)
    table: dict[str, SwapDevice | None] = {}
    for line in lines[1:]:
        device = _device(line.split())
        if device is None:
            problems.append(not_understood(line, "a swap area"))
        else:
            put(table, device.path, device, problems)
    return Swaps(tuple(known(table).values()), notes(problems))


def _device(words: list[str]) -> SwapDevice | None:
    if len(words) != len(_HEADING):
        return None
    path, size, used, priority = _unescaped(words[0]), number(words[2]), number(words[3]), signed(words[4])
    if path is None or size is None or used is None or priority is None:
        return None
    return SwapDevice(path, words[1], size * KIB, used * KIB, priority)


def _unescaped(path: str) -> str | None:
    # seq_file escapes blank, tab, newline and backslash: "\040" (fs/seq_file.c, mangle_path).
    first, *rest = path.split("\\")
    plain = [first]
    for part in rest:
        digits = part[:3]
        if len(digits) < 3 or not set(digits) <= set("01234567"):
            return None
        plain.append(chr(int(digits, 8)) + part[3:])
    return "".join(plain)
