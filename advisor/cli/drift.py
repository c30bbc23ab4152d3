"""Compare what runs with what the next boot sets, and with what is desired.

example: advisor drift host.tar.gz --desired site.yml
         advisor drift --desired vm.swappiness=10 --desired 'vm.min_free_kbytes>=131072'

For each setting that drifts: the values side by side, which line of which file wins at boot, which lines lose and why,
what `sysctl --system` would set, and who else sets it (TuneD, saptune, the kernel command line, a kubelet, scripts).
A file of what is desired may be YAML or JSON (setting: value), a sysctl.d file, or a plan. SOURCE may be any capture.
Ends with 2 when something drifts, and with 3 when SOURCE does not hold the files that would tell.
"""

from __future__ import annotations

import json
import re
import sys

from advisor.cli import FOUND, OK, UNSURE, _shared
from advisor.errors import AdvisorError, Unknown, UsageError
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from advisor.drift import Drift

_WISH = re.compile(r"\s*([\w.-]+)\s*(==|>=|<=|=)(.*)", re.DOTALL)
_LARGEST = 1 << 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="any capture; without it: this host, read once")
    parser.add_argument("--desired", action="append", default=[], metavar="FILE|SETTING=VALUE",
                        help="what is wanted: ==, >= and <= may stand for =; may be given again")  # fmt: skip
    parser.add_argument("--all", action="store_true", help="also show what is set and does not drift")
    _shared.add_output(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    from advisor.drift import drift  # noqa: PLC0415

    desired: dict[str, object] = {}
    for word in arguments.desired:
        desired |= _desired(word)
    capture = _shared.one_sample(arguments.source)
    try:
        found = drift(capture, desired)
    except Unknown as reason:
        print(f"advisor: {reason}", file=sys.stderr)
        return UNSURE
    _show(arguments, found)
    return FOUND if found.differing() else OK


def _show(arguments: argparse.Namespace, found: Drift) -> None:
    from advisor.report import drift as form  # noqa: PLC0415

    if arguments.format == "json":
        document = form.document(found, everything=arguments.all)
        _shared.put(arguments, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    else:
        _shared.show_lines(arguments, form.layout(found, _shared.width(), everything=arguments.all))


def _desired(word: str) -> dict[str, object]:
    wish = _WISH.fullmatch(word)
    if wish is None:
        return _of_file(word)
    name, operator, value = wish.groups()
    return {name: value.strip() if operator in {"=", "=="} else f"{operator} {value.strip()}"}


def _of_file(path: str) -> dict[str, object]:
    from pathlib import Path  # noqa: PLC0415  (slow to load)

    try:
        data = Path(path).read_bytes()[: _LARGEST + 1]
        text = data.decode()
    except UnicodeDecodeError:
        raise AdvisorError(f"{path} is no text", "give YAML, JSON, a sysctl.d file, or SETTING=VALUE") from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"{path}: {why}", "say SETTING=VALUE, or name a file of such") from None
    if len(data) > _LARGEST:
        raise AdvisorError(f"{path} has more than 1 MiB", "that is no file of settings")
    from advisor.transaction import read_wishes  # noqa: PLC0415

    return read_wishes(text, path)
