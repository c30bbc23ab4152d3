"""Hosts that do not exist, as the text that their kernels would print; settings can be written to them.

A write does what the kernel does: marks are computed anew, THP raises vm.min_free_kbytes, a setting zeroes its twin.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from advisor.capture.model import Capture, Process, Sample
from advisor.minfree import thp_min_free_kbytes
from advisor.tunables import TUNABLES, format_value, get
from advisor.watermarks import Marks, Settings, ZoneInput, predict_marks

PAGE = 4096
BLOCK = 512
SECONDS = 120.0
CALM = "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"

DEFAULTS = {
    "vm.min_free_kbytes": 67584,
    "vm.watermark_scale_factor": 10,
    "vm.watermark_boost_factor": 15000,
    "vm.swappiness": 60,
    "vm.vfs_cache_pressure": 100,
    "vm.dirty_ratio": 20,
    "vm.dirty_background_ratio": 10,
    "vm.dirty_bytes": 0,
    "vm.dirty_background_bytes": 0,
    "vm.dirty_expire_centisecs": 3000,
    "vm.dirty_writeback_centisecs": 500,
    "vm.page-cluster": 3,
    "vm.overcommit_memory": 0,
    "vm.overcommit_ratio": 50,
    "vm.overcommit_kbytes": 0,
    "vm.zone_reclaim_mode": 0,
    "vm.extfrag_threshold": 500,
    "vm.compaction_proactiveness": 20,
    "vm.panic_on_oom": 0,
    "vm.oom_kill_allocating_task": 0,
    "vm.max_map_count": 65530,
    "vm.numa_stat": 1,
    "vm.stat_interval": 1,
    "vm.percpu_pagelist_high_fraction": 0,
}

# Counters that symptoms are made of, with the most that 120 s may bring.
SYMPTOMS = {
    "allocstall_normal": 20_000, "allocstall_movable": 20_000, "pgscan_direct_throttle": 50,
    "pgscan_kswapd": 20_000_000, "pgscan_direct": 5_000_000, "pageoutrun": 5_000,
    "kswapd_low_wmark_hit_quickly": 4_000, "kswapd_high_wmark_hit_quickly": 4_000,
    "workingset_refault_anon": 500_000, "workingset_refault_file": 5_000_000,
    "pswpin": 500_000, "pswpout": 500_000, "pgmajfault": 100_000, "pgpgin": 40_000_000, "pgpgout": 20_000_000,
    "compact_stall": 5_000, "compact_daemon_migrate_scanned": 20_000_000, "thp_fault_alloc": 50_000,
    "thp_fault_fallback": 50_000, "oom_kill": 2, "slabs_scanned": 1_000_000, "nr_vmscan_immediate_reclaim": 100_000,
    "swap_ra": 100_000, "pginodesteal": 100_000, "kswapd_inodesteal": 100_000, "zone_reclaim_failed": 500,
}  # fmt: skip
# A part of another counter: never more than that.
PARTS = {
    "pgsteal_kswapd": "pgscan_kswapd", "pgsteal_direct": "pgscan_direct", "workingset_restore_anon":
    "workingset_refault_anon", "workingset_restore_file": "workingset_refault_file", "compact_fail": "compact_stall",
    "swap_ra_hit": "swap_ra", "thp_fault_fallback_charge": "thp_fault_fallback",
}  # fmt: skip


@dataclass(frozen=True)
class Host:
    """A host: its zones, its settings, what happened in the window, how full it is."""

    managed: tuple[tuple[str, int], ...]
    settings: dict[str, int]
    thp: str
    counters: dict[str, int]
    free: float
    cache: float
    full: float
    swap: tuple[int, float, bool] = (0, 0.0, False)
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        """All managed pages."""
        return sum(pages for _name, pages in self.managed)

    def healed(self) -> Host:
        """The same host when nothing happens any more."""
        return replace(self, counters=dict.fromkeys(self.counters, 0), full=0.0)

    def written(self, name: str, value: int | str) -> Host:
        """The host after a write of one setting."""
        if name == "thp.enabled":
            host = replace(self, thp=str(value))
            floor = thp_min_free_kbytes(host.zones(), host.formula()) if value != "never" else 0
            raised = max(floor, host.settings["vm.min_free_kbytes"])
            return replace(host, settings={**host.settings, "vm.min_free_kbytes": raised})
        if name in self.settings:
            zeroed = dict.fromkeys((twin for twin in get(name).coupled if twin in self.settings), 0)
            return replace(self, settings={**self.settings, **zeroed, name: int(value)})
        tunable = TUNABLES[name]
        return replace(self, extra={**self.extra, tunable.path: format_value(tunable, value) + "\n"})

    def formula(self) -> Settings:
        """Its settings as the formulas want them."""
        return Settings(
            self.settings["vm.min_free_kbytes"],
            self.settings["vm.watermark_scale_factor"],
            (256, 256, 32, 0, 0),
            self.settings["vm.watermark_boost_factor"],
            self.thp,  # type: ignore[arg-type]
        )

    def zones(self) -> list[ZoneInput]:
        """Its zones."""
        return [ZoneInput(0, name, pages, pages) for name, pages in self.managed]

    def marks(self) -> list[tuple[Marks, tuple[str, int]]]:
        """The marks that its settings give, beside each zone."""
        return list(zip(predict_marks(self.zones(), self.formula(), "movable_capped"), self.managed, strict=True))

    def capture(self) -> Capture:
        """Two samples of the host."""
        before = self.files(dict.fromkeys(self.counters, 0))
        return Capture(
            (Sample(before, 1000.0), Sample(self.files(self.counters), 1000.0 + SECONDS)),
            host="synthetic",
            processes=(Process(1, "init", 1 << 20),),
        )

    def files(self, counters: dict[str, int]) -> dict[str, str]:
        """The text of its files when these counters stand in /proc/vmstat."""
        waiting = sum(counters.values()) > 0
        stalled = int(self.full * SECONDS * 1e6) if waiting else 0
        free, cache = int(self.pages * self.free), int(self.pages * self.cache)
        if not any(self.counters.values()):
            # On a calm host kswapd has filled every zone up to its high mark.
            free = max(free, *(mark.high * self.pages // pages + 1 for mark, (_name, pages) in self.marks()))
        anon = max(0, self.pages - free - cache - self.pages // 20)
        size, used, zram = self.swap
        gauges = {
            "nr_free_pages": free, "nr_inactive_file": cache // 2, "nr_active_file": cache - cache // 2,
            "nr_inactive_anon": anon // 2, "nr_active_anon": anon - anon // 2, "nr_anon_pages": anon,
            "nr_slab_reclaimable": self.pages // 50, "nr_slab_unreclaimable": self.pages // 50,
            "nr_dirty": 1000, "nr_writeback": 0, "nr_dirty_threshold": self.pages // 5,
            "nr_dirty_background_threshold": self.pages // 10, "nr_mapped": 1000, "nr_shmem": 1000,
        }  # fmt: skip
        meminfo = {
            "MemTotal": self.pages, "MemFree": free, "MemAvailable": free + cache, "Active(anon)": anon - anon // 2,
            "Inactive(anon)": anon // 2, "Active(file)": cache - cache // 2, "Inactive(file)": cache // 2,
            "AnonPages": anon, "Mapped": 1000, "Shmem": 1000, "SReclaimable": self.pages // 50,
            "SUnreclaim": self.pages // 50, "SwapTotal": size, "SwapFree": int(size * (1 - used)),
            "PageTables": 2000, "AnonHugePages": 0, "CommitLimit": self.pages, "Committed_AS": anon,
        }  # fmt: skip
        pressure = f"some avg10=0.00 avg60=0.00 avg300=0.00 total={stalled}\n"
        swaps = "Filename\tType\tSize\tUsed\tPriority\n"
        if size:
            device = "/dev/zram0" if zram else "/dev/sda2"
            swaps += f"{device} partition {size * 4} {int(size * used) * 4} 100\n"
        return {
            "proc/vmstat": "".join(f"{name} {value}\n" for name, value in (gauges | counters).items()),
            "proc/meminfo": "".join(f"{name}: {value * 4} kB\n" for name, value in meminfo.items())
            + "HugePages_Total: 0\nHugePages_Free: 0\nHugePages_Rsvd: 0\nHugepagesize: 2048 kB\n",
            "proc/zoneinfo": self.zoneinfo(free),
            "proc/buddyinfo": "Node 0, zone   Normal " + " ".join(["100"] * 11) + "\n",
            "proc/pressure/memory": pressure + pressure.replace("some", "full"),
            "proc/pressure/io": CALM + CALM.replace("some", "full"),
            "proc/stat": "cpu  1 0 1 1 0 0 0 0 0 0\ncpu0 1 0 1 1 0 0 0 0 0 0\nbtime 1\n",
            "proc/swaps": swaps,
            "proc/uptime": "90000.00 90000.00\n" if not waiting else "90120.00 90000.00\n",
            "proc/sys/vm/lowmem_reserve_ratio": "256\t256\t32\t0\t0\n",
            "sys/kernel/mm/transparent_hugepage/enabled": " ".join(
                f"[{mode}]" if mode == self.thp else mode for mode in ("always", "madvise", "never")
            )
            + "\n",
            "sys/kernel/mm/transparent_hugepage/defrag": "always defer defer+madvise [madvise] never\n",
            "sys/kernel/mm/transparent_hugepage/hpage_pmd_size": f"{BLOCK * PAGE}\n",
            **{get(name).path: f"{value}\n" for name, value in self.settings.items()},
            **self.extra,
        }  # fmt: skip

    def zoneinfo(self, free: int) -> str:
        """The text of /proc/zoneinfo, with the marks that its settings give."""
        text = []
        for marks, (name, pages) in self.marks():
            text.append(
                f"Node 0, zone {name:>8}\n  pages free     {free * pages // self.pages}\n        boost    0\n"
                f"        min      {marks.min}\n        low      {marks.low}\n        high     {marks.high}\n"
                f"        promo    {marks.high + marks.gap}\n        spanned  {pages}\n        present  {pages}\n"
                f"        managed  {pages}\n        cma      0\n        protection: (0, 0, 0, 0, 0)\n"
                f"      nr_free_pages {free * pages // self.pages}\n"
                "  node_unreclaimable:  0\n  start_pfn:           1\n"
            )
        return "".join(text)


@st.composite
def hosts(draw):
    """Hosts of 1 to 512 GiB with likely and unlikely settings, and any mixture of symptoms."""
    gib = draw(st.sampled_from([1, 2, 4, 16, 64, 256, 512]))
    normal = gib * (1 << 18) - 200_000
    managed = (("DMA", 3840), ("DMA32", 196_000), ("Normal", max(normal, 60_000)))
    settings = dict(DEFAULTS)
    for name, values in {
        "vm.min_free_kbytes": [1024, 8192, 67584, 262144, 1 << 20],
        "vm.watermark_scale_factor": [1, 10, 100, 200, 1000],
        "vm.swappiness": [0, 1, 10, 60, 100, 200],
        "vm.dirty_ratio": [1, 20, 80],
        "vm.dirty_background_ratio": [0, 10, 90],
        "vm.vfs_cache_pressure": [0, 1, 100, 1000],
        "vm.overcommit_memory": [0, 1, 2],
        "vm.zone_reclaim_mode": [0, 1],
        "vm.page-cluster": [0, 3],
        "vm.extfrag_threshold": [0, 500, 1000],
        "vm.dirty_writeback_centisecs": [0, 500],
        "vm.watermark_boost_factor": [0, 15000],
    }.items():
        settings[name] = draw(st.sampled_from(values))
    counters = {name: draw(st.one_of(st.just(0), st.integers(0, most))) for name, most in SYMPTOMS.items()}
    for name, whole in PARTS.items():
        counters[name] = int(counters[whole] * draw(st.sampled_from([0.0, 0.2, 0.5, 0.7, 0.95, 1.0])))
    counters["pgscan_anon"] = counters["pgscan_kswapd"] // 3
    counters["pgscan_file"] = counters["pgscan_kswapd"] + counters["pgscan_direct"] - counters["pgscan_anon"]
    free = draw(st.sampled_from([0.003, 0.01, 0.05, 0.3]))
    swap = draw(st.sampled_from([(0, 0.0, False), (1 << 20, 0.1, False), (1 << 20, 0.95, False), (1 << 19, 0.3, True)]))
    return Host(
        managed, settings, draw(st.sampled_from(["always", "madvise", "never"])), counters,
        free, draw(st.sampled_from([0.02, 0.2, 0.6])), draw(st.sampled_from([0.0, 0.02, 0.2])), swap,
    )  # fmt: skip
