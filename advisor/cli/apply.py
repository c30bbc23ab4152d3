"""Measure hosts, change what would help, measure again, and undo what did harm.

advisor apply                        this host: shows the plan, asks, changes it
advisor apply --check -i INVENTORY   what would be changed on these hosts
advisor apply --yes -i INVENTORY     without asking; one host first, then in batches
advisor apply --plan plan.json       what `advisor plan --format json` printed on this host

Runs the role memadvisor.linux.tune by Ansible; it is the only way in which memadvisor changes a host. A host that does
not answer after a change, or that becomes worse, puts itself back.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from advisor.cli import ERROR, FOUND, OK, _playbook, _shared
from advisor.errors import UsageError
from advisor.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from advisor.cli._playbook import Outcome


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    _playbook.add_hosts(parser)
    add_consent(parser, "changing anything")
    parser.add_argument("--plan", metavar="FILE", help="change what this plan says, instead of what is measured now")
    parser.add_argument("--window", type=_shared.seconds, default=60.0, metavar="TIME",
                        help="how long to watch the hosts, before and after (default: 60s)")  # fmt: skip
    parser.add_argument("--max-risk", choices=("low", "medium", "high"), default="low",
                        help="the highest risk to take without a person's look at it (default: low)")  # fmt: skip
    _shared.add_rules(parser)
    parser.add_argument("--policy", metavar="FILE", help="required values, changed rules, waivers; see docs/policy.md")


def add_consent(parser: argparse.ArgumentParser, act: str) -> None:
    """The arguments that say whether to ask."""
    parser.add_argument("--check", action="store_true", help=f"say what would happen, without {act}")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    need_consent(arguments)
    with tempfile.TemporaryDirectory(prefix="memadvisor-") as folder:
        variables = _variables(arguments, Path(folder))
        if not arguments.yes or arguments.check:
            _say(f"measuring for {arguments.window:g} s")
            foreseen = _playbook.play("apply", arguments, {**variables, "tune_batches": ["100%"]}, check=True)
            changes = show(foreseen, "would be changed")
            if arguments.check or not changes or not foreseen.ok:
                return OK if foreseen.ok else ERROR
            ask(f"Change {_hosts(changes)}?")
            variables["tune_captures"] = variables.pop("tune_keep_captures")  # what was shown is what is done
        _say(f"changing, and measuring again for {arguments.window:g} s")
        done = _playbook.play("apply", arguments, variables)
    show(done, "changed")
    return _verified(done)


def need_consent(arguments: argparse.Namespace) -> None:
    """Refuses to act where nobody could be asked.

    Raises:
        UsageError: there is no terminal, and no --yes.
    """
    if not (arguments.yes or arguments.check or sys.stdin.isatty()):
        raise UsageError("there is no terminal to ask on, and nothing is changed unasked",
                         "say --yes to change, or --check to see what would be")  # fmt: skip


def _variables(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    captures = folder / "captures"
    captures.mkdir()
    window = max(1, round(arguments.window))
    variables: dict[str, Any] = {
        "tune_window": window,
        "tune_confirm": 3 * window + 240,  # a host waits for the others of its batch
        "tune_max_risk": arguments.max_risk,
        "tune_host_role": arguments.role,
        "tune_rules": [str(Path(rules).absolute()) for rules in arguments.rules or []],
        "tune_policy": str(Path(arguments.policy).absolute()) if arguments.policy else "",
        "tune_report_dir": str(folder / "reports"),
        "tune_keep_captures": f"{captures}/",
    }
    if arguments.plan:
        variables["tune_plan"] = str(Path(arguments.plan).absolute())
        _look_at(arguments.plan)
    return variables


def _look_at(plan: str) -> None:
    try:
        document = json.loads(Path(plan).read_text(encoding="utf-8"))
    except ValueError:
        document = None
    if not isinstance(document, dict) or "recommendations" not in document:
        raise UsageError(f"{plan} is no plan", "make it with: advisor plan --format json -o FILE")


def show(outcome: Outcome, what: str) -> list[str]:
    """Prints what changes on each host, to stdout; the hosts on which anything does."""
    said = outcome.last("settings")
    changing = sorted(host for host, result in said.items() if result.get("changed"))
    names = sorted({*said, *(report["host"]["name"] for report in outcome.reports)} - {*outcome.failed})
    for host in names:
        if host not in changing:
            advised = [] if host in said else _advised(outcome, host)
            held = f"; advised, but not allowed by risk or hour: {', '.join(advised)}" if advised else ""
            print(f"{host}: nothing to change{held}")
            continue
        print(f"{host}: {what}")
        for line in _changes(said[host]):
            print(f"  {line}")
    for host, why in sorted(outcome.failed.items()):
        print(f"{host}: {why}", file=sys.stderr)
    return changing


def _advised(outcome: Outcome, host: str) -> list[str]:
    """The settings that the report of a host would change."""
    found = (report["recommendations"] for report in outcome.reports if report["host"]["name"] == host)
    return [
        entry["setting"]
        for entries in found
        for entry in entries
        if entry["kind"] == "setting" and entry["proposed"] is not None and not entry.get("entity")
    ]


def _changes(result: dict[str, Any]) -> list[str]:
    previous, actual = result.get("previous", {}), result.get("actual", {})
    lines = [f"{name}  {previous.get(name)} → {value}" for name, value in actual.items() if previous.get(name) != value]
    return [*lines, *(f"file {path}" for path in result.get("files", ())), *result.get("notes", ())]


def ask(question: str) -> None:
    """Goes on only after a yes.

    Raises:
        UsageError: the answer is another one.
    """
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise UsageError("nothing was changed")


def _hosts(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} hosts"


def _say(what: str) -> None:
    print(f"advisor: {what}", file=sys.stderr, flush=True)


def _verified(done: Outcome) -> int:
    worse = False
    for host, result in sorted(done.last("verify").items()):
        print(f"{host}: {result.get('msg', result.get('verdict'))}")
        worse = worse or result.get("verdict") == "worse"
    if worse:
        return FOUND
    return OK if done.ok else ERROR
