"""What is said of a rival."""

from __future__ import annotations

from advisor.record import Record


class Rival(Record):
    """Somebody who sets a setting.

    Attributes:
        who: the program, and which part of its configuration.
        at: where it says so: ``/etc/tuned/mine/tuned.conf:3``.
        value: the text that it sets; None when only the program itself can tell.
        wins: whether this is the value after a boot; None when that cannot be told from the capture.
        note: what else is to be known, one clause.
    """

    who: str
    at: str
    value: str | None
    wins: bool | None
    note: str = ""
