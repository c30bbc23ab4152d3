"""A capture taken with a shell and core utilities alone: what a target without Python can give.

It reads the files of `advisor.capture.files`, so a file added there is captured here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.capture.files import NEVER, patterns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HEAD = """\
export LC_ALL=C; umask 077; cd /
T=$(mktemp -d /run/capture.XXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
times=
readable() {
    for file in "$@"; do
        case ${file##*/} in %(never)s) ;; *) [ -f "$file" ] && [ -r "$file" ] && printf '%%s\\n' "$file" ;; esac
    done
}
take() {
    number=$1; mkdir -p "$T/t$number"
    read -r up _ < /proc/uptime
    times="$times${times:+, }{\\"monotonic_s\\": $up, \\"wall_s\\": $(date +%%s)}"
    # tick files first and together
    xargs -d '\\n' cp -L --parents -t "$T/t$number" -- < "$2" 2> /dev/null
}
readable %(tick)s > "$T/tick"
{ cat "$T/tick"; readable %(edge)s; %(groups)s; } > "$T/edge"
{ cat "$T/edge"; readable %(once)s; } > "$T/once"
"""
_LOG = """\
mkdir "$T/log"; dmesg > "$T/log/kernel.txt" 2> /dev/null || rm -r "$T/log"
"""
_TAIL = """\
printf '{"format": 1, "how": "shell", "host": "%s", "times": [%s]}\\n' "$(uname -n)" "$times" > "$T/capture.json"
rm -f "$T/tick" "$T/edge" "$T/once"
tar -C "$T" -cf - .
"""


def script(window_s: float = 0, samples: int = 1, only: Sequence[str] = ()) -> str:
    """The script that takes so many samples, evenly spaced, and writes a tar archive to standard output.

    Args:
        window_s: seconds from the first sample to the last.
        samples: how many.
        only: take just the patterns of the list that start with one of these, and no kernel log; faster.
    """
    edge, tick, once = ([one for one in patterns(when) if one.startswith(tuple(only) or "")]
                        for when in ("edge", "tick", "once"))  # fmt: skip
    deep = [pattern for pattern in edge if "/**/" in pattern]
    head = _HEAD % {
        "never": "|".join(sorted(NEVER)),
        "tick": _words(tick),
        "edge": _words(pattern for pattern in edge if pattern not in deep),
        "once": _words(once),
        "groups": _find(deep),
    }
    lines = ['take 0 "$T/once"']
    for number in range(1, samples):
        lines.append(f"sleep {window_s / (samples - 1):.3f}")
        lines.append(f'take {number} "$T/{"edge" if number == samples - 1 else "tick"}"')
    return head + "\n".join(lines) + "\n" + ("" if only else _LOG) + _TAIL


# The names of the list hold nothing that a shell would change, but for the stars that it is to expand.
def _words(names: Iterable[str]) -> str:
    return " ".join(names)


# One walk for all the files below a folder.
def _find(deep: list[str]) -> str:
    folders = sorted({pattern.partition("/**/")[0] for pattern in deep})
    commands = []
    for folder in folders:
        names = [pattern.partition("/**/")[2] for pattern in deep if pattern.startswith(f"{folder}/**/")]
        tests = " -o ".join(f"-name {name}" for name in names)
        commands.append(f"find {folder} -type f \\( {tests} \\) 2> /dev/null")
    return "; ".join(commands) or ":"
