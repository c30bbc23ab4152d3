"""Stores of hosts that do not exist: rows of real captures, varied at random."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pyarrow.parquet as pq

from advisor.capture.open import open_capture
from advisor.fleet.columns import ENTITY, Column, column, columns, entities
from advisor.fleet.flatten import Origin, Rows, flatten
from advisor.fleet.parts import Batch
from advisor.fleet.sources import find
from advisor.fleet.store import Manifest, Store, create_store
from advisor.record import replace
from advisor.signals.model import catalogue
from tests.fixtures import CAPTURES, INCIDENTS

# What some signals take that no fixture has; every kind of entity occurs, also those of which no fixture has one.
ODD = {"num": (0.0, 1.0, 0.5, 200.0, 4096.0, 2.0**33, -1.0, None), "bool": (True, False, None), "str": ("x", None)}
MADE = ("setting", "process", "cgroup", "slabcache", "logzone", "node")
FACTORS = (0.0, 0.01, 0.5, 0.9, 1.0, 1.0, 1.0, 1.1, 2.0, 50.0, -1.0)


@cache
def real_rows() -> tuple[Rows, ...]:
    """The rows of every capture among the fixtures."""
    sources = find([str(CAPTURES), str(INCIDENTS)])
    return tuple(flatten(open_capture(s.path), Origin(s.path, s.stamp, s.changed_s, s.changed_s)).rows for s in sources)


@cache
def seen(scope: str) -> dict[str, tuple[Any, ...]]:
    """The values that each column has in some real capture."""
    rows = [row for capture in real_rows() for row in capture.get(scope, [])]
    return {name: tuple({row.get(name) for row in rows}) for row in rows for name in row}


def varied(rows: Rows, chance: random.Random, host: str) -> Rows:
    """A host much like another: some values unknown, some of another host, some scaled."""
    changed = {scope: [_vary(scope, row, chance) for row in table] for scope, table in rows.items()}
    for scope in MADE:
        if scope not in changed and chance.random() < 0.3:
            changed[scope] = [_made(scope, n, chance) for n in range(chance.randrange(1, 4))]
            changed["host"][0][entities(scope)] = len(changed[scope])
    changed["host"][0] |= {"@host": host, "@host_id": host, "@capture": host, "@time": 1.7e9 + chance.randrange(5)}
    return changed


def _made(scope: str, number: int, chance: random.Random) -> dict[str, Any]:
    row = {each.name: chance.choice(_pool(each)) for each in columns(scope) if not each.name.startswith("@")}
    return {**row, ENTITY: f"{scope}{number}"}


def _pool(each: Column) -> tuple[Any, ...]:
    choices = catalogue()[each.name].choices
    return (*choices, None) if choices else ODD[each.kind]


def _vary(scope: str, row: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    return {name: value if name.startswith("@") else _other(scope, name, value, chance) for name, value in row.items()}


def _other(scope: str, name: str, value: Any, chance: random.Random) -> Any:
    what = chance.random()
    if what < 0.1:
        return None
    if what < 0.2:
        return chance.choice(seen(scope)[name])
    if what < 0.27:
        return chance.choice(_pool(column(name)))
    if isinstance(value, float) and column(name).kind == "num":
        return value * chance.choice(FACTORS) + 0.0
    return chance.choice((True, False, None)) if isinstance(value, bool) else value


def add_part(store: Store, hosts: list[Rows]) -> list[int]:
    """Adds hosts to a store as one part; returns their keys."""
    with store.locked():
        batch = Batch(store.new_part())
        keys = [batch.add(rows) for rows in hosts]
        store.commit(batch.part, batch.captures, batch.write(store.scratch(batch.part)))
        store.save()
    return keys


def fleet(folder: Any, count: int, seed: int = 0) -> Store:
    """A store of so many hosts, of one capture each."""
    chance = random.Random(seed)
    store = create_store(folder)
    hosts = [varied(chance.choice(real_rows()), chance, f"h{n}") for n in range(count)]
    add_part(store, hosts)
    return store


def without_column(store: Store, name: str) -> Store:
    """A store of one part as a version wrote it that did not know some signal of the host."""
    (part,) = store.manifest.parts
    (file,) = store.files("host")
    pq.write_table(pq.read_table(file).drop_columns([name]), file)
    tables = {scope: dict(table) for scope, table in store.manifest.schemas[part.schema].items()}
    del tables["host"][name]
    sizes = {**part.tables, "host": [part.captures, file.stat().st_size]}
    store.manifest = Manifest({"old": tables}, (replace(part, schema="old", tables=sizes),))
    store.save()
    return store
