"""The report for machines: JSON, by the schema in `report-1.schema.json` beside this file.

Values are in base units (bytes, seconds, per second, ratio) except `current` and `proposed`, which are in the
setting's own unit as the kernel takes it. Unknown is null. The order of findings is that of importance.
"""

from __future__ import annotations

import json

from advisor import __version__
from advisor.findings import FAIL, Finding
from advisor.hints import TYPE_CHECKING, Any
from advisor.record import asdict

if TYPE_CHECKING:
    from advisor.analysis import Report
    from advisor.plan import Loser, Plan, Recommendation
    from advisor.predict import Prediction

SCHEMA = "memadvisor/report/1"


def render(report: Report, *, everything: bool = False) -> str:
    """The report as JSON text; with `everything` also the checks that passed, are open, or do not apply."""
    text = json.dumps(document(report, everything=everything), indent=2, ensure_ascii=False)
    # What the kernel or a user wrote need not be UTF-8; a lone surrogate is no valid JSON for others.
    return text.encode("utf-8", "replace").decode() + "\n"


def document(report: Report, *, everything: bool = False) -> dict[str, Any]:
    """The report as JSON values."""
    window = report.window
    return {
        "schema": SCHEMA,
        "tool": f"memadvisor {__version__}",
        "verdict": report.verdict,
        "thrash": report.thrash,
        "host": {"name": report.host.name, "role": report.host.role, **report.host.facts},
        "capture": {
            "source": window.source,
            "how": window.how,
            "samples": window.samples,
            "window_s": window.seconds,
            "taken_s": window.taken_s,
            "since_boot": window.since_boot,
            "coverage": {"decided": window.decided, "checks": window.checks},
            "cost": asdict(window.cost) if window.cost else None,
            "notes": list(window.notes),
            "unread": report.unread,
        },
        "checks": report.counts,
        "findings": [_finding(f) for f in report.findings if everything or f.state == FAIL],
        **plan_document(report.plan),
        "policy": _policy(report),
        "zones": [asdict(zone) for zone in report.zones],
        "pressure": {
            p.resource: {"some": p.some, "full": p.full, "parts": [list(part) for part in p.parts]}
            for p in report.pressure
        },
    }


def identity(report: Report) -> dict[str, Any]:
    """Which host, boot and memory a plan holds for."""
    facts = report.host.facts
    pages = facts["host.managed"]
    return {
        "hostname": report.host.name or None,
        "boot_id": facts["host.boot_id"],
        "managed_pages": round(pages) if isinstance(pages, float) else None,
    }


def _policy(report: Report) -> dict[str, Any] | None:
    policy = report.policy
    if policy is None:
        return None
    return {
        "name": policy.name,
        "groups": list(policy.groups),
        "role": policy.role,
        "fail_on": policy.fail_on,
        "undecided": list(report.undecided()),
        "warnings": list(report.warnings),
    }


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values: recommendations, and what was held back."""
    return {
        "recommendations": [_recommendation(r) for r in plan.recommendations],
        "held_back": [_loser(loser) for loser in plan.held_back],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "state": finding.state,
        "entity": finding.entity or None,
        "title": finding.title,
        "diagnosis": finding.diagnosis or None,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "confidence_why": list(finding.confidence_why),
        "harm": finding.harm,
        "message": finding.message,
        "evidence": [asdict(item) for item in finding.evidence],
        "ruled_out": [{"diagnosis": rival, "because": because} for rival, because in finding.ruled_out],
        "not_ruled_out": [rival for rival, _because in finding.not_ruled_out],
        "windows": {"fired": finding.windows[0], "judged": finding.windows[1]},
        "remedy": {"kind": finding.remedy, "text": finding.remedy_text},
        "explained_by": finding.explained_by or None,
        "waived": asdict(finding.waived) if finding.waived else None,
        "missing": [asdict(missing) for missing in finding.missing],
        "fingerprint": finding.fingerprint or None,
    }


def _recommendation(recommendation: Recommendation) -> dict[str, Any]:
    return {
        "setting": recommendation.setting,
        "entity": recommendation.entity or None,
        "kind": recommendation.kind,
        "current": recommendation.current,
        "proposed": recommendation.proposed,
        "direction": recommendation.direction,
        "unit": recommendation.unit or None,
        "because": recommendation.because,
        "rules": list(recommendation.rules),
        "limits": list(recommendation.limits),
        "risk": {"level": recommendation.risk, "text": recommendation.risk_text} if recommendation.risk else None,
        "undo": {"how": recommendation.undo, "speed": recommendation.undo_speed} if recommendation.undo else None,
        "predicted": prediction_document(recommendation.predicted) if recommendation.predicted else None,
        "instead_of": [_loser(loser) for loser in recommendation.losers],
    }


def _loser(loser: Loser) -> dict[str, Any]:
    return {"setting": loser.setting, "rule": loser.rule, "wanted": loser.wanted, "why": loser.why}


def prediction_document(prediction: Prediction) -> dict[str, Any]:
    """A prediction as JSON values; marks are in pages, all else in bytes."""
    return {
        "effect": prediction.effect,
        "reason": prediction.reason,
        "zones": [asdict(zone) for zone in prediction.zones],
        "effective": [asdict(item) for item in prediction.effective],
        "smallest_effective_scale_factor": prediction.smallest_effective,
        "before": asdict(prediction.before),
        "after": asdict(prediction.after) if prediction.after else None,
        "available_change": list(prediction.available_change) if prediction.available_change else None,
        "exact": prediction.exact,
        "warnings": list(prediction.warnings),
        "not_predicted": list(prediction.not_predicted),
    }
