#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compacts memory where that is of use and does no harm."""

DOCUMENTATION = r"""
module: compact_memory
short_description: Compacts memory where that is of use and does no harm
version_added: 0.1.0
description:
  - Asks the kernel to compact memory, so that free memory lies in larger blocks. It does so only when free memory is
    fragmented, there is room to move pages in, memory is not short at the moment, and the last time is long enough ago.
    Otherwise nothing is done, and RV(reasons) says why.
  - It treats a symptom, for example before huge pages are set up. What the fragmentation comes from is a question for
    M(memadvisor.linux.advise).
author:
  - The memadvisor authors (@memadvisor)
requirements:
  - Python 3.6 or newer on the target
extends_documentation_fragment:
  - memadvisor.linux.attributes
attributes:
  check_mode:
    support: full
    details:
      - Decides by the numbers of the moment, without compacting.
  diff_mode:
    support: none
options:
  order:
    description:
      - The size of the blocks that are wanted, as a power of two of pages. 9 is a huge page of x86 and of arm64 with
        pages of 4 KiB.
    type: int
    default: 9
  max_unusable:
    description:
      - Compact when a larger share of free memory than this lies in blocks too small for O(order).
    type: float
    default: 0.5
  min_blocks:
    description:
      - Compact only when fewer free blocks of O(order) than this are there; larger blocks count as several.
      - Without it only the share counts.
    type: int
  max_pressure:
    description:
      - Do nothing while tasks wait for memory for more than this share of time, in percent over ten seconds, as
        C(/proc/pressure/memory) tells. V(100) goes without that file.
    type: float
    default: 10
  cooldown:
    description:
      - Do nothing when the last compaction by this module is not so many seconds ago.
    type: int
    default: 3600
  nodes:
    description:
      - Compact only these NUMA nodes, one after the other, and only those that need it. Without it the whole host is
        compacted as soon as one of its nodes needs it.
    type: list
    elements: int
  timeout:
    description:
      - How many seconds to wait for one write. The kernel compacts until it is done; only a fatal signal stops it, and
        the process that waits for it gets one then. RV(timed_out) tells.
    type: int
    default: 60
  allow_realtime:
    description:
      - Compact on a host with a real-time kernel or with isolated processors too. It interrupts every processor.
    type: bool
    default: false
  root:
    description:
      - A folder that stands for C(/) on the target, for tests.
    type: path
    default: /
seealso:
  - module: memadvisor.linux.settings
"""

EXAMPLES = r"""
- name: Make room for huge pages where free memory is fragmented
  memadvisor.linux.compact_memory:

- name: Only when fewer than 512 huge pages could be had, node by node
  memadvisor.linux.compact_memory:
    min_blocks: 512
    nodes: [0]
  register: compacted

- name: Show what came of it
  ansible.builtin.debug:
    var: compacted.after
"""

RETURN = r"""
reasons:
  description: Why it acted, or why not.
  returned: always
  type: list
  elements: str
  sample: ["node 0: 93% of free memory is in blocks below order 9 (at most 50% wanted)"]
acted_on:
  description: What was compacted, V(host) or nodes.
  returned: always
  type: list
  elements: str
  sample: [host]
before:
  description: Each zone before, with its free blocks from order 0 up, and the unusable share of its free memory.
  returned: always
  type: list
  elements: dict
  sample:
    - node: 0
      zone: Normal
      free_blocks: [812, 640, 301, 99, 20, 4, 1, 0, 0, 0, 0]
      unusable: 1.0
after:
  description: The same afterwards.
  returned: when it acted
  type: list
  elements: dict
seconds:
  description: How long the kernel took.
  returned: when it acted
  type: float
timed_out:
  description: Whether the kernel was not done in time.
  returned: when it acted
  type: bool
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.memadvisor.linux.plugins.module_utils import compaction
from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError, under
from ansible_collections.memadvisor.linux.plugins.module_utils.journal import State

ARGUMENTS = {
    "order": {"type": "int", "default": 9},
    "max_unusable": {"type": "float", "default": 0.5},
    "min_blocks": {"type": "int"},
    "max_pressure": {"type": "float", "default": 10},
    "cooldown": {"type": "int", "default": 3600},
    "nodes": {"type": "list", "elements": "int"},
    "timeout": {"type": "int", "default": 60},
    "allow_realtime": {"type": "bool", "default": False},
    "root": {"type": "path", "default": "/"},
}


def main():
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        outcome = run(module.params, module.check_mode)
    except (TransactionError, OSError) as error:
        module.fail_json(msg=str(error))
    if outcome.get("timed_out"):
        module.warn(f"the kernel was not done after {module.params['timeout']} s and was told to stop")
    module.exit_json(**outcome)


def run(params, check):
    """Decide, act unless in check mode, and return the module's result; raises TransactionError or OSError."""
    state = State(params["root"])
    if check:
        return _decided(params, state)[0]
    with state.locked():
        outcome, paths = _decided(params, state)
        return dict(outcome, **_act(params, state, paths)) if paths else outcome


def _decided(params, state):
    _validate(params)
    found = compaction.zones(params["root"])
    needy, reasons = _needy(params, found)
    against = list(_against(params, state)) if needy else []
    paths = {} if against else _paths(params, needy)
    outcome = {
        "changed": bool(paths),
        "reasons": against or reasons,
        "acted_on": sorted(paths),
        "before": compaction.told(found, params["order"]),
    }
    return outcome, paths


def _validate(params):
    limits = (
        ("order", 1, 20),
        ("max_unusable", 0, 1),
        ("max_pressure", 0, 100),
        ("cooldown", 0, None),
        ("timeout", 1, None),
    )
    for name, low, high in limits:
        if params[name] < low or (high is not None and params[name] > high):
            raise TransactionError(
                f"{name} is {params[name]}, not {f'from {low} to {high}' if high else f'{low} or more'}"
            )


# The nodes that need it, and a clause for each node, whichever way.
def _needy(params, found):
    order, needy, reasons = params["order"], [], []
    nodes = sorted({zone.node for zone in found})
    unknown = [str(node) for node in params["nodes"] or () if node not in nodes]
    if unknown:
        raise TransactionError(f"there is no node {', '.join(unknown)}; there are {', '.join(map(str, nodes))}")
    for node in nodes if params["nodes"] is None else params["nodes"]:
        some = [zone for zone in found if zone.node == node]
        share, blocks = compaction.unusable(some, order), compaction.suitable(some, order)
        enough = params["min_blocks"] is not None and blocks >= params["min_blocks"]
        most = f"at most {params['max_unusable']:.0%} wanted"
        text = f"node {node}: {share:.0%} of free memory is in blocks below order {order} ({most})"
        if share <= params["max_unusable"]:
            reasons.append(text)
        elif enough:
            reasons.append(
                f"node {node}: {blocks} free blocks of order {order} are there, {params['min_blocks']} are enough"
            )
        elif not any(compaction.can_compact(zone, order) for zone in some):
            reasons.append(f"node {node}: no zone has the free memory that compaction needs to move pages in")
        else:
            needy.append(node)
            reasons.append(text)
    return needy, reasons


def _against(params, state):
    if not params["allow_realtime"]:
        for why in compaction.real_time(params["root"]):
            yield f"the host is real-time: {why}; allow_realtime lets it be compacted all the same"
    waiting = compaction.pressure(params["root"])
    if waiting is None and params["max_pressure"] < 100:
        yield (
            "memory pressure is not known (no /proc/pressure/memory; psi=1 on the kernel command line brings it); "
            "max_pressure: 100 goes without"
        )
    elif waiting is not None and waiting > params["max_pressure"]:
        yield f"tasks wait for memory {waiting:g} % of the time, more than {params['max_pressure']:g} %"
    age = compaction.stamp(state)
    if age is not None and age < params["cooldown"]:
        yield f"the last compaction was {age:.0f} s ago, less than {params['cooldown']} s"


def _paths(params, needy):
    if not needy:
        return {}
    if params["nodes"] is None:
        return {"host": compaction.HOST}
    return {str(node): compaction.NODE.format(node) for node in needy}


def _act(params, state, paths):
    start = time.monotonic()
    in_time = [
        compaction.compact(under(params["root"], path), params["timeout"]) for _node, path in sorted(paths.items())
    ]
    seconds = time.monotonic() - start
    compaction.set_stamp(state)
    return {
        "seconds": round(seconds, 3),
        "timed_out": not all(in_time),
        "after": compaction.told(compaction.zones(params["root"]), params["order"]),
    }


if __name__ == "__main__":
    main()
