r"""A capture taken by a POSIX shell: what a host without Python, and without anything of ours, can give.

`script` makes the text that a shell of the host runs: one visit. It only reads, leaves nothing behind, and prints
lines of ASCII, so that any connection that carries text carries it. `read_visit` makes a capture of what was printed,
`merge` one capture of two visits, with the window between them.

Needed on the host: `sh`, `head -c`, `find`, `date`; with `gzip` and `base64` the answer is small (some 12 kB),
without them it is sent as it is. GNU, busybox and toybox have them all.

The answer, unpacked, is what `head` prints for several files (``\n==> proc/vmstat <==\n`` and the text), and sections
of ours whose names begin with ``@``, which no path does::

    @sample NUMBER UPTIME WALL    the files that follow belong to this sample
    @log                          kernel messages, at most the last 32 KiB of them: the first line, and all from the
                                  first that says anything of memory, without stacks and tables of small tasks
    @denied                       paths that are there, and that this user may not read
    @links                        symbolic links where that matters: path, tab, target
    @end                          nothing was cut off
"""

from __future__ import annotations

import base64
import binascii
import re
import shlex
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING

from advisor.capture.files import FILES, NEVER, linkable, patterns
from advisor.capture.model import Capture, Sample
from advisor.capture.tree import MAX_FOLDERS, MIB, decode, encode, printable
from advisor.capture.tree import MAX_LOG as MAX_WHOLE_LOG
from advisor.errors import CaptureError, UsageError
from advisor.record import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_FILE = 4 * MIB  # one file; /proc/zoneinfo of 64 processors on 8 nodes has some 300 KiB
MAX_TEXT = 64 * MIB  # all files of a visit
MAX_ANSWER = 32 * MIB  # what a host may send; a usual one sends 12 kB
MAX_LOG = 32 * 1024  # the end of the kernel log: eight reports of the OOM killer
_MAX_GROUP_FILES = 13 * MAX_FOLDERS  # of control groups, that many files each

_BEGIN, _END = "memadvisor-capture 1", "memadvisor-end"
_HEADER = re.compile(r"\n==> ([^\n]+) <==\n")
_BOOT_ID = "proc/sys/kernel/random/boot_id"
_ROOT_READS = "permission denied; root reads it"

_HEAD = r"""
export LC_ALL=C
cd %(root)s || exit 1
IFS='
'
readable() {
    for file in "$@"; do
        case ${file##*/} in %(never)s) continue ;; esac
        if [ -f "$file" ]; then [ -r "$file" ] && printf '%%s\n' "$file"
        elif [ -L "$file" ] && [ "$(readlink "$file")" = /dev/null ]; then printf '%%s\n' "$file"
        fi
    done
}
denied() {
    for file in "$@"; do
        case ${file##*/} in %(never)s) continue ;; esac
        [ -f "$file" ] && [ ! -r "$file" ] && printf '%%s\n' "$file"
    done
}
telling() {
    line=$1; shift
    if command -v grep > /dev/null; then grep -ls -e "$line" /dev/null "$@"; else printf '%%s\n' "$@"; fi
}
links() {
    for file in "$@"; do [ -L "$file" ] && printf '%%s\t%%s\n' "$file" "$(readlink "$file")"; done
}
take() {
    up=; [ -r proc/uptime ] && read -r up < proc/uptime
    printf '\n==> @sample %%s %%s %%s <==\n\n' "$1" "${up%%%% *}" "$(date +%%s)"
    set -f; set -- $2; set +f
    head -c %(file)d -- /dev/null "$@" 2> /dev/null
}
pack() {
    if [ "$packed" ]; then gzip -c | base64; else cat; fi
}
packed=; command -v gzip > /dev/null && command -v base64 > /dev/null && packed=gzip
"""
# Before the first word on memory stand boot messages, which were half of the answer: their first line says that it is a
# kernel's log, and where nothing is on memory, the last one that it was read to its end. Four fifths of a report of the
# OOM killer are a table of all tasks, a stack and registers; what is judged stands in the other lines.
_LOG = r"""
log=$(dmesg 2> /dev/null | tail -c %(whole_log)d | sed %(idle)s | tail -c %(log)d)
printf '\n==> @log <==\n'
first=$(printf '%%s\n' "$log" | grep -n %(telling)s | head -n 1)
first=${first%%%%:*}; [ "$first" = 1 ] && first=2
printf '%%s\n' "$log" | sed -n -e '1{p;d;}' -e "${first:+$first,}\$p"
"""
_TELLING = ("oom", "ut of memory", "illed process", "page allocation", "llocate memory", "allocation fail",
            "alloc error", "MemAlloc", "blocked for more than", "callbacks suppressed", "deadlocked",
            "min_free_kbytes", "Mem-")  # fmt: skip
_IDLE = (
    # Rows of the table (`[pid] uid tgid total_vm rss …`) with less than 100,000 pages: 390 MiB where they have 4 KiB.
    r"\[ *[0-9]\{1,\}\]\( \{1,\}[0-9]\{1,\}\)\{3\} \{1,\}[0-9]\{1,5\} ",
    r"[+]0x[0-9a-f]\{1,\}/0x[0-9a-f]",
    r"R[A-Z0-9][A-Z0-9]: \([0-9a-f]\{4\}:\)\{0,1\}[0-9a-f]\{16\}",
    r"Code: [0-9a-f][0-9a-f] ",
)
_TAIL = r"""
printf '\n==> @end <==\n'
} | head -c %(text)d | pack
printf '\n%(end)s\n'
"""


def script(  # noqa: PLR0913 (each is a choice of the caller's)
    *,
    samples: int = 1,
    window_s: float = 0,
    again: bool = False,
    only: Sequence[str] = (),
    also: Sequence[str] = (),
    root: str = "/",
    kernel_log: bool = True,
) -> str:
    """The script of one visit.

    Args:
        samples: how many samples to take.
        window_s: seconds from the first sample to the last, during which the shell sleeps.
        again: the second visit of two: leaves out what is read once and the kernel log.
        only: take just the patterns of the list that start with one of these, and no kernel log; faster.
        also: more patterns to read once, for a caller who knows what they mean.
        root: the root of the host; another than / for tests and images.
        kernel_log: whether to bring the kernel's messages.

    Raises:
        UsageError: the samples and the window do not go together.
    """
    if samples < 1 or (samples > 1) != (window_s > 0):
        raise UsageError(f"{samples} samples over {window_s:g} s are impossible", "a window needs two samples or more")
    values = {
        "root": shlex.quote(root),
        "never": "|".join(sorted(NEVER)),
        "file": MAX_FILE + 1,
        "log": MAX_LOG,
        "whole_log": MAX_WHOLE_LOG,
        "idle": " ".join("-e " + shlex.quote(rf"\#{line}#d") for line in _IDLE),
        "telling": " ".join(f"-e {shlex.quote(word)}" for word in _TELLING),
        "text": MAX_TEXT,
        "end": _END,
    }
    log = kernel_log and not only and not again and root == "/"
    return "".join([
        _HEAD % values,
        _lists(only, also, again=again),
        f"echo '{_BEGIN} '$packed\n{{\n",
        _takes(samples, window_s),
        "printf '\\n==> @denied <==\\n%s\\n' \"$denied\"\n",
        "printf '\\n==> @links <==\\n%s\\n' \"$links\"\n",
        _LOG % values if log else "",
        _TAIL % values,
    ])  # fmt: skip


# The names of the list hold nothing that a shell would change, but for the stars that it is to expand.
def _lists(only: Sequence[str], also: Sequence[str], *, again: bool) -> str:
    edge, tick, once = ([one for one in patterns(when) if one.startswith(tuple(only) or "")]
                        for when in ("edge", "tick", "once"))  # fmt: skip
    once = [*([] if again else once), *also]
    some = {file.pattern: file.telling for file in FILES if file.telling and file.pattern in once}
    telling = "".join(f"\n$(telling {shlex.quote(line)} $(readable {one}))" for one, line in some.items())
    deep = [pattern for pattern in edge if "/**/" in pattern]
    flat = [pattern for pattern in edge if "/**/" not in pattern]
    return "".join([
        f"tick=$(readable {' '.join(tick)})\n",  # these are read first and together
        f'edge="$tick\n$(readable {" ".join(flat)}\n{_find(deep)})"\n',
        f'once="$edge\n$(readable {" ".join(one for one in once if one not in some)}){telling}"\n',
        f"links=$(links {' '.join(one for one in once if one in linkable())})\n",
        f"denied=$(denied {' '.join([*tick, *flat, *once])})\n",
    ])  # fmt: skip


# One walk for all the files below a folder.
def _find(deep: list[str]) -> str:
    commands = []
    for folder in sorted({pattern.partition("/**/")[0] for pattern in deep}):
        names = [pattern.partition("/**/")[2] for pattern in deep if pattern.startswith(f"{folder}/**/")]
        tests = " -o ".join(f"-name {name}" for name in names)
        commands.append(f"find {folder} -type f \\( {tests} \\) 2> /dev/null | head -n {_MAX_GROUP_FILES}\n")
    return "".join(commands)


def _takes(samples: int, window_s: float) -> str:
    lines = ['take 0 "$once"']
    for number in range(1, samples):
        lines.append(f"sleep {window_s / (samples - 1):.3f}")
        lines.append(f'take {number} "${"edge" if number == samples - 1 else "tick"}"')
    return "\n".join(lines) + "\n"


def read_visit(answer: str, source: str = "") -> Capture:
    """The capture that a visit brought.

    The host is not trusted: nothing is unpacked beyond `MAX_TEXT`, and nothing is written anywhere.

    Args:
        answer: what the script printed; lines before it, such as a login banner, are passed over.
        source: the host, as the user calls it.

    Raises:
        CaptureError: the answer is too large, cut short, damaged, or none at all.
    """
    text = _unpack(answer)
    parts = _HEADER.split(text)
    headers, bodies = parts[1::2], parts[2::2]
    if not headers or headers[-1] != "@end":
        raise CaptureError(f"the host has more than {MAX_TEXT // MIB} MiB to read, or its answer was cut short",
                           "try again; if it stays so, capture on the host and give the file")  # fmt: skip
    reading = _Reading()
    for header, body in zip(headers, bodies, strict=True):
        reading.add(header, body)
    return reading.capture(source)


# The text between the lines that begin and end an answer.
def _unpack(answer: str) -> str:
    if len(answer) > MAX_ANSWER:
        raise CaptureError(f"the host sent {len(answer) // MIB} MiB, and {MAX_ANSWER // MIB} MiB are the most",
                           "nothing of it is used; find out what answers there")  # fmt: skip
    _banner, begin, rest = answer.partition(f"{_BEGIN} ")
    if not begin:
        said = printable(" ".join(answer[:400].split()))[:120] or "nothing"
        raise CaptureError(f"the host sent no capture, it said: {said}", "its shell must be a POSIX sh")
    how, _, rest = rest.replace("\r\n", "\n").partition("\n")
    body, end, _ = rest.rpartition(f"\n{_END}")
    if not end:
        raise CaptureError("the answer of the host was cut short", "try again")
    if how.strip() == "gzip":
        return decode(_inflate(body))
    if how.strip():
        raise CaptureError(
            f"the host packed its answer by {printable(how)[:40]!r}, which nobody asked for", "try again"
        )
    return body


def _inflate(text: str) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        # A visit prints nothing but the alphabet of base64 and line ends.
        data = unpacker.decompress(base64.b64decode(text.replace("\n", ""), validate=True), MAX_TEXT + 1)
    except (binascii.Error, ValueError, zlib.error):
        raise CaptureError("the answer of the host is damaged", "try again") from None
    if len(data) > MAX_TEXT:
        raise CaptureError(
            f"the answer of the host unpacks to more than {MAX_TEXT // MIB} MiB", "nothing of it is used"
        )
    if not unpacker.eof:
        raise CaptureError("the answer of the host was cut short", "try again")
    return data


# What has been read of an answer so far.
class _Reading:
    def __init__(self) -> None:
        self.samples: list[tuple[dict[str, str], float | None, float | None]] = []
        self.log: str | None = None
        self.unread: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.notes: list[str] = []

    def add(self, header: str, body: str) -> None:
        if header.startswith("@sample "):
            self._begin(header.split(" "))
        elif header == "@log":
            self.log = body if body.strip() else None
            if self.log is None:
                self.unread["log/kernel.txt"] = "permission denied, or no dmesg on the host"
        elif header == "@denied":
            self.unread |= dict.fromkeys(filter(None, body.split("\n")), _ROOT_READS)
        elif header == "@links":
            pairs = (line.partition("\t")[::2] for line in body.split("\n"))
            self.links = {path: target for path, target in pairs if path and target}
        elif header not in {"@end", "/dev/null"}:
            self._file(header, body)

    def _begin(self, words: list[str]) -> None:
        if len(words) != 4:
            raise CaptureError("the answer of the host is damaged: a sample without its clocks", "try again")
        self.samples.append(({}, _clock(words[2]), _clock(words[3])))

    def _file(self, path: str, text: str) -> None:
        if not self.samples:
            raise CaptureError("the answer of the host is damaged: files before the first sample", "try again")
        if path.startswith(("/", "@")) or not {"", ".", ".."}.isdisjoint(path.split("/")) or "\0" in path:
            raise CaptureError(f"the host sent a file with an impossible name: {printable(path)[:80]}",
                               "do not trust this host's answers")  # fmt: skip
        if len(encode(text)) > MAX_FILE:
            self.unread[path] = f"larger than {MAX_FILE // MIB} MiB"
            self.notes.append(f"{printable(path)}: larger than {MAX_FILE // MIB} MiB, not read")
            return
        self.samples[-1][0].setdefault(path, text)

    def capture(self, source: str) -> Capture:
        taken = tuple(Sample(files, monotonic_s, wall_s) for files, monotonic_s, wall_s in self.samples)
        if not any(sample.files for sample in taken):
            raise CaptureError("the host has no file that memadvisor reads", "is it Linux, and is /proc mounted?")
        if not _forwards([sample.monotonic_s for sample in taken]):
            raise CaptureError("the clock of the host runs backwards", "try again")
        groups = sum(path.startswith("sys/fs/cgroup/") for path in taken[0].files)
        if groups >= _MAX_GROUP_FILES:
            self.notes.append(f"sys/fs/cgroup: more than {_MAX_GROUP_FILES} files of control groups, the rest not read")
        name = taken[0].files.get("proc/sys/kernel/hostname", "").strip()
        return Capture(
            taken, name, "shell", source,
            kernel_log=self.log, unread=self.unread, links=self.links, notes=tuple(self.notes),
        )  # fmt: skip


def _clock(word: str) -> float | None:
    return float(word) if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", word) else None


def _forwards(clocks: Iterable[float | None]) -> bool:
    known = [clock for clock in clocks if clock is not None]
    return all(before < after for before, after in pairwise(known))


def merge(first: Capture, second: Capture) -> Capture:
    """One capture of two visits to a host: the window is the time between them.

    Raises:
        CaptureError: they are of different hosts or boots, or not in order of time.
    """
    other = second.samples[0].files.get("proc/sys/kernel/hostname", first.host).strip()
    if first.host and other != first.host:
        raise CaptureError(f"the two visits are of different hosts, {printable(first.host)} and {printable(other)}",
                           "give the first visit of the same host")  # fmt: skip
    before, after = first.samples[-1].monotonic_s, second.samples[0].monotonic_s
    boots = {sample.files[_BOOT_ID] for sample in (*first.samples, *second.samples) if _BOOT_ID in sample.files}
    if len(boots) > 1 or (before is not None and after is not None and after <= before):
        raise CaptureError("the host was restarted between the two visits, so there is no window between them",
                           "measure again")  # fmt: skip
    samples = (*first.samples, *second.samples)
    return replace(
        first,
        samples=samples,
        interval_s=None if before is not None and after is not None else _by_wall_clock(samples),
        unread=dict(first.unread) | dict(second.unread),
        notes=tuple(dict.fromkeys((*first.notes, *second.notes))),
    )


def _by_wall_clock(samples: Sequence[Sample]) -> float | None:
    before, after = samples[0].wall_s, samples[-1].wall_s
    return after - before if before is not None and after is not None and after > before else None
