"""The shape of a rule file, as pydantic models: what must be there, what may, and nothing else.

Texts that are expressions or messages are checked later, against the catalogue of signals.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

Severity = Literal["notice", "warning", "critical"]
Scalar = StrictBool | StrictInt | StrictFloat | StrictStr

DIAGNOSES = (
    "healthy", "direct_reclaim_stall", "compaction_stall", "fragmentation", "high_order_alloc_failure",
    "atomic_alloc_failure", "watermark_too_low", "watermark_too_high", "watermark_boost", "kswapd_cpu",
    "zone_imbalance", "lowmem_zone_exhaustion", "numa_imbalance", "zone_reclaim", "thrashing_file", "swap_thrash",
    "swap_usage_benign", "swap_too_small", "memory_pressure", "undersized_ram", "oom_memory_exhaustion",
    "reclaim_inefficient", "dirty_writeback_stall", "slab_bloat", "slab_fragmentation", "slab_leak",
    "dentry_negative", "hugepages_overreserved", "thp_cost", "page_cache_pressure", "page_cache_churn",
    "page_cache_loss", "cgroup_pressure", "cgroup_zombies", "highatomic_reserve", "commit_limit",
    "config_conflict", "insufficient_data", "kernel_bug",
)  # fmt: skip

# An expression may be written as a bare number, a truth value or a text; YAML decides which.
Expression = Scalar


class Part(BaseModel):
    """A part of a rule file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ParamPart(Part):
    """A threshold of the rule."""

    default: StrictInt | StrictFloat
    unit: StrictStr = ""
    help: Annotated[StrictStr, Field(min_length=10)]
    basis: Literal["kernel", "documented", "measured", "policy"]


class AppliesPart(Part):
    """Where the rule makes sense."""

    has: list[StrictStr] = []
    unless: Expression | None = None


class NeedsPart(Part):
    """What makes the verdict reliable."""

    window: Scalar = 0


class DoubtPart(Part):
    """Something that lowers confidence."""

    when: Expression
    because: StrictStr


class RuleOutPart(Part):
    """A rival diagnosis and what excludes it."""

    rival: Literal[DIAGNOSES]  # type: ignore[valid-type]
    when: Expression
    because: StrictStr


class RemedyPart(Part):
    """What kind of thing helps."""

    kind: Literal["setting", "action", "capacity", "application", "kernel", "none"]
    text: Annotated[StrictStr, Field(min_length=10)]


class AdvicePart(Part):
    """One recommendation."""

    setting: StrictStr
    direction: Literal["increase", "decrease", "set", "trigger", "reduce", "add", "enable", "upgrade"]
    value: Expression | None = None
    round: Literal["up", "down", "nearest"] = "nearest"
    when: Expression | None = None
    because: Annotated[StrictStr, Field(min_length=10)]


class RiskPart(Part):
    """What following the advice costs."""

    level: Literal["low", "medium", "high"]
    text: Annotated[StrictStr, Field(min_length=10)]
    undo: Literal["immediate", "slow", "reboot"]


class VerifyPart(Part):
    """How to see whether it helped."""

    after: Scalar
    expect: Annotated[list[Expression], Field(min_length=1)]


class ExpectPart(Part):
    """What a case must give."""

    state: Literal["fail", "pass", "open", "notApplicable"]
    severity: Severity | None = None
    set: dict[StrictStr, Scalar] = {}
    ruled_out: list[StrictStr] = []


class CasePart(Part):
    """A test of the rule: these signals, that verdict."""

    name: Annotated[StrictStr, Field(min_length=8)]
    given: dict[StrictStr, Scalar] = {}
    without: list[StrictStr] = []
    near: StrictBool = False
    expect: ExpectPart


class RulePart(Part):
    """A rule file."""

    id: Annotated[StrictStr, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Annotated[StrictStr, Field(min_length=10, max_length=100)]
    severity: Severity
    status: Literal["experimental", "stable", "deprecated"]
    since: StrictStr
    diagnosis: Literal[DIAGNOSES]  # type: ignore[valid-type]
    scope: StrictStr = "host"
    what: Annotated[StrictStr, Field(min_length=20)]
    why: Annotated[StrictStr, Field(min_length=20)]
    applies: AppliesPart = AppliesPart()
    needs: NeedsPart = NeedsPart()
    params: dict[StrictStr, ParamPart] = {}
    let: dict[StrictStr, Expression] = {}
    when: Expression
    critical_when: Expression | None = None
    harm: Expression | None = None
    supports: list[Expression] = []
    doubts: list[DoubtPart] = []
    rules_out: list[RuleOutPart] = []
    yields_to: list[Literal[DIAGNOSES]] = []  # type: ignore[valid-type]
    message: Annotated[StrictStr, Field(min_length=10)]
    evidence: list[StrictStr] = []
    remedy: RemedyPart
    recommend: list[AdvicePart] = []
    risk: RiskPart | None = None
    verify: VerifyPart | None = None
    references: Annotated[list[StrictStr], Field(min_length=1)]
    base: dict[StrictStr, Scalar] = {}
    cases: Annotated[list[CasePart], Field(min_length=2)]


def json_schema() -> dict[str, Any]:
    """JSON schema of a rule file, for editors."""
    return RulePart.model_json_schema()
