"""`--report FORMAT=FILE`, for every command that reports: read before the work, written after it."""

from __future__ import annotations

import os
from pathlib import Path

from advisor.cli import _shared
from advisor.errors import UsageError
from advisor.hints import TYPE_CHECKING
from advisor.record import Record
from advisor.report import formats

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SHORT = {"md": "markdown", "prom": "prometheus", "xml": "junit"}


class Target(Record):
    """A report to write: its format, and the file, or ``-`` for stdout."""

    format: str
    path: str


def parse(texts: Sequence[str], *, known: Sequence[str] = formats.HOST, usual: str | None = None) -> tuple[Target, ...]:
    """What the values of `--report` ask for.

    Args:
        texts: FORMAT=FILE, each.
        known: formats that the command has.
        usual: where its usual output goes, when that is a file.

    Raises:
        UsageError: an unknown format, a file twice, a folder that is not there; all that would fail after the work.
    """
    targets = tuple(_target(text, known) for text in texts)
    taken = {os.path.realpath(usual): "--output"} if usual not in {None, "-"} else {}
    for target in targets:
        place = "stdout" if target.path == "-" else os.path.realpath(target.path)
        if place in taken:
            raise UsageError(f"{target.format} and {taken[place]} would both go to {place}", "name another file")
        if place not in {os.devnull, "/dev/stdout"}:
            taken[place] = target.format
        if target.path != "-":
            _check(target.path)
    return targets


def _target(text: str, known: Sequence[str]) -> Target:
    name, equals, path = text.partition("=")
    name = _SHORT.get(name, name)
    if name not in known:
        from advisor.engine.suggest import did_you_mean  # noqa: PLC0415  (only for a mistake)

        hint = did_you_mean(name, known) or f"formats: {', '.join(known)}"
        raise UsageError(f"--report {text}: unknown format '{name}'", hint)
    if not equals or not path:
        raise UsageError(f"--report {text} names no file", f"write {name}=FILE, or {name}=- for stdout")
    return Target(name, path)


def _check(path: str) -> None:
    """Refuses a path that could not be written to."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise UsageError(f"{path} is a folder", "name a file in it")
    if not target.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {target.parent}", "make it first, or name another file")
    if not os.access(target.parent, os.W_OK) and not os.access(target, os.W_OK):
        raise UsageError(f"{path}: the folder {target.parent} cannot be written to", "name another file")


def write(targets: Sequence[Target], render: Callable[[str], str]) -> bool:
    """Makes every report, and then writes each whole or not at all; whether stdout got one."""
    texts = {target: render(target.format) for target in targets}
    for target, text in texts.items():
        _shared.write_text(target.path, text)
    return any(target.path == "-" for target in targets)
