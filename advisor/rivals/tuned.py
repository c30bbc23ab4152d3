"""TuneD: what its active profile sets.

TuneD applies sysctl.d again after its own ``[sysctl]`` values unless ``reapply_sysctl`` is 0 (tuned-main.conf(5)),
so a profile that says something else is no conflict for a setting that has a line in /etc or /run.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from advisor.hints import TYPE_CHECKING
from advisor.outlook import place
from advisor.parse import sysctld
from advisor.record import Record
from advisor.rivals.model import Rival

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from advisor.capture.model import Capture
    from advisor.outlook import Outlook
    from advisor.tunables import Tunable

    Text = Callable[[str], str | None]

ACTIVE = "etc/tuned/active_profile"
_MAIN = "etc/tuned/tuned-main.conf"
_PID = "run/tuned/tuned.pid"
_FOLDERS = ("etc/tuned", "etc/tuned/profiles", "usr/lib/tuned", "usr/lib/tuned/profiles")
_DEEPEST = 10  # profiles that include each other in a circle end here
_NAME = re.compile(r"[\w.+-]+", re.ASCII)
_VM = {
    "transparent_hugepages": "thp.enabled",
    "transparent_hugepage": "thp.enabled",
    "transparent_hugepage.defrag": "thp.defrag",
}

# Variables, functions, and values that are applied only if they are larger or smaller than the present one.
_UNDECIDED = ("$", ">", "<", "%")


class Assigned(Record):
    """A value of a profile.

    Attributes:
        value: the text.
        path: the profile's file, without the leading slash.
        line: the line, from 1.
        section: sysctl, vm or sysfs.
    """

    value: str
    path: str
    line: int
    section: str

    @property
    def decided(self) -> bool:
        """Whether the text is the value, and not something that TuneD makes a value of."""
        return not any(mark in self.value for mark in _UNDECIDED)


def profiles(text: Text) -> tuple[str, ...]:
    """The names of the active profile; several are merged."""
    return tuple(name for name in (text(ACTIVE) or "").split() if _NAME.fullmatch(name))


def assigned(text: Text) -> dict[str, Assigned]:
    """What the active profile sets: by the name of the setting, or by path for ``[sysfs]``."""
    return _merged(text, profiles(text), _DEEPEST)


def find(capture: Capture, tunable: Tunable, outlook: Outlook) -> Iterator[Rival]:
    """What the active profile makes of a setting."""
    names = " ".join(profiles(capture.text))
    if not names:
        return
    yield from _again(capture, tunable, outlook)
    values = assigned(capture.text)
    found = values.get(tunable.name) or values.get(tunable.path)
    if found is None:
        return
    wins, note = _wins(capture, tunable, outlook, found)
    if wins and capture.text(_PID) is None:
        wins, note = None, f"{note}, if TuneD runs"
    yield Rival(
        f"TuneD profile {names}", f"/{found.path}:{found.line}", found.value if found.decided else None, wins, note
    )


def _again(capture: Capture, tunable: Tunable, outlook: Outlook) -> Iterator[Rival]:
    """The files of /etc and /run, where TuneD reads them in another order than the boot does."""
    again, boot = outlook.tuned, outlook.boot
    if again.by is not None and again.value != boot.value and _reapplies(capture.text, tunable.name):
        runs = capture.text(_PID) is not None
        note = "it applies /run, /etc and then /etc/sysctl.conf again" + ("" if runs else ", if TuneD runs")
        yield Rival("TuneD, reapply_sysctl", place(again.by) or "", again.value, runs or None, note)


def _wins(capture: Capture, tunable: Tunable, outlook: Outlook, found: Assigned) -> tuple[bool | None, str]:
    if tunable.name == "thp.enabled" and "transparent_hugepage=" in (capture.text("proc/cmdline") or ""):
        return False, "the kernel command line has transparent_hugepage=, so TuneD leaves it alone"
    if found.section == "sysfs" or tunable.persist != "sysctl.d" or outlook.tuned.by is None:
        return True, "it comes after the files"
    if not _reapplies(capture.text, tunable.name):
        return True, "it comes after the files, since reapply_sysctl is off"
    return False, "reapply_sysctl: /etc and /run come after it again"


def _reapplies(text: Text, name: str) -> bool:
    options = {key: value for _n, _section, key, value in _assignments(text(_MAIN) or "")}
    excluded = re.split(r"[,;\s]+", options.get("reapply_sysctl_exclude", ""))
    on = options.get("reapply_sysctl", "1").lower() not in {"0", "false", "no", "off"}
    return on and not any(pattern and fnmatchcase(name, pattern) for pattern in excluded)


def _merged(text: Text, names: tuple[str, ...], depth: int) -> dict[str, Assigned]:
    found: dict[str, Assigned] = {}
    for name in names if depth else ():
        path, profile = _profile(text, name)
        for number, section, key, value in _assignments(profile):
            if section == "main" and key == "include":
                included = tuple(part for part in re.split(r"[,;\s]+", value) if _NAME.fullmatch(part))
                found |= _merged(text, included, depth - 1)
            elif section in {"sysctl", "vm", "sysfs"}:
                setting, plain = _meaning(section, key, value)
                found[setting] = Assigned(plain, path, number, section)
    return found


def _meaning(section: str, key: str, value: str) -> tuple[str, str]:
    """The setting's name, or its path, and its value."""
    if section == "sysfs":
        return key.strip("/"), value
    if section == "sysctl":
        return sysctld.key(key), value
    if key.endswith("_bytes") and re.fullmatch(r"\d+%", value):  # of memory: the ratio
        return f"vm.{key.removesuffix('bytes')}ratio", value.rstrip("%")
    return _VM.get(key, f"vm.{key}"), value


def _profile(text: Text, name: str) -> tuple[str, str]:
    for folder in _FOLDERS:
        path = f"{folder}/{name}/tuned.conf"
        found = text(path)
        if found is not None:
            return path, found
    return "", ""


def _assignments(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Line, section, key and value of each assignment."""
    section = ""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.partition("#")[0].strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif "=" in line:
            key, _, value = line.partition("=")
            yield number, section, key.strip(), " ".join(value.split())
