# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looks at everything that a transaction is about before anything is written, and writes nothing itself."""

import collections
import hashlib
import os
import re

from ansible_collections.memadvisor.linux.plugins.module_utils import files, values
from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError, reason, said, under
from ansible_collections.memadvisor.linux.plugins.module_utils.undo import BOOT_ID

Looked = collections.namedtuple("Looked", "document writes files before")
"""What was found.

document: the checked one. writes, files: its entries that are not fulfilled yet. before: texts by path, `values` of all
that a write touches, and `files` of those to be replaced (None: there is none).
"""
Looked.changed = property(lambda looked: bool(looked.writes or looked.files))

_MACHINE = re.compile(r"[0-9a-f]{32}")
_PRINTABLE = re.compile(r"[ -~]*")


def look(document, root):
    """What a checked document would change on this host; raises TransactionError with every reason why it cannot."""
    problems = list(_host(document["host"], root))
    before = {"values": {}, "files": {}}
    for entry in document["writes"]:
        _value(entry, root, before["values"], problems)
    for entry in document["files"]:
        _file(entry, root, before["files"], problems)
    if problems:
        raise TransactionError("nothing was changed: " + said(problems))
    writes = [entry for entry in document["writes"] if not values.same(entry["value"], before["values"][entry["path"]])]
    return Looked(document, writes, [entry for entry in document["files"] if entry["path"] in before["files"]], before)


def boot_id(root):
    """The id of this boot; None when it is not told."""
    return _line(root, BOOT_ID)


def hostname(root):
    """The name of the host; None when it is not told."""
    return _line(root, "/proc/sys/kernel/hostname")


def machine(root):
    """Tells hosts of one name apart: a digest of the machine-id, which is not to be handed on; None when unknown."""
    text = _line(root, "/etc/machine-id") or ""
    return hashlib.sha256(("memadvisor " + text).encode()).hexdigest()[:16] if _MACHINE.fullmatch(text) else None


def _host(host, root):
    named = (
        ("boot_id", "boot", boot_id(root)),
        ("hostname", "host", hostname(root)),
        ("managed_pages", "amount of memory (managed pages)", _managed_pages(root)),
    )
    for key, what, found in named:
        if host[key] is not None and host[key] != found:
            yield f"this was planned for another {what}, {host[key]}, and here it is {found or 'not known'}; plan again"


def _managed_pages(root):
    try:
        text = files.read(under(root, "/proc/zoneinfo")) or ""
    except OSError:
        return None
    return sum(map(int, re.findall(r"^\s+managed\s+(\d+)$", text, re.MULTILINE))) or None


def _line(root, path):
    try:
        return values.read(under(root, path)) or None
    except OSError:
        return None


# Notes the text of a setting, and those of the settings that a write moves too, in `before`.
def _value(entry, root, before, problems):
    name, path = entry["setting"], entry["path"]
    for other in [path, *entry["also"]]:
        try:
            before[other] = values.read(under(root, other))
        except OSError as error:
            if other == path:
                problems.append(f"{name} cannot be read: {reason(error)}")
                return
            continue  # a twin that this kernel lacks
        if not _PRINTABLE.fullmatch(before[other]):
            problems.append(f"{other} holds a text that could not be written back")
    if values.same(entry["value"], before[path]):
        return
    if entry["before"] is not None and not values.same(entry["before"], before[path]):
        planned, now = values.in_force(entry["before"]), values.in_force(before[path])
        problems.append(f"{name} was {planned!r} when this was planned and is {now!r} now; plan again")
        return
    try:
        values.try_open(under(root, path))
    except OSError as error:
        problems.append(f"{name} cannot be written: {reason(error)}")


# Notes the text of a file that is to change in `before`.
def _file(entry, root, before, problems):
    path = under(root, entry["path"])
    try:
        text = files.read(path)
        if text == entry["content"]:
            return
        before[entry["path"]] = text
        problem = _against(entry, path, text)
    except OSError as error:
        problem = f"it cannot be read: {reason(error)}"
    if problem:
        problems.append(f"{entry['path']} cannot be written: {problem}")


def _against(entry, path, text):
    if os.path.islink(path):
        return f"it is a symbolic link to {os.readlink(path)}; whoever made that manages the file"
    if entry["before_sha256"] != files.sha256(text):
        return "it has been changed since this was planned; plan again"
    folder = os.path.dirname(([path, *files.missing_folders(path)])[-1])
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return f"{folder} is mounted read-only (an image-based host?); persist: false changes the running kernel alone"
    return None if os.access(folder, os.W_OK) else "no permission; run as root (become: true)"


def by_setting(looked, texts):
    """Values by setting from texts by path, for those that the transaction names."""
    return {
        entry["setting"]: values.in_force(texts[entry["path"]])
        for entry in looked.document["writes"]
        if entry["path"] in texts
    }


def differences(looked, actual):
    """What changes, as Ansible shows it: the values, then each file."""
    shown = []
    if looked.writes:
        texts = [looked.before["values"], actual]
        before, after = (
            "".join(f"{e['setting']} = {values.in_force(t[e['path']])}\n" for e in looked.writes) for t in texts
        )
        shown.append({"before_header": "live", "after_header": "live", "before": before, "after": after})
    for entry in looked.files:
        before, after = (_shown(text) for text in (looked.before["files"][entry["path"]], entry["content"]))
        shown.append({"before_header": entry["path"], "after_header": entry["path"], "before": before, "after": after})
    return shown


def _shown(text):
    return (text or "").encode("utf-8", "replace").decode("utf-8")
