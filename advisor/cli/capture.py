"""Record a host: raw text of the kernel's files, to be judged later or elsewhere.

The file holds what `advisor check` would have read; judging it gives the same report.
"""

from __future__ import annotations

import sys

from advisor.cli import OK, _shared
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    _shared.add_source(parser)
    _shared.add_redact(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FILE",
                        help="a .tar.gz or .tar.xz, a folder, or - for a .tar.gz on stdout")  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace what is there")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    from advisor.capture.write import check_target, write_capture  # noqa: PLC0415
    from advisor.units import format_bytes, format_seconds  # noqa: PLC0415

    check_target(arguments.output, force=arguments.force)
    capture = _shared.obtain(arguments)
    write_capture(capture, arguments.output, force=arguments.force)
    said = f"{len(capture.samples)} sample{'s' if len(capture.samples) > 1 else ''}"
    if capture.cost:
        said += f", {format_seconds(capture.cost.cpu_s)} of CPU, {format_bytes(capture.cost.bytes_read)} read"
    print(f"{arguments.output}: {said}", file=sys.stderr)
    return OK
