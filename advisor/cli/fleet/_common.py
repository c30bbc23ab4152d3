"""What the commands for fleets share: the extra that they need, and the store."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from advisor.fleet.store import Store

_EXTRAS = {"fleet": ("pyarrow", "duckdb"), "spark": ("pyspark",), "postgres": ("psycopg",)}


def need(extra: str = "fleet") -> None:
    """Makes sure that the libraries of an extra are there.

    Raises:
        AdvisorError: one is not, and how to install it.
    """
    missing = [name for name in _EXTRAS[extra] if importlib.util.find_spec(name) is None]
    if missing:
        raise AdvisorError(f"{' and '.join(missing)} not installed", f"pip install 'memadvisor[{extra}]'")


def add_store(parser: argparse.ArgumentParser) -> None:
    """The argument that says which store is judged."""
    parser.add_argument("store", metavar="STORE", type=Path, help="a folder made by advisor fleet ingest")


def store_of(arguments: argparse.Namespace) -> Store:
    """The store that the arguments name.

    Raises:
        AdvisorError: there is none, or it cannot be read.
    """
    need()
    from advisor.fleet.store import open_store  # noqa: PLC0415

    return open_store(arguments.store)
