"""Signals to write wrong expressions about, and the way to look at the errors."""

from __future__ import annotations

import pytest

from advisor.engine.check import check
from advisor.engine.names import Type, number
from advisor.errors import ExpressionError

NAMES = {
    "mem.free": number("B"),
    "mem.total": number("B"),
    "zone.low": number("page"),
    "page_size": number("B/page"),
    "rate.pswpin": number("page/s"),
    "rate.pgin": number("B/s"),
    "rate.allocstall": number("1/s"),
    "psi.some": number("ratio"),
    "host.uptime": number("s"),
    "host.cpus": number(),
    "zram.active": Type("bool"),
    "host.role": Type("str"),
    "thp.enabled": Type("str", choices=("always", "madvise", "never")),
}


def refusal(text: str, **options: object) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        check(text, NAMES, **options)
    assert caught.value.text == text
    return caught.value


def caret(error: ExpressionError) -> str:
    return " " * error.start + "^" * error.length
