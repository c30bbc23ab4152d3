"""Slab: kernel objects, what can be freed and what cannot; caches by name where root read /proc/slabinfo."""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING
from advisor.parse import meminfo, scalar, slabinfo
from advisor.record import Record
from advisor.signals.memory import field, memory_bytes
from advisor.signals.model import Entity, Value, entities, signal

if TYPE_CHECKING:
    from advisor.signals.view import View


@signal(
    "slab.reclaimable_share",
    "ratio",
    reads=("proc/meminfo SReclaimable",),
    formula="SReclaimable / memory.total",
)
def reclaimable_share(view: View) -> Value:
    """Share of memory in slab that shrinkers can free."""
    return min(1.0, field(view, "SReclaimable") / memory_bytes(view))


@signal(
    "slab.unreclaimable_share",
    "ratio",
    reads=("proc/meminfo SUnreclaim",),
    formula="SUnreclaim / memory.total",
)
def unreclaimable_share(view: View) -> Value:
    """Share of memory in slab that only its owner frees."""
    return min(1.0, field(view, "SUnreclaim") / memory_bytes(view))


@signal("slab.unreclaimable_growth", "B/s", reads=("proc/meminfo SUnreclaim",),
        formula="ΔSUnreclaim / window.seconds", also=("slab leak",))  # fmt: skip
def unreclaimable_growth(view: View) -> Value:
    """How fast slab that only its owner frees grows; negative when it shrinks."""
    if "SUnreclaim" not in (before := view.before("proc/meminfo", meminfo.parse).values):
        raise Unknown("/proc/meminfo of the first sample has no SUnreclaim")
    view.check_same_boot()
    return (field(view, "SUnreclaim") - before["SUnreclaim"]) / view.seconds


@signal("slab.vfs_pressure", "", reads=("proc/sys/vm/vfs_cache_pressure", "proc/sys/vm/vfs_cache_pressure_denom"),
        formula="vfs_cache_pressure / vfs_cache_pressure_denom; / 100 on kernels without the latter")  # fmt: skip
def vfs_pressure(view: View) -> Value:
    """How readily dentries and inodes are reclaimed: 1 as readily as page cache, 0 never; may exceed 1."""
    pressure = view.after("proc/sys/vm/vfs_cache_pressure", scalar.integer)
    try:
        return pressure / view.after("proc/sys/vm/vfs_cache_pressure_denom", scalar.integer)
    except Unknown:
        return pressure / 100


class Cache(Record):
    """A slab cache under its name."""

    name: str
    slab: slabinfo.Slab

    @property
    def size(self) -> int:
        """Bytes of all its objects."""
        return self.slab.num_objs * self.slab.objsize


@entities("slabcache")
def slab_entities(view: View) -> tuple[Entity, ...]:
    """Every slab cache of /proc/slabinfo that holds 16 MiB or more."""
    caches = view.after("proc/slabinfo", slabinfo.parse).caches
    named = (Cache(name, slab) for name, slab in caches.items())
    return tuple(Entity(cache.name, cache) for cache in named if cache.size >= 1 << 24)


@signal("slabcache.size", "B", scope="slabcache", reads=("proc/slabinfo",), formula="num_objs × objsize")
def slabcache_size(view: View, cache: Cache) -> Value:
    """Memory taken by the objects of the cache, used or not."""
    return float(cache.size)


@signal("slabcache.in_use", "ratio", scope="slabcache", reads=("proc/slabinfo",), formula="active_objs / num_objs")
def slabcache_in_use(view: View, cache: Cache) -> Value:
    """Share of the objects that are in use. SLUB counts objects on per-processor slabs as used."""
    return min(1.0, cache.slab.active_objs / cache.slab.num_objs)


@signal("slabcache.of_files", "bool", scope="slabcache", reads=("proc/slabinfo",))
def slabcache_of_files(view: View, cache: Cache) -> Value:
    """Whether the cache holds dentries or inodes, which vm.vfs_cache_pressure governs."""
    return cache.name == "dentry" or "inode" in cache.name


@signal("slabcache.share", "ratio", scope="slabcache", reads=("proc/slabinfo", "proc/meminfo MemTotal"),
        formula="size / memory.total")  # fmt: skip
def slabcache_share(view: View, cache: Cache) -> Value:
    """Share of memory that the cache takes."""
    return min(1.0, cache.size / memory_bytes(view))


@signal("slabcache.empty", "B", scope="slabcache", reads=("proc/slabinfo",),
        formula="(num_objs − active_objs) × objsize")  # fmt: skip
def slabcache_empty(view: View, cache: Cache) -> Value:
    """Memory that the cache holds for objects that are not in use. It goes back only as whole slabs get empty."""
    return float(max(0, cache.slab.num_objs - cache.slab.active_objs) * cache.slab.objsize)


# fs/dcache.c: nr_dentry, nr_unused, age_limit, want_pages, nr_negative, dummy.
def _dentries(view: View, position: int) -> int:
    fields = view.after("proc/sys/fs/dentry-state", scalar.integers)
    if len(fields) != 6 or min(fields) < 0:
        raise Unknown("/proc/sys/fs/dentry-state is not made of six numbers")
    return fields[position]


def _negative(view: View) -> int:
    negative = _dentries(view, 4)
    if negative == 0:
        raise Unknown("this kernel does not count negative dentries (it prints 0)")
    return negative


@signal("dentry.unused", "", reads=("proc/sys/fs/dentry-state",))
def dentry_unused(view: View) -> Value:
    """Names in the dentry cache that no task uses at present: those that a shrinker may free."""
    return float(_dentries(view, 1))


@signal("dentry.negative", "", reads=("proc/sys/fs/dentry-state",), also=("negative dentry",))
def dentry_negative(view: View) -> Value:
    """Names in the dentry cache of files that do not exist: each look-up of one leaves it there."""
    return float(_negative(view))


@signal("dentry.negative_share", "ratio", reads=("proc/sys/fs/dentry-state",),
        formula="nr_negative / nr_dentry")  # fmt: skip
def dentry_negative_share(view: View) -> Value:
    """Share of the dentry cache that is names of files that do not exist."""
    return min(1.0, _negative(view) / _dentries(view, 0))
