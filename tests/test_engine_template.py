"""Messages: what they may hold, and how they read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.check import check
from advisor.engine.message import Template, render
from advisor.engine.names import Type, number
from advisor.engine.template import check_template
from advisor.errors import ExpressionError

NAMES = {
    "mem.free": number("B"),
    "zone.low": number("page"),
    "page_size": number("B/page"),
    "rate.pgin": number("B/s"),
    "rate.pswpin": number("page/s"),
    "rate.allocstall": number("1/s"),
    "psi.some": number("ratio"),
    "host.uptime": number("s"),
    "host.cpus": number(),
    "zram.active": Type("bool"),
    "host.role": Type("str"),
}
ROW = {
    "mem.free": 1610612736.0,
    "zone.low": 12345.0,
    "page_size": 4096.0,
    "rate.pgin": 67108864.0,
    "rate.pswpin": 800.0,
    "rate.allocstall": 12.0,
    "psi.some": 0.0532,
    "host.uptime": 90.0,
    "host.cpus": 8.0,
    "zram.active": True,
    "host.role": "database",
}


def rendered(text: str, row: dict) -> str:
    return render(check_template(text, NAMES), row)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing but text, Σ 5% { } |", "nothing but text, Σ 5% { } |"),
        ("", ""),
        ("{{ mem.free }} and {{ mem.free | bytes }}", "1.5 GiB and 1.5 GiB"),
        ("{{ zone.low }}, {{ zone.low | pages }}", "12345 pages, 12345 pages"),
        ("{{ zone.low * page_size | bytes }}".replace("zone.low * page_size", "(zone.low * page_size)"), "48.2 MiB"),
        ("{{ page_size }}", "4 KiB/page"),
        ("{{ rate.pgin }} {{ rate.pgin | rate }}", "64 MiB/s 64 MiB/s"),
        ("{{ rate.pswpin | rate }}", "800 pages/s"),
        ("{{ rate.allocstall }} stalls per second", "12 stalls per second"),
        ("{{ rate.allocstall | rate }}, {{ rate.allocstall | count }}", "12/s, 12"),
        ("{{ psi.some }} {{ psi.some | percent }}", "5.32% 5.32%"),
        ("{{ (host.cpus / 10) | percent }} {{ host.cpus / 10 }}", "80% 0.8"),
        ("{{ host.uptime }} {{ host.uptime | seconds }}", "1.5 min 1.5 min"),
        ("{{ host.cpus }} {{ host.cpus | count }}", "8 8"),
        ("{{ zram.active }} {{ host.role }}", "yes database"),
        ("{{ 'yes' if host.cpus > 4 else 'no' }}", "yes"),
        ("{% if zram.active %}on{% else %}off{% endif %}", "on"),
        ("{% if host.cpus < 4 %}few{% endif %}.", "."),
        ("{% if zram.active %}{% if host.cpus > 4 %}a{% else %}b{% endif %}{% else %}c{% endif %}", "a"),
        ("a {%- if zram.active -%} b {%- endif -%} c {{- host.cpus -}} d", "abc8d"),
    ],
)
def test_a_message_reads(text, expected):
    assert rendered(text, ROW) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ mem.free | bytes }} {{ zram.active }} {{ host.role }}", "unknown unknown unknown"),
        ("{{ host.cpus / 0.5 }}", "unknown"),
        ("zram is {% if zram.active %}on{% else %}off{% endif %}", "zram is unknown"),
        ("Swap{% if zram.active %} is compressed{% endif %}.", "Swap."),
        ("{% if known(mem.free) %}{{ mem.free }}{% else %}no value{% endif %}", "no value"),
    ],
)
def test_what_is_unknown_reads_unknown_and_no_branch_is_guessed(text, expected):
    assert rendered(text, {}) == expected


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("Σ {{ mem.fre }}", "     ^^^^^^^^"[:-1], "unknown signal 'mem.fre'"),
        ("{{ host.cpus | bytes }}", "   ^^^^^^^^^^^^^^^^^", "the filter bytes needs bytes and gets no unit"),
        (
            "{{ mem.free | percent }}",
            "   ^^^^^^^^^^^^^^^^^^",
            "the filter percent needs a number without unit and gets B",
        ),
        ("{{ zone.low | seconds }}", "   ^^^^^^^^^^^^^^^^^^", "the filter seconds needs seconds and gets page"),
        ("{{ mem.free | rate }}", "   ^^^^^^^^^^^^^^^", "the filter rate needs something per second and gets B"),
        ("{{ host.role | bytes }}", "   ^^^^^^^^^", "this must be a number and is a text"),
        ("{{ mem.free | bites }}", "              ^^^^^", "unknown filter 'bites'"),
        ("{{ mem.free | default(0) }}", "              ^^^^^^^", "unknown filter 'default'"),
        ("{{ mem.free | bytes(1) }}", "              ^^^^^", "the filter bytes takes no arguments"),
        ("{{ mem.free | bytes | count }}", "                      ^^^^^", "a value takes one filter only"),
        (
            "{{ mem.free + mem.free | bytes }}",
            "              ^^^^^^^^^^^^^^^^",
            "a filter inside an expression is not part of the rule language",
        ),
        (
            "{% if host.cpus | count %}a{% endif %}",
            "      ^^^^^^^^^^^^^^^^^",
            "a filter inside an expression is not part of the rule language",
        ),
        ("{% if host.cpus %}a{% endif %}", "      ^^^^^^^^^", "this must be a condition and is a number"),
        ("{% if mem.free > 5 %}a{% endif %}", "                 ^", "a bare number where the unit is B"),
        ("{% for x in y %}{% endfor %}", "   ^^^", "the tag 'for' is not part of a message"),
        ("{% set x = 1 %}", "   ^^^", "the tag 'set' is not part of a message"),
        ("{% include 'a' %}", "   ^^^^^^^", "the tag 'include' is not part of a message"),
        (
            "{% if true %}a{% elif true %}b{% endif %}",
            "                 ^^^^",
            "the tag 'elif' is not part of a message",
        ),
        ("a{# b #}", " ^^", "'{#' does not belong in a message"),
        ("{% raw %}a{% endraw %}", "^^^^^^^^^", "'{% raw %}' does not belong in a message"),
        ("{% if true %}a", "   ^^", "'if' is never closed"),
        ("{% if true %}{% if true %}a{% endif %}", "   ^^", "'if' is never closed"),
        ("a{% else %}b", "    ^^^^", "unexpected 'else'"),
        ("{% endif %}", "   ^^^^^", "unexpected 'endif'"),
        ("{{ }}", "   ^^", "unexpected '}}'"),
        ("{{ host.cpus", "            ^", "the message ends too early"),
        ("{{ host.cpus }", "             ^", "unexpected '}'"),
        ("{{ (host.cpus }}", "              ^", "unexpected '}'"),
        (
            "{{ host.cpus, mem.free }}",
            "   ^^^^^^^^^^^^^^^^^^^",
            "a list outside of 'in' is not part of the rule language",
        ),
        ("{{ ''.__class__ }}", "   ^^", "a dot may only follow a name"),
        ("{{ self }}", "   ^^^^", "unknown signal 'self'"),
        ("a\r\n{{ b }}", " ^", "carriage return in the text"),
    ],
)
def test_what_does_not_belong_in_a_message_is_pointed_at(text, place, message):
    with pytest.raises(ExpressionError) as caught:
        check_template(text, NAMES)
    error = caught.value
    assert (" " * error.start + "^" * error.length, error.message, error.text) == (place, message, text)


def test_a_message_names_its_signals_and_let_parts_and_survives_json():
    let = {"size": check("zone.low * page_size", NAMES, want=None)}
    text = "{{ size | bytes }}{% if zram.active %} {{ psi.some }}{% else %}-{% endif %}"
    template = check_template(text, NAMES, let)
    assert template.names == {"zone.low", "page_size", "zram.active", "psi.some"}
    assert template.let == {"size"}
    again = Template.from_json(json.loads(json.dumps(template.to_json())))
    assert again == template
    assert render(again, ROW) == "48.2 MiB 5.32%"


@pytest.mark.parametrize("data", [None, {}, {"text": "", "parts": 1, "names": [], "let": []}])
def test_stored_data_of_another_shape_is_refused(data):
    with pytest.raises(ExpressionError, match="not a stored message"):
        Template.from_json(data)


pieces = st.sampled_from(
    [
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "if",
        "else",
        "endif",
        "for",
        "mem.free",
        "|",
        "bytes",
        " ",
        "(",
        ")",
        "'",
        "\\",
        "-",
        "\n",
        "é",
        "1",
    ]
)


@given(st.lists(pieces, max_size=15).map("".join) | st.text(max_size=40))
def test_any_text_gives_a_message_or_our_error(text):
    place, template = 0, Template("", (), frozenset())
    try:
        template = check_template(text, NAMES)
    except ExpressionError as error:
        place = error.start
    assert 0 <= place <= len(text)
    assert isinstance(render(template, {}), str)
