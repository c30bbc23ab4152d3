# Copyright: The memadvisor authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the action plugins share: memadvisor on the controller, visits to a host, and captures kept for a run.

Imported by the process that starts the tasks, so that the processes of all hosts find memadvisor loaded.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import sys
import tempfile
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleActionFail

OLDEST = (0, 1, 0)

try:
    import advisor
    import advisor.analysis
    import advisor.capture.open
    import advisor.capture.shell
    import advisor.capture.write
    import advisor.rulebook.library
    from advisor.errors import AdvisorError
except ImportError as error:
    _MISSING: t.Optional[ImportError] = error

    class AdvisorError(Exception):  # type: ignore[no-redef]
        """Stands in for that of memadvisor, so that it can be named."""
else:
    _MISSING = None


def need_advisor() -> None:
    """Raises AnsibleActionFail, with the one line that mends it, where memadvisor is missing or too old."""
    wanted = ".".join(map(str, OLDEST))
    install = f"{sys.executable} -m pip install --upgrade 'memadvisor>={wanted}'"
    if _MISSING is not None:
        raise AnsibleActionFail(f"memadvisor is not ready on the controller ({_MISSING}); run there: {install}")
    version = getattr(advisor, "__version__", "")
    found = tuple(map(int, re.findall(r"\d+", version)[:3]))
    if found < OLDEST:
        raise AnsibleActionFail(
            f"memadvisor {version} is too old for this collection; run on the controller: {install}"
        )


_RULES: t.Dict[t.Tuple[str, ...], t.Any] = {}


def rules(own: t.Iterable[str] = ()) -> t.Any:
    """The rules of memadvisor, and those in some folders of the user's."""
    key = tuple(own)
    if key not in _RULES:
        library = advisor.rulebook.library
        _RULES[key] = library.load([library.BUILTIN, *key])
    return _RULES[key]


def prepare(*modules: str, judging: bool = False) -> None:
    """Loads modules, and to judge also the rules, where memadvisor is there; an error is for the task to tell.

    To be called when a plugin is imported: that is in the process that starts the tasks, and all hosts share it.
    """
    if _MISSING is None:
        with contextlib.suppress(Exception):
            for module in modules:
                importlib.import_module(module)
            if judging:
                rules()


class Refused:
    """A context in which an error of memadvisor becomes the failure of the task: one clear message."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: t.Any, error: t.Any, at: t.Any) -> None:
        if isinstance(error, AdvisorError):
            raise AnsibleActionFail(str(error)) from None
        if isinstance(error, OSError):
            raise AnsibleActionFail(f"{error.filename or 'a file'}: {error.strerror or error}") from None


def plain(value: t.Any) -> t.Any:
    """Values as JSON has them: what ansible-core hands over may carry tags that other libraries refuse."""
    return json.loads(json.dumps(value))


def visit(plugin: t.Any, name: str, **choices: t.Any) -> t.Any:
    """One visit to the host of a task: its capture, and the number of characters that travelled.

    Args:
        plugin: the action plugin.
        name: the host, as the inventory calls it.
        choices: those of `advisor.capture.shell.script`.
    """
    with Refused():
        script = advisor.capture.shell.script(**choices)
        answer = plugin._low_level_execute_command(script, sudoable=True, executable="/bin/sh")
        said = answer.get("stdout") or ""
        if answer.get("rc") and "memadvisor-end" not in said:
            why = " ".join((answer.get("stderr") or said).split())[-300:]
            raise AnsibleActionFail(f"the shell of the host ended with {answer['rc']}: {why or 'and said nothing'}")
        return advisor.capture.shell.read_visit(said, name), len(said)


def keep(capture: t.Any, name: str, dest: t.Optional[str] = None) -> str:
    """Writes a capture on the controller, for other tasks of this run, or to stay.

    Args:
        capture: what to keep.
        name: the host, as the inventory calls it.
        dest: where it stays; without it, in the run's own folder, which Ansible removes at its end.

    Returns:
        The path.
    """
    if dest is None:
        handle, dest = tempfile.mkstemp(prefix=f"{safe(name)}.", suffix=".tar.gz", dir=C.DEFAULT_LOCAL_TMP)
        os.close(handle)
    elif dest.endswith("/"):
        dest = os.path.join(dest, f"{safe(name)}.tar.gz")
    dest = os.path.expanduser(dest)
    with Refused():
        os.makedirs(os.path.dirname(os.path.abspath(dest)), mode=0o700, exist_ok=True)
        advisor.capture.write.write_capture(capture, dest, force=True)
    return dest


def load(path: str) -> t.Any:
    """A capture that a task before has kept, or any other that memadvisor reads."""
    with Refused():
        return advisor.capture.open.open_capture(os.path.expanduser(path))


def safe(name: str) -> str:
    """The name of a host as the name of a file."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:100].lstrip(".") or "host"


def write(path: str, text: str) -> None:
    """Writes a file on the controller, whole or not at all."""
    path = os.path.abspath(os.path.expanduser(path))
    with Refused():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle, new = tempfile.mkstemp(prefix=f".{os.path.basename(path)[:100]}.", dir=os.path.dirname(path))
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
            os.replace(new, path)
        except BaseException:
            os.unlink(new)
            raise
