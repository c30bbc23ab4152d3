"""Who holds the memory: the largest processes, JVMs, and services that rules ask about.

Command lines are looked at and never kept: they may hold passwords.
"""

from __future__ import annotations

import os
import re
import time

from advisor.capture.model import Process
from advisor.capture.tree import decode
from advisor.hints import TYPE_CHECKING
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_LARGEST = 20
_MOST_SWAPPED = 10
_MOST_JVMS = 100
_JVMS = frozenset({"java", "jsvc"})

# Flag by command name, which the kernel cuts after 15 characters.
_SERVICES = {
    "bpftune": "bpftune",
    "earlyoom": "earlyoom",
    "kubelet": "kubelet",
    "mariadbd": "mysqld",
    "mongod": "mongod",
    "mysqld": "mysqld",
    "oomd": "oomd",
    "postgres": "postgres",
    "postmaster": "postgres",
    "qemu-kvm": "qemu",
    "qemu-system-aar": "qemu",
    "qemu-system-ppc": "qemu",
    "qemu-system-s39": "qemu",
    "qemu-system-x86": "qemu",
    "redis-server": "redis-server",
    "saptune": "saptune",
    "systemd-oomd": "systemd-oomd",
    "tuned": "tuned",
    "valkey-server": "redis-server",
}
# Flag by the start of a JVM's main class.
_JAVA_SERVICES = {
    "kafka.Kafka": "kafka",
    "org.apache.cassandra.": "cassandra",
    "org.elasticsearch.": "elasticsearch",
    "org.opensearch.": "elasticsearch",
}
# Options of java(1) that take the next argument.
_WITH_VALUE = frozenset(
    {"-cp", "-classpath", "--class-path", "-p", "--module-path", "--upgrade-module-path", "--add-modules"}
    | {"--add-reads", "--add-exports", "--add-opens", "--limit-modules", "--patch-module", "--source"}
    | {"--enable-native-access", "--finalization"}
)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SMALL = 512 << 20  # below, the JVM uses MinRAMPercentage as well


class Status(Record):
    """What /proc/PID/status says of a process: its name, and resident and swapped memory in bytes."""

    pid: int
    name: str
    rss_bytes: int
    swap_bytes: int | None


def find_processes(
    root: str = "/", *, patience_s: float = 1.0, now: Callable[[], float] = time.monotonic
) -> tuple[tuple[Process, ...], str]:
    """The processes worth naming, largest first, and a remark when not all were looked at.

    Args:
        root: the root of the host, when that is not ours (a mount of it in a container).
        patience_s: after so many seconds the rest is left out.
        now: the clock.
    """
    import psutil  # noqa: PLC0415

    procfs = f"{root.rstrip('/')}/proc"
    ours, psutil.PROCFS_PATH = psutil.PROCFS_PATH, procfs
    try:
        pids = psutil.pids()
        if 1 not in pids and os.geteuid():
            return (), "the processes of others are hidden (mount option hidepid); root sees them"
        found, looked = [], 0
        end = now() + patience_s
        for pid in pids:
            if now() > end:
                break
            looked += 1
            if (status := _status(procfs, pid)) is not None:
                found.append(status)
        chosen = [_describe(root, procfs, status) for status in choose(found)]
    except (OSError, ValueError, psutil.Error) as error:
        return (), f"processes could not be listed: {type(error).__name__}"
    finally:
        psutil.PROCFS_PATH = ours
    note = "" if looked == len(pids) else f"looked at {looked} of {len(pids)} processes within {patience_s:g} s"
    return tuple(process for process in chosen if process is not None), note


def choose(found: Iterable[Status]) -> list[Status]:
    """The 20 largest, the 10 most swapped, every JVM, one process of each known service; largest first."""
    by_size = sorted(found, key=lambda status: (-status.rss_bytes, status.pid))
    chosen = {status.pid: status for status in by_size[:_LARGEST]}
    swapped = sorted((s for s in by_size if s.swap_bytes), key=lambda s: -(s.swap_bytes or 0))
    jvms = [status for status in by_size if status.name in _JVMS]
    services: dict[str, Status] = {}
    for status in by_size:
        if flag := _SERVICES.get(status.name):
            services.setdefault(flag, status)
    for status in (*swapped[:_MOST_SWAPPED], *jvms[:_MOST_JVMS], *services.values()):
        chosen[status.pid] = status
    return sorted(chosen.values(), key=lambda status: (-status.rss_bytes, status.pid))


def parse_status(pid: int, text: bytes) -> Status | None:
    r"""Read /proc/PID/status; None for kernel threads and zombies, which hold no memory.

    >>> parse_status(7, b"Name:\tjava\nVmRSS:\t      12 kB\nVmSwap:\t       0 kB\n")
    Status(pid=7, name='java', rss_bytes=12288, swap_bytes=0)
    """
    rss = _kib(text, b"\nVmRSS:")
    if rss is None or not text.startswith(b"Name:\t"):
        return None
    return Status(pid, decode(text[6 : text.index(b"\n")]), rss, _kib(text, b"\nVmSwap:"))


def heap_max(arguments: list[str], memory: Callable[[], int | None]) -> int | None:
    """The largest heap that a JVM's command line states, in bytes; None when it states none.

    Options after the main class or the jar belong to the application. Of several, the last one holds, and a
    size beats a percentage (java(1); ``Arguments::set_heap_size`` in HotSpot).

    Args:
        arguments: the command line.
        memory: the memory that the JVM sees, in bytes, or None when unknown.

    >>> heap_max(["java", "-Xmx1g", "-cp", "x.jar", "-Xmx2g", "Main", "-Xmx9g"], lambda: None)
    2147483648
    """
    size = percentage = None
    for option in _jvm_options(arguments):
        if found := re.fullmatch(r"(?:-Xmx|-XX:MaxHeapSize=)(\d{1,18})([kKmMgGtT]?)", option, re.ASCII):
            size = int(found[1]) * _UNITS[found[2].lower()]
        elif found := re.fullmatch(r"-XX:MaxRAMPercentage=(\d{1,3}(?:\.\d{0,9})?)", option, re.ASCII):
            percentage = float(found[1])
    if size or percentage is None or not 0 < percentage <= 100:
        return size or None
    seen = memory()
    return None if seen is None or seen < _SMALL else int(seen * percentage / 100)


def _jvm_options(arguments: list[str]) -> Iterator[str]:
    rest = iter(arguments[1:])
    for option in rest:
        if option in _WITH_VALUE:
            next(rest, None)
        elif not option.startswith(("-", "@")):  # the main class, or what follows -jar or -m
            return
        else:
            yield option


def _flags(name: str, arguments: list[str]) -> tuple[str, ...]:
    flags = {_SERVICES[name]} if name in _SERVICES else set()
    if name in _JVMS:
        flags.add("java")
        classes = [part for argument in arguments[1:] for part in argument.rsplit("/", 1)]
        flags |= {flag for start, flag in _JAVA_SERVICES.items() if any(c.startswith(start) for c in classes)}
        if "-XX:+UseTransparentHugePages" in _jvm_options(arguments):
            flags.add("UseTransparentHugePages")
    return tuple(sorted(flags))


def _describe(root: str, procfs: str, status: Status) -> Process | None:
    import psutil  # noqa: PLC0415

    name, arguments = status.name, []
    try:
        process = psutil.Process(status.pid)
        with process.oneshot():
            name, arguments = process.name(), process.cmdline()
    except psutil.NoSuchProcess:  # zombies too
        return None
    except (psutil.Error, OSError, LookupError, ValueError):
        pass  # hidden by a security module, or no genuine /proc: what status says is enough
    is_jvm = status.name in _JVMS
    return Process(
        pid=status.pid,
        name=name or status.name,
        rss_bytes=status.rss_bytes,
        swap_bytes=status.swap_bytes,
        majflt=_majflt(procfs, status.pid),
        heap_max_bytes=heap_max(arguments, lambda: _memory_seen(root, procfs, status.pid)) if is_jvm else None,
        flags=_flags(status.name, arguments),
    )


def _status(procfs: str, pid: int) -> Status | None:
    text = _read(f"{procfs}/{pid}/status")
    return None if text is None else parse_status(pid, text)


# Field 12 of /proc/PID/stat, proc_pid_stat(5); the name before it may hold anything, so count from its end.
def _majflt(procfs: str, pid: int) -> int | None:
    fields = (_read(f"{procfs}/{pid}/stat") or b"").rpartition(b")")[2].split()
    return int(fields[9]) if len(fields) > 9 and fields[9].isdigit() else None


# A JVM in a container sees the smallest limit of its control group and those above.
def _memory_seen(root: str, procfs: str, pid: int) -> int | None:
    total = _kib(b"\n" + (_read(f"{procfs}/meminfo") or b""), b"\nMemTotal:")
    groups = _read(f"{procfs}/{pid}/cgroup")
    if total is None or groups is None:
        return None
    limits = [total]
    for line in decode(groups).splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if ".." in path.split("/"):
            return None  # outside of our cgroup namespace
        if controllers == "":
            limits += _limits(f"{root.rstrip('/')}/sys/fs/cgroup", path, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _limits(f"{root.rstrip('/')}/sys/fs/cgroup/memory", path, "memory.limit_in_bytes")
    return min(limits)


def _limits(hierarchy: str, path: str, name: str) -> Iterator[int]:
    while path.strip("/"):
        text = (_read(f"{hierarchy}{path}/{name}") or b"").strip()
        if text.isdigit():
            yield int(text)
        path = path.rpartition("/")[0]


def _kib(text: bytes, label: bytes) -> int | None:
    at = text.find(label)
    if at < 0:
        return None
    words = text[at + len(label) : at + len(label) + 40].split(None, 1)
    return int(words[0]) * 1024 if words and words[0].isdigit() else None


def _read(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, 64 * 1024)
    except OSError:
        return None  # the process went away in between
    finally:
        os.close(descriptor)
