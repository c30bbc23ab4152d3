# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The script that undoes a transaction: POSIX sh, on its own, written before anything is changed.

It is the only thing that undoes an open transaction: after a failed write, after kill -9, when nobody confirms in
time, at the next run, and by hand. It may run at any time and any number of times, and does what is right by then.
"""

import os
import shlex
import sys

from ansible_collections.memadvisor.linux.plugins.module_utils import files, values
from ansible_collections.memadvisor.linux.plugins.module_utils.errors import under

_HEAD = """\
#!/bin/sh
# Undoes one transaction of the Ansible collection memadvisor.linux: puts back what it found, files first.
#   sh undo.sh            now; does nothing when the transaction has been kept
#   sh undo.sh held       the same, for a caller that holds the lock
#   sh undo.sh guard      when the standard input ends, unless the transaction was kept, or waits to be confirmed
#   sh undo.sh later N    in N seconds, unless it is kept until then
"""

_BODY = r"""
set -uf
umask 077
bad=0

# The value in force, as a word that can be written: "always [never]" is never, and many blanks are one.
in_force() (
    text=$(dd if="$1" bs=65536 count=1) || exit 1
    case $text in *\[*\]*) text=${text#*\[}; text=${text%%\]*} ;; esac
    set -- $text
    echo "$*"
) 2> /dev/null

# ours PATH NEW: whether a value is still what we wrote. After a reboot that decides; before, all of it is ours.
ours() { [ "$same_boot" = yes ] || [ "$(in_force "$1")" = "$2" ]; }

# put PATH OLD strict|loose
put() {
    [ "$(in_force "$1")" = "$2" ] && return
    { printf '%s\n' "$2" > "$1"; } 2> /dev/null
    [ "$last" = yes ] && [ "$3" = strict ] || return 0
    [ "$(in_force "$1")" = "$2" ] || by_hand "printf '%s\\n' '$2' > '$1'"
}

by_hand() {
    bad=1
    echo "could not be put back; do it by hand: $1"
}

# file PATH NEW OLD BACKUP there|absent: OLD is the old file, and NEW lies there as long as it was not put in place.
file() {
    if [ "$prepared" = yes ]; then
        if [ "$5" = there ]; then
            [ ! -e "$3" ] || [ "$3" -ef "$1" ] || mv -f "$3" "$1" || by_hand "mv -f '$3' '$1'"
        elif [ ! -e "$2" ]; then
            rm -f "$1" || by_hand "rm -f '$1'"
        fi 2> /dev/null
        [ -z "$4" ] || rm -f "$4"
    fi
    [ "$bad" = 1 ] || rm -f "$2" "$3"
}

# tidy PATH NEW OLD BACKUP there|absent
tidy() { rm -f "$2" "$3"; }

undo() {
    [ -e "$here/journal.json" ] || return 0
    if [ -e "$kept" ]; then
        each_file tidy
        rm -rf "$here"
        return 0
    fi
    prepared=no; [ -e "$here/prepared" ] && prepared=yes
    same_boot=no; [ "$(in_force "$boot_file")" = "$boot" ] && same_boot=yes
    each_file file
    [ -z "$made" ] || rmdir $made
    # Twice: putting one value back may move another. Only what is still wrong then is told.
    last=no; each_value
    last=yes; each_value
    if [ "$bad" = 1 ]; then
        echo "after that: sh $here/undo.sh"
        return 1
    fi
    sync $folders "$here" 2> /dev/null
    rm -f "$here/waiting"
    mv -f "$here/journal.json" "$undone"
    rm -rf "$here"
}

lock() {
    exec 9>> "$lock" || return
    if command -v flock > /dev/null; then flock 9; else "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'; fi
}

up() { read -r seconds rest < /proc/uptime; echo "${seconds%%.*}"; }

main() {
    case ${1:-} in
    guard)
        { [ "$real" = no ] || echo -1000 > /proc/self/oom_score_adj; } 2> /dev/null
        cat > /dev/null
        [ -e "$kept" ] || [ ! -e "$here/waiting" ] || exit 0
        ;;
    later)
        end=$(($(up) + $2))
        while [ "$(up)" -lt "$end" ]; do
            [ -e "$here/journal.json" ] || exit 0
            sleep 1
        done
        lock
        ;;
    held) ;;
    *) lock ;;
    esac
    undo
    exit
}

main "$@"
"""


def script(journal, state):
    """The text of the script.

    Args:
        journal: see `journal`.
        state: the State it will lie in.
    """
    name = journal["id"]
    head = {
        "here": state.path("open", name),
        "kept": state.receipt(name),
        "undone": state.path("undone", name + ".json"),
        "lock": state.lock,
        "python": sys.executable or "python3",
        "real": "yes" if state.root == "/" else "no",
        "boot_file": under(state.root, BOOT_ID),
        "boot": journal["boot_id"] or "",
        "made": " ".join(map(shlex.quote, journal["made"])),
        "folders": " ".join(sorted({os.path.dirname(under(state.root, entry["path"])) for entry in journal["files"]})),
    }
    lines = [f"{key}={shlex.quote(value)}" for key, value in head.items()]
    lines += ["", "each_file() {", "    :"]
    lines += ["    " + _call('"$1"', *_file(entry, state.root, journal)) for entry in reversed(journal["files"])]
    lines += ["}", "", "each_value() {", "    :"]
    for entry in reversed(journal["writes"]):
        lines += [f"    {line}" for line in _value(entry, journal["before"]["values"], state.root)]
    lines += ["}"]
    return _HEAD + "\n".join(lines) + "\n" + _BODY


BOOT_ID = "/proc/sys/kernel/random/boot_id"


def _file(entry, root, journal):
    name, path = journal["id"], under(root, entry["path"])
    new, old = files.beside(path, name, "new"), files.beside(path, name, "old")
    there = "absent" if journal["before"]["files"][entry["path"]] is None else "there"
    return path, new, old, journal["backups"].get(entry["path"], ""), there


# Values that cannot be written are left out: the coupled one, which is written after, brings them back.
def _value(entry, before, root):
    if entry["undo"] == "none":
        return
    check = "loose" if entry["accept"] == "any" else "strict"
    puts = [
        _call("put", under(root, path), values.in_force(before[path]), check)
        for path in [entry["path"], *entry["also"]]
        if path in before and before[path] not in entry["undo_not"]
    ]
    if puts:
        yield _call("ours", under(root, entry["path"]), values.in_force(entry["value"])) + " && {"
        yield from (f"    {put}" for put in puts)
        yield "}"


def _call(word, *arguments):
    return " ".join([word, *(shlex.quote(argument) for argument in arguments)])
