"""saptune and sapconf, which set what SAP's notes ask for.

saptune keeps, for each setting that it has changed, a file with the value from before and that of each note. sapconf
reads /etc/sysconfig/sapconf when its service starts; the numbers there are floors.
"""

from __future__ import annotations

import json
import re

from advisor.hints import TYPE_CHECKING
from advisor.rivals.model import Rival

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.capture.model import Capture
    from advisor.outlook import Outlook
    from advisor.tunables import Tunable

_STATE = ("run/saptune/parameter", "var/lib/saptune/parameter")  # since version 3; version 2
_SAPTUNE_NAMES = {"thp.enabled": "THP"}
_SAPCONF = "etc/sysconfig/sapconf"
_SAPCONF_NAMES = {
    "vm.max_map_count": "MAX_MAP_COUNT",
    "vm.dirty_bytes": "DIRTY_BYTES",
    "vm.dirty_background_bytes": "DIRTY_BG_BYTES",
    "kernel.numa_balancing": "NUMA_BALANCING",
    "thp.enabled": "THP",
}
_ASSIGNMENT = re.compile(r"""\s*([A-Z_]+?)(?:_DEF|_MIN)?=["']?([^"'\s#]*)""", re.ASCII)


def find(capture: Capture, tunable: Tunable, _outlook: Outlook) -> Iterator[Rival]:
    """What the two say of a setting."""
    for folder in _STATE:
        path = f"{folder}/{_SAPTUNE_NAMES.get(tunable.name, tunable.name)}"
        if note := _last_note(capture.text(path)):
            yield Rival(f"saptune, note {note[0]}", f"/{path}", note[1], True, "applied again when its service starts")
            break
    yield from _sapconf(capture.text(_SAPCONF) or "", tunable)


def _last_note(text: str | None) -> tuple[str, str] | None:
    """Name and value of the note that was applied last; the first entry is the value from before."""
    try:
        entry = json.loads(text or "")["AllNotes"][-1]
        name, value = str(entry.get("NoteID", entry.get("NoteId", ""))), entry["Value"]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return None if name == "start" or not isinstance(value, str) or not value.strip() else (name[:40], value.strip())


def _sapconf(text: str, tunable: Tunable) -> Iterator[Rival]:
    for number, line in enumerate(text.split("\n"), 1):
        found = _ASSIGNMENT.match(line)
        if found and found[2] and found[1] == _SAPCONF_NAMES.get(tunable.name):
            floor = "at least that, " if found[2].isdigit() and tunable.name.startswith("vm.") else ""
            yield Rival("sapconf", f"/{_SAPCONF}:{number}", found[2], None, f"{floor}when its service starts")
