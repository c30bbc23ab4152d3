"""Install what test hosts need, build their images, and start one by hand."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from tests.hosts import cache, tools
from tests.hosts.errors import HostError, UnavailableError
from tests.hosts.initramfs import initramfs
from tests.hosts.kernels import KERNELS, kernel
from tests.hosts.rootfs import rootfs
from tests.hosts.shapes import SHAPES
from tests.hosts.ssh import options
from tests.hosts.states import Hosts

UNAVAILABLE = 3
"""Exit code when test hosts cannot be had on this machine: no qemu, no root, no mirror."""


def prepare() -> None:
    """Install the programs, download the kernels, build the disk image."""
    start = time.monotonic()
    tools.install()
    rootfs()
    for name in KERNELS:
        found = kernel(name)
        initramfs(found)
        print(f"kernel {name}: {found.release}", flush=True)
    print(f"test hosts are ready in {cache.home()} after {time.monotonic() - start:.0f} s", flush=True)


def shell(kernel_name: str, shape_name: str) -> None:
    """Start a guest and give the user a shell in it; leaving the shell ends the guest."""
    with Hosts() as hosts:
        guest = hosts.start(kernel_name, shape_name)
        words = ["ssh", *options(guest.key), "-p", str(guest.port), f"{guest.user}@{guest.host}"]
        print("guest is up; another shell:", *words, flush=True)
        subprocess.run([*words, "-t"], check=False)


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.hosts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare", help="install programs (as root), download kernels, build images")
    one = commands.add_parser("shell", help="start a guest and log in")
    one.add_argument("kernel", nargs="?", choices=KERNELS, default="6.12")
    one.add_argument("shape", nargs="?", choices=sorted(SHAPES), default="normal")
    arguments = parser.parse_args()
    try:
        if arguments.command == "prepare":
            prepare()
        else:
            tools.install()
            shell(arguments.kernel, arguments.shape)
    except HostError as error:
        print(error, file=sys.stderr)
        return UNAVAILABLE if isinstance(error, UnavailableError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
