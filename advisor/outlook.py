"""What the next boot makes of a setting, what ``sysctl --system`` makes of it, and which lines say so.

The lines are played through as the programs write them and as the kernel takes them: a value that it refuses changes
nothing, and one of two settings such as vm.dirty_bytes and vm.dirty_ratio zeroes the other.
"""

from __future__ import annotations

import re

from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING
from advisor.persisted import PROCPS, PROCPS_3, SYSTEMD, TUNED, Lines, Sysctl, effective_write, sysfs_writes
from advisor.record import Record
from advisor.tunables import TUNABLES, Tunable, Value, parse_value, possible, validate

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from advisor.persisted import Reader, Source

# What the kernel takes for a number: decimal, hexadecimal or octal as in C; white space ends it, and what follows
# is ignored (kernel/sysctl.c, proc_get_long).
_NUMBER = re.compile(r"\s*(-?)(?:0[xX]([0-9a-fA-F]{1,16})|(0[0-7]*)|([1-9][0-9]{0,19}))(?:\s|$)", re.ASCII)

# Not a value to write, but the kernel takes it, and the ratio is 0 with it (overcommit_kbytes_handler in mm/util.c).
_TAKEN = ("vm.overcommit_kbytes", 0)


class End(Record):
    """How a setting ends up when a program has written all its lines.

    Attributes:
        value: the text; None when no line sets it.
        by: the line that says so.
        undone_by: the setting whose line made this one 0, such as vm.dirty_bytes after vm.dirty_ratio; or empty.
    """

    value: str | None = None
    by: Source | None = None
    undone_by: str = ""


class Outlook(Record):
    """What files make of one setting.

    Attributes:
        setting: its name.
        boot: what is there after a boot, as far as sysctl.d or tmpfiles.d decide.
        system: what ``sysctl --system`` leaves.
        old_system: the same before procps 4.
        tuned: what TuneD finds when it applies sysctl.d again after its profile.
        others: every line for the setting but the one that decides at boot, in the order in which they are read.
        refused: the lines of `others` that the kernel refuses.
    """

    setting: str
    boot: End = End()
    system: End = End()
    old_system: End = End()
    tuned: End = End()
    others: tuple[Source, ...] = ()
    refused: tuple[Source, ...] = ()


class Boot:
    """All files of a host that set something at boot, understood.

    Args:
        files: text by path without the leading slash.
        features: what the kernel has (`advisor.tunables.features_of`); without them a value counts as taken that
            any kernel takes.
    """

    def __init__(self, files: Mapping[str, str], features: Collection[str] = ()) -> None:
        self._lines = Lines(files)
        self._features = features
        self._readers = {reader: Sysctl(files, reader) for reader in (SYSTEMD, PROCPS, PROCPS_3, TUNED)}
        self._writes = sysfs_writes(files)

    def of(self, tunable: Tunable) -> Outlook:
        """What becomes of one setting."""
        if tunable.persist == "tmpfiles.d":
            return self._written(tunable)
        if tunable.persist != "sysctl.d":
            return Outlook(tunable.name)
        boot = self._end(tunable, SYSTEMD)
        others = tuple(line for line in self._lines.of(tunable.name) if line != boot.by)
        system, old_system, tuned = (self._end(tunable, reader) for reader in (PROCPS, PROCPS_3, TUNED))
        refused = tuple(line for line in others if line.value is not None and not self._takes(tunable, line.value))
        return Outlook(tunable.name, boot, system, old_system, tuned, others, refused)

    def _written(self, tunable: Tunable) -> Outlook:
        found = effective_write(self._writes, tunable.path)
        if found is None:
            return Outlook(tunable.name)
        if written(tunable, found.value) is None:  # the lines after it count for nothing all the same
            return Outlook(tunable.name, others=(found.winner, *found.shadowed), refused=(found.winner,))
        return Outlook(tunable.name, End(found.value, found.winner), others=found.shadowed)  # sysctl leaves /sys alone

    def _end(self, tunable: Tunable, reader: Reader) -> End:
        end = End()
        for write in self._readers[reader].of((tunable.name, *tunable.coupled)):
            written = TUNABLES[write.key]
            if not self._takes(written, write.value):
                continue
            if write.key == tunable.name:
                end = End(write.value, write.source)
            elif end.by is not None:
                end = End("0", write.source, write.key)
        return end

    def _takes(self, tunable: Tunable, text: str) -> bool:
        """Whether the kernel takes a text that is written to a file below /proc/sys."""
        value = written(tunable, text)
        if value is None or (tunable.name, value) == _TAKEN:
            return value is not None
        if self._features:
            return validate(tunable, value, self._features) is None
        return possible(tunable, value) and value not in tunable.unset


def written(tunable: Tunable, text: str | None) -> Value | None:
    """The value that a text in a file stands for, as the kernel reads it; None where it is none.

    >>> written(TUNABLES["vm.swappiness"], "012 # octal"), written(TUNABLES["vm.swappiness"], "ten")
    (10, None)
    """
    if text is None:
        return None
    number = _NUMBER.match(text) if tunable.kind in {"int", "bool"} and tunable.path.startswith("proc/sys/") else None
    if number is not None:
        sign, hexadecimal, octal, decimal = number.groups()
        size = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
        text = f"{sign}{size}"
    try:
        return parse_value(tunable, text)
    except AdvisorError:
        return None


def place(line: Source | None, links: Mapping[str, str] | None = None) -> str | None:
    """Where a line stands, as one opens it: ``/etc/sysctl.d/50-a.conf:3``; of a link also where it leads."""
    if line is None:
        return None
    target = (links or {}).get(line.path)
    return f"/{line.path}:{line.line}" + (f" (a link to {target})" if target else "")


def same(one: Value | None, other: Value | None) -> bool:
    """Whether two values are the same to the kernel; a shorter list leaves the other zones as they are."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        length = min(len(one), len(other))
        return one[:length] == other[:length]
    return one is not None and one == other
