"""The JSON of a fleet's report: what the callback of the collection and `advisor fleet` write, and how it is merged."""

from __future__ import annotations

from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING, Any
from advisor.report.fleet import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAME = "memadvisor/fleet-report/"


def checked(document: Any, source: str) -> dict[str, Any]:
    """A document of this version.

    Args:
        document: parsed JSON.
        source: where it comes from, for messages.

    Raises:
        AdvisorError: it is something else, damaged, or of a newer version.
    """
    schema = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(schema, str) or not schema.startswith(_NAME):
        raise AdvisorError(
            f"{source}: is no report of a fleet", "the callback memadvisor.linux.fleet_report writes one"
        )
    if schema != SCHEMA:
        raise AdvisorError(f"{source}: {schema[:60]} is not what this memadvisor reads", "upgrade memadvisor")
    hosts, unreadable = document.get("hosts"), document.get("unreadable", [])
    if not _named(hosts) or not isinstance(unreadable, list) or not isinstance(document.get("runs", {}), dict):
        raise AdvisorError(f"{source}: the report is damaged", "write it again")
    return dict(document)


def _named(hosts: Any) -> bool:
    return isinstance(hosts, list) and all(
        isinstance(h, dict) and isinstance(h.get("host"), dict) and isinstance(h["host"].get("name"), str)
        for h in hosts
    )


def merged(documents: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """One document of several, and a remark for each host that was in more than one.

    Of two reports of one host the one that was measured later counts, and where that is not known the later document.
    A host that could be judged in one of them is not unreadable.
    """
    hosts: dict[str, Mapping[str, Any]] = {}
    runs: dict[str, Any] = {}
    remarks: list[str] = []
    unreadable: dict[str, str] = {}
    for document in documents:
        for host in document["hosts"]:
            name = host["host"]["name"]
            if name in hosts:
                remarks.append(f"{name}: in more than one report; the later one counts")
            if name not in hosts or _taken(host) >= _taken(hosts[name]):
                hosts[name] = host
        runs |= document.get("runs", {})
        unreadable |= {each["source"]: each["why"] for each in document.get("unreadable", [])}
    notes = dict.fromkeys(note for document in documents for note in document.get("notes", []))
    return {
        "schema": SCHEMA,
        "hosts": [hosts[name] for name in sorted(hosts)],
        "runs": dict(sorted(runs.items())),
        "unreadable": [{"source": s, "why": why} for s, why in sorted(unreadable.items()) if s not in hosts],
        "notes": list(notes),
    }, tuple(dict.fromkeys(remarks))


def _taken(host: Mapping[str, Any]) -> float:
    capture = host.get("capture")
    taken = capture.get("taken_s") if isinstance(capture, dict) else None
    return taken if isinstance(taken, float | int) else 0.0
