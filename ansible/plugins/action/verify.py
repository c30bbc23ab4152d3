# Copyright: The memadvisor authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's side of verify: what a host was before a change, against what it is after it."""

from __future__ import annotations

import os
import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.memadvisor.linux.plugins.plugin_utils import controller

_OPTIONS = {
    "before": {"type": "path", "required": True},
    "after": {"type": "path", "required": True},
    "plan": {"type": "dict"},
    "role": {"type": "str"},
    "rules": {"type": "list", "elements": "path", "default": []},
    "ledger": {"type": "path"},
    "fail_on_worse": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """Compares two captures of a host on the controller."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: t.Optional[dict] = None) -> dict:
        """See the documentation of the module."""
        super().run(tmp, task_vars)
        controller.need_advisor()
        _valid, options = self.validate_argument_spec(_OPTIONS)
        options = controller.plain(options)
        before, after = (controller.load(options[name]) for name in ("before", "after"))
        with controller.Refused():
            found = _verified(before, after, options)
        result = {"changed": False, **found, "msg": f"{found['verdict']}: {'; '.join(found['why'])}"}
        if options["ledger"] and not self._task.check_mode:
            result.update(_kept(options["ledger"], found))
        if options["fail_on_worse"] and found["verdict"] == "worse":
            result["failed"] = True
        return result


def _kept(path: str, verification: dict) -> dict:
    """Adds a verification to a ledger. The verdict counts more: what speaks against it is a warning."""
    from advisor import ledger

    path = os.path.expanduser(path)
    try:
        ledger.keep(path, verification, time.time())
    except OSError as error:
        return {"warnings": [f"the verdict was not kept in the ledger {path}: {error.strerror}"]}
    return {"ledger": path}


def _verified(before: t.Any, after: t.Any, options: dict) -> dict:
    from advisor.verify import How, verify_documents

    rules = controller.rules(options["rules"])
    found = verify_documents([before], [after], options["plan"], rules, How(options["role"]))
    return controller.plain(found)
