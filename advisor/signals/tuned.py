"""What the active TuneD profile sets, for the settings that a file sets too.

TuneD applies sysctl.d again after its own ``[sysctl]`` values unless ``reapply_sysctl`` is 0 (tuned-main.conf(5)),
so a profile that says something else is no conflict as long as the file's value runs.
"""

from __future__ import annotations

import re

from advisor.errors import AdvisorError, Unknown
from advisor.hints import TYPE_CHECKING
from advisor.parse import sysctld
from advisor.signals.model import Value, signal
from advisor.signals.settings import current
from advisor.tunables import parse_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.signals.persisted import Setting
    from advisor.signals.view import View

_ACTIVE = "etc/tuned/active_profile"
_FOLDERS = ("etc/tuned", "etc/tuned/profiles", "usr/lib/tuned", "usr/lib/tuned/profiles")
_DEEPEST = 10  # profiles that include each other in a circle end here
_NAME = re.compile(r"[\w.+-]+", re.ASCII)

# Variables, functions, and values that are applied only if they are larger or smaller than the present one.
_UNDECIDED = ("$", ">", "<", "%")


def active_profile(view: View) -> tuple[str, ...]:
    """The names of the active profile; several are merged."""
    text = view.capture.text(_ACTIVE)
    names = tuple(name for name in (text or "").split() if _NAME.fullmatch(name))
    if not names:
        raise Unknown("no active TuneD profile is in the capture")
    return names


def _values(view: View) -> dict[str, str]:
    """What the active profile sets, by sysctl name."""
    return view.once("tuned", lambda: _merged(view, active_profile(view), _DEEPEST))


def _merged(view: View, names: tuple[str, ...], depth: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names if depth else ():
        for section, key, value in _assignments(_profile(view, name)):
            if section == "main" and key == "include":
                included = tuple(part for part in re.split(r"[,;\s]+", value) if _NAME.fullmatch(part))
                found |= _merged(view, included, depth - 1)
            elif section == "sysctl":
                found[sysctld.key(key)] = value
            elif section == "vm" and key.startswith("dirty_"):
                found[f"vm.{key}"] = value
    return found


def _profile(view: View, name: str) -> str:
    for folder in _FOLDERS:
        text = view.capture.text(f"{folder}/{name}/tuned.conf")
        if text is not None:
            return text
    return ""


def _assignments(text: str) -> Iterator[tuple[str, str, str]]:
    """Section, key and value of each line of a profile."""
    section = ""
    for raw in text.splitlines():
        line = raw.partition("#")[0].strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif "=" in line:
            key, _, value = line.partition("=")
            yield section, key.strip(), " ".join(value.split())


@signal("setting.tuned_value", "text", scope="setting", reads=("etc/tuned/active_profile",), also=("TuneD",))
def tuned_value(view: View, setting: Setting) -> Value:
    """Value that the active TuneD profile gives to a setting that a file sets too."""
    value = _values(view).get(setting.key)
    if value is None:
        raise Unknown("the active TuneD profile does not set it")
    if any(mark in value for mark in _UNDECIDED):
        raise Unknown("what the active TuneD profile makes of it is known to TuneD only")
    return value


@signal("setting.set_by_tuned", "bool", scope="setting", reads=("etc/tuned/active_profile",),
        formula="the running value is the active profile's, which is not the file's")  # fmt: skip
def set_by_tuned(view: View, setting: Setting) -> Value:
    """Whether the active TuneD profile, as far as the capture holds it, explains the running value."""
    tunable = setting.tunable
    if tunable is None:
        return False
    try:
        wanted = parse_value(tunable, tuned_value(view, setting))
        return wanted == current(view, tunable) and wanted != parse_value(tunable, setting.value)
    except AdvisorError:
        return False


@signal("tuned.profile", "text", reads=("etc/tuned/active_profile",), also=("TuneD",))
def tuned_profile(view: View) -> Value:
    """Name of the active TuneD profile."""
    return " ".join(active_profile(view))
