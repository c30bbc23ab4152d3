"""The shape of a policy file, as pydantic models: what must be there, what may, and nothing else.

Required values and expressions are checked later, against the catalogues of settings and signals.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

Severity = Literal["notice", "warning", "critical"]
Gate = Literal["notice", "warning", "critical", "never"]
Scalar = StrictBool | StrictInt | StrictFloat | StrictStr
Words = StrictStr | list[StrictStr]


class Part(BaseModel):
    """A part of a policy file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RequirePart(Part):
    """A required value with what goes with it."""

    value: Scalar | list[Scalar]
    severity: Severity = "warning"
    because: StrictStr = ""


class TermsPart(Part):
    """What may be said for all hosts, and again for a group."""

    role: StrictStr | None = None
    fail_on: Gate | None = None
    require: dict[StrictStr, Scalar | list[Scalar] | RequirePart] = {}
    rules: dict[StrictStr, dict[StrictStr, Scalar]] = {}


class GroupPart(TermsPart):
    """A group of hosts, and what holds for it besides or instead."""

    hosts: Words | None = None
    inventory: Words | None = None
    when: StrictStr | None = None


class WaiverPart(Part):
    """A finding that somebody answers for, until a day."""

    rule: StrictStr | None = None
    setting: StrictStr | None = None
    hosts: Words
    entity: StrictStr = "*"
    owner: Annotated[StrictStr, Field(min_length=2)]
    reason: Annotated[StrictStr, Field(min_length=10)]
    expires: date


class PolicyPart(TermsPart):
    """A policy file."""

    policy: Annotated[StrictStr, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    about: StrictStr = ""
    groups: dict[Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")], GroupPart] = {}
    waivers: list[WaiverPart] = []


def fields_at(path: tuple[str | int, ...]) -> list[str]:
    """The fields that are known at a path of a policy file, for suggestions."""
    if path[:1] == ("waivers",):
        return list(WaiverPart.model_fields)
    below = path[2:] if path[:1] == ("groups",) else path
    if below[:1] == ("require",):
        return list(RequirePart.model_fields)
    model: type[Part] = GroupPart if path[:1] == ("groups",) else PolicyPart
    return list(model.model_fields)


def json_schema() -> dict[str, Any]:
    """JSON schema of a policy file, for editors."""
    return PolicyPart.model_json_schema()
