"""Archives made to harm: every limit, every trick with names, and bytes at random."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from advisor.capture import archive as archives
from advisor.capture import tree as trees
from advisor.capture import unpack
from advisor.capture.archive import ArchiveStore
from advisor.capture.open import open_capture
from advisor.capture.tree import MAX_FILE, Tree
from advisor.errors import AdvisorError, CaptureError
from tests.capture_helpers import HOST, VMSTAT, member, plant, tar

GIB = 1 << 30


def refused(source) -> str:
    with pytest.raises(CaptureError) as caught:
        open_capture(str(source))
    return caught.value.message.removeprefix(f"{source}: ")


@pytest.mark.parametrize("name", ["../evil", "proc/../../evil", "t0/..", "/../evil"])
def test_a_name_that_leads_out_condemns_the_archive(tmp_path, name):
    source = tar(tmp_path / "x.tar.gz", ("proc/vmstat", VMSTAT), (name, "x"))

    assert refused(source) == f"names a file outside of itself: {name}"


def test_absolute_names_and_dots_are_read_as_relative(tmp_path):
    source = tar(tmp_path / "x.tar.gz", ("/proc/vmstat", VMSTAT), ("./proc//./meminfo", "m\n"))

    assert dict(open_capture(source).samples[0].files) == {"proc/vmstat": VMSTAT, "proc/meminfo": "m\n"}


def test_nothing_is_written_anywhere(tmp_path, monkeypatch):
    source = tar(tmp_path / "x.tar.gz", ("/proc/vmstat", VMSTAT), ("t0/x", "y"))
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    open_capture(source)

    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"Z"])
def test_devices_pipes_and_unknown_kinds_are_skipped(tmp_path, kind):
    source = tar(tmp_path / "x.tar", ("proc/vmstat", VMSTAT), member("proc/meminfo", kind))

    assert dict(open_capture(source).samples[0].files).keys() - {"proc/meminfo"} == {"proc/vmstat"}


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../etc/passwd", "../../etc/passwd"])
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_out_of_the_archive_read_nothing(tmp_path, target, kind):
    source = tar(tmp_path / "x.tar", ("t0/proc/vmstat", VMSTAT), member("t0/proc/meminfo", kind, target))

    if kind == tarfile.LNKTYPE and ".." in target:
        assert refused(source) == f"names a file outside of itself: {target}"
    else:
        assert dict(open_capture(source).samples[0].files) == {"proc/vmstat": VMSTAT}


def test_links_in_a_circle_end(tmp_path):
    source = tar(
        tmp_path / "x.tar",
        ("t0/proc/vmstat", VMSTAT),
        member("t0/a", tarfile.SYMTYPE, "b"),
        member("t0/b", tarfile.SYMTYPE, "a"),
        member("t0/c", tarfile.SYMTYPE, "c/c/c"),
        member("t0/d", tarfile.LNKTYPE, "t0/d"),
    )

    assert set(open_capture(source).samples[0].files) == {"proc/vmstat"}


def test_links_that_double_at_each_step_end_soon(tmp_path):
    chain = [member(f"t0/l{n}", tarfile.SYMTYPE, f"l{n - 1}/../l{n - 1}/..") for n in range(1, 60)]
    source = tar(tmp_path / "x.tar", ("t0/l0/x", "x"), ("t0/proc/vmstat", VMSTAT), *chain)

    # Followed blindly, these would take 2 to the power of 60 steps.
    assert "proc/vmstat" in open_capture(source).samples[0].files


def test_the_last_of_equal_names_wins_as_tar_does(tmp_path):
    link = member("proc/meminfo", tarfile.SYMTYPE, "vmstat")
    source = tar(tmp_path / "x.tar", ("proc/vmstat", "old\n"), link, ("./proc/vmstat", VMSTAT), ("proc/meminfo", "m\n"))

    assert dict(open_capture(source).samples[0].files) == {"proc/vmstat": VMSTAT, "proc/meminfo": "m\n"}


def test_a_name_that_is_a_file_and_a_folder_does_no_harm(tmp_path):
    source = tar(tmp_path / "x.tar", ("t0/proc", "x"), ("t0/proc/vmstat", VMSTAT), ("t0/proc/vmstat/deep", "y"))

    assert open_capture(source).text("proc/vmstat/deep") == "y"


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def test_a_huge_member_is_noted_and_not_read(tmp_path):
    path = tmp_path / "x.tar"
    with path.open("wb") as file:
        file.write(header("t0/proc/slabinfo", GIB))
        file.seek(GIB, os.SEEK_CUR)
        file.write(header("t0/proc/swaps", 2) + b"s\n".ljust(512, b"\0") + bytes(1024))

    capture = open_capture(str(path))

    assert dict(capture.samples[0].files) == {"proc/swaps": "s\n"}
    assert capture.unread == {"proc/slabinfo": "larger than 32 MiB"}
    assert capture.notes == ("proc/slabinfo: larger than 32 MiB, not read",)


@pytest.mark.parametrize(("pack", "suffix"), [(gzip.compress, "gz"), (bz2.compress, "bz2"), (lzma.compress, "xz")])
def test_a_bomb_is_defused_early(tmp_path, pack, suffix):
    size = 300 << 20
    path = tmp_path / f"x.tar.{suffix}"
    bomb = pack(header("t0/proc/vmstat", size)) + pack(bytes(64 << 20)) * (size // (64 << 20)) + pack(bytes(1024))
    path.write_bytes(bomb)

    assert refused(path) == "unpacks to more than 200 times its size"


def test_a_bomb_costs_no_memory(tmp_path):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(header("t0/proc/vmstat", 8 * GIB)) + gzip.compress(bytes(64 << 20)) * 8)
    code = (
        "import sys; from advisor.capture.open import open_capture\n"
        "try: open_capture(sys.argv[1])\n"
        "except Exception as error: print(type(error).__name__)\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code, path], cwd=root, capture_output=True, text=True, check=True)

    kind, peak_kib = done.stdout.split()
    assert kind == "CaptureError"
    assert int(peak_kib) < 64 * 1024


def test_a_sparse_file_of_exabytes_is_not_read(tmp_path):
    info = tarfile.TarInfo("t0/proc/vmstat")
    info.pax_headers = {
        "GNU.sparse.size": str(1 << 60),
        "GNU.sparse.map": "0,0",
        "GNU.sparse.name": "t0/proc/vmstat",
    }
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
        archive.addfile(*text_member("t0/proc/swaps", "s\n"))

    capture = open_capture(str(path))

    assert dict(capture.samples[0].files) == {"proc/swaps": "s\n"}
    assert capture.unread["proc/vmstat"] == "larger than 32 MiB"


def text_member(name: str, text: str) -> tuple[tarfile.TarInfo, io.BytesIO]:
    info = tarfile.TarInfo(name)
    info.size = len(text)
    return info, io.BytesIO(text.encode())


def test_the_sum_of_all_files_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_TOTAL", 3 << 20)
    source = tar(tmp_path / "x.tar", *((f"t0/f{n}", "x" * (1 << 20)) for n in range(4)))

    assert refused(source).startswith("has more than ")


def test_the_sum_of_all_files_of_a_folder_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr("advisor.capture.folder.MAX_TOTAL", 3 << 20)
    plant(tmp_path, {f"t0/f{n}": "x" * (1 << 20) for n in range(4)})

    assert "more than " in refused(tmp_path)


def test_the_number_of_members_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_ENTRIES", 10)
    source = tar(tmp_path / "x.tar", *((f"home/f{n}", "") for n in range(11)))

    assert refused(source) == "has more than 10 files"


def test_the_number_of_names_in_a_folder_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr("advisor.capture.folder.MAX_ENTRIES", 10)
    plant(tmp_path, {f"t0/f{n}": "" for n in range(11)})

    assert "more than 10 names" in refused(tmp_path)


def test_what_a_source_unpacks_to_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "MAX_UNPACKED", 1 << 20)
    source = tar(tmp_path / "x.tar", ("home/x", "x" * (2 << 20)))

    assert refused(source) == "unpacks to more than 1 MiB"


def test_a_giant_header_is_refused(tmp_path):
    path = tmp_path / "x.tar"
    path.write_bytes(header("x", 2 * MAX_FILE, tarfile.XHDTYPE) + bytes(8 << 20))

    assert refused(path) == "is a damaged archive: a header of absurd size"


def test_headers_without_end_are_refused(tmp_path):
    path = tmp_path / "x.tar.gz"
    name = (
        header("././@LongLink", 3 << 20, tarfile.GNUTYPE_LONGNAME) + os.urandom(1 << 20).hex().encode() + bytes(1 << 20)
    )
    path.write_bytes(gzip.compress((name + header("x", 0)) * 30, 1))

    assert refused(path).startswith(("is a damaged archive: more headers than files", "has more than 256 MiB"))


def test_a_chain_of_headers_does_not_break_the_stack(tmp_path):
    path = tmp_path / "x.tar"
    path.write_bytes((header("././@LongLink", 2, tarfile.GNUTYPE_LONGNAME) + b"a\0".ljust(512, b"\0")) * 5000)

    assert refused(path).startswith("is damaged after 0 files")


@pytest.mark.parametrize("size", [b"\xff" * 12, b"\x80" + b"\xff" * 11])
def test_negative_and_absurd_sizes_end(tmp_path, size):
    block = bytearray(header("t0/proc/vmstat", 0))
    block[124:136] = size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    path = tmp_path / "x.tar"
    path.write_bytes(bytes(block) * 3 + bytes(1024))

    assert "damaged" in refused(path) or "cut short" in refused(path)


def good(suffix: str, noise: int = 20_000) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{suffix}") as archive:
        for name, text in HOST.items():
            archive.addfile(*text_member(f"x/t0/{name}", text))
        archive.addfile(*text_member("x/t0/proc/noise", os.urandom(noise).hex()))
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", ["", "gz", "bz2", "xz"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_an_archive_cut_short_is_no_smaller_capture(tmp_path, suffix, share):
    whole = good(suffix, 200_000)
    path = tmp_path / "x.tar"
    path.write_bytes(whole[: int(len(whole) * share)])

    assert refused(path).startswith(("is cut short after", "is damaged after"))


def test_a_missing_end_mark_is_noted(tmp_path):
    whole = good("")
    path = tmp_path / "x.tar"
    path.write_bytes(whole.rstrip(b"\0").ljust(-(-len(whole.rstrip(b"\0")) // 512) * 512, b"\0"))

    capture = open_capture(str(path))

    assert capture.text("proc/vmstat") == VMSTAT
    assert capture.notes == ("the archive has no end mark: it may have been cut short",)


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_a_flipped_bit_is_found_by_the_sum_at_the_end(tmp_path, suffix):
    whole = bytearray(good(suffix))
    whole[len(whole) // 2] ^= 1
    path = tmp_path / "x.tar"
    path.write_bytes(whole)

    assert refused(path)  # of bzip2 the bit may spoil the first header too


def test_a_changed_number_is_found_by_the_sum_at_the_end(tmp_path):
    whole = gzip.compress(GOOD + bytes(300_000), 0)  # stored as it is: nothing but the sum, far behind, can tell
    path = tmp_path / "x.tar.gz"
    path.write_bytes(whole.replace(b"nr_free_pages 1000", b"nr_free_pages 9000"))

    assert refused(path).startswith("is damaged after")


def test_several_compressed_parts_and_padding_make_one_archive(tmp_path):
    whole = good("")
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(whole[:1000]) + gzip.compress(b"") + gzip.compress(whole[1000:]) + bytes(2000))

    assert open_capture(str(path)).text("proc/vmstat") == VMSTAT


def test_old_tars_without_magic_are_known_by_their_sum(tmp_path):
    block = bytearray(header("proc/vmstat", len(VMSTAT)))
    block[257:265] = bytes(8)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    path = tmp_path / "x.tar"
    path.write_bytes(bytes(block) + VMSTAT.encode().ljust(512, b"\0") + bytes(1024))

    assert open_capture(str(path)).text("proc/vmstat") == VMSTAT


GOOD = good("")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=20))
@example([(124, 0xFF), (125, 0xFF)])
def test_an_archive_with_any_bytes_changed_opens_or_is_refused(changes):
    data = bytearray(GOOD)
    for at, value in changes:
        data[at] = value
    look(bytes(data))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000), st.sampled_from([b"", b"\x1f\x8b\x08\0", b"BZh9", b"\xfd7zXZ\0", GOOD[:512]]))
def test_any_bytes_open_or_are_refused(data, start):
    look(start + data)


def look(data: bytes) -> None:
    try:
        store = ArchiveStore(io.BytesIO(data))
    except AdvisorError:
        return
    tree = Tree(store)
    for path in tree.walk():
        text = tree.read(path)
        assert text is None or len(text) <= MAX_FILE


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.text("ab/.", max_size=5), st.text("ab/.", max_size=8), max_size=8),
    st.text("ab/.", max_size=8),
)
def test_links_of_any_form_never_leave_the_folder(links, path):
    class Links:
        follows = False

        def link(self, at):
            return links.get(at)

        def load(self, at):
            assert ".." not in at.split("/")
            assert not at.startswith("/")
            return b""

    trees.Tree(Links(), "a").read(path)
