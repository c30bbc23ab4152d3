"""Whole captures, damaged at random, on the way that a command takes: open, judge, show.

Whatever lies in the files of a capture, there is a report: valid JSON by the published schema, and text of which no
line is wider than asked or drives a terminal, and no share lies outside of 0 to 1.
"""

from __future__ import annotations

import io
import json
import random
import re
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from advisor import report
from advisor.analysis import Report, analyse
from advisor.capture.open import open_capture
from advisor.report import as_json, text
from advisor.report.layout import plain
from advisor.rulebook import library
from tests.fixtures import INCIDENTS, KERNELS, capture_files
from tests.generate_zoneinfo import generate

if TYPE_CHECKING:
    from collections.abc import Callable

Files = dict[str, bytes]

SEEDS, BLOCK = 140, 20
SCHEMA = jsonschema.Draft202012Validator(
    json.loads((Path(report.__path__[0]) / "report-1.schema.json").read_text(encoding="utf-8"))
)
# Shares of a value that the host should have are no parts of a whole.
NO_PARTS = {"watermark.deviation"}
NUMBERS = (b"0", b"1", b"-1", b"18446744073709551615", b"18446744073709551616", b"9" * 400, b"1e400", b"nan", b"inf",
           b"0x10", "٣".encode(), b"4294967296", b"1.5", b"")  # fmt: skip
SCRAPS = (b"\0", b"\xff\xfe", b"\x1b[2J\x1b]0;x\x07", b"{{ 7*7 }}{% for x in y %}", b"A" * 5000, b"\n\n", b"\r\n",
          b"Node 0, zone      DMA\n", "\u2028".encode(), b":", b" kB", b"\t")  # fmt: skip
HOSTS = ("db1", "\x1b[2J", "{{ 1 }}", "x" * 3000, "\ud800", "")
LOGS = tuple(file.read_bytes() for file in sorted(INCIDENTS.glob("*/dmesg.txt")))
CGROUP = {
    "sys/fs/cgroup/cgroup.controllers": b"memory\n",
    "sys/fs/cgroup/a\x1b[1m/memory.current": b"1073741824\n",
    "sys/fs/cgroup/a\x1b[1m/memory.max": b"1073741824\n",
    "sys/fs/cgroup/a\x1b[1m/memory.high": b"max\n",
    "sys/fs/cgroup/a\x1b[1m/memory.events": b"low 0\nhigh 9\nmax 900\noom 3\noom_kill 3\n",
    "sys/fs/cgroup/a\x1b[1m/memory.pressure": b"some avg10=50.00 avg60=50.00 avg300=50.00 total=900000000\n"
    b"full avg10=50.00 avg60=50.00 avg300=50.00 total=900000000\n",
}


def recorded(kernel: str, state: str) -> Files:
    return {path: text.encode() for path, text in capture_files(kernel, state).items()}


def later(chance: random.Random, sample: Files) -> Files:
    """The same host some time later: each counter has grown, or has not."""

    def grown(match: re.Match[bytes]) -> bytes:
        return match[1] + b"%d" % (int(match[2]) + chance.choice((0, 1, 1000, 10**6)))

    up, idle = sample["proc/uptime"].split()
    counters = rb"(?m)^((?:pg|allocstall|compact|workingset|psw|thp|oom|kswapd|slabs|drop)\w* )(\d+)"
    return sample | {
        "proc/vmstat": re.sub(counters, grown, sample["proc/vmstat"]),
        "proc/uptime": b"%.2f %s\n" % (float(up) + chance.choice((10, 60, 600)), idle),
    }


def damaged(chance: random.Random, data: bytes, other: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    place = chance.randrange(len(data) + 1)
    share = chance.choice((0.01, 0.1, 0.5, 1))
    chosen: Callable[[re.Match[bytes]], bytes] = lambda m: chance.choice(NUMBERS) if chance.random() < share else m[0]  # noqa: E731
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: b"",
        lambda: other,
        lambda: data[:place],
        lambda: data[:place] + chance.randbytes(1) + data[place + 1 :],
        lambda: chance.randbytes(500),
        lambda: data[:place] + chance.choice(SCRAPS) + data[place:],
        lambda: re.sub(rb"\d+", chosen, data),
        lambda: b"".join(chance.sample(lines, len(lines))),
        lambda: b"".join(line for line in lines if chance.random() < 0.9),
        lambda: b"".join(line * chance.choice((1, 1, 2)) for line in lines),
    )
    return chance.choice(ways)()


def make_capture(chance: random.Random) -> Files:
    """Samples of one kernel, or of two that are no one host, some files of them damaged."""
    idle, pressed = (recorded(chance.choice(KERNELS), state) for state in ("idle", "pressure"))
    after = later(chance, pressed)
    samples = [dict(sample) for sample in chance.choice(
        ([pressed], [pressed, after], [pressed, after], [after, pressed], [idle, pressed], [idle, pressed, after])
    )]  # fmt: skip
    for path, extra in {
        **CGROUP,
        "proc/zoneinfo": generate(2, 3, frozenset({1}), chance.randrange(9)).encode(),
    }.items():
        if chance.random() < 0.3:
            for sample in samples:
                sample[path] = extra
    for _ in range(chance.choice((0, 1, 3, 10, 60))):
        sample = chance.choice(samples)
        path = chance.choice([*sample, *(path for path in sample if path.count("/") == 1)])
        if chance.random() < 0.2 and len(sample) > 1:
            del sample[path]
        else:
            sample[path] = damaged(chance, sample[path], idle.get(path, b""))
    files = {f"t{number}/{path}": data for number, sample in enumerate(samples) for path, data in sample.items()}
    if chance.random() < 0.5:
        files["log/kernel.txt"] = damaged(chance, chance.choice(LOGS), b"")
    if chance.random() < 0.7:
        clocks = [{"monotonic_s": 60 * number, "wall_s": 1.8e9} for number in range(len(samples))]
        process = {"pid": 1, "name": "ja\x1bva", "rss_bytes": 1 << 33, "heap_max_bytes": 1 << 34, "flags": ["java"]}
        known = {"host": chance.choice(HOSTS), "times": clocks, "notes": ["\x1b[2J" * 50], "processes": [process]}
        files["capture.json"] = json.dumps(known).encode()
    return files


def write(target: Path, files: Files) -> str:
    with tarfile.open(target, "w") as archive:
        for path, data in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return str(target)


def impossible(judged: Report) -> list[str]:
    """Shares outside of 0 to 1 among the evidence."""
    shares = [
        (item.signal, item.value)
        for finding in judged.findings
        for item in finding.evidence
        if item.unit == "ratio" and item.signal not in NO_PARTS and isinstance(item.value, float)
    ]
    return [f"{name} is {value}" for name, value in shares if not 0 <= value <= 1]


def refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


@pytest.fixture(scope="module")
def checks() -> tuple[library.Check, ...]:
    return library.load([library.BUILTIN])


@pytest.mark.parametrize("block", range(SEEDS // BLOCK))
def test_a_damaged_capture_gives_a_valid_report_within_the_width(tmp_path, checks, block):
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        chance = random.Random(seed)
        source = write(tmp_path / f"seed-{seed}.tar", make_capture(chance))
        judged = analyse(open_capture(source), checks, chance.choice((None, "database", "latency")))
        for everything in (False, True):
            shown = as_json.render(judged, everything=everything)
            SCHEMA.validate(json.loads(shown, parse_constant=refuse_constant))
        for width in (60, 100):
            lines = plain(text.layout(judged, width, everything=False)).split("\n")
            assert [line for line in lines if len(line) > width or not line.isprintable()] == [], f"seed {seed}"
        assert impossible(judged) == [], f"seed {seed}"
