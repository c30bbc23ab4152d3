"""The loads of the contest. A load is data: a guest, scripts for it, and limits of its disks.

Each stands for something that people run, and is such that reclaim is dear where it happens: pages are swapped or
dirty, disks are slow, others wait. Which of them are held out was settled before the first run, and nothing of the
product was changed for what they show.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.contest.image import REDIS_BYTES, REDIS_KEYS, image
from tests.hosts.shapes import ZRAM, Shape

WARM_S, WINDOW_S = 2, 7
"""Warming up, and what is measured, by the guest's clock."""

_MB = 1 << 20


@dataclass(frozen=True)
class Workload:
    """A load.

    Attributes:
        name: short.
        title: what it stands for.
        shape: the guest.
        load: script; its clients end after $WARM and $WINDOW seconds, and leave a line in /run/served.* for each
            request of the window: the milliseconds that it took.
        period_ms: time between two requests for one client; what takes longer is late. None where the next request
            waits for the last answer: then the server's own pace is the throughput.
        disks: disk, bytes and requests per second.
        held_out: nothing of the product was changed for what it shows.
        role: what the host is for, as its owner would tell `advisor --role`.
    """

    name: str
    title: str
    shape: Shape
    load: str
    period_ms: float | None
    disks: tuple[tuple[str, int, int], ...]
    held_out: bool = False
    role: str | None = None


# Everything of the load, servers too, lives in one cgroup without limits of memory. Its disks are slow by the guest's
# own clock; were QEMU to slow them down, that would go by the clock of this machine.
_GROUP = """
cd /sys/fs/cgroup
echo '+memory +io' > cgroup.subtree_control
mkdir all && echo '+memory +io' > all/cgroup.subtree_control && mkdir all/load
echo 0 > all/load/cgroup.procs
cd /
"""
IN_GROUP = "echo 0 > /sys/fs/cgroup/all/load/cgroup.procs"
"""Moves a shell, and so what it starts, to the others."""


def slow(disk: str, bytes_per_s: int, requests_per_s: int) -> str:
    """A script that limits a disk, reads and writes each."""
    limits = f"rbps={bytes_per_s} wbps={bytes_per_s} riops={requests_per_s} wiops={requests_per_s}"
    return f"echo $(cat /sys/block/{disk}/dev) {limits} > /sys/fs/cgroup/all/io.max"


def _shape(memory_mb: int, *, once: str = "", zram: bool = False) -> Shape:
    """One processor and a clock that counts instructions: other work of this machine moves no result."""
    swap = {"modules": ("zram",), "prepare": ZRAM} if zram else {}
    return Shape(memory_mb=memory_mb, processors=1, icount=2, image=image(), once=_GROUP + once, **swap)


_STREAM = "while :; do cat /dev/vdb; done > /dev/null &"
"""A read of the second disk from one end to the other, as a backup or a scan does."""
_PGBENCH = "/usr/lib/postgresql/15/bin/pgbench -h /tmp -U postgres -n -c 4"

# The scripts read $WARM and $WINDOW, seconds.
_BURSTS = f"""
/srv/load grow 215 3 $((WARM + WINDOW + 2)) > /run/grown &
until grep -q ready /run/grown; do sleep 0.1; done
{_STREAM}
/srv/load serve /srv/hot $WARM $WINDOW 200 3072 64 1 > /run/served.1 & one=$!
/srv/load serve /srv/hot $WARM $WINDOW 200 3072 64 2 > /run/served.2 & wait $one $!
"""

_POSTGRES_ONCE = f"""
cd /tmp
su postgres -s /bin/sh -c '/usr/lib/postgresql/15/bin/pg_ctl -D /srv/pg -w -l /tmp/pg.log start > /dev/null'
{_PGBENCH} -T 3 postgres > /dev/null
"""
# Commits of the database beside a copy of a large file, 6 MB/s, as a backup makes: both write to the one disk.
_POSTGRES = f"""
cd /tmp
(for at in $(seq 0 3 600); do
    dd if=/srv/stream of=/srv/copy bs=1M count=3 skip=$at seek=$at conv=notrunc 2> /dev/null; sleep 0.5; done) &
{_PGBENCH} -T $WARM postgres
{_PGBENCH} -T $WINDOW -l --log-prefix=/run/pg postgres
awk '{{ print $3 / 1000 }}' /run/pg.* > /run/served.1
"""

_REDIS_ONCE = """
redis-server /srv/redis/redis.conf --daemonize yes > /dev/null
until redis-cli dbsize 2> /dev/null | grep -q '[1-9]'; do sleep 0.2; done
until redis-cli ping | grep -q PONG; do sleep 0.2; done
swapoff -a; swapon /dev/vdb
"""
_REDIS = f"""
(sleep $WARM; while :; do redis-cli bgsave; sleep 0.5; done) > /dev/null &
/srv/client 6379 {REDIS_KEYS} {REDIS_BYTES} 16 40 $WARM $WINDOW > /run/served.1
"""

_JVM_ONCE = """
cd /srv/jvm
nohup java -Xms150m -Xmx150m -cp . Load 90 /srv/index /run/go 50 256 > /run/served.1 2> /run/jvm.err < /dev/null &
until grep -q ready /run/served.1; do sleep 0.2; done
"""
_JVM = """
while :; do cat /srv/stream; done > /dev/null &
echo $WARM $WINDOW > /run/going && mv /run/going /run/go
while pgrep -x java > /dev/null; do sleep 0.2; done
sed -i /ready/d /run/served.1
"""

_CONTAINERS = f"""
{_STREAM}
for tenant in 1 2 3 4 5 6 7 8 9 10 11 12; do
    mkdir /sys/fs/cgroup/all/tenant$tenant
    echo 9M > /sys/fs/cgroup/all/tenant$tenant/memory.max
    sh -c "echo 0 > /sys/fs/cgroup/all/tenant$tenant/cgroup.procs
        exec /srv/load serve /srv/tenant$tenant $WARM $WINDOW 800 3072 64 $tenant > /run/served.$tenant" & all="$all $!"
done
wait $all
"""

_SCAN = f"""
/srv/load grow 100 0.01 $((WARM + WINDOW + 2)) > /run/grown &
until grep -q ready /run/grown; do sleep 0.1; done
{_STREAM}
/srv/load serve /srv/hot $WARM $WINDOW 80 256 64 1 > /run/served.1
"""

_ZRAM_DISKS = (("vda", 15 * _MB, 1000), ("vdb", 12 * _MB, 1000))
_TWO_DISKS = (("vda", 15 * _MB, 1000), ("vdb", 10 * _MB, 800))

WORKLOADS = {
    one.name: one
    for one in (
        Workload("bursts", "requests that take 3 MB each, beside a batch job that grows and a streaming read; swap on "
                 "zram", _shape(320, zram=True), _BURSTS, 200, _ZRAM_DISKS),
        Workload("postgres", "PostgreSQL 15 under pgbench, beside a copy of a large file",
                 _shape(224, once=_POSTGRES_ONCE), _POSTGRES, None, _TWO_DISKS, role="database"),
        Workload("redis", "Redis that writes snapshots; swap on a slow disk", _shape(272, once=_REDIS_ONCE), _REDIS, 40,
                 _TWO_DISKS, role="cache"),
        Workload("scan", "a reader of a hot file beside a scan; swap on zram", _shape(256, zram=True), _SCAN, 80,
                 _ZRAM_DISKS),
        Workload("jvm", "a JVM with an index in the page cache beside a streaming read; swap on a slow disk",
                 _shape(288, once=_JVM_ONCE), _JVM, 50, _TWO_DISKS, held_out=True, role="jvm"),
        Workload("containers", "twelve containers at their limits beside a streaming read; swap on zram",
                 _shape(256, zram=True), _CONTAINERS, 800, _ZRAM_DISKS, held_out=True),
    )
}  # fmt: skip
"""Every load by name, in the order of the tables."""
