"""Say whether a change helped: captures from before and after it, judged with noise bounds, per unit of work.

BEFORE and AFTER are captures with many samples (advisor capture --window 10min --samples 11). Each pair of neighbouring
samples is a window: five on each side are the least, ten are good. Without --plan the settings that differ are judged.
Exit codes: 0 better or the same, 2 worse, 3 cannot tell, 1 error.
"""

from __future__ import annotations

from advisor.cli import FOUND, OK, UNSURE, _shared
from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from advisor.capture.model import Capture


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("before", metavar="BEFORE", help="capture from before the change")
    parser.add_argument("after", metavar="AFTER", help="capture from after it")
    parser.add_argument("--before", dest="more_before", action="append", default=[], metavar="CAPTURE",
                        help="another from before the change; from four each on, captures are the windows")  # fmt: skip
    parser.add_argument("--after", dest="more_after", action="append", default=[], metavar="CAPTURE",
                        help="another one from after it")  # fmt: skip
    parser.add_argument("--plan", metavar="FILE", help="the plan that was carried out: advisor plan --format json")
    work = parser.add_mutually_exclusive_group()
    work.add_argument("--requests", nargs=2, type=float, metavar=("N_BEFORE", "N_AFTER"),
                      help="requests that the host served in all of BEFORE and of AFTER: the unit of work")  # fmt: skip
    work.add_argument("--work", metavar="SIGNAL", help="a rate as the unit of work (default: rate.pgalloc)")
    parser.add_argument("--interval", type=_shared.seconds, metavar="TIME",
                        help="time from the first to the last sample, where a capture does not say itself")  # fmt: skip
    parser.add_argument("--ledger", metavar="FILE",
                        help="keep the verdict there (default: ~/.local/state/memadvisor/ledger.jsonl)")  # fmt: skip
    parser.add_argument("--no-ledger", action="store_true", help="do not keep the verdict")
    _shared.add_rules(parser)
    _shared.add_output(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    from advisor.verify import BETTER, SAME, WORSE, How, document, verify  # noqa: PLC0415
    from advisor.verify.sides import measure  # noqa: PLC0415

    requests = tuple(arguments.requests) if arguments.requests else None
    work = measure(arguments.work, requests)
    verification = verify(
        _opened(arguments, [arguments.before, *arguments.more_before]),
        _opened(arguments, [arguments.after, *arguments.more_after]),
        _shared.checks(arguments),
        _shared.read_json(arguments.plan, "a plan") if arguments.plan else None,
        How(arguments.role, work),
    )
    if arguments.format == "json":
        import json  # noqa: PLC0415

        text = json.dumps(document(verification), indent=2, ensure_ascii=False)
        _shared.put(arguments, text.encode("utf-8", "replace").decode() + "\n")
    else:
        from advisor.report import verification as report  # noqa: PLC0415

        _shared.show_lines(arguments, report.layout(verification, _shared.width()))
    if not arguments.no_ledger:
        _keep(arguments.ledger, document(verification))
    return {BETTER: OK, SAME: OK, WORSE: FOUND}.get(verification.verdict, UNSURE)


def _keep(path: str | None, verification: dict[str, Any]) -> None:
    """Adds the verification to the ledger."""
    import time  # noqa: PLC0415

    from advisor import ledger  # noqa: PLC0415

    try:
        ledger.keep(path or ledger.default_path(), verification, time.time())
    except (OSError, AdvisorError) as error:
        if path is not None:
            raise
        # Nobody asked for a file there; the verdict is what counts.
        _shared.warn(f"the verdict was not kept: {error}; --ledger FILE keeps it elsewhere, --no-ledger nowhere")


def _opened(arguments: argparse.Namespace, sources: list[str]) -> list[Capture]:
    from advisor.capture.open import open_capture  # noqa: PLC0415

    return [open_capture(source, interval_s=arguments.interval) for source in sources]
