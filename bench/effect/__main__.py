"""Run what is missing of the series, and write the table and the picture. `make effect`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from bench import records
from bench.effect import picture, series, table
from bench.effect.advice import advice
from bench.effect.trial import trial
from tests.hosts.errors import HostError
from tests.hosts.states import Hosts

HERE = Path(__file__).parent
RECORDS = HERE / "runs.jsonl"


def run() -> int:
    """Run what is missing; returns how many trials failed. A trial that fails is tried again by the next run."""
    failed = 0
    with Hosts() as hosts:
        for repeat in range(series.REPEATS):
            for kernel in series.KERNELS:
                failed += not _ask(repeat, kernel, hosts)
            for kernel, factor in series.missing(records.read(RECORDS), repeat):
                failed += not _keep("trial", repeat, kernel, factor, hosts)
    return failed


def _ask(repeat: int, kernel: str, hosts: Hosts) -> bool:
    while (factor := series.next_to_ask(records.read(RECORDS), repeat, kernel)) is not None:
        if not _keep("advice", repeat, kernel, factor, hosts):
            return False
    return True


def _keep(what: str, repeat: int, kernel: str, factor: int, hosts: Hosts) -> bool:
    start = time.monotonic()
    try:
        record = (trial if what == "trial" else advice)(hosts, kernel, factor)
    except HostError as error:
        print(error, file=sys.stderr, flush=True)
        hosts.stop_all()
        return False
    records.add(RECORDS, {"what": what, "repeat": repeat, "name": kernel, **record})
    said = f": {record['proposed']}" if what == "advice" else ""
    took = time.monotonic() - start
    print(f"{what} {repeat + 1}, {kernel}, factor {factor}{said}; {took:.0f} s", flush=True)
    return True


def draw() -> None:
    """Write the table and the picture from the records."""
    kept = records.read(RECORDS)
    (HERE / "effect.md").write_text(table.markdown(kept))
    (HERE / "effect.svg").write_text(picture.svg(kept))


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m bench.effect", description=__doc__)
    parser.add_argument("--draw", action="store_true", help="only write the table and the picture")
    failed = 0 if parser.parse_args().draw else run()
    draw()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
