#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Changes memory settings of the kernel as one transaction."""

DOCUMENTATION = r"""
module: settings
short_description: Changes memory settings of the kernel as one transaction
version_added: 0.1.0
description:
  - Sets values of the running kernel and keeps them over a reboot, all of them or none. Everything is looked at first
    (it exists, it can be written, it is within the kernel's bounds, nobody has changed it since it was planned); then
    values are written in the right order and read back, drop-in files are replaced at once, and a receipt is kept with
    which each value can be taken back.
  - Whatever goes wrong on the way, a C(kill -9) included, the target ends as it was. A process beside the module sees
    to that, on targets with systemd also a timer, and at last the next run.
  - With O(confirm) the values are taken back on their own unless O(state=confirmed) follows in time. The files are
    put in place only then, so that a target that had to be reset meanwhile starts as it always did.
  - Settings are named as C(advisor) names them, C(vm.swappiness) or C(thp.enabled). What they mean, and which file wins
    at boot, is known on the controller only; the target gets what to write.
author:
  - The memadvisor authors (@memadvisor)
requirements:
  - memadvisor on the controller, in the Python that runs Ansible
  - Python 3.6 or newer and a POSIX shell on the target
extends_documentation_fragment:
  - memadvisor.linux.attributes
attributes:
  check_mode:
    support: full
    details:
      - Everything is looked at on the target, so what would fail fails. Nothing is written, not even a lock.
  diff_mode:
    support: full
    details:
      - Shows the values of the running kernel, and each file.
options:
  settings:
    description:
      - Values by setting, for O(state=present).
      - A value is a number, a word, or a list of numbers. A text such as V(">= 135168") or V("<= 10") changes the
        setting only when it is not so already.
      - V(on), V(off), V(yes) and V(no) are booleans to YAML; quote them.
    type: dict
  reasons:
    description:
      - Why a setting is changed, a line by setting; written as comments into the files.
    type: dict
  plan:
    description:
      - A plan or report of C(advisor) in JSON, in place of O(settings). It is refused on another host or boot than the
        one it was made for.
    type: dict
  state:
    description:
      - V(present) sets O(settings) or O(plan).
      - V(confirmed) keeps what was set with O(confirm).
      - V(restored) undoes one transaction, values and files. One that still waits to be confirmed is undone at once.
      - V(absent) gives settings back. They get the value from before the first transaction that set them, and leave our
        files.
    type: str
    choices: [present, confirmed, restored, absent]
    default: present
  names:
    description:
      - Which settings to restore or to give back. Without it all of them are.
    type: list
    elements: str
    default: []
  transaction:
    description:
      - The id of the transaction to confirm or to restore, as RV(transaction) told it. Without it the one that waits is
        confirmed, or the last one restored.
    type: str
  undo:
    description:
      - Settings that O(state=confirmed) does not keep. They are taken back in the same step, values and lines, and all
        else of the transaction stays. RV(memadvisor.linux.verify#module:undo) names those at fault.
      - A target that is lost in the middle ends as it was before the transaction.
    type: list
    elements: str
    default: []
  confirm:
    description:
      - Undo the transaction after so many seconds, unless O(state=confirmed) comes before.
      - A systemd timer sees to that, or a process where there is no systemd. A reboot undoes it too.
    type: int
  approved:
    description:
      - Whether a person has looked at this change and agreed to it. Larger budgets hold then, and settings may be
        changed that are otherwise only recommended.
    type: bool
    default: false
  persist:
    description:
      - Whether to keep the values over a reboot.
    type: bool
    default: true
  missing:
    description:
      - What to do about a setting that the kernel of a target does not have. V(skip) leaves it out.
    type: str
    choices: [fail, skip]
    default: fail
  rivals:
    description:
      - What to do when something else would set another value at boot, such as a file that is read later, or TuneD.
    type: str
    choices: [fail, warn, ignore]
    default: fail
  sysctl_file:
    description:
      - The drop-in for settings below C(/proc/sys).
    type: path
    default: /etc/sysctl.d/99-zz-memadvisor.conf
  tmpfiles_file:
    description:
      - The drop-in for settings below C(/sys). The first line for a path wins there, hence the low number.
    type: path
    default: /etc/tmpfiles.d/00-memadvisor.conf
  backup:
    description:
      - Whether to leave a copy of each file that is replaced, beside it. Its name does not end in C(.conf), so it is
        not read at boot. The receipt holds the old text in any case.
    type: bool
    default: false
  lock_timeout:
    description:
      - How many seconds to wait for another run on the same target.
    type: int
    default: 30
  root:
    description:
      - A folder that stands for C(/) on the target, for tests.
    type: path
    default: /
  document:
    description:
      - What to write, in the form memadvisor/transaction/1. The action plugin makes it from the other options.
    type: dict
seealso:
  - module: memadvisor.linux.advise
  - module: memadvisor.linux.compact_memory
"""

EXAMPLES = r"""
- name: Keep more memory free for bursts, and swap less
  memadvisor.linux.settings:
    settings:
      vm.watermark_scale_factor: 150
      vm.swappiness: 10

- name: Only ever raise the reserve, and leave huge pages to those who ask for them
  memadvisor.linux.settings:
    settings:
      vm.min_free_kbytes: ">= 135168"
      thp.enabled: madvise
    missing: skip

- name: Change it for five minutes
  memadvisor.linux.settings:
    settings:
      vm.dirty_bytes: 268435456
    confirm: 300
  register: changed

- name: The host still answers, so keep it
  memadvisor.linux.settings:
    state: confirmed
    transaction: "{{ changed.transaction }}"

- name: The host became worse, so keep only what is not at fault
  memadvisor.linux.settings:
    state: confirmed
    transaction: "{{ changed.transaction }}"
    undo: "{{ verified.undo | default(['vm.dirty_bytes']) }}"

- name: Take the last change back
  memadvisor.linux.settings:
    state: restored

- name: Give one setting back to the distribution
  memadvisor.linux.settings:
    state: absent
    names:
      - vm.swappiness
"""

RETURN = r"""
previous:
  description: The value of each setting before, as the kernel prints it.
  returned: always
  type: dict
  sample:
    vm.swappiness: "60"
wanted:
  description: The value of each setting that was asked for.
  returned: always
  type: dict
  sample:
    vm.swappiness: "10"
actual:
  description: The value of each setting as read back; in check mode what it would be.
  returned: always
  type: dict
  sample:
    vm.swappiness: "10"
files:
  description: The files that were replaced or removed.
  returned: always
  type: list
  elements: str
  sample: [/etc/sysctl.d/99-zz-memadvisor.conf]
notes:
  description: What else is to be known of the change.
  returned: always
  type: list
  elements: str
others:
  description: Who else sets the same settings, each with file and line.
  returned: with O(state=present)
  type: list
  elements: dict
wins_at_boot:
  description:
    - For each setting the value that the next boot sets, the file and line that decides it (C(by)), and whether that is
      what runs now (C(stands)).
  returned: with O(state=present)
  type: dict
transaction:
  description: The id of the transaction.
  returned: when something was changed
  type: str
  sample: 20261124T231500Z-1a2b3c4d
receipt:
  description:
    - What was changed and how it was before, in the form memadvisor/receipt/1. The target keeps it below
      C(/var/lib/memadvisor/receipts/).
  returned: when something was changed
  type: dict
confirm_by:
  description: When the transaction will be undone, unless it is confirmed.
  returned: with O(confirm), when something was changed
  type: str
  sample: "2026-11-24T23:20:00Z"
guarded_by:
  description: Who undoes it then, V(systemd) or V(process).
  returned: with O(confirm), when something was changed
  type: str
moved:
  description: Settings that have changed between the write and the confirmation.
  returned: with O(state=confirmed)
  type: list
  elements: str
undone:
  description: The settings that were taken back.
  returned: with O(undo)
  type: list
  elements: str
  sample: [vm.swappiness]
backup_files:
  description: The copies of replaced files.
  returned: when something was changed and kept
  type: list
  elements: str
recovered:
  description: Transactions of runs that had been killed, and that were undone first.
  returned: when there were any
  type: list
  elements: str
rolled_back:
  description: Whether everything was put back after a failure. When it is false, RV(msg) says what to do by hand.
  returned: when it failed after something had been written
  type: bool
msg:
  description: What went wrong, in one line.
  returned: on failure
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.memadvisor.linux.plugins.module_utils import pending, transaction
from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError

ARGUMENTS = {
    "settings": {"type": "dict"},
    "reasons": {"type": "dict"},
    "plan": {"type": "dict"},
    "state": {"type": "str", "choices": ["present", "confirmed", "restored", "absent"], "default": "present"},
    "names": {"type": "list", "elements": "str", "default": []},
    "transaction": {"type": "str"},
    "undo": {"type": "list", "elements": "str", "default": []},
    "confirm": {"type": "int"},
    "approved": {"type": "bool", "default": False},
    "persist": {"type": "bool", "default": True},
    "missing": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "rivals": {"type": "str", "choices": ["fail", "warn", "ignore"], "default": "fail"},
    "sysctl_file": {"type": "path", "default": "/etc/sysctl.d/99-zz-memadvisor.conf"},
    "tmpfiles_file": {"type": "path", "default": "/etc/tmpfiles.d/00-memadvisor.conf"},
    "backup": {"type": "bool", "default": False},
    "lock_timeout": {"type": "int", "default": 30},
    "root": {"type": "path", "default": "/"},
    "document": {"type": "dict"},
}
NO_DOCUMENT = (
    "the target got no transaction: the settings are worked out on the controller, by the action plugin of "
    "memadvisor.linux.settings; install the whole collection there, and memadvisor in the Python that runs Ansible"
)


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        mutually_exclusive=[("settings", "plan"), ("settings", "names"), ("plan", "names")],
        supports_check_mode=True,
    )
    try:
        outcome = run(module.params, module.check_mode)
    except TransactionError as error:
        failure = (
            {} if error.rolled_back is None else {"rolled_back": error.rolled_back, "changed": not error.rolled_back}
        )
        module.fail_json(msg=str(error), **failure)
    except OSError as error:
        module.fail_json(msg=str(error))
    for name in outcome.get("recovered", ()):
        module.warn(f"the transaction {name} of a run that was cut off has been undone first")
    for name in outcome.get("moved", ()):
        module.warn(f"{name} has changed since it was set; something else sets it too")
    if not module._diff:
        outcome.pop("diff", None)
    module.exit_json(**outcome)


def run(params, check):
    """Do what the options say and return the module's result; raises TransactionError or OSError."""
    common = {"root": params["root"], "check": check, "lock_timeout_s": params["lock_timeout"]}
    if params["state"] == "confirmed":
        less = {"settings": params["undo"], "document": params["document"]} if params["undo"] else None
        if less and params["document"] is None:
            raise TransactionError(NO_DOCUMENT)
        return pending.confirm(params["transaction"], less, **common)
    if params["state"] == "restored" and not params["names"]:
        undone = pending.give_up(params["transaction"], **common)
        if undone is not None:
            return undone
    if params["document"] is None:
        raise TransactionError(NO_DOCUMENT)
    return transaction.apply(params["document"], backup=params["backup"], **common)


if __name__ == "__main__":
    main()
