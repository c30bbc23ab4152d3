"""The command `advisor`: arguments in, output and exit code out; no logic.

Each command is a module of this package: its docstring is its help, `configure` declares its arguments, `run` does
it. A command's module is imported only when it is called.

Exit codes: 0 nothing at or above --fail-on; 1 error, usage included; 2 findings; 3 could not judge; 130 interrupted.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import os
import sys
from functools import partial

from advisor import __version__
from advisor.discovery import modules
from advisor.errors import AdvisorError, UsageError
from advisor.hints import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, ERROR, FOUND, UNSURE, INTERRUPTED = 0, 1, 2, 3, 130

_EPILOG = """\
examples:
  advisor check                        judge this host over 60 seconds
  advisor check capture.tar.gz         judge a recorded host, a sosreport, a folder with proc/
  advisor capture -o host.tar.gz       record this host, to be judged elsewhere
  advisor explain RULE SOURCE          why a rule fired, or did not
  advisor predict vm.watermark_scale_factor=100
                                       what a change would do, before it is made
"""


class _Parser(argparse.ArgumentParser):
    """Usage errors end with code 1, in one line, with the nearest right word."""

    def __init__(self, prog: str, description: str | None, **more: Any) -> None:
        # Each argument is tried on a formatter, and that of argparse loads shutil, with every compression library,
        # to learn the width of the terminal. This one is told a width; help itself is formatted by the real one.
        quick = partial(argparse.HelpFormatter, width=80)
        super().__init__(prog, description=description, formatter_class=quick, allow_abbrev=False, **more)

    def format_help(self) -> str:
        self.formatter_class = argparse.RawDescriptionHelpFormatter
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        raise UsageError(message.replace("unrecognized arguments", "unknown arguments"), f"try: {self.prog} --help")


def _commands() -> list[str]:
    return [name for name in modules(__path__) if not name.startswith("_")]


def _about(command: str) -> str:
    """First sentence of a command's help."""
    module = importlib.import_module(f"advisor.cli.{command}")
    return (module.__doc__ or "").partition("\n")[0].partition(". ")[0].rstrip(".")


def _overview() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:<10} {_about(name)}" for name in _commands())
    parser = _Parser(
        "advisor",
        f"Tells why memory hurts on a Linux host, and what to change.\n\ncommands:\n{lines}",
        usage="advisor COMMAND [ARGUMENTS]",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="store_true", help="show the version")
    return parser


def _unknown(command: str) -> UsageError:
    from advisor.engine.suggest import did_you_mean  # noqa: PLC0415  (only for a mistake)

    hint = did_you_mean(command, _commands()) or f"commands: {', '.join(_commands())}"
    return UsageError(f"unknown command '{command}'", hint)


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["--version"]:
        print(f"memadvisor {__version__}")
        return OK
    if not arguments or arguments[0] in {"-h", "--help"}:
        parser = _overview()
        parser.parse_args(arguments)
        parser.print_help()
        return OK if arguments else ERROR
    command, *rest = arguments
    if command not in _commands():
        raise _unknown(command)
    module = importlib.import_module(f"advisor.cli.{command}")
    parser = _Parser(f"advisor {command}", module.__doc__)
    module.configure(parser)
    return int(module.run(_parsed(parser, rest)))


def _parsed(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """The arguments, also with an option between two that have none: explain RULE --role jvm SOURCE."""
    parsed, left = parser.parse_known_args(arguments)
    return parser.parse_intermixed_args(arguments) if left else parsed


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; every error becomes one clear message."""
    if arguments is None:
        _spare_the_collector()
    try:
        code = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except AdvisorError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone (advisor check | head); nothing more to say, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}")
    except Exception as error:
        if os.environ.get("MEMADVISOR_DEBUG"):
            raise
        return _fail(f"internal error: {type(error).__name__}: {error}; please report it with the capture")
    return code


def _spare_the_collector() -> None:
    """Tells Python's garbage collector that the process is short.

    A start makes some 100 000 objects that stay, and looking through them again and again, once more at the end, is a
    tenth of the run.
    """
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)


def _fail(message: str) -> int:
    from advisor.report.layout import clean  # noqa: PLC0415  (only for a mistake)

    # Rule errors show lines and a caret: keep their line breaks, and nothing else that drives a terminal.
    shown = "\n".join(clean(line) for line in message.split("\n"))
    print(f"advisor: {shown}", file=sys.stderr)
    return ERROR
