"""Who else sets a setting, besides sysctl.d and tmpfiles.d: TuneD, saptune, the kernel command line and others.

Each rival is a module with a function `find`; a new one is a module here and a line in `_FINDERS`. Only what a capture
holds is looked at. No rival: bpftune, which sets nothing but net.*; and cloud-init, which writes a host's drop-ins at
its first boot only. What its configuration holds may be secret and is not captured.
"""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.rivals import cmdline, kubelet, sap, scripts, tuned
from advisor.rivals.model import Rival

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.capture.model import Capture
    from advisor.outlook import Outlook
    from advisor.tunables import Tunable

__all__ = ["Rival", "rivals", "winner"]

_FINDERS = (cmdline.find, tuned.find, sap.find, kubelet.find, scripts.find)


def rivals(capture: Capture, tunable: Tunable, outlook: Outlook) -> tuple[Rival, ...]:
    """Everybody who sets a setting besides the files of its outlook.

    Args:
        capture: of the host.
        tunable: the setting.
        outlook: what sysctl.d and tmpfiles.d make of it.
    """
    return tuple(rival for find in _FINDERS for rival in find(capture, tunable, outlook))


def winner(found: Iterable[Rival]) -> Rival | None:
    """The rival whose value is there after a boot, whatever the files say; None where none is known to win."""
    last = None
    for rival in found:
        last = rival if rival.wins else last
    return last
