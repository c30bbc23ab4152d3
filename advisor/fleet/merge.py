"""Several stores into one: the slices of a job, sites, or days."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from advisor.fleet.parts import ROW_BITS
from advisor.fleet.store import Index, Store
from advisor.record import Record, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from advisor.fleet.store import Known, Part


class Merged(Record):
    """What became of the stores.

    Attributes:
        added: captures that are in the store now and were not before.
        skipped: captures that it had already.
        remarks: on captures of one host and time, and on hosts of one name.
    """

    added: int
    skipped: int
    remarks: tuple[str, ...]


def merge(stores: Sequence[Store], into: Store) -> Merged:
    """Adds the captures of some stores to another.

    Keys are unique in all stores, so parts are copied as they are. A capture that the store has already, and of two
    of one host and time the one that came first, do not count any more. Each part counts as soon as it is there: a
    run that was interrupted can be repeated.

    Raises:
        AdvisorError: a store is damaged, or another run adds to it.
    """
    with into.locked():
        index = Index(into.known())
        before, skipped, remarks = into.captures, 0, list[str]()
        for store in stores:
            own = store.known()
            for part in store.manifest.parts:
                if part.name not in {there.name for there in into.manifest.parts}:
                    mine = [known for known in own if known.key >> ROW_BITS == int(part.name, 16)]
                    replaced, told = _replaced(mine, index)
                    skipped += len(replaced)
                    remarks += told
                    _copy(store, part, into, [*_gone(store, part), *replaced], index)
            _copy_raw(store, into)
        return Merged(into.captures - before, skipped, tuple(dict.fromkeys(remarks)))


def _replaced(captures: Iterable[Known], index: Index) -> tuple[list[int], list[str]]:
    """The keys that no longer count once these captures are there, and remarks."""
    keys: list[int] = []
    remarks: list[str] = []
    for capture in captures:
        if capture.capture in index.captures:
            keys.append(capture.key)
            continue
        old, remark = index.add(capture)
        keys += [old] if old is not None else []
        remarks += [remark] if remark else []
    return keys, remarks


def _gone(store: Store, part: Part) -> list[int]:
    """The captures of a part that did not count in the store that it comes from."""
    return [key for key in store.manifest.replaced if key >> ROW_BITS == int(part.name, 16)]


def _copy(store: Store, part: Part, into: Store, replaced: Sequence[int], index: Index) -> None:
    number = int(part.name, 16)
    shutil.copytree(store.folder / "parts" / part.name, into.scratch(number))
    into.commit(number, part.captures, part.tables)
    manifest = into.manifest
    gone = dict.fromkeys((*manifest.replaced, *replaced))
    into.manifest = replace(manifest, replaced=tuple(gone), repeats=manifest.repeats or index.repeats)
    into.save()


def _copy_raw(store: Store, into: Store) -> None:
    """Captures that were kept as they came; their names are their digests, so the same is never there twice."""
    for file in sorted((store.folder / "raw").glob("*/[!.]*")):
        target = into.folder / "raw" / file.parent.name / file.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            new = target.with_name(f".{target.name}")
            shutil.copyfile(file, new)
            new.replace(target)
