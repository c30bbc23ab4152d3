import pytest

from advisor.errors import ParseError
from advisor.parse import swaps
from advisor.parse.swaps import SwapDevice, Swaps
from tests.fixtures import capture_files
from tests.parse_samples import sample

HEADING = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


def test_a_real_host_in_bytes() -> None:
    device = SwapDevice("/dev/vdb", "partition", 1048572 * 1024, 109212 * 1024, -1)
    assert swaps.parse(capture_files("7.3", "pressure")["proc/swaps"]) == Swaps((device,), ())


def test_only_the_heading_means_that_there_is_no_swap() -> None:
    assert swaps.parse(HEADING) == Swaps((), ())


@pytest.mark.parametrize("text", ["", "\n", HEADING.rstrip(), "/dev/sda2 partition 8 0 -2\n"])
def test_without_the_heading_nothing_is_known(text: str) -> None:
    with pytest.raises(ParseError, match="swaps"):
        swaps.parse(text)


def test_zram_and_a_deleted_file_with_blanks_in_its_name() -> None:
    zram, file = swaps.parse(sample("zram", "proc/swaps")).devices
    assert (zram.is_zram, zram.priority) == (True, 100)
    assert (file.is_zram, file.path, file.kind) == (False, "/swap file (deleted)", "file")


@pytest.mark.parametrize(
    ("escaped", "path"),
    [(r"/a\040b", "/a b"), (r"/a\011b", "/a\tb"), (r"/a\134040", r"/a\040"), ("/a", "/a")],
)
def test_octal_escapes_of_a_path(escaped: str, path: str) -> None:
    assert swaps.parse(f"{HEADING}{escaped} file 8 0 -2\n").devices[0].path == path


@pytest.mark.parametrize(
    "line",
    [
        r"/a\04 file 8 0 -2",
        r"/a\890 file 8 0 -2",
        "/a b file 8 0 -2",
        "/a file 8 0",
        "/a file 8 x -2",
        "/a file -8 0 -2",
    ],
)
def test_a_damaged_line_is_absent_and_noted(line: str) -> None:
    parsed = swaps.parse(f"{HEADING}{line}\n/dev/sda2 partition 8 4 -2\n")
    assert [device.path for device in parsed.devices] == ["/dev/sda2"]
    assert len(parsed.problems) == 1


@pytest.mark.parametrize(("path", "zram"), [("/dev/zram0", True), ("/dev/block/zram12", True), ("/zram/swap", False)])
def test_zram_is_told_by_the_device(path: str, zram: bool) -> None:
    assert SwapDevice(path, "partition", 1, 0, 0).is_zram is zram
