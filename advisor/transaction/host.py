"""What a transaction asks of a capture."""

from __future__ import annotations

from advisor import persisted
from advisor.capture.tree import encode
from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING, Any
from advisor.signals.host import managed
from advisor.signals.settings import current
from advisor.signals.view import views
from advisor.tunables import Tunable, Value, offered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.capture.model import Capture

BOOT_ID = "proc/sys/kernel/random/boot_id"
_ANY = "proc/sys/vm/swappiness"  # every kernel has it
_OS_RELEASE = ("etc/os-release", "usr/lib/os-release")


class Host:
    """A captured host, as far as its settings go.

    Attributes:
        capture: what was captured.
        view: all of it, for signals.
        files: text by path of everything that sets something at boot.
    """

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.view, _parts = views(capture)
        self.files: Mapping[str, str] = persisted.files_of(capture)

    def identity(self) -> dict[str, Any]:
        """Whose transaction it is, as the document says."""
        try:
            pages = managed(self.view)
        except Unknown:
            pages = None
        boot_id = self.capture.text(BOOT_ID)
        return {
            "boot_id": boot_id.strip() if boot_id else None,
            "managed_pages": pages,
            "hostname": self.capture.host or None,
        }

    def text(self, tunable: Tunable) -> str | None:
        """What the file of a setting holds, its white space collapsed; None where it is not in the capture."""
        text = self.capture.text(tunable.path)
        return None if text is None else " ".join(text.split())

    def value(self, tunable: Tunable) -> Value:
        """The running value.

        Raises:
            Unknown: why there is none.
        """
        if self.lacks(tunable):
            raise Unknown("this kernel does not have it")
        return current(self.view, tunable)

    def lacks(self, tunable: Tunable) -> bool:
        """Whether the kernel does not have the setting: others of its kind were captured, and this one was not."""
        text, unread = self.capture.text, self.capture.unread
        return (
            text(tunable.path) is None and text(_ANY) is not None and "permission" not in unread.get(tunable.path, "")
        )

    def choices(self, tunable: Tunable) -> tuple[str, ...]:
        """The words that this kernel offers for a choice."""
        text = self.text(tunable) or ""
        return offered(text) if tunable.kind == "choice" and "[" in text else ()

    def bytes_of(self, path: str) -> bytes | None:
        """The bytes of a file, named with its leading slash; None where it was not found."""
        text = self.capture.text(path.lstrip("/"))
        return None if text is None else encode(text)

    def is_nixos(self) -> bool:
        """Whether files below /etc are made by Nix, and are lost when written by others."""
        text = next(filter(None, map(self.capture.text, _OS_RELEASE)), "")
        return "ID=nixos" in text.replace('"', "").split()
