"""The kernel command line: sysctl.vm.swappiness=10, transparent_hugepage=never, zswap.enabled=1, hugepages=64.

The kernel applies sysctl.* before it starts init, so any file of sysctl.d comes later: Linux kernel commit 3db978d480e2
("kernel/sysctl: support setting sysctl parameters from kernel command line") (in v5.8).
"""

from __future__ import annotations

from advisor.errors import ParseError
from advisor.hints import TYPE_CHECKING
from advisor.parse import cmdline, sysctld
from advisor.rivals.model import Rival

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.capture.model import Capture
    from advisor.outlook import Outlook
    from advisor.tunables import Tunable

_PATH = "proc/cmdline"
_OTHER_NAMES = {"thp.enabled": "transparent_hugepage", "vm.nr_hugepages": "hugepages"}


def find(capture: Capture, tunable: Tunable, outlook: Outlook) -> Iterator[Rival]:
    """The word of the command line that sets a setting."""
    try:
        values = cmdline.parse(capture.text(_PATH) or "").values
    except ParseError:
        return
    for name, value in values.items():
        if _means(name, tunable):
            alone = outlook.boot.by is None
            yield Rival(
                f"kernel command line, {name}", f"/{_PATH}", value, alone, "" if alone else "the files come later"
            )


def _means(name: str, tunable: Tunable) -> bool:
    if name.startswith("sysctl."):
        return sysctld.key(name.removeprefix("sysctl.")) == tunable.name
    module, _, parameter = name.partition(".")
    return name == _OTHER_NAMES.get(tunable.name) or tunable.path == f"sys/module/{module}/parameters/{parameter}"
