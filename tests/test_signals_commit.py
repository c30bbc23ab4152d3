"""Promises of memory, JVMs and databases as signals."""

import pytest

from advisor.capture.model import Process
from advisor.signals.model import entities_of
from advisor.signals.table import Table
from advisor.signals.view import views
from tests.test_signals import capture, reason, value


def meminfo(**fields):
    return {"proc/meminfo": "".join(f"{name}: {kib} kB\n" for name, kib in fields.items())}


def test_promises_may_exceed_the_limit():
    assert value(capture(meminfo(CommitLimit=1000, Committed_AS=2500)), "commit.fill") == 2.5


def test_a_limit_of_0_leaves_the_fill_unknown():
    assert reason(capture(meminfo(CommitLimit=0, Committed_AS=2500)), "commit.fill") == "CommitLimit is 0"


@pytest.mark.parametrize(
    "pools",
    [
        pytest.param("Hugetlb: 400 kB\nHugePages_Total: 1\nHugepagesize: 100 kB\n", id="pools of all sizes"),
        pytest.param("HugePages_Total: 4\nHugepagesize: 100 kB\n", id="kernels that print the default pool only"),
    ],
)
def test_huge_pages_in_a_pool_cannot_be_promised(pools):
    assert value(capture({"proc/meminfo": "MemTotal: 1000 kB\n" + pools}), "commit.base") == 600 * 1024


def process(pid, *flags, heap=None):
    return Process(pid=pid, name=flags[0], rss_bytes=1 << 30, heap_max_bytes=heap, flags=flags)


def test_the_heaps_of_all_jvms_add_up_and_may_exceed_memory():
    processes = (process(1, "java", heap=3 << 30), process(2, "java", heap=2 << 30), process(3, "java"))
    assert value(capture(meminfo(MemTotal=4 << 20), processes=processes), "jvm.heap_share") == 1.25


def test_a_jvm_that_asks_for_huge_pages_is_seen():
    asking = (process(1, "java", "UseTransparentHugePages"),)
    assert value(capture({}, processes=asking), "jvm.wants_huge_pages") is True
    assert value(capture({}, processes=(process(1, "java"),)), "jvm.wants_huge_pages") is False
    assert "not recorded" in reason(capture({}), "jvm.wants_huge_pages")


@pytest.mark.parametrize(
    ("flag", "database", "caches_itself"),
    [("postgres", True, False), ("mysqld", True, True), ("mongod", True, True), ("kubelet", False, False)],
)
def test_databases_are_told_from_other_processes(flag, database, caches_itself):
    whole, _ = views(capture({}, processes=(process(7, flag),)))
    (entity,) = entities_of(whole, "process")
    row = Table(whole).row(["process.database", "process.caches_itself"], "process", entity)
    assert (row.values["process.database"], row.values["process.caches_itself"]) == (database, caches_itself)
