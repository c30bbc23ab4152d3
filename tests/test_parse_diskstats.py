import pytest

from advisor.errors import ParseError
from advisor.parse import diskstats
from advisor.parse.diskstats import Disk
from tests.fixtures import capture_files
from tests.parse_samples import sample


def of(*names: str) -> diskstats.Diskstats:
    return diskstats.parse("".join(f"   8       0 {name} 1 0 8 1 1 0 8 1 0 1 2\n" for name in names))


def test_sectors_become_bytes_and_milliseconds_become_seconds() -> None:
    vdb = diskstats.parse(capture_files("7.3", "pressure")["proc/diskstats"]).devices[1]
    assert vdb == Disk(
        name="vdb",
        reads=99,
        read_bytes=2952 * 512,
        read_s=1.213,
        writes=2752,
        written_bytes=217192 * 512,
        write_s=161.427,
        in_flight=1,
        io_s=8.14,
        weighted_s=162.641,
        flushes=0,
    )


@pytest.mark.parametrize(
    ("kernel", "name", "weighted_s"), [("linux-2.6.32", "sda", 5806.22), ("linux-4.19", "nvme0n1", 80.12)]
)
def test_layouts_of_11_and_15_numbers(kernel: str, name: str, weighted_s: float) -> None:
    parsed = diskstats.parse(sample(kernel, "proc/diskstats"))
    assert parsed.problems == ()
    assert {disk.name: disk.weighted_s for disk in parsed.devices}[name] == weighted_s


def test_flushes_are_counted_since_5_5() -> None:
    parsed = diskstats.parse("8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n8 16 sdb 1 0 8 1 1 0 8 1 0 1 2\n")
    assert [disk.flushes for disk in parsed.devices] == [16, None]


def test_numbers_that_a_later_kernel_appends_are_passed_over() -> None:
    parsed = diskstats.parse("8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18\n")
    assert parsed.devices[0].weighted_s == 0.011


@pytest.mark.parametrize("numbers", [4, 10, 12, 14, 16])
def test_a_line_with_too_few_or_a_few_too_many_numbers_is_absent(numbers: int) -> None:
    line = "8 0 sda " + " ".join(["1"] * numbers) + "\n"
    parsed = diskstats.parse(line + "8 16 sdb 1 0 8 1 1 0 8 1 0 1 2\n")
    assert [disk.name for disk in parsed.devices] == ["sdb"]
    assert len(parsed.problems) == 1


@pytest.mark.parametrize(
    ("names", "disks"),
    [
        (["sda", "sda1", "sda15", "sdaa", "sdaa1"], ["sda", "sdaa"]),
        (["nvme0n1", "nvme0n1p1", "nvme0n1p12", "nvme1n1"], ["nvme0n1", "nvme1n1"]),
        (["nvme0n1", "nvme0c0n1", "nvme0c1n1"], ["nvme0n1"]),
        (["mmcblk0", "mmcblk0p1", "mmcblk0boot0"], ["mmcblk0", "mmcblk0boot0"]),
        (["xvda1", "xvdb", "xvdb1"], ["xvda1", "xvdb"]),
        (["sda", "dm-0", "md0", "md127p1", "loop3", "ram0", "zram0", "zd16", "bcache0", "drbd1"], ["sda"]),
        (["cciss/c0d0", "cciss/c0d0p1"], ["cciss/c0d0"]),
        (["sr0", "vda", "nbd0", "rbd0", "rbd0p1"], ["sr0", "vda", "nbd0", "rbd0"]),
    ],
)
def test_whole_disks_have_no_byte_twice(names: list[str], disks: list[str]) -> None:
    assert list(of(*names).whole_disks()) == disks


def test_whole_disks_of_an_old_host_with_volumes() -> None:
    parsed = diskstats.parse(sample("linux-2.6.32", "proc/diskstats"))
    assert list(parsed.whole_disks()) == ["sda"]
    assert parsed.whole_disks()["sda"].read_bytes == 3219850 * 512


def test_a_device_twice_with_different_numbers_is_absent() -> None:
    parsed = diskstats.parse(
        "8 0 sda 1 0 8 1 1 0 8 1 0 1 2\n8 0 sda 2 0 8 1 1 0 8 1 0 1 2\n8 1 sdb 1 0 8 1 1 0 8 1 0 1 2\n"
    )
    assert [disk.name for disk in parsed.devices] == ["sdb"]


def test_what_is_not_diskstats_is_an_error() -> None:
    with pytest.raises(ParseError, match="diskstats"):
        diskstats.parse("sda\n")
