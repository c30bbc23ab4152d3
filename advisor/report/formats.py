"""The formats by name: one module each, loaded when it is asked for.

A module that takes a `FleetReport` serves one host too: a fleet of one.
"""

from __future__ import annotations

import importlib

from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.analysis import Report
    from advisor.report.fleet import FleetReport

# Formats of one host whose module takes its `Report`.
_OF_A_REPORT = {"html": "html", "markdown": "markdown", "json": "as_json", "nagios": "nagios"}
_OF_A_FLEET = {"csv": "csv", "junit": "junit", "prometheus": "prometheus", "sarif": "sarif"}
_OF_FLEETS_ONLY = {"html": "fleet_html", "markdown": "fleet_markdown"}

HOST = ("text", *sorted({**_OF_A_REPORT, **_OF_A_FLEET}))
FLEET = tuple(sorted({**_OF_A_FLEET, **_OF_FLEETS_ONLY}))


def host(name: str, report: Report, *, everything: bool = False) -> str:
    """A report of one host in a format of `HOST`; with `everything` text and JSON list every check."""
    if name == "text":
        from advisor.report import layout, text  # noqa: PLC0415

        return layout.plain(text.layout(report, everything=everything))
    if name in _OF_A_FLEET:
        from advisor.report.as_json import document  # noqa: PLC0415
        from advisor.report.fleet import from_documents  # noqa: PLC0415

        return fleet(name, from_documents([document(report, everything=True)]))
    module = importlib.import_module(f"advisor.report.{_OF_A_REPORT[name]}")
    return str(module.render(report, everything=everything) if name == "json" else module.render(report))


def fleet(name: str, report: FleetReport) -> str:
    """A report of many hosts in a format of `FLEET`."""
    module = importlib.import_module(f"advisor.report.{(_OF_A_FLEET | _OF_FLEETS_ONLY)[name]}")
    return str(module.render(report))
