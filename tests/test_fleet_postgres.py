"""A store judged by a PostgreSQL server that this test starts, and conditions compared with the row evaluator there.

The server listens on a socket in a folder of its own; it and its data end with the tests.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from advisor.engine.sql import POSTGRES, name_sql, text_sql, to_sql
from advisor.errors import AdvisorError
from advisor.fleet.engines import postgres
from advisor.fleet.evaluate import evaluate
from advisor.rulebook import library
from tests.engine_expressions import CATALOGUE
from tests.sql_agreement import corpus, expected
from tests.synthetic_fleet import fleet
from tests.test_engine_sql import HOSTILE
from tests.test_fleet_evaluate import everything

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
KINDS = {"num": "DOUBLE PRECISION", "bool": "BOOLEAN", "str": "TEXT"}


def other_user() -> str | None:
    """PostgreSQL refuses to run as root: then Debian's user for it, or nobody."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@pytest.fixture(scope="module")
def server():
    if PROGRAMS is None or not (PROGRAMS / "initdb").exists():
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    folder, user = Path(tempfile.mkdtemp(prefix="pg")), other_user()
    if user is not None:
        shutil.chown(folder, user)
    data, options = folder / "data", {"user": user, "cwd": folder, "stdout": subprocess.DEVNULL}
    subprocess.run([PROGRAMS / "initdb", "-D", data, "-A", "trust", "-U", "tester", "-E", "UTF8", "--locale=C",
                    "--no-sync"], check=True, **options)  # fmt: skip
    command = [PROGRAMS / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
    started = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)
    address = f"host={folder} user=tester dbname=postgres"
    try:
        wait_for(address, started)
        yield address
    finally:
        started.terminate()
        started.wait()
        shutil.rmtree(folder)


def wait_for(address: str, started: subprocess.Popen) -> None:
    while started.poll() is None:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the PostgreSQL server ended at once")


def test_random_conditions_agree_cell_by_cell(server):
    conditions, table = corpus(150)
    with psycopg.connect(server) as connection:
        columns = ", ".join(f"{name_sql(n, POSTGRES)} {KINDS[t.kind]}" for n, t in CATALOGUE.items())
        connection.execute(f"CREATE TEMPORARY TABLE hosts (place INT, {columns})")
        with connection.cursor().copy("COPY hosts FROM STDIN") as copy:
            for place, row in enumerate(table):
                copy.write_row((place, *(row[name] for name in CATALOGUE)))
        cells = 0
        for condition in conditions:
            sql = to_sql(condition.tree, POSTGRES)
            found = connection.execute(f"SELECT {sql} FROM hosts ORDER BY place").fetchall()
            assert [value for (value,) in found] == expected(condition, table), condition.text
            cells += len(found)
    assert cells > 30_000


def test_all_rules_agree_cell_by_cell(server, tmp_path):
    store = fleet(tmp_path / "s", 120)
    assert everything(store, "postgres", server=server) == everything(store, "rows")


@pytest.mark.parametrize("text", list(HOSTILE), ids=repr)
def test_hostile_texts_and_names_are_neutral(server, text):
    with psycopg.connect(server) as connection:
        found = connection.execute(f"SELECT {text_sql(text, POSTGRES)} AS {name_sql(text, POSTGRES)}")
        assert found.fetchall() == [(text,)]
        assert found.description[0].name == text


def test_nothing_stays_in_the_server(server, tmp_path):
    with evaluate(fleet(tmp_path / "s", 3), library.load(), "postgres", server=server) as found:
        assert len(list(found.per_host())) == 3
    with psycopg.connect(server) as connection:
        tables = connection.execute("SELECT relname FROM pg_class WHERE relname LIKE 'memadvisor%'").fetchall()
    assert tables == []


def test_a_server_that_is_not_there_is_one_line(tmp_path):
    store = fleet(tmp_path / "s", 1)
    with pytest.raises(AdvisorError, match=r"^PostgreSQL: .*"):
        evaluate(store, library.load(), "postgres", server=f"host={tmp_path} dbname=x")
    with pytest.raises(AdvisorError, match="an empty connection string"):
        postgres.start(store, [], None, server=" ")
