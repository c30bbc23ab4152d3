"""Which rules can be decided with what this fleet collects, and what exactly would decide the rest.

For each kind of source in the store: the rules that are decided on every host, on some, on none, why, and what would
change that. And for the collectors that many fleets have already (node_exporter, PCP, sar): how many rules their
records could decide, and the exact options to add. Without STORE only the latter.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from advisor.cli import OK, _shared
from advisor.cli.fleet import _common
from advisor.hints import TYPE_CHECKING
from advisor.report import coverage_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from advisor.fleet.coverage import Source
    from advisor.rulebook.library import Check


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("store", nargs="?", metavar="STORE", type=Path, help="a folder made by advisor fleet ingest")
    parser.add_argument("--engine", default="duckdb", metavar="NAME", help="duckdb (default) or rows")
    _shared.add_rules(parser)
    _shared.add_output(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    from advisor.fleet.coverage import reaches  # noqa: PLC0415

    rules = _shared.checks(arguments)
    found = _sources(arguments, rules) if arguments.store else ()
    collectors = reaches(rules)
    if arguments.format == "json":
        text = json.dumps(coverage_text.document(found, collectors), indent=1, ensure_ascii=False)
        _shared.put(arguments, text.encode("utf-8", "replace").decode() + "\n")
    else:
        _shared.show_lines(arguments, coverage_text.layout(found, collectors, _shared.width()))
    return OK


def _sources(arguments: argparse.Namespace, rules: Sequence[Check]) -> tuple[Source, ...]:
    store = _common.store_of(arguments)
    from advisor.fleet.coverage import sources  # noqa: PLC0415
    from advisor.fleet.evaluate import evaluate  # noqa: PLC0415

    unknown: dict[str, dict[str, Counter[str]]] = {}
    hosts: Counter[str] = Counter()
    with evaluate(store, rules, arguments.engine) as answers:
        for _key, how, reasons in answers.hosts(["@how", "@unknown"]):
            hosts[how] += 1
            of_kind = unknown.setdefault(how, {})
            for reason, names in json.loads(reasons or "{}").items():
                for name in names:
                    of_kind.setdefault(name, Counter())[reason] += 1
        return sources(answers.counts(["@how"]), unknown, rules, hosts)
