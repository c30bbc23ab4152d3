"""What the checker refuses, and the place that it points at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine_refusals import caret, refusal

# Each case: the expression, the caret below it, the message; then an empty line.
CASES = Path(__file__).with_name("engine_errors.txt").read_text(encoding="utf-8").strip("\n").split("\n\n")


@pytest.mark.parametrize(("text", "place", "message"), [case.split("\n") for case in CASES])
def test_an_error_points_at_the_culprit_and_says_what_to_do(text, place, message):
    error = refusal(text)
    assert (caret(error), str(error)) == (place, message)


@pytest.mark.parametrize("text", ["", " \n "])
def test_an_empty_expression_is_refused(text):
    assert refusal(text).message == "the expression is empty"


@pytest.mark.parametrize("text", ["host.cpus | default(0) > 1", "host.cpus || zram.active"])
def test_filters_are_refused_in_conditions(text):
    error = refusal(text)
    assert (caret(error), error.message) == ("          ^", "'|' (filter) is not part of the rule language")


@pytest.mark.parametrize(
    "text",
    [
        "host.role.__class__.__mro__",
        "host.role.__init__.__globals__['os']",
        "().__class__.__bases__[0].__subclasses__()",
        "cycler.__init__.__globals__.os.popen('id').read()",
        "self._TemplateReference__context",
        "lipsum()",
        "range(10) == 1",
        "'a' * 1000000000",
        "'a' * 1000000000 == host.role",
        "host.role ~ host.role",
        "9 ** 9 ** 9 > 1",
        "1 }}{% for x in y %}{{ x }}{% endfor %}",
        "1) }}{{ (2",
        "1 }}",
        "%}{% if x",
        "{{ host.cpus }}",
        "{# a #}",
        "(" * 900 + "host.cpus" + ")" * 900,
        "(" * 31 + "zram.active" + ")" * 31,
        "[" * 900 + "]" * 900,
        "not " * 490 + "zram.active",
        "- " * 900 + "host.cpus > 0",
        "zram.active" + " or true" * 200,
        "zram.active" + " if true else true" * 100,
        "9" * 1900 + " > host.cpus",
        "1e400 > host.cpus",
        "host.cpus < 1e29 * 1e29" + " * 1e29" * 20,
        "host.cpus > 1e31",
        "host.cpus > 1" + " " * 2000,
        "host.cpus > \u0661",
        "host.cpus > 1\u0662",
        "host.cpus > \uff11",
        "hоst.cpus > 1",  # a Cyrillic letter
        "host.cpus > 1\x00",
        "host.cpus\r\n> 1",
        "host.role == 'a\\'",
        "host.role == '\\x41'",
        "host.role == 'a\x1b[31m'",
        "nan == nan",
        "host.cpus > inf",
        "host.cpus > 'nan'",
        "true" * 10,
        "a" * 1999,
        "host.cpus > 1 2 3",
        "import os",
        "lambda: 1",
        "zram.active is sameas true",
        "zram.active is defined(1)",
        "loop.index > 1",
    ],
)
def test_hostile_text_is_refused(text):
    error = refusal(text, want=None)
    assert 0 <= error.start <= len(text)
    assert error.start + error.length <= len(text) + 1
