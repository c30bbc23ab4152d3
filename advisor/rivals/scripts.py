"""Scripts and units that write settings at boot: rc.local, a unit that disables huge pages, ufw, ktune."""

from __future__ import annotations

import re

from advisor.hints import TYPE_CHECKING
from advisor.parse import sysctld
from advisor.rivals.model import Rival

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.capture.model import Capture
    from advisor.outlook import Outlook
    from advisor.tunables import Tunable

_LONGEST, _LONGEST_LINE = 1 << 16, 1 << 10  # characters; a script that sets settings is short
_UNITS = "etc/systemd/system/"
_FILES = {
    "etc/rc.local": "rc.local",
    "etc/rc.d/rc.local": "rc.local",
    "etc/ufw/sysctl.conf": "ufw",
    "etc/sysctl.ktune": "ktune",
}
_ASSIGNED = re.compile(r"""(?:^|[\s"'=])-?([a-z][\w-]*(?:[./][\w-]+)+)\s*=\s*["']?([\w+-]+)""", re.ASCII)
_ECHOED = re.compile(
    r"""echo\s+(?:-n\s+)?["']?([\w+-]+)["']?\s*(?:>|\|[^>/]*)>?\s*["']?/((?:sys|proc)/[\w./-]+)""", re.ASCII
)


def find(capture: Capture, tunable: Tunable, _outlook: Outlook) -> Iterator[Rival]:
    """The last line of each such file that writes a setting."""
    for path in capture.paths():
        who = f"unit {path.removeprefix(_UNITS)}" if path.startswith(_UNITS) else _FILES.get(path)
        if who is None:
            continue
        written = [(number, value) for number, name, value in _writes(capture.text(path) or "") if _is(name, tunable)]
        if written:
            number, value = written[-1]
            yield Rival(who, f"/{path}:{number}", value, None, "if it is run at boot, after the files")


def _writes(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, setting or path, and value of everything that looks like a write."""
    for number, line in enumerate(text[:_LONGEST].split("\n"), 1):
        if line.lstrip()[:1] in {"#", ";"} or len(line) > _LONGEST_LINE:
            continue
        for value, path in _ECHOED.findall(line):
            yield number, path, value
        for name, value in _ASSIGNED.findall(line):
            yield number, name, value


def _is(name: str, tunable: Tunable) -> bool:
    return name == tunable.path or sysctld.key(name) == tunable.name
