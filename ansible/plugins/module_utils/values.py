# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads and writes one setting of the kernel, and tells whether two texts mean the same value."""

import os
import re

LONGEST = 65536
"""More bytes than any setting of the kernel prints."""

ACCEPTS = ("any", "at_least", "choice", "exact", "int", "ints")


def in_force(text):
    """The value that a file's text says: the word in brackets of a choice, else the words with single blanks."""
    chosen = re.search(r"\[([^\]\n]*)\]", text)
    return chosen.group(1) if chosen else " ".join(text.split())


def read(path):
    """A setting's text, white space collapsed; raises OSError."""
    with open(path, "rb") as file:
        return " ".join(file.read(LONGEST).decode("utf-8", "replace").split())


def write(path, value):
    """Write a value with one call, as the kernel wants it; raises OSError."""
    # A fake root has plain files; O_TRUNC means nothing to the kernel's own.
    fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
    try:
        os.write(fd, value.encode() + b"\n")
    finally:
        os.close(fd)


def try_open(path):
    """Open a setting for writing and close it again: the one test that also holds in containers; raises OSError."""
    os.close(os.open(path, os.O_WRONLY))


def number(text):
    """A text as an integer, decimal or 0x; None when it is none."""
    try:
        return int(text, 16) if text.lower().startswith("0x") else int(text)
    except ValueError:
        return None


def same(one, other):
    """Whether two texts mean the same value, as numbers where both are."""
    first, second = in_force(one).split(), in_force(other).split()
    return len(first) == len(second) and all(map(_same_word, first, second))


def _same_word(one, other):
    return one == other or (number(one) is not None and number(one) == number(other))


def accepted(accept, wanted, actual):
    """Whether what is read back is what a write was to reach.

    Args:
        accept: one of ACCEPTS; `at_least`: the kernel may raise it; `any`: best effort; `ints`: the kernel leaves the
            rest of a list as it is when the text is shorter.
        wanted: the text that was written.
        actual: the text that is read.
    """
    if accept == "any" or same(wanted, actual):
        return True
    if accept == "ints":
        return same(wanted, " ".join(actual.split()[: len(wanted.split())]))
    least, reached = number(wanted), number(actual)
    return accept == "at_least" and None not in (least, reached) and reached >= least
