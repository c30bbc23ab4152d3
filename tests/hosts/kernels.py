"""Debian's cloud kernels: the image, and the few modules that a guest needs, in the order of loading."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.hosts import debian
from tests.hosts.cache import built, call, key
from tests.hosts.errors import HostError

if TYPE_CHECKING:
    from pathlib import Path

KERNELS = ("5.10", "6.1", "6.12", "newest")
"""The kernels that guests run, oldest first."""

BOOT = ("virtio_pci", "virtio_blk", "virtio_net")
"""Modules without which there is no disk and no network."""

EXTRA = {"zram": ("lzo_rle", "zram")}
"""What a shape may load: modules by name, with those that they use without saying so."""

_META = "linux-image-cloud-amd64"
_RECIPE = "3"


@dataclass(frozen=True)
class Kernel:
    """A kernel that a guest can run.

    Attributes:
        name: one of KERNELS.
        release: its `uname -r`.
        folder: where its files are.
    """

    name: str
    release: str
    folder: Path

    @property
    def image(self) -> Path:
        """The file to boot."""
        return self.folder / "vmlinuz"

    def modules(self, name: str) -> list[Path]:
        """The files to load for one entry of EXTRA, or for `boot`, in order; none when it is built in."""
        return sorted((self.folder / "modules" / name).glob("*.ko"))


def kernel(name: str) -> Kernel:
    """The kernel of a name, downloaded when it is not there yet."""
    folder = built(f"kernel-{name}", key(_RECIPE, BOOT, EXTRA), lambda folder: _build(name, folder))
    return Kernel(name, (folder / "release").read_text(), folder)


def _build(name: str, folder: Path) -> None:
    tree = folder / "tree"
    tree.mkdir()
    version = _version(name)
    print(f"downloading kernel {version}", flush=True)
    image = debian.depends(_META, version)
    parts = [part for part in image if part[0].startswith("linux-image-")]
    if not parts:
        raise HostError(f"kernel {name}: {_META} {version} names no image")
    # Newest kernels are split into an image of their own and the modules.
    for package, exact in (*parts, *debian.depends(*parts[0])):
        if package.startswith(("linux-image-", "linux-binary-", "linux-modules-")):
            debian.unpack(tree, package, exact)
    image_file = next((path for path in sorted(tree.rglob("vmlinuz*")) if path.is_file()), None)
    modules = next((path for path in tree.glob("**/lib/modules/*") if path.is_dir()), None)
    if image_file is None or modules is None:
        raise HostError(f"kernel {name}: no vmlinuz or no modules in {_META} {version}")
    shutil.copy(image_file, folder / "vmlinuz")
    (folder / "release").write_text(modules.name)
    call(f"kernel {name}", ["depmod", "-b", modules.parents[2], modules.name])
    for wanted, names in ({"boot": BOOT} | EXTRA).items():
        _copy_modules(modules, names, folder / "modules" / wanted)
    shutil.rmtree(tree)


def _version(name: str) -> str:
    found = debian.versions(_META)
    fitting = [version for version in found if name == "newest" or version.startswith(f"{name}.")]
    if not fitting:
        raise HostError(f"kernel {name}: no suite has it; there are {', '.join(found) or 'none'}")
    return fitting[0]


def _copy_modules(tree: Path, names: tuple[str, ...], target: Path) -> None:
    target.mkdir(parents=True)
    for number, path in enumerate(load_order((tree / "modules.dep").read_text(), names)):
        source, copy = tree / path, target / f"{number:02d}-{path.rsplit('/', 1)[-1].split('.ko')[0]}.ko"
        unpack = {".xz": ["xz", "-dc"], ".zst": ["zstd", "-qdc"]}.get(source.suffix, ["cat"])
        with copy.open("wb") as file:
            subprocess.run([*unpack, source], stdout=file, check=True)


def load_order(modules_dep: str, names: tuple[str, ...]) -> list[str]:
    """The files to load for some modules, each after what it depends on; those built in are left out.

    >>> load_order("k/zram.ko.xz: k/zsmalloc.ko.xz k/base.ko.xz\\nk/base.ko.xz:\\n", ("zram", "none"))
    ['k/base.ko.xz', 'k/zsmalloc.ko.xz', 'k/zram.ko.xz']
    """
    needs = {path: rest.split() for path, _, rest in (line.partition(":") for line in modules_dep.splitlines())}
    order: dict[str, None] = {}
    for name in names:
        for path, first in needs.items():
            if path.rsplit("/", 1)[-1].split(".ko")[0].replace("-", "_") == name:
                order |= dict.fromkeys([*reversed(first), path])
    return list(order)
