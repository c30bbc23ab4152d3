"""Watermarks, reserves and per-CPU lists."""

from __future__ import annotations

from advisor.tunables.limits import MIN_FREE_BUDGET
from advisor.tunables.model import INT_MAX, Bounds, HostFacts, Policy, Tunable

_LEAST_MIN_FREE = 1024  # KiB; below, "your system will become subtly broken" (vm.rst)


# KiB. Requests that cannot wait come in bursts of drivers, which do not grow with the memory of the host.
_MOST_MIN_FREE = 1 << 20


def _min_free_policy(host: HostFacts) -> Policy:
    floor = max(_LEAST_MIN_FREE, host.auto_min_free or 0, host.thp_floor or 0)
    return Policy(
        floor,
        max(floor, min(_MOST_MIN_FREE, int(host.managed_kib * MIN_FREE_BUDGET.automatic))),
        "at least the kernel's default and the rule of THP; at most 3 % of memory and 1 GiB, 5 % with approval",
        approved_hi=max(floor, int(host.managed_kib * MIN_FREE_BUDGET.approved)),
    )


ENTRIES = (
    Tunable(
        "vm.min_free_kbytes",
        "int",
        "Memory kept free for requests that cannot wait; the watermarks of all zones follow from it",
        unit="KiB",
        label="KiB",
        bounds=(Bounds(0, INT_MAX, "the kernel checks nothing but the sign"),),
        default_note="four times the square root of low memory in KiB, raised by THP",
        side_effect="Computes all watermarks anew, drops every boost, resizes the per-CPU lists.",
        order=20,
        undo="Write the old value; if THP was switched too, switch it back first.",
        policy=_min_free_policy,
        too_low="Atomic allocations fail; below 1024 KiB the kernel may deadlock.",
        too_high="Memory lies idle; at 5 to 10 % of RAM the OOM killer starts at once.",
    ),
    Tunable(
        "vm.watermark_scale_factor",
        "int",
        "Distance between the watermarks, in ten-thousandths of each zone: how early kswapd starts",
        label="ten-thousandths of a zone",
        bounds=(
            Bounds(
                1,
                3000,
                "kernels from 5.17 on take up to 3000",
                needs=("proc/vmstat pgpromote_success", "proc/zoneinfo promo"),
            ),
            Bounds(1, 1000, "kernels before 5.17 refuse more than 1000"),
        ),
        default=10,
        side_effect="Computes all watermarks anew, drops every boost, resizes the per-CPU lists.",
        order=30,
        max_step=5,
        policy=Policy(1, 200, "a reserve of more than 2 % of each zone needs approval", approved_hi=500),
        too_low="Tasks reclaim memory themselves before kswapd gets going.",
        too_high="Memory lies idle and page cache is lost: 1000 keeps 20 % of RAM free.",
    ),
    Tunable(
        "vm.watermark_boost_factor",
        "int",
        "How far reclaim goes beyond the high mark after page types mixed in a pageblock; 0 switches it off",
        label="ten-thousandths of the high mark",
        bounds=(Bounds(0, INT_MAX, "the kernel checks nothing but the sign"),),
        default=15000,
        side_effect="Acts at the next mixing; a boost already there stays until min_free_kbytes is written.",
        order=35,
        policy=Policy(0, 15000, "the kernel's default is the most there is a reason for"),
        too_low="Fragmentation grows; huge pages become rare.",
        too_high="kswapd drops page cache although plenty is free.",
    ),
    Tunable(
        "vm.lowmem_reserve_ratio",
        "ints",
        "What low zones keep back from requests that a higher zone could serve: its memory divided by this",
        label="divisor per zone",
        bounds=(Bounds(0, INT_MAX, "a divisor; 0 protects nothing"),),
        default_note="256 for DMA and DMA32, 32 for Normal and HighMem, 0 above",
        side_effect="Computes the protections anew; so does reading the file.",
        order=25,
        too_low="Low zones are closed to ordinary requests and their memory lies idle.",
        too_high="Low zones fill up with memory that cannot be moved.",
    ),
    Tunable(
        "vm.percpu_pagelist_high_fraction",
        "int",
        "Upper size of the per-CPU page lists as a fraction of each zone; 0 lets the kernel decide",
        label="divisor",
        bounds=(Bounds(8, INT_MAX, "0, or at least 8: no more than an eighth of a zone", also=(0,)),),
        default=0,
        too_low="Much memory hides in the lists of single CPUs.",
        too_high="More contention for the zone lock.",
    ),
    Tunable(
        "vm.percpu_pagelist_fraction",
        "int",
        "The same setting on kernels before 5.14",
        label="divisor",
        bounds=(Bounds(8, INT_MAX, "0, or at least 8: no more than an eighth of a zone", also=(0,)),),
        default=0,
        too_low="Much memory hides in the lists of single CPUs.",
        too_high="More contention for the zone lock.",
        docs="https://docs.kernel.org/admin-guide/sysctl/vm.html#percpu-pagelist-high-fraction",
    ),
)
