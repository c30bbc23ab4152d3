"""Findings as CSV (RFC 4180), one row a finding or open check; a host without any has one row.

Host names, cgroup paths and messages come from the hosts. A cell that a spreadsheet would take for a formula gets an
apostrophe in front, and every cell is quoted, so that no separator of another language splits it.
"""

from __future__ import annotations

import csv
import io

from advisor.findings import FAIL, OPEN
from advisor.hints import TYPE_CHECKING
from advisor.report.layout import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.report.fleet import FleetReport, HostResult

COLUMNS = ("host", "class", "role", "kernel", "taken", "verdict", "state", "rule", "severity", "entity", "title",
           "message", "diagnosis", "confidence", "explained_by", "waived", "fingerprint")  # fmt: skip

# What Excel, LibreOffice and Google Sheets begin a formula with, wide forms of East Asian input among them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def render(fleet: FleetReport) -> str:
    """The table, with a line of column names."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for host in fleet.hosts:
        writer.writerows([neutral(str(cell)) for cell in row] for row in _rows(host))
    for source, why in fleet.unreadable:
        row = {"host": source, "verdict": "unreadable", "message": why}
        writer.writerow([neutral(row.get(name, "")) for name in COLUMNS])
    return text.getvalue()


def neutral(cell: str) -> str:
    """A cell that no spreadsheet calculates.

    >>> neutral("=1+1"), neutral("plain"), neutral("  =1")
    ("'=1+1", 'plain', "'  =1")
    """
    return clean(f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell)


def _rows(host: HostResult) -> Iterator[tuple[object, ...]]:
    first = (host.name, host.class_, host.role, host.kernel, host.taken(), host.verdict)
    for f in host.findings:
        sure = "" if f.confidence is None else f.confidence
        more = (f.diagnosis, sure, f.explained_by, f.waived, f.fingerprint)
        yield (*first, FAIL, f.rule, f.severity, f.entity, f.title, f.message, *more)
    for check in host.open:
        message = f"{check.reason}; {check.hint}" if check.hint else check.reason
        yield (*first, OPEN, check.rule, "", check.entity, "", message, "", "", "", "", "")
    if not host.findings and not host.open:
        yield (*first, *[""] * (len(COLUMNS) - len(first)))
