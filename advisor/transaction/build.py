"""From steps to the document that travels, and to what is said of it."""

from __future__ import annotations

import hashlib

from advisor.hints import TYPE_CHECKING, Any
from advisor.outlook import Boot, Outlook, place, same, written
from advisor.record import asdict
from advisor.rivals import rivals, winner
from advisor.signals.formula import features_told
from advisor.transaction.dropin import with_line
from advisor.transaction.model import FORMAT, Composed, Options, Purpose, Refusal, Step
from advisor.tunables import TUNABLES, Tunable, apply_order, format_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from advisor.rivals import Rival
    from advisor.transaction.host import Host

_BEST_EFFORT = frozenset({"vm.nr_hugepages"})  # the kernel takes what it can get
_ACCEPT = {"int": "int", "ints": "ints", "choice": "choice", "bool": "exact"}


def build(  # noqa: PLR0913 (each comes from another place)
    host: Host,
    steps: Sequence[Step],
    options: Options,
    purpose: Purpose,
    *,
    notes: Sequence[str] = (),
    contents: Mapping[str, str | None] | None = None,
) -> Composed:
    """The transaction that does the steps.

    Args:
        host: where.
        steps: what is to become of each setting, in the order in which it was asked for.
        options: how.
        purpose: what the user asked for.
        notes: what the reader should know.
        contents: whole files to restore, by path, instead of what the steps make of them.
    """
    changed = _new_files(host, steps, options, contents or {}) if options.persist else {}
    refusals = _nix(host, changed)
    boot = Boot(_after(host, changed), features_told(host.view))
    settings = tuple(_account(host, step, boot, options) for step in steps)
    if options.strict:
        refusals += [Refusal(entry["setting"], entry["at_boot"]["why"]) for entry in settings if _falls(entry)]
    if refusals:
        return Composed(None, settings, refusals=tuple(refusals), notes=tuple(notes))
    document = {
        "format": FORMAT,
        "id": options.id,
        "purpose": purpose,
        "host": host.identity(),
        "writes": _writes(host, steps) if options.live else [],
        "files": [_file(host, path, content) for path, content in changed.items()],
        "confirm_s": options.confirm_s,
    }
    return Composed(document, settings, _diffs(host, changed), tuple(notes))


def _writes(host: Host, steps: Sequence[Step]) -> list[dict[str, Any]]:
    live = {step.tunable.name: step for step in steps if step.live is not None}
    ordered = apply_order(step.tunable for step in live.values())
    return [_write(host, tunable, live[tunable.name].live or "") for tunable in ordered]


def _write(host: Host, tunable: Tunable, text: str) -> dict[str, Any]:
    others = (TUNABLES[name] for name in (*tunable.coupled, *tunable.changes))
    return {
        "setting": tunable.name,
        "path": f"/{tunable.path}",
        "before": host.text(tunable),
        "value": text,
        "accept": "any" if tunable.name in _BEST_EFFORT else _ACCEPT[tunable.kind],
        "bounds": _bounds(host, tunable, text),
        "also": [f"/{other.path}" for other in others if host.text(other) is not None],
        "undo": "restore",
        "undo_not": [str(value) for value in tunable.unset],
    }


def _bounds(host: Host, tunable: Tunable, text: str) -> list[int] | None:
    """The range of this kernel; None where there is none, or the value is one of those taken besides."""
    bounds, value = tunable.accepted(features_told(host.view)), written(tunable, text)
    if bounds is None or tunable.kind not in {"int", "ints"} or value in bounds.also:
        return None
    return [bounds.lo, bounds.hi]


def _new_files(
    host: Host, steps: Sequence[Step], options: Options, contents: Mapping[str, str | None]
) -> dict[str, str | None]:
    """The files of ours that change, with their new content."""
    new: dict[str, str | None] = dict(contents)
    for step in steps:
        path = options.file_of(step.tunable)
        if path is not None and path not in contents and not step.keeps_line:
            now = new.get(path, host.capture.text(path.lstrip("/")))
            new[path] = with_line(step.tunable, now, step.line, step.reason)
    return {path: text for path, text in new.items() if text != host.capture.text(path.lstrip("/"))}


def _file(host: Host, path: str, content: str | None) -> dict[str, Any]:
    now = host.bytes_of(path)
    digest = None if now is None else hashlib.sha256(now).hexdigest()
    return {"path": path, "before_sha256": digest, "content": content, "mode": "0644"}


def _diffs(host: Host, changed: Mapping[str, str | None]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"path": path, "before": host.capture.text(path.lstrip("/")), "after": content}
        for path, content in changed.items()
    )


def _after(host: Host, changed: Mapping[str, str | None]) -> dict[str, str]:
    files = dict(host.files)
    for path, content in changed.items():
        files.pop(path.lstrip("/"), None)
        if content is not None:
            files[path.lstrip("/")] = content
    return files


def _nix(host: Host, changed: Mapping[str, str | None]) -> list[Refusal]:
    if changed and host.is_nixos():
        hint = "set boot.kernel.sysctl or systemd.tmpfiles.rules in the configuration, and here persist: false"
        return [Refusal("", "files below /etc are made by Nix on this host", hint)]
    return []


def _account(host: Host, step: Step, boot: Boot, options: Options) -> dict[str, Any]:
    """What is said of one setting; `actual` is filled in once the host has answered."""
    outlook = boot.of(step.tunable)
    found = rivals(host.capture, step.tunable, outlook)
    running = host.text(step.tunable)
    kept = step.line if options.persist and not step.keeps_line else None
    goal = kept or (step.live if options.live else None) or running
    return {
        "setting": step.tunable.name,
        "path": f"/{step.tunable.path}",
        "previous": running,
        "wanted": step.wanted,
        "goal": _plain(step.tunable, goal),
        "actual": None,
        "file": options.file_of(step.tunable) if options.persist else None,
        "at_boot": _at_boot(step.tunable, outlook, found, goal),
        "sysctl_system": {"value": outlook.system.value, "by": place(outlook.system.by)},
        "others": [{"at": place(line), "value": line.value, "read": not line.masked} for line in outlook.others],
        "rivals": [asdict(rival) for rival in found],
        "notes": list(step.notes),
    }


def _plain(tunable: Tunable, text: str | None) -> str | None:
    value = written(tunable, text)
    return text if value is None else format_value(tunable, value)


def _at_boot(tunable: Tunable, outlook: Outlook, found: Sequence[Rival], goal: str | None) -> dict[str, Any]:
    """What the next boot sets, and whether that is what runs after the transaction."""
    end, rival = outlook.boot, winner(found)
    if rival is not None:
        stands = None if rival.value is None else same(written(tunable, rival.value), written(tunable, goal))
        why = "" if stands else f"{rival.who} sets {rival.value or 'what only it can tell'}: {rival.note}"
        return {"value": rival.value, "by": rival.at, "stands": stands, "why": why}
    stands = None if end.by is None else same(written(tunable, end.value), written(tunable, goal))
    why = ""
    if end.by is None:
        why = "no file sets it: the kernel's default comes back"
    elif end.undone_by:
        why = f"{end.undone_by} in {place(end.by)} is written later and makes it void"
    elif stands is False:
        why = f"{place(end.by)} is read instead and says {end.value}"
    return {"value": end.value, "by": place(end.by), "stands": stands, "why": why}


def _falls(entry: Mapping[str, Any]) -> bool:
    return entry["at_boot"]["stands"] is False
