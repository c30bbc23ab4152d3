"""Put captures into a store: many at once, in parallel, and again whenever there are new ones.

SOURCES are captures (`advisor capture`, or what Ansible brought), sosreports, or folders of these. What the store has
already is skipped, so a run that was interrupted goes on where it was; what cannot be read is told and skipped.

Ends with 0; with 3 when some sources could not be read, and 1 when none could.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from advisor.cli import ERROR, OK, UNSURE, _shared
from advisor.cli.fleet import _common
from advisor.hints import TYPE_CHECKING
from advisor.report.layout import clean

if TYPE_CHECKING:
    from advisor.fleet.ingest import Result

_MOST_SHOWN = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="a capture, a sosreport, or a folder of them")
    parser.add_argument("-o", "--output", required=True, metavar="STORE", type=Path, help="the folder of the store")
    parser.add_argument("--role", choices=_shared.ROLES, help="what these hosts are for")
    parser.add_argument("--label", action="append", default=[], type=_label, metavar="NAME=VALUE",
                        help="a label of these hosts; may be given again")  # fmt: skip
    parser.add_argument("--interval", type=_shared.seconds, metavar="TIME",
                        help="time between the samples of captures that do not say it themselves")  # fmt: skip
    parser.add_argument("--keep-raw", action="store_true", help="also keep the captures themselves, in STORE/raw")
    parser.add_argument("--jobs", type=_shared.count, metavar="N", help="processes to use (default: one per processor)")


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name.strip() or not equals:
        raise argparse.ArgumentTypeError(f"'{text}' is no label; write NAME=VALUE")
    return name.strip(), value


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    _common.need()
    from advisor.fleet.ingest import Options, ingest  # noqa: PLC0415
    from advisor.fleet.sources import find  # noqa: PLC0415
    from advisor.fleet.store import create_store  # noqa: PLC0415

    options = Options(
        role=arguments.role,
        labels=tuple(sorted(dict(arguments.label).items())),
        interval_s=arguments.interval,
        keep_raw=arguments.keep_raw,
        jobs=arguments.jobs or len(os.sched_getaffinity(0)),
    )
    sources = find(arguments.sources)
    store = create_store(arguments.output)
    result = ingest(store, sources, options, _progress if sys.stderr.isatty() else None)
    _say(result, arguments.output, store.captures)
    if not result.broken:
        return OK
    return UNSURE if result.added or result.skipped else ERROR


def _progress(done: int, whole: int, broken: int) -> None:
    bar = "#" * (30 * done // max(1, whole))
    sys.stderr.write(f"\r[{bar:<30}] {done} of {whole}" + (f", {broken} broken" if broken else "") + "\033[K")
    sys.stderr.write("\r\033[K" if done >= whole else "")
    sys.stderr.flush()


def _say(result: Result, store: Path, captures: int) -> None:
    """The summary; each broken source and each remark, up to a number of lines that can be read."""
    lines = [f"not ingested: {source}: {why}" for source, why in result.broken]
    lines += [f"note: {remark}" for remark in result.remarks]
    for line in lines[:_MOST_SHOWN]:
        print(clean(line), file=sys.stderr)
    if len(lines) > _MOST_SHOWN:
        print(f"… and {len(lines) - _MOST_SHOWN} more", file=sys.stderr)
    counts = [f"{result.added} added"]
    counts += [f"{result.skipped} there already"] if result.skipped else []
    counts += [f"{len(result.broken)} not readable"] if result.broken else []
    print(f"{clean(str(store))}: {', '.join(counts)}; {captures} captures in all", file=sys.stderr)
