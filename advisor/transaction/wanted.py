"""What users ask for, in their own words: a value, ``>= 131072``, or ``present only``.

=================  ==============================  ================================================
wish               the running kernel              our file
=================  ==============================  ================================================
``10``, ``== 10``  gets 10                         says 10, unless the boot sets 10 anyway
``>= 10``          gets 10 where it has less       says what runs afterwards, unless the boot sets
                                                   10 or more anyway
``<= 10``          gets 10 where it has more       the same the other way round
``present only``   stays as it is                  says what runs, unless the boot sets that anyway
=================  ==============================  ================================================

A floor is kept as what runs and not as the floor itself: the next boot shall not lower what is better already.
"""

from __future__ import annotations

import re

from advisor.errors import AdvisorError, Unknown
from advisor.hints import TYPE_CHECKING
from advisor.outlook import same
from advisor.record import Record
from advisor.signals.formula import features_told
from advisor.transaction.model import Refusal
from advisor.tunables import Tunable, Value, format_value, get, parse_value, validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.transaction.host import Host
    from advisor.transaction.model import Options

PRESENT_ONLY = "present only"
_OPERATOR = re.compile(r"\s*(==|>=|<=|=|>|<|!=)\s*(.*)", re.DOTALL)
_PERSON = "let a person decide, then set it with approved: true"
_INSTEAD = {
    "action": "a write does something once and is no value to keep: use the module compact_memory, or write it by hand",
    "boot": "it is a word on the kernel command line: add it to the boot loader and boot",
    "owner": "it belongs to whoever owns the memory cgroup: set it in the unit or the container that makes the group",
}


class Wish(Record):
    """What one setting shall be.

    Attributes:
        tunable: the setting.
        operator: ``==``, ``>=``, ``<=`` or `PRESENT_ONLY`.
        bound: the value beside the operator; None with `PRESENT_ONLY`.
        running: the value now; None when unknown.
    """

    tunable: Tunable
    operator: str
    bound: Value | None
    running: Value | None

    def holds(self, value: Value | None) -> bool:
        """Whether a value fulfils the wish."""
        goal = self.running if self.operator == PRESENT_ONLY else self.bound
        if isinstance(value, int) and isinstance(goal, int) and self.operator in {">=", "<="}:
            return value >= goal if self.operator == ">=" else value <= goal
        return same(value, goal)

    @property
    def goal(self) -> Value:
        """The value after the transaction."""
        if self.bound is not None and not self.holds(self.running):
            return self.bound
        assert self.running is not None, "what is unknown fulfils no wish"
        return self.running

    @property
    def text(self) -> str:
        """The wish in the user's form."""
        if self.bound is None:
            return self.operator
        value = format_value(self.tunable, self.bound)
        return value if self.operator == "==" else f"{self.operator} {value}"


def read_all(wanted: Mapping[str, object], host: Host, options: Options) -> tuple[list[Wish], list[Refusal], list[str]]:
    """The wishes, what is refused, and a note on each setting that is skipped."""
    wishes: dict[str, Wish] = {}
    refusals, skipped = [], []
    for name, value in wanted.items():
        try:
            tunable = get(str(name))
            if options.missing == "skip" and tunable.persist in {"sysctl.d", "tmpfiles.d"} and host.lacks(tunable):
                skipped.append(f"{tunable.name}: skipped, this kernel does not have it")
                continue
            wish = _read(tunable, value, host, options)
        except AdvisorError as error:
            refusals.append(_refusal(str(name), error))
            continue
        if tunable.name in wishes:
            refusals.append(Refusal(tunable.name, "it is asked for twice, under two of its names"))
        wishes[tunable.name] = wish
    return list(wishes.values()), refusals, skipped


def _refusal(name: str, error: AdvisorError) -> Refusal:
    unknown = error.message.startswith("unknown setting")
    message = error.message.removeprefix(f"{name} ")
    return Refusal("" if unknown else name, message, error.hint)


def _read(tunable: Tunable, value: object, host: Host, options: Options) -> Wish:
    _may_be_set(tunable, options)
    operator, bound = parse_wish(tunable, value)
    try:
        running = host.value(tunable)
    except Unknown as unknown:
        raise AdvisorError(unknown.message, unknown.hint) from None
    if bound is not None:
        refusal = validate(
            tunable, bound, features_told(host.view), writing=not same(bound, running), choices=host.choices(tunable)
        )
        if refusal is not None:
            raise AdvisorError(refusal)
        if isinstance(bound, tuple) and isinstance(running, tuple) and len(bound) > len(running):
            raise AdvisorError(f"{len(bound)} numbers, and the kernel has {len(running)} of them")
    return Wish(tunable, operator, bound, running)


def _may_be_set(tunable: Tunable, options: Options) -> None:
    if tunable.kind == "action":
        raise AdvisorError("it is an action, no setting", _INSTEAD["action"])
    if tunable.persist in _INSTEAD:
        raise AdvisorError("it cannot be set on a running host", _INSTEAD[tunable.persist])
    if tunable.advise_only and not options.approved:
        raise AdvisorError("it is only ever recommended, since programs depend on it", _PERSON)


def parse_wish(tunable: Tunable, value: object) -> tuple[str, Value | None]:
    """Operator and value of a wish.

    >>> parse_wish(get("vm.swappiness"), ">= 10"), parse_wish(get("vm.swappiness"), 10)
    (('>=', 10), ('==', 10))

    Raises:
        AdvisorError: it means nothing for this setting.
    """
    if not isinstance(value, str):
        return "==", parse_value(tunable, _joined(tunable, value))
    if " ".join(value.split()).casefold() == PRESENT_ONLY:
        return PRESENT_ONLY, None
    found = _OPERATOR.fullmatch(value)
    if not found:
        return "==", parse_value(tunable, value)
    operator = found[1]
    if operator not in {"==", ">=", "<="}:
        raise AdvisorError(f"{operator!r} is no operator here", f"write ==, >=, <= or {PRESENT_ONLY}")
    if operator != "==" and tunable.kind != "int":
        raise AdvisorError(f"{operator!r} is for single numbers", "write the value itself")
    bound = parse_value(tunable, found[2])
    if operator != "==" and not isinstance(bound, int):
        raise AdvisorError(f"{operator!r} wants a number, not {bound!r}")
    return operator, bound


def _joined(tunable: Tunable, value: object) -> object:
    """A list of numbers, as YAML has them, as text; all else is for `parse_value` to judge."""
    if tunable.kind == "ints" and isinstance(value, list | tuple) and all(type(part) is int for part in value):
        return " ".join(map(str, value))
    return value
