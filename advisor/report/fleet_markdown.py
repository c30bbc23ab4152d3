"""Many hosts as Markdown: who is worst, which rules fire, what could not be judged, what changed."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.report.markdown import escape, table

if TYPE_CHECKING:
    from advisor.report.fleet import FleetReport, HostResult

_MOST_HOSTS = 200  # a ticket with more is read by nobody; CSV has them all
_MOST_REASONS = 30


def render(fleet: FleetReport) -> str:
    """The report: counts, worst hosts, rules, open reasons, changes."""
    counts = fleet.verdicts()
    said = " · ".join(f"{count} {status}" for status, count in counts.items() if count)
    lines = [f"# {escape(fleet.title)}", "", f"{len(fleet.hosts)} hosts: {said or 'none'}", ""]
    lines += [f"> {escape(note)}  " for note in fleet.notes]
    lines += ["", *_since(fleet), *_hosts(fleet), *_rules(fleet), *_open(fleet)]
    return "\n".join(lines).rstrip() + "\n"


def _hosts(fleet: FleetReport) -> list[str]:
    sick = [host for host in fleet.hosts if host.status() != "healthy"]
    if not sick:
        return ["No host needs attention.", ""]
    lines = ["## Hosts, the worst first", ""]
    lines += table(("Host", "Class", "Status", "Findings", "To do"), map(_host, sick[:_MOST_HOSTS]))
    return [*lines, f"and {len(sick) - _MOST_HOSTS} more.", ""] if len(sick) > _MOST_HOSTS else lines


def _host(host: HostResult) -> tuple[str, ...]:
    titles = "; ".join(dict.fromkeys(f.title for f in host.counting() if f.severity != "notice"))
    advice = "; ".join(r.text for r in host.recommendations)
    return tuple(map(escape, (host.name or "this host", host.class_, host.status(), titles, advice)))


def _rules(fleet: FleetReport) -> list[str]:
    rows = [(f"`{r.rule}`", r.severity, escape(r.title), str(len(r.hosts))) for r in fleet.rules()]
    return ["## Rules", "", *table(("Rule", "Severity", "What", "Hosts"), rows)] if rows else []


def _open(fleet: FleetReport) -> list[str]:
    lines = []
    if fleet.unreadable:
        unread = [(escape(source), escape(why)) for source, why in fleet.unreadable]
        lines += ["## Could not be read", "", *table(("Source", "Why"), unread)]
    reasons = fleet.open_reasons()
    if reasons:
        rows = [(escape(reason), escape(hint), f"{hosts}", f"{rules}") for reason, hint, hosts, rules in reasons]
        lines += ["## Could not be decided", ""]
        lines += table(("Missing", "Cure", "Hosts", "Checks"), rows[:_MOST_REASONS])
    return lines


def _since(fleet: FleetReport) -> list[str]:
    change = fleet.since
    if change is None:
        return []
    lines = [f"- new on {escape(host)}: {escape(finding.title)}" for host, finding in change.new]
    lines += [f"- gone from {escape(host)}: {escape(finding.title)}" for host, finding in change.gone]
    lines += [f"- new host {escape(host)}" for host in change.new_hosts]
    lines += [f"- host {escape(host)} is no longer there" for host in change.gone_hosts]
    return ["## Since the last report", "", *(lines or ["Nothing changed."]), ""]
