"""The plan in the forms in which people apply settings: sysctl.d, Ansible variables, a TuneD profile."""

from __future__ import annotations

import json

from advisor import __version__
from advisor.hints import TYPE_CHECKING
from advisor.report.layout import clean
from advisor.tunables import TUNABLES, format_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.plan import Plan, Recommendation


def _why(recommendation: Recommendation) -> str:
    return clean(f"{', '.join(recommendation.rules)}: {recommendation.because}")


def _text(recommendation: Recommendation) -> str:
    assert recommendation.proposed is not None
    return format_value(TUNABLES[recommendation.setting], recommendation.proposed)


def _kept_by(plan: Plan, persist: str) -> list[Recommendation]:
    return [r for r in plan.changes() if TUNABLES[r.setting].persist == persist]


def sysctl(plan: Plan) -> str:
    """A sysctl.d file with the plan's sysctl settings; what lives elsewhere is named in comments."""
    lines = [f"# Written by memadvisor {__version__}; each line says which check asked for it."]
    for change in _kept_by(plan, "sysctl.d"):
        lines += [f"# {_why(change)}", f"{change.setting} = {_text(change)}"]
    for change in plan.changes():
        if TUNABLES[change.setting].persist != "sysctl.d":
            lines.append(f"# not a sysctl: {_elsewhere(change)}")
    return "\n".join(lines) + "\n"


def _elsewhere(change: Recommendation) -> str:
    """How a setting that is no sysctl is kept over a reboot."""
    tunable = TUNABLES[change.setting]
    if tunable.persist == "tmpfiles.d":
        # An early name: of several lines for one path the first wins, the opposite of sysctl.d (tmpfiles.d(5)).
        return f"in /etc/tmpfiles.d/00-memadvisor.conf: w- /{tunable.path} - - - - {_text(change)}"
    return f"{change.setting} = {_text(change)} ({tunable.persist})"


def ansible_vars(plan: Plan) -> str:
    """Variables for a playbook: a mapping of setting to value, as text, in YAML that is also JSON."""
    values = {change.setting: _text(change) for change in plan.changes()}
    lines = ["---", f"# Written by memadvisor {__version__}."]
    lines += [f"# {change.setting}: {_why(change)}" for change in plan.changes()]
    return "\n".join([*lines, f"memadvisor_settings: {json.dumps(values)}", ""])


def tuned(plan: Plan) -> str:
    """A TuneD profile with the plan's settings, to be completed by the profile that it extends."""
    lines = [
        "[main]",
        "summary=Settings that memadvisor computed for this host",
        "# include=NAME of the profile that is active now, as `tuned-adm active` says",
    ]
    lines += _section("sysctl", ((change, change.setting) for change in _kept_by(plan, "sysctl.d")))
    lines += _section(
        "sysfs", ((change, f"/{TUNABLES[change.setting].path}") for change in _kept_by(plan, "tmpfiles.d"))
    )
    return "\n".join(lines) + "\n"


def _section(name: str, entries: Iterable[tuple[Recommendation, str]]) -> list[str]:
    lines: list[str] = []
    for change, key in entries:
        lines += [f"# {_why(change)}", f"{key}={_text(change)}"]
    return ["", f"[{name}]", *lines] if lines else []
