"""Every setting of the catalogue as a signal under its own name: `vm.swappiness`, `thp.enabled`."""

from __future__ import annotations

from advisor.errors import AdvisorError, Unknown
from advisor.hints import TYPE_CHECKING
from advisor.signals.model import Signal, Value, add, signal
from advisor.tunables import TUNABLES, Tunable, parse_value, possible

if TYPE_CHECKING:
    from advisor.signals.view import View

_PRESSURE = "proc/pressure/memory"
# What a capture says of a file that the kernel has but does not fill (/proc/pressure/* without psi=1), or lacks.
_SWITCHED_OFF = "switched off"
NOT_THERE = "not on this host"


def current(view: View, tunable: Tunable) -> int | str | bool | tuple[int, ...]:
    """The value of a setting in its own unit, as the kernel has it now; Unknown when it was not read."""
    text = view.after(tunable.path, str)
    try:
        value = parse_value(tunable, text)
    except AdvisorError as error:
        raise Unknown(f"/{tunable.path}: {error.message}") from None
    if not possible(tunable, value):
        raise Unknown(f"/{tunable.path}: no kernel has {text.strip()} there")
    return value


def _declare() -> None:
    from advisor.engine.dimension import parse_unit  # noqa: PLC0415

    for name, tunable in TUNABLES.items():
        if tunable.kind in {"action", "ints"} or tunable.scope != "host" or tunable.persist == "boot":
            continue
        numeric = tunable.kind == "int"
        factor = parse_unit(tunable.unit).factor if numeric else 1.0

        def value(view: View, tunable: Tunable = tunable, factor: float = factor) -> Value:
            read = current(view, tunable)
            if isinstance(read, bool | str):
                return read
            assert isinstance(read, int)
            return read * factor

        unit = {"bool": "bool", "choice": "text"}.get(tunable.kind, tunable.unit)
        add(
            Signal(
                name.replace("-", "_"),
                unit,
                f"{tunable.summary}.",
                (tunable.path,),
                "",
                "host",
                tuple(tunable.choices),
                (),
                value,
            )
        )


_declare()


@signal("psi.available", "bool", reads=(_PRESSURE,), also=("PSI",))
def psi_available(view: View) -> Value:
    """Whether the kernel tells how much time is lost to memory; unknown where nobody looked for the file."""
    if view.capture.text(_PRESSURE) is not None:
        return True
    why = view.capture.unread.get(_PRESSURE, "")
    if _SWITCHED_OFF in why or NOT_THERE in why or _older_than_pressure(view):
        return False
    raise Unknown(f"/{_PRESSURE} is not in the capture", why)


def _older_than_pressure(view: View) -> bool:
    """Whether scans are counted by zone: kernels did so up to v4.7, and account pressure from v4.20 on."""
    try:
        return "pgscan_kswapd_dma" in view.vmstat
    except Unknown:
        return False


@signal("psi.can_be_switched_on", "bool", reads=(_PRESSURE, "proc/vmstat workingset_restore_file"),
        formula="the file is there but empty, or the kernel is of v5.9 or later by its counters")  # fmt: skip
def psi_can_be_switched_on(view: View) -> Value:
    """Whether booting with psi=1 would give pressure information: kernels have it from v4.20 on."""
    return _SWITCHED_OFF in view.capture.unread.get(_PRESSURE, "") or "workingset_restore_file" in view.vmstat
