"""The command `advisor`: arguments in, output and exit code out; no logic.

Each command is a module of this package: its docstring is its help, `configure` declares its arguments, `run` does
it. A command's module is imported only when it is called. A group of commands (`advisor fleet …`) is a package below
this one: its docstring is its help, its modules are its commands.

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
from advisor.discovery import modules, packages
from advisor.errors import AdvisorError, UsageError
from advisor.hints import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OK, ERROR, FOUND, UNSURE, INTERRUPTED = 0, 1, 2, 3, 130

_EPILOG = """\
examples:
  advisor check                        judge this host over 60 seconds
  advisor check capture.tar.gz         judge a recorded host, a sosreport, a folder with proc/
  advisor capture -o host.tar.gz       record this host, to be judged elsewhere
  advisor explain RULE SOURCE          why a rule fired, or did not
  advisor predict vm.watermark_scale_factor=100
                                       what a change would do, before it is made
  advisor drift                        what runs, and what the next boot sets
  advisor apply                        change what helps, measure again, undo what did harm
  advisor verify BEFORE AFTER          whether a change helped
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


def _commands(folders: Iterable[str] = __path__) -> list[str]:
    """The commands of this package, or of a group of commands."""
    return [name for name in sorted([*modules(folders), *packages(folders)]) if not name.startswith("_")]


def _about(module: str) -> str:
    """First sentence of the help of a command or a group."""
    text = importlib.import_module(module).__doc__ or ""
    return text.partition("\n")[0].partition(". ")[0].rstrip(".")


def _overview() -> argparse.ArgumentParser:
    about = f"Tells why memory hurts on a Linux host, and what to change.\n\n{_list(__name__, __path__)}"
    parser = _Parser("advisor", about, usage="advisor COMMAND [ARGUMENTS]", epilog=_EPILOG)
    parser.add_argument("--version", action="store_true", help="show the version")
    return parser


def _list(package: str, folders: Iterable[str]) -> str:
    lines = "\n".join(f"  {name:<10} {_about(f'{package}.{name}')}" for name in _commands(folders))
    return f"commands:\n{lines}"


def _unknown(command: str, folders: Iterable[str]) -> UsageError:
    from advisor.engine.suggest import did_you_mean  # noqa: PLC0415  (only for a mistake)

    known = _commands(folders)
    hint = did_you_mean(command, known) or f"commands: {', '.join(known)}"
    return UsageError(f"unknown command '{command}'", hint)


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["--version"]:
        print(f"memadvisor {__version__}")
        return OK
    if not arguments or arguments[0] in {"-h", "--help"}:
        return _help(_overview(), arguments)
    return _command("advisor", __name__, __path__, arguments)


def _help(parser: argparse.ArgumentParser, arguments: list[str]) -> int:
    parser.parse_args(arguments)
    parser.print_help()
    return OK if arguments else ERROR


def _command(prog: str, package: str, folders: Iterable[str], arguments: list[str]) -> int:
    """Runs a command of a package; a group's commands are those of its own package."""
    command, *rest = arguments
    if command not in _commands(folders):
        raise _unknown(command, folders)
    prog = f"{prog} {command}"
    module = importlib.import_module(f"{package}.{command}")
    if hasattr(module, "__path__"):
        if rest and rest[0] not in {"-h", "--help"}:
            return _command(prog, module.__name__, module.__path__, rest)
        about = f"{module.__doc__}\n{_list(module.__name__, module.__path__)}"
        return _help(_Parser(prog, about, usage=f"{prog} COMMAND [ARGUMENTS]"), rest)
    parser = _Parser(prog, module.__doc__)
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
