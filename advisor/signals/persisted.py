"""What files set at boot, against what runs: `setting.NAME` for each setting of ours found in sysctl.d or tmpfiles.d.

What a distribution ships below /usr/lib is there to be overridden, so only lines of the administrator's own
files, below /etc, can be in conflict with each other.
"""

from __future__ import annotations

import re

from advisor.errors import AdvisorError, Unknown
from advisor.hints import TYPE_CHECKING
from advisor.record import Record
from advisor.signals.formula import features
from advisor.signals.model import Entity, Value, entities, signal
from advisor.signals.settings import NOT_THERE, current
from advisor.tunables import TUNABLES, Tunable, format_value, parse_value, validate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.persisted import Persisted, PersistedWrite, Source
    from advisor.signals.view import View
    from advisor.tunables import Value as SettingValue

_ROOTS = ("etc", "run", "usr/lib", "lib", "usr/local/lib")
_FOLDERS = tuple(f"{root}/{folder}" for root in _ROOTS for folder in ("sysctl", "tmpfiles.d"))
_ADMIN = "etc/"

# The kernel also takes the hexadecimal and octal numbers of C, and whatever follows after a space.
_C_NUMBER = re.compile(r"(?:0[xX][0-9a-fA-F]+|-?[0-9]+)(?:\s|$)", re.ASCII)

# How alike two names are when one is the other with a letter or two wrong (difflib's ratio; our judgement).
_ALIKE = 0.9


class Setting(Record):
    """A memory setting that some file sets at boot.

    Attributes:
        key: its name: vm.swappiness, thp.enabled.
        path: the file of the kernel, without the leading slash.
        value: the text that wins.
        winner: the line that says so.
        losers: the administrator's other lines.
        procps_value: what ``sysctl --system`` would set; None when it sets nothing.
        tunable: its entry in the catalogue, or None.
    """

    key: str
    path: str
    value: str
    winner: Source
    losers: tuple[Source, ...]
    procps_value: str | None
    tunable: Tunable | None


def _all(view: View) -> dict[str, Setting]:
    return view.readings.once("persisted", lambda: _read(view))


def _read(view: View) -> dict[str, Setting]:
    capture = view.capture
    if not any(
        path.startswith(_FOLDERS) for path in (*capture.paths(), *capture.links)
    ) and NOT_THERE not in capture.unread.get("etc/sysctl.conf", ""):
        raise Unknown("no sysctl.d file is in the capture", "add /etc/sysctl.d, /usr/lib/sysctl.d and /etc/sysctl.conf")
    from advisor.persisted import files_of, persisted, sysfs_writes  # noqa: PLC0415  (seldom: only where drop-ins are)

    files = files_of(capture)
    found = [_sysctl(key, line) for key, line in persisted(files).items() if key.startswith("vm.") or key in TUNABLES]
    writes = sysfs_writes(files)
    found += [_sysfs(tunable, writes.get(tunable.path)) for tunable in TUNABLES.values()]
    return {setting.key: setting for setting in found if setting is not None}


def _sysctl(key: str, found: Persisted) -> Setting | None:
    """A key of sysctl.d; where nothing but sysctl.conf sets it, that counts: not every boot is systemd's."""
    winner = found.winner or found.procps_winner
    if found.glob or winner is None or winner.value is None:
        return None
    path = "proc/sys/" + key.replace(".", "/")
    losers = _of_admin(line for line in (*found.shadowed, winner) if line is not winner)
    return Setting(key, path, winner.value, winner, losers, found.procps_value, TUNABLES.get(key))


def _sysfs(tunable: Tunable, found: PersistedWrite | None) -> Setting | None:
    if found is None or found.glob:
        return None
    return Setting(
        tunable.name, tunable.path, found.value, found.winner, _of_admin(found.shadowed), found.value, tunable
    )


def _of_admin(lines: Iterable[Source]) -> tuple[Source, ...]:
    return tuple(line for line in lines if line.path.startswith(_ADMIN) and not line.masked)


@entities("setting")
def setting_entities(view: View) -> tuple[Entity, ...]:
    """Every memory setting that a file sets at boot: "vm.swappiness"."""
    return tuple(Entity(key, setting) for key, setting in _all(view).items())


def _contradicting(setting: Setting) -> list[Source]:
    """The administrator's lines that set the key to another value than the one that wins."""
    wanted = setting.value.split()
    return [line for line in setting.losers if line.value is not None and line.value.split() != wanted]


def _value(setting: Setting) -> SettingValue:
    if setting.tunable is None:
        raise Unknown(f"{setting.key} is no memory setting that is known here")
    try:
        return parse_value(setting.tunable, setting.value)
    except AdvisorError as error:
        raise Unknown(f"{setting.key} in {setting.winner.path}: {error.message}") from None


def _running(view: View, setting: Setting) -> str:
    """The value that the kernel has now, as a file would spell it."""
    if setting.tunable is None:
        return " ".join(view.after(setting.path, str).split())
    return format_value(setting.tunable, current(view, setting.tunable))


@signal("setting.name", "text", scope="setting", reads=("etc/sysctl.d",))
def setting_name(view: View, setting: Setting) -> Value:
    """Name of the setting as sysctl(8) prints it."""
    return setting.key


@signal("setting.value", "text", scope="setting", reads=("etc/sysctl.d",))
def setting_value(view: View, setting: Setting) -> Value:
    """Value that wins at boot, as the file spells it."""
    return setting.value


@signal("setting.file", "text", scope="setting", reads=("etc/sysctl.d",))
def setting_file(view: View, setting: Setting) -> Value:
    """File and line that win at boot."""
    return f"/{setting.winner.path}:{setting.winner.line}"


@signal("setting.of_admin", "bool", scope="setting", reads=("etc/sysctl.d",))
def setting_of_admin(view: View, setting: Setting) -> Value:
    """Whether the line that wins stands below /etc, and not among what the distribution ships."""
    return setting.winner.path.startswith(_ADMIN)


@signal("setting.number", "", scope="setting", reads=("etc/sysctl.d",))
def setting_number(view: View, setting: Setting) -> Value:
    """Value that wins at boot as a number, in the setting's own unit."""
    value = _value(setting)
    if not isinstance(value, int):
        raise Unknown(f"{setting.key} is no single number")
    return float(value)


@signal("setting.running", "text", scope="setting", reads=("proc/sys",))
def setting_running(view: View, setting: Setting) -> Value:
    """Value that the kernel has now."""
    return _running(view, setting)


@signal("setting.differs", "bool", scope="setting", reads=("etc/sysctl.d", "proc/sys"),
        formula="the value that wins at boot is not the one that runs, compared as the kernel reads them")  # fmt: skip
def setting_differs(view: View, setting: Setting) -> Value:
    """Whether the running value is another than the next boot would set."""
    if setting.tunable is None:
        return setting.value.split() != _running(view, setting).split()
    wanted, runs = _value(setting), current(view, setting.tunable)
    if isinstance(wanted, tuple) and isinstance(runs, tuple):
        return runs[: len(wanted)] != wanted  # a shorter list leaves the other zones as they are
    return wanted != runs


@signal("setting.other_values", "", scope="setting", reads=("etc/sysctl.d",),
        formula="lines below /etc that set the key to another value than the winner")  # fmt: skip
def setting_other_values(view: View, setting: Setting) -> Value:
    """How many of the administrator's lines set the key to another value and lose."""
    return float(len(_contradicting(setting)))


@signal("setting.loser", "text", scope="setting", reads=("etc/sysctl.d",))
def setting_loser(view: View, setting: Setting) -> Value:
    """The first of the administrator's lines that sets the key to another value and loses."""
    for line in _contradicting(setting):
        return f"/{line.path}:{line.line} = {line.value}"
    raise Unknown("no other line sets the key to another value")


@signal("setting.procps_value", "text", scope="setting", reads=("etc/sysctl.conf",))
def setting_procps_value(view: View, setting: Setting) -> Value:
    """Value that sysctl --system sets: it reads /etc/sysctl.conf last, where systemd-sysctl does not read it."""
    if setting.procps_value is None:
        raise Unknown("sysctl --system does not set it")
    return setting.procps_value


@signal("setting.procps_differs", "bool", scope="setting", reads=("etc/sysctl.conf",),
        formula="the winner under systemd-sysctl is not that under sysctl --system")  # fmt: skip
def setting_procps_differs(view: View, setting: Setting) -> Value:
    """Whether sysctl --system would set another value than boot does: /etc/sysctl.conf comes last there."""
    return setting.procps_value is not None and setting.procps_value.split() != setting.value.split()


@signal("setting.exists", "bool", scope="setting", reads=("proc/sys/vm",))
def setting_exists(view: View, setting: Setting) -> Value:
    """Whether the running kernel has the setting."""
    if view.capture.text(setting.path) is not None:
        return True
    if not setting.path.startswith("proc/sys/vm/") or view.capture.text("proc/sys/vm/swappiness") is None:
        raise Unknown(f"the folder of /{setting.path} is not in the capture")
    unreadable = "permission" in view.capture.unread.get(setting.path, "")
    return unreadable or _is_action(setting)


def _is_action(setting: Setting) -> bool:
    return setting.tunable is not None and setting.tunable.kind == "action"


@signal("setting.misspelt", "bool", scope="setting", reads=("etc/sysctl.d",))
def setting_misspelt(view: View, setting: Setting) -> Value:
    """Whether no kernel has a setting of this name, but one of nearly the same."""
    return bool(_likely_name(view, setting))


@signal("setting.likely_name", "text", scope="setting", reads=("etc/sysctl.d",))
def setting_likely_name(view: View, setting: Setting) -> Value:
    """The setting that a misspelt name stands for."""
    name = _likely_name(view, setting)
    if not name:
        raise Unknown("the name is not misspelt")
    return name


def _likely_name(view: View, setting: Setting) -> str:
    if setting.tunable is not None or view.capture.text(setting.path) is not None:
        return ""
    from difflib import get_close_matches  # noqa: PLC0415  (only where a file names something unknown)

    return next(iter(get_close_matches(setting.key, TUNABLES, 1, _ALIKE)), "")


@signal("setting.is_action", "bool", scope="setting", reads=("etc/sysctl.d",))
def setting_is_action(view: View, setting: Setting) -> Value:
    """Whether writing the setting does something once, like vm.compact_memory, instead of setting a value."""
    return _is_action(setting)


@signal("setting.accepted", "bool", scope="setting", reads=("etc/sysctl.d",),
        formula="a number within what this kernel takes, or any kernel where this one is not known")  # fmt: skip
def setting_accepted(view: View, setting: Setting) -> Value:
    """Whether the kernel takes the value; one that it refuses leaves the default, and boot goes on."""
    return _refusal(view, setting) is None


@signal("setting.refusal", "text", scope="setting", reads=("etc/sysctl.d",))
def setting_refusal(view: View, setting: Setting) -> Value:
    """Why the kernel refuses the value."""
    refusal = _refusal(view, setting)
    if refusal is None:
        raise Unknown("the kernel takes the value")
    return refusal


def _refusal(view: View, setting: Setting) -> str | None:
    tunable = setting.tunable
    if tunable is None:
        raise Unknown(f"{setting.key} is no memory setting that is known here")
    try:
        value = parse_value(tunable, setting.value)
    except AdvisorError as error:
        if _C_NUMBER.match(setting.value):
            raise Unknown(f"{setting.key}: {error.message}") from None
        return str(error)
    try:
        return validate(tunable, value, features(view), writing=False)
    except Unknown:
        kernels = (frozenset(bounds.needs) for bounds in tunable.bounds)
        refusals = [validate(tunable, value, kernel, writing=False) for kernel in kernels]
        return None if None in refusals else next(iter(refusals), None)


@signal("setting.zeroed_by", "text", scope="setting", reads=("etc/sysctl.d",))
def setting_zeroed_by(view: View, setting: Setting) -> Value:
    """The setting of a later line that zeroes this one, such as bytes after ratio."""
    rival = _zeroed_by(view, setting)
    if rival is None:
        raise Unknown("no later line zeroes the setting")
    return f"{rival.key} = {rival.value} in /{rival.winner.path}:{rival.winner.line}"


@signal("setting.zeroed", "bool", scope="setting", reads=("etc/sysctl.d",),
        formula="both lines stand below /etc, neither value is 0, and the other one is written later")  # fmt: skip
def setting_zeroed(view: View, setting: Setting) -> Value:
    """Whether a later line of the administrator's makes this one void: of bytes and ratio only one counts."""
    return _zeroed_by(view, setting) is not None


def _zeroed_by(view: View, setting: Setting) -> Setting | None:
    coupled = setting.tunable.coupled if setting.tunable is not None else ()
    for name in coupled:
        rival = _all(view).get(name)
        if rival is not None and _place(rival) > _place(setting) and _both_count(rival, setting):
            return rival
    return None


def _both_count(*settings: Setting) -> bool:
    return all(s.value.strip() != "0" and s.winner.path.startswith(_ADMIN) for s in settings)


def _place(setting: Setting) -> tuple[bool, str, int]:
    """Where a line comes at boot: files by name, /etc/sysctl.conf last."""
    path = setting.winner.path
    return path == "etc/sysctl.conf", path.rpartition("/")[2], setting.winner.line
