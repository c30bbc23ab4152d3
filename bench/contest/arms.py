"""Who contends, and what each of them sets. Settings are values by file, as they were read back.

| arm | what it is |
| --- | --- |
| defaults | the kernel's own values |
| tuned-virtual-guest | TuneD's profile of that name, which it recommends for such a guest; set by TuneD itself |
| tuned-throughput-performance, tuned-latency-performance | likewise |
| charm-helpers | 2.5e9 / managed pages of zone Normal, at most 1000, as vm.watermark_scale_factor, at every boot |
| memadvisor | what its role set on a guest under the load; see `advice` |

charm-helpers leaves the default of 10 below 16 GiB, where it would be the first arm once more; its formula is taken
without that bound. bpftune has no arm: of its tuners none sets anything of memory management but network buffers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.contest.image import image
from tests.hosts.shapes import Shape

if TYPE_CHECKING:
    from tests.hosts.guest import Guest
    from tests.hosts.states import Hosts

DEFAULTS, MEMADVISOR, CHARM = "defaults", "memadvisor", "charm-helpers"
TUNED = ("tuned-virtual-guest", "tuned-throughput-performance", "tuned-latency-performance")
ARMS = (DEFAULTS, *TUNED, CHARM, MEMADVISOR)

Settings = dict[str, str]

# Where the settings of memory lie, and of disks, since a profile changes how far they read ahead.
_PLACES = "/proc/sys/vm /sys/kernel/mm/transparent_hugepage /sys/block/vda/queue /sys/block/vdb/queue"
_PASSING = ("stat_refresh", "full_scans", "pages_collapsed", "nr_pdflush")
_SCALE = "/proc/sys/vm/watermark_scale_factor"


def settings(guest: Guest) -> Settings:
    """All settings of memory and disks; of a choice, what is chosen."""
    lines = guest.run(f"grep -rs '' {_PLACES}; true").splitlines()
    pairs = (line.split(":", 1) for line in lines)
    return {
        file: _chosen(value.strip()) for file, value in pairs if not file.endswith(_PASSING) and "/stats/" not in file
    }


def _chosen(text: str) -> str:
    """The word in brackets, where there is one.

    >>> _chosen("always [madvise] never"), _chosen("256 256 32 0 0")
    ('madvise', '256 256 32 0 0')
    """
    start, end = text.find("["), text.find("]")
    return text[start + 1 : end] if 0 <= start < end else text


def changed(before: Settings, after: Settings) -> Settings:
    """What became of those that differ."""
    return {file: value for file, value in sorted(after.items()) if before.get(file) not in {None, value}}


def rivals(hosts: Hosts, kernel: str) -> dict[str, Settings]:
    """What every arm but memadvisor sets on a kernel: TuneD is run for it, in a guest."""
    found: dict[str, Settings] = {DEFAULTS: {}}
    for arm in TUNED:
        guest = hosts.start(kernel, Shape(memory_mb=320, processors=1, icount=2, image=image()))
        before = settings(guest)
        if arm == TUNED[0]:
            profile = guest.run("tuned-adm recommend", timeout_s=300).strip()
            assert f"tuned-{profile}" == arm, profile
            managed = guest.run("awk '/zone +Normal/ {here = 1} here && /managed/ {print $2; exit}' /proc/zoneinfo")
            found[CHARM] = {_SCALE: str(min(1000, int(2.5e9 / int(managed))))}
        guest.spawn(f"exec tuned --no-dbus --no-socket --log=/run/tuned.log --profile={arm.removeprefix('tuned-')}")
        guest.run("until grep -q 'static tuning.*applied' /run/tuned.log; do sleep 0.2; done", timeout_s=300)
        found[arm] = changed(before, settings(guest))
        guest.stop()
    return found
