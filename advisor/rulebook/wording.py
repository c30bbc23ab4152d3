"""Small helps for the reader of rule files: thresholds as expressions, words of a text, usual slips of YAML."""

from __future__ import annotations


def param_text(value: float, unit: str) -> str:
    """A threshold as an expression: 5 with percent is "5 * percent", 100 with page/s is "100 * page / s"."""
    if unit in {"", "ratio", "count", "1"}:
        return str(value)
    if unit == "count/s":
        return f"{value} / s"
    return f"{value} * {unit.replace('/', ' / ')}"


def words(text: str) -> set[str]:
    """Every name and number of a text, to find out what it mentions.

    >>> sorted(words("rate.allocstall > much"))
    ['much', 'rate.allocstall']
    """
    word, found = "", set()
    for character in f"{text} ":
        if character.isalnum() or character in "_.":
            word += character
        elif word:
            found.add(word)
            word = ""
    return found


def yaml_hint(line: str) -> str:
    """What usually is wrong with a line that YAML misreads."""
    value = line.partition(": ")[2] or line.lstrip("- ")
    if ": " in value or value.rstrip().endswith(":"):
        return 'quote this text, it contains ": "'
    if value[:1] in set("{[>!*@%&|`"):
        return f"quote this text, it begins with {value[:1]!r}"
    return ""
