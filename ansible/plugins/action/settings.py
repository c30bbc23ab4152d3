# Copyright: The memadvisor authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's side of settings: works out what to write, sends it, and tells what it means.

What settings mean, their bounds, and which file wins at boot is known to memadvisor on the controller. The module on
the host gets one document with what to write, and knows nothing of settings.
"""

from __future__ import annotations

import os
import re
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.memadvisor.linux.plugins.modules.settings import ARGUMENTS
from ansible_collections.memadvisor.linux.plugins.plugin_utils import controller

# What a transaction rests on: values, what decides their bounds, and all that sets something at boot.
_READ = ("proc/sys/", "proc/zoneinfo", "proc/vmstat", "proc/meminfo", "proc/cmdline", "sys/kernel/mm/", "sys/module/",
         "sys/devices/system/node/", "etc/", "run/", "usr/", "lib/", "var/lib/")  # fmt: skip
_STATE = "var/lib/memadvisor"
_REMEMBERED = tuple(f"{_STATE}/{name}" for name in ("receipts/*.json", "open/*/waiting", "open/*/journal.json"))

controller.prepare("advisor.transaction")


class ActionModule(ActionBase):
    """Changes a host as one transaction."""

    TRANSFERS_FILES = False
    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: t.Optional[dict] = None) -> dict:
        """See the documentation of the module."""
        super().run(tmp, task_vars)
        _valid, options = self.validate_argument_spec(
            ARGUMENTS, mutually_exclusive=[("settings", "plan"), ("settings", "names"), ("plan", "names")]
        )
        options = controller.plain(options)
        state = options["state"]
        if options["undo"] and state != "confirmed":
            raise AnsibleActionFail("undo goes with state confirmed; state restored takes names")
        if state == "confirmed" and not options["undo"]:
            return self._module(options, task_vars)
        if state == "present" and options["settings"] is None and options["plan"] is None:
            raise AnsibleActionFail("state present wants settings or a plan")
        controller.need_advisor()
        name = str((task_vars or {}).get("inventory_hostname", "host"))
        also = (*_REMEMBERED, *_undone(options))
        capture, _sent = controller.visit(self, name, only=_READ, also=also, root=options["root"])
        if state == "confirmed":
            return self._kept_in_part(capture, options, task_vars)
        return self._done(capture, options, task_vars)

    def _kept_in_part(self, capture: t.Any, options: dict, task_vars: t.Optional[dict]) -> dict:
        """Confirms a transaction less some of its settings, or takes these back where it does not wait any more."""
        from advisor import transaction

        undo = list(options["undo"])
        if _is_undone(capture, options):
            return self._module({**options, "undo": []}, task_vars)  # the host says why not
        if not _waits(capture, options):
            options = {**options, "state": "restored", "names": undo, "undo": []}
            return {**self._done(capture, options, task_vars), "undone": undo}
        path = f"{_STATE}/open/{options['transaction'] or _waiting(capture)[0]}/journal.json"
        with controller.Refused():
            composed = transaction.without(capture, _receipt(path, capture.text(path)), undo, _options(options))
        if composed.empty:
            result = self._module({**options, "state": "restored", "undo": []}, task_vars)
        else:
            result = self._module({**options, "document": _document(composed)}, task_vars)
        return {**result, "undone": undo}

    def _done(self, capture: t.Any, options: dict, task_vars: t.Optional[dict]) -> dict:
        """What is left to do once a host was looked at: an undo that the host does by itself, or a transaction."""
        if options["state"] == "restored" and _waits(capture, options):
            return self._module(options, task_vars)
        if options["state"] == "restored" and _is_undone(capture, options):
            return {"changed": False, "notes": [f"the transaction {options['transaction']} has been undone already"]}
        with controller.Refused():
            composed = _composed(capture, options)
        return self._carried_out(composed, options, task_vars)

    def _carried_out(self, composed: t.Any, options: dict, task_vars: t.Optional[dict]) -> dict:
        document = _document(composed)
        told = _told(composed)
        if not composed.changed:
            return {**_values(composed), "changed": False, "files": [], **told}
        sent = {**options, "settings": None, "plan": None, "reasons": None, "document": document}
        result = self._module(sent, task_vars)
        if result.get("failed"):
            return result
        result.setdefault("warnings", []).extend(_warnings(composed, options["rivals"]))
        for kind, values in _values(composed).items():
            result[kind] = {**values, **result.get(kind, {})}
        return {**result, **told}

    def _module(self, options: dict, task_vars: t.Optional[dict]) -> dict:
        arguments = {key: value for key, value in options.items() if value is not None}
        return self._execute_module("memadvisor.linux.settings", module_args=arguments, task_vars=task_vars)


def _waits(capture: t.Any, options: dict) -> bool:
    """Whether what is to be undone still waits to be confirmed: the host undoes that by itself."""
    waiting = _waiting(capture)
    return not options["names"] and bool(waiting) and options["transaction"] in (None, *waiting)


def _waiting(capture: t.Any) -> list:
    """The transactions that wait to be confirmed."""
    return [path.split("/")[-2] for path in capture.paths() if path.endswith("/waiting")]


def _undone(options: dict) -> list:
    """Where the host remembers it, when it has undone the transaction."""
    name = options["transaction"] or ""
    return [f"{_STATE}/undone/{name}.json"] if re.fullmatch("[0-9A-Za-z-]{1,64}", name) else []


def _is_undone(capture: t.Any, options: dict) -> bool:
    return any(capture.text(path) is not None for path in _undone(options))


def _document(composed: t.Any) -> dict:
    if composed.document is None:
        raise AnsibleActionFail(f"nothing was changed: {'; '.join(map(str, composed.refusals))}")
    return composed.document


def _receipts(capture: t.Any) -> list:
    """What the host remembers, oldest first: the names of receipts begin with the time."""
    paths = sorted(path for path in capture.paths() if path.startswith(f"{_STATE}/receipts/"))
    return [_receipt(path, capture.text(path)) for path in paths]


def _receipt(path: str, text: t.Optional[str]) -> t.Any:
    try:
        return controller.json.loads(text or "")
    except ValueError:
        raise controller.AdvisorError(f"/{path} is damaged", "look at it, and move it away") from None


def _options(options: dict) -> t.Any:
    from advisor import transaction

    return transaction.Options(
        transaction.new_id(time.time(), os.urandom(4)),
        persist=options["persist"],
        missing="skip" if options["missing"] == "skip" else "refuse",
        strict=options["persist"] and options["rivals"] == "fail" and options["state"] == "present",
        approved=options["approved"],
        confirm_s=options["confirm"],
        sysctl_file=options["sysctl_file"],
        tmpfiles_file=options["tmpfiles_file"],
        reasons=options["reasons"] or {},
    )


def _composed(capture: t.Any, options: dict) -> t.Any:
    from advisor import transaction

    how = _options(options)
    if options["state"] == "restored":
        names = options["names"] or None
        return transaction.restored(capture, _receipts(capture), how, of=options["transaction"], settings=names)
    if options["state"] == "absent":
        receipts = _receipts(capture)
        return transaction.absent(capture, options["names"] or _managed(capture, receipts, how), receipts, how)
    if options["plan"] is not None:
        return transaction.compose_plan(capture, options["plan"], how)
    return transaction.compose(capture, options["settings"], how)


def _managed(capture: t.Any, receipts: list, how: t.Any) -> list:
    """Every setting that memadvisor has changed on a host, or keeps in a file of ours."""
    from advisor.transaction.dropin import settings_of
    from advisor.transaction.receipt import check
    from advisor.tunables import TUNABLES

    # A damaged receipt is refused later on, with its name.
    names = set() if check(receipts) else {write["setting"] for receipt in receipts for write in receipt["writes"]}
    for path, kind in ((how.sysctl_file, "sysctl.d"), (how.tmpfiles_file, "tmpfiles.d")):
        kept = [tunable for tunable in TUNABLES.values() if tunable.persist == kind]
        names |= set(settings_of(kept, capture.text(path.lstrip("/"))))
    return sorted(names)


def _values(composed: t.Any) -> dict:
    """What was, what is wanted, and what will be where the host has no other word."""
    return {
        kind: {entry["setting"]: entry[key] for entry in composed.settings}
        for kind, key in (("previous", "previous"), ("wanted", "wanted"), ("actual", "previous"))
    }


def _told(composed: t.Any) -> dict:
    """What memadvisor knows besides: other lines for the same settings, and who wins at boot."""
    return controller.plain({
        "others": [
            {"setting": entry["setting"], **other} for entry in composed.settings for other in entry["others"]
        ],
        "wins_at_boot": {entry["setting"]: entry["at_boot"] for entry in composed.settings},
        "notes": [*composed.notes, *(note for entry in composed.settings for note in entry["notes"])],
    })  # fmt: skip


def _warnings(composed: t.Any, rivals: str) -> list:
    if rivals != "warn":
        return []
    return [
        f"{entry['setting']} will not stand at boot: {entry['at_boot']['why']}"
        for entry in composed.settings
        if entry["at_boot"]["stands"] is False
    ]
