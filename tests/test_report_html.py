"""HTML reports in a real browser: drawn without a complaint, readable on any screen, and by those who do not see."""

import re
from html.parser import HTMLParser

import pytest

from advisor.report import formats
from tests import browser
from tests.reports import SECRET, burst, healthy, hostile, recorded, unjudged

PAGES = {"burst": burst, "healthy": healthy, "unjudged": unjudged, "hostile": hostile,
         "swap": lambda: recorded("6.12-pressure")}  # fmt: skip

# The contrast of every visible text with what is behind it, by WCAG 2.1; the worst comes back.
CONTRAST = """(() => {
  const parse = text => { const n = text.match(/[0-9.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
      .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const color = parse(getComputedStyle(node).backgroundColor);
      if (color[3] > 0.99) return color;
    }
    return [255, 255, 255, 1];
  };
  let worst = [99, ""];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !parent.checkVisibility()) continue;
    if (parent.closest("svg, script, style, .skip, .unseen")) continue;
    const [one, two] = [light(parse(getComputedStyle(parent).color)), light(behind(parent))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < worst[0]) worst = [ratio, walk.currentNode.data.trim().slice(0, 60)];
  }
  return worst;
})()"""

# What lies outside of the page to the right, but for tables that scroll.
OVERFLOW = """[...document.body.querySelectorAll('*')].filter(node => !node.closest('.scroll, .skip, svg')
  && node.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(node => node.outerHTML.slice(0, 80))"""

ACCESSIBLE = """(() => {
  const found = [];
  const say = (what, nodes) => nodes.forEach(node => found.push(what + ': ' + node.outerHTML.slice(0, 80)));
  const all = selector => [...document.querySelectorAll(selector)];
  for (const one of ['header', 'main', 'footer', 'h1', 'head > title'])
    if (all(one).length !== 1) found.push(all(one).length + ' of ' + one);
  if (document.documentElement.lang !== 'en') found.push('no language');
  say('picture without a name', all('svg').filter(svg => svg.getAttribute('aria-hidden') !== 'true'
    && !svg.closest('[aria-hidden=true]')
    && !(svg.getAttribute('role') === 'img' && svg.querySelector('title')?.textContent.trim()
         && svg.querySelector('desc')?.textContent.trim())));
  say('a heading of a table without scope', all('th:not([scope])'));
  say('a table without headings', all('table').filter(table => !table.querySelector('thead th')));
  say('names nothing', all('[aria-labelledby]').filter(node => node.getAttribute('aria-labelledby').split(' ')
    .some(id => !document.getElementById(id))));
  const ids = all('[id]').map(node => node.id);
  if (new Set(ids).size !== ids.length) found.push('an id twice');
  let level = 0;
  for (const node of all('h1, h2, h3, h4')) {
    const now = Number(node.tagName[1]);
    if (now > level + 1) found.push('a heading level is left out: ' + node.outerHTML);
    level = now;
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def chromium():
    if browser.CHROMIUM is None:
        pytest.skip("Chromium (Debian package chromium) is not installed")
    with browser.Browser() as opened:
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
    assert chromium.complaints() == []
    assert chromium.run(OVERFLOW) == []
    assert chromium.run("document.documentElement.scrollWidth") <= width
    ratio, text = chromium.run(CONTRAST)
    assert ratio >= 4.5, text
    assert ratio < 99


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


def test_the_picture_of_a_change_shows_each_mark_that_moves():
    text = formats.host("html", burst())
    assert text.count('<figure class="pair">') == 3
    assert "low 78.6 MiB → " in text


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
