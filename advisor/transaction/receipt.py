"""Receipts as hosts return them. A host may return anything: nothing is believed before it is looked at."""

from __future__ import annotations

import hashlib
import re

from advisor.hints import TYPE_CHECKING, Any
from advisor.transaction.model import RECEIPT, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

FOLDER = "/var/lib/memadvisor/receipts"
"""Where a host keeps them."""

_OURS = re.compile(r"/etc/(sysctl\.d|tmpfiles\.d)/[\w@+.-]+\.conf", re.ASCII)
_LONGEST = 1 << 20  # characters of one file of ours


def effective(receipts: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The receipts of what was changed and not put back at once."""
    return [receipt for receipt in receipts if receipt["outcome"] != "reverted"]


def kept_in(path: str) -> str:
    """The kind of settings that a file of ours keeps: sysctl.d or tmpfiles.d."""
    return path.split("/")[2]


def machine_of(text: str | None) -> str | None:
    """The digest of a machine-id by which receipts name their machine, as the host makes it; None when unknown.

    machine-id(5) asks not to hand the id itself on.
    """
    found = (text or "").strip()
    if not re.fullmatch(r"[0-9a-f]{32}", found):
        return None
    return hashlib.sha256(f"memadvisor {found}".encode()).hexdigest()[:16]


def check(receipts: Sequence[object]) -> tuple[Refusal, ...]:
    """What is wrong with receipts, one refusal for each that is damaged."""
    return tuple(refusal for receipt in receipts if (refusal := _damage(receipt)) is not None)


def _damage(receipt: object) -> Refusal | None:
    if not isinstance(receipt, dict):
        return Refusal("", "a receipt is no JSON object", f"look at the files below {FOLDER}")
    name = str(receipt.get("id"))[:64]
    if receipt.get("format") != RECEIPT:
        return Refusal("", f"the receipt {name!r} is not of the format {RECEIPT}", "use the memadvisor that wrote it")
    wrong = next((key for key, fits in _SHAPE.items() if not fits(receipt.get(key))), None)
    if wrong is None:
        return None
    return Refusal("", f"the receipt {name!r} is damaged at {wrong!r}", f"look at the files below {FOLDER}")


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST


def _text_or_none(value: object) -> bool:
    return value is None or _text(value)


def _texts(value: object) -> bool:
    return isinstance(value, dict) and all(_text(key) and _text_or_none(text) for key, text in value.items())


def _entries(**fields: Callable[[object], bool]) -> Callable[[object], bool]:
    def fits(value: object) -> bool:
        return isinstance(value, list) and all(
            isinstance(entry, dict) and all(check(entry.get(key)) for key, check in fields.items()) for entry in value
        )

    return fits


def _our_file(value: object) -> bool:
    return isinstance(value, str) and _OURS.fullmatch(value) is not None


def _before(value: object) -> bool:
    return isinstance(value, dict) and _texts(value.get("values")) and _texts(value.get("files"))


_SHAPE: dict[str, Callable[[object], bool]] = {
    "id": _text,
    "outcome": _text,
    "writes": _entries(setting=_text, path=_text),
    "files": _entries(path=_our_file, content=_text_or_none),
    "before": _before,
    "actual": _texts,
}
