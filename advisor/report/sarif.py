"""Reports as SARIF 2.1.0 (OASIS), for code scanning and other collectors: one run, the host in each location.

Only findings are results. What could not be decided is a notification of the run: readers that know only results
would take it for a finding, and a false alarm costs more than a miss. `partialFingerprints` keeps a result the same
from run to run; a waived finding is a result with a suppression.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from advisor import __version__
from advisor.hints import TYPE_CHECKING, Any
from advisor.report.layout import clean
from advisor.report.wording import shown

if TYPE_CHECKING:
    from advisor.report.fleet import FleetFinding, FleetReport, HostResult, Proof

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"critical": "error", "warning": "warning", "notice": "note"}
FINGERPRINT = "memadvisorFinding/v1"
_SOURCE = re.compile(r"(?:t\d+/)?([^:,]+)(?::(\d+))?")


def render(fleet: FleetReport) -> str:
    """The log as JSON text."""
    order: dict[str, int] = {}
    rules: list[dict[str, Any]] = []
    results = []
    for host in fleet.hosts:
        for finding in host.findings:
            if finding.rule not in order:
                order[finding.rule] = len(rules)
                rules.append(_rule(finding))
            results.append(_result(host, finding, order[finding.rule]))
    run = {
        "tool": {"driver": {"name": "memadvisor", "version": __version__, "rules": rules}},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": _notifications(fleet)}],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    text = json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode() + "\n"


def _rule(finding: FleetFinding) -> dict[str, Any]:
    """What is said of a rule; the severity is that of the finding at hand, each result has its own level."""
    return {
        "id": finding.rule,
        "shortDescription": {"text": finding.title},
        "help": {"text": finding.remedy or finding.title},
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
        "properties": {"tags": ["memory", *([finding.diagnosis] if finding.diagnosis else [])]},
    }


def _result(host: HostResult, finding: FleetFinding, index: int) -> dict[str, Any]:
    known = [proof for proof in finding.evidence if proof.value is not None and proof.source]
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "kind": "fail",
        "level": LEVELS[finding.severity],
        "message": _message(f"{finding.entity}: {finding.message}" if finding.entity else finding.message),
        "locations": [_location(host, finding, known[0].source if known else "")],
        "relatedLocations": [_related(host, number, proof) for number, proof in enumerate(known, 1)],
    }
    if finding.fingerprint:
        result["partialFingerprints"] = {FINGERPRINT: finding.fingerprint}
    if finding.confidence is not None:
        result["rank"] = round(finding.confidence * 100, 1)
    if finding.waived:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": clean(finding.waived)}]
    return result


def _location(host: HostResult, finding: FleetFinding, source: str) -> dict[str, Any]:
    name = clean(host.name or "this host")
    logical = {"name": name, "fullyQualifiedName": name, "kind": "host"}
    if finding.entity:
        entity = clean(finding.entity)
        logical = {"name": entity, "fullyQualifiedName": f"{name}/{entity.lstrip('/')}", "kind": "entity"}
    return {**_physical(host, source), "logicalLocations": [logical]}


def _physical(host: HostResult, source: str) -> dict[str, Any]:
    """The file on the host where a number stands; readers of SARIF want a file and a line for every result."""
    found = _SOURCE.match(source)
    path, line = (found[1].split(" ")[0], found[2]) if found else ("", None)
    uri = quote(f"{host.name or 'this-host'}/{path}".rstrip("/"), safe="/", errors="replace")
    # A host may be called "a:b"; what stands before the first colon of a relative reference would be its scheme.
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": int(line) if line else 1}}}


def _related(host: HostResult, number: int, proof: Proof) -> dict[str, Any]:
    text = f"{proof.signal} {shown(proof.value, proof.unit)} ({proof.source})"
    return {"id": number, "message": _message(text), **_physical(host, proof.source)}


def _message(text: str) -> dict[str, str]:
    """A message; "[text](place)" would be a link in it (SARIF 2.1.0, 3.11.6), and names come from hosts."""
    return {"text": clean(text).replace("](", "] (")}


def _notifications(fleet: FleetReport) -> list[dict[str, Any]]:
    notes = []
    for reason, hint, hosts, rules in fleet.open_reasons():
        text = f"{rules} checks could not be decided on {hosts} hosts: {reason}" + (f"; {hint}" if hint else "")
        notes.append({"level": "note", "message": _message(text)})
    for source, why in fleet.unreadable:
        notes.append({"level": "warning", "message": _message(f"{source} could not be read: {why}")})
    return [*notes, *({"level": "note", "message": _message(note)} for note in fleet.notes)]
