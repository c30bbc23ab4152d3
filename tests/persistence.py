"""Files that set vm.swappiness and others at boot, in every way that people get it right or wrong.

The first cases are the situations that ComplianceAsCode tries its sysctl checks on (names of its scenarios in
`LIKE`); the files are our own. `tests/persistence.json` holds what systemd-sysctl and `sysctl --system` made of each
in a guest; `tests/hosts/test_persistence.py` measures it anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

RIGHT, WRONG = 10, 90
START = {"vm.swappiness": 60, "vm.dirty_ratio": 20, "vm.dirty_bytes": 0}
"""What runs before the files are applied."""

MEASURED = Path(__file__).with_suffix(".json")


class Case(NamedTuple):
    """Files by path, and links with their targets."""

    files: dict[str, str]
    links: dict[str, str] = {}  # noqa: RUF012  (never changed)


def _is(value: int | str, key: str = "vm.swappiness") -> str:
    return f"{key} = {value}\n"


_OUTSIDE = "root/kept-elsewhere.conf"
_CONF = "etc/sysctl.conf"
_D, _RUN, _LOCAL, _LIB = "etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d"
_BYTES, _RATIO = "vm.dirty_bytes = 200000000\n", "vm.dirty_ratio = 30\n"

LIKE = {
    "comment": Case({_CONF: f"# {_is(RIGHT)}"}),
    "correct_value": Case({_CONF: _is(RIGHT)}),
    "correct_value_etc_sysctld": Case({f"{_D}/20-site.conf": _is(RIGHT)}),
    "correct_value_usr_lib": Case({f"{_LIB}/20-vendor.conf": _is(RIGHT)}),
    "correct_value_usr_local_lib": Case({f"{_LOCAL}/20-local.conf": _is(RIGHT)}),
    "line_not_there": Case({_CONF: "# nothing here\n"}),
    "one_sysctl_conf_one_sysctl_d": Case({_CONF: _is(RIGHT), f"{_D}/20-site.conf": _is(RIGHT)}),
    "one_sysctl_conf_one_sysctl_d_conflicting": Case({_CONF: _is(RIGHT), f"{_D}/20-site.conf": _is(WRONG)}),
    "symlink_conflicting": Case(
        {_CONF: _is(RIGHT), f"{_D}/20-site.conf": _is(WRONG)}, {f"{_D}/99-sysctl.conf": "/etc/sysctl.d/20-site.conf"}
    ),
    "symlink_different_option": Case(
        {_CONF: _is(RIGHT), f"{_D}/20-site.conf": "vm.page-cluster = 3\n"},
        {f"{_D}/99-sysctl.conf": "/etc/sysctl.d/20-site.conf"},
    ),
    "symlink_repeated_sysctl_conf": Case({_CONF: _is(RIGHT)}, {f"{_D}/99-sysctl.conf": "../sysctl.conf"}),
    "symlink_root_duplicate": Case({_CONF: _is(RIGHT), _OUTSIDE: _is(RIGHT)}, {f"{_D}/20-kept.conf": f"/{_OUTSIDE}"}),
    "symlink_root_duplicate_conflicting": Case(
        {_CONF: _is(WRONG), _OUTSIDE: _is(RIGHT)}, {f"{_D}/20-kept.conf": f"/{_OUTSIDE}"}
    ),
    "symlink_root_incompliant": Case({_CONF: _is(RIGHT), _OUTSIDE: _is(WRONG)}, {f"{_D}/20-kept.conf": f"/{_OUTSIDE}"}),
    "symlink_same_option": Case(
        {_CONF: _is(RIGHT), f"{_D}/20-site.conf": _is(RIGHT)}, {f"{_D}/99-sysctl.conf": "/etc/sysctl.d/20-site.conf"}
    ),
    "symlinks_to_same_file": Case(
        {_CONF: _is(RIGHT)}, {f"{_D}/20-sysctl.conf": "/etc/sysctl.conf", f"{_D}/99-sysctl.conf": "/etc/sysctl.conf"}
    ),
    "two_sysctls_on_d": Case({f"{_D}/20-a.conf": _is(RIGHT), f"{_D}/30-b.conf": _is(RIGHT)}),
    "two_sysctls_on_d_conflicting": Case({f"{_D}/20-a.conf": _is(RIGHT), f"{_D}/30-b.conf": _is(WRONG)}),
    "two_sysctls_on_same_file": Case({_CONF: _is(RIGHT) * 2}),
    "two_sysctls_on_same_file_name": Case({_CONF: _is(RIGHT), f"{_D}/sysctl.conf": _is(RIGHT)}),
    "two_sysctls_on_same_file_name_conflicting": Case({_CONF: _is(RIGHT), f"{_D}/sysctl.conf": _is(WRONG)}),
    "wrong_runtime": Case({_CONF: _is(RIGHT), f"{_D}/20-site.conf": _is(RIGHT)}),
    "wrong_usr_lib_correct_etc": Case({f"{_LIB}/20-vendor.conf": _is(WRONG), f"{_D}/50-site.conf": _is(RIGHT)}),
    "wrong_usr_lib_wrong_etc": Case({f"{_LIB}/20-vendor.conf": _is(WRONG), f"{_D}/50-site.conf": _is(WRONG)}),
    "wrong_value": Case({_CONF: _is(WRONG)}),
    "wrong_value_d_directory": Case({f"{_D}/20-site.conf": _is(WRONG)}),
    "wrong_value_usr_local_lib": Case({f"{_LOCAL}/20-local.conf": _is(WRONG)}),
    "correct_etc_ufw": Case({"etc/ufw/sysctl.conf": "vm/swappiness=10\n"}),
    "wrong_etc_ufw_correct_etc": Case({"etc/ufw/sysctl.conf": "vm/swappiness=90\n", f"{_D}/20-site.conf": _is(RIGHT)}),
    "wrong_etc_ufw_wrong_etc": Case({"etc/ufw/sysctl.conf": "vm/swappiness=90\n", f"{_D}/20-site.conf": _is(WRONG)}),
}

OWN = {
    "a later name wins whatever its folder": Case({f"{_LIB}/90-v.conf": _is(WRONG), f"{_D}/20-s.conf": _is(RIGHT)}),
    "the last line of a file wins": Case({f"{_D}/20-s.conf": _is(WRONG) + _is(RIGHT)}),
    "etc over run": Case({f"{_RUN}/20-s.conf": _is(WRONG), f"{_D}/20-s.conf": _is(RIGHT)}),
    "run over usr": Case({f"{_LIB}/20-s.conf": _is(WRONG), f"{_RUN}/20-s.conf": _is(RIGHT)}),
    "local over lib": Case({f"{_LIB}/20-s.conf": _is(WRONG), f"{_LOCAL}/20-s.conf": _is(RIGHT)}),
    "masked by a link": Case({f"{_LIB}/20-s.conf": _is(WRONG)}, {f"{_D}/20-s.conf": "/dev/null"}),
    "masked by an empty file": Case({f"{_LIB}/20-s.conf": _is(WRONG), f"{_D}/20-s.conf": ""}),
    "a link to nothing": Case({f"{_LIB}/20-s.conf": _is(WRONG)}, {f"{_D}/20-s.conf": "/nowhere.conf"}),
    "spaces everywhere": Case({f"{_D}/20-s.conf": "\t vm.swappiness \t=\t 10 \t\n"}),
    "no spaces": Case({f"{_D}/20-s.conf": "vm.swappiness=10"}),
    "slashes": Case({f"{_D}/20-s.conf": "vm/swappiness=10\n"}),
    "dots after slashes": Case({f"{_D}/20-s.conf": "vm/swappiness=90\n", f"{_D}/30-t.conf": _is(RIGHT)}),
    "a doubled separator": Case({f"{_D}/20-s.conf": "vm//swappiness = 10\n"}),
    "may fail": Case({f"{_D}/20-s.conf": "-vm.swappiness = 10\n"}),
    "may fail, with a space": Case({f"{_D}/20-s.conf": "- vm.swappiness = 10\n"}),
    "DOS line ends": Case({f"{_D}/20-s.conf": "vm.swappiness = 10\r\n"}),
    "semicolon": Case({f"{_D}/20-s.conf": ";vm.swappiness = 10\n"}),
    "a comment after the value": Case({f"{_D}/20-s.conf": "vm.swappiness = 10 # why\n"}),
    "quotes": Case({f"{_D}/20-s.conf": 'vm.swappiness = "10"\n'}),
    "upper case": Case({f"{_D}/20-s.conf": "VM.swappiness = 10\n"}),
    "hexadecimal": Case({f"{_D}/20-s.conf": "vm.swappiness = 0x0a\n"}),
    "octal": Case({f"{_D}/20-s.conf": "vm.swappiness = 012\n"}),
    "two numbers": Case({f"{_D}/20-s.conf": "vm.swappiness = 10 20\n"}),
    "no value": Case({f"{_D}/20-s.conf": "vm.swappiness =\n"}),
    "a value, then none": Case({f"{_D}/20-s.conf": _is(RIGHT), f"{_D}/30-t.conf": "vm.swappiness =\n"}),
    "a value, then one beyond the bounds": Case({f"{_D}/20-s.conf": _is(RIGHT), f"{_D}/30-t.conf": _is(500)}),
    "a value, then a word": Case({f"{_D}/20-s.conf": _is(RIGHT), f"{_D}/30-t.conf": _is("ten")}),
    "rubbish between": Case({f"{_D}/20-s.conf": f"%%%\n{_is(RIGHT)}= 3\nvm.swappiness\n"}),
    "byte order mark": Case({f"{_D}/20-s.conf": f"\ufeff{_is(WRONG)}{_is(RIGHT)}"}),
    "other suffix": Case({f"{_D}/20-s.conf": _is(RIGHT), f"{_D}/30-t.conf.bak": _is(WRONG), f"{_D}/40": _is(WRONG)}),
    "hidden file": Case({f"{_D}/.30-t.conf": _is(WRONG)}),
    "no name but the suffix": Case({f"{_D}/.conf": _is(WRONG)}),
    "etc over run, which masks": Case({f"{_RUN}/20-s.conf": "", f"{_D}/20-s.conf": _is(RIGHT)}),
    "masked in run": Case({f"{_LIB}/20-s.conf": _is(WRONG), f"{_RUN}/20-s.conf": ""}),
    "a link to a folder": Case({f"{_LIB}/20-s.conf": _is(WRONG)}, {f"{_D}/20-s.conf": "/etc"}),
    "a folder with the name of a file": Case({f"{_LIB}/20-s.conf": _is(WRONG), f"{_D}/20-s.conf/x": "x"}),
    "a link in usr/lib": Case({_CONF: _is(WRONG)}, {f"{_LIB}/99-sysctl.conf": "/etc/sysctl.conf"}),
    "sysctl.conf is a link to nothing": Case({f"{_D}/20-s.conf": _is(RIGHT)}, {_CONF: "/nowhere.conf"}),
    "a folder below": Case({f"{_D}/20-s.conf": _is(RIGHT), f"{_D}/30-t/40-u.conf": _is(WRONG)}),
    "a glob": Case({f"{_D}/20-s.conf": "vm.swapp* = 10\n"}),
    "a glob after the name": Case({f"{_D}/20-s.conf": _is(RIGHT), f"{_D}/30-t.conf": "vm.swapp* = 90\n"}),
    "a glob, and the name masked": Case(
        {f"{_LIB}/20-s.conf": _is(WRONG), f"{_D}/20-s.conf": "", f"{_D}/30-t.conf": "vm.swapp* = 10\n"}
    ),
    "two globs": Case({f"{_D}/20-s.conf": "vm.swapp* = 90\n", f"{_D}/30-t.conf": "vm.swappines? = 10\n"}),
    "two globs in the other order": Case({f"{_D}/20-s.conf": "vm.swappines? = 90\nvm.s[w]appiness = 10\n"}),
    "a glob in sysctl.conf": Case({f"{_D}/20-s.conf": _is(RIGHT), _CONF: "vm.swapp* = 90\n"}),
    "only a glob in sysctl.conf": Case({f"{_D}/20-s.conf": "vm.swap* = 10\n", _CONF: "vm.swapp* = 90\n"}),
    "a name in sysctl.conf, a glob before": Case({f"{_D}/20-s.conf": "vm.swap* = 10\n", _CONF: _is(WRONG)}),
    "excluded from a glob": Case({f"{_D}/20-s.conf": "vm.swap* = 90\n-vm.swappiness\n"}),
    "excluded by a glob": Case({f"{_D}/20-s.conf": "vm.swap* = 90\n-vm.swapp*\n"}),
    "set, then excluded": Case({f"{_D}/20-s.conf": _is(RIGHT), f"{_D}/30-t.conf": "-vm.swappiness\n"}),
    "excluded, then set": Case({f"{_D}/20-s.conf": "-vm.swappiness\n", f"{_D}/30-t.conf": _is(RIGHT)}),
    "set, excluded, and a glob": Case({f"{_D}/20-s.conf": f"{_is(RIGHT)}-vm.swappiness\nvm.swap* = 90\n"}),
    "sorted by bytes": Case({f"{_D}/a.conf": _is(RIGHT), f"{_D}/Z.conf": _is(WRONG), f"{_D}/9.conf": _is(WRONG)}),
    "link to a folder file": Case(
        {f"{_LIB}/50-v.conf": _is(RIGHT)}, {f"{_D}/60-s.conf": "../../usr/lib/sysctl.d/50-v.conf"}
    ),
    "bytes after ratio": Case({f"{_D}/20-s.conf": _RATIO + _BYTES}),
    "ratio after bytes": Case({f"{_D}/20-s.conf": _BYTES + _RATIO}),
    "bytes again after ratio": Case({f"{_D}/20-s.conf": _BYTES + _RATIO, f"{_D}/30-t.conf": _BYTES}),
    "other bytes after ratio": Case(
        {f"{_D}/20-s.conf": _BYTES + _RATIO, f"{_D}/30-t.conf": "vm.dirty_bytes = 300000000\n"}
    ),
    "bytes after ratio in sysctl.conf": Case({f"{_D}/20-s.conf": _BYTES, _CONF: _RATIO}),
    "bytes of 0 after ratio": Case({f"{_D}/20-s.conf": _RATIO + "vm.dirty_bytes = 0\n"}),
}

CASES = {**LIKE, **OWN}

_T, _TRUN, _TLIB = "etc/tmpfiles.d", "run/tmpfiles.d", "usr/lib/tmpfiles.d"
_THP = "/sys/kernel/mm/transparent_hugepage/enabled"


def _writes(value: str, kind: str = "w", path: str = _THP) -> str:
    return f"{kind} {path} - - - - {value}\n"


WRITE_START = "madvise"
"""What thp.enabled is before tmpfiles.d is applied."""

WRITES = {
    "one write": Case({f"{_T}/a.conf": _writes("never")}),
    "nothing": Case({f"{_T}/a.conf": "# nothing\n"}),
    "the first line of a file wins": Case({f"{_T}/a.conf": _writes("never") + _writes("always")}),
    "the first name wins whatever its folder": Case(
        {f"{_TLIB}/10.conf": _writes("never"), f"{_T}/20.conf": _writes("always")}
    ),
    "the same name in etc": Case({f"{_TLIB}/10.conf": _writes("always"), f"{_T}/10.conf": _writes("never")}),
    "the same name in run": Case({f"{_TLIB}/10.conf": _writes("always"), f"{_TRUN}/10.conf": _writes("never")}),
    "masked by a link": Case({f"{_TLIB}/10.conf": _writes("never")}, {f"{_T}/10.conf": "/dev/null"}),
    "masked by an empty file": Case({f"{_TLIB}/10.conf": _writes("never"), f"{_T}/10.conf": ""}),
    "masked by a link to nothing": Case({f"{_TLIB}/10.conf": _writes("never")}, {f"{_T}/10.conf": "/nowhere"}),
    "may fail": Case({f"{_T}/a.conf": _writes("never", "w-")}),
    "appended": Case({f"{_T}/a.conf": _writes("never", "w+")}),
    "quotes": Case({f"{_T}/a.conf": _writes("never", path=f'"{_THP}"')}),
    "a value in quotes": Case({f"{_T}/a.conf": _writes('"never"')}),
    "a doubled slash": Case({f"{_T}/a.conf": _writes("never", path=_THP.replace("/mm", "//mm"))}),
    "a refused value, then another": Case({f"{_T}/a.conf": _writes("nonsense"), f"{_T}/b.conf": _writes("never")}),
    "a pattern": Case({f"{_T}/a.conf": _writes("never", path=_THP.replace("transparent", "trans*"))}),
    "a pattern after the name": Case(
        {f"{_T}/a.conf": _writes("never") + _writes("always", path=_THP.replace("transparent", "trans*"))}
    ),
    "a pattern before the name": Case(
        {f"{_T}/a.conf": _writes("always", path=_THP.replace("transparent", "trans*")) + _writes("never")}
    ),
    "two patterns": Case(
        {
            f"{_T}/a.conf": _writes("always", path=_THP.replace("transp", "tr*p"))
            + _writes("never", path=_THP.replace("transp", "t*sp"))
        }
    ),
    "hidden file": Case({f"{_T}/.a.conf": _writes("never")}),
    "a tab, a comment, DOS ends": Case(
        {f"{_T}/a.conf": f"# x\n{_writes('never')}".replace(" - - - - ", "\t-\t-\t-\t-\t").replace("\n", "\r\n")}
    ),
    "ours against a late name": Case(
        {f"{_T}/00-memadvisor.conf": _writes("never", "w-"), f"{_T}/zz.conf": _writes("always")}
    ),
}
"""The same for tmpfiles.d and thp.enabled."""


def measured() -> dict[str, dict[str, dict[str, int | str]]]:
    """What guests made of each case: value of each setting, by case and reader; tmpfiles.d as `tmpfiles: CASE`."""
    return json.loads(MEASURED.read_text())
