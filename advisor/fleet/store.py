"""The store: a folder of parts, and a manifest that says which of them count.

::

    store.json             the manifest: format, parts with the size of each file, schemas, replaced captures
    parts/NAME/SCOPE.parquet   tables of one part; written elsewhere, moved here whole, never changed
    raw/                   captures as they came, when asked for
    .lock                  held by whoever adds

A part counts when the manifest names it: what was half written when the power failed does not. Parts of older versions
stay: a column that they have not is unknown there. A part is refused when it is damaged or its units are not those of
today's catalogue, so that no byte is ever taken for a page.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from advisor import __version__
from advisor.errors import AdvisorError
from advisor.fleet import parts
from advisor.fleet.columns import KEY, column
from advisor.record import Record, asdict, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from advisor.fleet.flatten import Flat

FORMAT = "memadvisor/store/1"
_MANIFEST = "store.json"
_INDEX = (KEY, "@capture", "@host", "@host_id", "@time", "@source", "@stamp")


class Part(Record):
    """A part of a store.

    Attributes:
        name: its folder; the number in it is that of its keys.
        schema: which of the manifest's schemas its tables have.
        captures: how many it holds.
        tables: rows and bytes of each table, by scope.
    """

    name: str
    schema: str
    captures: int
    tables: Mapping[str, Sequence[int]]


class Manifest(Record):
    """What `store.json` says.

    Attributes:
        schemas: kind and unit by column, by scope, by the digest of it all.
        replaced: keys of captures in whose place another of the same host and time came.
        repeats: whether some host has more than one capture.
    """

    schemas: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]
    parts: tuple[Part, ...]
    replaced: tuple[int, ...] = ()
    repeats: bool = False


class Known(Record):
    """A capture of the store."""

    key: int
    capture: str
    host: str
    host_id: str
    time_s: float
    source: str
    stamp: str


class Store:
    """A store that exists; `open_store` and `create_store` give one."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    def files(self, scope: str) -> list[Path]:
        """The files that make up a table, oldest first; parts in which nothing has that scope have none."""
        return [self._file(part, scope) for part in self.manifest.parts if scope in part.tables]

    def _file(self, part: Part, scope: str) -> Path:
        return self.folder / "parts" / part.name / f"{scope}.parquet"

    def columns(self, scope: str) -> set[str]:
        """The columns that a table has in some part."""
        used = (self.manifest.schemas[digest] for digest in {part.schema for part in self.manifest.parts})
        return {name for tables in used for name in tables.get(scope, ())}

    @property
    def captures(self) -> int:
        """How many captures count."""
        return sum(part.captures for part in self.manifest.parts) - len(self.manifest.replaced)

    def check(self, scopes: Iterable[str], names: Iterable[str] = ()) -> None:
        """Refuses what is damaged or measured in other units than today, before an engine reads it.

        Args:
            scopes: the tables that will be read.
            names: the columns.

        Raises:
            AdvisorError: which file or column, and what to do.
        """
        scopes, wanted = list(scopes), [column(name) for name in names]
        for part in self.manifest.parts:
            for scope in scopes:
                if scope in part.tables:
                    self._check_file(self._file(part, scope), part.tables[scope][1])
        for digest in {part.schema for part in self.manifest.parts}:
            for table in self.manifest.schemas[digest].values():
                for each in wanted:
                    if each.name in table and [*table[each.name]] != [each.kind, each.unit]:
                        raise self._other_unit(each.name, table[each.name], [each.kind, each.unit])

    @staticmethod
    def _check_file(file: Path, size: int) -> None:
        found = file.stat().st_size if file.exists() else None
        if found != size:
            what = "is missing" if found is None else f"has {found} bytes instead of {size}"
            raise AdvisorError(f"{file}: {what}", "ingest its captures into a new store, or restore it from a backup")

    def _other_unit(self, name: str, found: Sequence[str], wanted: Sequence[str]) -> AdvisorError:
        shown = [" ".join(filter(None, each)) for each in (found, wanted)]
        message = f"{self.folder}: '{name}' is kept as '{shown[0]}', and this version reads it as '{shown[1]}'"
        return AdvisorError(message, "ingest the captures into a new store")

    def known(self) -> list[Known]:
        """Every capture that counts."""
        replaced = set(self.manifest.replaced)
        self.check(["host"])
        rows = parts.read_columns(self.files("host"), _INDEX)
        return [Known(*row.values()) for row in rows if row[KEY] not in replaced]

    def new_part(self) -> int:
        """A number for a part, unlike any other in this store or another."""
        return secrets.randbits(40)

    def scratch(self, part: int) -> Path:
        """Where a part is written before it counts."""
        return self.folder / f".new-{name_of(part)}"

    def commit(self, part: int, captures: int, written: Mapping[str, Sequence[int]]) -> Part:
        """Moves a written part into its place; it counts after the next `save`."""
        name = name_of(part)
        folder = self.folder / "parts" / name
        self.scratch(part).rename(folder)
        parts.sync(folder.parent)
        tables = {scope: parts.read_units(folder / f"{scope}.parquet") for scope in written}
        digest = digest_of(tables)
        self.manifest = replace(self.manifest, schemas={**self.manifest.schemas, digest: tables},
                                parts=(*self.manifest.parts, Part(name, digest, captures, dict(written))))  # fmt: skip
        return self.manifest.parts[-1]

    def save(self) -> None:
        """Writes the manifest: whole or not at all, and to the disk."""
        document = {"format": FORMAT, "tool": f"memadvisor {__version__}", **asdict(self.manifest)}
        new = self.folder / f".{_MANIFEST}.{os.getpid()}"
        new.write_text(json.dumps(document) + "\n", encoding="utf-8")
        parts.sync(new)
        new.replace(self.folder / _MANIFEST)
        parts.sync(self.folder)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps others from adding to the store meanwhile, and reads the manifest anew.

        Raises:
            AdvisorError: somebody else is adding.
        """
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise AdvisorError(f"{self.folder}: another run is adding to this store", "wait for its end") from None
            self.manifest = _read(self.folder)
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Removes what earlier runs left unfinished: parts that the manifest does not name do not count."""
        named = {part.name for part in self.manifest.parts}
        left = [folder for folder in (self.folder / "parts").iterdir() if folder.name not in named]
        for folder in [*left, *self.folder.glob(".new-*")]:
            shutil.rmtree(folder, ignore_errors=True)


def name_of(part: int) -> str:
    """The folder of a part."""
    return f"{part:010x}"


def digest_of(tables: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """A name for the schemas of a part's tables."""
    import hashlib  # noqa: PLC0415

    return hashlib.blake2b(json.dumps(tables, sort_keys=True).encode(), digest_size=8).hexdigest()


def create_store(folder: Path) -> Store:
    """The store of a folder, made when there is none.

    Raises:
        AdvisorError: there is something else, or a store that cannot be read.
    """
    if (folder / _MANIFEST).exists():
        return open_store(folder)
    if folder.exists() and any(folder.iterdir()):
        raise AdvisorError(f"{folder}: is no store, and not empty", "name a new folder")
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    store = Store(folder, Manifest({}, ()))
    store.save()
    return store


def open_store(folder: Path) -> Store:
    """The store of a folder.

    Raises:
        AdvisorError: there is none, it is damaged, or of a newer version.
    """
    return Store(folder, _read(folder))


def _read(folder: Path) -> Manifest:
    file = folder / _MANIFEST
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        format_, parts_ = document["format"], document["parts"]
    except FileNotFoundError:
        raise AdvisorError(f"{folder}: is no store", f"make one: advisor fleet ingest SOURCES -o {folder}") from None
    except NotADirectoryError:
        raise AdvisorError(f"{folder}: is no store but a file", "name the folder of a store") from None
    except (ValueError, TypeError, KeyError):
        raise AdvisorError(f"{file}: is damaged", "restore it from a backup, or ingest into a new store") from None
    if format_ != FORMAT:
        newer = isinstance(format_, str) and format_.startswith("memadvisor/store/")
        message = f"{folder}: is of format {str(format_)[:40]!r}, and this memadvisor reads {FORMAT!r}"
        raise AdvisorError(message, "upgrade memadvisor" if newer else "name the folder of a store")
    return _manifest(document, parts_, file)


def _manifest(document: Any, found: Any, file: Path) -> Manifest:
    try:
        made = tuple(Part(part["name"], part["schema"], int(part["captures"]), part["tables"]) for part in found)
        for part in made:
            int(part.name, 16)
            document["schemas"][part.schema].items()
        replaced = tuple(map(int, document["replaced"]))
        return Manifest(document["schemas"], made, replaced, bool(document["repeats"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise AdvisorError(f"{file}: is damaged", "restore it from a backup, or ingest into a new store") from None


class Index:
    """Which captures a store has, to skip what it has and to see which of two counts."""

    def __init__(self, known: Iterable[Known]) -> None:
        self.captures: set[str] = set()
        self.sources: set[tuple[str, str]] = set()
        self._moments: dict[tuple[str, float], int] = {}
        self._hosts: dict[str, int] = {}
        self._names: dict[str, str] = {}
        for each in known:
            self.add(each)

    def add(self, new: Known) -> tuple[int | None, str]:
        """Takes a capture; returns the key of the one that it replaces, and a remark.

        Of two captures of one host and time the later one counts. Two hosts of one name stay two.
        """
        self.captures.add(new.capture)
        self.sources.add((new.source, new.stamp))
        self._hosts[new.host_id] = self._hosts.get(new.host_id, 0) + 1
        old = self._moments.get((new.host_id, new.time_s))
        self._moments[new.host_id, new.time_s] = new.key
        if old is not None:
            self._hosts[new.host_id] -= 1
            return old, f"{new.host}: a second capture of the same time; the later one counts"
        first = self._names.setdefault(new.host, new.host_id)
        if first != new.host_id and self._hosts[new.host_id] == 1:
            return None, f"{new.host}: the name of several hosts; their machine-ids differ, they stay apart"
        return None, ""

    @property
    def repeats(self) -> bool:
        """Whether some host has more than one capture that counts."""
        return any(count > 1 for count in self._hosts.values())


def known_of(flat: Flat, key: int, source: str, stamp: str) -> Known:
    """A capture that was just added, as the index takes it."""
    return Known(key, flat.capture, flat.host, flat.host_id, flat.time_s, source, stamp)
