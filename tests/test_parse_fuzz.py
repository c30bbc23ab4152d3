"""Every parser against the real files, whole, cut off anywhere, and damaged.

Parsers are discovered: a module of `advisor.parse` names in `READS` the paths that it is for, as patterns
for its `parse`, or as a mapping from pattern to function. Texts are the recorded captures, the incidents,
and `tests/parse_samples` for what these do not have.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import random
import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor import parse
from advisor.errors import ParseError
from tests.fixtures import INCIDENTS, KERNELS, STATES, capture_files
from tests.parse_samples import HERE as SAMPLES

Parser = Callable[[str], object]
Path = tuple[object, ...]

MODULES = [module.name for module in pkgutil.iter_modules(parse.__path__) if not module.name.startswith("_")]
SCRAPS = (
    *(
        b"\n",
        b" ",
        b"\t",
        b"0",
        b"9",
        b"-",
        b"+",
        b".",
        b",",
        b":",
        b"=",
        b">",
        b"(",
        b'"',
        b"\\",
        b"_",
        b"#",
    ),
    *(b"\0", b"\xff", b"\r", b"\n\n", b"1_0", b"1e3", b"kB", b"cpu", b"Node", b"\nNode 0, zone      DMA\n"),
    *("٣".encode(), "²".encode(), b"18446744073709551616", b"9223372036854775808", b"9" * 5000, b"\\040"),
)
# What a number of the text may be multiplied with to give a value, by the end of the value's name.
FACTORS = {"_bytes": (1, 512, 1024), "_s": (1, 1e-2, 1e-3, 1e-6), "": (1,)}
NUMBER = re.compile(r"(?<![\w.])-?(?:0x[0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?)(?=$|[^\w.]|\.(?!\d)|[kKMGT])")


class Texts(list[str]):
    """Texts that do not fill the screen when a test fails."""

    def __repr__(self) -> str:
        return f"<{len(self)} texts>"


@cache
def all_texts() -> dict[str, set[str]]:
    """Every known text by path."""
    texts: dict[str, set[str]] = {}
    for kernel in KERNELS:
        for state in STATES:
            for path, text in capture_files(kernel, state).items():
                texts.setdefault(path, set()).add(text)
    for root in (INCIDENTS, SAMPLES):
        for file in root.glob("*/**/*"):
            if file.is_file():
                path = re.sub(r"^[^/]+/(t\d+/)?", "", file.relative_to(root).as_posix())
                texts.setdefault(path, set()).add(file.read_text(encoding="utf-8"))
    return texts


def reads(name: str) -> Mapping[str, Parser]:
    module = importlib.import_module(f"advisor.parse.{name}")
    declared = module.READS
    return declared if isinstance(declared, Mapping) else dict.fromkeys(declared, module.parse)


def texts_for(pattern: str) -> list[str]:
    found = {text for path, texts in all_texts().items() if fnmatchcase(path, pattern) for text in texts}
    return sorted(found, key=lambda text: (len(text), text))


def parsers() -> Iterator[Any]:
    """One case for each function: the function and the texts that it is for."""
    for name in MODULES:
        if not hasattr(importlib.import_module(f"advisor.parse.{name}"), "READS"):
            continue
        texts: dict[Parser, list[str]] = {}
        for pattern, function in reads(name).items():
            texts.setdefault(function, []).extend(texts_for(pattern))
        for function, its_texts in texts.items():
            yield pytest.param(function, Texts(its_texts), id=f"{name}.{function.__name__}")


every_parser = pytest.mark.parametrize(("parser", "texts"), list(parsers()))


def leaves(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """Every single value of a parsed file, with the way to it; problems and unknown values are none."""
    if value is None:
        return
    parts: list[tuple[object, object]]
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value) if field.name != "problems"]
        parts = [(name, getattr(value, name)) for name in names]
    elif isinstance(value, Mapping):
        parts = list(value.items())
    elif isinstance(value, tuple):
        parts = [(key_of(element, index), element) for index, element in enumerate(value)]
    else:
        yield path, value
        return
    for name, part in parts:
        yield from leaves(part, (*path, name))


def key_of(element: object, index: int) -> object:
    """What tells the rows of a table apart, wherever they stand: their node and their names."""
    if not dataclasses.is_dataclass(element):
        return index
    parts = {field.name: getattr(element, field.name) for field in dataclasses.fields(element)}
    return tuple(part for name, part in parts.items() if name == "node" or isinstance(part, str))


def canonical(value: float) -> str:
    return f"{value:.13g}"


def numbers_of(text: str) -> set[str]:
    words = NUMBER.findall(text)
    values = [int(word, 16) if "x" in word else float(word) for word in words if len(word) < 25]
    return {canonical(value) for value in values} | {canonical(abs(value)) for value in values}


def is_derived(path: Path) -> bool:
    """A count of lines is no number of the text."""
    return any(isinstance(name, str) and (name.endswith("_count") or name == "cpus") for name in path)


def factors(path: Path) -> tuple[float, ...]:
    names = [name for name in path if isinstance(name, str)]
    if "values" in names:
        return (1, 1024)
    last = names[-1] if names else ""
    if last.startswith("avg"):
        return (0.01,)
    return next(known for end, known in FACTORS.items() if last.endswith(end))


def invented(parsed: object, text: str) -> list[tuple[Path, object]]:
    """The values that the text does not have."""
    numbers = numbers_of(text)
    return [
        (path, value)
        for path, value in leaves(parsed)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and not is_derived(path)
        if not any(canonical(value / factor) in numbers for factor in factors(path))
    ]


def parsed_or_none(parser: Parser, text: str) -> object:
    """What the parser makes of it; any error but ParseError fails the test."""
    try:
        return parser(text)
    except ParseError as error:
        check_message(error.message)
        return None


def check_message(message: str) -> None:
    assert message
    assert "\n" not in message
    assert len(message) < 300


def check_damaged(parser: Parser, text: str) -> None:
    parsed = parsed_or_none(parser, text)
    assert invented(parsed, text) == []
    assert len(getattr(parsed, "problems", ())) <= 30


def damaged(text: str, chance: random.Random) -> str:
    """The text after one to four accidents."""
    data = bytearray(text.encode())
    for _ in range(chance.randint(1, 4)):
        data = accident(data, chance.choice(ACCIDENTS), chance.random(), chance.random(), chance.choice(SCRAPS))
    return data.decode(errors="replace")


ACCIDENTS = ("flip", "replace", "insert", "delete", "delete much", "repeat", "cut", "move")


def accident(data: bytearray, kind: str, where: float, how_much: float, scrap: bytes) -> bytearray:
    at = int(where * len(data))
    length = int(how_much * min(len(data) - at, 200))
    before, hit, after = data[:at], data[at : at + 1], data[at + 1 :]
    if kind == "flip":
        return before + bytes(byte ^ 1 << int(how_much * 7) for byte in hit) + after
    if kind == "replace":
        return before + scrap + after
    if kind == "insert":
        return before + scrap + hit + after
    if kind == "delete":
        return before + after
    if kind == "delete much":
        return before + data[at + length :]
    if kind == "repeat":
        return data[: at + length] + data[at:]
    if kind == "cut":
        return before
    return data[at + length :] + before


@pytest.mark.parametrize("name", MODULES)
def test_each_module_declares_what_it_reads_and_there_is_a_text_for_it(name: str) -> None:
    declared = reads(name)
    with_text = {function for pattern, function in declared.items() if texts_for(pattern)}
    assert with_text == set(declared.values())


@every_parser
def test_real_text_is_read_without_a_problem(parser: Parser, texts: Texts) -> None:
    for text in texts:
        parsed = parser(text)
        assert getattr(parsed, "problems", ()) == ()
        assert invented(parsed, text) == []


@every_parser
def test_every_result_is_immutable(parser: Parser, texts: Texts) -> None:
    parsed = parser(texts[0])
    if dataclasses.is_dataclass(parsed):
        assert type(parsed).__hash__ is not None  # frozen dataclasses have one, others have not
        with pytest.raises(AttributeError):
            setattr(parsed, dataclasses.fields(parsed)[0].name, None)
    else:
        assert isinstance(parsed, (int, float, str, tuple))


def cuts(text: str, chance: random.Random) -> Iterator[int]:
    """A cut at the end of every line and one somewhere within it."""
    start = 0
    while (end := text.find("\n", start) + 1) > 0:
        yield chance.randrange(start, end)
        yield end
        start = end


@every_parser
def test_a_cut_off_text_gives_no_value_that_the_whole_text_has_not(parser: Parser, texts: Texts) -> None:
    chance = random.Random(1)
    tables = [text for text in texts if text.count("\n") > 1]
    for text in tables:
        whole = dict(leaves(parser(text)))
        places = range(len(text)) if text is tables[0] and len(text) < 3000 else cuts(text, chance)
        for place in places:
            parsed = parsed_or_none(parser, text[:place])
            wrong = [(path, value) for path, value in leaves(parsed) if whole.get(path) != value]
            assert wrong == [], f"cut at {place}"
            if parsed is not None and text[place - 1] != "\n":
                assert getattr(parsed, "problems", None), f"cut at {place} is not noted"


@every_parser
@pytest.mark.parametrize("instead", ["", "?\n", "      ?\n"], ids=["lost", "garbled", "garbled after blanks"])
def test_a_damaged_line_makes_no_other_value_wrong(parser: Parser, texts: Texts, instead: str) -> None:
    for text in [text for text in texts if text.count("\n") > 1][::-5]:
        lines = text.splitlines(keepends=True)
        whole = dict(leaves(parser(text)))
        for at in range(len(lines)):
            parsed = parsed_or_none(parser, "".join([*lines[:at], instead, *lines[at + 1 :]]))
            values = [(path, value) for path, value in leaves(parsed) if instead or not is_derived(path)]
            assert [(path, value) for path, value in values if whole.get(path) != value] == [], lines[at]


@every_parser
def test_damaged_text_raises_nothing_else_and_invents_nothing(parser: Parser, texts: Texts) -> None:
    chance = random.Random(2)
    for _ in range(400):
        check_damaged(parser, damaged(chance.choice(texts), chance))


@every_parser
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_accidents_that_hypothesis_finds(parser: Parser, texts: Texts, data: st.DataObject) -> None:
    # Small texts only: accidents are easier to understand in them, and they are faster.
    text = data.draw(st.sampled_from(texts[:5])).encode()
    shares = st.floats(0, 1, exclude_max=True)
    accidents = st.tuples(st.sampled_from(ACCIDENTS), shares, shares, st.sampled_from(SCRAPS))
    for kind, where, how_much, scrap in data.draw(st.lists(accidents, min_size=1, max_size=4)):
        text = bytes(accident(bytearray(text), kind, where, how_much, scrap))
    check_damaged(parser, text.decode(errors="replace"))


@every_parser
@settings(max_examples=40, deadline=None)
@given(text=st.one_of(st.text(max_size=60), st.text("0123456789 \t\n-.:,=>()[]%kBNodezc", max_size=80)))
def test_any_text_at_all(parser: Parser, texts: Texts, text: str) -> None:
    check_damaged(parser, text)


@every_parser
@pytest.mark.parametrize("text", ["", " ", "\0", "\ufeff", "x"])
def test_text_with_nothing_in_it_is_an_error(parser: Parser, texts: Texts, text: str) -> None:
    with pytest.raises(ParseError):
        parser(text)
