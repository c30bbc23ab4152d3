"""swapon: the swap areas in use (the file is `advisor.parse.swaps`)."""

from __future__ import annotations

from advisor.parse._text import KIB, not_understood, notes, signed, unreadable
from advisor.parse.swaps import SwapDevice
from advisor.parse.tools._amounts import amount, has_unit, table_lines
from advisor.record import Record

_EXPECTED = "the output of swapon (a heading 'Filename Type Size Used Priority' or 'NAME TYPE SIZE USED PRIO')"
_SUMMARY = ["Filename", "Type", "Size", "Used", "Priority"]
_SHOW = ["NAME", "TYPE", "SIZE", "USED", "PRIO"]


class Swapon(Record):
    """The swap areas in use, and what was left out."""

    devices: tuple[SwapDevice, ...]
    problems: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Bytes of swap space."""
        return sum(device.size_bytes for device in self.devices)

    @property
    def used(self) -> int:
        """Bytes of swap in use."""
        return sum(device.used_bytes for device in self.devices)


def parse_swapon(text: str) -> Swapon:
    r"""Read ``swapon -s`` or ``swapon --show``.

    >>> parse_swapon("Filename Type Size Used Priority\n/dev/sda2 partition 976892 976836 -2\n").used
    1000280064

    Raises:
        ParseError: there is no heading.
    """
    lines, problems = table_lines(text, _EXPECTED)
    rows = [line.split() for line in lines]
    heading = next((index for index, row in enumerate(rows) if row in (_SUMMARY, _SHOW)), None)
    if heading is None:
        raise unreadable(_EXPECTED, text)
    unit = KIB if rows[heading] == _SUMMARY else 1
    devices = []
    for line, row in zip(lines[heading + 1 :], rows[heading + 1 :], strict=True):
        device = _device(row, unit)
        if device is not None:
            devices.append(device)
        elif row:
            problems.append(not_understood(line, "a swap area"))
    return Swapon(tuple(devices), notes(problems))


# A path may contain blanks; the other columns do not.
def _device(row: list[str], unit: int) -> SwapDevice | None:
    if len(row) < len(_SUMMARY) or (unit == KIB and any(map(has_unit, row[-3:]))):
        return None
    size, used, priority = amount(row[-3], unit), amount(row[-2], unit), signed(row[-1])
    if size is None or used is None or priority is None or used > size:
        return None
    return SwapDevice(" ".join(row[:-4]), row[-4], size, used, priority)
