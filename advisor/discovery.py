"""Which modules a package has: commands, signals and settings are found by their files, without a list of them."""

from __future__ import annotations

import os

from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def modules(folders: Iterable[str]) -> list[str]:
    """The names of the modules of a package, sorted; sub-packages are none.

    `pkgutil.iter_modules` gives the same, but loads inspect, ast and tokenize first: a tenth of a short run.

    Args:
        folders: the package's `__path__`.
    """
    return sorted({name for folder in folders for name in _in_folder(folder)})


def packages(folders: Iterable[str]) -> list[str]:
    """The names of the sub-packages of a package, sorted; a package in an archive has none that can be seen.

    Args:
        folders: the package's `__path__`.
    """
    found = {entry.name for folder in folders for entry in _folders_in(folder)}
    return sorted(found)


def _folders_in(folder: str) -> Iterable[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [e for e in entries if e.is_dir() and os.path.isfile(f"{e.path}/__init__.py")]  # noqa: PTH113
    except OSError:
        return []


def _in_folder(folder: str) -> Iterable[str]:
    try:
        entries = os.listdir(folder)  # noqa: PTH208  (pathlib is slow to load, too)
    except OSError:  # the package is in an archive
        import pkgutil  # noqa: PLC0415

        return [module.name for module in pkgutil.iter_modules([folder])]
    names = (entry.partition(".") for entry in entries)
    return [name for name, _, suffix in names if suffix in {"py", "pyc"} and name != "__init__"]
