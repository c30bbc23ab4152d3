"""Reports as a Prometheus textfile for node_exporter's textfile collector: text format, no timestamps of samples.

Names by the conventions of Prometheus: base units, `_bytes`, `_seconds`, `_info`. What is unknown has no series.
"""

from __future__ import annotations

from advisor import __version__
from advisor.hints import TYPE_CHECKING
from advisor.report.fleet import STATUSES
from advisor.report.layout import clean
from advisor.rulebook.model import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.report.fleet import FleetReport, HostResult

_Series = tuple[str, dict[str, str], float]  # metric, labels, value

# Name without the prefix, and its help; all are gauges. The order is that of the file.
_METRICS = {
    "build_info": "The version of memadvisor that wrote this, value 1.",
    "unreadable_sources": "Sources that could not be read, so that nothing is said of them.",
    "host_info": "What the host is, value 1.",
    "host_status": "1 for what the host is judged to be, 0 for the rest.",
    "checks": "Checks by state.",
    "findings": "Findings by severity, waived ones not counted.",
    "finding": "A finding, value 1; it goes away with the problem.",
    "thrashing_state": "0 no thrashing, 1 it begins, 2 thrashing.",
    "recommended_changes": "Settings that a change is recommended for.",
    "zone_free_bytes": "Free memory of a zone.",
    "zone_watermark_bytes": "A mark of a zone, without boost.",
    "capture_window_seconds": "Time between the first and the last sample.",
    "capture_timestamp_seconds": "When the host was measured, since the epoch.",
}


def render(fleet: FleetReport) -> str:
    """The file, one block for each metric.

    Of two hosts of one name the worse one is shown: Prometheus refuses a file with one series twice.
    """
    blocks: dict[str, dict[str, float]] = {name: {} for name in _METRICS}
    blocks["build_info"][_labels({"version": __version__})] = 1
    blocks["unreadable_sources"][""] = len(fleet.unreadable)
    for host in fleet.hosts:
        for metric, labels, value in _series(host):
            blocks[metric].setdefault(_labels({"host": host.name or "this host", **labels}), value)
    return "".join(_block(name, series) for name, series in blocks.items() if series)


def _block(name: str, series: dict[str, float]) -> str:
    head = f"# HELP memadvisor_{name} {_METRICS[name]}\n# TYPE memadvisor_{name} gauge\n"
    return head + "".join(f"memadvisor_{name}{labels} {_number(value)}\n" for labels, value in series.items())


def _number(value: float) -> str:
    """A number in full: no host has so much memory that a rounded one would do.

    >>> _number(3171483648), _number(0.35)
    ('3171483648', '0.35')
    """
    return repr(int(value)) if value == int(value) else repr(value)


def _labels(labels: dict[str, str]) -> str:
    r"""Labels with their values escaped.

    >>> print(_labels({"host": 'a"b\\c'}))
    {host="a\"b\\c"}
    """
    pairs = (f'{name}="{_escape(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escape(value: str) -> str:
    return clean(value).replace("\\", "\\\\").replace('"', '\\"')


def _series(host: HostResult) -> Iterator[_Series]:
    about = {"kernel": host.kernel, "role": host.role, "class": host.class_}
    yield "host_info", {name: value for name, value in about.items() if value}, 1
    for status in STATUSES:
        yield "host_status", {"status": status}, float(status == host.status())
    for state, count in host.counts.items():
        yield "checks", {"state": state}, count
    severities = [finding.severity for finding in host.counting()]
    for severity in SEVERITIES:
        yield "findings", {"severity": severity}, severities.count(severity)
    for finding in host.counting():
        labels = {"rule": finding.rule, "severity": finding.severity, "diagnosis": finding.diagnosis}
        yield "finding", labels | ({"entity": finding.entity} if finding.entity else {}), 1
    yield "recommended_changes", {}, sum(r.kind == "setting" and r.proposed is not None for r in host.recommendations)
    if host.thrash is not None:
        yield "thrashing_state", {}, host.thrash
    for zone in host.zones:
        yield "zone_free_bytes", {"zone": zone.name}, zone.free
        for mark in ("min", "low", "high"):
            yield "zone_watermark_bytes", {"zone": zone.name, "mark": mark}, getattr(zone, mark)
    if host.window_s is not None:
        yield "capture_window_seconds", {}, host.window_s
    if host.taken_s is not None:
        yield "capture_timestamp_seconds", {}, host.taken_s
