"""The kubelet, which sets two memory settings when it starts, or refuses to start where it may not set them."""

from __future__ import annotations

import re

from advisor.hints import TYPE_CHECKING
from advisor.rivals.model import Rival

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.capture.model import Capture
    from advisor.outlook import Outlook
    from advisor.tunables import Tunable

_CONFIG = "var/lib/kubelet/config.yaml"
_WANTS = {"vm.overcommit_memory": "1", "vm.panic_on_oom": "0"}  # setupKernelTunables in pkg/kubelet/cm
_PROTECT = re.compile(r"\s*protectKernelDefaults:\s*true\s*(#.*)?", re.ASCII)


def find(capture: Capture, tunable: Tunable, _outlook: Outlook) -> Iterator[Rival]:
    """What the kubelet of this host wants of a setting."""
    config = capture.text(_CONFIG)
    runs = any("kubelet" in process.flags or process.name == "kubelet" for process in capture.processes)
    if tunable.name not in _WANTS or not (runs or config is not None):
        return
    for number, line in enumerate((config or "").split("\n"), 1):
        if _PROTECT.fullmatch(line):
            at, note = f"/{_CONFIG}:{number}", "protectKernelDefaults: it does not start while another value runs"
            yield Rival("kubelet", at, _WANTS[tunable.name], False, note)
            return
    at = f"/{_CONFIG}" if config is not None else ""
    yield Rival("kubelet", at, _WANTS[tunable.name], True, "it writes the value whenever it starts")
