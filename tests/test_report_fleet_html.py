"""The page of a fleet in a real browser: small, quick to draw, sorted without script and sortable with it."""

import random

import pytest

from advisor.record import replace
from advisor.report import formats
from advisor.report.fleet import FleetReport, HostResult, host_result, since
from tests import browser
from tests.browser import ACCESSIBLE
from tests.reports import SECRET, burst, healthy, hostile, incident, named, recorded, unjudged

SORT = "document.querySelectorAll('#table thead button')[{}].click()"
ROWS = "[...document.querySelectorAll('#table tbody tr')].map(row => row.cells[{}].textContent)"


def many(count: int) -> FleetReport:
    """Hosts as a fleet has them: most healthy, some sick, a few that cannot be judged; of fifteen classes."""
    reports = (burst(), healthy(), unjudged(), recorded("6.12-pressure"), incident("psi-memory-full-58-percent"))
    kinds = [host_result(named(report, "x")) for report in reports]
    chosen = random.Random(1).choices(kinds, [10, 60, 3, 10, 5], k=count)
    hosts = (
        replace(
            kind, name=f"web{number:05}.dc{number % 7}.example.net", class_=f"{8 << number % 5} GiB, 6.{number % 3}"
        )
        for number, kind in enumerate(chosen)
    )
    return FleetReport(tuple(sorted(hosts, key=HostResult.rank)))


def evil() -> FleetReport:
    host = replace(host_result(named(hostile(), SECRET)), class_=SECRET)
    return FleetReport((host, replace(host, class_="other")), SECRET, ((SECRET, SECRET),), (SECRET,))


def changed() -> FleetReport:
    fleet = many(40)
    before = replace(fleet, hosts=tuple(replace(host, findings=()) for host in fleet.hosts[2:]))
    return replace(fleet, since=since(before, fleet), unreadable=(("sos-1.tar.xz", "is no archive"),))


FLEETS = {"changed": changed, "evil": evil, "healthy": lambda: FleetReport((host_result(named(healthy(), "a")),)),
          "empty": lambda: FleetReport(()), "unjudged": lambda: FleetReport((host_result(named(unjudged(), "a")),)),
          "thousand": lambda: many(1000)}  # fmt: skip


@pytest.fixture(scope="module")
def chromium():
    with browser.opened() as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleets")
    for name, fleet in FLEETS.items():
        (folder / f"{name}.html").write_text(formats.fleet("html", fleet()), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", FLEETS)
@pytest.mark.parametrize("width", [320, 1100])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_is_drawn_whole_and_readable(chromium, files, name, width, dark):
    chromium.open(files / f"{name}.html", width=width, dark=dark)
    assert chromium.faults(width) == []


@pytest.mark.parametrize("name", FLEETS)
def test_a_page_can_be_heard(chromium, files, name):
    chromium.open(files / f"{name}.html")
    assert chromium.run(ACCESSIBLE) == []


def test_rows_stay_rows_of_a_table_for_those_who_hear_it(chromium, files):
    chromium.open(files / "changed.html")
    tree = chromium.ask("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in tree if not node["ignored"]]
    assert roles.count("rowheader") >= 40
    assert roles.count("columnheader") >= 9
    assert "banner" in roles
    assert "main" in roles
    assert "contentinfo" in roles


def test_without_script_the_worst_hosts_come_first(chromium, files):
    chromium.open(files / "changed.html", script=False)
    text = (files / "changed.html").read_text()
    names = [host.name for host in changed().hosts]
    table = text[text.index('<table id="table"') :]
    assert sorted(names, key=lambda name: table.index(f">{name}")) == names
    assert changed().hosts[0].status() == "critical"


def test_with_script_the_table_is_sorted_and_searched(chromium, files):
    chromium.open(files / "changed.html")
    first = chromium.run(ROWS.format(1))
    chromium.run(SORT.format(1))
    assert chromium.run(ROWS.format(1)) == sorted(first)
    chromium.run(SORT.format(1))
    assert chromium.run(ROWS.format(1)) == sorted(first, reverse=True)
    assert chromium.run("document.querySelectorAll('#table thead th')[1].getAttribute('aria-sort')") == "descending"
    chromium.run(SORT.format(0))
    assert chromium.run(ROWS.format(1)) == first
    chromium.run("(() => { const box = document.querySelector('#tools input'); box.value = 'WEB00017';"
                 "box.dispatchEvent(new Event('input')); })()")  # fmt: skip
    assert chromium.run("[...document.querySelectorAll('#table tbody tr')].filter(row => !row.hidden).length") == 1


def test_a_hostile_fleet_changes_nothing_in_the_page(chromium, files):
    chromium.open(files / "evil.html")
    assert chromium.complaints() == []
    acts = "iframe, object, embed, form, img, [onerror], [onload], a:not(.skip)"
    assert chromium.run(f"document.querySelectorAll('{acts}').length") == 0
    assert chromium.run("document.querySelectorAll('script').length") == 1
    assert "<script>alert(1)</script>" in chromium.run("document.body.innerText")


def test_the_map_has_a_column_for_each_host_with_findings():
    fleet = changed()
    text = formats.fleet("html", fleet)
    sick = [host for host in fleet.hosts if host.counting()]
    assert f'viewBox="0 0 {len(sick)} 10"' in text
    for count in fleet.rules():
        assert f"on {len(count.hosts)} host" in text
        assert count.title in text


def test_a_page_says_what_could_not_be_judged_and_what_changed():
    text = formats.fleet("html", changed())
    assert "is no archive" in text
    assert "the kernel log is not in the capture" in text
    assert "new host: 2" in text
    assert "new finding: " in text


def test_ten_thousand_hosts_make_less_than_five_megabytes_and_every_host_is_there(chromium, tmp_path):
    fleet = many(10_000)
    text = formats.fleet("html", fleet)
    assert len(text.encode()) < 5_000_000
    page = tmp_path / "large.html"
    page.write_text(text, encoding="utf-8")
    chromium.open(page)
    assert chromium.complaints() == []
    assert chromium.run("document.querySelectorAll('#table tbody tr').length") == 10_000


@pytest.mark.parametrize("form", formats.FLEET)
def test_every_format_takes_a_thousand_hosts(form):
    fleet = many(1000)
    text = formats.fleet(form, fleet)
    assert fleet.hosts[0].name in text
