"""/proc/pressure: the share of time in which tasks waited for memory, I/O or a processor.

The kernel's totals are exact for any window (Documentation/accounting/psi.rst); its own averages decay
and are used only where there is a single sample.
"""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.parse import pressure
from advisor.signals.model import Signal, Value, add, signal
from advisor.signals.settings import psi_available

if TYPE_CHECKING:
    from advisor.signals.view import View


def stalled(view: View, path: str, kind: str) -> float:
    """Share of the window in which some or all tasks waited; avg60 when there is one sample."""
    end = _stall(view.after(path, pressure.parse), path, kind)
    if view.since_boot:
        return end.avg60
    view.check_same_boot()
    start = _stall(view.before(path, pressure.parse), path, kind)
    if end.total_s < start.total_s:
        raise Unknown(f"/{path} went backwards between the samples")
    return min(1.0, (end.total_s - start.total_s) / view.seconds)


def _stall(parsed: pressure.Pressure, path: str, kind: str) -> pressure.Stall:
    stall: pressure.Stall | None = getattr(parsed, kind)
    if stall is None:
        raise Unknown(f"/{path} has no line '{kind}'")
    return stall


def _declare() -> None:
    for resource in ("memory", "io", "cpu"):
        path = f"proc/pressure/{resource}"
        for kind, who in (("some", "at least one task"), ("full", "every task that was not idle")):

            def share(view: View, path: str = path, kind: str = kind) -> Value:
                return stalled(view, path, kind)

            def long(view: View, path: str = path, kind: str = kind) -> Value:
                return _stall(view.after(path, pressure.parse), path, kind).avg300

            meaning = f"Share of the window in which {who} waited for {resource}."
            add(Signal(f"psi.{resource}.{kind}", "ratio", meaning, (f"{path} {kind}",),
                       "Δtotal / window.seconds; avg60 with one sample", "host", (), ("PSI",), share))  # fmt: skip
            add(Signal(f"psi.{resource}.{kind}_avg300", "ratio", meaning.replace("the window", "the last 5 minutes"),
                       (f"{path} {kind}",), "avg300", "host", (), (), long))  # fmt: skip


@signal("psi.memory.ceiling", "ratio", reads=("proc/pressure/memory some",),
        formula="psi.memory.some; 1 where the kernel does not account pressure", also=("PSI",))  # fmt: skip
def memory_ceiling(view: View) -> Value:
    """Largest share of the window in which some task may have waited for memory: an upper bound.

    For conditions that have found something and want to stay quiet where pressure says that it hurts nobody. It is
    unknown where the kernel may account pressure and the capture does not hold it.
    """
    try:
        return stalled(view, "proc/pressure/memory", "some")
    except Unknown:
        if psi_available(view) is False:
            return 1.0
        raise


_declare()
