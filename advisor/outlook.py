"""What the next boot makes of a setting, what ``sysctl --system`` makes of it, and which lines say so."""

from __future__ import annotations

from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING
from advisor.persisted import effective, effective_write, persisted, sysfs_writes
from advisor.record import Record, replace
from advisor.tunables import TUNABLES, Tunable, Value, parse_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from advisor.persisted import Source


class Outlook(Record):
    """What files make of one setting.

    Attributes:
        setting: its name.
        value: the text that is there after a boot, as far as files decide; None when none does.
        by: the line that says so.
        procps_value: the text that ``sysctl --system`` leaves; None when no file sets it.
        procps_by: the line that says so.
        others: every other line for the setting, in the order in which they are read.
        undone_by: a later line for another setting that makes this one void, such as bytes after ratio.
    """

    setting: str
    value: str | None = None
    by: Source | None = None
    procps_value: str | None = None
    procps_by: Source | None = None
    others: tuple[Source, ...] = ()
    undone_by: tuple[str, Source] | None = None


class Boot:
    """All files of a host that set something at boot, understood.

    Args:
        files: text by path without the leading slash.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._settings = persisted(files)
        self._writes = sysfs_writes(files)

    def of(self, tunable: Tunable) -> Outlook:
        """What becomes of one setting."""
        plain = self._plain(tunable)
        if plain.by is None:
            return plain
        return replace(plain, undone_by=self._undone_by(tunable, plain))

    def _plain(self, tunable: Tunable) -> Outlook:
        if tunable.persist == "tmpfiles.d":
            return self._written(tunable)
        found = effective(self._settings, tunable.name) if tunable.persist == "sysctl.d" else None
        if found is None:
            return Outlook(tunable.name)
        others = _without(found.shadowed, found.winner)
        return Outlook(tunable.name, found.value, found.winner, found.procps_value, found.procps_winner, others)

    def _written(self, tunable: Tunable) -> Outlook:
        found = effective_write(self._writes, tunable.path)
        if found is None:
            return Outlook(tunable.name)
        # sysctl does not touch /sys
        return Outlook(tunable.name, found.value, found.winner, None, None, found.shadowed)

    def _undone_by(self, tunable: Tunable, own: Outlook) -> tuple[str, Source] | None:
        for name in tunable.coupled:
            rival = self._plain(TUNABLES[name])
            later = rival.by is not None and own.by is not None and _place(rival.by) > _place(own.by)
            if later and rival.by is not None and means(TUNABLES[name], rival.value) != 0:
                return name, rival.by
        return None


def means(tunable: Tunable, text: str | None) -> Value | None:
    """The value of a text, or None where it has none for this setting."""
    try:
        return None if text is None else parse_value(tunable, text)
    except AdvisorError:
        return None


def same(one: Value | None, other: Value | None) -> bool:
    """Whether two values are the same to the kernel; a shorter list leaves the other zones as they are."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        length = min(len(one), len(other))
        return one[:length] == other[:length]
    return one is not None and one == other


def _without(lines: Iterable[Source], winner: Source | None) -> tuple[Source, ...]:
    return tuple(line for line in lines if line is not winner)


def _place(line: Source) -> tuple[str, int]:
    return line.path.rpartition("/")[2], line.line
