import pytest

from advisor.errors import ParseError
from advisor.parse import stat
from tests.fixtures import capture_files

TEXT = capture_files("7.3", "pressure")["proc/stat"]


def test_a_real_host() -> None:
    ticks = dict.fromkeys(("nice", "irq", "steal", "guest", "guest_nice"), 0)
    ticks |= {"user": 2131, "system": 5502, "idle": 2211, "iowait": 29, "softirq": 508}
    assert stat.parse(TEXT) == stat.Stat(
        btime_s=1795476148, cpus=2, ticks=ticks, procs_running=4, procs_blocked=0, problems=()
    )


def test_an_old_kernel_has_fewer_kinds_of_time() -> None:
    assert stat.parse("cpu  10 20 30 40 50 60 70\ncpu0 10 20 30 40 50 60 70\nintr 1\n").ticks == {
        "user": 10,
        "nice": 20,
        "system": 30,
        "idle": 40,
        "iowait": 50,
        "irq": 60,
        "softirq": 70,
    }


@pytest.mark.parametrize(
    "text",
    [
        TEXT[: TEXT.index("intr")],
        TEXT[: TEXT.index("cpu1")],
        TEXT.replace("cpu1", "cqu1"),
        TEXT.replace("\ncpu1", "cpu1"),
        TEXT.replace("cpu1", "cpu0"),
        TEXT.replace("cpu1 1019", "cpu1 1o19"),
    ],
)
def test_processors_are_not_counted_when_a_line_may_be_missing(text: str) -> None:
    assert stat.parse(text).cpus is None


def test_processors_that_are_offline_do_not_count() -> None:
    assert stat.parse("cpu  1 1 1 1\ncpu0 1 1 1 1\ncpu3 1 1 1 1\nctxt 5\n").cpus == 2


def test_what_the_text_does_not_say_is_unknown() -> None:
    parsed = stat.parse("btime 1795476148\n")
    assert parsed == stat.Stat(1795476148, None, {}, None, None, ())


def test_two_boot_times_are_a_contradiction() -> None:
    parsed = stat.parse(TEXT + "btime 5\n")
    assert parsed.btime_s is None
    assert len(parsed.problems) == 1


def test_what_is_not_stat_is_an_error() -> None:
    with pytest.raises(ParseError, match="stat"):
        stat.parse("hello world\n")
