"""The rules that are in force: found by folder, checked once, kept as JSON for the next start.

The cache is JSON, never pickle: a run as root must not execute what somebody else wrote. It is used only when it
belongs to the user who runs and nobody else may write to it. One that is stale, damaged or foreign is made anew.

A run that finds the cache valid comes past here at every start. It loads no pathlib (with what that needs a tenth of
the whole run), and parses of each rule only what judging takes.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from advisor import __version__
from advisor.engine.rows import Value, compile_row
from advisor.engine.suggest import did_you_mean
from advisor.errors import AdvisorError, RuleError
from advisor.hints import TYPE_CHECKING, Any
from advisor.record import Record
from advisor.rulebook import model

if TYPE_CHECKING:
    from pathlib import Path

Condition = Callable[[Mapping[str, Value]], Value]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
_INSTALLED = os.path.join(_PACKAGE, "_rules")

BUILTIN = _INSTALLED if os.path.isdir(_INSTALLED) else os.path.join(os.path.dirname(_PACKAGE), "rules")
"""The folder of the rules that come with memadvisor: in the wheel, or beside the package in a checkout."""

# What the checked rules depend on besides their files: the code that checks them, and that names signals and settings.
_CODE = tuple(os.path.join(_PACKAGE, name) for name in ("engine", "signals", "rulebook", "tunables"))


class Check(Record):
    """What is needed to judge a host by a rule; the rest of the rule is read when it fires.

    Attributes:
        id: the rule's id.
        family: the folder of its file, what it is about: reclaim, swap, cgroup …
        scope: host, or the kind of entity that it is judged for.
        has: signals that must be known for the rule to apply.
        unless: tree of the condition under which it does not apply, or None.
        when: tree of the condition.
        names: signals that these two read.
        stored: the whole rule as JSON text.
    """

    id: str
    family: str
    scope: str
    has: tuple[str, ...]
    unless: Any
    when: Any
    names: tuple[str, ...]
    stored: str

    @cached_property
    def compiled(self) -> tuple[Condition | None, Condition]:
        """Its two conditions, unless and when, ready to be asked of a row of signals."""
        return (compile_row(self.unless) if self.unless else None), compile_row(self.when)

    def rule(self) -> model.Rule:
        """The whole rule."""
        return model.from_json(json.loads(self.stored))


def builtin_folder() -> Path:
    """`BUILTIN` as a path object."""
    from pathlib import Path  # noqa: PLC0415

    return Path(BUILTIN)


def rule_files(folders: Iterable[str | Path]) -> list[Path]:
    """Every rule file of some folders, sorted; a folder that does not exist is an error."""
    from pathlib import Path  # noqa: PLC0415

    found: list[Path] = []
    for folder in map(Path, folders):
        if folder.is_file():
            found.append(folder)
        elif folder.is_dir():
            found += sorted(folder.rglob("*.yml"))
        else:
            raise RuleError(f"{folder}: no such folder of rules")
    return found


def load(folders: Sequence[str | Path] | None = None) -> tuple[Check, ...]:
    """The checked rules of some folders, by default the built-in ones; from the cache when nothing changed.

    Raises:
        RuleError: a rule file is wrong.
    """
    given = [os.fspath(folder) for folder in folders or [BUILTIN]]
    key = _key(given)
    checks = _read_cache(key) if key else None
    if checks is None:
        checks = _compile(rule_files(given))
        if key:
            _write_cache(key, checks)
    return checks


def _compile(files: Iterable[Path]) -> tuple[Check, ...]:
    """Checks every file; a name that two files claim is an error."""
    from advisor.rulebook import source  # noqa: PLC0415  (YAML, pydantic, Jinja2)

    checks: dict[str, Check] = {}
    for file in files:
        rule = source.load(read_rule(file), str(file)).rule
        if rule.id in checks:
            raise RuleError(f"{file}: the rule '{rule.id}' exists already", "give it a name of its own")
        if rule.status != "deprecated":
            checks[rule.id] = check_of(rule)
    return tuple(checks.values())


def read_rule(file: Path) -> str:
    """The text of a rule file.

    Raises:
        RuleError: it cannot be read, is too large, or is no UTF-8 text.
    """
    try:
        if file.stat().st_size > 1 << 20:
            raise RuleError(f"{file}: larger than 1 MiB; that is no rule")
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RuleError(f"{file}: not UTF-8 text") from None
    except OSError as error:
        raise RuleError(f"{file}: {error.strerror}") from None


def check_of(rule: model.Rule, family: str = "") -> Check:
    """What is needed to judge by a rule; its family is the folder of its file unless another is given."""
    names = rule.when.names | (rule.unless.names if rule.unless else frozenset())
    return Check(
        rule.id,
        family or os.path.basename(os.path.dirname(rule.origin)),
        rule.scope,
        rule.has,
        rule.unless.tree if rule.unless else None,
        rule.when.tree,
        tuple(sorted(names)),
        json.dumps(model.to_json(rule)),
    )


def _key(folders: Iterable[str]) -> str:
    """What the checked rules depend on, as one line; empty when a folder cannot be read."""
    try:
        rules = [stamp for folder in folders for stamp in _stamps(folder, ".yml")]
        code = [stamp for folder in _CODE for stamp in _stamps(folder, ".py")]
    except OSError:
        return ""
    return json.dumps([__version__, rules, code])


def _stamps(path: str, suffix: str) -> list[tuple[str, int, int]]:
    """Path, time of the last change and size of every file below a folder that ends so, or of one file."""
    if not os.path.isdir(path):
        status = os.stat(path)
        return [(path, status.st_mtime_ns, status.st_size)]
    found = []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found += _stamps(entry.path, suffix)
            elif entry.name.endswith(suffix):
                status = entry.stat()
                found.append((entry.path, status.st_mtime_ns, status.st_size))
    return sorted(found)


def _cache_file() -> str:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if home.startswith("~"):
        raise FileNotFoundError("this user has no home folder")
    return os.path.join(home, "memadvisor", "rules.json")


# The cache has one JSON value per line: the key, then what judging takes of all rules, then each whole rule. The whole
# rules are most of it, and are left as text until they are needed.
def _read_cache(key: str) -> tuple[Check, ...] | None:
    try:
        file = _cache_file()
        status = os.stat(file)
        foreign = status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if foreign or status.st_size > 64 << 20:
            return None
        with open(file, "rb") as lines:
            stored_key, judging, *rules = lines.read().decode("ascii").split("\n")
        if stored_key != key:
            return None
        return tuple(Check(*[*fields, rule]) for fields, rule in zip(json.loads(judging), rules, strict=True))
    except (OSError, ValueError, TypeError):
        return None


def _write_cache(key: str, checks: Iterable[Check]) -> None:
    """Keeps the rules for the next start; where that is not possible the next start is slower, no more."""
    judging = json.dumps([[c.id, c.family, c.scope, c.has, c.unless, c.when, c.names] for c in checks])
    lines = [key, judging, *(check.stored for check in checks)]
    from pathlib import Path  # noqa: PLC0415

    with contextlib.suppress(OSError):
        file = Path(_cache_file())
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = file.with_name(f".rules.{os.getpid()}.json")
        try:
            with new.open("x", encoding="ascii") as out:
                new.chmod(0o600)
                out.write("\n".join(lines))
            new.replace(file)
        finally:
            new.unlink(missing_ok=True)


def one(name: str, folders: Sequence[str | Path] | None = None) -> Check:
    """The rule of a name.

    Raises:
        AdvisorError: there is none; the nearest name is suggested.
    """
    checks = {check.id: check for check in load(folders)}
    if name in checks:
        return checks[name]
    raise AdvisorError(f"unknown rule '{name}'", did_you_mean(name, checks) or "advisor rules list shows all")
