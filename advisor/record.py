"""Frozen records: what dataclasses give, without what they cost at every start.

`dataclasses` writes and compiles the methods of each class anew whenever the program starts, and loads inspect, ast
and tokenize for that: with some eighty classes it was half of the time of a whole `advisor check`. Records share
their methods: a new class costs no more than the list of its fields.

    class Zone(Record):
        name: str
        managed: int = 0

Records compare by class and values, can be hashed where their values can, show themselves as `Zone(name='DMA',
managed=0)`, and refuse assignment. Type checkers and the functions of `dataclasses` take them for frozen dataclasses.
"""

from __future__ import annotations

from operator import attrgetter

from advisor.hints import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable


class _Factory:
    """A default that is made anew for every record."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def field(*, default_factory: Callable[[], Any]) -> Any:
    """A field whose default is made anew for every record; for defaults that can change, such as a dict."""
    return _Factory(default_factory)


class _StandardFields:
    """`__dataclass_fields__`, so that `dataclasses.replace`, `fields` and the like work; made when asked for."""

    def __init__(self) -> None:
        self.made: dict[type[Record], dict[str, Any]] = {}

    def __get__(self, _record: Record | None, kind: type[Record]) -> dict[str, Any]:
        if kind not in self.made:
            import dataclasses  # noqa: PLC0415  (slow to load, see the module; nothing in this package asks for it)

            twin: Any = dataclasses.make_dataclass(kind.__name__, kind._names)
            self.made[kind] = twin.__dataclass_fields__
        return self.made[kind]


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Record:
    """The base of all records; its subclasses declare fields as annotations, as dataclasses do."""

    __dataclass_fields__: ClassVar[Any] = _StandardFields()
    _names: ClassVar[tuple[str, ...]] = ()
    _all: ClassVar[frozenset[str]] = frozenset()
    _defaults: ClassVar[dict[str, Any]] = {}
    _factories: ClassVar[dict[str, Callable[[], Any]]] = {}
    _values: ClassVar[attrgetter[Any]]

    def __init_subclass__(cls) -> None:
        own = [name for name, kind in cls.__annotations__.items() if "ClassVar[" not in str(kind)]
        defaults = {name: vars(cls)[name] for name in own if name in vars(cls)}
        factories = {name: default.make for name, default in defaults.items() if isinstance(default, _Factory)}
        for name, default in defaults.items():
            if name in factories:
                delattr(cls, name)
            elif type(default).__hash__ is None:
                raise TypeError(f"{cls.__name__}.{name}: a default that can change needs field(default_factory=…)")
        cls._names = (*cls._names, *own)
        cls._all = frozenset(cls._names)
        cls._defaults = {**cls._defaults, **defaults}
        cls._factories = {**cls._factories, **factories}
        cls._values = attrgetter(*cls._names)

    def __init__(self, /, *values: Any, **named: Any) -> None:
        names, own = self._names, self.__dict__  # its dictionary, since assignment is refused
        if not named and len(values) == len(names):
            own.update(zip(names, values, strict=True))
        else:
            own.update(self._defaults)
            own.update((name, make()) for name, make in self._factories.items())
            own.update(named)
            twice = not named.keys().isdisjoint(names[: len(values)])
            own.update(zip(names, values, strict=False))
            if twice or len(values) > len(names) or own.keys() != self._all:
                raise TypeError(self.__wrong(values, named))
        self.__post_init__()

    def __post_init__(self) -> None:
        """For records that derive a field from others."""

    @classmethod
    def __wrong(cls, values: tuple[Any, ...], named: dict[str, Any]) -> str:
        """Which values have no field, and which fields no value."""
        left = cls._names[len(values) :]
        unknown = [name for name in named if name not in left]
        missing = [name for name in left if name not in named and name not in cls._defaults]
        if unknown:
            return f"{cls.__name__} has no field, or two values for it: {', '.join(unknown)}"
        if missing:
            return f"{cls.__name__} needs a value for {', '.join(missing)}"
        return f"{cls.__name__} has {len(cls._names)} fields, not {len(values)}"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        self.__refuse(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        self.__refuse(f"cannot delete field {name!r}")

    @staticmethod
    def __refuse(why: str) -> NoReturn:
        from dataclasses import FrozenInstanceError  # noqa: PLC0415  (slow to load, see the module)

        raise FrozenInstanceError(why)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return bool(self._values(self) == self._values(other))

    def __hash__(self) -> int:
        return hash(self._values(self))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._names)
        return f"{type(self).__qualname__}({shown})"


R = TypeVar("R", bound=Record)


def fields(kind: type[Record]) -> tuple[str, ...]:
    """The names of a record's fields, in their order."""
    return kind._names


def replace(record: R, **changes: Any) -> R:
    """A copy of a record with some values changed.

    Raises:
        TypeError: there is no such field.
    """
    return type(record)(**{**{name: getattr(record, name) for name in record._names}, **changes})


def asdict(record: Record) -> dict[str, Any]:
    """A record as a dictionary; records within it too, also those in tuples, lists and dictionaries."""
    return {name: _plain(getattr(record, name)) for name in record._names}


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return asdict(value)
    if isinstance(value, list | tuple):
        return type(value)(_plain(part) for part in value)
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return value
