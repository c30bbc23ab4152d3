"""Who holds the memory: choice, JVM heaps, flags, and processes that vanish or hide."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.capture.processes import Status, choose, find_processes, heap_max, parse_status
from tests.capture_helpers import plant

GIB = 1 << 30
STAT = "{pid} ({name}) S 1 1 1 0 -1 4194304 100 0 {majflt}" + " 0" * 40  # 52 fields, proc_pid_stat(5)


def host(root, *processes, **files):
    """A fake /proc; a process is (pid, name, rss kB, swap kB, arguments)."""
    tree = {"proc/meminfo": f"MemTotal: {16 * GIB // 1024} kB\nMemFree: 0 kB\n", "proc/stat": "btime 1\n"}
    for pid, name, rss, swap, *arguments in processes:
        size = "" if rss is None else f"VmRSS:\t{rss:8} kB\nVmSwap:\t{swap:8} kB\n"
        tree[f"proc/{pid}/status"] = f"Name:\t{name}\nUmask:\t0022\n{size}Threads:\t1\n"
        tree[f"proc/{pid}/stat"] = STAT.format(pid=pid, name=name, majflt=pid + 7)
        tree[f"proc/{pid}/cmdline"] = "".join(f"{argument}\0" for argument in arguments)
        tree[f"proc/{pid}/cgroup"] = "0::/\n"
    return str(plant(root, tree | {path.replace("__", "/"): text for path, text in files.items()}))


def only(root):
    (process,) = find_processes(root)[0]
    return process


def test_a_process_is_described_in_bytes(tmp_path):
    root = host(tmp_path, (1, "redis-server", 2048, 4, "redis-server", "*:6379"))

    process = only(root)

    assert (process.pid, process.name) == (1, "redis-server")
    assert (process.rss_bytes, process.swap_bytes) == (2048 * 1024, 4096)
    assert process.majflt == 8
    assert process.heap_max_bytes is None
    assert process.flags == ("redis-server",)


def test_kernel_threads_and_zombies_hold_nothing_and_are_left_out(tmp_path):
    root = host(tmp_path, (1, "init", 10, 0, "init"), (2, "kthreadd", None, None))

    assert only(root).name == "init"


def test_a_name_cut_by_the_kernel_is_completed_and_the_flag_kept(tmp_path):
    root = host(tmp_path, (1, "qemu-system-x86", 10, 0, "/usr/bin/qemu-system-x86_64", "-m", "4096"))

    assert only(root).name == "qemu-system-x86_64"
    assert only(root).flags == ("qemu",)


def test_a_process_without_a_readable_command_line_is_named_all_the_same(tmp_path):
    root = host(tmp_path, (1, "java", 10, 0))

    assert only(root).flags == ("java",)
    assert only(root).heap_max_bytes is None


def test_a_process_that_vanishes_is_left_out(tmp_path):
    root = host(tmp_path, (1, "init", 10, 0, "init"), (5, "gone", 99, 0, "gone"))
    (tmp_path / "proc/5/stat").unlink()
    (tmp_path / "proc/5/cmdline").unlink()

    assert [process.name for process in find_processes(root)[0]] == ["init"]


@pytest.mark.parametrize(
    ("main", "flag"),
    [
        ("org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch", "elasticsearch"),
        ("org.opensearch.bootstrap.OpenSearch", "elasticsearch"),
        ("kafka.Kafka", "kafka"),
        ("org.apache.cassandra.service.CassandraDaemon", "cassandra"),
    ],
)
def test_jvm_services_are_known_by_their_main_class(tmp_path, main, flag):
    root = host(tmp_path, (1, "java", 10, 0, "/usr/bin/java", "-Xmx1g", "-cp", "a.jar", main))

    assert only(root).flags == tuple(sorted(("java", flag)))


def test_a_jvm_that_asks_for_huge_pages_is_flagged(tmp_path):
    root = host(tmp_path, (1, "java", 10, 0, "java", "-XX:+UseTransparentHugePages", "Main"))

    assert only(root).flags == ("UseTransparentHugePages", "java")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-Xmx4g"], 4 * GIB),
        (["-Xmx512M"], 512 << 20),
        (["-Xmx1048576k"], GIB),
        (["-Xmx1073741824"], GIB),
        (["-XX:MaxHeapSize=2g"], 2 * GIB),
        (["-Xmx4g", "-XX:MaxHeapSize=2g"], 2 * GIB),
        (["-Xmx1g", "-Xmx3g"], 3 * GIB),
        (["-XX:MaxRAMPercentage=50"], 8 * GIB),
        (["-XX:MaxRAMPercentage=12.5"], 2 * GIB),
        (["-XX:MaxRAMPercentage=50", "-Xmx1g"], GIB),
        (["-cp", "-Xmx1g"], None),
        (["@options", "-Xmx2g"], 2 * GIB),
        (["-Xmxlots"], None),
        (["-Xmx4gb"], None),
        (["-Xmx-1"], None),
        (["-Xmx\u0664g"], None),
        (["-Xmx0"], None),
        (["-XX:MaxRAMPercentage=0"], None),
        (["-XX:MaxRAMPercentage=101"], None),
        ([], None),
    ],
)
def test_the_largest_heap_follows_the_rules_of_the_jvm(options, expected):
    assert heap_max(["java", *options, "Main"], lambda: 16 * GIB) == expected


@pytest.mark.parametrize("end", [["Main"], ["-jar", "a.jar"], ["-m", "a/b.Main"]])
def test_arguments_of_the_application_are_not_the_jvm_s(end):
    assert heap_max(["java", *end, "-Xmx1g"], lambda: None) is None


@pytest.mark.parametrize("memory", [None, 400 << 20])
def test_a_percentage_of_unknown_or_tiny_memory_is_unknown(memory):
    assert heap_max(["java", "-XX:MaxRAMPercentage=50", "Main"], lambda: memory) is None


JVM = (9, "java", 10, 0, "java", "-XX:MaxRAMPercentage=50", "Main")


def jvm(root):
    return next(process for process in find_processes(root)[0] if process.pid == 9)


def test_a_percentage_is_of_the_host_s_memory(tmp_path):
    assert jvm(host(tmp_path, (1, "init", 1, 0), JVM)).heap_max_bytes == 8 * GIB


def test_a_percentage_is_of_the_smallest_limit_of_the_container(tmp_path):
    root = host(tmp_path, (1, "init", 1, 0), JVM)
    plant(
        tmp_path,
        {
            "proc/9/cgroup": "0::/kubepods.slice/pod1/c1\n",
            "sys/fs/cgroup/kubepods.slice/memory.max": "max\n",
            "sys/fs/cgroup/kubepods.slice/pod1/memory.max": f"{2 * GIB}\n",
            "sys/fs/cgroup/kubepods.slice/pod1/c1/memory.max": f"{4 * GIB}\n",
        },
    )

    assert jvm(root).heap_max_bytes == GIB


def test_a_limit_of_version_1_counts_as_well(tmp_path):
    root = host(tmp_path, (1, "init", 1, 0), JVM)
    limit = "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes"
    plant(tmp_path, {"proc/9/cgroup": "3:cpu:/docker/x\n2:memory:/docker/x\n", limit: f"{GIB}\n"})

    assert jvm(root).heap_max_bytes == GIB // 2


def test_a_percentage_within_a_foreign_control_group_namespace_is_unknown(tmp_path):
    root = host(tmp_path, (1, "init", 1, 0), JVM)
    plant(tmp_path, {"proc/9/cgroup": "0::/../../x\n"})

    assert jvm(root).heap_max_bytes is None


def status(pid, name="x", rss=0, swap=0):
    return Status(pid, name, rss, swap)


def test_the_largest_the_most_swapped_every_jvm_and_each_service_are_chosen():
    large = [status(pid, rss=1000 + pid) for pid in range(100, 130)]
    swapped = [status(pid, rss=1, swap=pid) for pid in range(200, 230)]
    jvms = [status(pid, "java") for pid in range(300, 330)]
    services = [status(400, "postgres", rss=5), status(401, "postgres", rss=6), status(402, "earlyoom")]

    chosen = choose([*services, *jvms, *swapped, *large])

    pids = [entry.pid for entry in chosen]
    assert pids[:20] == list(range(129, 109, -1))
    assert {*range(220, 230), *range(300, 330), 401, 402} == set(pids[20:])
    assert [entry.rss_bytes for entry in chosen] == sorted((entry.rss_bytes for entry in chosen), reverse=True)


@given(st.binary(max_size=200))
def test_a_status_of_any_bytes_is_read_or_refused(text):
    found = parse_status(1, b"Name:\tx\nVmRSS:" + text)

    assert found is None or found.rss_bytes % 1024 == 0


def test_a_hidden_process_table_is_no_empty_one(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert find_processes(host(tmp_path, (55, "bash", 10, 0, "bash"))) == (
        (),
        "the processes of others are hidden (mount option hidepid); root sees them",
    )


def test_patience_ends_and_says_so(tmp_path):
    root = host(tmp_path, *((pid, "x", pid, 0, "x") for pid in range(1, 11)))
    seconds = iter(range(100))

    found, note = find_processes(root, patience_s=4, now=lambda: float(next(seconds)))

    assert len(found) == 4
    assert note == "looked at 4 of 10 processes within 4 s"


def test_a_missing_proc_is_a_remark(tmp_path):
    assert find_processes(str(tmp_path)) == ((), "processes could not be listed: FileNotFoundError")


def test_the_library_s_own_root_is_restored(tmp_path):
    find_processes(host(tmp_path, (1, "init", 1, 0)))

    assert psutil.PROCFS_PATH == "/proc"


def test_three_thousand_processes_are_all_looked_at(tmp_path):
    root = host(tmp_path, *((pid, "x", pid, int(pid <= 10), "x") for pid in range(1, 3001)))

    found, note = find_processes(root, patience_s=60)

    assert len(found) == 30
    assert note == ""


def test_a_service_of_this_host_is_found_by_its_command_name(tmp_path):
    (tmp_path / "earlyoom").symlink_to(sys.executable)
    command = [tmp_path / "earlyoom", "-I", "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()  # it runs
        found = {process.pid: process for process in find_processes()[0]}
        child.kill()

    assert found[child.pid].flags == ("earlyoom",)
    assert found[child.pid].rss_bytes > 1 << 20
    assert found[child.pid].swap_bytes is not None
    assert found[child.pid].majflt is not None
