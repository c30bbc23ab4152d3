"""Captures that a shell takes: by the shells and tools that hosts have, and from hosts that mean no good."""

import base64
import gzip
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from advisor.capture import shell
from advisor.capture.live import capture_live
from advisor.capture.model import Capture, Sample
from advisor.capture.shell import merge, read_visit, script
from advisor.errors import CaptureError, UsageError
from advisor.parse import kernlog, tmpfilesd
from tests import kernlog_samples as samples
from tests.capture_helpers import HOST, plant

SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"]]


def visit(root="/", runner=("sh",), **choices):
    """What a shell prints."""
    if shutil.which(runner[0]) is None:
        pytest.skip(f"no {runner[0]} on this machine")
    text = script(root=str(root), **choices)
    return subprocess.run([*runner, "-c", text], capture_output=True, text=True, check=True).stdout


def answer(text):
    """A packed answer with any text in it."""
    return f"memadvisor-capture 1 gzip\n{base64.encodebytes(gzip.compress(text)).decode()}\nmemadvisor-end\n"


@pytest.mark.parametrize("runner", SHELLS, ids=" ".join)
def test_every_shell_reads_what_python_reads(runner, tmp_path):
    plant(
        tmp_path, {**HOST, "etc/sysctl.d/a b.conf": "vm.swappiness = 1\n", "proc/pressure/io": "", "proc/mounts": "x"}
    )
    (tmp_path / "etc/sysctl.d/masked.conf").symlink_to("/dev/null")
    taken = read_visit(visit(tmp_path, runner))
    live = capture_live(0, 1, root=str(tmp_path), processes=False)
    assert dict(taken.samples[0].files) == dict(live.samples[0].files)
    assert (taken.host, taken.how, taken.samples[0].monotonic_s) == ("db1", "shell", 100.0)
    assert taken.samples[0].files["etc/sysctl.d/masked.conf"] == ""


def silent(path, text):
    """Whether a file is one of the many of distributions that write nothing to /sys or /proc."""
    return path.startswith("usr/lib/tmpfiles.d/") and tmpfilesd.parse(text) == tmpfilesd.Tmpfiles(())


@pytest.mark.parametrize("runner", SHELLS, ids=" ".join)
def test_of_the_lists_of_a_distribution_those_are_brought_that_write(runner, tmp_path):
    texts = [
        "d /run/x\n",
        "# w /sys/a\n",
        "",
        "d /x\n w  /sys/a - - - - 1\n",
        '"w-" /sys/a - - - - 1',
        "w+ /proc/a\t\n",
    ]
    lists = {f"{folder}/tmpfiles.d/{number}.conf": text
             for folder in ("usr/lib", "etc") for number, text in enumerate(texts)}  # fmt: skip
    plant(tmp_path, {**HOST, **lists})
    (tmp_path / "usr/lib/tmpfiles.d/6.conf").symlink_to("/dev/null")
    taken = read_visit(visit(tmp_path, runner))
    found = {path: text for path, text in taken.samples[0].files.items() if "tmpfiles.d" in path}
    assert found == {path: text for path, text in lists.items() if path[0] == "e" or path[-6] in "345"}
    assert "usr/lib/tmpfiles.d/6.conf" in taken.links


def test_this_host_is_read_as_python_reads_it():
    taken = read_visit(visit())
    live = capture_live(0, 1, processes=False)
    other = {path for path in {*taken.paths()} ^ {*live.paths()} if not path.startswith("sys/fs/cgroup/")}
    assert not {path for path in other if not silent(path, live.text(path))}
    assert taken.samples[0].files["proc/sys/vm/swappiness"] == live.samples[0].files["proc/sys/vm/swappiness"]
    assert taken.samples[0].monotonic_s <= live.samples[0].monotonic_s + 0.01


def test_without_gzip_and_base64_the_answer_is_sent_as_it_is(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("head", "find", "date", "cat", "readlink", "tail", "sed"):
        (tools / name).symlink_to(shutil.which(name))
    plant(tmp_path / "root")
    text = script(root=str(tmp_path / "root"))
    command = [shutil.which("sh"), "-c", text]
    ended = subprocess.run(command, env={"PATH": str(tools)}, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("memadvisor-capture 1 \n")
    assert read_visit(ended.stdout).samples[0].files == read_visit(visit(tmp_path / "root")).samples[0].files


def test_a_window_within_one_visit(tmp_path):
    plant(tmp_path)
    with pytest.raises(CaptureError, match="clock of the host runs backwards"):
        read_visit(visit(tmp_path, samples=3, window_s=0.02))  # the uptime of a planted host stands still
    first, middle, last = read_visit(visit(samples=3, window_s=0.1)).samples
    assert first.monotonic_s < middle.monotonic_s < last.monotonic_s
    assert "proc/zoneinfo" not in middle.files
    assert "proc/zoneinfo" in last.files
    assert "proc/sys/vm/swappiness" not in last.files


def test_two_visits_make_a_window(tmp_path):
    plant(tmp_path)
    first = read_visit(visit(tmp_path))
    (tmp_path / "proc/uptime").write_text("160.00 1.00\n")
    second = read_visit(visit(tmp_path, again=True))
    assert "proc/sys/vm/swappiness" not in second.samples[0].files
    merged = merge(first, second)
    assert [sample.monotonic_s for sample in merged.samples] == [100.0, 160.0]
    assert (merged.host, merged.interval_s) == ("db1", None)


def test_two_visits_that_do_not_belong_together():
    def host(name, clock, boot="one"):
        files = {"proc/sys/kernel/hostname": name, "proc/sys/kernel/random/boot_id": boot, "proc/vmstat": ""}
        return Capture((Sample(files, clock, 5.0),), name)

    with pytest.raises(CaptureError, match="different hosts, a and b"):
        merge(host("a", 1.0), host("b", 2.0))
    with pytest.raises(CaptureError, match="restarted between"):
        merge(host("a", 100.0), host("a", 3.0))
    with pytest.raises(CaptureError, match="restarted between"):  # and up for longer than it had been before
        merge(host("a", 100.0), host("a", 300.0, "two"))


def test_what_only_root_reads_is_named():
    nobody = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder:  # that of pytest is closed to others
        plant(Path(folder))
        Path(folder).chmod(0o755)
        Path(folder, "proc/zoneinfo").chmod(0)
        taken = read_visit(visit(folder, (*nobody, "sh")))
    assert taken.unread == {"proc/zoneinfo": "permission denied; root reads it"}


def test_a_banner_before_the_answer_does_no_harm(tmp_path):
    plant(tmp_path)
    assert read_visit("Welcome!\nmemadvisor\n" + visit(tmp_path).replace("\n", "\r\n")).host == "db1"


def test_files_that_do_something_when_read_or_written_are_never_touched():
    assert not {"proc/sys/vm/drop_caches", "proc/sys/vm/compact_memory", "proc/sys/vm/stat_refresh"} & set(
        read_visit(visit()).paths()
    )


def test_a_file_that_is_too_large_is_left_out_with_a_remark(tmp_path, monkeypatch):
    monkeypatch.setattr(shell, "MAX_FILE", 1000)
    plant(tmp_path, {**HOST, "proc/slabinfo": "x" * 1001, "proc/mounts": "y" * 1000})
    taken = read_visit(visit(tmp_path))
    assert "proc/slabinfo" not in taken.samples[0].files
    assert taken.samples[0].files["proc/mounts"] == "y" * 1000
    assert taken.unread["proc/slabinfo"].startswith("larger than")


LOGS = {
    "nothing on memory": (["Linux version", "pci", "last"], ["Linux version", "last"]),
    "boot, then memory": (
        ["Linux version", "pci", "a invoked oom-killer", "b"],
        ["Linux version", "a invoked oom-killer", "b"],
    ),
    "memory at once": (["Out of memory", "b", "c"], ["Out of memory", "b", "c"]),
    "one line": (["Out of memory"], ["Out of memory"]),
    "nothing": ([], None),
}


@pytest.mark.parametrize("runner", SHELLS[:2], ids=" ".join)  # busybox takes its own dmesg before any other
@pytest.mark.parametrize(("printed", "wanted"), LOGS.values(), ids=LOGS)
def test_of_the_kernel_log_what_is_on_memory_is_brought(runner, printed, wanted, tmp_path, monkeypatch):
    log = brought("".join(f"{line}\n" for line in printed), tmp_path, monkeypatch, runner)
    assert (None if log is None else log.splitlines()) == wanted


def brought(text, folder, monkeypatch, runner=("sh",)):
    """What a shell brings of a kernel log."""
    (folder / "printed").write_text(text)
    (folder / "dmesg").write_text(f"#!/bin/sh\ncat {folder}/printed\n")
    (folder / "dmesg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return read_visit(visit(runner=runner)).kernel_log


OOM_6_18 = {
    "[9.1] java invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0, oom_score_adj=0": True,
    "[9.1] CPU: 1 UID: 0 PID: 1730 Comm: java Not tainted 6.18.44 #1 PREEMPT(none) ": True,
    "[9.1] Call Trace:": True,
    "[9.1]  dump_stack_lvl+0x57/0x80": False,
    "[9.1]  ? __lruvec_stat_mod_folio+0x81/0xd0": False,
    "[9.1] RIP: 0033:0x7f2eded162ad": True,
    "[9.1] Code: c1 45 31 d2 48 01 d7 <f3> aa 0f 1f 00": False,
    "[9.1] RSP: 002b:00007ffe56b9f9a8 EFLAGS: 00000246 ORIG_RAX: 0000000000000000": False,
    "[9.1] RAX: ffffffffffffffda RBX: 00007f2edf3e0b00 RCX: 00007f2eded162ad": False,
    "[9.1] Mem-Info:": True,
    "[9.1] lowmem_reserve[]: 0 3019 24090 24090 24090": True,
    "[9.1] [  pid  ]   uid  tgid total_vm      rss rss_anon rss_file pgtables_bytes swapents oom_score_adj name": True,
    "[9.1] [   1823]     0  1823      347      261       40        0    40960        0             0 bash": False,
    "[9.1][ T12] [  15040]     0 15040  6196780    93111    93089       22 45727744        0             0 java": False,
    "[9.1] [  15041]     0 15041  6196780  5693111  5693089       22 45727744        0             0 java": True,
    "[9.1] Out of memory: Killed process 15041 (java) total-vm:24787120kB, anon-rss:22772356kB, file-rss:88kB": True,
}


@pytest.mark.parametrize("runner", SHELLS[:2], ids=" ".join)
def test_stacks_and_small_tasks_stay_on_the_host(runner, tmp_path, monkeypatch):
    log = brought("".join(f"{line}\n" for line in OOM_6_18), tmp_path, monkeypatch, runner)
    assert log.splitlines() == [line for line, comes in OOM_6_18.items() if comes]


@pytest.mark.parametrize("text", [text for name, text in vars(samples).items() if name.isupper()])
def test_no_report_of_the_kernel_is_lost(text, tmp_path, monkeypatch):
    idle = "".join(f"{line}\n" for line, comes in OOM_6_18.items() if not comes)
    printed = f"[0.0] Linux version 6.12\n{text}{idle * 1000}"
    assert told(brought(printed, tmp_path, monkeypatch)) == told(printed)


def told(log):
    """What a log says, wherever it says it."""
    return re.sub(r"\bline=\d+|line \d+", "", repr(kernlog.parse(log)))


HOSTILE = {
    "garbage": ("\x1b[2Jhello\n" * 50, r"sent no capture, it said: \\x1b\[2Jhello"),
    "nothing": ("", "sent no capture, it said: nothing"),
    "a python traceback": ("sh: 1: head: not found\n", "sent no capture, it said: sh: 1: head"),
    "cut short": ("memadvisor-capture 1 gzip\nH4sIAAAA", "cut short"),
    "not base64": ("memadvisor-capture 1 gzip\n!!!!\nmemadvisor-end\n", "damaged"),
    "not gzip": ("memadvisor-capture 1 gzip\naGVsbG8=\nmemadvisor-end\n", "damaged"),
    "another packer": ("memadvisor-capture 1 zstd\naGVsbG8=\nmemadvisor-end\n", "nobody asked for"),
    "half a stream": (answer(b"x" * 99)[:60] + "\nmemadvisor-end\n", "damaged|cut short"),
    "no end": (answer(b"\n==> @sample 0 1 2 <==\n\n==> proc/vmstat <==\nx"), "cut short"),
    "no sample": (answer(b"\n==> proc/vmstat <==\nx\n==> @end <==\n"), "before the first sample"),
    "no file": (answer(b"\n==> @sample 0 1 2 <==\n\n==> @end <==\n"), "no file that memadvisor reads"),
    "no clocks": (answer(b"\n==> @sample 0 <==\n\n==> @end <==\n"), "without its clocks"),
    "a path outside": (
        answer(b"\n==> @sample 0 1 2 <==\n\n==> ../etc/passwd <==\nx\n==> @end <==\n"),
        "impossible name",
    ),
    "an absolute path": (
        answer(b"\n==> @sample 0 1 2 <==\n\n==> /etc/passwd <==\nx\n==> @end <==\n"),
        "impossible name",
    ),
    "a bomb": (answer(b"\0" * (shell.MAX_TEXT + 1)), "unpacks to more than 64 MiB"),
    "too much": ("memadvisor-capture 1 gzip\n" + "A" * shell.MAX_ANSWER, "sent 32 MiB, and 32 MiB are the most"),
}


@pytest.mark.parametrize(("sent", "said"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_host_is_refused_with_one_clear_line(sent, said):
    with pytest.raises(CaptureError, match=said) as refused:
        read_visit(sent)
    assert "\n" not in str(refused.value)
    assert "\x1b" not in str(refused.value)


def test_a_window_needs_two_samples():
    with pytest.raises(UsageError, match="a window needs two samples"):
        script(samples=1, window_s=5)
