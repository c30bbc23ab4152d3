"""Drift: what runs, what the next boot sets, and what somebody wants, side by side for each setting.

found = drift(capture, {"vm.swappiness": "<= 30"})
found.differing()       the settings where these do not go together
"""

from __future__ import annotations

from advisor.errors import AdvisorError, Unknown
from advisor.hints import TYPE_CHECKING, Literal
from advisor.outlook import Boot, Outlook, place, same, written
from advisor.persisted import SYSCTL_CONF
from advisor.record import Record
from advisor.rivals import Rival, rivals, winner
from advisor.signals.formula import features_told
from advisor.signals.settings import NOT_THERE
from advisor.transaction.host import Host
from advisor.transaction.wanted import Wish, parse_wish
from advisor.tunables import TUNABLES, Tunable, Value, format_value, get

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.capture.model import Capture

Difference = Literal["boot", "system", "desired", "desired at boot", "by hand"]
"""How a setting drifts: the next boot, or sysctl --system, would set another value than runs; what runs, or what the
next boot sets, is not what is desired; it is not the kernel's default, and nothing on the host sets it."""


class Row(Record):
    """One setting.

    Attributes:
        tunable: the setting.
        running: the text that runs, as one writes it; None when it is not in the capture.
        outlook: what sysctl.d and tmpfiles.d make of it.
        rivals: who else sets it.
        next_boot: the text after the next boot; None when only the kernel can tell.
        next_boot_by: who says so: a place, a rival, ``default`` for the kernel's, or empty.
        desired: the wish in the user's form, or None.
        differences: how it drifts; empty when all goes together.
    """

    tunable: Tunable
    running: str | None
    outlook: Outlook
    rivals: tuple[Rival, ...]
    next_boot: str | None
    next_boot_by: str
    desired: str | None
    differences: tuple[Difference, ...]

    @property
    def mentioned(self) -> bool:
        """Whether a file, a rival or a wish is about it."""
        return bool(self.desired or self.rivals or self.outlook.boot.by or self.outlook.others)


class Drift(Record):
    """All settings of the catalogue that a host has, by name."""

    host: str
    rows: tuple[Row, ...]
    links: Mapping[str, str]

    def differing(self) -> tuple[Row, ...]:
        """The settings that drift."""
        return tuple(row for row in self.rows if row.differences)

    def mentioned(self) -> tuple[Row, ...]:
        """The settings that a file, a rival or a wish is about, and those that drift."""
        return tuple(row for row in self.rows if row.mentioned or row.differences)


def drift(capture: Capture, desired: Mapping[str, object] | None = None) -> Drift:
    """Compares the settings of a host.

    Args:
        capture: of the host.
        desired: by setting, a value or a wish such as ``>= 131072``.

    Raises:
        AdvisorError: a wish is for an unknown setting, or means nothing for it.
        Unknown: the capture holds none of the files that set something at boot.
    """
    host = Host(capture)
    if not host.files and NOT_THERE not in capture.unread.get(SYSCTL_CONF, ""):
        raise Unknown("no sysctl.d file is in the capture, so nobody can tell what a boot would set",
                      "add /etc/sysctl.d, /usr/lib/sysctl.d and /etc/sysctl.conf")  # fmt: skip
    wishes = {get(name).name: value for name, value in (desired or {}).items()}
    tunables = {**TUNABLES, **{name: get(name) for name in wishes}}
    comparing = _Comparing(host, Boot(host.files, features_told(host.view)))
    rows = [comparing.row(tunable, wishes.get(name)) for name, tunable in sorted(tunables.items()) if _kept(tunable)]
    return Drift(capture.host, tuple(row for row in rows if row.running is not None or row.mentioned), capture.links)


def _kept(tunable: Tunable) -> bool:
    return tunable.persist in {"sysctl.d", "tmpfiles.d"} and tunable.kind != "action"


class _Comparing:
    """Compares setting by setting."""

    def __init__(self, host: Host, boot: Boot) -> None:
        self.host = host
        self.boot = boot

    def row(self, tunable: Tunable, wanted: object) -> Row:
        """One setting, compared."""
        running, outlook = self.running(tunable), self.boot.of(tunable)
        others = rivals(self.host.capture, tunable, outlook)
        next_boot, by = self.next_boot(tunable, outlook, others)
        wish = None if wanted is None else Wish(tunable, *parse_wish(tunable, wanted), running)
        at_boot = written(tunable, next_boot)
        found: list[Difference] = []
        if at_boot is not None and running is not None and not same(at_boot, running):
            found.append("by hand" if by == "default" else "boot")
        if outlook.system.by and running is not None and not same(written(tunable, outlook.system.value), running):
            found.append("system")
        if wish is not None and not wish.holds(running):
            found.append("desired")
        if wish is not None and not wish.holds(at_boot):
            found.append("desired at boot")
        return Row(
            tunable,
            None if running is None else format_value(tunable, running),
            outlook,
            others,
            next_boot,
            by,
            None if wish is None else wish.text,
            tuple(found),
        )

    def running(self, tunable: Tunable) -> Value | None:
        """What runs; None when the capture does not tell."""
        try:
            return self.host.value(tunable)
        except AdvisorError:
            return None

    def next_boot(self, tunable: Tunable, outlook: Outlook, others: tuple[Rival, ...]) -> tuple[str | None, str]:
        """What the next boot sets, and who says so."""
        rival = winner(others)
        if rival is not None:
            return rival.value, rival.who
        if outlook.boot.by is not None:
            return outlook.boot.value, place(outlook.boot.by, self.host.capture.links) or ""
        certain = tunable.persist == "sysctl.d" and not tunable.default_note  # builds differ below /sys
        if tunable.default is None or not certain or self._set_by_twin(tunable):
            return None, ""
        return format_value(tunable, tunable.default), "default"

    def _set_by_twin(self, tunable: Tunable) -> bool:
        """Whether a setting is 0 because its twin is set."""
        twins = [TUNABLES[name] for name in tunable.coupled]
        return any(self.running(twin) != 0 and self.running(tunable) == 0 for twin in twins) and any(
            self.boot.of(twin).boot.by is not None for twin in twins
        )
