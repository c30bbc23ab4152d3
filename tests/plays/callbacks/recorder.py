"""Writes what each task said of each host, a line of JSON each; for tests."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: recorder
type: aggregate
short_description: Writes what each task said of each host
description: For tests.
"""


class CallbackModule(CallbackBase):
    """Writes to the file that RECORDER_FILE names."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "recorder"

    def _record(self, kind, result):
        task = getattr(result, "task", None) or result._task
        content = getattr(result, "result", None) or result._result
        host = (getattr(result, "host", None) or result._host).get_name()
        line = {"host": host, "task": task.get_name().rpartition(" : ")[2], "kind": kind, "result": content}
        with Path(os.environ["RECORDER_FILE"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")

    def v2_runner_on_ok(self, result):
        self._record("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._record("failed", result)

    def v2_runner_on_skipped(self, result):
        self._record("skipped", result)

    def v2_runner_on_unreachable(self, result):
        self._record("unreachable", result)
