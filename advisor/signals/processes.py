"""Processes: who stands behind a finding, and what is running that has an opinion on memory settings."""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.signals.memory import memory_bytes
from advisor.signals.model import Entity, Signal, Value, add, entities, signal

if TYPE_CHECKING:
    from advisor.capture.model import Process
    from advisor.signals.view import View

_DATABASES = frozenset({"postgres", "mysqld", "mongod"})


def _listed(view: View) -> tuple[Process, ...]:
    if not view.capture.processes:
        raise Unknown("processes were not recorded", "capture on the live host")
    return view.capture.processes


@entities("process")
def process_entities(view: View) -> tuple[Entity, ...]:
    """The processes that were recorded: "java (4711)"."""
    return tuple(Entity(f"{process.name} ({process.pid})", process) for process in _listed(view))


@signal("process.rss", "B", scope="process", reads=("proc/PID/status VmRSS",))
def process_rss(view: View, process: Process) -> Value:
    """Resident memory of the process."""
    return float(process.rss_bytes)


@signal("process.swap", "B", scope="process", reads=("proc/PID/status VmSwap",))
def process_swap(view: View, process: Process) -> Value:
    """Memory of the process that is in swap."""
    if process.swap_bytes is None:
        raise Unknown("VmSwap of the process could not be read", "run as root")
    return float(process.swap_bytes)


@signal("process.heap_max", "B", scope="process", reads=("proc/PID/cmdline -Xmx",), also=("JVM",))
def process_heap_max(view: View, process: Process) -> Value:
    """Largest heap that a JVM may have."""
    if process.heap_max_bytes is None:
        raise Unknown("the process is no JVM, or its command line sets no heap")
    return float(process.heap_max_bytes)


@signal("process.java", "bool", scope="process", reads=("proc/PID/cmdline",))
def process_java(view: View, process: Process) -> Value:
    """Whether the process is a JVM."""
    return "java" in process.flags


@signal("process.database", "bool", scope="process", reads=("proc/PID/cmdline",))
def process_database(view: View, process: Process) -> Value:
    """Whether the process is a database server with a cache of its own: PostgreSQL, MySQL, MariaDB, MongoDB."""
    return not _DATABASES.isdisjoint(process.flags)


@signal("process.caches_itself", "bool", scope="process", reads=("proc/PID/cmdline",))
def process_caches_itself(view: View, process: Process) -> Value:
    """Whether the process is a database that keeps in its own cache what it reads: MySQL, MariaDB, MongoDB.

    PostgreSQL is none: it leaves most of the caching to the page cache.
    """
    return not {"mysqld", "mongod"}.isdisjoint(process.flags)


@signal("jvm.heap_share", "", reads=("proc/PID/cmdline -Xmx", "proc/meminfo MemTotal"),
        formula="Σ -Xmx of all JVMs / memory.total; may exceed 1", also=("JVM beside the page cache",))  # fmt: skip
def jvm_heap_share(view: View) -> Value:
    """Share of memory that the heaps of all JVMs may take; the rest must hold all else and the page cache.

    JVMs whose command line sets no heap are not in it, nor is what a JVM uses beside its heap.
    """
    heaps = [process.heap_max_bytes for process in _listed(view) if process.heap_max_bytes is not None]
    if not heaps:
        raise Unknown("no JVM with a known heap is running")
    return sum(heaps) / memory_bytes(view)


@signal("jvm.wants_huge_pages", "bool", reads=("proc/PID/cmdline -XX:+UseTransparentHugePages",),
        also=("UseTransparentHugePages",))  # fmt: skip
def jvm_wants_huge_pages(view: View) -> Value:
    """Whether a JVM was started with -XX:+UseTransparentHugePages."""
    return any("UseTransparentHugePages" in process.flags for process in _listed(view))


SERVICES = {
    "kubelet": "the Kubernetes node agent, which sets vm.overcommit_memory and others by itself",
    "redis-server": "Redis or Valkey, which forks to save its data",
    "postgres": "PostgreSQL",
    "mysqld": "MySQL or MariaDB",
    "mongod": "MongoDB",
    "elasticsearch": "Elasticsearch or OpenSearch",
    "kafka": "Apache Kafka",
    "cassandra": "Apache Cassandra",
    "qemu": "a virtual machine",
    "systemd-oomd": "the systemd user-space OOM killer",
    "earlyoom": "the earlyoom user-space OOM killer",
    "oomd": "the oomd user-space OOM killer",
    "tuned": "TuneD, which writes settings of its own",
    "bpftune": "bpftune, which writes settings of its own",
    "saptune": "saptune, which writes settings of its own",
}


def _declare() -> None:
    for flag, what in SERVICES.items():

        def running(view: View, flag: str = flag) -> Value:
            return any(flag in process.flags for process in _listed(view))

        name = f"running.{flag.replace('-', '_')}"
        add(
            Signal(
                name,
                "bool",
                f"Whether {what} is running.",
                ("proc/PID/cmdline",),
                "",
                "host",
                (),
                (),
                running,
            )
        )


_declare()
