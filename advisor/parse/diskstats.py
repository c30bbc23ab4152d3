"""/proc/diskstats: I/O of block devices."""

from __future__ import annotations

from advisor.parse._text import known, not_understood, notes, numbers, put, unreadable, whole_lines
from advisor.record import Record

READS = ("proc/diskstats",)

_EXPECTED = "diskstats (lines of a device and at least 11 numbers)"
_FLUSHES = 15
_SECTOR = 512  # always, whatever the device's own sectors (Documentation/block/stat.rst)

# Devices whose I/O is counted again at the disks below them, or is memory: loop, RAM, device mapper, RAID,
# ZFS volumes, bcache, DRBD.
_NOT_DISKS = ("loop", "ram", "zram", "dm-", "md", "zd", "bcache", "drbd")


class Disk(Record):
    """I/O of a block device since boot.

    Attributes:
        name: as in /dev; ``cciss/c0d0`` is printed ``cciss/c0d0`` or ``cciss!c0d0``.
        reads: reads completed.
        read_bytes: bytes read.
        read_s: seconds that reads took, summed over reads that ran at the same time.
        writes: writes completed.
        written_bytes: bytes written.
        write_s: seconds that writes took, summed likewise.
        in_flight: requests under way at the moment.
        io_s: seconds in which at least one request was under way.
        weighted_s: seconds that all requests took.
        flushes: requests to write out the disk's own cache, completed; None before Linux kernel commit b68663186577
            ("block: add iostat counters for flush requests") (in v5.5).

    The kernel keeps the times in 32-bit milliseconds: each starts again from 0 after 49.7 days.
    """

    name: str
    reads: int
    read_bytes: int
    read_s: float
    writes: int
    written_bytes: int
    write_s: float
    in_flight: int
    io_s: float
    weighted_s: float
    flushes: int | None = None


class Diskstats(Record):
    """Every block device, in the order of the file, and what was left out."""

    devices: tuple[Disk, ...]
    problems: tuple[str, ...]

    def whole_disks(self) -> dict[str, Disk]:
        """The devices, by name, that may be summed since no I/O is in two of them.

        Their names decide. Left out are device mapper, RAID, loop, RAM, zram and the like, single paths of
        multipath NVMe (``nvme0c1n1``), and ``sda1`` or ``nvme0n1p1`` where ``sda`` or ``nvme0n1`` is listed.
        A partition without its disk stays (``xvda1`` on Xen), and so do the disks of a RAID.
        """
        names = {disk.name for disk in self.devices}
        return {disk.name: disk for disk in self.devices if _is_whole(disk.name, names)}


def parse(text: str) -> Diskstats:
    """Parse diskstats (Documentation/admin-guide/iostats.rst).

    Lines have 11 numbers after the name, 15 with discards (v4.18), 17 with flushes (v5.5); more may follow
    in later kernels, at the end.
    """
    lines, problems = whole_lines(text, _EXPECTED)
    table: dict[str, Disk | None] = {}
    for line in lines:
        disk = _disk(line.split())
        if disk is None:
            problems.append(not_understood(line, "a device with its numbers"))
        else:
            put(table, disk.name, disk, problems)
    if not table:
        raise unreadable(_EXPECTED, text)
    return Diskstats(tuple(known(table).values()), notes(problems))


def _disk(words: list[str]) -> Disk | None:
    major_minor, fields = numbers(words[:2]), numbers(words[3:])
    if not major_minor or not fields or (len(fields) not in {11, 15} and len(fields) < 17):
        return None
    reads, _, read, read_ms, writes, _, written, write_ms, now, io_ms, weighted_ms = fields[:11]
    return Disk(
        name=words[2],
        reads=reads,
        read_bytes=read * _SECTOR,
        read_s=read_ms / 1000,
        writes=writes,
        written_bytes=written * _SECTOR,
        write_s=write_ms / 1000,
        in_flight=now,
        io_s=io_ms / 1000,
        weighted_s=weighted_ms / 1000,
        flushes=fields[_FLUSHES] if len(fields) > _FLUSHES else None,
    )


def _is_whole(name: str, names: set[str]) -> bool:
    if name.startswith(_NOT_DISKS) or _is_path_of_nvme(name):
        return False
    disk = name.rstrip("0123456789")
    if disk == name:
        return True
    return disk not in names and not (disk.endswith("p") and disk[:-1] in names)


def _is_path_of_nvme(name: str) -> bool:
    # nvme0c1n1: namespace 1 as reached through controller 1. nvme0n1 is the disk.
    return "".join(letter for letter in name if not letter.isdigit()).startswith("nvmecn")
