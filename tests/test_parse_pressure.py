import pytest

from advisor.errors import ParseError
from advisor.parse import pressure
from advisor.parse.pressure import Pressure, Stall
from tests.fixtures import INCIDENTS, capture_files
from tests.parse_samples import sample

SOME = "some avg10=35.63 avg60=7.78 avg300=1.68 total=5821081\n"
FULL = "full avg10=34.63 avg60=7.59 avg300=1.64 total=5514354\n"


def test_percent_become_ratios_and_microseconds_become_seconds() -> None:
    assert pressure.parse(SOME + FULL) == Pressure(
        some=Stall(avg10=0.3563, avg60=0.0778, avg300=0.0168, total_s=5.821081),
        full=Stall(avg10=0.3463, avg60=0.0759, avg300=0.0164, total_s=5.514354),
        problems=(),
    )


def test_real_files_of_the_host_of_an_incident_and_of_a_cgroup() -> None:
    assert pressure.parse(capture_files("7.3", "pressure")["proc/pressure/memory"]) == pressure.parse(SOME + FULL)
    incident = (INCIDENTS / "psi-memory-full-58-percent/t0/proc/pressure/memory").read_text()
    assert pressure.parse(incident).full == Stall(0.5759, 0.5806, 0.6038, 3300.487258)
    cgroup = sample("cgroup-v2", "sys/fs/cgroup/system.slice/db.service/memory.pressure")
    assert pressure.parse(cgroup).some == Stall(0.123, 0.0405, 0.0101, 912.034512)


def test_full_is_unknown_where_the_kernel_prints_some_only() -> None:
    assert pressure.parse(capture_files("5.10", "pressure")["proc/pressure/cpu"]).full is None


@pytest.mark.parametrize("text", ["", "\n", "cat: /proc/pressure/memory: Operation not supported\n"])
def test_a_kernel_that_keeps_no_pressure_says_how_to_get_it(text: str) -> None:
    with pytest.raises(ParseError, match="keeps no pressure information") as raised:
        pressure.parse(text)
    assert "psi=1" in raised.value.hint


@pytest.mark.parametrize(
    "line",
    [
        "full avg10=34.63 avg60=7.59 avg300=1.64\n",
        "full avg10=134.63 avg60=7.59 avg300=1.64 total=1\n",
        "full avg10=34.6 avg60=7.59 avg300=1.64 total=1\n",
        "full avg10=34 avg60=7.59 avg300=1.64 total=1\n",
        "full avg10=-4.63 avg60=7.59 avg300=1.64 total=1\n",
        "full avg10=1.00 avg10=2.00 avg60=7.59 avg300=1.64 total=1\n",
        "full avg10=34.63 avg60=7.59 avg300=1.64 total=1.5\n",
        FULL.rstrip(),
    ],
)
def test_a_damaged_line_is_unknown_and_harms_no_other(line: str) -> None:
    parsed = pressure.parse(SOME + line)
    assert parsed.full is None
    assert parsed.some == Stall(0.3563, 0.0778, 0.0168, 5.821081)
    assert len(parsed.problems) == 1


def test_all_of_the_time_is_1() -> None:
    assert pressure.parse("some avg10=100.00 avg60=0.00 avg300=0.00 total=0\n").some == Stall(1.0, 0.0, 0.0, 0.0)


def test_more_than_the_whole_time_is_nonsense() -> None:
    with pytest.raises(ParseError):
        pressure.parse("some avg10=100.01 avg60=0.00 avg300=0.00 total=0\n")
