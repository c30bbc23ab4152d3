"""Reports as JUnit XML for CI servers: a suite per host, a case per check.

A finding of warning or above is a failure; a notice passes and says so in its output; what could not be decided is
skipped with the reason, and so is what is waived.
"""

from __future__ import annotations

from html import escape as _escape

from advisor.hints import TYPE_CHECKING
from advisor.record import Record, replace
from advisor.report.layout import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from advisor.report.fleet import FleetFinding, FleetReport, HostResult


# Of more hosts than this no CI server shows a million cases: what passed is left out, and what is open is summed up.
_MANY = 200


class _Case(Record):
    """One test case: its name, what became of it (failure, skipped, error or nothing), and the text for that."""

    name: str
    outcome: str = ""
    message: str = ""
    detail: str = ""
    kind: str = ""


def render(fleet: FleetReport) -> str:
    """The file; it holds at least one case for each host, also where everything passed."""
    of_host = _cases if len(fleet.hosts) <= _MANY else _few_cases
    suites = [(host.name or "this host", list(of_host(host)), host.taken()) for host in fleet.hosts]
    suites += [(source, [_Case("read", "error", why)], "") for source, why in fleet.unreadable]
    every = [case for _name, cases, _taken in suites for case in cases]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="memadvisor"{_totals(every)}>']
    for name, cases, taken in suites:
        stamp = f' timestamp="{taken.removesuffix("Z")}"' if taken else ""
        lines.append(f'  <testsuite name="{escape(name)}" hostname="{escape(name)}"{_totals(cases)}{stamp}>')
        lines += [_xml(case, name) for case in cases]
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def escape(text: str) -> str:
    r"""A text for XML: markup neutral, and no character that XML forbids.

    >>> escape('<a b="c">\x00')
    '&lt;a b=&quot;c&quot;&gt;?'
    """
    # Lone surrogates are no printable characters, so `clean` takes them too; U+FFFE and U+FFFF likewise.
    return _escape(clean(text))


def _totals(cases: Iterable[_Case]) -> str:
    outcomes = [case.outcome for case in cases]
    counts = {"tests": len(outcomes), "failures": outcomes.count("failure"), "errors": outcomes.count("error"),
              "skipped": outcomes.count("skipped")}  # fmt: skip
    return "".join(f' {name}="{count}"' for name, count in counts.items())


def _cases(host: HostResult) -> Iterator[_Case]:
    if host.verdict == "insufficient":
        yield _Case("verdict", "skipped", "could not judge: too little data")
    for finding in host.findings:
        yield _found(finding)
    for check in host.open:
        message = f"{check.reason}; {check.hint}" if check.hint else check.reason
        yield _Case(_name(check.rule, check.entity), "skipped", message)
    told = {finding.rule for finding in host.findings} | {check.rule for check in host.open}
    for rule in host.passed:
        if rule not in told:
            yield _Case(rule)
    if host.verdict != "insufficient":
        yield _Case("verdict")


def _few_cases(host: HostResult) -> Iterator[_Case]:
    """The findings of one of many hosts, and a case for each reason why something could not be decided."""
    brief = replace(host, open=(), passed=())
    yield from _cases(brief)
    rules: dict[str, list[str]] = {}
    for check in host.open:
        rules.setdefault(check.reason, []).append(_name(check.rule, check.entity))
    for reason, names in rules.items():
        yield _Case(f"undecided: {reason}", "skipped", f"{len(names)} checks: {', '.join(names)}")


def _found(finding: FleetFinding) -> _Case:
    name = _name(finding.rule, finding.entity)
    if finding.waived:
        return _Case(name, "skipped", f"waived: {finding.waived}")
    detail = "\n".join([finding.message, f"Remedy: {finding.remedy}", *_evidence(finding)])
    if finding.severity == "notice":
        return _Case(name, "", finding.title, detail)
    return _Case(name, "failure", finding.title, detail, finding.severity)


def _evidence(finding: FleetFinding) -> Iterator[str]:
    for proof in finding.evidence:
        if proof.value is not None:
            yield f"{proof.signal} = {proof.value} {proof.unit} ({proof.source})"


def _name(rule: str, entity: str) -> str:
    return f"{rule} [{entity}]" if entity else rule


def _xml(case: _Case, host: str) -> str:
    head = f'    <testcase classname="{escape(f"memory.{host}")}" name="{escape(case.name)}"'
    body = "\n".join(escape(line) for line in case.detail.split("\n"))
    message = escape(case.message)
    if case.outcome == "failure":
        return f'{head}><failure type="{case.kind}" message="{message}">{body}</failure></testcase>'
    if case.outcome:
        return f'{head}><{case.outcome} message="{message}"/></testcase>'
    return f"{head}><system-out>{message}\n{body}</system-out></testcase>" if body else f"{head}/>"
