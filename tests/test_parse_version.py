import pytest

from advisor.errors import ParseError
from advisor.parse import version
from tests.fixtures import KERNELS, capture_files


@pytest.mark.parametrize("kernel", KERNELS)
def test_both_files_of_a_host_name_the_same_release(kernel: str) -> None:
    files = capture_files(kernel, "idle")
    release = version.parse(files["proc/sys/kernel/osrelease"]).release
    assert release.startswith(f"{kernel}.")
    assert version.parse(files["proc/version"]).release == release


def test_a_release_may_lack_its_newline() -> None:
    assert version.parse("4.18.0-553.el8_10.x86_64").release == "4.18.0-553.el8_10.x86_64"


@pytest.mark.parametrize(
    "text",
    ["", "Linux", "Linux version", "Linux version 6.1.0-5", "six.one", "6", "6.", "6.1 7.2", "6.1\x01"],
)
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(ParseError, match="kernel release"):
        version.parse(text)


def test_a_cut_off_version_never_gives_another_release() -> None:
    text = capture_files("6.12", "idle")["proc/version"]
    release = version.parse(text).release
    for end in range(len(text)):
        try:
            assert version.parse(text[:end]).release == release
        except ParseError:
            continue
