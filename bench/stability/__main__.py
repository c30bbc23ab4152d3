"""Run what is missing of the series, and write the table. `make stability`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench import records
from bench.stability import series, table
from bench.stability.loop import loop
from tests.hosts.errors import HostError
from tests.hosts.states import Hosts

if TYPE_CHECKING:
    from bench.stability.series import Key, Record

HERE = Path(__file__).parent
RECORDS = HERE / "rounds.jsonl"


def run(keys: list[Key], rounds: int, file: Path) -> int:
    """Run series; returns how many failed. One that fails begins anew at the next run."""
    failed = 0
    for key in keys:
        attempt = 1 + len(series.attempts(records.read(file), key))
        try:
            with Hosts() as hosts:
                for record in loop(hosts, *key, rounds):
                    records.add(file, {**record, "attempt": attempt})
                    print(_line(record), flush=True)
        except HostError as error:
            failed += 1
            print(f"{key}: {error}", file=sys.stderr, flush=True)
    return failed


def _line(record: Record) -> str:
    done = table.told(record) if record["what"] == "round" else "before"
    rates = ", ".join(f"{measure.name} {measure.value(record):.3g}" for measure in table.MEASURES)
    return f"{record['name']} {record['load']}, round {record['round']}: {done}; {rates}; {record.get('took_s', '')} s"


def draw() -> None:
    """Write the table from the records."""
    (HERE / "stability.md").write_text(table.markdown(records.read(RECORDS)))


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m bench.stability", description=__doc__)
    parser.add_argument("--draw", action="store_true", help="only write the table")
    parser.add_argument("--try", nargs=3, metavar=("KERNEL", "LOAD", "FILE"), dest="one",
                        help="three rounds of one series, records into a file of their own; no table")  # fmt: skip
    arguments = parser.parse_args()
    if arguments.one:
        kernel, load, file = arguments.one
        return run([(kernel, load)], 3, Path(file))
    failed = 0 if arguments.draw else run(series.missing(records.read(RECORDS)), series.ROUNDS, RECORDS)
    draw()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
