"""Reports of many hosts as one object: what every format of a fleet shows. One host is a fleet of one.

It is made from the JSON documents that `as_json` writes, so a host may have been judged anywhere, at any time, by any
version: what a document does not say is None or empty, and its open checks are counted even where it names none.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from advisor.errors import AdvisorError
from advisor.findings import FAIL, OPEN, PASS
from advisor.hints import TYPE_CHECKING, Any
from advisor.record import Record, field
from advisor.report.wording import change, waiver
from advisor.rulebook.model import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA = "memadvisor/fleet-report/1"
STATUSES = ("critical", "warning", "insufficient", "notice", "healthy")
_HOST_SCHEMA = "memadvisor/report/"
_CURE = "make it with: advisor check --format json --all"


class Proof(Record):
    """A number behind a finding: its signal, value in base units, unit, and "t1/proc/vmstat:79 allocstall"."""

    signal: str
    value: Any
    unit: str
    source: str


class FleetFinding(Record):
    """A finding of one host.

    Attributes:
        waived: why it is tolerated (owner, reason, until when); empty when it counts.
        explained_by: the rule whose finding is the cause of this one; empty elsewhere.
    """

    rule: str
    severity: str
    title: str
    message: str
    fingerprint: str = ""
    diagnosis: str = ""
    entity: str = ""
    confidence: float | None = None
    remedy: str = ""
    evidence: tuple[Proof, ...] = ()
    explained_by: str = ""
    waived: str = ""


class OpenCheck(Record):
    """A check that could not be decided: what is missing, and how to get it."""

    rule: str
    reason: str
    hint: str = ""
    entity: str = ""


class Advice(Record):
    """A recommendation in words ("vm.swappiness 60 → 30"), and why; `proposed` in the setting's own unit."""

    setting: str
    kind: str
    text: str
    because: str
    proposed: Any = None


class Zone(Record):
    """A zone's free memory and marks, in bytes."""

    name: str
    free: int
    min: int
    low: int
    high: int


class HostResult(Record):
    """What is known of one host.

    Attributes:
        class_: hosts alike in size, kernel and role share one; empty when the caller makes none.
        verdict: healthy, findings or insufficient.
        counts: checks by state.
        passed: rules that passed; empty where the document does not list them.
        facts: memory.total and what else the document says of the host.
        thrash: 0 none, 1 onset, 2 thrashing, None unknown.
        taken_s: when it was measured, in seconds since the epoch.
    """

    name: str
    verdict: str
    class_: str = ""
    role: str = ""
    kernel: str = ""
    findings: tuple[FleetFinding, ...] = ()
    open: tuple[OpenCheck, ...] = ()
    recommendations: tuple[Advice, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    passed: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    zones: tuple[Zone, ...] = ()
    thrash: int | None = None
    window_s: float | None = None
    taken_s: float | None = None

    def counting(self) -> tuple[FleetFinding, ...]:
        """The findings that are not waived, the worst first."""
        return tuple(finding for finding in self.findings if not finding.waived)

    def worst(self) -> str | None:
        """The highest severity among the findings that count, or None."""
        found = [SEVERITIES.index(finding.severity) for finding in self.counting()]
        return SEVERITIES[max(found)] if found else None

    def status(self) -> str:
        """The host in one word: its worst severity, insufficient, or healthy."""
        worst = self.worst()
        if self.verdict == "insufficient" and worst in {None, "notice"}:
            return "insufficient"
        return worst or "healthy"

    def rank(self) -> tuple[int, int, str]:
        """Order in reports: by status, then by how many findings, then by name."""
        return STATUSES.index(self.status()), -len(self.counting()), self.name

    def taken(self) -> str:
        """When it was measured, as 2026-11-24T23:15:00Z; empty when unknown."""
        return timestamp(self.taken_s)


class RuleCount(Record):
    """How often a rule fired: its title and severity (the worst seen), and on which hosts."""

    rule: str
    title: str
    severity: str
    hosts: tuple[str, ...]


class Since(Record):
    """What changed since an earlier report: (host, finding) pairs, and hosts that came or went."""

    new: tuple[tuple[str, FleetFinding], ...]
    gone: tuple[tuple[str, FleetFinding], ...]
    new_hosts: tuple[str, ...]
    gone_hosts: tuple[str, ...]


class FleetReport(Record):
    """Many hosts, and what was learnt about them together.

    Attributes:
        hosts: in the order of `HostResult.rank`.
        unreadable: (source, why) of what could not be judged because it could not be read at all.
        notes: remarks, for example a waiver that expired.
        since: the change from an earlier report, where there is one.
    """

    hosts: tuple[HostResult, ...]
    title: str = "Memory of the fleet"
    unreadable: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    since: Since | None = None

    def rules(self) -> tuple[RuleCount, ...]:
        """The rules that fired, the most severe and then the most frequent first; waived findings do not count."""
        seen: dict[str, list[tuple[str, FleetFinding]]] = {}
        for host in self.hosts:
            for finding in host.counting():
                seen.setdefault(finding.rule, []).append((host.name, finding))
        counts = [_rule_count(rule, found) for rule, found in seen.items()]
        return tuple(sorted(counts, key=lambda c: (-SEVERITIES.index(c.severity), -len(c.hosts), c.rule)))

    def verdicts(self) -> dict[str, int]:
        """Hosts by worst severity, and those that are healthy or could not be judged; the worst first."""
        counted = Counter(host.status() for host in self.hosts)
        return {status: counted[status] for status in STATUSES}

    def open_reasons(self) -> tuple[tuple[str, str, int, int], ...]:
        """(reason, hint, hosts, rules) of what could not be decided; the reason that holds most hosts first."""
        hosts: dict[tuple[str, str], set[int]] = {}
        rules: dict[tuple[str, str], set[str]] = {}
        for number, host in enumerate(self.hosts):
            for check in host.open:
                key = (check.reason, check.hint)
                hosts.setdefault(key, set()).add(number)
                rules.setdefault(key, set()).add(check.rule)
        found = ((*key, len(where), len(rules[key])) for key, where in hosts.items())
        return tuple(sorted(found, key=lambda row: (-row[2], -row[3], row[0])))


def timestamp(seconds: float | None) -> str:
    """Seconds since the epoch as ISO 8601 in UTC; empty when unknown.

    >>> timestamp(1790000000.0), timestamp(None), timestamp(1e30)
    ('2026-09-21T14:13:20Z', '', '')
    """
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return ""


def _rule_count(rule: str, found: list[tuple[str, FleetFinding]]) -> RuleCount:
    worst = max(found, key=lambda pair: SEVERITIES.index(pair[1].severity))[1]
    return RuleCount(rule, worst.title, worst.severity, tuple(dict.fromkeys(name for name, _finding in found)))


def from_documents(documents: Iterable[Mapping[str, Any]], **more: Any) -> FleetReport:
    """A fleet report of hosts' report documents.

    Args:
        documents: as `as_json.document` makes them, best with `everything`: then reasons for open checks are known.
        more: other fields of the report, such as `title`.

    Raises:
        AdvisorError: one of them is no report, or of a newer version.
    """
    hosts = [host_result(document, number) for number, document in enumerate(documents, 1)]
    return FleetReport(tuple(sorted(hosts, key=HostResult.rank)), **more)


def host_result(document: Mapping[str, Any], number: int = 1) -> HostResult:
    """One host, from its report document; `number` names it in errors.

    Raises:
        AdvisorError: it is no report, or of a newer version.
    """
    schema = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(schema, str) or not schema.startswith(_HOST_SCHEMA):
        raise AdvisorError(f"host {number} is no report of memadvisor", _CURE)
    if schema != f"{_HOST_SCHEMA}1":
        raise AdvisorError(f"host {number}: {schema} is newer than this memadvisor", "upgrade memadvisor")
    try:
        return _host(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AdvisorError(
            f"host {number}: the report is damaged ({type(error).__name__}: {error})",
            _CURE,
        ) from None


def _host(document: Mapping[str, Any]) -> HostResult:
    facts, capture, findings = document["host"], document["capture"], document["findings"]
    failed = tuple(_finding(entry) for entry in findings if entry["state"] == FAIL)
    return HostResult(
        name=facts["name"],
        verdict=document["verdict"],
        role=facts["role"] or "",
        kernel=str(facts.get("host.kernel") or ""),
        findings=tuple(sorted(failed, key=lambda f: -SEVERITIES.index(f.severity))),
        open=tuple(_open(entry) for entry in findings if entry["state"] == OPEN),
        recommendations=tuple(_advice(entry) for entry in document["recommendations"]),
        counts=document["checks"],
        passed=tuple(dict.fromkeys(entry["rule"] for entry in findings if entry["state"] == PASS)),
        facts=facts,
        zones=tuple(Zone(z["name"], z["free"], z["min"], z["low"], z["high"]) for z in document["zones"]),
        thrash=document["thrash"],
        window_s=capture["window_s"],
        taken_s=capture.get("taken_s"),
    )


def _finding(entry: Mapping[str, Any]) -> FleetFinding:
    return FleetFinding(
        rule=entry["rule"],
        severity=entry["severity"],
        title=entry["title"],
        message=entry["message"],
        fingerprint=entry["fingerprint"] or "",
        diagnosis=entry["diagnosis"] or "",
        entity=entry["entity"] or "",
        confidence=entry["confidence"],
        remedy=entry["remedy"]["text"],
        evidence=tuple(Proof(e["signal"], e["value"], e["unit"], e["source"]) for e in entry["evidence"]),
        explained_by=entry["explained_by"] or "",
        waived=_waiver(entry.get("waived")),
    )


def _waiver(entry: Mapping[str, Any] | None) -> str:
    return waiver(entry["owner"], entry["expires"], entry["reason"]) if entry else ""


def _open(entry: Mapping[str, Any]) -> OpenCheck:
    first = entry["missing"][0] if entry["missing"] else {"reason": "data is missing", "hint": ""}
    return OpenCheck(entry["rule"], first["reason"], first["hint"], entry["entity"] or "")


def _advice(entry: Mapping[str, Any]) -> Advice:
    words = (entry[key] for key in ("kind", "current", "proposed", "direction"))
    text = change(entry["setting"], entry["entity"] or "", *words)
    return Advice(entry["setting"], entry["kind"], text, entry["because"], entry["proposed"])


def since(before: FleetReport, now: FleetReport) -> Since:
    """What changed between two reports; findings are the same by host, rule and entity, hosts by name."""
    old, new = _by_key(before), _by_key(now)
    old_hosts, new_hosts = ({host.name: None for host in report.hosts} for report in (before, now))
    return Since(
        new=tuple((key[0], finding) for key, finding in new.items() if key not in old and key[0] in old_hosts),
        gone=tuple((key[0], finding) for key, finding in old.items() if key not in new and key[0] in new_hosts),
        new_hosts=tuple(name for name in new_hosts if name not in old_hosts),
        gone_hosts=tuple(name for name in old_hosts if name not in new_hosts),
    )


def _by_key(report: FleetReport) -> dict[tuple[str, str, str], FleetFinding]:
    return {(host.name, f.rule, f.entity): f for host in report.hosts for f in host.counting()}
