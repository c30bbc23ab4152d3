"""From captures to a store: what is in it, that it grows, and what bad input does to it."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from advisor.capture.model import Capture, Sample
from advisor.capture.open import open_capture
from advisor.capture.write import write_capture
from advisor.cli import main
from advisor.errors import AdvisorError
from advisor.fleet.columns import columns
from advisor.fleet.store import open_store
from advisor.signals.model import catalogue, scopes
from advisor.signals.table import Table
from advisor.signals.view import views
from tests.fixtures import CAPTURES, INCIDENTS, capture_files

MACHINE = "0123456789abcdef0123456789abcdef\n"


def ingest(*arguments: object) -> int:
    return main(["fleet", "ingest", *map(str, arguments)])


def rows(store: Path, scope: str = "host", what: str = "*") -> list[dict]:
    files = [str(file) for file in open_store(store).files(scope)]
    found = duckdb.connect().execute(f"SELECT {what} FROM read_parquet(?, union_by_name=true)", [files])
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def make(
    folder: Path, name: str, host: str = "db1", wall_s: float = 1.7e9, machine: str = MACHINE, **files: str
) -> Path:
    """A capture of a host, as a folder, with the files of a real one."""
    texts = {k: v for k, v in capture_files("6.12", "idle").items() if k not in {"proc/stat", "etc/machine-id"}}
    texts |= {"etc/machine-id": machine} if machine else {}
    texts |= {path.replace("__", "/"): text for path, text in files.items()}
    target = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    write_capture(Capture((Sample(texts, 100.0, wall_s),), host=host), str(target))
    return target


def test_every_signal_of_every_scope_is_in_the_store_as_the_signals_say(tmp_path):
    source = INCIDENTS / "normal-zone-under-min-2g-dirty"
    assert ingest(source, "-o", tmp_path / "s") == 0
    whole, _parts = views(open_capture(str(source)))
    table = Table(whole)
    (host,) = rows(tmp_path / "s")
    for name, signal_ in catalogue().items():
        if signal_.scope == "host":
            value = table.row([name]).values[name]
            assert host[name] == value, name
    reasons = json.loads(host["@unknown"])
    unknown = {name for names in reasons.values() for name in names}
    assert unknown >= {name for name, s in catalogue().items() if s.scope == "host" and host[name] is None}
    assert host["@entities.logzone"] == len(rows(tmp_path / "s", "logzone"))


def test_columns_say_their_unit_and_the_file_its_catalogue(tmp_path):
    ingest(CAPTURES, "-o", tmp_path / "s")
    (file,) = open_store(tmp_path / "s").files("zone")
    schema = pq.read_schema(file)
    assert schema.metadata[b"memadvisor.catalogue"].startswith(b"memadvisor ")
    for column in columns("zone"):
        assert schema.field(column.name).metadata[b"unit"].decode() == column.unit


def test_no_two_columns_differ_in_case_only():
    for scope in scopes():
        names = [column.name.lower() for column in (*columns(scope), *columns("host")) if column.name[0] != "@"]
        assert scope == "host" or len(names) == len(set(names))


def test_unknown_is_null_and_never_nan(tmp_path):
    ingest(CAPTURES, INCIDENTS, "-o", tmp_path / "s")
    for scope in scopes():
        if not open_store(tmp_path / "s").files(scope):
            continue
        for row in rows(tmp_path / "s", scope):
            assert all(math.isfinite(value) for value in row.values() if isinstance(value, float))


def test_many_sources_at_once_and_again_only_what_is_new(tmp_path, capsys):
    store = tmp_path / "s"
    inventory = tmp_path / "inventory"
    for n in range(120):
        make(inventory / f"group{n % 3}", f"h{n}.tar.gz" if n % 2 else f"h{n}", f"h{n}", 1.7e9 + n)
    assert ingest(inventory, "-o", store, "--jobs", "2") == 0
    assert "120 added; 120 captures in all" in capsys.readouterr().err
    assert {row["@host"] for row in rows(store)} == {f"h{n}" for n in range(120)}
    assert len(open_store(store).manifest.parts) == 2
    make(inventory, "more", "h200")
    assert ingest(inventory, "-o", store, "--jobs", "2") == 0
    assert "1 added, 120 there already; 121 captures in all" in capsys.readouterr().err


def test_the_same_capture_elsewhere_or_packed_is_not_added_again(tmp_path, capsys):
    folder = make(tmp_path, "a")
    capture = open_capture(str(folder))
    write_capture(capture, str(tmp_path / "b.tar.gz"))
    ingest(folder, "-o", tmp_path / "s")
    assert ingest(tmp_path / "b.tar.gz", "-o", tmp_path / "s") == 0
    assert "0 added, 1 there already" in capsys.readouterr().err


def test_a_broken_source_is_told_and_skipped(tmp_path, capsys):
    sources = tmp_path / "in"
    make(sources, "good")
    (sources / "cut.tar.gz").write_bytes((CAPTURES / "6.12-idle.tar.xz").read_bytes()[:3000])
    (sources / "empty.tar").write_bytes(b"")
    with tarfile.open(sources / "other.tar", "w") as archive:
        archive.add(Path(__file__), "notes.py")
    assert ingest(sources, "-o", tmp_path / "s") == 3
    said = capsys.readouterr().err
    assert "1 added, 3 not readable" in said
    assert all(f"not ingested: {sources}/{name}: " in said for name in ("cut.tar.gz", "empty.tar", "other.tar"))
    assert ingest(sources / "empty.tar", "-o", tmp_path / "other") == 1


def test_a_folder_of_sosreports_is_found(tmp_path):
    for n in range(2):
        report = tmp_path / "sos" / f"sosreport-db{n}"
        for path, text in capture_files("6.1", "idle").items():
            file = report / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (report / "sos_commands/host").mkdir(parents=True)
        (report / "sos_commands/host/hostname").write_text(f"db{n}\n")
        shutil.rmtree(report / "proc/sys/kernel", ignore_errors=True)
    assert ingest(tmp_path / "sos", "-o", tmp_path / "s") == 0
    assert {(row["@host"], row["@how"]) for row in rows(tmp_path / "s")} == {("db0", "sosreport"), ("db1", "sosreport")}


def test_role_and_labels_are_kept(tmp_path):
    ingest(make(tmp_path, "a"), "-o", tmp_path / "s", "--role", "database", "--label", "env=prod", "--label", "dc='; x")
    (row,) = rows(tmp_path / "s")
    assert row["host.role"] == "database"
    assert json.loads(row["@labels"]) == {"env": "prod", "dc": "'; x"}


def test_raw_captures_are_kept_when_asked(tmp_path):
    folder, packed = make(tmp_path, "a"), make(tmp_path, "b.tar.gz", wall_s=1.6e9)
    ingest(folder, packed, "-o", tmp_path / "s", "--keep-raw")
    kept = {file.name.partition(".")[0]: file for file in (tmp_path / "s/raw").rglob("*.tar.gz")}
    for row in rows(tmp_path / "s"):
        again = open_capture(str(kept[row["@capture"]]))
        assert again.samples == open_capture(row["@source"]).samples


def test_of_two_captures_of_one_host_and_time_the_later_counts_and_it_is_told(tmp_path, capsys):
    store = tmp_path / "s"
    ingest(make(tmp_path, "a", proc__loadavg="1.00 1 1 1/1 1\n"), "-o", store)
    ingest(make(tmp_path, "b", proc__loadavg="2.00 1 1 1/1 1\n"), "-o", store)
    assert "db1: a second capture of the same time; the later one counts" in capsys.readouterr().err
    opened = open_store(store)
    assert opened.captures == 1
    (known,) = opened.known()
    assert known.source.endswith("/b")


def test_hosts_of_one_name_and_two_machine_ids_stay_two_and_it_is_told(tmp_path, capsys):
    a, b = make(tmp_path, "a"), make(tmp_path, "b", machine="f" * 32 + "\n")
    ingest(a, b, "-o", tmp_path / "s")
    assert "db1: the name of several hosts" in capsys.readouterr().err
    assert open_store(tmp_path / "s").captures == 2
    assert len({known.host_id for known in open_store(tmp_path / "s").known()}) == 2


def test_the_machine_id_itself_is_not_in_the_store(tmp_path):
    ingest(make(tmp_path, "a"), "-o", tmp_path / "s")
    assert MACHINE.strip() not in str(rows(tmp_path / "s"))


def test_a_clock_in_the_future_is_not_believed(tmp_path, capsys):
    source = make(tmp_path, "a", wall_s=4e9)
    ingest(source, "-o", tmp_path / "s")
    assert "its clock is in the future; the time of the file is taken" in capsys.readouterr().err
    (row,) = rows(tmp_path / "s")
    assert row["@time_from"] == "file"
    assert row["@time"] <= time.time()


def test_clocks_that_disagree_are_told(tmp_path, capsys):
    stat = "cpu 1 2 3 4 5 6 7 8 9 10\nbtime 1600000000\n"
    ingest(make(tmp_path, "a", proc__stat=stat, proc__uptime="100.00 1.00\n"), "-o", tmp_path / "s")
    assert "its clocks disagree by 99999900 s" in capsys.readouterr().err
    (row,) = rows(tmp_path / "s")
    assert (row["@time"], row["@time_from"]) == (1.7e9, "sample")


def test_without_a_clock_boot_time_and_uptime_tell_the_time(tmp_path):
    files = {"proc__stat": "cpu 1 2 3 4 5 6 7 8 9 10\nbtime 1600000000\n", "proc__uptime": "100.00 1.00\n"}
    ingest(make(tmp_path, "a", wall_s=None, **files), "-o", tmp_path / "s")
    (row,) = rows(tmp_path / "s")
    assert (row["@time"], row["@time_from"]) == (1600000100.0, "boot")


HOSTILE = (
    "<script>alert(1)</script>",
    "'; DROP TABLE host; --",
    "=cmd|' /C calc'!A0",
    "\x1b[2J",
    "a\0b",
    "\udcff",
    "..",
)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_host_names_are_data_and_nothing_else(tmp_path, capsys, name):
    (tmp_path / "in").mkdir()
    for n, machine in enumerate(("1" * 32, "2" * 32)):
        make(tmp_path / "in", f"c{n}", proc__sys__kernel__hostname=name, host="", machine=machine)
    assert ingest(tmp_path / "in", "-o", tmp_path / "s") == 0
    assert {row["@host"] for row in rows(tmp_path / "s")} == {name.replace("\0", "\ufffd").replace("\udcff", "\ufffd")}
    assert "\x1b" not in capsys.readouterr().err


# --- the store itself


def edit(store: Path, **changes: object) -> None:
    file = store / "store.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.fixture
def store(tmp_path):
    ingest(make(tmp_path, "first"), "-o", tmp_path / "s")
    return tmp_path / "s"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda s: edit(s, format="memadvisor/store/2"), "upgrade memadvisor"),
        (lambda s: edit(s, format="parquet"), "name the folder of a store"),
        (lambda s: edit(s, parts=[{"name": "x"}]), "is damaged"),
        (lambda s: (s / "store.json").write_text("{"), "is damaged"),
        (lambda s: (s / "store.json").write_text('["format"]'), "is damaged"),
        (shutil.rmtree, "is no store; make one"),
    ],
)
def test_a_store_that_cannot_be_read_is_refused_in_one_line(store, spoil, said):
    spoil(store)
    with pytest.raises(AdvisorError) as error:
        open_store(store)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_half_written_parquet_file_is_refused(store):
    (file,) = open_store(store).files("host")
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(AdvisorError, match=r"host\.parquet: has \d+ bytes instead of \d+"):
        open_store(store).check(["host"])
    assert ingest(CAPTURES, "-o", store) == 1


def test_a_part_that_is_missing_is_refused(store):
    shutil.rmtree(open_store(store).files("host")[0].parent)
    with pytest.raises(AdvisorError, match="is missing"):
        open_store(store).check(["host"])


def test_what_a_killed_run_left_does_not_count_and_is_removed(store, tmp_path):
    (store / ".new-0000000001").mkdir()
    (store / "parts/00000000ff").mkdir()
    (store / "parts/00000000ff/host.parquet").write_bytes(b"PAR1 half")
    assert open_store(store).captures == 1
    ingest(make(tmp_path, "second", wall_s=1.6e9), "-o", store)
    assert open_store(store).captures == 2
    assert not list(store.glob(".new-*"))
    assert not (store / "parts/00000000ff").exists()


def test_a_folder_with_something_else_is_not_made_a_store(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter.txt").write_text("dear")
    assert ingest(CAPTURES, "-o", tmp_path / "home") == 1
    assert [file.name for file in (tmp_path / "home").iterdir()] == ["letter.txt"]


def test_two_runs_do_not_write_at_once(store, tmp_path):
    with open_store(store).locked():
        assert ingest(make(tmp_path, "b"), "-o", store) == 1
    assert open_store(store).captures == 1


def rewrite(store: Path, change) -> None:
    """Writes the table of hosts anew as another version might have, and the manifest with it."""
    opened = open_store(store)
    (part,) = opened.manifest.parts
    (file,) = opened.files("host")
    table = change(pq.read_table(file))
    pq.write_table(table, file)
    units = {f.name: [{"double": "num", "string": "str", "bool": "bool", "int64": "int"}[str(f.type)],
                      f.metadata[b"unit"].decode()] for f in table.schema}  # fmt: skip
    schemas = {part.schema: {**opened.manifest.schemas[part.schema], "host": units}}
    tables = {**part.tables, "host": [part.tables["host"][0], file.stat().st_size]}
    edit(store, schemas=schemas,
         parts=[{"name": part.name, "schema": part.schema, "captures": part.captures, "tables": tables}])  # fmt: skip


def test_a_store_of_an_older_version_lacks_columns_and_stays_readable(store, tmp_path):
    rewrite(store, lambda table: table.drop_columns(["memory.total", "@entities.zone"]))
    open_store(store).check(["host"], ["memory.total"])
    ingest(make(tmp_path, "b", wall_s=1.6e9), "-o", store)
    known = [row["memory.total"] is None for row in rows(store)]
    assert sorted(known) == [False, True]


def test_a_column_in_another_unit_is_refused(store):
    def in_kib(table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index("memory.total")
        return table.set_column(at, table.schema.field(at).with_metadata({"unit": "KiB"}), table.column(at))

    rewrite(store, in_kib)
    open_store(store).check(["host"], ["memory.available_share"])
    with pytest.raises(
        AdvisorError, match=r"'memory\.total' is kept as 'num KiB', and this version reads it as 'num B'"
    ):
        open_store(store).check(["host"], ["memory.total"])


def test_a_part_without_units_is_refused(store):
    opened = open_store(store)
    part = opened.new_part()
    scratch = opened.scratch(part)
    scratch.mkdir()
    (file,) = opened.files("host")
    table = pq.read_table(file)
    bare = pa.schema([pa.field(f.name, f.type) for f in table.schema], metadata=table.schema.metadata)
    pq.write_table(table.cast(bare), scratch / "host.parquet")
    with pytest.raises(AdvisorError, match="has no unit"):
        opened.commit(part, 1, {"host": [1, (scratch / "host.parquet").stat().st_size]})


def many(folder: Path, count: int) -> Path:
    """As many captures of hosts of one kind, each an archive."""
    inventory = folder / "in"
    inventory.mkdir()
    texts = {path: text for path, text in capture_files("6.12", "idle").items() if path != "proc/stat"}
    for n in range(count):
        with tarfile.open(inventory / f"h{n}.tar", "w") as archive:
            for path, text in {**texts, "proc/sys/kernel/hostname": f"h{n}\n"}.items():
                member = tarfile.TarInfo(path)
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
    return inventory


def start(inventory: Path, store: Path, jobs: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "advisor", "fleet", "ingest", inventory, "-o", store, "--jobs", str(jobs)]
    command = ["nice", "-n", "19", *command]  # whoever watches it is never too late, however busy the machine is
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def has_parts(store: Path) -> bool:
    return (store / "store.json").exists() and bool(open_store(store).manifest.parts)


def test_an_interrupted_run_keeps_what_it_had_and_the_next_goes_on(tmp_path):
    inventory = many(tmp_path, 1500)  # the first part holds 500; the rest leaves time to interrupt
    started = start(inventory, tmp_path / "s", jobs=1)
    while not has_parts(tmp_path / "s") and started.poll() is None:
        time.sleep(0.02)
    started.send_signal(signal.SIGINT)
    _out, err = started.communicate()
    assert (started.returncode, err) == (130, "")
    before = open_store(tmp_path / "s").captures
    assert 0 < before < 1500
    assert ingest(inventory, "-o", tmp_path / "s") == 0
    assert open_store(tmp_path / "s").captures == 1500


@pytest.mark.parametrize("later_s", [0, 0.1, 0.5])
def test_a_process_that_is_killed_ends_the_run_in_one_line_and_loses_nothing(tmp_path, later_s):
    inventory = many(tmp_path, 120)  # two parts, one for each process
    started = start(inventory, tmp_path / "s", jobs=2)
    victim = None
    while victim is None and started.poll() is None:
        children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
        workers = [int(pid) for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]
        victim = workers[0] if workers else None
    time.sleep(later_s)  # while it starts, while it loads, while it reads
    os.kill(victim, signal.SIGKILL)
    _out, err = started.communicate()
    assert started.returncode == 1
    assert err.startswith("advisor: a process was killed while it read ")
    assert err.count("\n") == 1
    assert ingest(inventory, "-o", tmp_path / "s") == 0
    assert open_store(tmp_path / "s").captures == 120
