"""Speed, as ratios of things measured side by side in one run. `make bench` prints them; no test depends on them.

Machines are shared and noisy: figures are medians of several runs that alternate between the two sides.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

CAPTURE = ROOT / "tests" / "captures" / "6.12-pressure.tar.xz"
SEVEN = tuple(f"proc/{name}" for name in (
    "vmstat", "meminfo", "zoneinfo", "buddyinfo", "pressure/memory", "pressure/io", "pressure/cpu"))  # fmt: skip


def main() -> None:
    """Prints every figure with its goal."""
    print(f"{os.cpu_count()} processors, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}\n")
    for bench in (ticks, seven_files, start, rules_per_host, large_zoneinfo):
        bench()


def say(what: str, found: str, goal: str) -> None:
    """One line of the table."""
    print(f"{what:<58} {found:<28} goal: {goal}")


def cpu_of(action: Callable[[], object], rounds: int) -> float:
    """Processor seconds of one call."""
    before = time.process_time()
    for _ in range(rounds):
        action()
    return (time.process_time() - before) / rounds


def alternating(a: Callable[[], float], b: Callable[[], float], times: int = 9) -> tuple[float, float, float]:
    """Medians of two measurements taken in turns, and the median of their ratios."""
    pairs = [(a(), b()) for _ in range(times)]
    return median(x for x, _ in pairs), median(y for _, y in pairs), median(x / y for x, y in pairs)


def ticks() -> None:
    """A sample of the tick files against psutil's two calls."""
    import psutil  # noqa: PLC0415

    from advisor.capture.live import TickReader  # noqa: PLC0415

    with TickReader() as reader:

        def psutils() -> object:
            return psutil.virtual_memory(), psutil.swap_memory()

        ours, theirs, ratio = alternating(lambda: cpu_of(reader.read, 300), lambda: cpu_of(psutils, 300))
    figures = f"{ratio:.2f} ({ours * 1e6:.0f} / {theirs * 1e6:.0f} us)"
    say("sample of the tick files / psutil's two calls", figures, "< 1")


def seven_files() -> None:
    """Reading seven files against a C loop that reads them."""
    from advisor.capture.live import TickReader  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        floor = Path(folder) / "tick_floor"
        built = subprocess.run(["cc", "-O2", "-o", floor, ROOT / "bench" / "tick_floor.c"], check=False)
        if built.returncode != 0:
            say("seven files / C loop", "no C compiler", "<= 1.3")
            return
        command = [str(floor), "1000", *(f"/{path}" for path in SEVEN)]

        def in_c() -> float:
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            return float(printed.split()[0]) / 1e6

        with TickReader(paths=SEVEN) as reader:
            ours, theirs, ratio = alternating(lambda: cpu_of(reader.read, 1000), in_c)
    say("seven files / C loop that reads them", f"{ratio:.2f} ({ours * 1e6:.0f} / {theirs * 1e6:.0f} us)", "<= 1.3")


def start() -> None:
    """`advisor check` of a recorded capture against a bare interpreter."""
    with tempfile.TemporaryDirectory() as cache:
        # An installed package has its bytecode; a checkout gets it at the first run, unless that is forbidden.
        environment = {**os.environ, "XDG_CACHE_HOME": f"{cache}/rules", "PYTHONPYCACHEPREFIX": f"{cache}/bytecode"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        check = [str(Path(sys.executable).with_name("advisor")), "check", "--format", "json", str(CAPTURE)]

        def wall(command: list[str]) -> float:
            before = time.perf_counter()
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env=environment)
            return time.perf_counter() - before

        wall(check)
        shutil.rmtree(f"{cache}/rules")
        cold = wall(check)
        warm, bare, ratio = alternating(lambda: wall(check), lambda: wall([sys.executable, "-c", "pass"]), 15)
    figures = f"{ratio:.1f} ({warm * 1e3:.0f} / {bare * 1e3:.0f} ms)"
    say("check of a capture, rules cached / python -c pass", figures, "<= 6")
    say("the same, rules not cached", f"{cold:.2f} s", "<= 0.5 s on an idle machine")


def rules_per_host() -> None:
    """All rules of scope host on one row of signals."""
    from advisor.capture.open import open_capture  # noqa: PLC0415
    from advisor.findings import state_of  # noqa: PLC0415
    from advisor.rulebook import library  # noqa: PLC0415
    from advisor.signals.table import Table  # noqa: PLC0415
    from advisor.signals.view import views  # noqa: PLC0415

    checks = [check for check in library.load() if check.scope == "host"]
    whole, _parts = views(open_capture(str(CAPTURE)))
    values = Table(whole).row({name for check in checks for name in (*check.names, *check.has)}).values
    took = median(cpu_of(lambda: [state_of(check, values) for check in checks], 500) for _ in range(9))
    figures = f"{took * 1e6:.0f} us ({took * 60e6 / len(checks):.0f} us for 60)"
    say(f"{len(checks)} rules on one host", figures, "< 100 us for 60")


def large_zoneinfo() -> None:
    """One zoneinfo of a machine with 512 processors and 8 nodes."""
    from advisor.parse import zoneinfo  # noqa: PLC0415
    from tests.generate_zoneinfo import generate  # noqa: PLC0415

    text = generate(512, 8)
    took = median(cpu_of(lambda: zoneinfo.parse(text), 10) for _ in range(9))
    say(f"zoneinfo of 512 processors, 8 nodes ({len(text) / 1e6:.1f} MB)", f"{took * 1e3:.1f} ms", "< 5 ms")


if __name__ == "__main__":
    main()
