"""What the active TuneD profile sets, for the settings that a file sets too (`advisor.rivals.tuned`)."""

from __future__ import annotations

from advisor.errors import AdvisorError, Unknown
from advisor.hints import TYPE_CHECKING
from advisor.signals.model import Value, signal
from advisor.signals.settings import current
from advisor.tunables import parse_value

if TYPE_CHECKING:
    from advisor.rivals.tuned import Assigned
    from advisor.signals.persisted import Setting
    from advisor.signals.view import View

_ACTIVE = "etc/tuned/active_profile"


def _profiles(view: View) -> tuple[str, ...]:
    """The names of the active profile; several are merged."""
    if view.capture.text(_ACTIVE) is None:
        raise Unknown("no active TuneD profile is in the capture")
    from advisor.rivals.tuned import profiles  # noqa: PLC0415  (seldom: only where TuneD is)

    names = profiles(view.capture.text)
    if not names:
        raise Unknown("no active TuneD profile is in the capture")
    return names


def _values(view: View) -> dict[str, Assigned]:
    """What the active profile sets, by sysctl name."""
    _profiles(view)
    from advisor.rivals.tuned import assigned  # noqa: PLC0415  (seldom: only where TuneD is)

    return view.once("tuned", lambda: assigned(view.capture.text))


@signal("setting.tuned_value", "text", scope="setting", reads=("etc/tuned/active_profile",), also=("TuneD",))
def tuned_value(view: View, setting: Setting) -> Value:
    """Value that the active TuneD profile gives to a setting that a file sets too."""
    found = _values(view).get(setting.key)
    if found is None:
        raise Unknown("the active TuneD profile does not set it")
    if not found.decided:
        raise Unknown("what the active TuneD profile makes of it is known to TuneD only")
    return found.value


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
    return " ".join(_profiles(view))
