"""Measuring a host: what is read when, clocks, failures, interruption, cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.capture.live import TickReader, capture_live
from advisor.capture.tree import MAX_FILE, MAX_FOLDERS
from advisor.errors import CaptureError, UsageError
from tests.capture_helpers import HOST, VMSTAT, FakeTime, plant

ROOT = Path(__file__).parent.parent


def descriptors():
    return sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208


def take(root, window_s=10.0, samples=2, **more):
    time = more.pop("time", None) or FakeTime()
    return capture_live(window_s, samples, root=str(root), processes=False, clock=time.clock, **more)


def test_first_sample_holds_all_middle_ones_the_ticks_and_the_last_the_edges_too(tmp_path):
    plant(tmp_path)

    first, middle, last = take(tmp_path, samples=3).samples

    assert set(first.files) == HOST.keys() - {"proc/sys/vm/drop_caches", "sys/devices/system/node/has_cpu"}
    assert set(middle.files) == {"proc/vmstat", "proc/meminfo", "proc/pressure/memory"}
    assert set(last.files) == set(middle.files) | {
        "proc/zoneinfo",
        "proc/uptime",
        "sys/devices/system/node/node0/vmstat",
    }
    assert first.files["proc/vmstat"] == VMSTAT


def test_samples_are_spaced_evenly_on_the_given_clocks(tmp_path):
    plant(tmp_path)

    samples = take(tmp_path, window_s=10, samples=5).samples

    assert [sample.monotonic_s for sample in samples] == [1000.0, 1002.5, 1005.0, 1007.5, 1010.0]
    assert [sample.wall_s for sample in samples] == [1e9 + sample.monotonic_s for sample in samples]


def test_a_late_sample_is_taken_at_once_and_carries_its_true_time(tmp_path):
    plant(tmp_path)
    time = FakeTime()
    time.clock = time.clock._replace(sleep=lambda seconds: time.sleep(seconds + 4))

    samples = take(tmp_path, window_s=4, samples=3, time=time).samples

    assert [sample.monotonic_s for sample in samples] == [1000.0, 1006.0, 1006.0]


def test_counters_are_read_anew_at_each_sample(tmp_path):
    plant(tmp_path)
    time = FakeTime()

    def sleep(seconds):
        time.sleep(seconds)
        (tmp_path / "proc/vmstat").write_text(f"pgfault {time.seconds:.0f}\n")

    time.clock = time.clock._replace(sleep=sleep)

    samples = take(tmp_path, samples=3, time=time).samples

    assert [sample.files["proc/vmstat"] for sample in samples] == [VMSTAT, "pgfault 1005\n", "pgfault 1010\n"]


def test_host_cost_and_origin_are_recorded(tmp_path):
    plant(tmp_path)

    capture = take(tmp_path)

    assert capture.host == "db1"
    assert capture.how == "live"
    assert capture.source == str(tmp_path)
    assert capture.cost.samples == 2
    assert capture.cost.files_read == sum(len(sample.files) for sample in capture.samples)
    texts = [text for sample in capture.samples for text in sample.files.values()]
    assert capture.cost.bytes_read == sum(map(len, texts))
    assert 0 < capture.cost.cpu_s < 5


def test_files_that_are_not_there_are_named_and_empty_patterns_too(tmp_path):
    plant(tmp_path)

    unread = take(tmp_path).unread

    assert unread["proc/pressure/io"] == "not on this host"
    assert unread["proc/buddyinfo"] == "not on this host"
    assert unread["run/sysctl.d/*.conf"] == "not on this host"
    assert "sys/devices/system/node/node0/numastat" not in unread
    assert not set(unread) & set(HOST)


def test_a_file_above_the_limit_is_left_out_and_noted(tmp_path):
    plant(tmp_path, {**HOST, "proc/slabinfo": "x" * (MAX_FILE + 1), "proc/pagetypeinfo": "x" * MAX_FILE})

    capture = take(tmp_path)

    assert capture.unread["proc/slabinfo"] == "larger than 32 MiB"
    assert "proc/slabinfo: larger than 32 MiB, not read" in capture.notes
    assert len(capture.samples[0].files["proc/pagetypeinfo"]) == MAX_FILE


def test_a_tick_file_above_the_limit_is_left_out(tmp_path):
    plant(tmp_path, {**HOST, "proc/meminfo": "x" * (MAX_FILE + 1)})

    capture = take(tmp_path)

    assert "proc/meminfo" not in capture.samples[0].files
    assert capture.unread["proc/meminfo"] == "larger than 32 MiB"


def test_nothing_hangs_on_a_pipe_and_no_device_is_read(tmp_path):
    plant(tmp_path)
    os.mkfifo(tmp_path / "etc/sysctl.d/pipe.conf")
    os.mkfifo(tmp_path / "proc/buddyinfo")

    capture = take(tmp_path)

    assert capture.unread["etc/sysctl.d/pipe.conf"] == "invalid argument"
    assert capture.unread["proc/buddyinfo"] == "invalid argument"


def test_a_masked_drop_in_is_an_empty_text(tmp_path):
    plant(tmp_path)
    (tmp_path / "etc/sysctl.d/50-off.conf").symlink_to("/dev/null")

    assert take(tmp_path).samples[0].files["etc/sysctl.d/50-off.conf"] == ""


def test_links_below_another_root_lead_to_files_of_that_root(tmp_path):
    plant(tmp_path / "host", {**HOST, "usr/lib/os-release": "ID=inside\n"})
    (tmp_path / "secret").write_text("outside\n")
    (tmp_path / "host/etc/os-release").symlink_to("/usr/lib/os-release")
    (tmp_path / "host/etc/sysctl.d/out.conf").symlink_to("../../../secret")

    capture = take(tmp_path / "host")

    assert capture.text("etc/os-release") == "ID=inside\n"
    assert capture.text("etc/sysctl.d/out.conf") is None
    assert capture.unread["etc/sysctl.d/out.conf"] == "a link that leads outside of the capture"


def test_bytes_that_are_no_text_survive(tmp_path):
    plant(tmp_path)
    (tmp_path / "proc/vmstat").write_bytes(b"a\xff\x00 1\r\n")

    text = take(tmp_path).samples[0].files["proc/vmstat"]

    assert text.encode("utf-8", "surrogateescape") == b"a\xff\x00 1\r\n"


def test_control_groups_of_version_2_are_read_breadth_first(tmp_path):
    groups = {f"sys/fs/cgroup/{name}/memory.current": "1\n" for name in ("a.slice", "a.slice/b.service")}
    plant(
        tmp_path,
        {
            **HOST,
            **groups,
            "sys/fs/cgroup/cgroup.controllers": "memory\n",
            "sys/fs/cgroup/memory.stat": "a 1\n",
        },
    )

    capture = take(tmp_path)

    for sample in capture.samples:
        assert groups.keys() | {"sys/fs/cgroup/memory.stat"} <= sample.files.keys()
    assert not capture.notes


def test_control_groups_of_version_1_are_read_below_the_memory_controller_only(tmp_path):
    wanted = {
        "sys/fs/cgroup/memory/x/memory.usage_in_bytes": "1\n",
        "sys/fs/cgroup/unified/y/memory.pressure": "p\n",
    }
    plant(tmp_path, {**HOST, **wanted, "sys/fs/cgroup/cpu/x/memory.stat": "no\n"})

    files = take(tmp_path).samples[0].files

    assert wanted.keys() <= files.keys()
    assert "sys/fs/cgroup/cpu/x/memory.stat" not in files


def test_too_many_control_groups_are_cut_at_the_outer_ones_with_a_note(tmp_path):
    outer = {f"sys/fs/cgroup/g{number:04}/memory.current": "1\n" for number in range(300)}
    inner = {f"sys/fs/cgroup/g{number:04}/in/memory.current": "1\n" for number in range(300)}
    plant(tmp_path, {**HOST, **outer, **inner, "sys/fs/cgroup/cgroup.controllers": "memory\n"})

    capture = take(tmp_path)
    found = {path for path in capture.samples[0].files if path.endswith("memory.current")}

    assert outer.keys() <= found
    assert len(found) == MAX_FOLDERS - 1  # the root has none
    assert capture.notes == ("sys/fs/cgroup: more than 512 control groups, read the outermost 512",)


def test_a_group_that_goes_away_in_the_window_is_no_failure(tmp_path):
    path = "sys/fs/cgroup/gone/memory.current"
    plant(tmp_path, {**HOST, path: "1\n", "sys/fs/cgroup/cgroup.controllers": "memory\n"})
    time = FakeTime()
    time.clock = time.clock._replace(sleep=lambda seconds: (time.sleep(seconds), (tmp_path / path).unlink()))

    capture = take(tmp_path, time=time)

    assert [path in sample.files for sample in capture.samples] == [True, False]
    assert path not in capture.unread


def interrupting(time, after):
    def sleep(seconds):
        time.sleep(seconds)
        if time.seconds >= 1000 + after:
            time.seconds += 0.25
            raise KeyboardInterrupt

    time.clock = time.clock._replace(sleep=sleep)
    return time


def test_an_interrupted_window_keeps_its_samples_and_closes_with_the_edges(tmp_path):
    plant(tmp_path)

    capture = take(tmp_path, window_s=10, samples=11, time=interrupting(FakeTime(), 3))

    assert [sample.monotonic_s for sample in capture.samples] == [1000.0, 1001.0, 1002.0, 1003.25]
    assert "proc/zoneinfo" in capture.samples[-1].files
    assert capture.notes == ("interrupted after 3.2 s of 10 s",)
    assert capture.cost.samples == 4


def test_an_interruption_before_the_second_sample_goes_on(tmp_path):
    plant(tmp_path)

    with pytest.raises(KeyboardInterrupt):
        take(tmp_path, time=interrupting(FakeTime(), 1))


def test_progress_is_told_every_second_and_at_the_end(tmp_path):
    plant(tmp_path)
    told = []

    take(tmp_path, window_s=2.5, progress=lambda done, total: told.append((done, total)))

    assert told == [(0.0, 2.5), (1.0, 2.5), (2.0, 2.5), (2.5, 2.5)]


def test_without_progress_the_process_sleeps_through(tmp_path):
    plant(tmp_path)
    time = FakeTime()

    take(tmp_path, window_s=30, time=time)

    assert time.slept == [30.0]


@pytest.mark.parametrize(
    ("window_s", "samples"),
    [(10, 1), (0, 2), (-1, 2), (10, 0), (float("nan"), 2), (float("inf"), 2), (1, 10_001)],
)
def test_an_impossible_window_is_refused(tmp_path, window_s, samples):
    with pytest.raises(UsageError):
        take(tmp_path, window_s, samples)


def test_a_single_sample_takes_no_time(tmp_path):
    plant(tmp_path)
    time = FakeTime()

    capture = take(tmp_path, 0, 1, time=time)

    assert len(capture.samples) == 1
    assert "proc/zoneinfo" in capture.samples[0].files
    assert not time.slept


def test_a_system_that_is_no_linux_is_refused(tmp_path):
    with pytest.raises(CaptureError, match=r"cannot read .*/proc/vmstat: not on this host"):
        take(tmp_path)


def test_descriptors_are_closed(tmp_path):
    plant(tmp_path)
    before = descriptors()

    take(tmp_path)

    assert descriptors() == before


def test_a_reader_keeps_its_descriptors_and_counts():
    before = descriptors()
    with TickReader() as reader:
        first, second = reader.read(), reader.read()
        assert len(descriptors()) == len(before) + len(first)

    assert first.keys() == second.keys() >= {"proc/vmstat", "proc/meminfo"}
    assert first["proc/vmstat"].endswith(b"\n")
    assert reader.files_read == 2 * len(first)
    assert reader.bytes_read == sum(map(len, [*first.values(), *second.values()]))
    assert descriptors() == before


def test_long_files_are_read_to_their_end(tmp_path):
    text = "".join(f"line {number}\n" for number in range(40_000))
    plant(tmp_path, {"proc/vmstat": text})

    with TickReader(str(tmp_path)) as reader:
        assert reader.read() == {"proc/vmstat": text.encode()}
    assert "proc/meminfo" in reader.unread


def test_this_host_is_measured():
    capture = capture_live(0.2, 3)

    first, _, last = capture.samples
    assert 0.2 <= last.monotonic_s - first.monotonic_s < 5
    assert "nr_free_pages" in first.files["proc/vmstat"]
    assert first.files["proc/sys/vm/swappiness"].strip().isdigit()
    assert "proc/sys/vm/drop_caches" not in first.files
    assert "proc/sys/vm/stat_refresh" not in first.files
    assert "proc/zoneinfo" in last.files
    assert capture.host == os.uname().nodename
    assert capture.source == "this host"
    assert any(process.pid == os.getpid() for process in capture.processes) or len(capture.processes) >= 20
    assert (capture.kernel_log is None) == ("log/kernel.txt" in capture.unread)


UNPRIVILEGED = """
import json, os, sys
sys.path.insert(0, "/")  # nothing of the caller's folder is needed from here on
from advisor.capture import kernel_log, processes
import psutil
from advisor.capture.live import capture_live
os.setgroups([]); os.setgid(65534); os.setuid(65534)
capture = capture_live(0.1, 2)
print(json.dumps([dict(capture.unread), len(capture.processes), sorted(capture.samples[0].files)]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become nobody")
def test_without_privileges_the_reasons_say_that_root_reads_it():
    done = subprocess.run([sys.executable, "-c", UNPRIVILEGED], cwd=ROOT, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    unread, processes, files = json.loads(done.stdout)
    assert unread["proc/pagetypeinfo"] == "permission denied; root reads it"
    assert "proc/pagetypeinfo" not in files
    assert {"proc/vmstat", "proc/meminfo", "proc/zoneinfo", "proc/sys/vm/swappiness"} <= set(files)
    assert processes > 0
