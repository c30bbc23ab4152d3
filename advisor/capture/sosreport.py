"""What a sosreport holds besides a tree of files: command outputs that stand for files, and the kernel log.

Paths are those of the sos plugins `kernel`, `logs`, `memory` and `host` (https://github.com/sosreport/sos).
"""

from __future__ import annotations

from advisor.capture.files import FILES, NEVER, fits
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.capture.tree import Tree

MARK = "sos_commands"  # the folder that every sosreport has
_DMESG = ("sos_commands/kernel/dmesg", "sos_commands/kernel/dmesg*", "var/log/dmesg")
_JOURNAL = "sos_commands/logs/journalctl*"
_HOSTNAME = ("sos_commands/host/hostname", "sos_commands/general/hostname")
_SYSCTL = "sos_commands/kernel/sysctl_-a"
_FREE = "sos_commands/memory/free"  # in KiB; free_-m would be read wrong by a factor of 1024
PATTERNS = (*_DMESG, _JOURNAL, *_HOSTNAME, _SYSCTL, _FREE)


def settings(tree: Tree) -> dict[str, str]:
    """Texts of the files below proc/sys that we read, from the output of ``sysctl -a``.

    Sos does not copy /proc/sys/vm; sysctl prints each value as the file holds it.
    """
    wanted = [file.pattern for file in FILES if file.pattern.startswith("proc/sys/")]
    texts = {}
    for line in (tree.read(_SYSCTL) or "").splitlines():
        name, equals, value = line.partition(" = ")
        path = f"proc/sys/{name.replace('.', '/')}"
        if equals and path.rpartition("/")[2] not in NEVER and any(fits(path, pattern) for pattern in wanted):
            texts[path] = f"{value}\n"
    return texts


def kernel_log(tree: Tree) -> str | None:
    """The kernel's messages: dmesg, or else the lines that the kernel wrote to the journal of this boot."""
    for pattern in _DMESG:
        for path in tree.expand(pattern):
            if text := tree.read(path):
                return text
    journals = [path for path in tree.expand(_JOURNAL) if "boot_-1" not in path and "list-boots" not in path]
    for path in sorted(journals, key=lambda path: "boot" not in path):
        lines = [line for line in (tree.read(path) or "").splitlines(keepends=True) if " kernel: " in line]
        if lines:
            return "".join(lines)
    return None


def tools(tree: Tree) -> dict[str, str]:
    """Outputs of tools, by name, as in `Capture.tools`."""
    text = tree.read(_FREE)
    return {} if text is None else {"free": text}


def host(tree: Tree) -> str:
    """The host's name, or "" when the report does not hold it."""
    return next((text.strip() for path in _HOSTNAME if (text := tree.read(path))), "")
