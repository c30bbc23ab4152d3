"""Many hosts for people: who fails, who is worst, which rules fire, what could not be judged, what changed."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.record import Record
from advisor.report.layout import Line, clean, host_count, paragraph

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from advisor.report.fleet import FleetReport, HostResult, Since

_MARK = {"critical": "✖", "warning": "▲", "notice": "·", "insufficient": "?", "healthy": "✔"}
_STYLE = {
    "critical": "critical",
    "warning": "warning",
    "notice": "notice",
    "insufficient": "warning",
    "healthy": "good",
}
_MOST_HOSTS = 20
_MOST_RULES = 30
_MOST_REASONS = 8
_MOST_CHANGES = 15
_INDENT = 14


class Gate(Record):
    """How many hosts pass a gate, fail it, and could not be judged; and those that do not pass."""

    passed: int
    failed: tuple[HostResult, ...] = ()
    unsure: tuple[tuple[HostResult, str], ...] = ()


def gate_layout(gate: Gate, fleet: FleetReport, by: str, width: int = 100, most: int = 0) -> list[Line]:
    """The outcome of a check: the verdict first, then who fails by what.

    Args:
        gate: the outcome.
        fleet: the hosts that have something to tell.
        by: what the hosts were judged by: "policy production", "the rules".
        width: columns to use.
        most: hosts to list; 0 lists all.
    """
    lines: list[Line] = [[(_counted(gate), "critical" if gate.failed else "warning" if gate.unsure else "good"),
                          (f"  {clean(by)}", "title")], []]  # fmt: skip
    shown = gate.failed[: most or None]
    for host in shown:
        lines += _host(host, width)
    if len(shown) < len(gate.failed):
        text = f"and {len(gate.failed) - len(shown)} hosts more: --format json, or --report csv=FILE"
        lines += paragraph(text, indent=2, width=width, style="quiet")
    for host, why in gate.unsure[: most or None]:
        lines.append([("? could not be judged  ", "warning"), (clean(host.name), "title")])
        lines += paragraph(why, indent=_INDENT, width=width, style="quiet")
    return lines + _waived(fleet, width) + _notes(fleet.notes, width)


def _counted(gate: Gate) -> str:
    whole = gate.passed + len(gate.failed) + len(gate.unsure)
    parts = [f"{len(gate.failed)} of {whole} hosts fail" if gate.failed else f"None of {whole} hosts fails"]
    if gate.unsure:
        parts.append(f"{len(gate.unsure)} could not be judged")
    return ", ".join(parts)


def _host(host: HostResult, width: int) -> list[Line]:
    status = host.status()
    name = clean(host.name or "this host")
    head: Line = [(f"{_MARK[status]} {status.upper():<9}", _STYLE[status]), (f" {name}", "title")]
    lines = [head]
    findings = [finding for finding in host.counting() if not finding.explained_by]
    for finding in sorted(findings, key=lambda f: f.severity == "notice"):
        where = f"{finding.entity}: " if finding.entity else ""
        lines += paragraph(f"{where}{finding.message} [{finding.rule}]", indent=_INDENT, width=width)
    for advice in host.recommendations:
        lines += paragraph(f"{advice.text}: {advice.because}", indent=_INDENT, width=width, label="plan", style="value")
    return lines


def layout(fleet: FleetReport, width: int = 100, *, total: int | None = None) -> list[Line]:
    """The report of a fleet: counts, what changed, the worst hosts, rules, classes, what could not be judged."""
    hosts = total if total is not None else len(fleet.hosts)
    counts = " · ".join(f"{number} {status}" for status, number in fleet.verdicts().items() if number)
    lines: list[Line] = [[(host_count(hosts), "title"), (f"  {counts}", "")]]
    lines += _since(fleet.since, width) + _worst(fleet.hosts, width) + _rules(fleet, width) + _classes(fleet.hosts)
    return lines + _open(fleet, width) + _waived(fleet, width) + _notes(fleet.notes, width)


def _since(since: Since | None, width: int) -> list[Line]:
    if since is None:
        return []
    said = [("new", f"{host}: {finding.title}") for host, finding in since.new]
    said += [("gone", f"{host}: {finding.title}") for host, finding in since.gone]
    said += [("host came", host) for host in since.new_hosts] + [("host left", host) for host in since.gone_hosts]
    lines: list[Line] = [[], [("Since the last run", "title"), ("" if said else "  nothing changed", "quiet")]]
    for label, text in said[:_MOST_CHANGES]:
        lines += paragraph(text, indent=_INDENT, width=width, label=label)
    return lines + _more(len(said) - _MOST_CHANGES, "changes", width)


def _worst(hosts: Sequence[HostResult], width: int) -> list[Line]:
    sick = [host for host in hosts if host.status() in {"critical", "warning"}]
    if not sick:
        return [[], [("No host needs attention.", "good")]]
    widest = min(40, max(len(clean(host.name)) for host in sick[:_MOST_HOSTS]))
    lines: list[Line] = [[], [("Worst hosts", "title")]]
    for host in sick[:_MOST_HOSTS]:
        status = host.status()
        titles = dict.fromkeys(f.title for f in host.counting() if f.severity != "notice")
        label = f"  {_MARK[status]} {status:<9} {clean(host.name)[:widest].ljust(widest)}  "
        found = paragraph("; ".join(titles), indent=len(label), width=width)
        lines += [[(label, _STYLE[status]), found[0][-1]], *found[1:]]
    return lines + _more(len(sick) - _MOST_HOSTS, "hosts", width)


def _rules(fleet: FleetReport, width: int) -> list[Line]:
    rules = fleet.rules()
    lines: list[Line] = [[], [("Rules that fired", "title"), ("  on how many hosts", "quiet")]] if rules else []
    for rule in rules[:_MOST_RULES]:
        label = f"  {len(rule.hosts):>6}  {rule.severity:<9} "
        found = paragraph(f"{rule.title} [{rule.rule}]", indent=len(label), width=width)
        lines += [[(label, _STYLE[rule.severity]), found[0][-1]], *found[1:]]
    return lines + _more(len(rules) - _MOST_RULES, "rules", width)


def _classes(hosts: Iterable[HostResult]) -> list[Line]:
    """How each class of hosts stands."""
    counted: dict[str, dict[str, int]] = {}
    for host in hosts:
        if host.class_:
            own = counted.setdefault(host.class_, {})
            own[host.status()] = own.get(host.status(), 0) + 1
    if not counted:
        return []
    widest = max(map(len, counted))
    lines: list[Line] = [[], [("Classes", "title"), ("  hosts alike in size, kernel and role", "quiet")]]
    for name, own in sorted(counted.items(), key=lambda item: (-sum(item[1].values()), item[0])):
        states = " · ".join(f"{own[status]} {status}" for status in _MARK if status in own)
        lines.append([(f"  {sum(own.values()):>6}  ", ""), (clean(name).ljust(widest), "value"), (f"  {states}", "")])
    return lines


def _open(fleet: FleetReport, width: int) -> list[Line]:
    lines: list[Line] = []
    blind = [host for host in fleet.hosts if host.status() == "insufficient"]
    reasons = fleet.open_reasons()
    if blind or reasons or fleet.unreadable:
        lines += [[], [("Could not be judged", "title")]]
    if blind:
        names = ", ".join(host.name for host in blind[:_MOST_HOSTS])
        more = f" and {len(blind) - _MOST_HOSTS} more" if len(blind) > _MOST_HOSTS else ""
        lines += paragraph(
            f"{names}{more}: too little data", indent=_INDENT, width=width, label=_number(len(blind), "host")
        )
    for source, why in fleet.unreadable[:_MOST_REASONS]:
        lines += paragraph(f"{source}: {why}", indent=_INDENT, width=width, label="unread")
    for reason, hint, hosts, rules in reasons[:_MOST_REASONS]:
        cure = f"; {hint}" if hint else ""
        text = f"{_number(rules, 'check')}: {reason}{cure}"
        lines += paragraph(text, indent=_INDENT, width=width, label=_number(hosts, "host"))
    return lines + _more(len(reasons) - _MOST_REASONS, "reasons", width)


def _waived(fleet: FleetReport, width: int) -> list[Line]:
    """Who answers for what on how many hosts."""
    counted: dict[tuple[str, str], int] = {}
    for host in fleet.hosts:
        for key in dict.fromkeys((f.rule, f.waived) for f in host.findings if f.waived):
            counted[key] = counted.get(key, 0) + 1
    lines: list[Line] = [[], [("Waived", "title")]] if counted else []
    for (rule, who), hosts in counted.items():
        text = f"{rule} on {hosts} host{'s' if hosts > 1 else ''}: {who}"
        lines += paragraph(text, indent=4, width=width, style="quiet")
    return lines


def _notes(notes: Sequence[str], width: int) -> list[Line]:
    lines: list[Line] = [[]] if notes else []
    for note in notes:
        lines += paragraph(note, indent=_INDENT, width=width, label="policy")
    return lines


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _more(number: int, what: str, width: int) -> list[Line]:
    return paragraph(f"and {number} {what} more", indent=_INDENT, width=width, style="quiet") if number > 0 else []
