#!/usr/bin/python
# Copyright: The memadvisor authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: verify
short_description: Tells whether a host is better or worse than before a change
description:
  - Compares two captures of a host, one from before a change and one from after it, on the controller.
    The host is not touched.
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
  fail_on_worse:
    description:
      - Whether the task fails when the host became worse.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: Nothing changes.
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
  description: V(better), V(same), V(worse), or V(unknown) when this cannot be told.
  type: str
  returned: success
  sample: better
changes:
  description: What became better or worse.
  type: list
  elements: dict
  returned: success
  contains:
    rule:
      description: The rule whose finding came, went, or changed its severity.
      type: str
    entity:
      description: The zone, node, cgroup or device; null for the host.
      type: str
    became:
      description: V(better) or V(worse).
      type: str
msg:
  description: The verdict in one line.
  type: str
  returned: success
  sample: "better: direct-reclaim-stalls better"
"""
