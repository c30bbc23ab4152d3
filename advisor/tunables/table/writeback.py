"""Dirty pages: how many may wait, and for how long."""

from __future__ import annotations

from advisor.tunables.model import INT_MAX, Bounds, Policy, Tunable

_PAIR = "Zeroes {}: only one of the two counts."
_UNDO = "Write back whichever of {} and {} was not 0; 0 cannot be written to the bytes."
_MIB = 1 << 20
_GIB = 1 << 30
_LARGEST = 2**63 - 1

ENTRIES = (
    Tunable(
        "vm.dirty_ratio",
        "int",
        "Dirty pages at which a writing task waits for the disk, in percent of free memory and page cache",
        label="percent of dirtyable memory",
        bounds=(Bounds(0, 100, "a percentage"),),
        default=20,
        coupled=("vm.dirty_bytes",),
        side_effect=_PAIR.format("vm.dirty_bytes"),
        undo=_UNDO.format("vm.dirty_ratio", "vm.dirty_bytes"),
        policy=Policy(
            5, 40, "lower stops writers, higher lets seconds of writes pile up", approved_lo=1, approved_hi=80
        ),
        too_low="Writers wait for the disk.",
        too_high="fsync and reclaim stall; much is lost with the power.",
    ),
    Tunable(
        "vm.dirty_bytes",
        "int",
        "Dirty memory at which a writing task waits for the disk",
        unit="B",
        label="bytes",
        bounds=(Bounds(131072, _LARGEST, "two pages, 64 KiB each on the largest page size"),),
        default=0,
        coupled=("vm.dirty_ratio",),
        unset=(0,),
        side_effect=_PAIR.format("vm.dirty_ratio"),
        undo=_UNDO.format("vm.dirty_ratio", "vm.dirty_bytes"),
        policy=Policy(48 * _MIB, 4 * _GIB, "about five seconds of what a disk can write"),
        too_low="Writers wait for the disk.",
        too_high="fsync and reclaim stall; much is lost with the power.",
    ),
    Tunable(
        "vm.dirty_background_ratio",
        "int",
        "Dirty pages at which writeback starts, in percent of free memory and page cache",
        label="percent of dirtyable memory",
        bounds=(Bounds(0, 100, "a percentage"),),
        default=10,
        coupled=("vm.dirty_background_bytes",),
        side_effect=_PAIR.format("vm.dirty_background_bytes"),
        undo=_UNDO.format("vm.dirty_background_ratio", "vm.dirty_background_bytes"),
        policy=Policy(1, 20, "it must stay below vm.dirty_ratio, or the kernel halves it", approved_hi=50),
        too_low="The disk writes all the time.",
        too_high="Writes come in bursts.",
    ),
    Tunable(
        "vm.dirty_background_bytes",
        "int",
        "Dirty memory at which writeback starts",
        unit="B",
        label="bytes",
        bounds=(Bounds(1, _LARGEST, "0 is refused"),),
        default=0,
        coupled=("vm.dirty_background_ratio",),
        unset=(0,),
        side_effect=_PAIR.format("vm.dirty_background_ratio"),
        undo=_UNDO.format("vm.dirty_background_ratio", "vm.dirty_background_bytes"),
        policy=Policy(16 * _MIB, _GIB, "about one second of what a disk can write"),
        too_low="The disk writes all the time.",
        too_high="Writes come in bursts.",
    ),
    Tunable(
        "vm.dirty_expire_centisecs",
        "int",
        "Age at which dirty pages are written whatever their number",
        label="centiseconds",
        bounds=(Bounds(0, INT_MAX, "the kernel checks nothing but the sign"),),
        default=3000,
        policy=Policy(500, 3000, "older data would be lost with the power", approved_hi=12000),
        too_low="The same page is written again and again.",
        too_high="Old data is lost with the power.",
    ),
    Tunable(
        "vm.dirty_writeback_centisecs",
        "int",
        "Pause between two rounds of periodic writeback; 0 switches it off",
        label="centiseconds",
        bounds=(Bounds(0, INT_MAX, "the kernel checks nothing but the sign"),),
        default=500,
        policy=Policy(100, 1500, "0 leaves old data unwritten", approved_hi=6000),
        too_low="The disk never rests.",
        too_high="Old data is lost with the power; at 0 it is written only under pressure.",
    ),
)
