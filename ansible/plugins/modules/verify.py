#!/usr/bin/python
# Copyright: The memadvisor authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: verify
short_description: Tells whether a host is better or worse than before a change
description:
  - Compares two captures of a host, one from before a change and one from after it, on the controller.
    The host is not touched.
  - Each rule that asked for a change says what to expect of it. That is compared window by window, per unit of work,
    with bounds for noise; what nobody asked for is watched as well. Five windows on each side, which are six samples,
    are the least that tell much.
version_added: 0.1.0
author:
  - The memadvisor authors (@memadvisor)
requirements:
  - memadvisor on the controller, in the Python that runs Ansible
options:
  before:
    description:
      - The capture from before the change, see RV(memadvisor.linux.memory_info#module:capture).
    type: path
    required: true
  after:
    description:
      - The capture from after the change.
    type: path
    required: true
  plan:
    description:
      - The plan that was carried out, as C(advisor plan --format json) prints it. Without it the settings that differ
        between the captures are judged.
    type: dict
  role:
    description:
      - What the host is for, as in M(memadvisor.linux.advise).
    type: str
  rules:
    description:
      - Files or folders on the controller with rules to use besides those that come with memadvisor.
    type: list
    elements: path
    default: []
  ledger:
    description:
      - A file on the controller to which the verdict is added, as C(advisor verify) does. C(advisor history) shows it,
        and O(memadvisor.linux.advise#module:ledger) heeds it. Without it nothing is kept; in check mode neither.
      - A ledger that cannot be written is a warning.
    type: path
  fail_on_worse:
    description:
      - Whether the task fails when the host became worse.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: Nothing changes; O(ledger) is left alone in check mode.
  diff_mode:
    description: Returns details on what has changed, or possibly needs changing in check_mode, when in diff mode.
    support: none
    details: Nothing changes.
  platform:
    description: Target operating systems that it works with.
    support: full
    platforms: linux
seealso:
  - module: memadvisor.linux.memory_info
  - module: memadvisor.linux.settings
"""

EXAMPLES = r"""
- name: Change a setting and see what becomes of the host
  hosts: all
  become: true
  gather_facts: false
  tasks:
    - name: Measure before
      memadvisor.linux.memory_info:
        window: 5
      register: before

    - name: Change
      memadvisor.linux.settings:
        settings:
          vm.swappiness: 30

    - name: Measure after
      memadvisor.linux.memory_info:
        window: 5
      register: after

    - name: Compare
      memadvisor.linux.verify:
        before: "{{ before.capture }}"
        after: "{{ after.capture }}"
      register: verified

    - name: Undo what did harm
      memadvisor.linux.settings:
        state: restored
      when: verified.verdict == 'worse'
"""

RETURN = r"""
verdict:
  description: V(better), V(same), V(worse), or V(cannot tell).
  type: str
  returned: success
  sample: better
why:
  description: The reasons, the weightiest first.
  type: list
  elements: str
  returned: success
undo:
  description: The settings at fault, to be taken back.
  type: list
  elements: str
  returned: success
changes:
  description: Each change with its verdict, what was expected of it, and the numbers.
  type: list
  elements: dict
  returned: success
costs:
  description: What the change must not make worse, with the numbers.
  type: list
  elements: dict
  returned: success
predictions:
  description: What was predicted, beside what came.
  type: list
  elements: dict
  returned: success
wait_s:
  description: How much longer to watch before it can be told; null where waiting does not help or is not needed.
  type: float
  returned: success
ledger:
  description: The file to which the verdict was added.
  type: str
  returned: when it was kept
msg:
  description: The verdict and the reasons in one line.
  type: str
  returned: success
"""
