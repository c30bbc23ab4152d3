"""One line for monitoring systems, by the guidelines for monitoring plugins: status, summary, performance data."""

from __future__ import annotations

from advisor.analysis import FINDINGS, INSUFFICIENT, Report
from advisor.report.layout import clean


def render(report: Report) -> str:
    """The status line, with the number of findings and of open checks as performance data."""
    if report.verdict == FINDINGS:
        status = "CRITICAL" if report.worst() == "critical" else "WARNING"
        titles = dict.fromkeys(finding.title for finding in report.failed() if finding.severity != "notice")
        summary = "; ".join(titles)
    elif report.verdict == INSUFFICIENT:
        status, summary = "UNKNOWN", "too little data to judge memory"
    else:
        status, summary = "OK", "memory is healthy"
    counts = report.counts
    data = f"findings={counts['fail']};;;0 open={counts['open']};;;0 passed={counts['pass']};;;0"
    # The bar separates text from data, so it must not stand in the text.
    return f"MEMORY {status} - {clean(summary).replace('|', '/')} | {data}\n"
