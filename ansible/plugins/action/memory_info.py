# Copyright: The memadvisor authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's side of memory_info: one visit to the host, by its shell alone."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.memadvisor.linux.plugins.plugin_utils import controller

_OPTIONS = {
    "previous": {"type": "path"},
    "window": {"type": "float", "default": 0.0},
    "dest": {"type": "path"},
    "kernel_log": {"type": "bool", "default": True},
    "root": {"type": "path", "default": "/"},
}


class ActionModule(ActionBase):
    """Brings a sample of a host to the controller."""

    TRANSFERS_FILES = False
    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: t.Optional[dict] = None) -> dict:
        """See the documentation of the module."""
        super().run(tmp, task_vars)
        controller.need_advisor()
        _valid, options = self.validate_argument_spec(_OPTIONS, mutually_exclusive=[("previous", "window")])
        options = controller.plain(options)
        name = str((task_vars or {}).get("inventory_hostname", "host"))
        capture, sent = self._visit(name, options)
        if options["previous"]:
            capture = _merged(options["previous"], capture)
        return {"changed": False, **_summary(capture, sent), "capture": controller.keep(capture, name, options["dest"])}

    def _visit(self, name: str, options: dict) -> t.Any:
        window_s = options["window"] or 0.0
        return controller.visit(
            self,
            name,
            samples=2 if window_s > 0 else 1,
            window_s=window_s,
            again=bool(options["previous"]),
            root=options["root"],
            kernel_log=options["kernel_log"],
        )


def _merged(previous: str, capture: t.Any) -> t.Any:
    first = controller.load(previous)
    with controller.Refused():
        return controller.advisor.capture.shell.merge(first, capture)


def _summary(capture: t.Any, sent: int) -> dict:
    clocks = [sample.monotonic_s for sample in capture.samples]
    window = capture.interval_s
    if len(clocks) > 1 and None not in clocks:
        window = round(clocks[-1] - clocks[0], 3)
    return {
        "hostname": capture.host,
        "samples": len(capture.samples),
        "window_s": window,
        "files": len(capture.samples[0].files),
        "sent_bytes": sent,
        "unread": dict(capture.unread),
    }
