"""What `fleet check` and `fleet report` share: their arguments, the survey, and the report made of it."""

from __future__ import annotations

import json
from functools import partial

from advisor import __version__
from advisor.analysis import INSUFFICIENT
from advisor.cli import _shared, check
from advisor.cli.fleet import _common
from advisor.errors import AdvisorError
from advisor.findings import FAIL
from advisor.hints import TYPE_CHECKING, Any
from advisor.record import Record, replace
from advisor.report import fleet as fleet_report
from advisor.report.fleet import FleetReport, HostResult

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from advisor.analysis import Report
    from advisor.cli._reports import Target
    from advisor.fleet.classes import Host
    from advisor.fleet.store import Store
    from advisor.fleet.survey import Survey
    from advisor.policy.inventory import Inventory
    from advisor.policy.local import InForce


_LARGEST = 2 << 30


class Taken(Record):
    """What is kept of a host's report.

    Attributes:
        result: as reports of fleets show it.
        document: its JSON, with the findings that are there; None where nobody wants it.
        code: the exit code that `advisor check` would end with.
        why: why it could not be judged, where it could not.
    """

    result: HostResult
    document: dict[str, Any] | None
    code: int
    why: str


class Judged(Record):
    """A fleet as it was found: each host that has something to tell, or all of them."""

    store: Store
    policy: str
    hosts: int
    taken: tuple[Taken, ...]
    warnings: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]

    def report(self, **more: Any) -> FleetReport:
        """The report of these hosts, in the order of their rank."""
        hosts = tuple(sorted((each.result for each in self.taken), key=HostResult.rank))
        return FleetReport(hosts, notes=self.warnings, unreadable=self.unreadable, **more)


def configure(parser: argparse.ArgumentParser, *formats: str) -> None:
    """Declares the arguments of commands that also write reports."""
    add_arguments(parser, *formats)
    parser.add_argument("--report", action="append", metavar="FORMAT=FILE", default=[],
                        help="also write a report: junit, sarif, markdown, csv …; may be given again")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser, *formats: str) -> None:
    """Declares the arguments that say what is judged, by what, and where the answer goes."""
    _common.add_store(parser)
    parser.add_argument("--policy", metavar="FILE",
                        help="required values, changed rules, waivers and gate; see docs/policy.md")  # fmt: skip
    parser.add_argument("--inventory", metavar="FILE",
                        help="an Ansible inventory, or the saved output of ansible-inventory --list")  # fmt: skip
    parser.add_argument("--engine", default="duckdb", metavar="NAME", help="duckdb (default), rows, spark or postgres")
    parser.add_argument("--server", metavar="URL", help="where the engine runs: a connection string for postgres, "
                                                        "a master for spark")  # fmt: skip
    _shared.add_rules(parser)
    _shared.add_output(parser, *formats)


def targets(arguments: argparse.Namespace) -> Sequence[Target]:
    """The reports to write; asked for before the work, since a wrong name must not cost it."""
    if not arguments.report:
        return ()
    from advisor.cli import _reports  # noqa: PLC0415
    from advisor.report import formats  # noqa: PLC0415

    return _reports.parse(arguments.report, known=formats.FLEET, usual=arguments.output)


def write(wanted: Sequence[Target], report: FleetReport) -> bool:
    """Writes the reports; whether one of them took the place of the usual output."""
    if not wanted:
        return False
    from advisor.cli import _reports  # noqa: PLC0415
    from advisor.report import formats  # noqa: PLC0415

    report = with_classes(report)
    return _reports.write(wanted, lambda name: formats.fleet(name, report))


def judge(
    arguments: argparse.Namespace, *, everything: bool, documents: bool = True, fail_on: str | None = None
) -> Judged:
    """Judges the store that the arguments name."""
    store = _common.store_of(arguments)
    keep = partial(_take, documents=documents, fail_on=fail_on)
    found, policy, inventory = _survey(arguments, store, keep, everything=everything)
    name = policy.policy.name if policy else ""
    return Judged(store, name, found.hosts, found.kept, found.warnings, _missing(store, inventory))


def _take(report: Report, *, documents: bool, fail_on: str | None) -> Taken:
    from advisor.report.as_json import document  # noqa: PLC0415

    whole = document(report, everything=True)
    result = fleet_report.host_result(whole)
    failed = [finding for finding in whole["findings"] if finding["state"] == FAIL] if documents else []
    kept = {**whole, "findings": failed} if documents else None
    return Taken(result, kept, check.code(report, fail_on), _why(report))


def _why(report: Report) -> str:
    """Why a host could not be judged; empty where it could."""
    names = report.undecided()
    undecided = [f for f in report.findings if f.rule in names]
    if not undecided:
        return "too little data to tell whether tasks wait for memory" if report.verdict == INSUFFICIENT else ""
    reasons = dict.fromkeys(f.missing[0].reason if f.missing else "unknown" for f in undecided)
    return f"{', '.join(f.rule for f in undecided)} cannot be told: {'; '.join(reasons)}"


def read_documents(file: Path) -> dict[str, Any]:
    """The JSON of a fleet's report.

    Raises:
        AdvisorError: it is none, damaged, or of a newer version.
    """
    from advisor.report.fleet_documents import checked  # noqa: PLC0415

    try:
        if file.stat().st_size > _LARGEST:
            raise AdvisorError(f"{file}: larger than {_LARGEST >> 30} GiB")
        return checked(json.loads(file.read_text(encoding="utf-8")), str(file))
    except (ValueError, RecursionError):
        raise AdvisorError(f"{file}: is no JSON", "the callback memadvisor.linux.fleet_report writes it") from None


def alike(arguments: argparse.Namespace) -> list[Host]:
    """The hosts of the store as classes see them: their signals, and what their plans would set."""
    store = _common.store_of(arguments)
    from advisor.fleet.classes import Host, signals_read  # noqa: PLC0415
    from advisor.fleet.evaluate import evaluate  # noqa: PLC0415

    found, _policy, _inventory = _survey(arguments, store, _proposed, everything=False)
    proposals = dict(found.kept)
    names = ("@host", "@host_id", "@source", *signals_read())
    with evaluate(store, (), arguments.engine, **dict(_more(arguments))) as answers:
        rows = [dict(zip(names, cells, strict=True)) for _key, *cells in answers.hosts(names)]
    return [
        Host(row["@host"], found.roles.get(row["@host_id"]) or arguments.role or row["host.role"], row,
             proposals.get((row["@host"], row["@source"]), {}))
        for row in rows
    ]  # fmt: skip


def _proposed(report: Report) -> tuple[tuple[str, str], dict[str, Any]]:
    """What the plan of a host would set, by its name and source."""
    return (report.host.name, report.window.source), {c.setting: c.proposed for c in report.plan.changes()}


def _survey(
    arguments: argparse.Namespace, store: Store, keep: Callable[[Report], Any], *, everything: bool
) -> tuple[Survey, InForce | None, Inventory]:
    from advisor.fleet.survey import How, survey  # noqa: PLC0415

    rules = _shared.checks(arguments)
    policy = _shared.in_force(arguments, rules) if arguments.policy else None
    inventory = _shared.inventory_of(arguments)
    how = How(arguments.engine, arguments.role, inventory, everything, _more(arguments))
    return survey(store, rules, policy, how, keep), policy, inventory


def _more(arguments: argparse.Namespace) -> tuple[tuple[str, Any], ...]:
    key = {"postgres": "server", "spark": "master"}.get(arguments.engine)
    return ((key, arguments.server),) if key and arguments.server else ()


def _missing(store: Store, inventory: Inventory) -> tuple[tuple[str, str], ...]:
    """The hosts of the inventory of which the store has no capture."""
    if not inventory.groups:
        return ()
    there = {inventory.name_of(each.host) for each in store.known()}
    return tuple((name, "no capture of it is in the store") for name in sorted(inventory.groups) if name not in there)


def as_json(judged: Judged, report: FleetReport) -> str:
    """The documents of the hosts as JSON: what `advisor fleet merge` takes."""
    document = {
        "schema": fleet_report.SCHEMA,
        "tool": f"memadvisor {__version__}",
        "title": report.title,
        "policy": judged.policy or None,
        "judged": judged.hosts,
        "hosts": [each.document for each in judged.taken],
        "unreadable": [{"source": source, "why": why} for source, why in judged.unreadable],
        "notes": list(report.notes),
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8", "replace").decode() + "\n"


def with_classes(report: FleetReport) -> FleetReport:
    """The report with the class of each host."""
    from advisor.fleet.classes import class_of  # noqa: PLC0415

    return replace(report, hosts=tuple(
        host if host.class_ else replace(host, class_=class_of(host.facts, host.role)) for host in report.hosts
    ))  # fmt: skip
