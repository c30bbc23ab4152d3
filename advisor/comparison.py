"""What moved between two captures, or two reports: facts, settings, findings, zones, and signals by importance.

A comparison describes, it does not judge: a load that changed moves everything. `advisor.verify` says whether a
change of settings helped.

Importance of a signal is the size of its change in powers of two, what is too little to count taken off, doubled for
signals that a finding of either side rests on. What moved by less than a factor of 1.25 did not move.
"""

from __future__ import annotations

import math

from advisor.analysis import ZonePicture, analyse
from advisor.errors import AdvisorError, Unknown
from advisor.hints import TYPE_CHECKING, Any
from advisor.record import Record
from advisor.signals.model import catalogue
from advisor.signals.table import Table
from advisor.signals.view import views
from advisor.verify.model import MARGIN
from advisor.verify.sides import Windows
from advisor.verify.weather import settings as settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from advisor.capture.model import Capture
    from advisor.rulebook.library import Check

# Said elsewhere under a better name (the same counters as rates, the same gauges in bytes), or of the window itself.
_TWICE = ("delta.", "vmstat.", "window.", "host.", "meminfo.Mem", "page_size")

# What is too little to count, by unit: one event or page in a second, one part in a hundred, a MiB.
_FLOORS = {"ratio": 0.01, "B": float(1 << 20), "page": 256.0, "B/s": 4096.0, "s": 1.0}
_ONE = 1.0


class Moved(Record):
    """A signal that moved.

    Attributes:
        ratio: after / before with what is too little to count added to both.
        weight: its importance; the list is in this order.
        before_parts: its value in each window, empty where there is one only; likewise `after_parts`.
    """

    signal: str
    meaning: str
    unit: str
    before: float
    after: float
    ratio: float
    weight: float
    before_parts: tuple[float, ...] = ()
    after_parts: tuple[float, ...] = ()


class Differing(Record):
    """A fact or a setting that differs; None where one side does not tell."""

    name: str
    before: Any
    after: Any


class Verdict(Record):
    """A finding that came, went, or changed its severity; None: it was not there."""

    rule: str
    entity: str
    title: str
    before: str | None
    after: str | None


class Side(Record):
    """What one side says, whether it is a capture or a report."""

    name: str
    source: str
    samples: int
    seconds: float | None
    verdict: str
    facts: Mapping[str, Any]
    settings: Mapping[str, Any]
    findings: Mapping[tuple[str, str], tuple[str, str]]
    signals: Mapping[str, float]
    telling: frozenset[str]
    zones: tuple[ZonePicture, ...]
    parts: Callable[[str], tuple[float, ...]]


class Comparison(Record):
    """All that differs; `zones` are those of both sides by name."""

    before: Side
    after: Side
    facts: tuple[Differing, ...]
    settings: tuple[Differing, ...]
    findings: tuple[Verdict, ...]
    moved: tuple[Moved, ...]
    zones: tuple[tuple[ZonePicture, ZonePicture], ...]


def compare(before: Side, after: Side) -> Comparison:
    """Everything that differs between two sides."""
    after_zones = {zone.name: zone for zone in after.zones}
    return Comparison(
        before,
        after,
        _differing(before.facts, after.facts),
        _differing(before.settings, after.settings),
        _findings(before, after),
        _moved(before, after),
        tuple((zone, after_zones[zone.name]) for zone in before.zones if zone.name in after_zones),
    )


def of_capture(capture: Capture, rules: Sequence[Check], role: str | None = None) -> Side:
    """The side that a capture is."""
    report = analyse(capture, rules, role)
    whole, _parts = views(capture, role)
    table = Table(whole)
    names = [name for name, signal in catalogue().items() if signal.scope == "host" and not _is_said(name)]
    values = table.row(names).values
    failed = report.failed()
    return Side(
        report.host.name,
        capture.source,
        report.window.samples,
        report.window.seconds,
        report.verdict,
        report.host.facts,
        settings_of(capture, -1),
        {(f.rule, f.entity): (f.severity, f.title) for f in failed},
        {name: value for name, value in values.items() if isinstance(value, float) and not _is_setting(name)},
        frozenset(item.signal for finding in failed for item in finding.evidence),
        report.zones,
        _parts_of(Windows([capture], role)),
    )


def _is_said(name: str) -> bool:
    """Whether it is said under another name, or reaches beyond the window."""
    return name.startswith(_TWICE) or name.endswith("_avg300")


def _is_setting(name: str) -> bool:
    return all(read.startswith(("proc/sys/", "sys/")) for read in catalogue()[name].reads)


def _parts_of(windows: Windows) -> Callable[[str], tuple[float, ...]]:
    def values(name: str) -> tuple[float, ...]:
        found = [table.row([name]).values[name] for run in windows.tables for table in run]
        return tuple(value for value in found if isinstance(value, float)) if len(found) > 1 else ()

    return values


def of_report(report: Mapping[str, Any], source: str) -> Side:
    """The side that a report is, as JSON values: of its signals it holds those behind its findings.

    Raises:
        AdvisorError: it is no report, or a damaged one.
    """
    try:
        if report["schema"] != "memadvisor/report/1":
            raise AdvisorError(f"{source}: no report of a host: its schema is {str(report['schema'])[:40]!r}",
                               "give a capture, or what advisor check --format json printed")  # fmt: skip
        host, failed = report["host"], [finding for finding in report["findings"] if finding["state"] == "fail"]
        evidence = [item for finding in failed for item in finding["evidence"]]
        return Side(
            host.get("name") or "",
            source,
            int(report["capture"]["samples"]),
            report["capture"]["window_s"],
            str(report["verdict"]),
            {name: value for name, value in host.items() if name not in {"name", "role"}},
            {each["setting"]: each["current"] for each in report["recommendations"] if each["kind"] == "setting"},
            {(f["rule"], f["entity"] or ""): (f["severity"], f["title"]) for f in failed},
            {item["signal"]: float(item["value"]) for item in evidence
             if _is_number(item["value"]) and item["signal"] in catalogue()},
            frozenset(str(item["signal"]) for item in evidence),
            tuple(ZonePicture(**zone) for zone in report["zones"]),
            lambda _name: (),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, ValueError, Unknown) as error:
        raise AdvisorError(f"{source}: a damaged report: {type(error).__name__} {error}",
                           "give what advisor check --format json printed") from None  # fmt: skip


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Differing, ...]:
    """What both tell, and tell differently; uptime and free memory always do, and are left to the signals."""
    passing = {"host.uptime", "meminfo.MemAvailable", "host.boot_id"}
    names = sorted(before.keys() & after.keys() - passing)
    found = [Differing(name, before[name], after[name]) for name in names if before[name] != after[name]]
    return tuple(each for each in found if each.before is not None and each.after is not None)


def _findings(before: Side, after: Side) -> tuple[Verdict, ...]:
    found = []
    for key in dict.fromkeys((*after.findings, *before.findings)):
        old, new = before.findings.get(key), after.findings.get(key)
        if (old and old[0]) != (new and new[0]):
            title = (new or old or ("", ""))[1]
            found.append(Verdict(key[0], key[1], title, old[0] if old else None, new[0] if new else None))
    return tuple(found)


def _moved(before: Side, after: Side) -> tuple[Moved, ...]:
    telling = before.telling | after.telling
    found = []
    for name in before.signals.keys() & after.signals.keys():
        old, new = before.signals[name], after.signals[name]
        floor = _FLOORS.get(catalogue()[name].unit, _ONE)
        ratio = (abs(new) + floor) / (abs(old) + floor)
        if 1 / MARGIN < ratio < MARGIN:
            continue
        weight = abs(math.log2(ratio)) * (2 if name in telling else 1)
        found.append((weight, name, ratio))
    found.sort(key=lambda each: (-each[0], each[1]))
    found = _once(found, before)
    return tuple(
        Moved(name, catalogue()[name].meaning, catalogue()[name].unit, before.signals[name], after.signals[name],
              ratio, weight, before.parts(name), after.parts(name))
        for weight, name, ratio in found
    )  # fmt: skip


def _once(found: Sequence[tuple[float, str, float]], before: Side) -> list[tuple[float, str, float]]:
    """Of signals that say the same in the same unit (a rate, and one derived from it alone) the first."""
    seen: dict[tuple[str, float, float], tuple[float, str, float]] = {}
    for weight, name, ratio in found:
        seen.setdefault((catalogue()[name].unit, before.signals[name], ratio), (weight, name, ratio))
    return list(seen.values())


def document(comparison: Comparison) -> dict[str, Any]:
    """A comparison as JSON values."""
    from advisor.record import asdict  # noqa: PLC0415

    def side(each: Side) -> dict[str, Any]:
        return {"host": each.name or None, "source": each.source, "samples": each.samples, "window_s": each.seconds,
                "verdict": each.verdict}  # fmt: skip

    return {
        "schema": "memadvisor/comparison/1",
        "before": side(comparison.before),
        "after": side(comparison.after),
        "facts": [asdict(each) for each in comparison.facts],
        "settings": [asdict(each) for each in comparison.settings],
        "findings": [asdict(each) for each in comparison.findings],
        "moved": [asdict(each) for each in comparison.moved],
        "zones": [{"before": asdict(old), "after": asdict(new)} for old, new in comparison.zones],
    }
