"""What a transaction is made of; docs/transaction.md has the JSON that travels."""

from __future__ import annotations

import re

from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING, Any, Literal
from advisor.record import Record, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.tunables import Tunable

FORMAT = "memadvisor/transaction/1"
RECEIPT = "memadvisor/receipt/1"
SYSCTL_FILE = "/etc/sysctl.d/99-zz-memadvisor.conf"
TMPFILES_FILE = "/etc/tmpfiles.d/00-memadvisor.conf"

Purpose = Literal["present", "absent", "restored"]

_ID = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)


class Options(Record):
    """How to change a host.

    Attributes:
        id: name of the transaction and of its receipt, see `new_id`.
        live: change what runs.
        persist: change what the next boot sets.
        approved: a person agreed to go further: the larger budgets hold, and settings may be changed that
            memadvisor otherwise only recommends.
        missing: what to do with a setting that this kernel does not have.
        strict: refuse where a value would not stand at boot, instead of telling so.
        confirm_s: put everything back after so many seconds unless confirmed.
        sysctl_file: our file for settings below /proc/sys. It is read late, and the last line counts.
        tmpfiles_file: our file for settings below /sys. It is read first, and the first line counts.
        reasons: why, by setting; written as a comment above a new line.
    """

    id: str
    live: bool = True
    persist: bool = True
    approved: bool = False
    missing: Literal["refuse", "skip"] = "refuse"
    strict: bool = False
    confirm_s: int | None = None
    sysctl_file: str = SYSCTL_FILE
    tmpfiles_file: str = TMPFILES_FILE
    reasons: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise AdvisorError(f"a transaction cannot be called {self.id[:80]!r}", "use up to 64 letters, digits and -")
        for path, folder in ((self.sysctl_file, "sysctl.d"), (self.tmpfiles_file, "tmpfiles.d")):
            if not re.fullmatch(rf"/etc/{folder}/[\w@+.-]+\.conf", path, re.ASCII):
                raise AdvisorError(f"settings cannot be kept in {path[:80]!r}", f"name a file /etc/{folder}/NAME.conf")

    def file_of(self, tunable: Tunable) -> str | None:
        """Our file that keeps a setting; None where no file of ours can."""
        return {"sysctl.d": self.sysctl_file, "tmpfiles.d": self.tmpfiles_file}.get(tunable.persist)


class Refusal(Record):
    """Why a setting is not touched; with one refusal nothing is.

    Attributes:
        setting: its name; empty when the refusal is for the whole.
        why: one clause.
        hint: what to do instead.
    """

    setting: str
    why: str
    hint: str = ""

    def __str__(self) -> str:
        line = f"{self.setting}: {self.why}" if self.setting else self.why
        return f"{line}; {self.hint}" if self.hint else line


class Step(Record):
    """What is to become of one setting.

    Attributes:
        tunable: the setting.
        wanted: what the user asked for, as text.
        live: what to write to the running kernel; None: nothing.
        line: what our file is to say; None: nothing of this setting.
        keeps_line: our file is left as it is, whatever `line` says.
        reason: why, for a comment above a new line.
        notes: what the reader should know.
    """

    tunable: Tunable
    wanted: str
    live: str | None = None
    line: str | None = None
    keeps_line: bool = True
    reason: str = ""
    notes: tuple[str, ...] = ()


class Composed(Record):
    """A transaction, ready to travel, or why there is none.

    Attributes:
        document: the transaction of docs/transaction.md; None when something is refused.
        settings: for each setting what was, what is wanted, which lines concern it, and what holds at boot.
        files: for each file that changes: path, before, after (None: no file).
        notes: what the reader should know of the whole.
        refusals: why not; empty when there is a document.
    """

    document: dict[str, Any] | None
    settings: tuple[dict[str, Any], ...] = ()
    files: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is no transaction, and nothing that speaks against one."""
        return self.document is None and not self.refusals

    @property
    def changed(self) -> bool:
        """Whether there is anything to do."""
        return self.document is not None and bool(self.document["writes"] or self.document["files"])

    def raise_refusals(self) -> None:
        """Raises one error that tells every refusal, a line each."""
        if self.refusals:
            raise AdvisorError("nothing was changed:\n" + "\n".join(f"  {refusal}" for refusal in self.refusals))

    def completed(self, receipt: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
        """`settings` with `actual` filled from the receipt of the host."""
        actual = receipt.get("actual", {})
        return tuple({**entry, "actual": actual.get(entry["path"], entry["previous"])} for entry in self.settings)


def new_id(wall_s: float, entropy: bytes) -> str:
    r"""A name for a transaction from a clock and a few random bytes, so that names sort by time.

    >>> new_id(1764025200.0, b"\x1a\x2b\x3c\x4d")
    '20251124T230000Z-1a2b3c4d'
    """
    from datetime import UTC, datetime  # noqa: PLC0415  (slow to load)

    return f"{datetime.fromtimestamp(wall_s, UTC):%Y%m%dT%H%M%SZ}-{entropy.hex()}"
