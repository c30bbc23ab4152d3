"""Files that hold one value: sysctls, sysfs attributes, cgroup limits. One function for each form."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.parse._text import number, signed, unreadable
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# A cgroup limit from here on is no limit: v1 prints PAGE_COUNTER_MAX (LONG_MAX rounded down to pages, less
# on 64 KiB pages) or, before v3.19, RES_COUNTER_MAX (mm/memcontrol.c, include/linux/page_counter.h).
_NO_LIMIT = 2**62

_BOOLEANS = {
    "1": True,
    "Y": True,
    "y": True,
    "true": True,
    "0": False,
    "N": False,
    "n": False,
    "false": False,
}


class Choice(Record):
    """One of several options: the selected one, and all of them as listed."""

    selected: str
    options: tuple[str, ...]


class Limit(Record):
    """A limit in bytes; `bytes` is None when there is no limit. An unknown limit is no Limit at all."""

    bytes: int | None


def integer(text: str) -> int:
    r"""A whole number, negative ones included.

    >>> integer("67584\n")
    67584
    """
    value = signed(text.strip())
    if value is None:
        raise unreadable("a whole number", text)
    return value


def integers(text: str) -> tuple[int, ...]:
    r"""Whole numbers between blanks or tabs, as of vm.lowmem_reserve_ratio.

    >>> integers("256\t256\t32\t0\t0\n")
    (256, 256, 32, 0, 0)
    """
    values = [signed(word) for word in text.split()]
    if not values or None in values:
        raise unreadable("whole numbers", text)
    return tuple(value for value in values if value is not None)


def choice(text: str) -> Choice:
    r"""Options of which one is in brackets.

    >>> choice("always [madvise] never\n")
    Choice(selected='madvise', options=('always', 'madvise', 'never'))
    """
    words = text.split()
    chosen = [word[1:-1] for word in words if word.startswith("[") and word.endswith("]") and len(word) > 2]
    options = tuple(word[1:-1] if word[1:-1] in chosen and word.startswith("[") else word for word in words)
    if len(chosen) != 1 or any(set("[]\0") & set(option) for option in options):
        raise unreadable("options of which one is in [brackets]", text)
    return Choice(chosen[0], options)


def boolean(text: str) -> bool:
    r"""Y or N, 1 or 0, true or false.

    >>> boolean("Y\n"), boolean("0\n")
    (True, False)
    """
    value = _BOOLEANS.get(text.strip())
    if value is None:
        raise unreadable("Y or N, 1 or 0, true or false", text)
    return value


def hexmask(text: str) -> int:
    r"""A mask in hexadecimal, as of lru_gen/enabled.

    >>> hexmask("0x0007\n")
    7
    """
    word = text.strip()
    digits = word.removeprefix("0x")
    if digits == word or not 0 < len(digits) <= 16 or not set(digits) <= set("0123456789abcdefABCDEF"):
        raise unreadable("a mask such as 0x0007", text)
    return int(digits, 16)


def limit(text: str) -> Limit:
    r"""A cgroup's limit: bytes, or "max" (v2) or a giant number (v1) for none.

    >>> limit("max\n"), limit("9223372036854771712\n"), limit("1073741824\n")
    (Limit(bytes=None), Limit(bytes=None), Limit(bytes=1073741824))
    """
    word = text.strip()
    value = number(word)
    if value is None and word != "max":
        raise unreadable('a number of bytes, or "max"', text)
    return Limit(None if value is None or value >= _NO_LIMIT else value)


READS: Mapping[str, Callable[[str], object]] = {
    "proc/sys/vm/*_kbytes": integer,
    "proc/sys/vm/*_factor": integer,
    "proc/sys/vm/swappiness": integer,
    "proc/sys/vm/lowmem_reserve_ratio": integers,
    "sys/kernel/mm/ksm/pages_*": integer,
    "sys/kernel/mm/hugepages/*_hugepages": integer,
    "sys/kernel/mm/lru_gen/enabled": hexmask,
    "sys/kernel/mm/numa/demotion_enabled": boolean,
    "sys/kernel/mm/transparent_hugepage/enabled": choice,
    "sys/kernel/mm/transparent_hugepage/defrag": choice,
    "sys/kernel/mm/transparent_hugepage/khugepaged/*": integer,
    "sys/fs/cgroup/*memory.max": limit,
    "sys/fs/cgroup/*memory.high": limit,
    "sys/fs/cgroup/*memory.limit_in_bytes": limit,
}
