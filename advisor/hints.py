"""The names of `typing` that this package needs while it runs, without `typing`, which takes 2 ms at every start.

Type checkers see the real ones (mypy goes by the name TYPE_CHECKING, ruff by `typing-modules` in pyproject.toml).
At run time annotations are never looked at, so a stand-in that can be subscripted and combined is enough. Modules
that a usual `advisor check` does not load may use `typing` itself; tests/test_startup.py tells which those are.
"""

from __future__ import annotations

__all__ = ["IO", "TYPE_CHECKING", "Any", "ClassVar", "Literal", "NoReturn", "Protocol", "TypeVar", "cast",
           "dataclass_transform"]  # fmt: skip

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import IO, Any, ClassVar, Literal, NoReturn, Protocol, TypeVar, cast, dataclass_transform
else:

    class _Hint:
        def __getitem__(self, _):
            return self

        def __or__(self, _):
            return self

        __ror__ = __or__

    IO = Any = ClassVar = Literal = NoReturn = _Hint()

    class Protocol:
        """A base that says nothing."""

    def TypeVar(*_, **__):  # noqa: N802
        """A type that a caller chooses."""
        return Any

    def cast(_, value):
        """The value, whatever type it is said to have."""
        return value

    def dataclass_transform(**_):
        """A decorator for type checkers."""
        return lambda kind: kind
