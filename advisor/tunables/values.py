"""Values of settings: from text, to text, and whether the kernel would take them."""

from __future__ import annotations

import re

from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING
from advisor.tunables.model import ULONG_MAX, Tunable, Value

if TYPE_CHECKING:
    from collections.abc import Collection

_NUMBER = re.compile(r"(-?[0-9]{1,20})\s*(B|KiB|MiB|GiB|TiB)?", re.ASCII)
_HEX = re.compile(r"0x[0-9a-fA-F]{1,16}", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9_+.:-]+", re.ASCII)
_SIZES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_BOOLEANS = {"0": False, "n": False, "false": False, "1": True, "y": True, "true": True}
_LONGEST = 4096  # a page: no file of a setting is longer
_YAML_HINT = "put it in quotes: YAML reads on, off, yes and no as booleans"


def parse_value(tunable: Tunable, value: object) -> Value:
    r"""The value that a text means, in the setting's own unit.

    Takes what the kernel prints (``always madvise [never]``, ``0x0007``, ``256\t256\t32``) and what a
    person writes (``never``, ``512 MiB`` for a setting in bytes or KiB). Whether the kernel accepts the
    value is up to `validate`.

    Raises:
        AdvisorError: the text means nothing for this setting.
    """
    if isinstance(value, bool) and tunable.kind != "bool":
        raise _error(tunable, str(value).lower(), _YAML_HINT)
    if isinstance(value, int):
        value = str(int(value))
    if not isinstance(value, str):
        raise _error(tunable, repr(value), "write it as text")
    text = value.strip()
    if not text or len(text) > _LONGEST or "\0" in text:
        raise _error(tunable, text, _expected(tunable))
    if tunable.kind == "choice":
        return _choice(tunable, text)
    if tunable.kind == "bool":
        return _boolean(tunable, text)
    if tunable.kind == "ints":
        return tuple(_integer(tunable, word) for word in text.split())
    if text in tunable.words:
        return text
    return _integer(tunable, text)


def _choice(tunable: Tunable, text: str) -> str:
    if tunable.path == "proc/cmdline":
        text = _from_command_line(tunable, text)
    chosen = re.findall(r"\[([^\s\[\]]+)\]", text)
    if len(chosen) == 1:
        return str(chosen[0])  # the kernel itself says so, even where we do not know the word
    if not chosen and _WORD.fullmatch(text) and (not tunable.choices or text in tunable.choices):
        return text
    raise _error(tunable, text, _expected(tunable))


def _from_command_line(tunable: Tunable, text: str) -> str:
    # boot.psi is the word psi=1; the last one counts. A bare value comes from a person.
    key = tunable.name.partition(".")[2] + "="
    found = [word.removeprefix(key) for word in text.split() if word.startswith(key)]
    return found[-1] if found else text


def _boolean(tunable: Tunable, text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise _error(tunable, text, _expected(tunable))
    return _BOOLEANS[text.lower()]


def _integer(tunable: Tunable, text: str) -> int:
    if _HEX.fullmatch(text) and tunable.hexadecimal:
        return int(text, 16)
    found = _NUMBER.fullmatch(text)
    if not found or (found[2] and tunable.unit not in _SIZES):
        raise _error(tunable, text, _expected(tunable))
    number = int(found[1])
    if found[2]:
        number, rest = divmod(number * _SIZES[found[2]], _SIZES[tunable.unit])
        if rest:
            raise _error(tunable, text, f"it counts whole {tunable.unit}")
    if abs(number) > ULONG_MAX:
        raise _error(tunable, text, "no kernel holds such a number")
    return number


def _expected(tunable: Tunable) -> str:
    if tunable.kind == "choice":
        return f"one of {', '.join(tunable.choices)}" if tunable.choices else "a single word"
    if tunable.kind == "bool":
        return f"{tunable.bool_words[0]} or {tunable.bool_words[1]}"
    if tunable.kind == "ints":
        return "whole numbers with spaces between them"
    return f"a whole number{f' of {tunable.label}' if tunable.label else ''}" + "".join(
        f", or {word}" for word in tunable.words
    )


def _error(tunable: Tunable, text: str, hint: str) -> AdvisorError:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return AdvisorError(f"{tunable.name} cannot be {shown!r}", hint)


def format_value(tunable: Tunable, value: Value) -> str:
    """The text to write to the file, without newline. `parse_value` gives the value back.

    Raises:
        AdvisorError: the value is of the wrong type for this setting.
    """
    if tunable.kind == "bool" and isinstance(value, bool):
        return tunable.bool_words[value]
    if tunable.kind == "ints" and isinstance(value, tuple):
        return " ".join(map(str, value))
    if isinstance(value, str) and (tunable.kind == "choice" or value in tunable.words):
        return value
    if tunable.kind in {"int", "action"} and isinstance(value, int) and not isinstance(value, bool):
        return f"0x{value:04x}" if tunable.hexadecimal else str(value)
    raise _error(tunable, repr(value), _expected(tunable))


def offered(text: str) -> tuple[str, ...]:
    """The words that the kernel offers in a file of choices.

    >>> offered("always madvise [never]")
    ('always', 'madvise', 'never')
    """
    return tuple(word.strip("[]") for word in text.split())


def possible(tunable: Tunable, value: Value) -> bool:
    """Whether some kernel can have this value: what lies outside of all bounds was not printed by a kernel.

    Args:
        tunable: the setting.
        value: as it was read, in the setting's own unit.
    """
    numbers = value if isinstance(value, tuple) else (value,)
    return all(
        isinstance(number, bool | str)
        or not tunable.bounds
        or number in tunable.unset
        or any(bounds.nearest(number) == number for bounds in tunable.bounds)
        for number in numbers
    )


def validate(
    tunable: Tunable,
    value: Value,
    features: Collection[str] = (),
    *,
    writing: bool = True,
    choices: Collection[str] = (),
) -> str | None:
    """Why the kernel would not take a value, or None when it would.

    Args:
        tunable: the setting.
        value: in the setting's own unit.
        features: what the kernel has (see `features_of`); without them the narrow bounds hold.
        writing: False to judge a value that was read.
        choices: the words this kernel offers (see `offered`); without them those that any kernel knows.
    """
    try:
        format_value(tunable, value)
    except AdvisorError as error:
        return str(error)
    if isinstance(value, str):
        return _check_word(tunable, value, choices, writing=writing)
    if isinstance(value, bool):
        return None
    bounds = tunable.accepted(features)
    for number in value if isinstance(value, tuple) else (value,):
        if number in tunable.unset:
            if writing:
                return f"{number} cannot be written: write {' or '.join(tunable.coupled)} instead"
        elif bounds is not None and bounds.nearest(number) != number:
            return f"{number} is outside {bounds.lo} to {bounds.hi}: {bounds.why}"
    return None


def _check_word(tunable: Tunable, word: str, choices: Collection[str], *, writing: bool) -> str | None:
    if not writing or word in tunable.words:
        return None
    known = choices or tunable.choices
    return None if not known or word in known else f"{word} is none of {', '.join(known)}"
