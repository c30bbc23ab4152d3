# Copyright: The memadvisor authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's side of verify: what a host was before a change, against what it is after it."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.memadvisor.linux.plugins.plugin_utils import controller

_OPTIONS = {
    "before": {"type": "path", "required": True},
    "after": {"type": "path", "required": True},
    "role": {"type": "str"},
    "rules": {"type": "list", "elements": "path", "default": []},
    "fail_on_worse": {"type": "bool", "default": False},
}
_ORDER = ("notice", "warning", "critical")


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
        before, after = (_report(options[name], options) for name in ("before", "after"))
        result = {"changed": False, **compared(before, after)}
        if options["fail_on_worse"] and result["verdict"] == "worse":
            result["failed"] = True
        return result


def _report(path: str, options: dict) -> t.Any:
    library = controller.advisor.rulebook.library
    capture = controller.load(path)
    with controller.Refused(path):
        rules = library.load([library.BUILTIN, *options["rules"]])
        return controller.advisor.analysis.analyse(capture, rules, options["role"])


def compared(before: t.Any, after: t.Any) -> dict:
    """What became of the findings: better, same, worse, or unknown when one of the captures is too little to tell."""
    severities = [{(f.rule, f.entity): _ORDER.index(f.severity) for f in one.failed()} for one in (before, after)]
    grown = sorted(key for key, rank in severities[1].items() if rank >= 1 and rank > severities[0].get(key, -1))
    gone = sorted(key for key, rank in severities[0].items() if rank >= 1 and rank > severities[1].get(key, -1))
    if "insufficient" in (before.verdict, after.verdict):
        return {"verdict": "unknown", "changes": [], "msg": "one of the captures is too little to tell"}
    verdict = "worse" if grown else "better" if gone else "same"
    changes = [{"rule": rule, "entity": entity or None, "became": "worse"} for rule, entity in grown]
    changes += [{"rule": rule, "entity": entity or None, "became": "better"} for rule, entity in gone]
    named = ", ".join(f"{change['rule']} {change['became']}" for change in changes)
    return {"verdict": verdict, "changes": changes, "msg": f"{verdict}: {named}" if named else verdict}
