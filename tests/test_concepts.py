"""Each name on the page of concepts leads somewhere, and everything that the page names exists."""

import re

import pytest

from advisor.cli import main
from advisor.rulebook import library
from advisor.signals.model import catalogue
from tests.fixtures import HERE

PAGE = HERE.parent / "docs" / "concepts.md"
TEXT = PAGE.read_text(encoding="utf-8")
# First cells of table rows hold the names in bold; running text has cachestat(2) beside.
NAMES = sorted(
    {name for row in re.findall(r"^\| (\*\*.*?) \|", TEXT, re.MULTILINE) for name in re.findall(r"\*\*(.+?)\*\*", row)}
    | {name.removesuffix("(2)") for name in re.findall(r"^\*\*(.+?)\*\*", TEXT, re.MULTILINE)}
)
GROUPS = {name.split(".")[0] for name in catalogue()}
SIGNALS = sorted(
    {word for word in re.findall(r"`([a-z_]+(?:\.[A-Za-z0-9_]+)+)`", TEXT) if word.split(".")[0] in GROUPS}
)
LINKS = sorted(set(re.findall(r"\[([a-z0-9-]+)\]\((\.\./rules/[^)]+)\)", TEXT)))

# The words of the founder's notes, which must not get lost from the page.
WORDS = (
    "minor page fault", "major page fault", "invalid page fault", "page-in", "page-out", "fast path", "slow path",
    "background reclaim", "direct reclaim", "memory cgroup charge", "memory cgroup limit", "min watermark",
    "low watermark", "high watermark", "dirty pages", "writeback", "compaction", "compact_stall", "manual compaction",
    "pgscank/s", "pgscand/s", "pgsteal/s", "%vmeff", "page scan", "page steal", "dentry", "inode", "slab shrinking",
    "active list", "inactive list", "reclaim priority", "lru_gen", "swappiness", "OOM", "thrashing", "page cache",
    "hit ratio", "cachestat", "JVM", "zone", "node", "preferred zone", "refill_inactive", "page_launder", "swap_out",
    "kmem_cache_reap", "shrink_dcache_memory", "only a reboot helps",
)  # fmt: skip


@pytest.mark.parametrize("word", NAMES)
def test_the_command_finds_each_name_on_the_page(word, capsys):
    assert main(["signals", word]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("word", WORDS)
def test_each_word_of_the_notes_has_its_place_on_the_page(word):
    assert word in NAMES


@pytest.mark.parametrize("name", SIGNALS)
def test_each_signal_on_the_page_exists(name):
    assert name in catalogue()


def test_the_page_names_signals_and_checks_at_all():
    assert len(SIGNALS) > 80
    assert len(LINKS) > 50


@pytest.mark.parametrize(("name", "target"), LINKS)
def test_each_check_on_the_page_is_a_rule_file(name, target):
    file = (PAGE.parent / target).resolve()
    assert file in [path.resolve() for path in library.rule_files([library.builtin_folder()])]
    assert file.stem == name
