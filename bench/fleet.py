"""Speed of a fleet, as ratios of things measured side by side in one run. `python bench/fleet.py` prints them.

Hosts are rows of real captures, varied at random. Give the number of hosts and of captures to make it shorter:
`python bench/fleet.py 100000 1000`.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from collections.abc import Callable

    from advisor.fleet.store import Store

_PART = 100_000
_TRIES = 5


def main() -> None:
    """Prints every figure with its goal."""
    hosts = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    captures = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    print(f"{os.cpu_count()} processors, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory() as folder:
        judging(Path(folder), hosts)
        ingestion(Path(folder), captures)


def say(what: str, found: str, goal: str) -> None:
    """One line of the table."""
    print(f"{what:<58} {found:<36} goal: {goal}", flush=True)


# --- judging


def judging(folder: Path, hosts: int) -> None:
    """All rules on many hosts against a bare scan of the same columns, and against a tenth and a hundredth of them."""
    sizes = [size for size in (hosts // 100, hosts // 10, hosts) if size]
    times = {}
    for size in sizes:
        store = synthetic(folder / f"s{size}", size)
        ours, bare, ratio, memory = judged(store)
        times[size] = ours
        say(f"all rules on {size} hosts / bare scan of the columns", f"{ratio:.2f} ({ours:.2f} / {bare:.2f} s)", "<= 3")
        say(f"  memory of the process for {size} hosts", f"{memory / 2**20:.0f} MiB", "< 1430 MiB")
        size_mb = sum(file.stat().st_size for file in store.folder.rglob("*.parquet")) / 1e6
        say(f"  store of {size} hosts", f"{size_mb:.0f} MB", "none")
    most, least = sizes[-1], sizes[-2]
    growth = times[most] / times[least] / (most / least)
    say(f"time per host, {most} / {least} hosts", f"{growth:.2f}", "about 1: linear")


def synthetic(folder: Path, hosts: int) -> Store:
    """A store of so many hosts: a thousand varied rows of real captures, each number scaled anew for every host."""
    import duckdb  # noqa: PLC0415

    from advisor.fleet.columns import KEY, columns  # noqa: PLC0415
    from advisor.fleet.parts import ROW_BITS, schema, sync  # noqa: PLC0415
    from advisor.fleet.store import create_store  # noqa: PLC0415
    from tests.synthetic_fleet import fleet  # noqa: PLC0415

    seeds = fleet(folder.with_name(f"{folder.name}-seeds"), 1000)
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    store = create_store(folder)
    database = duckdb.connect()
    database.execute("SET memory_limit = '2GB'")
    for start in range(0, hosts, _PART):
        count = min(_PART, hosts - start)
        part, written = store.new_part(), {}
        store.scratch(part).mkdir()
        for scope in {scope for each in seeds.manifest.parts for scope in each.tables}:
            (file,) = seeds.files(scope)
            key = f'({part << ROW_BITS}::BIGINT + copy * 1000 + ("{KEY}" & {(1 << ROW_BITS) - 1}))'
            made = []
            for column in columns(scope):
                name = f'"{column.name}"'
                if column.name == KEY:
                    made.append(f"{key} AS {name}")
                elif column.name in ("@host_id", "@host"):
                    made.append(f"('h' || {key}) AS {name}")
                elif column.kind == "num" and not column.name.startswith("@"):
                    made.append(f"{name} * (0.8 + 0.4 * random()) AS {name}")
                else:
                    made.append(name)
            query = f"""SELECT {", ".join(made)} FROM range({-(-count // 1000)}) copies(copy), read_parquet('{file}')
                        WHERE copy * 1000 + ("{KEY}" & {(1 << ROW_BITS) - 1}) < {count}"""
            target = store.scratch(part) / f"{scope}.parquet"
            wanted = schema(scope, columns(scope))
            rows = 0
            with pq.ParquetWriter(target, wanted, compression="zstd") as out:
                for batch in database.sql(query).to_arrow_reader(_PART):
                    rows += batch.num_rows
                    out.write_table(pa.Table.from_batches([batch]).cast(wanted), row_group_size=_PART)
            sync(target)
            written[scope] = (rows, target.stat().st_size)
        store.commit(part, count, written)
        store.save()
    return store


def judged(store: Store) -> tuple[float, float, float, int]:
    """Seconds to judge a store and to scan it, the ratio, and the memory; each in a process of its own, in turns."""
    pairs, memory = [], 0
    for _ in range(_TRIES):
        ours, used = apart("judge", store.folder)
        bare, _used = apart("scan", store.folder)
        pairs.append((ours, bare))
        memory = max(memory, used)
    return median(x for x, _ in pairs), median(y for _, y in pairs), median(x / y for x, y in pairs), memory


def apart(what: str, folder: Path) -> tuple[float, int]:
    """Seconds and peak memory of one of the functions below, in a process of its own."""
    ended = subprocess.run([sys.executable, __file__, what, folder], capture_output=True, text=True, check=True)
    seconds, memory = ended.stdout.split()
    return float(seconds), int(memory)


def judge(folder: Path) -> Callable[[], object]:
    """Counts the hosts in each state of each rule."""
    from advisor.fleet.evaluate import evaluate  # noqa: PLC0415
    from advisor.fleet.store import open_store  # noqa: PLC0415
    from advisor.rulebook import library  # noqa: PLC0415

    verdicts = evaluate(open_store(folder), library.load(), "duckdb")
    return verdicts.counts


def scan(folder: Path) -> Callable[[], object]:
    """Counts what is not NULL in each of the columns that the rules read."""
    import duckdb  # noqa: PLC0415

    from advisor.fleet.engines.duckdb import tables  # noqa: PLC0415
    from advisor.fleet.evaluate import evaluate  # noqa: PLC0415
    from advisor.fleet.store import open_store  # noqa: PLC0415
    from advisor.rulebook import library  # noqa: PLC0415

    store = open_store(folder)
    needed = evaluate(store, library.load(), "duckdb").plan.needed  # type: ignore[attr-defined]
    database = duckdb.connect()
    counts = {scope: ", ".join(f'COUNT("{name}")' for name in sorted(names)) for scope, names in needed.items()}
    queries = [f"SELECT {counts[scope]} FROM {table}" for scope, table in tables(store).items() if scope in counts]
    return lambda: [database.execute(query).fetchall() for query in queries]


# --- ingestion


def ingestion(folder: Path, captures: int) -> None:
    """Captures into a store against opening and parsing them alone."""
    inventory = folder / "captures"
    inventory.mkdir()
    real = sorted((ROOT / "tests" / "captures" / "scenarios").glob("*.tar.xz"))
    chance = random.Random(0)
    for n in range(captures):
        repack(real[n % len(real)], inventory / f"h{n:06}.tar.gz", f"h{n}", chance)
    few = inventory.with_name("few")
    few.mkdir()
    for file in sorted(inventory.iterdir())[: max(100, captures // 20)]:
        shutil.copy(file, few / file.name)
    pairs = [(apart("ingest", few)[0], apart("parse", few)[0]) for _ in range(_TRIES)]
    ratio, ours = median(x / y for x, y in pairs), median(x for x, _ in pairs)
    number = len(list(few.iterdir()))
    say("CPU to ingest a capture / to parse it", f"{ratio:.2f} ({ours / number * 1e3:.1f} ms)", "<= 1.5")
    _seconds, little = apart("ingest", few)
    seconds, much = apart("ingest", inventory)
    say(f"memory, {captures} / {number} captures", f"{much / little:.2f} ({much / 2**20:.0f} MiB)", "about 1: flat")
    say(f"CPU per capture of {captures}", f"{seconds / captures * 1e3:.1f} ms", "as above")


def repack(source: Path, target: Path, host: str, chance: random.Random) -> None:
    """A real capture as another host's: its name, and one gauge, differ."""
    from advisor.capture.model import Sample  # noqa: PLC0415
    from advisor.capture.open import open_capture  # noqa: PLC0415
    from advisor.capture.write import write_capture  # noqa: PLC0415
    from advisor.record import replace  # noqa: PLC0415

    capture = open_capture(str(source))
    load = f"{chance.random():.2f} 0.00 0.00 1/100 {chance.randrange(1, 30000)}\n"
    samples = tuple(Sample({**s.files, "proc/loadavg": load}, s.monotonic_s, s.wall_s) for s in capture.samples)
    write_capture(replace(capture, host=host, samples=samples), str(target))


def ingest(folder: Path) -> Callable[[], object]:
    """Ingests a folder of captures, in this process alone, so that its CPU time and memory are all there is."""
    from advisor.fleet.ingest import Options  # noqa: PLC0415
    from advisor.fleet.ingest import ingest as run  # noqa: PLC0415
    from advisor.fleet.sources import find  # noqa: PLC0415
    from advisor.fleet.store import create_store  # noqa: PLC0415

    target = Path(tempfile.mkdtemp(dir=folder.parent)) / "s"
    return lambda: run(create_store(target), find([str(folder)]), Options())


def parse(folder: Path) -> Callable[[], object]:
    """Opens each capture and parses every file that has a parser."""
    from functools import cache  # noqa: PLC0415

    from advisor.capture.open import open_capture  # noqa: PLC0415
    from advisor.errors import ParseError  # noqa: PLC0415
    from advisor.parse import kernlog  # noqa: PLC0415

    parser = cache(parser_of)

    def run() -> None:
        for file in sorted(folder.iterdir()):
            capture = open_capture(str(file))
            if capture.kernel_log is not None:
                kernlog.parse(capture.kernel_log)
            for sample in capture.samples:
                for path, text in sample.files.items():
                    try:
                        parser(path)(text)
                    except ParseError:
                        continue

    return run


def parser_of(path: str) -> Callable[[str], object]:
    """The parser of a file; one that does nothing when none reads it."""
    from fnmatch import fnmatchcase  # noqa: PLC0415
    from importlib import import_module  # noqa: PLC0415

    from advisor import parse as package  # noqa: PLC0415
    from advisor.discovery import modules  # noqa: PLC0415

    if path.endswith(".conf") and "/tuned/" not in path:
        folder = "tmpfilesd" if "/tmpfiles.d/" in path else "sysctld"
        return import_module(f"advisor.parse.{folder}").parse  # type: ignore[no-any-return]
    for module in (import_module(f"advisor.parse.{name}") for name in modules(package.__path__) if name[0] != "_"):
        reads = getattr(module, "READS", ())
        for pattern in reads:
            if fnmatchcase(path, pattern):
                return reads[pattern] if isinstance(reads, dict) else module.parse  # type: ignore[no-any-return]
    return len


def alone(what: str, folder: Path) -> None:
    """Runs one of the functions above; prints seconds (of the processor where that is what is asked) and memory."""
    work = {"judge": judge, "scan": scan, "ingest": ingest, "parse": parse}[what](folder)
    clock = time.process_time if what in ("ingest", "parse") else time.perf_counter
    start = clock()
    work()
    print(clock() - start, peak_bytes())


def peak_bytes() -> int:
    """The most memory that this process had; getrusage would tell that of the one that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in ("judge", "scan", "ingest", "parse"):
        alone(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
