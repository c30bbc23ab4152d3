"""The kernel log: which tool is asked, and what is said when none answers."""

from __future__ import annotations

import os

import pytest

from advisor.capture import kernel_log
from advisor.capture.kernel_log import read_kernel_log
from advisor.capture.tree import MAX_LOG

DENIED = "echo 'dmesg: read kernel buffer failed: Operation not permitted' >&2; exit 1"


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """Puts shell scripts in place of dmesg and journalctl."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def place(name, script):
        (tmp_path / name).write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        (tmp_path / name).chmod(0o755)

    return place


def test_dmesg_is_asked_first(tool):
    tool("dmesg", "echo '[ 1.0] first'")
    tool("journalctl", "echo second")

    assert read_kernel_log() == ("[ 1.0] first\n", "")


def test_the_journal_of_this_boot_is_asked_when_dmesg_may_not(tool):
    tool("dmesg", DENIED)
    tool("journalctl", 'echo "$@ $LC_ALL"')

    assert read_kernel_log() == ("-k -b -o short-monotonic --no-pager C\n", "")


def test_an_empty_journal_is_no_log(tool):
    tool("journalctl", "echo '-- No entries --'")

    assert read_kernel_log() == (None, "journalctl: prints nothing")


def test_who_may_read_it_is_said_to_others_than_root(tool, monkeypatch):
    tool("dmesg", DENIED)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert read_kernel_log() == (None, "permission denied; root reads it")


def test_root_is_told_what_the_tools_say(tool, monkeypatch):
    tool("dmesg", DENIED)
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert read_kernel_log() == (None, "dmesg: Operation not permitted")


def test_a_host_without_tools_is_told_so(tool):
    assert read_kernel_log() == (None, "neither dmesg nor journalctl is installed")


def test_a_tool_that_hangs_is_left_alone(tool, monkeypatch):
    monkeypatch.setattr(kernel_log, "_PATIENCE_S", 0.1)
    tool("dmesg", "exec sleep 60")
    tool("journalctl", "echo then")

    assert read_kernel_log() == ("then\n", "")


def test_of_a_long_log_the_end_is_kept_in_whole_lines_without_losing_a_byte(tool):
    tool("dmesg", "yes 'a line of the log' | head -n 100000; printf 'last \\377'")

    log, remark = read_kernel_log()

    assert len(log) <= MAX_LOG
    assert log.startswith("a line of the log\n")
    assert log.endswith("last \udcff")
    assert remark == "of the kernel log only the last 1 MiB was read"
