"""What several commands share: where samples come from, which rules hold, where output goes."""

from __future__ import annotations

import argparse
import re
import sys

from advisor.errors import UsageError
from advisor.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from advisor.analysis import Report
    from advisor.capture.model import Capture
    from advisor.experience import Trial
    from advisor.policy.inventory import Inventory
    from advisor.policy.local import InForce
    from advisor.rulebook.library import Check

ROLES = ("database", "jvm", "kubernetes-node", "cache", "latency", "vm-host", "desktop", "hpc", "small-vm")

_SPAN = r"(\d+(?:\.\d+)?)\s*(ms|s|sec|m|min|h)?"
_SECONDS = {None: 1.0, "ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_LONGEST_WINDOW_S = 86400.0


def seconds(text: str) -> float:
    """A time span as people write it: 60, 60s, 5min.

    >>> seconds("5min"), seconds("1.5"), seconds("2 h")
    (300.0, 1.5, 7200.0)
    """
    found = re.fullmatch(_SPAN, text.strip())
    if not found or not 0 < float(found[1]) * _SECONDS[found[2]] <= _LONGEST_WINDOW_S:
        raise argparse.ArgumentTypeError(f"'{text}' is no time span above 0 and up to a day; write 60, 90s or 5min")
    return float(found[1]) * _SECONDS[found[2]]


def count(text: str) -> int:
    """A number of samples, 1 or more."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no number of samples; write 2 or more, or 1 for averages since boot"
        )
    return int(text)


def add_source(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is judged."""
    parser.add_argument("source", nargs="?", metavar="SOURCE",
                        help="a folder, .tar.gz or .tar.xz, sosreport, a tree with proc/, or - for a tar on stdin; "
                             "without it: this host")  # fmt: skip
    parser.add_argument("--window", type=seconds, metavar="TIME", help="how long to watch this host (default: 60s)")
    parser.add_argument("--samples", type=count, metavar="N", help="how many samples to take in that time (default: 2)")
    parser.add_argument("--interval", type=seconds, metavar="TIME",
                        help="time between the samples of SOURCE, where it does not say itself")  # fmt: skip


def add_rules(parser: argparse.ArgumentParser) -> None:
    """The arguments that say by which rules."""
    parser.add_argument("--rules", action="append", metavar="FOLDER",
                        help="rules to use besides those that come with memadvisor; may be given again")  # fmt: skip
    parser.add_argument("--role", choices=ROLES, help="what the host is for; context for some rules, never the answer")


def add_policy(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is demanded on top of the rules."""
    parser.add_argument(
        "--policy", metavar="FILE", help="required values, changed rules, waivers and gate; see docs/policy.md"
    )
    parser.add_argument("--inventory", metavar="FILE",
                        help="an Ansible inventory, or the saved output of ansible-inventory --list: the groups and "
                             "labels of hosts for the policy")  # fmt: skip
    parser.add_argument("--label", action="append", type=label, metavar="NAME=VALUE", default=[],
                        help="a label of the host for the groups of the policy; may be given again")  # fmt: skip


def add_ledger(parser: argparse.ArgumentParser) -> None:
    """The argument that says what was tried before."""
    parser.add_argument("--ledger", metavar="FILE",
                        help="what advisor verify kept: a setting that made hosts of this class worse is not proposed "
                             "again without new evidence")  # fmt: skip


def past(arguments: argparse.Namespace) -> tuple[Trial, ...]:
    """What was tried before, by the ledger that the arguments name.

    Raises:
        UsageError: there is no such file.
    """
    path = getattr(arguments, "ledger", None)
    if path is None:
        return ()
    import os  # noqa: PLC0415

    from advisor import ledger  # noqa: PLC0415

    if not os.path.exists(path):  # noqa: PTH110 (pathlib is slow to load)
        raise UsageError(f"{path}: no such ledger", "advisor verify --ledger FILE writes one")
    return ledger.read(path, warn)


def read_json(path: str, what: str) -> dict[str, Any]:
    """A JSON object from a file that one of our commands wrote.

    Raises:
        UsageError: it is no JSON object.
    """
    import json  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415  (slow to load)

    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"{path}: no JSON{where}", f"give {what} as --format json printed it") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path}: not {what}", f"give {what} as --format json printed it")
    return found


def warn(text: str) -> None:
    """Says something beside the output: one line on stderr."""
    from advisor.report.layout import clean  # noqa: PLC0415

    print(f"advisor: {clean(text)}", file=sys.stderr)


def label(text: str) -> tuple[str, str]:
    """A label as NAME=VALUE.

    >>> label("env=prod")
    ('env', 'prod')
    """
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise argparse.ArgumentTypeError(f"'{text}' is no label; write NAME=VALUE, such as env=prod")
    return name, value


def add_output(parser: argparse.ArgumentParser, *formats: str) -> None:
    """The arguments that say what comes out, and where."""
    parser.add_argument("-f", "--format", choices=formats, default=formats[0], help=f"default: {formats[0]}")
    parser.add_argument("-o", "--output", metavar="FILE", help="write there instead of to stdout")
    parser.add_argument("--color", action=argparse.BooleanOptionalAction, help="colours; default: on a terminal")


def add_redact(parser: argparse.ArgumentParser) -> None:
    """The arguments that hide names."""
    parser.add_argument("--redact", action="store_true",
                        help="pseudonyms for hosts, addresses, processes, users and control groups")  # fmt: skip
    parser.add_argument("--redact-key", metavar="FILE",
                        help="the same, and with the same key the same pseudonyms; it stays secret")  # fmt: skip


def obtain(arguments: argparse.Namespace, *, window_s: float = 60.0) -> Capture:
    """The capture that the arguments ask for: of a source or of this host, with pseudonyms where they are asked for."""
    hide = redactor(arguments)
    return hide(_obtain(arguments, window_s))


def redactor(arguments: argparse.Namespace) -> Callable[[Capture], Capture]:
    """Gives names their pseudonyms where the arguments ask for it; made early, since it reads the key."""
    if not getattr(arguments, "redact", False) and getattr(arguments, "redact_key", None) is None:
        return lambda capture: capture
    from advisor.capture.redact import read_key, redact  # noqa: PLC0415

    key = read_key(arguments.redact_key)
    return lambda capture: redact(capture, key)


def _obtain(arguments: argparse.Namespace, window_s: float = 60.0) -> Capture:
    if arguments.source is not None:
        if arguments.window is not None or arguments.samples is not None:
            raise UsageError("--window and --samples are for this host; SOURCE has its samples already",
                             "say --interval TIME if SOURCE does not tell the time between them")  # fmt: skip
        from advisor.capture.open import open_capture  # noqa: PLC0415

        return open_capture(arguments.source, interval_s=arguments.interval)
    from advisor.capture.live import capture_live  # noqa: PLC0415

    return capture_live(arguments.window or window_s, arguments.samples or 2, progress=progress())


def one_sample(source: str | None) -> Capture:
    """A source, or this host read once: for what needs no window."""
    if source is not None:
        from advisor.capture.open import open_capture  # noqa: PLC0415

        return open_capture(source)
    from advisor.capture.live import capture_live  # noqa: PLC0415

    return capture_live(0, 1, processes=False)


def progress() -> Callable[[float, float], None] | None:
    """Shows on a terminal how far the window has come; nothing elsewhere."""
    if not sys.stderr.isatty():
        return None

    def show(done_s: float, whole_s: float) -> None:
        if done_s >= whole_s:
            sys.stderr.write("\r\033[K")
        else:
            sys.stderr.write(f"\rwatching this host: {done_s:.0f} of {whole_s:.0f} s ")
        sys.stderr.flush()

    return show


def checks(arguments: argparse.Namespace) -> tuple[Check, ...]:
    """The rules in force."""
    from advisor.rulebook import library  # noqa: PLC0415

    own = arguments.rules or []
    return library.load([library.BUILTIN, *own])


def judged(arguments: argparse.Namespace) -> Report:
    """The report that the arguments ask for."""
    from advisor.analysis import analyse  # noqa: PLC0415

    rules = checks(arguments)  # before the window: a wrong rule or policy must not cost a minute
    before = past(arguments)
    if getattr(arguments, "policy", None) is None:
        return analyse(obtain(arguments), rules, arguments.role, past=before)
    from advisor.analysis import local_for  # noqa: PLC0415

    policy, inventory, hide = in_force(arguments, rules), inventory_of(arguments), redactor(arguments)
    capture = _obtain(arguments)
    member = inventory.member(capture.host, dict(arguments.label))  # by its own name, which may go now
    capture = hide(capture)
    return analyse(capture, rules, arguments.role, local_for(capture, policy, member, arguments.role), before)


def in_force(arguments: argparse.Namespace, rules: Sequence[Check]) -> InForce:
    """The policy that the arguments name; which waivers hold is decided by the day where the user is."""
    from datetime import date  # noqa: PLC0415

    from advisor.policy import load  # noqa: PLC0415  (YAML, pydantic, Jinja2)

    return load.in_force(arguments.policy, rules, date.today())


def inventory_of(arguments: argparse.Namespace) -> Inventory:
    """The inventory that the arguments name; an empty one without."""
    from advisor.policy import inventory, load  # noqa: PLC0415

    return load.read_inventory(arguments.inventory) if arguments.inventory else inventory.EMPTY


def width() -> int:
    """Columns to use: those of the terminal, from 60 to 120; 100 elsewhere."""
    if not sys.stdout.isatty():
        return 100
    import shutil  # noqa: PLC0415

    return max(60, min(120, shutil.get_terminal_size((100, 24)).columns))


def show_lines(arguments: argparse.Namespace, lines: list[list[tuple[str, str]]]) -> None:
    """Prints styled lines: with colours on a terminal, plain elsewhere."""
    from advisor.report import layout  # noqa: PLC0415

    if arguments.output is None and (arguments.color or (arguments.color is None and sys.stdout.isatty())):
        layout.to_terminal(lines, sys.stdout, color=arguments.color)
    else:
        put(arguments, layout.plain(lines))


def put(arguments: argparse.Namespace, text: str) -> None:
    """Writes text to stdout or, whole or not at all, to the file that was named."""
    write_text("-" if arguments.output is None else arguments.output, text)


def write_text(path: str, text: str) -> None:
    """Writes a file, whole or not at all; ``-`` is stdout. Links are followed; pipes and devices are written to."""
    data = text.encode("utf-8", "replace")
    if path == "-":
        sys.stdout.buffer.write(data)
        return
    import os  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415  (slow to load)

    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    new = target.with_name(f".{target.name[:100]}.{os.getpid()}")
    try:
        new.write_bytes(data)
        if target.exists():
            new.chmod(target.stat().st_mode & 0o777)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
