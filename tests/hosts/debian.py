"""Packages of Debian suites, read with a private apt: neither its sources nor its packages touch this machine."""

from __future__ import annotations

import os
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.hosts.cache import built, call, home, key
from tests.hosts.errors import HostError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MIRROR = os.environ.get("MEMADVISOR_DEBIAN_MIRROR", "http://deb.debian.org")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_SUITES = {
    "debian": ("bullseye", "bookworm", "trixie", "sid", "experimental"),
    "debian-security": ("bullseye-security", "bookworm-security", "trixie-security"),
}


@cache
def reach() -> None:
    """Return when the mirror answers; asked as apt asks, so that its proxies count.

    Raises:
        UnreachableError: it does not.
    """
    target = home() / "InRelease"
    _download("mirror", ["/usr/lib/apt/apt-helper", "download-file", f"{MIRROR}/debian/dists/stable/InRelease", target])
    target.unlink()


def _download(what: str, command: Sequence[str | Path], **options: Any) -> None:
    try:
        call(what, command, **options)
    except (HostError, FileNotFoundError) as error:
        hint = "another mirror: MEMADVISOR_DEBIAN_MIRROR=http://..."
        raise UnreachableError(f"{MIRROR} does not give what is needed; {hint}\n{error}") from None


@cache
def _apt() -> dict[str, str]:
    reach()
    folder = home() / "apt"
    for name in ("lists/partial", "cache/archives/partial", "parts"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    sources = folder / "sources.list"
    sources.write_text(
        "".join(
            f"deb [signed-by={_KEYRING} arch=amd64] {MIRROR}/{archive} {suite} main\n"
            for archive, suites in _SUITES.items()
            for suite in suites
        )
    )
    (folder / "status").touch()
    settings = {
        "APT::Architecture": "amd64",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::preferencesparts": folder / "parts",
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": folder / "parts",
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
    }
    config = folder / "apt.conf"
    config.write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
    environment = {"APT_CONFIG": str(config), "LC_ALL": "C"}
    # A suite that has left the mirror is an error of apt, and none of ours while the others have what we need.
    try:
        call("package lists", ["apt-get", "update", "-qq"], env=environment)
    except HostError as error:
        print(error, flush=True)
    return environment


def versions(package: str) -> list[str]:
    """The versions of a package in all suites, newest first."""
    lines = call(package, ["apt-cache", "madison", package], env=_apt()).splitlines()
    return list(dict.fromkeys(line.split("|")[1].strip() for line in lines))


def depends(package: str, version: str) -> list[tuple[str, str]]:
    """The names of Depends with an exact version, and that version."""
    shown = call(package, ["apt-cache", "show", f"{package}={version}"], env=_apt())
    line = re.search(r"^Depends: (.*)$", shown, re.MULTILINE)
    return re.findall(r"(\S+) \(= (\S+)\)", line[1]) if line else []


def unpack(folder: Path, package: str, version: str | None = None) -> None:
    """Download a package and unpack its files below `folder`."""
    downloads = folder / "download"
    downloads.mkdir(exist_ok=True)
    wanted = f"{package}={version}" if version else package
    _download(package, ["apt-get", "download", "-qq", wanted], cwd=downloads, env=_apt())
    for file in downloads.glob("*.deb"):
        call(package, ["dpkg-deb", "-x", file, folder])
        file.unlink()
    downloads.rmdir()


def busybox() -> Path:
    """A static busybox: the only program of an initramfs."""

    def build(folder: Path) -> None:
        unpack(folder, "busybox-static")

    folder = built("busybox", key("1"), build)
    return next(path for path in (folder / "usr/bin/busybox", folder / "bin/busybox") if path.is_file())
