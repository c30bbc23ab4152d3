"""Swap: how large, how full, on what, how it is used."""

from __future__ import annotations

import contextlib

from advisor.errors import ParseError, Unknown
from advisor.hints import TYPE_CHECKING
from advisor.parse import swaps
from advisor.signals.counters import delta
from advisor.signals.host import page_size
from advisor.signals.memory import figures, printouts
from advisor.signals.model import Value, signal

if TYPE_CHECKING:
    from advisor.parse import tools
    from advisor.signals.view import View


def devices(view: View) -> tuple[swaps.SwapDevice, ...]:
    """The swap areas in use: from /proc/swaps, or as swapon(8) printed them; Unknown when one may be missing."""
    try:
        parsed: swaps.Swaps | tools.Swapon = view.after("proc/swaps", swaps.parse)
    except Unknown:
        if "swapon" not in view.capture.tools:
            raise
        parsed = _printed_by_swapon(view)
    if parsed.problems:
        raise Unknown(f"the list of swap areas is damaged: {parsed.problems[0]}", "take the capture again")
    return parsed.devices


def _printed_by_swapon(view: View) -> tools.Swapon:
    from advisor.parse import tools  # noqa: PLC0415  (seldom: only where /proc/swaps is missing)

    try:
        return tools.parse_swapon(view.capture.tools["swapon"])
    except ParseError as error:
        raise Unknown(f"swapon.txt: {error.message}") from None


def _total_and_used(view: View, *, as_shares: bool = False) -> tuple[int, int]:
    with contextlib.suppress(Unknown):
        areas = devices(view)
        return sum(area.size_bytes for area in areas), sum(area.used_bytes for area in areas)
    if view.capture.text("proc/meminfo") is None:
        for printed in printouts(view, as_shares=as_shares):
            if printed.swap_total is not None and printed.swap_used is not None:
                return printed.swap_total, printed.swap_used
    total, free = figures(view, "SwapTotal", "SwapFree", as_shares=as_shares)
    return total, total - free


def _size_and_use(view: View, *, as_shares: bool = False) -> tuple[int, int]:
    total, used = _total_and_used(view, as_shares=as_shares)
    if not 0 <= used <= total:
        raise Unknown("the figures of swap contradict each other: more is used than there is, or less than nothing")
    return total, used


@signal("swap.total", "B", reads=("proc/swaps", "proc/meminfo SwapTotal"))
def swap_total(view: View) -> Value:
    """Size of all swap areas; 0 when there is none."""
    return float(_size_and_use(view)[0])


@signal("swap.used", "B", reads=("proc/swaps", "proc/meminfo SwapFree"))
def swap_used(view: View) -> Value:
    """Swap in use. Occupied swap harms nobody by itself; look at swap.in_rate."""
    return float(_size_and_use(view)[1])


@signal("swap.used_share", "ratio", reads=("proc/swaps",), formula="swap.used / swap.total")
def swap_used_share(view: View) -> Value:
    """Share of the swap areas that is in use."""
    total, used = _size_and_use(view, as_shares=True)
    if total == 0:
        raise Unknown("there is no swap")
    return used / total


@signal(
    "swap.on_zram",
    "bool",
    reads=("proc/swaps",),
    formula="every area of the highest priority is a zram device",
)
def swap_on_zram(view: View) -> Value:
    """Whether swapping goes to compressed memory first."""
    areas = devices(view)
    if not areas:
        raise Unknown("there is no swap")
    first = max(area.priority for area in areas)
    return all(area.is_zram for area in areas if area.priority == first)


@signal("swap.readahead_hit", "ratio", reads=("proc/vmstat swap_ra_hit", "proc/vmstat swap_ra"),
        formula="Δswap_ra_hit / Δswap_ra")  # fmt: skip
def readahead_hit(view: View) -> Value:
    """Share of the pages read ahead from swap that were used."""
    ahead = delta(view, "swap_ra")
    if ahead == 0:
        raise Unknown("nothing was read ahead from swap in the window")
    return min(1.0, delta(view, "swap_ra_hit") / ahead)


@signal("swap.seconds_to_full", "s", reads=("proc/vmstat pswpout", "proc/vmstat pswpin", "proc/swaps"),
        formula="(swap.total − swap.used) / ((rate.pswpout − rate.pswpin) × page_size)")  # fmt: skip
def seconds_to_full(view: View) -> Value:
    """Time until swap is full if it goes on filling as in the window; unknown when it is not filling."""
    if view.since_boot:
        raise Unknown("one sample cannot tell how fast swap fills", "take two: advisor check --window 60")
    growth = (delta(view, "pswpout") - delta(view, "pswpin")) * page_size(view) / view.seconds
    if growth <= 0:
        raise Unknown("swap did not fill within the window")
    total, used = _size_and_use(view)
    return (total - used) / growth
