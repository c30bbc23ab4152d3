"""What was tried before, and what came of it: a change that failed is not proposed again without new evidence.

A `Trial` is one verification as the ledger keeps it, one JSON object a line (format ``memadvisor/ledger/1``)::

    {"format": "memadvisor/ledger/1", "at": "2026-11-24T23:12:00Z",
     "host": {"hostname": "db1", "boot_id": "…", "kernel": "6.12.1", "managed_bytes": 4294967296, "role": null},
     "class": {"memory_bytes": 4294967296, "kernel": "6.12", "role": null},
     "verdict": "worse", "why": ["…"], "undo": ["vm.swappiness"],
     "changes": [{"setting": "vm.swappiness", "before": 60, "proposed": 30, "after": 30, "rules": ["…"],
                  "verdict": "worse", "why": "…", "ratio": 2.1, "low": 1.4, "high": 3.2}],
     "work": {"measure": "rate.pgalloc", "unit": "page/s", "before": 1e4, "after": 1e4, "ratio": 1.0},
     "predictions": [{"what": "node 0 Normal low", "unit": "page", "predicted": [9, 9], "observed": 9, "error": 0}]}

Unknown keys are kept out of sight and do no harm; a line that cannot be read is skipped, and said.

**Class**: hosts of alike size (managed memory, to the nearest power of two), kernel series (6.12) and role.
**New evidence** is another class, that is another size, kernel series or role; another direction; or a rule that had
no part in the trial that failed. A later trial of the class that was better, or the same, lifts the objection as well;
one of which nothing could be told does not.

**Steps in the dark**: where a symptom comes and goes, each new look finds a reason for one more step, and verification
cannot tell what the last one did. So on one host only UNPROVEN steps in one direction follow each other; the next has
to wait until one was shown to help.
"""

from __future__ import annotations

import json
import math
import re

from advisor.errors import AdvisorError, Unknown
from advisor.hints import TYPE_CHECKING, Any
from advisor.record import Record
from advisor.signals.host import host_kernel, managed, page_size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from advisor.signals.view import View
    from advisor.tunables import Value as SettingValue

FORMAT = "memadvisor/ledger/1"
BETTER, WORSE, UNCLEAR = "better", "worse", "cannot tell"

UNPROVEN = 2
"""How many steps of a setting, or of two that move the same thing, are made on a host without proof that one helped. A
policy: a step multiplies by two to five, and two of them come from a usual value to our limits."""


class Kind(Record):
    """A class of hosts; None where the capture does not tell, which is a class of its own."""

    memory_bytes: int | None
    kernel: str | None
    role: str | None


class Trial(Record):
    """One line of the ledger; the fields are those of the format above."""

    at: str
    host: Mapping[str, Any]
    kind: Kind
    verdict: str
    why: tuple[str, ...]
    undo: tuple[str, ...]
    changes: tuple[Mapping[str, Any], ...]
    work: Mapping[str, Any]
    predictions: tuple[Mapping[str, Any], ...]

    @property
    def hostname(self) -> str:
        """The host's name, empty when unknown."""
        return str(self.host.get("hostname") or "")


def kind_of(managed_bytes: float | None, kernel: str | None, role: str | None) -> Kind:
    """The class of a host.

    >>> kind_of(4.1e9, "6.12.30-1-amd64", None)
    Kind(memory_bytes=4294967296, kernel='6.12', role=None)
    """
    size = 2 ** round(math.log2(managed_bytes)) if managed_bytes and managed_bytes > 0 else None
    series = re.match(r"[0-9]+\.[0-9]+", kernel or "")
    return Kind(size, series[0] if series else None, role)


def kind_of_view(view: View) -> Kind:
    """The class of the host of a capture."""
    try:
        size: float | None = managed(view) * page_size(view)
    except Unknown:
        size = None
    try:
        kernel: str | None = str(host_kernel(view))
    except Unknown:
        kernel = None
    return kind_of(size, kernel, view.role)


class Wish(Record):
    """A change that a plan would propose: the setting, its value now and then, and the rules that ask for it."""

    setting: str
    now: SettingValue | None
    value: SettingValue | None
    rules: tuple[str, ...]


def against(past: Sequence[Trial], view: View, groups: Sequence[tuple[str, ...]]) -> Callable[..., str]:
    """What is to say against a change of this host: takes what a Wish takes, gives an objection.

    Args:
        past: what was tried, oldest first.
        view: the host's capture.
        groups: settings that move the same thing.
    """
    kind, host = kind_of_view(view), view.capture.host or ""

    def speaks(*change: Any) -> str:
        wish = Wish(*change)
        kin = next((group for group in groups if wish.setting in group), ())
        return objection(past, kind, wish, host, kin)

    return speaks


def objection(trials: Sequence[Trial], kind: Kind, wish: Wish, host: str = "", kin: Sequence[str] = ()) -> str:
    """Why a change is held back; empty where it may be made.

    Args:
        trials: what was tried, oldest first.
        kind: the class of the host.
        wish: the change.
        host: the host's name; empty when unknown.
        kin: the settings that move the same thing as this one.
    """
    return _failure(trials, kind, wish) or _darkness(trials, kind, wish, host, kin)


def _failure(trials: Sequence[Trial], kind: Kind, wish: Wish) -> str:
    """It failed on this class, and there is no new evidence."""
    last = next(((trial, change) for trial in reversed(trials) if trial.kind == kind
                 for change in trial.changes if _alike(change, wish) and _tells(trial, change)), None)  # fmt: skip
    if last is None:
        return ""
    trial, change = last
    if not _failed(trial, change) or not set(wish.rules) <= set(change.get("rules") or ()):
        return ""
    where = trial.hostname or "a host"
    return (
        f"it made {where} worse on {trial.at[:10]} ({change.get('before')} → {change.get('proposed')}), a host of this "
        "class, and nothing new speaks for it (advisor history)"
    )


def _darkness(trials: Sequence[Trial], kind: Kind, wish: Wish, host: str, kin: Sequence[str]) -> str:
    """Steps were made on this host already, and none was shown to help."""
    own = [each for each in trials if host and each.kind == kind and each.hostname == host]
    steps = _unproven([change for each in own for change in each.changes if _made(each, change)], wish, kin)
    if steps < UNPROVEN:
        return ""
    return (
        f"{steps} steps in this direction were made on this host, and none could be shown to help; watch it for longer "
        "(advisor verify): after a step that helped another one is advised"
    )


def _unproven(made: Sequence[Mapping[str, Any]], wish: Wish, kin: Sequence[str]) -> int:
    """How many of the last steps led to the present value, in the direction of the wish, without proof of help."""
    steps, value = 0, wish.now
    for change in reversed([each for each in made if each.get("setting") in {wish.setting, *kin}]):
        same = change.get("setting") == wish.setting
        reset = same and change.get("after") != value  # by somebody else
        if change.get("verdict") == BETTER or reset or not _onward(change, wish):
            break
        steps, value = steps + 1, change.get("before") if same else value
    return steps


def _made(trial: Trial, change: Mapping[str, Any]) -> bool:
    """Whether a change was in force after the trial."""
    after = change.get("after")
    return after == change.get("proposed") != change.get("before") and change.get("setting") not in trial.undo


def _onward(change: Mapping[str, Any], wish: Wish) -> bool:
    """Whether a step went where the wish goes; what has no direction goes nowhere."""
    then = _direction(change.get("before"), change.get("proposed"))
    return then is not None and then == _direction(wish.now, wish.value)


def _tells(trial: Trial, change: Mapping[str, Any]) -> bool:
    """Whether anything came out of a trial: who cannot tell has found nothing against an earlier failure."""
    return _failed(trial, change) or change.get("verdict") != UNCLEAR


def _failed(trial: Trial, change: Mapping[str, Any]) -> bool:
    return change.get("verdict") == WORSE or change.get("setting") in trial.undo


def _alike(change: Mapping[str, Any], wish: Wish) -> bool:
    """Whether a change went in the same direction; what has no direction, in the same value."""
    if change.get("setting") != wish.setting:
        return False
    then, now = _direction(change.get("before"), change.get("proposed")), _direction(wish.now, wish.value)
    if then is None or now is None:
        return bool(change.get("proposed") == wish.value)
    return then == now


def _direction(before: object, after: object) -> bool | None:
    if isinstance(before, int | float) and isinstance(after, int | float) and before != after:
        return after > before
    return None


def trial_of(document: Mapping[str, Any], at: str) -> Trial:
    """The trial that a verification was; `document` as `advisor.verify.document` gives it."""
    host = dict(document["host"])
    return Trial(
        at=at,
        host=host,
        kind=kind_of(host["managed_bytes"], host["kernel"], host["role"]),
        verdict=document["verdict"],
        why=tuple(document["why"]),
        undo=tuple(document["undo"]),
        changes=tuple(_short(change) for change in document["changes"]),
        work=document["work"],
        predictions=tuple(document["predictions"]),
    )


def _short(change: Mapping[str, Any]) -> dict[str, Any]:
    """A change without all of its expectations: the numbers of the first goal that was measured."""
    kept = ("setting", "before", "proposed", "after", "rules", "verdict", "why")
    measured = [each["noise"] for each in change["expectations"] if each["role"] == "goal" and each["noise"]]
    numbers = measured[0] if measured else {}
    return {**{name: change[name] for name in kept}, **{name: numbers.get(name) for name in ("ratio", "low", "high")}}


def dumps(trial: Trial) -> str:
    """A trial as one line, without its end."""
    fields = {
        "format": FORMAT, "at": trial.at, "host": dict(trial.host),
        "class": {"memory_bytes": trial.kind.memory_bytes, "kernel": trial.kind.kernel, "role": trial.kind.role},
        "verdict": trial.verdict, "why": list(trial.why), "undo": list(trial.undo),
        "changes": [dict(change) for change in trial.changes], "work": dict(trial.work),
        "predictions": [dict(score) for score in trial.predictions],
    }  # fmt: skip
    return json.dumps(fields)


def loads(line: str) -> Trial:
    """The trial of one line.

    Raises:
        AdvisorError: it is none, or of a newer format.
    """
    try:
        data = json.loads(line)
        if data["format"] != FORMAT:
            raise AdvisorError(f"its format is {str(data['format'])[:40]!r}, not {FORMAT!r}", "upgrade memadvisor")
        kind = data["class"]
        return Trial(
            str(data["at"]), dict(data["host"]), Kind(kind["memory_bytes"], kind["kernel"], kind["role"]),
            str(data["verdict"]), tuple(map(str, data["why"])), tuple(map(str, data["undo"])),
            tuple(map(dict, data["changes"])), dict(data["work"]), tuple(map(dict, data["predictions"])),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise AdvisorError("no line of a ledger") from None
