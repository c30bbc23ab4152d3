"""The disk of a guest: a small Debian with systemd, sshd, Python for Ansible, and our load generator."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.hosts import debian
from tests.hosts.cache import built, call, key
from tests.hosts.errors import UnavailableError

SWAP_BYTES = 1 << 30

_HERE = Path(__file__).parent
_SUITE = "bookworm"
_PACKAGES = ("dbus", "e2fsprogs", "iproute2", "kmod", "openssh-server", "procps", "python3", "sysstat", "systemd-sysv",
             "udev", "util-linux")  # fmt: skip
_OMIT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")
# Units that cost time at boot, or work in the background, and that no test is about.
_MASKED = ("apt-daily-upgrade.timer", "apt-daily.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
           "e2scrub_reap.service", "fstrim.timer", "getty@.service", "ldconfig.service", "logrotate.timer",
           "modprobe@.service", "serial-getty@.service", "sysstat.service", "systemd-binfmt.service",
           "systemd-journal-flush.service", "systemd-logind.service", "systemd-update-utmp.service")  # fmt: skip

# An init that is up in a second: no units, no udev; it applies settings as systemd would.
_TINY_INIT = """\
#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t tmpfs tmpfs /run; mkdir -p /run/sshd /dev/pts /dev/shm
mount -t devpts devpts /dev/pts; mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup; mount -t debugfs debugfs /sys/kernel/debug
hostname guest; ip link set lo up
systemd-tmpfiles --create --prefix=/sys --prefix=/proc
sysctl -q --system > /dev/null
/usr/sbin/sshd -D &
while :; do wait; sleep 1; done
"""
_FILES = {
    "etc/fstab": "",
    "etc/hostname": "guest\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/ssh/sshd_config": """\
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
UseDNS no
MaxSessions 50
Subsystem sftp internal-sftp
""",
    "etc/systemd/journald.conf.d/small.conf": "[Journal]\nStorage=volatile\nRuntimeMaxUse=4M\n",
    "sbin/tiny-init": _TINY_INIT,
}


@dataclass(frozen=True)
class Image:
    """What is on a disk, besides what every guest has.

    Attributes:
        name: for the folder that it is kept in.
        disk_mb: size of the disk.
        packages: Debian packages.
        finish: shell script that ends the making of it; it runs as root in the tree, at the speed of this machine.
    """

    name: str = "root"
    disk_mb: int = 900
    packages: tuple[str, ...] = ()
    finish: str = ""


BASE = Image()
"""The disk of most guests."""


def rootfs(image: Image = BASE) -> Path:
    """The folder with `root.img`, `swap.img` and the ssh key `id`, built when it is not there yet."""
    version = key(_SUITE, _PACKAGES, _MASKED, _FILES, image, (_HERE / "memhog.c").read_text())
    return built(image.name, version, lambda folder: _build(image, folder))


def _build(image: Image, folder: Path) -> None:
    if os.geteuid() != 0:
        raise UnavailableError("the disk image is built by root once: run `make test-hosts` as root, or copy the cache")
    debian.reach()
    print(f"building the disk image in {folder.parent}", flush=True)
    tree = folder / "tree"
    omit = [f"--dpkgopt=path-exclude={pattern}" for pattern in _OMIT]
    mirror = f"{debian.MIRROR}/debian"
    include = f"--include={','.join((*_PACKAGES, *image.packages))}"
    finish = [f'--customize-hook=chroot "$1" sh -ec {shlex.quote(image.finish)}'] if image.finish else []
    call("disk image", ["mmdebstrap", "--variant=minbase", include, *omit, *finish, _SUITE, tree, mirror])
    call("ssh key", ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test hosts", "-f", folder / "id"])
    _furnish(tree, folder)
    call("disk image", ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", tree, folder / "root.img",
                        f"{image.disk_mb}M"])  # fmt: skip
    with (folder / "swap.img").open("wb") as file:
        file.truncate(SWAP_BYTES)
    (folder / "swap.img").chmod(0o600)
    call("swap", ["mkswap", folder / "swap.img"])
    shutil.rmtree(tree)


def _furnish(tree: Path, folder: Path) -> None:
    for old in (tree / "etc/ssh").glob("ssh_host_*"):
        old.unlink()
    for name, text in _FILES.items():
        file = tree / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tree / "sbin/tiny-init").chmod(0o755)
    for unit in _MASKED:
        (tree / "etc/systemd/system" / unit).symlink_to("/dev/null")
    call("ssh key", ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tree / "etc/ssh/ssh_host_ed25519_key"])
    (tree / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    shutil.copy(folder / "id.pub", tree / "root/.ssh/authorized_keys")
    # So small a program needs no libc in the guest: static.
    call("memhog", ["cc", "-O2", "-Wall", "-static", "-o", tree / "usr/local/bin/memhog", _HERE / "memhog.c"])
