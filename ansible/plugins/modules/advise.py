#!/usr/bin/python
# Copyright: The memadvisor authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: advise
short_description: Tells why memory hurts on a host, and which settings would help
description:
  - Judges a capture by the rules of memadvisor, on the controller. The host is not touched.
  - RV(settings) holds the values to write, ready for M(memadvisor.linux.settings). It is empty when no setting would
    help, which is the answer to most troubles; RV(plan) then says what would, for example more memory.
  - Less than certain is not a finding. What could not be judged is counted in RV(report).
version_added: 0.1.0
author:
  - The memadvisor authors (@memadvisor)
requirements:
  - memadvisor on the controller, in the Python that runs Ansible
options:
  capture:
    description:
      - What to judge, a path on the controller. RV(memadvisor.linux.memory_info#module:capture), a file that
        C(advisor capture) made, a sosreport, or a folder with C(proc/) in it.
    type: path
    required: true
  role:
    description:
      - What the host is for. Some rules take it as context; it is never the answer by itself.
      - One of V(database), V(jvm), V(kubernetes-node), V(cache), V(latency), V(vm-host), V(desktop), V(hpc),
        V(small-vm).
    type: str
  rules:
    description:
      - Files or folders on the controller with rules to use besides those that come with memadvisor.
    type: list
    elements: path
    default: []
  policy:
    description:
      - A policy file on the controller, with required values, changed rules and waivers. The groups of the inventory
        that the host is in count as the groups of the policy.
    type: path
  ledger:
    description:
      - A file on the controller in which O(memadvisor.linux.verify#module:ledger) keeps what was tried. A setting that
        made a host of the same size, kernel series and role worse is held back, unless something new speaks for it.
      - It need not be there yet.
    type: path
  dest:
    description:
      - Where to write the report on the controller, as JSON.
    type: path
  fail_on:
    description:
      - The least severity of a finding that makes the task fail, for pipelines.
    type: str
    choices: [never, notice, warning, critical]
    default: never
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: Nothing changes. O(dest) is written in check mode too.
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
- name: Tell what is wrong
  hosts: all
  become: true
  gather_facts: false
  tasks:
    - name: Measure over five seconds
      memadvisor.linux.memory_info:
        window: 5
      register: measured

    - name: Judge
      memadvisor.linux.advise:
        capture: "{{ measured.capture }}"
        role: database
        dest: "/tmp/reports/{{ inventory_hostname }}.json"
      register: advice

    - name: Show the report
      ansible.builtin.debug:
        msg: "{{ advice.text }}"

    - name: Make the change that was advised, if any
      memadvisor.linux.settings:
        settings: "{{ advice.settings }}"
      when: advice.settings | length > 0
      check_mode: true
"""

RETURN = r"""
verdict:
  description: V(healthy), V(findings), or V(insufficient) when the capture is too little to tell.
  type: str
  returned: success
  sample: findings
worst:
  description: The highest severity found; null without findings.
  type: str
  returned: success
  sample: warning
findings:
  description: What was found, the most important first.
  type: list
  elements: dict
  returned: success
  contains:
    rule:
      description: The rule that found it. C(advisor explain) tells more of it.
      type: str
    severity:
      description: V(notice), V(warning) or V(critical).
      type: str
    confidence:
      description: How sure this is.
      type: str
    entity:
      description: The zone, node, cgroup or device; null for the host.
      type: str
    title:
      description: What it is.
      type: str
    message:
      description: What it is here, with the numbers.
      type: str
settings:
  description: The values to write, as text, by setting. Empty when no setting would help.
  type: dict
  returned: success
  sample:
    vm.watermark_scale_factor: "50"
held_back:
  description: Settings that a rule asks for and that are not proposed, each with why, such as that it failed before.
  returned: success
  type: list
  elements: str
reasons:
  description: Why each of the settings would help.
  type: dict
  returned: success
  sample:
    vm.watermark_scale_factor: kswapd starts too late for bursts of this size
risk:
  description: The highest risk among the settings, V(low), V(medium) or V(high); null without settings.
  type: str
  returned: success
  sample: low
plan:
  description:
    - The whole plan, also what is no setting, as C(advisor plan --format json) prints it. M(memadvisor.linux.settings)
      and M(memadvisor.linux.verify) take it.
  type: dict
  returned: success
report:
  description: The report, as C(advisor check --format json) prints it.
  type: dict
  returned: success
text:
  description: The report for people, line by line.
  type: list
  elements: str
  returned: success
"""
