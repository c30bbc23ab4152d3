"""Run what is missing of the contest, and write its table and its picture. `make contest`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import records
from bench.contest import arms, picture, series, table
from bench.contest.advice import ROUNDS, advice
from bench.contest.trial import trial
from bench.contest.workloads import WORKLOADS
from tests.hosts.errors import HostError
from tests.hosts.states import Hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HERE = Path(__file__).parent
RECORDS = HERE / "runs.jsonl"


class Contest:
    """The runs, at most so many at a time. One that fails is told, and tried again by the next start.

    Args:
        beside: how many guests run at the same time.
        until: when no further run is begun, by time.monotonic().
    """

    def __init__(self, beside: int, until: float) -> None:
        self._pool = ThreadPoolExecutor(beside)
        self._lock = threading.Lock()
        self._until = until
        self.failed = 0

    def run(self) -> None:
        """What rivals set, then what memadvisor sets, then the trials."""
        self._all(self._rivals, [name for name in series.KERNELS if not _rivals(name)])
        self._all(self._ask, [(kernel, workload) for kernel in series.KERNELS for workload in WORKLOADS])
        self._all(self._trial, series.missing(records.read(RECORDS)))

    def _all(self, one: Callable[[Hosts, Any], None], todo: Iterable[Any]) -> None:
        list(self._pool.map(lambda what: self._guarded(one, what), todo))

    def _guarded(self, one: Callable[[Hosts, Any], None], what: Any) -> None:
        if time.monotonic() > self._until:
            return
        start = time.monotonic()
        try:
            with Hosts() as hosts:
                one(hosts, what)
        except HostError as error:
            self.failed += 1
            print(f"{what}: {error}", file=sys.stderr, flush=True)
        else:
            print(f"{what}: {time.monotonic() - start:.0f} s", flush=True)

    def _keep(self, **record: Any) -> None:
        with self._lock:
            records.add(RECORDS, record)

    def _rivals(self, hosts: Hosts, kernel: str) -> None:
        self._keep(what="rivals", name=kernel, settings=arms.rivals(hosts, kernel))

    def _ask(self, hosts: Hosts, cell: tuple[str, str]) -> None:
        kernel, workload = cell
        rounds = series.asked(records.read(RECORDS), kernel, workload)
        with tempfile.TemporaryDirectory() as state:
            while not rounds or (not rounds[-1]["same"] and len(rounds) < ROUNDS):
                given = rounds[-1]["settings"] if rounds else {}
                found = advice(hosts, kernel, WORKLOADS[workload], given, Path(state))
                self._keep(what="advice", name=kernel, workload=workload, round=len(rounds) + 1, **found)
                rounds.append(found)

    def _trial(self, hosts: Hosts, what: tuple[int, series.Run]) -> None:
        repeat, (kernel, workload, arm) = what
        given = _settings(kernel, workload, arm)
        if given is None:
            raise HostError("what this arm sets is not known yet")
        found = trial(hosts, kernel, WORKLOADS[workload], given)
        self._keep(what="trial", repeat=repeat, name=kernel, workload=workload, arm=arm, **found)


def _rivals(kernel: str) -> dict[str, arms.Settings]:
    kept = records.read(RECORDS)
    return next((one["settings"] for one in kept if (one["what"], one["name"]) == ("rivals", kernel)), {})


def _settings(kernel: str, workload: str, arm: str) -> arms.Settings | None:
    if arm != arms.MEMADVISOR:
        return _rivals(kernel).get(arm)
    rounds = series.asked(records.read(RECORDS), kernel, workload)
    return rounds[-1]["settings"] if rounds else None


def draw() -> None:
    """Write the table and the picture from the records."""
    kept = records.read(RECORDS)
    (HERE / "contest.md").write_text(table.markdown(kept))
    (HERE / "contest.svg").write_text(picture.svg(kept))


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m bench.contest", description=__doc__)
    parser.add_argument("--draw", action="store_true", help="only write the table and the picture")
    parser.add_argument("--beside", type=int, default=2, metavar="N", help="guests at the same time (default: 2)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no run after so many minutes")
    arguments = parser.parse_args()
    contest = Contest(arguments.beside, time.monotonic() + 60 * arguments.minutes)
    if not arguments.draw:
        contest.run()
    draw()
    return 1 if contest.failed else 0


if __name__ == "__main__":
    sys.exit(main())
