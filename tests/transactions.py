"""A host that executes transactions as docs/transaction.md says, without a machine."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from advisor.capture.model import Capture, Sample
from advisor.tunables import get, parse_value
from tests.synthetic_host import DEFAULTS, Host

BOOT_ID = "proc/sys/kernel/random/boot_id"
SWAPPINESS = "vm.swappiness"
MIN_FREE = "vm.min_free_kbytes"
SYSCTL = "/etc/sysctl.d/99-zz-memadvisor.conf"
TMPFILES = "/etc/tmpfiles.d/00-memadvisor.conf"


def host(thp="madvise", files=None, **settings):
    """A calm host of 16 GiB, with further files."""
    extra = {BOOT_ID: "b0070000-0000-4000-8000-000000000001\n", "proc/vmstat": "", **(files or {})}
    values = {name.replace("__", ".", 1): value for name, value in settings.items()}
    managed = (("DMA", 3840), ("DMA32", 196_000), ("Normal", 16 * (1 << 18) - 200_000))
    counters = {"pgscan_anon": 0, "pgpromote_success": 0}
    extra.pop("proc/vmstat")
    return Host(managed, {**DEFAULTS, **values}, thp, counters, 0.3, 0.3, 0.0, (0, 0.0, False), extra)


def capture(machine: Host) -> Capture:
    """One sample of it."""
    return Capture((Sample(machine.files(machine.counters), 1.0, 1.0),), host="db1", how="live")


def text_of(machine: Host, path: str) -> str | None:
    """What a file of it holds."""
    return machine.files(machine.counters).get(path.lstrip("/"))


def collapsed(machine: Host, path: str) -> str:
    """The same as the document writes it."""
    return " ".join((text_of(machine, path) or "").split())


def execute(machine: Host, document: dict) -> tuple[Host, dict]:
    """The host after a transaction, and its receipt."""
    writes, files = document["writes"], document["files"]
    touched = [path for write in writes for path in (write["path"], *write["also"])]
    values = {path: collapsed(machine, path) for path in touched}
    old = {file["path"]: text_of(machine, file["path"]) for file in files}
    for write in writes:
        assert write["before"] == values[write["path"]]
        machine = machine.written(write["setting"], parse_value(get(write["setting"]), write["value"]))
    actual = {write["path"]: collapsed(machine, write["path"]) for write in writes}
    for file in files:
        now = old[file["path"]]
        assert file["before_sha256"] == (None if now is None else hashlib.sha256(now.encode()).hexdigest())
        extra = {path: text for path, text in machine.extra.items() if path != file["path"][1:]}
        if file["content"] is not None:
            extra[file["path"][1:]] = file["content"]
        machine = replace(machine, extra=extra)
    receipt = {
        **document, "format": "memadvisor/receipt/1", "hostname": "db1", "boot_id": document["host"]["boot_id"],
        "applied_at": "2026-11-24T23:15:00Z", "outcome": "applied", "before": {"values": values, "files": old},
        "actual": actual,
    }  # fmt: skip
    return machine, receipt
