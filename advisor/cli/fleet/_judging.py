"""What `fleet check` and `fleet report` share: their arguments, the survey, and the report made of it."""

from __future__ import annotations

import json

from advisor import __version__
from advisor.cli import _shared
from advisor.cli.fleet import _common
from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING, Any
from advisor.record import Record, replace
from advisor.report import fleet as fleet_report

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from advisor.cli._reports import Target
    from advisor.fleet.classes import Host
    from advisor.fleet.store import Store
    from advisor.fleet.survey import Survey
    from advisor.policy.inventory import Inventory
    from advisor.policy.local import InForce
    from advisor.report.fleet import FleetReport


_LARGEST = 2 << 30


class Judged(Record):
    """A fleet as it was found: the survey, and the document of each host that has something to tell."""

    store: Store
    policy: str
    survey: Survey
    documents: tuple[dict[str, Any], ...]
    unreadable: tuple[tuple[str, str], ...]

    def report(self, title: str = "Memory of the fleet", **more: Any) -> FleetReport:
        """The report of these hosts; hosts are in the order of their rank."""
        return fleet_report.from_documents(
            self.documents, title=title, notes=self.survey.warnings, unreadable=self.unreadable, **more
        )


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


def judge(arguments: argparse.Namespace, *, everything: bool) -> Judged:
    """Judges the store that the arguments name."""
    store = _common.store_of(arguments)
    from advisor.report.as_json import document  # noqa: PLC0415

    found, policy, inventory = _survey(arguments, store, everything=everything)
    documents = tuple(document(report, everything=True) for report in found.reports)
    name = policy.policy.name if policy else ""
    return Judged(store, name, found, documents, _missing(store, inventory))


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

    found, _policy, _inventory = _survey(arguments, store, everything=False)
    proposals = {(report.host.name, report.window.source): {c.setting: c.proposed for c in report.plan.changes()}
                 for report in found.reports}  # fmt: skip
    names = ("@host", "@host_id", "@source", *signals_read())
    with evaluate(store, (), arguments.engine, **dict(_more(arguments))) as answers:
        rows = [dict(zip(names, cells, strict=True)) for _key, *cells in answers.hosts(names)]
    return [
        Host(row["@host"], found.roles.get(row["@host_id"]) or arguments.role or row["host.role"], row,
             proposals.get((row["@host"], row["@source"]), {}))
        for row in rows
    ]  # fmt: skip


def _survey(
    arguments: argparse.Namespace, store: Store, *, everything: bool
) -> tuple[Survey, InForce | None, Inventory]:
    from advisor.fleet.survey import How, survey  # noqa: PLC0415

    rules = _shared.checks(arguments)
    policy = _shared.in_force(arguments, rules) if arguments.policy else None
    inventory = _shared.inventory_of(arguments)
    how = How(arguments.engine, arguments.role, inventory, everything, _more(arguments))
    return survey(store, rules, policy, how), policy, inventory


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
        "judged": judged.survey.hosts,
        "hosts": judged.documents,
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
