"""A YAML file that people write, and errors that point into it: file, line, column, the line itself, a caret.

Rule files and policies are read through it.
"""

from __future__ import annotations

import yaml
from pydantic import BaseModel, ValidationError

from advisor.engine.suggest import did_you_mean
from advisor.errors import AdvisorError, ExpressionError, RuleError
from advisor.hints import TYPE_CHECKING, Any, ClassVar, TypeVar
from advisor.rulebook.wording import yaml_hint

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MOST_SHOWN = 200

Path = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


class Document:
    """One file while it is being checked; knows where each part of it stands.

    Args:
        text: the file's text.
        file: its name for messages.
        shape: what such a file is, for a text that is no mapping.
        begin: how one begins.

    Raises:
        AdvisorError: it is no YAML, no mapping, or names something twice. The class is `fault`.
    """

    fault: ClassVar[type[AdvisorError]] = RuleError

    def __init__(self, text: str, file: str, shape: str, begin: str) -> None:
        self.text, self.file = text, file
        self.lines = text.splitlines()
        try:
            self.node = yaml.compose(text, Loader=_Loader)
            self.data = yaml.load(text, Loader=_Loader)  # noqa: S506  (it is the safe one, in C where that is there)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line, mark.column) if mark else (0, 0)
            raise self.error(line, column, 1, f"YAML: {error.problem}", yaml_hint(self.line(line))) from None
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise self.error(0, 0, 1, f"YAML: {str(error).splitlines()[0]}", "") from None
        if not isinstance(self.data, dict):
            raise self.error(0, 0, 1, shape, begin)
        self._refuse_twice(self.node)

    def _refuse_twice(self, node: Any) -> None:
        """YAML keeps the last of two equal keys and says nothing; the first one is then a wish that is not heard."""
        pending, seen = [node], set()
        while pending:
            node = pending.pop()
            if id(node) in seen:  # an alias: the same node in several places
                continue
            seen.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                pending += node.value
            if not isinstance(node, yaml.MappingNode):
                continue
            lines: dict[str, int] = {}
            for key, value in node.value:
                name = str(key.value)
                if name in lines:
                    mark = key.start_mark
                    message = f"'{name[:60]}' stands here twice, first in line {lines[name]}"
                    raise self.error(mark.line, mark.column, len(name), message, "keep one of them")
                lines[name] = key.start_mark.line + 1
                pending.append(value)

    def line(self, number: int) -> str:
        """A line of the file, counted from 0; empty where there is none."""
        return self.lines[number] if 0 <= number < len(self.lines) else ""

    def error(self, line: int, column: int, length: int, message: str, hint: str) -> AdvisorError:
        """An error at a place, with the line and a caret below it."""
        # Of a very long line, the part around the culprit.
        start = max(0, column - _MOST_SHOWN // 2)
        shown, at = self.line(line)[start : start + _MOST_SHOWN], column - start
        caret = " " * at + "^" * max(1, min(length, max(1, len(shown) - at)))
        gutter = f"{line + 1:4}"
        where = f"{self.file}:{line + 1}:{column + 1}: {message}\n{gutter} | {shown}\n     | {caret}"
        return self.fault(where + (f"\n     = {hint}" if hint else ""))

    def at(self, path: Iterable[str | int], message: str, hint: str = "") -> AdvisorError:
        """An error at the node that a path of keys and indexes leads to."""
        return self._at_node(self.find(path), message, hint)

    def at_key(self, path: Path, message: str, hint: str = "") -> AdvisorError:
        """An error at the key at the end of a path, not at its value."""
        return self._at_node(self.key(path), message, hint)

    def _at_node(self, node: Any, message: str, hint: str) -> AdvisorError:
        mark = node.start_mark
        length = node.end_mark.column - mark.column if node.end_mark.line == mark.line else 1
        return self.error(mark.line, mark.column, length, message, hint)

    def find(self, path: Iterable[str | int]) -> Any:
        """The YAML node at a path, or the nearest one above it; for an unknown key, the key itself."""
        node = self.node
        for step in path:
            if isinstance(node, yaml.MappingNode):
                pairs = [(key, value) for key, value in node.value if key.value == str(step)]
                if not pairs:
                    break
                node = pairs[0][1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            else:
                break
        return node

    def key(self, path: Path) -> Any:
        """The node of a key itself, for "this key is not known"."""
        parent = self.find(path[:-1])
        if isinstance(parent, yaml.MappingNode):
            for key, _value in parent.value:
                if key.value == str(path[-1]):
                    return key
        return parent

    def validated(self, model: type[Model], fields_at: Callable[[Path], Collection[str]]) -> Model:
        """The file by a pydantic model.

        Args:
            model: what the file must be.
            fields_at: the fields that are known at a path, for suggestions.

        Raises:
            AdvisorError: it is something else; at the culprit.
        """
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            # An unknown field is likelier the cause than the missing one that it was meant to be.
            found = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
            first = found[0]
            path = tuple(step for step in first["loc"] if not (isinstance(step, str) and step.startswith("literal[")))
            if first["type"] == "extra_forbidden":
                raise self._unknown_key(path, fields_at(path[:-1])) from None
            if first["type"] == "missing":
                raise self.at(path[:-1], f"the field '{path[-1]}' is missing") from None
            where = ".".join(map(str, path))
            hint = yaml_hint(self.line(self.find(path).start_mark.line)) if first["type"] == "string_type" else ""
            raise self.at(path, f"{where}: {first['msg'][0].lower()}{first['msg'][1:]}", hint) from None

    def _unknown_key(self, path: Path, known: Collection[str]) -> AdvisorError:
        mark = self.key(path).start_mark
        hint = did_you_mean(str(path[-1]), known, limit=1) or f"known here: {', '.join(sorted(known))}"
        return self.error(mark.line, mark.column, len(str(path[-1])), f"unknown field '{path[-1]}'", hint)

    def within(self, path: list[str | int], error: ExpressionError) -> AdvisorError:
        """Turns an error at an offset of an expression into one at a line and column of the file."""
        node = self.find(path)
        what = f"{path[0]}: {error.message}"
        first, last = node.start_mark.line, node.end_mark.line
        culprit = error.text[error.start : error.start + error.length].split("\n")[0].strip()
        before = error.text[: error.start].count(culprit) if culprit else 0
        for row in range(first, last + 1):
            column = node.start_mark.column if row == first else 0
            while culprit and (column := self.line(row).find(culprit, column)) >= 0:
                if before == 0:
                    return self.error(row, column, len(culprit), what, error.hint)
                before, column = before - 1, column + 1
        return self.at(path, what, error.hint)
