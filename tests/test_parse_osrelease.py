import pytest

from advisor.errors import ParseError
from advisor.parse import osrelease
from tests.parse_samples import sample


def test_quotes_comments_and_empty_values_of_a_distribution() -> None:
    assert osrelease.parse(sample("distribution", "etc/os-release")) == osrelease.OsRelease(
        {
            "NAME": "Red Hat Enterprise Linux",
            "VERSION": "9.4 (Plow)",
            "ID": "rhel",
            "ID_LIKE": "fedora",
            "VERSION_ID": "9.4",
            "PRETTY_NAME": 'Red Hat "Enterprise" Linux 9.4 (Plow)',
            "ANSI_COLOR": "0;31",
            "LOGO": "",
            "HOME_URL": "https://www.redhat.com/",
        },
        (),
    )


@pytest.mark.parametrize(
    ("quoted", "value"),
    [
        ("debian", "debian"),
        ('"a\\\\b"', "a\\b"),
        ('"a\\$b\\`c"', "a$b`c"),
        ('"a\\nb"', "a\\nb"),
        ("'a\"b'", 'a"b'),
        ('""', ""),
    ],
)
def test_quoting_as_in_a_shell(quoted: str, value: str) -> None:
    assert osrelease.parse(f"NAME={quoted}\n").values == {"NAME": value}


@pytest.mark.parametrize("quoted", ['"debian', 'debian"', "a b", '"a"b"', "'a'b'", '"', "$HOME", "a;b", '"a\\"'])
def test_a_value_that_a_shell_would_not_take_as_it_stands_is_absent(quoted: str) -> None:
    parsed = osrelease.parse(f"ID=debian\nNAME={quoted}\n")
    assert parsed.values == {"ID": "debian"}
    assert len(parsed.problems) == 1


def test_a_cut_off_line_and_a_contradiction_are_absent() -> None:
    parsed = osrelease.parse("ID=a\nID=b\nNAME=c\nVERSION_ID=1")
    assert parsed.values == {"NAME": "c"}
    assert len(parsed.problems) == 2


def test_what_is_not_os_release_is_an_error() -> None:
    with pytest.raises(ParseError, match="os-release"):
        osrelease.parse("# nothing\n")
