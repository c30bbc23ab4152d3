"""Guests as an Ansible inventory, so that playbooks run on real hosts."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from tests.hosts.ssh import options

if TYPE_CHECKING:
    from tests.hosts.guest import Guest


def inventory(*guests: Guest) -> str:
    """The text of an inventory file (YAML) in which every guest is a host by its own name.

    Write it to a file that ends in `.yml`: Ansible chooses the reader by the ending. The options of ssh are those of
    `Guest.run`: nothing of this machine's ssh configuration, no list of known hosts.
    """
    return json.dumps({"all": {"hosts": {guest.name: _variables(guest) for guest in guests}}}, indent=2)


def _variables(guest: Guest) -> dict[str, Any]:
    return {
        "ansible_connection": "ssh",
        "ansible_host": guest.host,
        "ansible_port": guest.port,
        "ansible_user": guest.user,
        "ansible_ssh_private_key_file": str(guest.key),
        "ansible_ssh_common_args": shlex.join(options(guest.key)),
        "ansible_python_interpreter": "/usr/bin/python3",
    }
