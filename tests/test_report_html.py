"""HTML reports in a real browser: drawn without a complaint, readable on any screen, and by those who do not see."""

import re
from html.parser import HTMLParser

import pytest

from advisor.policy.model import Waived
from advisor.record import replace
from advisor.report import formats
from tests import browser
from tests.browser import ACCESSIBLE, CONTRAST
from tests.reports import SECRET, burst, healthy, hostile, recorded, unjudged


def waived():
    """The findings of `burst`, for which somebody answers."""
    term = Waived("dba", "known, and watched", "2027-01-31")
    found = tuple(replace(finding, waived=term) for finding in burst().failed())
    return replace(burst(), verdict="healthy", findings=found, warnings=("a typo",))


def in_parts():
    """A host watched in five parts, of which one could not be told."""
    memory, *others = burst().pressure
    parts = ((0.0, 0.0), (0.1, 0.05), None, (0.9, 0.4), (1.0, 1.0))
    split = replace(memory, parts=tuple(part or (None, None) for part in parts))
    return replace(burst(), pressure=(split, *others))


PAGES = {"burst": burst, "parts": in_parts, "waived": waived, "healthy": healthy, "unjudged": unjudged,
         "hostile": hostile, "swap": lambda: recorded("6.12-pressure")}  # fmt: skip


@pytest.fixture(scope="module")
def chromium():
    with browser.opened() as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, report in PAGES.items():
        (folder / f"{name}.html").write_text(formats.host("html", report()), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [320, 1100])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_is_drawn_whole_and_readable(chromium, files, name, width, dark):
    chromium.open(files / f"{name}.html", width=width, dark=dark)
    assert chromium.faults(width) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_heard(chromium, files, name):
    chromium.open(files / f"{name}.html")
    assert chromium.run(ACCESSIBLE) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_prints(chromium, files, name, tmp_path):
    chromium.open(files / f"{name}.html", dark=True)
    chromium.print(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    chromium.ask(
        "Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}]
    )
    assert chromium.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    ratio, text = chromium.run(CONTRAST)
    assert ratio >= 4.5, text


def test_a_hostile_host_changes_nothing_in_the_page(chromium, files):
    chromium.open(files / "hostile.html")
    assert chromium.complaints() == []
    assert (
        chromium.run("document.querySelectorAll('script, iframe, object, embed, form, [onerror], [onload]').length")
        == 0
    )
    assert chromium.run("document.querySelectorAll('img, a:not(.skip)').length") == 0
    assert "<script>alert(1)</script>" in chromium.run("document.body.innerText")  # as text, where it can be read
    assert "49" not in chromium.run("document.querySelector('h1').innerText")


def test_a_page_needs_no_script_and_no_network(files):
    for name in PAGES:
        text = (files / f"{name}.html").read_text()
        assert "<script" not in text
        assert not re.search(r"(?:src|href)=\"(?!data:,|#)", text)
        assert "http" not in re.sub(r"<(?:td|th|p|dd|li|strong|span)[^>]*>[^<]*", "", text)


def test_the_verdict_stands_first_and_each_finding_has_evidence_and_remedy():
    report = burst()
    text = formats.host("html", report)
    body = text[text.index("<main") :]
    assert text.index("1 finding") < text.index("<main")
    assert body.index("What to do first") < body.index("What was found") < body.index("Plan")
    for finding in report.failed():
        assert finding.title in body
        if finding.severity != "notice":
            assert finding.remedy_text in body
            assert all(item.signal in body for item in finding.evidence if item.value is not None)


def test_what_is_no_setting_is_told_in_plain_words():
    text = formats.host("html", recorded("6.12-pressure"))
    assert "Add memory (capacity.ram increase)" in text


def test_the_picture_of_a_change_shows_each_mark_that_moves():
    text = formats.host("html", burst())
    assert text.count('<figure class="pair">') == 3
    assert "low 78.6 MiB → " in text


def test_pressure_is_drawn_part_by_part_and_what_is_unknown_is_not_drawn_as_calm():
    text = formats.host("html", in_parts())
    picture = text[text.index('class="time"') :].partition("</svg>")[0]
    assert picture.count('class="track"') == 4
    assert picture.count('class="full"') == 4
    assert "5 parts of the window, from left to right: 0% to 100%; the gap is unknown" in text
    assert 'class="time"' not in formats.host("html", burst())


def test_a_healthy_page_tells_what_was_checked_and_proposes_nothing():
    text = formats.host("html", healthy())
    assert "Healthy: nothing to tune" in text
    assert "Leave the settings as they are" in text
    assert "What was found" not in text


def test_a_page_without_verdict_says_what_is_missing():
    text = formats.host("html", unjudged())
    assert "Could not judge" in text
    assert "/proc/meminfo is not in the capture" in text


class _Wellformed(HTMLParser):
    """Every element is closed in its order."""

    VOID = frozenset({"meta", "link", "br", "path", "circle", "input"})

    def __init__(self):
        super().__init__()
        self.open, self.wrong = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID and (not self.open or self.open.pop() != tag):
            self.wrong.append(self.getpos())


@pytest.mark.parametrize("name", PAGES)
def test_every_element_is_closed(name):
    parser = _Wellformed()
    parser.feed(formats.host("html", PAGES[name]()))
    assert (parser.wrong, parser.open) == ([], [])


def test_the_hostile_name_is_on_the_page_at_all():
    text = formats.host("html", hostile())
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert SECRET not in text
