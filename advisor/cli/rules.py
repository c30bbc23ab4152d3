"""List, test and describe the rules.

advisor rules list            every rule with its severity and what it diagnoses
advisor rules test [PATH…]    check rule files and run the cases that they hold
advisor rules schema          JSON schema of a rule file, for editors
advisor rules docs            the reference of all rules, as Markdown
"""

from __future__ import annotations

import json
from pathlib import Path

from advisor.cli import ERROR, OK, _shared
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from advisor.report.layout import Line


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("what", choices=("list", "test", "schema", "docs"))
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="rule files or folders; default: the built-in ones",
    )
    _shared.add_output(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    actions = {"list": _list, "test": _test, "schema": _schema, "docs": _docs}
    return actions[arguments.what](arguments)


def _list(arguments: argparse.Namespace) -> int:
    from advisor.rulebook import library  # noqa: PLC0415

    rules = [check.rule() for check in library.load(arguments.paths)]
    rules.sort(key=lambda rule: rule.id)
    if arguments.format == "json":
        found = [{"id": r.id, "title": r.title, "severity": r.severity, "diagnosis": r.diagnosis, "scope": r.scope,
                  "status": r.status} for r in rules]  # fmt: skip
        _shared.put(arguments, json.dumps(found, indent=2) + "\n")
        return OK
    widest = max(len(rule.id) for rule in rules)
    lines: list[Line] = [
        [(rule.id.ljust(widest + 2), "title"), (rule.severity.ljust(10), rule.severity), (rule.title, "")]
        for rule in rules
    ]
    _shared.show_lines(arguments, [*lines, [(f"{len(rules)} rules", "quiet")]])
    return OK


def _test(arguments: argparse.Namespace) -> int:
    from advisor.rulebook import cases, library, source  # noqa: PLC0415

    failures, files, tried = [], library.rule_files(arguments.paths or [library.builtin_folder()]), 0
    for file in files:
        loaded = source.load(library.read_rule(file), str(file))
        tried += len(loaded.part.cases)
        failures += list(cases.run(loaded))
    lines = [f"{failure.rule}: {failure.case or 'cases'}: {failure.what}\n" for failure in failures]
    _shared.put(arguments, "".join(lines) + f"{len(files)} rules, {tried} cases, {len(failures)} failures\n")
    return ERROR if failures else OK


def _schema(arguments: argparse.Namespace) -> int:
    from advisor.rulebook import schema  # noqa: PLC0415

    _shared.put(arguments, json.dumps(schema.json_schema(), indent=2) + "\n")
    return OK


def _docs(arguments: argparse.Namespace) -> int:
    from advisor.report import reference  # noqa: PLC0415
    from advisor.rulebook import library  # noqa: PLC0415

    rules = [check.rule() for check in library.load(arguments.paths)]
    _shared.put(arguments, reference.render(rules))
    return OK
