"""`capture.json`: what a folder of samples cannot say by its files.

::

    {"format": 1, "tool": "memadvisor 0.1.0", "host": "db1", "how": "live",
     "times": [{"monotonic_s": 12.5, "wall_s": 1790000000.0}, …],   one per sample
     "interval_s": 10,          from the first sample to the last, when only that is known
     "baseline": "zero",        t0 holds zeros, t1 the differences
     "cost": {…}, "unread": {"proc/slabinfo": "permission denied"},
     "links": {"etc/sysctl.d/99-sysctl.conf": "../sysctl.conf"}, "notes": [], "processes": [{…}]}

Every key may be missing, and so may the file. Unknown keys are ignored.
"""

from __future__ import annotations

import json
import math

from advisor import __version__
from advisor.capture.model import EMPTY, Capture, Cost, Process
from advisor.errors import CaptureError
from advisor.hints import TYPE_CHECKING, Any
from advisor.record import Record, asdict, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMAT = 1
NAME = "capture.json"
_BIGGEST = 1 << 64


class Manifest(Record):
    """The contents of `capture.json`, checked. The fields are those of `Capture`, and the samples' clocks."""

    host: str = ""
    how: str = ""
    times: tuple[tuple[float | None, float | None], ...] = ()
    interval_s: float | None = None
    zero_baseline: bool = False
    cost: Cost | None = None
    unread: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    links: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    notes: tuple[str, ...] = ()
    processes: tuple[Process, ...] = ()


def dumps(capture: Capture) -> str:
    """The text of `capture.json` for a capture.

    Raises:
        CaptureError: the capture holds what `loads` would refuse.
    """
    content: dict[str, Any] = {
        "format": FORMAT,
        "tool": f"memadvisor {__version__}",
        "host": capture.host,
        "how": capture.how,
        "times": [{"monotonic_s": sample.monotonic_s, "wall_s": sample.wall_s} for sample in capture.samples],
        "interval_s": capture.interval_s,
        "baseline": "zero" if capture.zero_baseline else None,
        "cost": None if capture.cost is None else asdict(capture.cost),
        "unread": dict(capture.unread),
        "links": dict(capture.links) or None,
        "notes": list(capture.notes),
        "processes": [asdict(process) for process in capture.processes],
    }
    text = json.dumps({key: value for key, value in content.items() if value is not None}, indent=1) + "\n"
    loads(text)
    return text


def loads(text: str) -> Manifest:
    """Read `capture.json`.

    Raises:
        CaptureError: it is no JSON, is of a newer format, or states something impossible.
    """
    content = _parse(text)
    version = _get(content, "format", _whole, FORMAT)
    if version > FORMAT:
        raise _wrong("format", f"is {version}, and this memadvisor reads up to {FORMAT}", "upgrade memadvisor")
    interval = _get(content, "interval_s", _number, None)
    if interval is not None and interval <= 0:
        raise _wrong("interval_s", f"is {interval:g}", "state the seconds from the first sample to the last")
    return Manifest(
        host=_get(content, "host", _text, ""),
        how=_get(content, "how", _text, ""),
        times=_times(_get(content, "times", _list, [])),
        interval_s=interval,
        zero_baseline=_get(content, "baseline", _text, "") == "zero",
        cost=_get(content, "cost", _cost, None),
        unread=_get(content, "unread", _texts, {}),
        links=_get(content, "links", _texts, {}),
        notes=tuple(_text(note, "notes") for note in _get(content, "notes", _list, [])),
        processes=tuple(_process(entry) for entry in _get(content, "processes", _list, [])),
    )


def _parse(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise CaptureError(f"{NAME} is no JSON{where}", "repair or delete it; a capture can do without") from None
    if not isinstance(content, dict):
        raise CaptureError(f"{NAME} is no JSON object", "repair or delete it; a capture can do without")
    return content


def _wrong(key: str, what: str, cure: str = "correct or delete that key") -> CaptureError:
    return CaptureError(f"{NAME}: {key} {what}", cure)


def _get(content: Mapping[str, Any], key: str, check: Callable[[Any, str], Any], default: Any) -> Any:
    value = content.get(key)
    return default if value is None else check(value, key)


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        raise _wrong(key, "is no text")
    return value


def _list(value: Any, key: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(key, "is no list")
    return value


def _dict(value: Any, key: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(key, "is no object")
    return value


def _texts(value: Any, key: str) -> dict[str, str]:
    return {name: _text(text, key) for name, text in _dict(value, key).items()}


def _number(value: Any, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _BIGGEST or math.isnan(value):
        raise _wrong(key, "is no number")
    return float(value)


def _whole(value: Any, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _BIGGEST:
        raise _wrong(key, "is no whole number from 0 up")
    return value


# Clocks must run forwards: rates are divided by their differences.
def _times(entries: list[Any]) -> tuple[tuple[float | None, float | None], ...]:
    times = []
    before = -math.inf
    for index, entry in enumerate(entries):
        key = f"times[{index}]"
        monotonic = _get(_dict(entry, key), "monotonic_s", _number, None)
        if monotonic is not None:
            if monotonic <= before:
                raise _wrong(f"{key}.monotonic_s", "is not later than the one before", "correct or delete times")
            before = monotonic
        times.append((monotonic, _get(entry, "wall_s", _number, None)))
    return tuple(times)


def _cost(value: Any, key: str) -> Cost:
    entry = {"cpu_s": None, "bytes_read": None, "files_read": None, "samples": None} | _dict(value, key)
    return Cost(
        _number(entry["cpu_s"], "cost.cpu_s"),
        _whole(entry["bytes_read"], "cost.bytes_read"),
        _whole(entry["files_read"], "cost.files_read"),
        _whole(entry["samples"], "cost.samples"),
    )


def _process(value: Any) -> Process:
    entry = _dict(value, "processes")
    flags = _get(entry, "flags", _list, [])
    return Process(
        pid=_whole(entry.get("pid"), "processes: pid"),
        name=_text(entry.get("name"), "processes: name"),
        rss_bytes=_whole(entry.get("rss_bytes"), "processes: rss_bytes"),
        swap_bytes=_get(entry, "swap_bytes", _whole, None),
        majflt=_get(entry, "majflt", _whole, None),
        heap_max_bytes=_get(entry, "heap_max_bytes", _whole, None),
        flags=tuple(_text(flag, "processes: flags") for flag in flags),
    )
