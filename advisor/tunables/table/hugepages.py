"""Transparent huge pages, khugepaged, and the pool of explicit huge pages."""

from __future__ import annotations

from advisor.tunables.model import INT_MAX, Bounds, HostFacts, Policy, Tunable

_THP = "sys/kernel/mm/transparent_hugepage"
_DOCS = "https://docs.kernel.org/admin-guide/mm/transhuge.html"
_POOL_DOCS = "https://docs.kernel.org/admin-guide/mm/hugetlbpage.html"

_RAISES_MIN_FREE = (
    "Raises vm.min_free_kbytes to the rule of THP when it is lower, whatever an administrator wrote; "
    "the kernel does not lower it again. Write vm.min_free_kbytes afterwards, both ways."
)
_EXISTING_STAY = "Write the old value, then vm.min_free_kbytes. Pages that exist stay as they are."

# Oracle: no more than 70 % of RAM for explicit huge pages.
_POOL_SHARE = 0.7
_LARGEST = 2**63 - 1

_PTES = (Bounds(0, 8191, "fewer than the pages of a huge page: 512 on x86, 8192 with 64 KiB pages"),)
_PTES_POLICY = Policy(0, 511, "fewer than the pages of a huge page on x86")


def _pool_policy(host: HostFacts) -> Policy:
    pages = int(host.managed_kib * 1024 * _POOL_SHARE) // host.hugepage_bytes
    return Policy(0, pages, "at most 70 % of memory, the rest of the system lives on normal pages")


def of_size(kib: int) -> Tunable:
    """The setting of one size of huge page: ``thp.hugepages-64kB.enabled``."""
    return Tunable(
        f"thp.hugepages-{kib}kB.enabled",
        "choice",
        f"Whether anonymous memory gets huge pages of {kib} KiB; inherit follows thp.enabled",
        path=f"{_THP}/hugepages-{kib}kB/enabled",
        choices=("always", "inherit", "madvise", "never"),
        default_note="inherit for the size of a PMD, never for all others",
        changes=("vm.min_free_kbytes",),
        side_effect=_RAISES_MIN_FREE,
        order=10,
        undo=_EXISTING_STAY,
        persist="tmpfiles.d",
        too_low="More page faults and TLB misses.",
        too_high="Memory given out that is never touched.",
        docs=f"{_DOCS}#global-thp-controls",
    )


ENTRIES = (
    Tunable(
        "thp.enabled",
        "choice",
        "Which anonymous memory gets transparent huge pages",
        path=f"{_THP}/enabled",
        choices=("always", "madvise", "never"),
        default_note="the distribution decides: always or madvise",
        changes=("vm.min_free_kbytes",),
        side_effect=_RAISES_MIN_FREE,
        order=10,
        undo=_EXISTING_STAY,
        persist="tmpfiles.d",
        too_low="never: more page faults and TLB misses.",
        too_high="always: memory given out that is never touched, and stalls to make room for it.",
        docs=f"{_DOCS}#global-thp-controls",
    ),
    Tunable(
        "thp.defrag",
        "choice",
        "How hard a page fault tries to get a huge page",
        path=f"{_THP}/defrag",
        choices=("always", "defer", "defer+madvise", "madvise", "never"),
        default="madvise",
        order=12,
        persist="tmpfiles.d",
        too_low="never: huge pages only where one is free already.",
        too_high="always: page faults stall for compaction and reclaim.",
        docs=f"{_DOCS}#global-thp-controls",
    ),
    Tunable(
        "thp.shmem_enabled",
        "choice",
        "Whether shared memory and memfd get huge pages",
        path=f"{_THP}/shmem_enabled",
        choices=("always", "within_size", "advise", "never", "deny", "force"),
        default="never",
        order=12,
        persist="tmpfiles.d",
        too_low="More TLB misses on shared memory.",
        too_high="Memory given out that is never touched.",
        docs=f"{_DOCS}#shmem-internal-tmpfs",
    ),
    Tunable(
        "thp.use_zero_page",
        "bool",
        "Whether reading untouched memory maps one shared huge page of zeros",
        path=f"{_THP}/use_zero_page",
        default=True,
        order=12,
        persist="tmpfiles.d",
        too_low="Reading untouched memory allocates it.",
        too_high="A page fault more when such memory is written.",
        docs=f"{_DOCS}#global-thp-controls",
    ),
    Tunable(
        "thp.shrink_underused",
        "bool",
        "Whether huge pages that are mostly zeros are split when memory is short",
        path=f"{_THP}/shrink_underused",
        default=True,
        order=12,
        persist="tmpfiles.d",
        too_low="Huge pages that are hardly used stay.",
        too_high="CPU time to look through huge pages.",
        docs=f"{_DOCS}#global-thp-controls",
    ),
    Tunable(
        "khugepaged.defrag",
        "bool",
        "Whether khugepaged may reclaim and compact to get a huge page",
        path=f"{_THP}/khugepaged/defrag",
        default=True,
        order=14,
        persist="tmpfiles.d",
        too_low="Fewer huge pages are made later on.",
        too_high="khugepaged reclaims memory that is in use.",
        docs=f"{_DOCS}#khugepaged-controls",
    ),
    Tunable(
        "khugepaged.pages_to_scan",
        "int",
        "Pages that khugepaged looks at in one round",
        path=f"{_THP}/khugepaged/pages_to_scan",
        label="pages",
        bounds=(Bounds(1, 2**32 - 1, "an unsigned int above 0"),),
        default=4096,
        order=14,
        persist="tmpfiles.d",
        too_low="Huge pages are made slowly.",
        too_high="CPU time for khugepaged.",
        docs=f"{_DOCS}#khugepaged-controls",
    ),
    Tunable(
        "khugepaged.scan_sleep_millisecs",
        "int",
        "Pause between two rounds of khugepaged",
        path=f"{_THP}/khugepaged/scan_sleep_millisecs",
        unit="ms",
        label="ms",
        bounds=(Bounds(0, 2**32 - 1, "an unsigned int"),),
        default=10000,
        order=14,
        persist="tmpfiles.d",
        too_low="khugepaged keeps a CPU busy.",
        too_high="Huge pages are made slowly.",
        docs=f"{_DOCS}#khugepaged-controls",
    ),
    Tunable(
        "khugepaged.alloc_sleep_millisecs",
        "int",
        "Pause of khugepaged after it failed to get a huge page",
        path=f"{_THP}/khugepaged/alloc_sleep_millisecs",
        unit="ms",
        label="ms",
        bounds=(Bounds(0, 2**32 - 1, "an unsigned int"),),
        default=60000,
        order=14,
        persist="tmpfiles.d",
        too_low="khugepaged reclaims again and again in vain.",
        too_high="Huge pages are made slowly after memory was short.",
        docs=f"{_DOCS}#khugepaged-controls",
    ),
    Tunable(
        "khugepaged.max_ptes_none",
        "int",
        "Pages never touched that khugepaged may add to make a huge page",
        path=f"{_THP}/khugepaged/max_ptes_none",
        label="pages",
        bounds=_PTES,
        policy=_PTES_POLICY,
        default=511,
        order=14,
        persist="tmpfiles.d",
        too_low="Fewer huge pages.",
        too_high="One touched page may grow into a huge page: memory use grows.",
        docs=f"{_DOCS}#khugepaged-controls",
    ),
    Tunable(
        "khugepaged.max_ptes_swap",
        "int",
        "Pages that khugepaged may read from swap to make a huge page",
        path=f"{_THP}/khugepaged/max_ptes_swap",
        label="pages",
        bounds=_PTES,
        policy=_PTES_POLICY,
        default=64,
        order=14,
        persist="tmpfiles.d",
        too_low="Memory that was swapped out stays in small pages.",
        too_high="Reads from swap that nobody asked for.",
        docs=f"{_DOCS}#khugepaged-controls",
    ),
    Tunable(
        "khugepaged.max_ptes_shared",
        "int",
        "Shared pages that khugepaged may copy to make a huge page",
        path=f"{_THP}/khugepaged/max_ptes_shared",
        label="pages",
        bounds=_PTES,
        policy=_PTES_POLICY,
        default=256,
        order=14,
        persist="tmpfiles.d",
        too_low="Forked processes stay in small pages.",
        too_high="Memory that was shared is copied.",
        docs=f"{_DOCS}#khugepaged-controls",
    ),
    Tunable(
        "vm.nr_hugepages",
        "int",
        "Pool of explicit huge pages; their memory serves nothing else",
        label="huge pages",
        bounds=(Bounds(0, _LARGEST, "the kernel takes what it can get"),),
        default=0,
        side_effect="May fall short of the value: read it back. Best set at boot, before memory fragments.",
        order=16,
        undo="Write the old value; pages in use stay until they are given back.",
        policy=_pool_policy,
        advise_only=True,
        too_low="An application that asks for huge pages does not start.",
        too_high="The rest of the system runs out of memory.",
        docs=_POOL_DOCS,
    ),
    Tunable(
        "vm.nr_overcommit_hugepages",
        "int",
        "Explicit huge pages that may be taken beyond the pool while memory lasts",
        label="huge pages",
        bounds=(Bounds(0, _LARGEST, "the kernel takes what it can get"),),
        default=0,
        policy=_pool_policy,
        advise_only=True,
        too_low="An application finds the pool too small.",
        too_high="The rest of the system runs out of memory.",
        docs=_POOL_DOCS,
    ),
    Tunable(
        "vm.hugetlb_shm_group",
        "int",
        "Group that may create shared memory of explicit huge pages",
        label="group id",
        bounds=(Bounds(0, INT_MAX, "a group id"),),
        default=0,
        advise_only=True,
        too_low="0 gives the right to no group but root's.",
    ),
)
