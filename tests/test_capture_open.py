"""Opening captures: every layout, as folder and as archive; what is refused, and with which words."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from advisor.capture.layout import ACCEPTED, assemble
from advisor.capture.open import open_capture
from advisor.capture.tree import MAX_FILE, MAX_LOG
from advisor.errors import CaptureError, UsageError
from tests.capture_helpers import HOST, VMSTAT, member, plant, tar
from tests.fixtures import CAPTURES, INCIDENTS, KERNELS, STATES, capture_files

ROOT = Path(__file__).parent.parent
WANTED = HOST.keys() - {"proc/sys/vm/drop_caches", "sys/devices/system/node/has_cpu"}


def packed(folder: Path, to: Path, *options: str, top: str = ".") -> str:
    subprocess.run(["tar", *options, "-cf", to, "-C", folder, top], check=True)
    return str(to)


@pytest.fixture(params=["folder", "tar", "tar.gz", "tar.xz", "tar.bz2", "wrapped", "piped"])
def stored(request, tmp_path):
    """Turns a planted folder into a source of each form, and opens it."""

    def opened(folder: Path, **more):
        form = request.param
        if form == "folder":
            return open_capture(str(folder), **more)
        if form == "wrapped":
            return open_capture(packed(folder.parent, tmp_path / "x.tgz", "-z", top=folder.name), **more)
        if form == "piped":
            name = packed(folder, tmp_path / "x.tar.gz", "-z")
            pipe = tmp_path / "pipe"
            os.mkfifo(pipe)
            with subprocess.Popen(["sh", "-c", 'cat "$0" > "$1"', name, pipe]):
                return open_capture(str(pipe), **more)
        return open_capture(packed(folder, tmp_path / f"x.{form}", "-a"), **more)

    return opened


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("state", STATES)
def test_each_recorded_host_opens(kernel, state):
    capture = open_capture(str(CAPTURES / f"{kernel}-{state}.tar.xz"))
    recorded = capture_files(kernel, state)

    (sample,) = capture.samples
    assert sample.files.items() <= recorded.items()
    assert {path for path in recorded if path.startswith("proc/sys/vm/")} - sample.files.keys() <= {
        f"proc/sys/vm/{name}" for name in ("compact_memory", "drop_caches", "stat_refresh")
    }
    assert {"proc/vmstat", "proc/zoneinfo", "proc/pagetypeinfo"} <= sample.files.keys()
    assert not capture.notes
    assert not capture.unread


@pytest.mark.parametrize("folder", sorted(path for path in INCIDENTS.iterdir() if path.is_dir()), ids=lambda p: p.name)
def test_each_incident_opens_with_everything_it_holds(folder, stored, tmp_path):
    shutil.copytree(folder, tmp_path / "in" / folder.name)
    capture = stored(tmp_path / "in" / folder.name)

    below = [path for path in folder.rglob("*") if path.is_file()]
    files = {path.relative_to(folder).as_posix() for path in below if path.suffix in {"", ".txt"}}
    found = {f"t{n}/{path}" for n, sample in enumerate(capture.samples) for path in sample.files}
    found |= {f"{name}.txt" for name in capture.tools} | ({"dmesg.txt"} if capture.kernel_log else set())
    assert found == files
    assert len(capture.samples) >= 1


def test_an_incident_with_two_samples_knows_its_interval(stored, tmp_path):
    shutil.copytree(INCIDENTS / "kswapd-busy-on-tiny-normal-zone", tmp_path / "in" / "x")
    capture = stored(tmp_path / "in" / "x")

    assert capture.interval_s == 5
    assert len(capture.samples) == 2
    assert [sample.monotonic_s for sample in capture.samples] == [None, None]


def test_a_bare_tree_is_one_sample_of_what_we_know(stored, tmp_path):
    capture = stored(plant(tmp_path / "in" / "x", {**HOST, "home/me/notes": "?", "proc/kcore": "?"}))

    assert set(capture.samples[0].files) == WANTED
    assert capture.host == "db1"
    assert capture.how in {"folder", "archive"}


def test_samples_keep_files_that_we_do_not_know(stored, tmp_path):
    files = {"t0/proc/vmstat": VMSTAT, "t0/proc/new_in_8_0": "x\n", "t1/a/b/c/d": "y\n"}
    capture = stored(plant(tmp_path / "in" / "x", files))

    assert [dict(sample.files) for sample in capture.samples] == [
        {"proc/vmstat": VMSTAT, "proc/new_in_8_0": "x\n"},
        {"a/b/c/d": "y\n"},
    ]


def test_samples_are_ordered_by_number(stored, tmp_path):
    capture = stored(plant(tmp_path / "in" / "x", {f"t{n}/proc/vmstat": f"a {n}\n" for n in (10, 9, 2)}))

    assert [sample.files["proc/vmstat"] for sample in capture.samples] == ["a 2\n", "a 9\n", "a 10\n"]


def test_clocks_come_from_the_manifest_by_number_and_missing_samples_are_noted(stored, tmp_path):
    times = '{"times": [{"monotonic_s": 1}, {"monotonic_s": 2, "wall_s": 9}, {"monotonic_s": 3}]}'
    files = {"capture.json": times, "t0/proc/vmstat": VMSTAT, "t2/proc/vmstat": VMSTAT}
    capture = stored(plant(tmp_path / "in" / "x", files))

    assert [sample.monotonic_s for sample in capture.samples] == [1, 3]
    assert capture.notes == ("capture.json tells of 3 samples, and 2 are there",)


def test_a_log_or_a_tool_s_output_alone_is_a_capture_with_an_empty_sample(stored, tmp_path):
    capture = stored(plant(tmp_path / "in" / "x", {"dmesg.txt": "[1.0] x\n", "free.txt": "f\n", "own.txt": "o\n"}))

    assert capture.kernel_log == "[1.0] x\n"
    assert dict(capture.tools) == {"free": "f\n", "own": "o\n"}
    assert [dict(sample.files) for sample in capture.samples] == [{}]


def test_our_own_log_comes_before_dmesg(stored, tmp_path):
    files = {"log/kernel.txt": "ours\n", "dmesg.txt": "theirs\n", "t0/proc/vmstat": VMSTAT}

    assert stored(plant(tmp_path / "in" / "x", files)).kernel_log == "ours\n"


def test_of_a_long_log_the_end_is_read_in_whole_lines(stored, tmp_path):
    line = "x" * 99 + "\n"
    log = line * (2 * MAX_LOG // 100)
    capture = stored(plant(tmp_path / "in" / "x", {"dmesg.txt": log, "t0/proc/vmstat": VMSTAT}))

    assert capture.kernel_log == line * (MAX_LOG // 100)
    assert capture.notes == ("of the kernel log only the last 1 MiB was read",)


def test_of_a_log_above_the_limit_of_a_file_the_end_is_read(stored, tmp_path):
    log = "".join(f"[{number:10}] line\n" for number in range(MAX_FILE // 15))
    capture = stored(plant(tmp_path / "in" / "x", {"dmesg.txt": log}))

    assert log.endswith(capture.kernel_log)
    assert MAX_LOG - 20 < len(capture.kernel_log) <= MAX_LOG


def test_a_file_above_the_limit_is_noted_and_not_read(stored, tmp_path):
    capture = stored(plant(tmp_path / "in" / "x", {**HOST, "proc/slabinfo": "x" * (MAX_FILE + 1)}))

    assert set(capture.samples[0].files) == WANTED
    assert capture.unread == {"proc/slabinfo": "larger than 32 MiB"}
    assert capture.notes == ("proc/slabinfo: larger than 32 MiB, not read",)


def test_bytes_that_are_no_text_survive(stored, tmp_path):
    folder = plant(tmp_path / "in" / "x")
    (folder / "proc/vmstat").write_bytes(b"a\xff\x00 1\r\n")

    text = stored(folder).samples[0].files["proc/vmstat"]

    assert text.encode("utf-8", "surrogateescape") == b"a\xff\x00 1\r\n"


def test_links_are_followed_inside_and_never_outside(stored, tmp_path):
    folder = plant(
        tmp_path / "in" / "x",
        {**HOST, "usr/lib/os-release": "ID=inside\n", "sys/devices/d/sda/queue/rotational": "1\n"},
    )
    (tmp_path / "secret").write_text("outside\n")
    (folder / "etc/os-release").symlink_to("/usr/lib/os-release")
    (folder / "sys/block").mkdir()
    (folder / "sys/block/sda").symlink_to("../devices/d/sda")
    (folder / "etc/sysctl.d/50-off.conf").symlink_to("/dev/null")
    (folder / "etc/sysctl.d/60-out.conf").symlink_to("../../../../../secret")
    (folder / "etc/sysctl.d/70-abs.conf").symlink_to(tmp_path / "secret")
    (folder / "etc/sysctl.d/80-self.conf").symlink_to("80-self.conf")
    (folder / "etc/sysctl.d/90-gone.conf").symlink_to("nothing")

    capture = stored(folder)

    files = capture.samples[0].files
    assert files["etc/os-release"] == "ID=inside\n"
    assert files["sys/block/sda/queue/rotational"] == "1\n"
    assert files["etc/sysctl.d/50-off.conf"] == ""
    assert "outside\n" not in files.values()
    assert capture.unread == {
        "etc/sysctl.d/60-out.conf": "a link that leads outside of the capture",
        "etc/sysctl.d/80-self.conf": "too many levels of symbolic links",
    }


def test_hard_links_inside_an_archive_are_followed(tmp_path):
    folder = plant(tmp_path / "in", {"t0/proc/swaps": "s\n"})
    (folder / "t1/proc").mkdir(parents=True)
    os.link(folder / "t0/proc/swaps", folder / "t1/proc/swaps")

    capture = open_capture(packed(folder, tmp_path / "x.tar"))

    assert [dict(sample.files) for sample in capture.samples] == [{"proc/swaps": "s\n"}] * 2


SOS = {
    **{path: text for path, text in HOST.items() if not path.startswith("proc/sys/")},
    "sos_commands/kernel/sysctl_-a": "vm.swappiness = 10\nvm.lowmem_reserve_ratio = 256\t256\t32\n"
    "kernel.osrelease = 5.14.0\nnet.ipv4.ip_forward = 1\nvm.drop_caches = 0\n"
    "sysctl: permission denied\nvm.swappiness\n",
    "sos_commands/memory/free_-m": "wrong unit\n",
    "sos_commands/memory/free": "right unit\n",
    "sos_commands/host/hostname": "db7\n",
    "sos_commands/kernel/dmesg": "[ 1.0] first\n",
    "sos_commands/kernel/dmesg_-T": "[Tue] second\n",
    "sos_commands/logs/journalctl_--no-pager_--boot": "Jan 1 db7 kernel: kept\nJan 1 db7 sshd[1]: dropped\n",
    "sos_commands/logs/journalctl_--no-pager_--boot_-1": "Jan 1 db7 kernel: former boot\n",
    "version.txt": "sos-collector\n",
}


def test_a_sosreport_is_one_sample_with_settings_from_sysctl(stored, tmp_path):
    capture = stored(plant(tmp_path / "in" / "sosreport-db7", SOS))

    (sample,) = capture.samples
    assert capture.how == "sosreport"
    assert capture.host == "db7"
    assert sample.files["proc/sys/vm/swappiness"] == "10\n"
    assert sample.files["proc/sys/vm/lowmem_reserve_ratio"] == "256\t256\t32\n"
    assert sample.files["proc/sys/kernel/osrelease"] == "5.14.0\n"
    assert sample.files["proc/vmstat"] == VMSTAT
    assert not {path for path in sample.files if "drop_caches" in path or "ip_forward" in path or "sos_" in path}
    assert capture.kernel_log == "[ 1.0] first\n"
    assert capture.tools["free"] == "right unit\n"


def test_a_sosreport_without_dmesg_gives_the_kernel_s_lines_of_this_boot(stored, tmp_path):
    files = {path: text for path, text in SOS.items() if "dmesg" not in path}

    assert stored(plant(tmp_path / "in" / "sos", files)).kernel_log == "Jan 1 db7 kernel: kept\n"


def test_the_journal_of_a_former_boot_is_no_log_of_this_one(stored, tmp_path):
    files = {path: text for path, text in SOS.items() if "dmesg" not in path and not path.endswith("--boot")}

    assert stored(plant(tmp_path / "in" / "sos", files)).kernel_log is None


def test_a_journal_that_sos_truncated_is_found_behind_its_link(stored, tmp_path):
    files = {path: text for path, text in SOS.items() if "dmesg" not in path and "journal" not in path}
    folder = plant(tmp_path / "in" / "sos", {**files, "sos_strings/logs/journalctl_--boot.tailed": "a kernel: b\n"})
    (folder / "sos_commands/logs").mkdir()
    (folder / "sos_commands/logs/journalctl_--boot").symlink_to("../../sos_strings/logs/journalctl_--boot.tailed")

    assert stored(folder).kernel_log == "a kernel: b\n"


def test_a_given_interval_serves_when_the_capture_knows_none(stored, tmp_path):
    folder = plant(tmp_path / "in" / "x", {"t0/proc/vmstat": VMSTAT, "t1/proc/vmstat": VMSTAT})

    assert stored(folder, interval_s=30).interval_s == 30


def test_a_given_interval_beats_the_manifest_s_with_a_note(tmp_path):
    folder = plant(tmp_path, {"capture.json": '{"interval_s": 5}', "t0/proc/vmstat": VMSTAT, "t1/proc/vmstat": VMSTAT})

    capture = open_capture(str(folder), interval_s=30)

    assert capture.interval_s == 30
    assert capture.notes == ("interval 30 s as given, not 5 s as capture.json says",)


def test_a_given_interval_does_not_beat_clocks(tmp_path):
    manifest = '{"times": [{"monotonic_s": 1}, {"monotonic_s": 3}]}'
    folder = plant(tmp_path, {"capture.json": manifest, "t0/proc/vmstat": VMSTAT, "t1/proc/vmstat": VMSTAT})

    capture = open_capture(str(folder), interval_s=30)

    assert capture.interval_s is None
    assert capture.notes == ("the interval given is not used: the samples carry the time of their reading",)


@pytest.mark.parametrize("interval_s", [0, -1, float("nan"), float("inf")])
def test_an_impossible_interval_is_refused(tmp_path, interval_s):
    with pytest.raises(UsageError):
        open_capture(str(plant(tmp_path)), interval_s=interval_s)


def test_a_tar_is_read_from_standard_input(tmp_path):
    name = packed(plant(tmp_path / "in"), tmp_path / "x.tar.xz", "-J")
    code = "from advisor.capture.open import open_capture; c = open_capture('-'); print(c.source, c.host)"
    with Path(name).open("rb") as archive:
        done = subprocess.run(
            [sys.executable, "-c", code], stdin=archive, capture_output=True, text=True, cwd=ROOT, check=True
        )

    assert (done.stdout, done.stderr) == ("- db1\n", "")


def refused(source) -> tuple[str, str]:
    with pytest.raises(CaptureError) as caught:
        open_capture(str(source))
    assert "\n" not in str(caught.value)
    return caught.value.message, caught.value.hint


def test_what_is_no_capture_is_named_and_what_is_accepted_said(tmp_path):
    accepted = ACCEPTED
    text = plant(tmp_path, {"notes.md": "hello\n"}) / "notes.md"
    (tmp_path / "none").mkdir()
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "nothing").touch()

    assert refused(tmp_path / "gone") == (f"{tmp_path}/gone: no such file or directory", accepted)
    assert refused(text) == (f"{text}: is a text file, no capture", accepted)
    assert refused(tmp_path / "none") == (f"{tmp_path}/none: is empty", accepted)
    assert refused(tmp_path / "nothing") == (f"{tmp_path}/nothing: is empty", "")
    assert refused(tmp_path / "binary") == (
        f"{tmp_path}/binary: is a file of unknown form, no capture",
        accepted,
    )
    assert refused("/dev/zero") == ("/dev/zero: is a device, no capture", accepted)
    assert refused("a\0b") == ("a\\x00b: is no path", accepted)


def test_a_folder_without_a_capture_lists_what_it_holds(tmp_path):
    plant(tmp_path, {f"file{number}": "" for number in range(7)})

    message, _ = refused(tmp_path)

    assert message == f"{tmp_path}: is no capture: found file0, file1, file2, file3, file4 …"


def test_a_folder_of_captures_asks_for_one(tmp_path):
    plant(tmp_path / "db1")
    plant(tmp_path / "db2")

    assert refused(tmp_path) == (f"{tmp_path}: holds 2 captures", "give one of them, for example db1")


def test_a_proc_without_anything_we_read_is_no_capture(tmp_path):
    plant(tmp_path, {"proc/1/status": "x"})

    assert refused(tmp_path)[0] == f"{tmp_path}: holds no file that memadvisor reads"


def test_a_manifest_alone_is_no_capture(tmp_path):
    plant(tmp_path, {"capture.json": '{"interval_s": 5}'})

    assert refused(tmp_path)[0] == f"{tmp_path}: holds no file that memadvisor reads"


def test_a_zip_is_named(tmp_path):
    path = tmp_path / "x.zip"
    shutil.make_archive(str(tmp_path / "x"), "zip", plant(tmp_path / "in"))

    assert refused(path)[0] == f"{path}: is a zip archive, no capture"


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="zstd is supported")
def test_zstd_names_the_way_out(tmp_path):
    path = tmp_path / "x.tar.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(20))

    assert refused(path) == (
        f"{path}: is zstd, which takes Python 3.14 or newer",
        "unpack it first: zstd -d FILE.tar.zst",
    )


class Locked:
    """A store that may not be listed."""

    follows = False

    def link(self, path):
        return None

    def entries(self, folder):
        raise PermissionError(errno.EACCES, "no")


def test_a_folder_that_may_not_be_listed_is_no_empty_one():
    with pytest.raises(CaptureError, match="cannot be listed: permission denied"):
        assemble(Locked(), "x", "folder")


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("{", "capture.json is no JSON at line 1"),
        ("[]", "capture.json is no JSON object"),
        ("\udcff", "capture.json is no JSON at line 1"),
        ("[" * 100_000, "capture.json is no JSON"),
        ("1" * 5000, "capture.json is no JSON"),
        ('{"format": 2}', "capture.json: format is 2, and this memadvisor reads up to 1"),
        ('{"format": "1"}', "capture.json: format is no whole number from 0 up"),
        ('{"interval_s": -5}', "capture.json: interval_s is -5"),
        ('{"interval_s": 0}', "capture.json: interval_s is 0"),
        ('{"interval_s": NaN}', "capture.json: interval_s is no number"),
        ('{"interval_s": 1e999}', "capture.json: interval_s is no number"),
        ('{"interval_s": true}', "capture.json: interval_s is no number"),
        ('{"interval_s": "5"}', "capture.json: interval_s is no number"),
        ('{"host": 5}', "capture.json: host is no text"),
        ('{"times": {}}', "capture.json: times is no list"),
        ('{"times": [1]}', "capture.json: times[0] is no object"),
        (
            '{"times": [{"monotonic_s": 2}, {"monotonic_s": 2}]}',
            "capture.json: times[1].monotonic_s is not later than the one before",
        ),
        ('{"unread": {"a": 1}}', "capture.json: unread is no text"),
        ('{"processes": [{}]}', "capture.json: processes: pid is no whole number from 0 up"),
        ('{"cost": {}}', "capture.json: cost.cpu_s is no number"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_key_and_a_cure(tmp_path, manifest, message):
    plant(tmp_path, HOST)
    (tmp_path / "capture.json").write_bytes(manifest.encode("utf-8", "surrogateescape"))

    found, cure = refused(tmp_path)

    assert found == f"{tmp_path}: {message}"
    assert cure


def test_a_manifest_may_hold_unknown_keys_nulls_and_a_byte_order_mark(tmp_path):
    plant(
        tmp_path,
        {
            **HOST,
            "capture.json": '\ufeff{"later": [1], "host": null, "interval_s": null, "baseline": "zero"}',
        },
    )

    capture = open_capture(str(tmp_path))

    assert capture.host == "db1"
    assert capture.zero_baseline


def test_names_from_a_source_cannot_paint_the_terminal(tmp_path):
    source = tar(tmp_path / "x.tar", ("\x1b[2J", ""), member("\x1b[2J/t", tarfile.DIRTYPE))

    assert "\x1b" not in "".join(refused(source))
