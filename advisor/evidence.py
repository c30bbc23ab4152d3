"""Where a number comes from: value, unit, file and line, and the formula that made it."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.record import Record
from advisor.signals.model import Value, catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.capture.model import Capture
    from advisor.signals.table import Row
    from advisor.signals.view import View


class Evidence(Record):
    """A number behind a finding, traceable to the text that the kernel printed.

    Attributes:
        signal: its name.
        value: in base units, or None when unknown.
        unit: as the catalogue says.
        source: file and line of the newest sample that it was read from, or the file alone.
        formula: how it was computed; empty when it stands there as it is.
    """

    signal: str
    value: Value
    unit: str
    source: str
    formula: str


def evidence(view: View, row: Row, names: Iterable[str]) -> tuple[Evidence, ...]:
    """The named signals of a row, each once, with their sources."""
    return tuple(_one(view, row, name) for name in dict.fromkeys(names))


def _one(view: View, row: Row, name: str) -> Evidence:
    signal = catalogue()[name]
    places = [locate(view.capture, view.last, read, row.entity.name) for read in signal.reads]
    return Evidence(name, row.values.get(name), signal.unit, ", ".join(dict.fromkeys(places)), signal.formula)


def locate(capture: Capture, last: int, read: str, entity: str = "") -> str:
    """Where something is read: "t1/proc/vmstat:97 pgscan_direct", or the path alone when the line is unknown.

    Args:
        capture: the capture.
        last: index of the newest sample of the window.
        read: path and key, as signals declare them: "proc/vmstat pgscan_direct".
        entity: name of the entity, to find its block in a file that has one for each.
    """
    path, _, key = read.partition(" ")
    if entity:
        # An entity's own files: a cgroup is named by its path, "node 0" by the folder node0.
        path = path.replace("/*", entity, 1) if "/*" in path else path.replace("node*", entity.replace(" ", ""))
    if path == "log/kernel.txt":
        return _place(path, capture.kernel_log, key, entity)
    for index in range(last, -1, -1):
        text = capture.samples[index].files.get(path)
        if text is not None:
            return _place(f"t{index}/{path}", text, key, entity if path == "proc/zoneinfo" else "")
    return path


def _place(path: str, text: str | None, key: str, entity: str) -> str:
    """The path with the number of the line that holds the key, within the entity's own part of the file."""
    if not text or not key:
        return path
    find = _in_log if path == "log/kernel.txt" else _in_file
    number = find(text.splitlines(), key, entity)
    return f"{path}:{number} {key}" if number else f"{path} {key}"


def _in_log(lines: list[str], key: str, entity: str) -> int | None:
    """The last line of the kernel log with the key; a zone is named in the same line: "Node 0 Normal free:"."""
    zone = entity[:1].upper() + entity[1:]
    return next((n for n in range(len(lines), 0, -1) if key in lines[n - 1] and zone in lines[n - 1]), None)


def _in_file(lines: list[str], key: str, entity: str) -> int | None:
    """The first line that begins with the key, after the heading of the entity where there is one."""
    words, inside = entity.split(), not entity
    for number, line in enumerate(lines, 1):
        if not inside:
            inside = _names(line, words)
        elif _begins(line, key):
            return number
    return None


def _names(line: str, words: list[str]) -> bool:
    """Whether a line is the heading of an entity: "Node 0, zone   Normal" for "node 0 Normal"."""
    parts = line.replace(",", " ").split()
    return [part.lower() for part in parts if part != "zone"][: len(words)] == [word.lower() for word in words]


def _begins(line: str, key: str) -> bool:
    stripped = line.strip()
    return stripped.startswith(key) and stripped[len(key) : len(key) + 1] in {"", " ", ":", "\t", "_"}
