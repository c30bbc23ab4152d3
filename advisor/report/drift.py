"""Drift for people and for machines."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING, Any
from advisor.outlook import place
from advisor.report.layout import Line, clean, paragraph
from advisor.tunables import format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advisor.drift import Drift, Row
    from advisor.outlook import End
    from advisor.persisted import Source
    from advisor.rivals import Rival

SCHEMA = "memadvisor/drift/1"

_INDENT = 14
_WIDEST = 24  # columns of a value in the table
_HEADS = ("setting", "runs", "next boot", "sysctl --system", "desired")


def layout(found: Drift, width: int = 100, *, everything: bool = False) -> list[Line]:
    """Drift as lines: a table, and below it who says so and what will happen.

    Args:
        found: the comparison.
        width: columns to use.
        everything: also show the settings that do not drift, as far as somebody sets them.
    """
    differing, mentioned = found.differing(), found.mentioned()
    rows = mentioned if everything else differing
    lines = [*_verdict(found, len(differing), len(mentioned))]
    if rows:
        lines += [[], *_table(rows)]
    for row in rows:
        lines += [[], *_details(found, row, width)]
    return lines


def _verdict(found: Drift, differing: int, mentioned: int) -> list[Line]:
    host = clean(found.host) or "this host"
    if differing:
        subject = "1 setting drifts" if differing == 1 else f"{differing} settings drift"
        return [[(f"{subject} on {host}, of {mentioned} that somebody sets or wants.", "warning")]]
    every = f"{mentioned} settings are set, and all run so" if mentioned > 1 else "what is set runs so"
    return [[(f"No drift on {host}: {every if mentioned else 'nothing sets a memory setting'}.", "good")]]


def _table(rows: Sequence[Row]) -> list[Line]:
    columns = [_HEADS, *(_cells(row) for row in rows)]
    wanted = [index for index in range(len(_HEADS)) if index < 3 or any(row[index] != "–" for row in columns[1:])]
    widths = {index: max(len(row[index]) for row in columns) for index in wanted}
    lines: list[Line] = []
    for number, cells in enumerate(columns):
        line: Line = [("  ", "")]
        for index in wanted:
            style = "label" if number == 0 else "title" if index == 0 else _style(rows[number - 1], index)
            line.append((cells[index].ljust(widths[index] + 2), style))
        lines.append(line)
    return lines


def _cells(row: Row) -> tuple[str, ...]:
    texts = (row.tunable.name, row.running, row.next_boot, row.outlook.system.value, row.desired)
    return tuple("–" if text is None else _short(text) for text in texts)


def _style(row: Row, index: int) -> str:
    at = {2: {"boot", "by hand", "desired at boot"}, 3: {"system"}, 1: {"desired"}}.get(index, set())
    return "warning" if at & set(row.differences) else ""


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _details(found: Drift, row: Row, width: int) -> list[Line]:
    lines: list[Line] = [[(clean(row.tunable.name), "title")]]
    for text in _outcome(row):
        style = "" if row.differences else "quiet"
        lines += paragraph(text, indent=_INDENT, width=width, label="" if len(lines) > 1 else "outcome", style=style)
    for label, end in (("files", row.outlook.boot), ("system", row.outlook.system)):
        if end.by is not None and (label == "files" or end != row.outlook.boot):
            lines += paragraph(_said(end, found), indent=_INDENT, width=width, label=label)
    for number, line in enumerate(_losers(row)):
        label = "" if number else "also"
        lines += paragraph(_line(line, row, found), indent=_INDENT, width=width, label=label, style="quiet")
    for rival in row.rivals:
        lines += paragraph(_rival(rival), indent=_INDENT, width=width, label="rival")
    return lines


def _losers(row: Row) -> list[Source]:
    return [line for line in row.outlook.others if line != row.outlook.system.by]


def _said(end: End, found: Drift) -> str:
    where = place(end.by, found.links)
    return f"{where}: {end.undone_by} makes it void" if end.undone_by else f"{where} = {end.value}"


def _line(line: Source, row: Row, found: Drift) -> str:
    why = "a file of the same name masks it" if line.masked else "read, and overruled"
    if line.value is None:
        why = "takes it out of the reach of patterns"
    elif line in row.outlook.refused:
        why = "the kernel refuses it"
    value = "" if line.value is None else f" = {line.value}"
    return f"{place(line, found.links)}{value} ({why})"


def _rival(rival: Rival) -> str:
    value = "sets what only it can tell" if rival.value is None else f"sets {rival.value}"
    note = f"; {rival.note}" if rival.note else ""
    return f"{rival.who} {value}{note}{f' ({rival.at})' if rival.at else ''}"


def _outcome(row: Row) -> list[str]:
    """What will happen, a sentence each."""
    told = [_at_boot(row)]
    system, old = row.outlook.system, row.outlook.old_system
    if "system" in row.differences and system.value != row.next_boot:
        told.append(f"sysctl --system sets {system.value}.")
    if system.by is not None and old.value != system.value:
        told.append(f"Before version 4 of procps it {'leaves it' if old.by is None else f'sets {old.value}'}.")
    if "desired" in row.differences:
        told.append(
            f"{row.desired} is desired, and {row.running if row.running is not None else 'nothing known'} runs."
        )
    if "desired at boot" in row.differences and "desired" not in row.differences:
        told.append(f"{row.desired} is desired, and the next boot does not keep it.")
    return told


def _at_boot(row: Row) -> str:
    if "boot" in row.differences:
        return f"The next boot sets {row.next_boot} instead of {row.running}."
    if "by hand" in row.differences:
        return f"Nothing keeps {row.running}: the next boot brings back the kernel's default, {row.next_boot}."
    if row.next_boot is None:
        who = next((rival.who for rival in row.rivals if rival.wins), "")
        return f"What the next boot brings is up to {who or 'the kernel: no file sets it'}."
    if row.next_boot_by == "default":
        return f"No file sets it: {row.next_boot} is the kernel's default."
    return "The next boot sets the same." if row.running is not None else f"The next boot sets {row.next_boot}."


def document(found: Drift, *, everything: bool = False) -> dict[str, Any]:
    """Drift as JSON values; values are texts as the kernel takes them, in the setting's own unit."""
    rows = found.mentioned() if everything else found.differing()
    return {
        "schema": SCHEMA,
        "host": found.host or None,
        "drifting": len(found.differing()),
        "set": len(found.mentioned()),
        "settings": [_row(row, found) for row in rows],
    }


def _row(row: Row, found: Drift) -> dict[str, Any]:
    tunable, outlook = row.tunable, row.outlook
    return {
        "setting": tunable.name,
        "path": f"/{tunable.path}",
        "unit": tunable.unit if tunable.kind == "int" else None,
        "running": row.running,
        "desired": row.desired,
        "default": None if tunable.default is None else format_value(tunable, tunable.default),
        "next_boot": {"value": row.next_boot, "by": row.next_boot_by or None},
        "boot": _end(outlook.boot, found),
        "sysctl_system": _end(outlook.system, found),
        "sysctl_system_before_4": _end(outlook.old_system, found),
        "differences": list(row.differences),
        "others": [
            {
                "at": place(line, found.links),
                "value": line.value,
                "masked": line.masked,
                "refused": line in outlook.refused,
            }
            for line in outlook.others
        ],
        "rivals": [
            {
                "who": rival.who,
                "at": rival.at or None,
                "value": rival.value,
                "wins": rival.wins,
                "note": rival.note or None,
            }
            for rival in row.rivals
        ],
    }


def _end(end: End, found: Drift) -> dict[str, Any]:
    return {"value": end.value, "by": place(end.by, found.links), "undone_by": end.undone_by or None}
