"""Zones, settings and counters of the recorded hosts, read plainly for the tests of the formulas."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from advisor.memavailable import MemoryCounters
from advisor.watermarks import Settings, ZoneInput
from tests.fixtures import KERNELS, STATES, capture_files

CAPTURES = [(kernel, state) for kernel in KERNELS for state in STATES]
PRESSURE = [(kernel, "pressure") for kernel in KERNELS]
IDLE = [(kernel, "idle") for kernel in KERNELS]


def zones_of(kernel: str, state: str) -> list[ZoneInput]:
    found: list[dict] = []
    for line in capture_files(kernel, state)["proc/zoneinfo"].splitlines():
        words = line.split()
        if start := re.match(r"Node (\d+), zone\s+(\S+)", line):
            found.append({"node": int(start[1]), "name": start[2]})
        elif words[:2] == ["pages", "free"]:
            found[-1]["free"] = int(words[2])
        elif words[0] == "protection:":
            found[-1]["protection"] = tuple(map(int, re.findall(r"\d+", line)))
        elif re.fullmatch(r"\s+(boost|min|low|high|promo|present|managed)\s+\d+", line):
            found[-1].setdefault(words[0], int(words[1]))
    return [ZoneInput(**fields) for fields in found]


def settings_of(kernel: str, state: str) -> Settings:
    files = capture_files(kernel, state)
    value = {
        name: files[f"proc/sys/vm/{name}"].split()
        for name in (
            "min_free_kbytes",
            "watermark_scale_factor",
            "watermark_boost_factor",
            "lowmem_reserve_ratio",
        )
    }
    return Settings(
        min_free_kbytes=int(value["min_free_kbytes"][0]),
        watermark_scale_factor=int(value["watermark_scale_factor"][0]),
        watermark_boost_factor=int(value["watermark_boost_factor"][0]),
        lowmem_reserve_ratio=tuple(map(int, value["lowmem_reserve_ratio"])),
        thp="never",
    )


def meminfo_of(kernel: str, state: str) -> dict[str, int]:
    """KiB by name."""
    lines = capture_files(kernel, state)["proc/meminfo"].splitlines()
    return {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}


def vmstat_counters_of(kernel: str, state: str) -> MemoryCounters:
    lines = capture_files(kernel, state)["proc/vmstat"].splitlines()
    value = {name: int(number) for name, number in (line.split() for line in lines)}
    return MemoryCounters(
        free=value["nr_free_pages"],
        active_file=value["nr_active_file"],
        inactive_file=value["nr_inactive_file"],
        slab_reclaimable=value["nr_slab_reclaimable"],
        kernel_misc_reclaimable=value["nr_kernel_misc_reclaimable"],
    )


def meminfo_counters_of(kernel: str, state: str) -> MemoryCounters:
    value = meminfo_of(kernel, state)
    return MemoryCounters(
        free=value["MemFree"] // 4,
        active_file=value["Active(file)"] // 4,
        inactive_file=value["Inactive(file)"] // 4,
        slab_reclaimable=value["KReclaimable"] // 4,
    )


def host(*sizes: tuple[str, int], nodes: int = 1) -> list[ZoneInput]:
    """Zones of a made-up host: (name, managed pages) for each node."""
    return [ZoneInput(node, name, managed, present=managed) for node in range(nodes) for name, managed in sizes]


def gib(count: float, page_size: int = 4096) -> int:
    """Pages of so many GiB."""
    return int(count * (1 << 30)) // page_size


ZONES = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["DMA", "DMA32", "Normal", "HighMem", "Movable", "Device"]),
        st.integers(0, 1 << 30),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda zone: zone[:2],
).map(lambda rows: [ZoneInput(*row) for row in rows])

SETTINGS = st.builds(
    Settings,
    min_free_kbytes=st.integers(0, 2**31 - 1),
    watermark_scale_factor=st.integers(1, 3000),
    lowmem_reserve_ratio=st.lists(st.integers(0, 10_000), max_size=6).map(tuple),
    watermark_boost_factor=st.integers(0, 20_000),
    page_size=st.sampled_from([4096, 16384, 65536]),
    pageblock_pages=st.sampled_from([512, 1024, 8192]),
)

VARIANT = st.sampled_from(["movable_capped", "movable_as_lowmem"])
