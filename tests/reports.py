"""Reports that tests of formats share: of a sick, a healthy, an unjudged and a hostile host."""

from __future__ import annotations

from functools import cache

from advisor.analysis import Report, analyse
from advisor.capture.model import Capture, Sample
from advisor.capture.open import open_capture
from advisor.record import replace
from advisor.report.as_json import document
from advisor.rulebook import library
from tests.fixtures import CAPTURES, INCIDENTS
from tests.test_plan import bursting, host

SECRET = '=cmd|"/c calc"!A1 <script>alert(1)</script> "\'&|`*_[x](y)\\ \x1b[2J\u202e\udcff {{ 7*7 }}'


@cache
def rules():
    return library.load()


@cache
def burst() -> Report:
    """Findings, and a change of a mark with its prediction."""
    return analyse(bursting().capture(), rules())


@cache
def healthy() -> Report:
    return analyse(host().capture(), rules())


@cache
def unjudged() -> Report:
    return analyse(Capture((Sample({"proc/loadavg": "0 0 0 1/1 1\n"}),)), rules())


@cache
def incident(name: str) -> Report:
    return analyse(open_capture(str(INCIDENTS / name)), rules())


@cache
def recorded(name: str) -> Report:
    return analyse(open_capture(str(CAPTURES / f"{name}.tar.xz")), rules())


@cache
def hostile() -> Report:
    """A host that hides markup, formulas and terminal codes in every name it may choose."""
    group = f"sys/fs/cgroup/{SECRET.replace('/', '')}"
    events = "low 0\nhigh 0\nmax {0}\noom {0}\noom_kill {0}\n"
    log = f"[ 1.0] {SECRET}: page allocation failure: order:0, mode:0x20(GFP_ATOMIC)\n"
    samples = tuple(
        Sample({"proc/uptime": f"{at}.00 1.00\n", f"{group}/memory.current": "1000\n", f"{group}/memory.max": "1000\n",
                f"{group}/memory.events": events.format(count)}, float(at), 1.79e9 + at)
        for at, count in ((100, 0), (200, 90))
    )  # fmt: skip
    report = analyse(Capture(samples, host=SECRET, source=SECRET, kernel_log=log, notes=(SECRET,)), rules())
    assert report.failed()
    return report


def named(report: Report, name: str) -> dict:
    """The document of a report, as if of another host."""
    return document(replace(report, host=replace(report.host, name=name)), everything=True)
