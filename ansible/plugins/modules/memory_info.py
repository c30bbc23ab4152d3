#!/usr/bin/python
# Copyright: The memadvisor authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: memory_info
short_description: Measures the memory of a host with its shell alone
description:
  - Brings the raw text of the kernel's memory files of a host to the controller, in one visit by its shell.
    The host needs no Python and nothing of ours. Nothing is written there.
  - One visit is one sample. A second visit that names the first as O(previous) makes a window of the time between them,
    which all hosts of a play share with a single C(pause). See the examples.
  - What was measured is kept in a file on the controller, which Ansible removes at the end of the run
    unless O(dest) is given. M(memadvisor.linux.advise) judges it.
  - Reading needs no root. What only root may read is named in RV(unread).
version_added: 0.1.0
author:
  - The memadvisor authors (@memadvisor)
requirements:
  - memadvisor on the controller, in the Python that runs Ansible
options:
  previous:
    description:
      - The RV(capture) of an earlier visit to the same host. The result then holds both, and the window between them.
      - Mutually exclusive with O(window).
    type: path
  window:
    description:
      - Seconds to watch the host in this one visit, its shell sleeping in between. This holds one of Ansible's forks
        for that long; for many hosts two visits around a C(pause) are much faster.
      - V(0) takes one sample, which tells averages since boot.
    type: float
    default: 0
  dest:
    description:
      - Where to keep the capture on the controller, a file ending in C(.tar.gz), or a folder ending in a slash, which
        then holds a file named after the host. C(advisor check) reads it too.
    type: path
  kernel_log:
    description:
      - Whether to bring the kernel's messages (at most the last 32 KiB), where they say anything about memory. Stacks,
        registers and the rows of small tasks stay on the target.
    type: bool
    default: true
  root:
    description:
      - The root folder of the host. Another one than V(/) is for tests and images.
    type: path
    default: /
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: Only reads.
  diff_mode:
    description: Returns details on what has changed, or possibly needs changing in check_mode, when in diff mode.
    support: none
    details: Nothing changes.
  platform:
    description: Target operating systems that it works with.
    support: full
    platforms: linux
notes:
  - Runs on the controller and uses the shell of the connection; C(ansible_python_interpreter) does not matter.
seealso:
  - module: memadvisor.linux.advise
"""

EXAMPLES = r"""
- name: Measure all hosts over the same minute
  hosts: all
  become: true
  gather_facts: false
  tasks:
    - name: First visit
      memadvisor.linux.memory_info:
      register: first

    - name: Wait once for all hosts
      ansible.builtin.pause:
        seconds: 60

    - name: Second visit
      memadvisor.linux.memory_info:
        previous: "{{ first.capture }}"
      register: measured

    - name: Judge what was measured
      memadvisor.linux.advise:
        capture: "{{ measured.capture }}"
      register: advice

- name: Keep a capture of each host
  hosts: all
  gather_facts: false
  tasks:
    - name: Measure and keep
      memadvisor.linux.memory_info:
        window: 5
        dest: /tmp/captures/
"""

RETURN = r"""
capture:
  description: The file on the controller that holds what was measured.
  type: str
  returned: success
  sample: /home/admin/.ansible/tmp/ansible-local-4711/db1.x7c2.tar.gz
hostname:
  description: What the host calls itself.
  type: str
  returned: success
  sample: db1
samples:
  description: How many samples the capture holds.
  type: int
  returned: success
  sample: 2
window_s:
  description: Seconds from the first sample to the last; null with one sample.
  type: float
  returned: success
  sample: 60.21
files:
  description: How many files the first sample holds.
  type: int
  returned: success
  sample: 214
sent_bytes:
  description: Size of the host's answer to this visit.
  type: int
  returned: success
  sample: 14820
unread:
  description: Why a file that is there could not be read, by path.
  type: dict
  returned: success
  sample:
    proc/slabinfo: permission denied; root reads it
"""
