"""Hosts that are alike in size, kernel and role: one value for each class, and who stands out by what.

For each class the value of every setting that hosts ask for (the median, with the spread), settings that differ from
what most hosts of the class have, and hosts that stand out, with the signals that set them apart. Also found: the
same vm.min_free_kbytes on hosts of quite different sizes.
"""

from __future__ import annotations

import json

from advisor.cli import OK, _shared
from advisor.cli.fleet import _judging
from advisor.hints import TYPE_CHECKING
from advisor.report import classes_text

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    _judging.add_arguments(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    hosts = _judging.alike(arguments)
    from advisor.fleet.classes import classes, copied  # noqa: PLC0415

    found, copies = classes(hosts), copied(hosts)
    if arguments.format == "json":
        text = json.dumps(classes_text.document(found, copies), indent=1, ensure_ascii=False)
        _shared.put(arguments, text.encode("utf-8", "replace").decode() + "\n")
    else:
        _shared.show_lines(arguments, classes_text.layout(found, copies, _shared.width()))
    return OK
