# Copyright: The memadvisor authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes one report for a whole run."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_report
type: aggregate
short_description: Writes one report for the whole run, as JSON
version_added: 0.1.0
author:
  - The memadvisor authors (@memadvisor)
description:
  - Collects what M(memadvisor.linux.advise), M(memadvisor.linux.settings) and M(memadvisor.linux.verify) say of each
    host, and writes one JSON document when the run ends.
  - Covers hosts that failed or could not be reached, every batch of C(serial) and every strategy, which a last task of
    a play does not.
  - The documents of several runs, such as the slices of an AWX job, are merged by C(advisor fleet merge).
requirements:
  - to be enabled, as in C(ANSIBLE_CALLBACKS_ENABLED=memadvisor.linux.fleet_report)
options:
  output:
    description:
      - Where to write, on the controller. Written whole or not at all, and only when a host was judged, changed, or
        could not be reached.
    type: path
    default: memadvisor-fleet.json
    env:
      - name: MEMADVISOR_FLEET_REPORT
    ini:
      - section: callback_fleet_report
        key: output
"""

import json
import os
import tempfile
import typing as t

from ansible.plugins.callback import CallbackBase

SCHEMA = "memadvisor/fleet-report/1"
_PREFIX = "memadvisor.linux."
_KEPT = {
    "settings": (
        "changed",
        "previous",
        "wanted",
        "actual",
        "files",
        "notes",
        "wins_at_boot",
        "transaction",
        "undone",
        "rolled_back",
    ),
    "verify": ("verdict", "why", "undo", "msg"),
}


class CallbackModule(CallbackBase):
    """Collects results by host."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "memadvisor.linux.fleet_report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._reports: t.Dict[str, dict] = {}
        self._runs: t.Dict[str, dict] = {}
        self._unreadable: t.Dict[str, str] = {}

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """A task of a host went well."""
        self._take(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """A task of a host failed."""
        host, content = _host(result), _content(result)
        self._take(result)
        if not ignore_errors and not (_action(result) == "advise" and "report" in content):
            self._unreadable[host] = " ".join(str(content.get("msg", "failed")).split())

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """A host does not answer."""
        self._unreadable[_host(result)] = " ".join(str(_content(result).get("msg", "unreachable")).split())

    def v2_playbook_on_stats(self, stats: t.Any) -> None:  # noqa: ARG002 (Ansible passes it)
        """The run has ended."""
        if not (self._reports or self._runs or self._unreadable):
            return
        names = sorted({*self._reports, *self._runs})
        document = {
            "schema": SCHEMA,
            "hosts": [self._entry(name) for name in names if name in self._reports],
            "runs": {name: self._runs[name] for name in names if name in self._runs},
            "unreadable": [{"source": name, "why": why} for name, why in sorted(self._unreadable.items())],
        }
        path = os.path.abspath(os.path.expanduser(self.get_option("output")))
        try:
            _write(path, json.dumps(document, indent=1) + "\n")
        except OSError as error:
            self._display.warning(f"no fleet report: {path}: {error.strerror}")
        else:
            self._display.display(f"fleet report of {len(names)} hosts: {path}")

    def _take(self, result: t.Any) -> None:
        action, content, host = _action(result), _content(result), _host(result)
        if action == "advise" and isinstance(content.get("report"), dict):
            self._reports[host] = content["report"]
        elif action in _KEPT:
            kept = {key: content[key] for key in _KEPT[action] if key in content}
            self._runs.setdefault(host, {}).setdefault(action, []).append(kept)

    # The inventory's name counts: hosts may call themselves alike.
    def _entry(self, name: str) -> dict:
        report = self._reports[name]
        return {**report, "host": {**report.get("host", {}), "name": name}}


def _action(result: t.Any) -> str:
    task = getattr(result, "task", None) or result._task
    name = str(task.resolved_action or task.action)
    return name[len(_PREFIX) :] if name.startswith(_PREFIX) else ""


def _content(result: t.Any) -> dict:
    found = getattr(result, "result", None)  # ansible-core 2.19 and newer
    return found if isinstance(found, dict) else result._result


def _host(result: t.Any) -> str:
    host = getattr(result, "host", None) or result._host
    return str(host.get_name())


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle, new = tempfile.mkstemp(prefix=f".{os.path.basename(path)[:100]}.", dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        os.replace(new, path)
    except BaseException:
        os.unlink(new)
        raise
