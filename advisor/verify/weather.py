"""May these captures be compared at all? Whatever forbids it is named; none of it may ever look like "better"."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from advisor.errors import AdvisorError, Unknown
from advisor.hints import TYPE_CHECKING, TypeVar
from advisor.parse import stat, uptime
from advisor.record import Record
from advisor.signals.host import host_kernel, managed
from advisor.signals.settings import current
from advisor.signals.view import Readings, View
from advisor.tunables import TUNABLES
from advisor.units import format_count, format_pages
from advisor.verify.model import WORK_RANGE, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from advisor.capture.model import Capture
    from advisor.signals.model import Value
    from advisor.tunables import Value as SettingValue

T = TypeVar("T")

BOOT_ID = "proc/sys/kernel/random/boot_id"
MACHINE_ID = "etc/machine-id"

# Two readings of the boot time differ by rounding, and by corrections of the clock; a reboot takes longer.
_BTIME_JITTER_S = 5


class Facts(Record):
    """What tells whether two samples are of the same host in the same life; None where it is unknown."""

    host: str
    machine_id: str | None
    boot_id: str | None
    btime_s: int | None
    uptime_s: float | None
    wall_s: float | None
    kernel: Value
    managed: int | None


def facts(capture: Capture, index: int) -> Facts:
    """The facts of one sample."""
    view = View(Readings(capture), None, index % len(capture.samples))
    machine_id, boot_id = ((capture.text(path) or "").strip() or None for path in (MACHINE_ID, BOOT_ID))
    return Facts(
        capture.host,
        machine_id,
        boot_id,
        _known(lambda: view.after("proc/stat", stat.parse).btime_s),
        _known(lambda: view.after("proc/uptime", uptime.parse)),
        capture.samples[index].wall_s,
        _known(lambda: host_kernel(view)),
        _known(lambda: managed(view)),
    )


def _known(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Unknown:
        return None


def same_boot(one: Facts, two: Facts) -> bool | None:
    """Whether the host did not reboot in between; None where nothing tells."""
    if one.boot_id and two.boot_id:
        return one.boot_id == two.boot_id
    if one.btime_s is not None and two.btime_s is not None:
        return abs(one.btime_s - two.btime_s) <= _BTIME_JITTER_S
    return None


def elapsed(one: Facts, two: Facts) -> float | None:
    """Seconds from one sample to another, by the clock of the wall or else of the host; None where neither tells."""
    if one.wall_s is not None and two.wall_s is not None:
        return two.wall_s - one.wall_s
    if one.uptime_s is not None and two.uptime_s is not None and same_boot(one, two):
        return two.uptime_s - one.uptime_s
    return None


def in_order(captures: Sequence[Capture]) -> tuple[Capture, ...]:
    """The captures of a side by their clocks; as given where a clock is unknown."""
    began = [facts(capture, 0).wall_s for capture in captures]
    if any(time is None for time in began):
        return tuple(captures)
    return tuple(captures[index] for index in sorted(range(len(captures)), key=lambda index: began[index] or 0.0))


def refuse(before: Sequence[Capture], after: Sequence[Capture]) -> None:
    """Raises where the question itself is wrong: captures of two hosts, or in the wrong order.

    Raises:
        AdvisorError: it says which, and what to do.
    """
    names = sorted({capture.host for capture in (*before, *after) if capture.host})
    if len(names) > 1:
        raise AdvisorError(f"the captures are of different hosts: {', '.join(names)}", "compare a host with itself")
    every = [*before, *after]
    machines = {facts(capture, 0).machine_id for capture in every} - {None}
    if len(machines) > 1:
        raise AdvisorError(f"the captures are of {len(machines)} machines of one name: their machine-ids differ",
                           "compare a host with itself")  # fmt: skip
    for earlier, later in pairwise(every):
        gap = elapsed(facts(earlier, -1), facts(later, 0))
        same = earlier.samples == later.samples
        if same or (gap is not None and gap < 0):
            _refuse_order(earlier, later, same=same)


def _refuse_order(earlier: Capture, later: Capture, *, same: bool) -> None:
    names = f"{later.source or 'one'} began before {earlier.source or 'the other'} ended"
    if same:
        raise AdvisorError(f"the same capture is given twice: {earlier.source or 'both are alike'}",
                           "take one before the change and one after it")  # fmt: skip
    raise AdvisorError(f"BEFORE and AFTER are swapped, or overlap: {names}",
                       "give the capture from before the change first")  # fmt: skip


def differences(before: Sequence[Capture], after: Sequence[Capture]) -> list[str]:
    """What makes a comparison meaningless, though every capture is good: one sentence each."""
    every = [facts(capture, index) for capture in (*before, *after) for index in (0, -1)]
    first = every[0]
    found = []
    boots = {same_boot(first, each) for each in every}
    if False in boots:
        found.append("the host rebooted in between: its caches started empty, and its settings came from files")
    elif None in boots:
        found.append("nothing tells whether the host rebooted in between: neither boot id nor boot time is captured")
    kernels = list(dict.fromkeys(str(each.kernel) for each in every if each.kernel is not None))
    if len(kernels) > 1:
        found.append(f"the kernel changed: {', '.join(kernels)}")
    elif any(each.kernel is None for each in every):
        found.append("nothing tells whether it is the same kernel: its release is not captured on both sides")
    sizes = list(dict.fromkeys(each.managed for each in every if each.managed is not None))
    if len(sizes) > 1:
        amounts = f"{format_pages(sizes[0])} managed, then {format_pages(sizes[-1])}"
        found.append(f"memory was added or taken away: {amounts}")
    elif any(each.managed is None for each in every):
        found.append("nothing tells whether it is the same memory: /proc/zoneinfo is not captured on both sides")
    return found


def unordered(before: Sequence[Capture], after: Sequence[Capture]) -> list[str]:
    """Whether nothing tells that BEFORE is from before AFTER."""
    if elapsed(facts(before[-1], -1), facts(after[0], 0)) is not None:
        return []
    return ["nothing tells which of the captures was taken first: they have no clock in common; a plan would (--plan)"]


def unseen(work: Work) -> str:
    """Why nobody knows whether the load is the same; empty where it is known."""
    if work.ratio is not None:
        return ""
    side, what = ("AFTER", "unknown") if work.before else ("BEFORE", "unknown" if work.before is None else "none")
    told = f"whether the load is the same cannot be told: the work of {side} ({work.measure}) is {what}"
    return f"{told}; count requests (--requests), or name another rate (--work)"


def too_different(work: Work) -> list[str]:
    """Whether the load changed beyond comparison."""
    ratio = work.ratio
    if ratio is None or 1 / WORK_RANGE <= ratio <= WORK_RANGE:
        return []
    times, most = f"{format_count(ratio)} times the {work.measure} of BEFORE", format_count(WORK_RANGE)
    return [f"the load changed beyond comparison: {times}; up to {most} times, or its inverse, can be made good"]


def settings(capture: Capture, index: int) -> dict[str, SettingValue]:
    """The settings of the host as one sample tells them; what is not there, or is damaged, is left out."""
    view = View(Readings(capture), None, index % len(capture.samples))
    names = [name for name, tunable in TUNABLES.items()
             if tunable.scope == "host" and tunable.kind != "action" and tunable.persist != "boot"]  # fmt: skip
    read = {name: _known(partial(current, view, TUNABLES[name])) for name in names}
    return {name: value for name, value in read.items() if value is not None}


def moved(one: Mapping[str, SettingValue], two: Mapping[str, SettingValue]) -> dict[str, str]:
    """Settings that differ, with both values as text."""
    return {name: f"{name} {one[name]} → {two[name]}" for name in sorted(one.keys() & two.keys())
            if one[name] != two[name]}  # fmt: skip


def follows(names: Iterable[str]) -> set[str]:
    """These settings, and those that a write of them changes by itself."""
    known = [TUNABLES[name] for name in names if name in TUNABLES]
    return {name for tunable in known for name in (tunable.name, *tunable.coupled, *tunable.changes)}


def unsteady(captures: Sequence[Capture], side: str) -> list[str]:
    """Settings that changed while a side was being watched."""
    found = moved(settings(captures[0], 0), settings(captures[-1], -1))
    return [f"settings changed while {side} was taken: {', '.join(found.values())}"] if found else []
