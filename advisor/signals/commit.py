"""Promises of memory: what tasks were promised, and how much may be promised in overcommit mode 2.

CommitLimit is computed in every mode and kept to in mode 2 only (vm_commit_limit in mm/util.c): swap plus
vm.overcommit_kbytes, or plus vm.overcommit_ratio percent of memory without huge pages where that is 0.
"""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.signals.memory import field
from advisor.signals.model import Value, signal

if TYPE_CHECKING:
    from advisor.signals.view import View


@signal("commit.fill", "", reads=("proc/meminfo Committed_AS", "proc/meminfo CommitLimit"),
        formula="Committed_AS / CommitLimit; may exceed 1 outside of mode 2", also=("overcommit",))  # fmt: skip
def commit_fill(view: View) -> Value:
    """How much of CommitLimit has been promised. Only in vm.overcommit_memory 2 does the kernel keep to it."""
    limit = field(view, "CommitLimit")
    if limit == 0:
        raise Unknown("CommitLimit is 0")
    return field(view, "Committed_AS") / limit


@signal("commit.limit_share", "", reads=("proc/meminfo CommitLimit", "proc/meminfo MemTotal"),
        formula="CommitLimit / MemTotal; may exceed 1 with swap")  # fmt: skip
def commit_limit_share(view: View) -> Value:
    """CommitLimit against the memory of the host; below 1, memory stays that no task may have."""
    return field(view, "CommitLimit") / field(view, "MemTotal")


@signal("commit.base", "B", reads=("proc/meminfo MemTotal", "proc/meminfo HugePages_Total"),
        formula="MemTotal − Hugetlb; MemTotal − HugePages_Total × Hugepagesize on kernels without Hugetlb")  # fmt: skip
def commit_base(view: View) -> Value:
    """Memory without the hugetlb pools: what vm.overcommit_ratio is a percentage of."""
    base = field(view, "MemTotal") - _hugetlb(view)
    if base < 0:
        raise Unknown("/proc/meminfo contradicts itself: hugetlb pools larger than memory")
    return float(base)


def _hugetlb(view: View) -> int:
    try:
        return field(view, "Hugetlb")
    except Unknown:
        return field(view, "HugePages_Total") * field(view, "Hugepagesize")
