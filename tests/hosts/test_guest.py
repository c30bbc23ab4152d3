"""What a guest can do for a test."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from advisor.capture.open import open_capture
from tests.hosts.inventory import inventory
from tests.hosts.kernels import KERNELS, load_order
from tests.hosts.levels import kernels
from tests.hosts.machine import Parts, command
from tests.hosts.shapes import SHAPES

NEW = KERNELS[-1]


def test_a_guest_is_reached_on_the_loopback_address_only_and_reaches_nothing(tmp_path):
    line = command("one", tmp_path / "console.log", Parts(tmp_path, tmp_path, SHAPES["normal"], (), tmp_path))
    assert [word for word in line if "hostfwd" in word] == ["user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:0-:22"]
    assert "-nodefaults" in line


def test_shapes_that_boot_alike_share_a_saved_state():
    assert SHAPES["zram"].boot == SHAPES["noswap"].boot == SHAPES["normal"].boot
    assert len({SHAPES[name].boot for name in ("normal", "numa", "movable", "small", "systemd")}) == 5


def test_modules_load_after_what_they_depend_on():
    text = "k/virtio_blk.ko: k/virtio_ring.ko k/virtio.ko\nk/virtio.ko:\nk/virtio_ring.ko: k/virtio.ko\n"
    assert load_order(text, ("virtio_blk",)) == ["k/virtio.ko", "k/virtio_ring.ko", "k/virtio_blk.ko"]


@pytest.mark.hosts
def test_files_go_in_and_come_out_and_outlive_a_reboot(start_guest):
    guest = start_guest("6.12", "normal")
    guest.put(b"vm.swappiness = 17\n", "/etc/sysctl.d/99-test.conf")
    guest.put(b"\0\xff binary", "/root/blob", "600")
    guest.reboot()
    assert guest.get("/root/blob") == b"\0\xff binary"
    assert guest.run("cat /proc/sys/vm/swappiness") == "17\n"
    assert float(guest.run("cat /proc/uptime").split()[0]) < 300


@pytest.mark.hosts
def test_a_capture_needs_only_a_shell_in_the_guest(start_guest, tmp_path):
    guest = start_guest(NEW, "normal")
    archive = tmp_path / "guest.tar"
    archive.write_bytes(guest.capture(2, 3))
    capture = open_capture(str(archive))
    first, middle, last = capture.samples
    assert (capture.host, capture.how, capture.unread) == ("guest", "shell", {})
    assert 2 <= last.monotonic_s - first.monotonic_s < 60
    assert "Linux version" in capture.kernel_log
    assert {"proc/sys/vm/swappiness", "proc/zoneinfo", "proc/slabinfo"} <= set(first.files)
    assert "proc/zoneinfo" not in middle.files
    assert "proc/zoneinfo" in last.files
    assert not {"proc/sys/vm/drop_caches", "proc/sys/vm/stat_refresh"} & set(first.files)


@pytest.mark.hosts
def test_ansible_reaches_a_guest(start_guest, tmp_path):
    ansible = shutil.which("ansible", path=str(Path(sys.executable).parent))
    if ansible is None:
        pytest.skip("ansible-core is not installed in this environment")
    guest = start_guest("6.12", "normal")
    file = tmp_path / "hosts.yml"
    file.write_text(inventory(guest))
    command = [ansible, "-i", str(file), guest.name, "-m", "ping"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert f'{guest.name} | SUCCESS => {{\n    "changed": false,\n    "ping": "pong"' in done.stdout, done.stderr


@pytest.mark.hosts
def test_a_throttled_disk_is_slow(start_guest):
    guest = start_guest("6.1", "normal")
    guest.throttle(bytes_per_s=2 << 20)
    start = time.monotonic()
    guest.run("dd if=/dev/zero of=/blob bs=1M count=8 oflag=direct 2> /dev/null")
    assert time.monotonic() - start > 2


@pytest.mark.hosts
@pytest.mark.parametrize("kernel", kernels("5.10"))
def test_swap_on_zram(start_guest, kernel):
    guest = start_guest(kernel, "zram")
    lines = guest.run("cat /proc/swaps").splitlines()
    assert [line.split()[0] for line in lines] == ["Filename", "/dev/zram0"]


@pytest.mark.hosts
@pytest.mark.full
@pytest.mark.parametrize("kernel", KERNELS)
def test_two_nodes_have_zones_of_their_own(start_guest, kernel):
    text = start_guest(kernel, "numa").run("cat /proc/zoneinfo")
    assert "Node 1, zone   Normal" in text


@pytest.mark.hosts
@pytest.mark.parametrize(("shape", "enabled"), [("mglru", "0x0007"), ("classic-lru", "0x0000")])
def test_generations_of_the_lru_are_switched(start_guest, shape, enabled):
    guest = start_guest("6.1", shape)
    assert guest.run("cat /sys/kernel/mm/lru_gen/enabled").strip() == enabled


@pytest.mark.hosts
def test_a_kernel_without_what_a_shape_is_about_skips(start_guest):
    with pytest.raises(pytest.skip.Exception, match=r"kernel 5\.10\S* has no /sys/kernel/mm/lru_gen/enabled"):
        start_guest("5.10", "mglru")


@pytest.mark.hosts
@pytest.mark.parametrize("kernel", kernels("5.10"))
def test_a_group_has_a_limit(start_guest, kernel):
    guest = start_guest(kernel, "normal")
    guest.group("small", {"memory.max": "32M"})
    assert guest.run(guest.in_group("small", "cat /proc/self/cgroup")) == "0::/small\n"
    assert guest.run("cat /sys/fs/cgroup/small/memory.max") == f"{32 << 20}\n"


@pytest.mark.hosts
@pytest.mark.full
def test_a_guest_with_systemd_restarts(start_guest):
    guest = start_guest(NEW, "systemd")
    assert guest.run("systemctl is-active ssh") == "active\n"
    guest.reboot()
    assert guest.run("systemctl is-active ssh") == "active\n"
