# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When memory is worth compacting, and doing it. All numbers come from the kernel's own files."""

import collections
import json
import os
import re
import signal
import time

from ansible_collections.memadvisor.linux.plugins.module_utils import files
from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError, reason, under

Zone = collections.namedtuple("Zone", "node name blocks low")
"""A zone: its node's number, its name, free blocks by order, and its low watermark in pages."""

HOST = "/proc/sys/vm/compact_memory"
NODE = "/sys/devices/system/node/node{}/compact"


def zones(root):
    """All zones that hold memory; raises TransactionError when the kernel's files do not tell."""
    text = _read(root, "/proc/buddyinfo")
    if text is None:
        raise TransactionError(
            "/proc/buddyinfo cannot be read, so nothing is known of free blocks; run as root (become: true)"
        )
    lows = {}
    for node, name, body in re.findall(
        r"^Node (\d+), zone +(\S+)\n((?:(?!^Node ).*\n?)*)", _read(root, "/proc/zoneinfo") or "", re.MULTILINE
    ):
        low = re.search(r"^ +low +(\d+)$", body, re.MULTILINE)
        if low:
            lows[int(node), name] = int(low.group(1))
    found = []
    for node, name, counts in re.findall(r"^Node (\d+), zone +(\S+) +([\d ]+)$", text, re.MULTILINE):
        key = int(node), name
        found.append(Zone(key[0], name, [int(count) for count in counts.split()], lows.get(key)))
    if not found:
        raise TransactionError("/proc/buddyinfo does not tell of any zone")
    return found


def free_pages(zone):
    """Free pages of a zone."""
    return sum(count << order for order, count in enumerate(zone.blocks))


def suitable(some, order):
    """Free blocks of an order or above, counted in blocks of that order."""
    return sum(count << (high - order) for zone in some for high, count in enumerate(zone.blocks) if high >= order)


def unusable(some, order):
    """Unusable free space index of zones together: the share of free memory that lies in blocks too small for an order.

    It is the kernel's own index of /sys/kernel/debug/extfrag/unusable_index, as a ratio; 0 without free memory.
    """
    free = sum(map(free_pages, some))
    return 1 - (suitable(some, order) << order) / free if free else 0.0


def can_compact(zone, order):
    """Whether a zone has the room to move pages in: its low watermark and two blocks, as the kernel asks for."""
    return zone.low is not None and free_pages(zone) > zone.low + (2 << order)


def told(some, order):
    """Zones as a result shows them."""
    return [
        {
            "node": zone.node,
            "zone": zone.name,
            "free_blocks": zone.blocks,
            "unusable": round(unusable([zone], order), 4),
        }
        for zone in some
    ]


def real_time(root):
    """Why a host counts as real-time, one clause each: an interruption of any CPU would hurt there."""
    if (_read(root, "/sys/kernel/realtime") or "").strip() == "1" or re.search(
        r"PREEMPT[_ ]RT", _read(root, "/proc/version") or ""
    ):
        yield "its kernel is a real-time kernel (PREEMPT_RT)"
    for word in ("isolcpus", "nohz_full"):
        if re.search(rf"(?:^|\s){word}=", _read(root, "/proc/cmdline") or ""):
            yield f"it keeps processors apart ({word}= on the kernel command line)"


def pressure(root):
    """Share of the last ten seconds in which some task waited for memory, in percent; None when it is not told."""
    found = re.search(r"^some avg10=([\d.]+)", _read(root, "/proc/pressure/memory") or "", re.MULTILINE)
    return float(found.group(1)) if found else None


def stamp(state):
    """Seconds since the last compaction of this boot by us; None when there was none."""
    try:
        last = json.loads(files.read(state.path("compacted.json")) or "{}")
        age = _up_s() - last["up_s"]
        return age if last["boot_id"] == _read(state.root, "/proc/sys/kernel/random/boot_id") and age >= 0 else None
    except (KeyError, TypeError, ValueError):
        return None


def set_stamp(state):
    """Remember that memory is compacted now; raises OSError."""
    boot_id = _read(state.root, "/proc/sys/kernel/random/boot_id")
    files.replace(state.path("compacted.json"), json.dumps({"boot_id": boot_id, "up_s": _up_s()}))


def compact(path, timeout_s):
    """Write to a file that compacts memory, in a child, since the write returns only when it is done.

    Nobody can interrupt the kernel in it but by a fatal signal, which the child gets when the time is over.

    Returns:
        Whether it ended in time.

    Raises:
        TransactionError: the kernel refuses it.
    """
    deadline = time.monotonic() + timeout_s
    child = os.fork()
    if child == 0:
        try:
            fd = os.open(path, os.O_WRONLY)
            os.write(fd, b"1")
            os._exit(0)
        except OSError as error:
            os._exit(error.errno if 0 < (error.errno or 0) < 256 else 255)
    pause = 0.001
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return _ended(path, status)
        time.sleep(pause)
        pause = min(pause * 2, 0.1)
    os.kill(child, signal.SIGKILL)
    return False


def _ended(path, status):
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 255
    if code:
        raise TransactionError(f"{path} cannot be written: {reason(OSError(code, os.strerror(code)))}")
    return True


def _up_s():
    return float(files.read("/proc/uptime").split()[0])


def _read(root, path):
    try:
        return files.read(under(root, path))
    except OSError:
        return None
