"""The transaction that takes changes back, from the receipts of a host.

`restored` undoes one receipt: values, lines and whole files as they were before it. `absent` makes settings
unmanaged: their lines leave our files, and what ran before memadvisor first set them runs again. `without` takes
settings out of a transaction that waits to be confirmed.

A value that somebody else has changed since is never overwritten silently: `restored` refuses unless a person
approved, `absent` leaves it and says so.
"""

from __future__ import annotations

from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING, Any
from advisor.outlook import same, written
from advisor.record import replace
from advisor.transaction.build import build
from advisor.transaction.dropin import line_of, settings_of, with_line
from advisor.transaction.host import Host
from advisor.transaction.model import Composed, Options, Purpose, Refusal, Step
from advisor.transaction.receipt import FOLDER, check, effective, kept_in, machine_of
from advisor.tunables import TUNABLES, Tunable, Value, format_value, get, undo_writes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from advisor.capture.model import Capture

    Receipt = Mapping[str, Any]


def absent(capture: Capture, settings: Iterable[str], receipts: Sequence[Receipt], options: Options) -> Composed:
    """The transaction after which settings are as if memadvisor had never set them.

    Args:
        capture: of the host, as it is now.
        settings: their names.
        receipts: of the host, oldest first.
        options: how.
    """
    host = Host(capture)
    known, refusals = _known(settings)
    refusals += [*check(receipts), *_of_another_host(host, receipts)]
    if refusals:
        return Composed(None, refusals=tuple(refusals))
    undoing = _Undoing(host, options, {tunable.name for tunable in known}, strict=False)
    for tunable in known:
        mine = _since_absent(receipts, tunable)
        undoing.line(tunable, "absent", None)
        if mine:
            undoing.live(tunable, mine[0], mine[-1])
        elif options.live:
            undoing.note(tunable, "no receipt tells what ran before: the running value stays until the next boot")
    return undoing.composed("absent")


def restored(
    capture: Capture,
    receipts: Sequence[Receipt],
    options: Options,
    *,
    of: str | None = None,
    settings: Iterable[str] | None = None,
) -> Composed:
    """The transaction that brings back what was before one receipt.

    Args:
        capture: of the host, as it is now.
        receipts: of the host, oldest first.
        options: how.
        of: the id of the receipt; None: the newest that is not an undo itself.
        settings: only these settings of it; None: all, and the files as they were, byte by byte.
    """
    host = Host(capture)
    damaged = check(receipts)
    if damaged:
        return Composed(None, refusals=damaged)
    try:
        receipt = _chosen(receipts, of) if receipts else _missing(host, options)
        names = _changed_by(receipt)
        wanted = names if settings is None else _among(settings, names, receipt)
        options = replace(options, **{f"{persist.replace('.d', '')}_file": path for path, persist in _files(receipt)})
    except AdvisorError as error:
        return Composed(None, refusals=(Refusal("", error.message, error.hint),))
    refusals = (*_later(receipts, receipt, wanted), *_of_another_host(host, [receipt]))
    if refusals:
        return Composed(None, refusals=refusals)
    undoing = _Undoing(host, options, set(wanted), strict=not options.approved)
    for name in wanted:
        undoing.receipt(get(name), receipt)
    whole = _untouched_files(host, receipt) if set(wanted) == set(names) else {}
    return undoing.composed("restored", whole)


def without(capture: Capture, journal: Receipt, settings: Iterable[str], options: Options) -> Composed:
    """The transaction that takes some settings out of another one, which waits to be confirmed.

    Its values are written back, whatever they are by now, as all of it would be without a confirmation. Its files are
    not in place yet: they get the content that they are to have without these settings.

    Args:
        capture: of the host, as it is now.
        journal: of the transaction that waits; a receipt of it.
        settings: which to take out.
        options: how.

    Returns:
        An empty one when nothing would be left: then the whole is to be given up.
    """
    damaged = check((journal,))
    if damaged:
        return Composed(None, refusals=damaged)
    try:
        names = _changed_by(journal)
        wanted = _among(settings, names, journal)
    except AdvisorError as error:
        return Composed(None, refusals=(Refusal("", error.message, error.hint),))
    if set(wanted) == set(names):
        return Composed(None)
    written_ = {write["path"]: write["value"] for write in journal["writes"]}
    undoing = _Undoing(Host(capture), replace(options, approved=True, persist=True), set(wanted), strict=False)
    for name in wanted:
        undoing.live(get(name), journal, {**journal, "actual": written_})
    contents = {file["path"]: _less(file, journal, wanted) for file in journal["files"]}
    return undoing.composed("restored", contents)


def _less(file: Mapping[str, Any], receipt: Receipt, settings: Sequence[str]) -> str | None:
    """What a file of a receipt is to hold when some of its settings are as they were before."""
    path = str(file["path"])
    was: str | None = receipt["before"]["files"].get(path)
    text: str | None = file["content"]
    if _moved_lines(path, was, text) <= set(settings):
        return was
    for tunable in map(get, settings):
        if tunable.persist == kept_in(path):
            text = with_line(tunable, text, line_of(tunable, was))
    return text


class _Undoing:
    """Gathers the steps of an undo.

    Args:
        host: the host as it is now.
        options: how.
        settings: all that are undone together.
        strict: refuse to overwrite what somebody else has set since.
    """

    def __init__(self, host: Host, options: Options, settings: set[str], *, strict: bool) -> None:
        self.host = host
        self.options = options
        self.settings = settings
        self.strict = strict
        self.steps: dict[str, Step] = {}
        self.refusals: list[Refusal] = []

    def composed(self, purpose: Purpose, contents: Mapping[str, str | None] | None = None) -> Composed:
        """The transaction of the steps, or the refusals."""
        if self.refusals:
            return Composed(None, refusals=tuple(self.refusals))
        return build(self.host, list(self.steps.values()), self.options, purpose, contents=contents)

    def receipt(self, tunable: Tunable, receipt: Receipt) -> None:
        """Takes back what a receipt changed of one setting: its value, and its line in our file."""
        if any(write["setting"] == tunable.name for write in receipt["writes"]):
            self.live(tunable, receipt, receipt)
        path = self.options.file_of(tunable)
        if path in receipt["before"]["files"]:
            self.line(tunable, "as before", line_of(tunable, receipt["before"]["files"][path]))

    def line(self, tunable: Tunable, wanted: str, text: str | None) -> None:
        """What our file is to say of a setting."""
        self._put(tunable, wanted=wanted, line=text, keeps_line=False)

    def note(self, tunable: Tunable, text: str) -> None:
        """Something that the reader should know of a setting."""
        step = self.steps.get(tunable.name, Step(tunable, ""))
        self._put(tunable, notes=(*step.notes, text))

    def live(self, tunable: Tunable, first: Receipt, last: Receipt) -> None:
        """Writes back what ran before the first receipt, if what the last one left still runs."""
        before = _values_before(tunable, first)
        writes = undo_writes(tunable.name, before)
        if writes is None:
            self.note(tunable, "the receipt does not tell all of what ran before: the running value stays")
            return
        left = last["actual"].get(f"/{tunable.path}")
        wrong = {other.name for other, value in writes if not same(written(other, self.host.text(other)), value)}
        if not wrong or not self._may_overwrite(tunable, left):
            return
        for other, value in writes:
            if other.name in wrong and (other.name not in tunable.changes or not self._kept(other)):
                self._put(other, wanted="as before", live=format_value(other, value))

    def _may_overwrite(self, tunable: Tunable, left: str | None) -> bool:
        """Whether what memadvisor left still runs, or a person agreed that it need not."""
        running = self.host.text(tunable)
        if same(written(tunable, running), written(tunable, left)):
            return True
        told = f"somebody has changed it since: {left} was left, {running} runs"
        if self.strict:
            self.refusals.append(Refusal(tunable.name, told, "leave it out, or let a person decide: approved: true"))
        else:
            self.note(tunable, told if self.options.approved else f"{told}; the running value stays")
        return self.options.approved

    def _kept(self, tunable: Tunable) -> bool:
        """Whether our file keeps a setting that is not undone: then it is not touched along with another."""
        path = self.options.file_of(tunable) or ""
        kept = line_of(tunable, self.host.capture.text(path.lstrip("/"))) is not None
        return kept and tunable.name not in self.settings

    def _put(self, tunable: Tunable, **fields: Any) -> None:
        step = self.steps.get(tunable.name, Step(tunable, ""))
        self.steps[tunable.name] = replace(step, **fields)


def _values_before(tunable: Tunable, receipt: Receipt) -> dict[str, Value]:
    """What a setting, and those that change along with it, were before a receipt."""
    texts = receipt["before"]["values"]
    family = (tunable, *(TUNABLES[name] for name in (*tunable.coupled, *tunable.changes)))
    values = ((member.name, written(member, texts.get(f"/{member.path}"))) for member in family)
    return {name: value for name, value in values if value is not None}


def _known(settings: Iterable[str]) -> tuple[list[Tunable], list[Refusal]]:
    known, refusals = [], []
    for name in settings:
        try:
            known.append(get(name))
        except AdvisorError as error:
            refusals.append(Refusal("", error.message, error.hint))
    return known, refusals


def _since_absent(receipts: Sequence[Receipt], tunable: Tunable) -> list[Receipt]:
    """The receipts that wrote a setting since it was last made absent, oldest first."""
    path, found = f"/{tunable.path}", []
    for receipt in effective(receipts):
        if any(write["path"] == path for write in receipt["writes"]):
            found.append(receipt)
            if receipt.get("purpose") == "absent":
                found.clear()
    return found


def _chosen(receipts: Sequence[Receipt], of: str | None) -> Receipt:
    valid = effective(receipts)
    if of is None:
        valid = [receipt for receipt in valid if receipt.get("purpose") == "present"]
    found = [receipt for receipt in valid if of is None or receipt["id"] == of]
    if found:
        return found[-1]
    names = ", ".join(str(receipt["id"]) for receipt in valid[-3:])
    if of is not None:
        raise AdvisorError(f"there is no receipt {of[:80]!r}", f"the newest are {names}" if names else "")
    raise AdvisorError("there is no receipt: memadvisor has changed nothing on this host")


def _missing(host: Host, options: Options) -> Receipt:
    """Raises, since there is no receipt at all: where our files keep something, there must have been one."""
    kept = {
        path: settings_of([tunable for tunable in TUNABLES.values() if options.file_of(tunable) == path],
                          host.capture.text(path.lstrip("/")))
        for path in (options.sysctl_file, options.tmpfiles_file)
    }  # fmt: skip
    told = [f"{path} keeps {', '.join(settings)}" for path, settings in kept.items() if settings]
    if not told:
        raise AdvisorError("there is no receipt: memadvisor has changed nothing on this host")
    raise AdvisorError(
        f"there is no receipt, though {' and '.join(told)}: {FOLDER} was emptied, or may not be read",
        "read it as root (become: true); state: absent takes the lines out, and what runs stays until the next boot",
    )


def _changed_by(receipt: Receipt) -> list[str]:
    """The settings that a receipt wrote, or whose line it changed."""
    names = [str(write["setting"]) for write in receipt["writes"]]
    for file in receipt["files"]:
        path = file["path"]
        names += sorted(_moved_lines(path, receipt["before"]["files"].get(path), file["content"]))
    return list(dict.fromkeys(names))


def _moved_lines(path: str, was: str | None, now: str | None) -> set[str]:
    """The settings of which one of our files says something else than before."""
    kept = [tunable for tunable in TUNABLES.values() if tunable.persist == kept_in(path)]
    old, new = settings_of(kept, was), settings_of(kept, now)
    return {name for name in {**old, **new} if old.get(name) != new.get(name)}


def _files(receipt: Receipt) -> list[tuple[str, str]]:
    """The files that a receipt wrote, each with the kind of settings that it keeps."""
    return [(file["path"], kept_in(file["path"])) for file in receipt["files"]]


def _among(settings: Iterable[str], names: Sequence[str], receipt: Receipt) -> list[str]:
    wanted = [get(name) for name in settings]
    for tunable in wanted:
        if tunable.name not in names:
            raise AdvisorError(f"the receipt {receipt['id']} did not change {tunable.name}",
                               f"it changed {', '.join(names)}")  # fmt: skip
    # The line of a twin went when this one came, so it comes back along with it.
    with_twins = (name for tunable in wanted for name in (tunable.name, *tunable.coupled) if name in names)
    return list(dict.fromkeys(with_twins))


def _later(receipts: Sequence[Receipt], receipt: Receipt, wanted: Iterable[str]) -> list[Refusal]:
    """What a later receipt changed cannot be undone beneath it."""
    valid = effective(receipts)
    after = valid[valid.index(receipt) + 1 :]
    undone = {name for later in after if later.get("purpose") in {"restored", "absent"} for name in _changed_by(later)}
    return [
        Refusal(name, f"{later['id']} changed it later", f"restore {later['id']} first")
        for later in after
        if later.get("purpose") == "present"
        for name in _changed_by(later)
        if name in set(wanted) - undone
    ]


def _untouched_files(host: Host, receipt: Receipt) -> dict[str, str | None]:
    """The files of a receipt that nobody has changed since, as they were before it."""
    return {
        file["path"]: receipt["before"]["files"].get(file["path"])
        for file in receipt["files"]
        if host.capture.text(file["path"].lstrip("/")) == file["content"]
    }


def _of_another_host(host: Host, receipts: Iterable[Receipt]) -> list[Refusal]:
    """The name of the host is known to its receipts, and its machine-id, which a cloned image gets anew."""
    receipts = list(receipts)
    away = f"a clone? Move {FOLDER} away; state: absent then takes our lines out"
    name = host.capture.host
    others = {str(receipt.get("hostname")) for receipt in receipts if receipt.get("hostname") not in {None, "", name}}
    if name and others:
        return [Refusal("", f"the receipts are of {', '.join(sorted(others))}, and this is {name}", away)]
    machine = machine_of(host.capture.text("etc/machine-id"))
    if machine and any(receipt.get("machine") not in {None, machine} for receipt in receipts):
        return [Refusal("", "the receipts are of another machine of this name: its machine-id was another", away)]
    return []
