# Copyright: The memadvisor authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's side of advise: a capture becomes a report and a plan; the host is not touched."""

from __future__ import annotations

import datetime as dt
import os
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.memadvisor.linux.plugins.plugin_utils import controller

_SEVERITIES = ("notice", "warning", "critical")
_OPTIONS = {
    "capture": {"type": "path", "required": True},
    "role": {"type": "str"},
    "rules": {"type": "list", "elements": "path", "default": []},
    "policy": {"type": "path"},
    "ledger": {"type": "path"},
    "dest": {"type": "path"},
    "fail_on": {"type": "str", "choices": ["never", *_SEVERITIES], "default": "never"},
}

controller.prepare("advisor.report.as_json", "advisor.report.text", judging=True)


class ActionModule(ActionBase):
    """Judges a capture on the controller."""

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
        _check_role(options["role"])
        capture = controller.load(options["capture"])
        task_vars = task_vars or {}
        with controller.Refused():
            result = _judged(capture, options, task_vars)
        if options["dest"]:
            controller.write(options["dest"], controller.json.dumps(result["report"], indent=2) + "\n")
        return {"changed": False, **result, **_failure(result, options["fail_on"])}


def _check_role(role: t.Optional[str]) -> None:
    from advisor.cli._shared import ROLES

    if role is not None and role not in ROLES:
        raise AnsibleActionFail(f"role '{role}' is not known; roles: {', '.join(ROLES)}")


def _judged(capture: t.Any, options: dict, task_vars: dict) -> dict:
    from advisor.report import as_json, layout, text, wording

    rules = controller.rules(options["rules"])
    policy = _policy(capture, rules, options, task_vars) if options["policy"] else None
    past, remarks = _past(options["ledger"])
    report = controller.advisor.analysis.analyse(capture, rules, options["role"], policy, past=past)
    document = controller.plain(as_json.document(report))
    return {
        "verdict": report.verdict,
        "worst": report.worst(),
        "findings": [
            {key: finding[key] for key in ("rule", "severity", "confidence", "entity", "title", "message")}
            for finding in document["findings"]
        ],
        "settings": _settings(report.plan),
        "held_back": [wording.held(loser) for loser in report.plan.held_back],
        "reasons": {change.setting: change.because for change in report.plan.changes()},
        "risk": _risk(report.plan),
        "plan": _plan(report),
        "report": document,
        "text": layout.plain(text.layout(report, 100)).splitlines(),
        **({"warnings": remarks} if remarks else {}),
    }


def _past(path: t.Optional[str]) -> t.Tuple[t.Sequence[t.Any], t.List[str]]:
    """What was tried before, by a ledger, and a remark on each line of it that cannot be read."""
    from advisor import ledger

    remarks: t.List[str] = []
    return (ledger.read(os.path.expanduser(path), remarks.append) if path else ()), remarks


def _plan(report: t.Any) -> dict:
    """The plan, as `advisor plan --format json` prints it."""
    from advisor.report import as_json
    from advisor.transaction.planned import SCHEMA

    return controller.plain({
        "schema": SCHEMA, "host": as_json.identity(report), **as_json.plan_document(report.plan),
    })  # fmt: skip


def _policy(capture: t.Any, rules: t.Any, options: dict, task_vars: dict) -> t.Any:
    """What a policy comes to for this host: its inventory groups are known here."""
    from advisor.policy import load
    from advisor.policy.model import Member

    in_force = load.in_force(options["policy"], rules, dt.date.today())
    groups = frozenset(controller.plain(task_vars.get("group_names", [])))
    member = Member(str(task_vars.get("inventory_hostname", "")), groups)
    return controller.advisor.analysis.local_for(capture, in_force, member, options["role"])


def _settings(plan: t.Any) -> dict:
    """The values to write, as the module `settings` takes them."""
    from advisor.tunables import format_value, get

    return {change.setting: format_value(get(change.setting), change.proposed) for change in plan.changes()}


def _risk(plan: t.Any) -> t.Optional[str]:
    """The highest risk of the changes."""
    order = ("", "low", "medium", "high")
    risks = [change.risk for change in plan.changes()]
    return max(risks, key=order.index) or "low" if risks else None


def _failure(result: dict, fail_on: str) -> dict:
    worst = result["worst"]
    if fail_on == "never" or worst is None or _SEVERITIES.index(worst) < _SEVERITIES.index(fail_on):
        return {}
    titles = [finding["title"] for finding in result["findings"] if finding["severity"] == worst]
    return {"failed": True, "msg": f"{worst}: {'; '.join(dict.fromkeys(titles))}"}
