"""The programs of this machine that test hosts need, and how they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess

from tests.hosts.cache import call
from tests.hosts.errors import HostError, MissingToolError

RUN = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "setpriv": "util-linux",
    "ssh": "openssh-client",
    "zstd": "zstd",
}
"""Programs that a restored guest needs, and the Debian package of each."""

BUILD = {
    "cc": "gcc libc6-dev",
    "depmod": "kmod",
    "dpkg-deb": "dpkg",
    "mke2fs": "e2fsprogs",
    "mkswap": "util-linux",
    "mmdebstrap": "mmdebstrap",
    "ssh-keygen": "openssh-client",
    "xz": "xz-utils",
}
"""Programs that build the images."""

# Where Debian keeps tools for the administrator; not always in PATH.
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def missing(programs: dict[str, str]) -> list[str]:
    """The Debian packages of the programs that are not there."""
    lacking = [package for program, package in programs.items() if not shutil.which(program, path=_PATH)]
    return sorted({name for package in lacking for name in package.split()})


def require(programs: dict[str, str]) -> None:
    """Return when all programs are there.

    Raises:
        MissingToolError: some are not; the message is the command that installs them.
    """
    packages = missing(programs)
    if packages:
        raise MissingToolError(f"as root: apt-get install {' '.join(packages)}")
    os.environ["PATH"] = _PATH


def install() -> None:
    """Install what is missing with apt; nothing when all is there.

    Raises:
        MissingToolError: we are not root, this is no Debian, or apt failed.
    """
    packages = missing(RUN | BUILD)
    if packages and (os.geteuid() != 0 or not shutil.which("apt-get")):
        require(RUN | BUILD)
    if packages:
        print("installing", *packages, flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        words = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        try:
            call("installation", words, env={"DEBIAN_FRONTEND": "noninteractive"})
        except HostError as error:
            raise MissingToolError(str(error)) from None
    require(RUN | BUILD)
