"""Many hosts as one HTML file: who needs attention, which findings on which hosts, what could not be judged.

Ten thousand hosts make a file of a few megabytes. It is readable without script, the worst host first; a few lines of
script add sorting and searching.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any

from advisor.report.fleet import STATUSES, FleetReport, HostResult, RuleCount, timestamp
from advisor.report.layout import host_count
from advisor.report.page import page
from advisor.report.pictures import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WORDS = {"critical": "critical", "warning": "with warnings", "insufficient": "could not be judged",
          "notice": "with notices only", "healthy": "healthy"}  # fmt: skip
_MANY = 500  # rows beyond what is seen are drawn when they come into view
_MOST_CHANGES = 200
_MOST_REASONS = 60
_MOST_UNREADABLE = 500
_MOST_CLASSES = 24
_FIRST = 3
_NAMED = 5
_SHADES = 4


def render(fleet: FleetReport) -> str:
    """The page."""
    counts = fleet.verdicts()
    rules = fleet.rules()
    sick = [host for host in fleet.hosts if host.counting()]
    reasons = fleet.open_reasons()
    return page(
        "fleet.html.j2",
        title=fleet.title,
        headline=_headline(fleet, counts),
        style=_style(counts),
        taken=_taken(fleet.hosts),
        shares=_shares(counts, len(fleet.hosts)),
        notes=fleet.notes,
        first=_first(fleet, rules),
        since=_since(fleet),
        map_hosts=len(sick),
        rules=[_rule(count, sick) for count in rules],
        classes=_classes(fleet, rules),
        with_class=any(host.class_ for host in fleet.hosts),
        hosts=[_host(host) for host in fleet.hosts],
        many=len(fleet.hosts) > _MANY,
        unreadable=fleet.unreadable[:_MOST_UNREADABLE],
        unreadable_more=max(0, len(fleet.unreadable) - _MOST_UNREADABLE),
        open=reasons[:_MOST_REASONS],
        open_more=max(0, len(reasons) - _MOST_REASONS),
    )


def _headline(fleet: FleetReport, counts: dict[str, int]) -> str:
    whole = len(fleet.hosts)
    sick = counts["critical"] + counts["warning"]
    if not whole:
        return "No host was judged"
    if sick:
        return f"{sick} of {whole} hosts need{'s' if sick == 1 else ''} attention"
    if counts["insufficient"]:
        return f"{counts['insufficient']} of {whole} hosts could not be judged"
    return "Every host is healthy" if whole > 1 else "The host is healthy"


def _style(counts: dict[str, int]) -> str:
    worst = next((status for status in STATUSES if counts[status]), "insufficient")
    return "good" if worst in {"healthy", "notice"} else worst


def _taken(hosts: Iterable[HostResult]) -> str:
    """When: from the first to the last host."""
    times = [host.taken_s for host in hosts if host.taken_s is not None]
    if not times:
        return ""
    first, last = (timestamp(time).replace("T", " ").replace("Z", " UTC") for time in (min(times), max(times)))
    return first if first == last else f"{first} to {last}"


def _shares(counts: dict[str, int], whole: int) -> list[dict[str, Any]]:
    """The parts of the bar of states."""
    parts, done = [], 0
    for status, count in counts.items():
        if count:
            left, right = round(done / whole * WIDTH), round((done + count) / whole * WIDTH)
            word = _WORDS[status]
            parts.append({"status": status, "word": word, "count": count, "x": left, "width": max(1, right - left)})
            done += count
    return parts


def _first(fleet: FleetReport, rules: Sequence[RuleCount]) -> list[dict[str, str]]:
    """The gravest findings, and what is advised most often where they are."""
    grave = [count for count in rules if count.severity != "notice"][:_FIRST]
    return [{"what": c.title, "hosts": host_count(len(c.hosts)), "why": _advised(fleet, c)} for c in grave]


def _advised(fleet: FleetReport, count: RuleCount) -> str:
    named = set(count.hosts)
    hosts = [host for host in fleet.hosts if host.name in named]
    common = Counter(advice.text for host in hosts for advice in host.recommendations).most_common(1)
    if common and common[0][1] * 2 > len(hosts):
        return f"{common[0][0]} (advised on {host_count(common[0][1])})"
    remedies = (f.remedy for host in hosts for f in host.counting() if f.rule == count.rule)
    return next(remedies, "")


def _since(fleet: FleetReport) -> dict[str, Any] | None:
    change = fleet.since
    if change is None:
        return None
    rows = [("new finding", host, finding.title) for host, finding in change.new]
    rows += [("finding gone", host, finding.title) for host, finding in change.gone]
    rows += [("new host", host, "") for host in change.new_hosts]
    rows += [("host gone", host, "") for host in change.gone_hosts]
    said = " · ".join(f"{what}: {count}" for what, count in Counter(row[0] for row in rows).items())
    return {"rows": rows[:_MOST_CHANGES], "said": said, "more": max(0, len(rows) - _MOST_CHANGES)}


def _rule(count: RuleCount, sick: Sequence[HostResult]) -> dict[str, Any]:
    """A rule with its strip: one column for each host that has findings."""
    hits = [any(finding.rule == count.rule for finding in host.counting()) for host in sick]
    named = ", ".join(count.hosts[:_NAMED]) + (f" and {len(count.hosts) - _NAMED} more" if count.hosts[_NAMED:] else "")
    return {
        "rule": count.rule,
        "title": count.title,
        "severity": count.severity,
        "count": sum(hits),
        "where": f"on {host_count(sum(hits))}: {named}",
        "path": _runs(hits),
    }


def _runs(hits: Sequence[bool]) -> str:
    """Neighbouring columns as one rectangle each, as the path of an SVG.

    >>> _runs([True, True, False, True])
    'M0 0h2v10h-2zM3 0h1v10h-1z'
    """
    path, at = [], 0
    for hit, run in groupby(hits):
        length = len(list(run))
        if hit:
            path.append(f"M{at} 0h{length}v10h-{length}z")
        at += length
    return "".join(path)


def _classes(fleet: FleetReport, rules: Sequence[RuleCount]) -> dict[str, Any] | None:
    """How many hosts of each class have each finding; nothing where there are no classes, or too many to look at."""
    sizes = Counter(host.class_ for host in fleet.hosts)
    if len(sizes) < 2 or not rules:
        return None
    heads = sizes.most_common(_MOST_CLASSES)
    hits = Counter((f.rule, host.class_) for host in fleet.hosts for f in _once(host))
    rows = [
        {"rule": count.rule, "cells": [_cell(hits[count.rule, name], size) for name, size in heads]} for count in rules
    ]
    return {"heads": [(name or "without class", size) for name, size in heads], "rows": rows}


def _once(host: HostResult) -> Iterable[Any]:
    return {finding.rule: finding for finding in host.counting()}.values()


def _cell(count: int, size: int) -> dict[str, int]:
    return {"count": count, "shade": min(_SHADES, 1 + int(count / size * _SHADES)) if count else 0}


def _host(host: HostResult) -> dict[str, Any]:
    weighty = [finding for finding in host.counting() if finding.severity != "notice"] or list(host.counting())
    return {
        "status": host.status(),
        "name": host.name or "this host",
        "class_": host.class_ or host.role,
        "count": len(host.counting()),
        "found": ", ".join(dict.fromkeys(finding.rule for finding in weighty)) or _unjudged(host),
        "todo": "; ".join(advice.text for advice in host.recommendations),
    }


def _unjudged(host: HostResult) -> str:
    """Why a host could not be judged: what most of its checks lack."""
    if host.status() != "insufficient" or not host.open:
        return ""
    return Counter(check.reason for check in host.open).most_common(1)[0][0]
