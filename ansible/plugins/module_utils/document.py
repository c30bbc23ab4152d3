# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The transaction document: what the controller sends, checked before anything is believed.

It names what to write, in which order, and what to accept when it is read back (docs/transaction.md). What the settings
mean, and which file wins at boot, is known on the controller only.
"""

import re

from ansible_collections.memadvisor.linux.plugins.module_utils import values
from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError, said

FORMAT = "memadvisor/transaction/1"
LONGEST_FILE = 1048576
LONGEST_CONFIRM_S = 86400

ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_SETTING = re.compile(r"/(?:proc/sys|sys)/[!-~]+")
_FILE = re.compile(r"/etc/[!-~]+\.conf")
_VALUE = re.compile(r"[!-~](?:[ -~\t]{0,4094}[!-~])?")
_MODE = re.compile(r"0[0-7]{3}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def check(document):
    """The document with every key filled in; raises TransactionError with everything that is wrong with it."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        found = document.get("format") if isinstance(document, dict) else type(document).__name__
        raise TransactionError(
            f"this is no transaction of the format {FORMAT} (found {str(found)[:60]!r}); "
            "use memadvisor and its collection memadvisor.linux of the same release"
        )
    problems = []
    checked = {
        "format": FORMAT,
        "id": _text(document.get("id"), ID, "id", problems),
        "purpose": str(document.get("purpose", "present")),
        "host": {key: _dict(document.get("host")).get(key) for key in ("boot_id", "hostname", "managed_pages")},
        "writes": [_write(entry, problems) for entry in _list(document.get("writes"), "writes", problems)],
        "files": [_file(entry, problems) for entry in _list(document.get("files"), "files", problems)],
        "confirm_s": _confirm(document.get("confirm_s"), problems),
    }
    for entries in (checked["writes"], checked["files"]):
        paths = [entry["path"] for entry in entries]
        problems += [f"{path} is named twice" for path in sorted(set(paths)) if paths.count(path) > 1]
    if problems:
        raise TransactionError("the transaction is refused: " + said(problems))
    return checked


def _write(entry, problems):
    entry = _dict(entry)
    path = _path(entry.get("path"), _SETTING, problems)
    name = str(entry.get("setting") or path)[:200]
    value = _text(entry.get("value"), _VALUE, f"value of {name}", problems)
    accept = entry.get("accept", "exact")
    if accept not in values.ACCEPTS:
        problems.append(f"{name}: accept is {accept!r}, not one of {', '.join(values.ACCEPTS)}")
    before = entry.get("before")
    if before is not None and not isinstance(before, str):
        problems.append(f"{name}: before is no text")
    bounds = entry.get("bounds")
    if bounds is not None and not _is_range(bounds):
        problems.append(f"{name}: bounds are no two numbers")
    elif bounds is not None and not all(_within(word, bounds) for word in value.split()):
        problems.append(f"{name}: {value} is outside of {bounds[0]} to {bounds[1]}")
    return {
        "setting": name,
        "path": path,
        "before": before,
        "value": value,
        "accept": accept,
        "bounds": bounds,
        "also": [_path(other, _SETTING, problems) for other in _list(entry.get("also", []), f"{name}: also", problems)],
        "undo": "none" if entry.get("undo") == "none" else "restore",
        "undo_not": [str(text) for text in _list(entry.get("undo_not", []), f"{name}: undo_not", problems)],
    }


def _is_range(bounds):
    return isinstance(bounds, list) and len(bounds) == 2 and all(isinstance(bound, int) for bound in bounds)


def _within(word, bounds):
    number = values.number(word)
    return number is None or bounds[0] <= number <= bounds[1]


def _file(entry, problems):
    entry = _dict(entry)
    path = _path(entry.get("path"), _FILE, problems)
    content = entry.get("content")
    if content is not None and (not isinstance(content, str) or len(content) > LONGEST_FILE):
        problems.append(f"{path}: its content is no text of at most {LONGEST_FILE} characters")
    known = entry.get("before_sha256")
    return {
        "path": path,
        "content": content,
        "before_sha256": known if known is None else _text(known, _SHA256, f"before_sha256 of {path}", problems),
        "mode": _text(entry.get("mode") or "0644", _MODE, f"mode of {path}", problems),
    }


def _confirm(value, problems):
    number = isinstance(value, int) and not isinstance(value, bool)
    if value is None or (number and 1 <= value <= LONGEST_CONFIRM_S):
        return value
    problems.append(f"confirm is {value!r}, not a number of seconds from 1 to {LONGEST_CONFIRM_S}")
    return None


def _path(value, pattern, problems):
    path = _text(value, pattern, "path", problems)
    if not {"", ".", ".."}.isdisjoint(path.split("/")[1:]):
        problems.append(f"the path {path} is not straight")
    return path


def _text(value, pattern, name, problems):
    if isinstance(value, str) and pattern.fullmatch(value):
        return value
    problems.append(f"the {name} cannot be {str(value)[:60]!r}")
    return ""


def _dict(value):
    return value if isinstance(value, dict) else {}


def _list(value, name, problems):
    if isinstance(value, list):
        return value
    problems.append(f"{name} is no list")
    return []
