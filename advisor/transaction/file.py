"""Wishes in a file: YAML or JSON (setting: value), a sysctl.d file, or a plan."""

from __future__ import annotations

from advisor.errors import AdvisorError, ParseError
from advisor.hints import Any
from advisor.parse import sysctld


def read_wishes(text: str, name: str) -> dict[str, object]:
    """What a file wants, by setting.

    Args:
        text: the file.
        name: its name, for messages; one that ends in .yml, .yaml or .json has to be that.

    Raises:
        AdvisorError: there are no settings in it, or they cannot be understood.
    """
    content = _structured(text, name)
    return _of_lines(text, name) if content is None else _of_mapping(content, name)


def _structured(text: str, name: str) -> dict[str, Any] | None:
    """The mapping of a YAML or JSON file; None where it is none, as a sysctl.d file."""
    import yaml  # noqa: PLC0415  (slow to load)

    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if name.endswith((".yml", ".yaml", ".json")):
            raise AdvisorError(f"{name} is no YAML: {' '.join(str(error).split())[:200]}") from None
        return None
    return content if isinstance(content, dict) else None


def _of_mapping(content: dict[str, Any], name: str) -> dict[str, object]:
    if "recommendations" in content:
        return _of_plan(content["recommendations"], name)
    content = content.get("memadvisor_settings", content)
    if not isinstance(content, dict) or not content:
        raise AdvisorError(f"{name} holds no settings", "write them as SETTING: VALUE")
    return {str(setting): value for setting, value in content.items()}


def _of_plan(entries: object, name: str) -> dict[str, object]:
    try:
        settings = [entry for entry in entries if entry["kind"] == "setting" and not entry["entity"]]  # type: ignore[attr-defined]
        return {str(entry["setting"]): entry["proposed"] for entry in settings if entry["proposed"] is not None}
    except (TypeError, KeyError):
        raise AdvisorError(f"{name}: the plan is damaged", "give what advisor plan --format json printed") from None


def _of_lines(text: str, name: str) -> dict[str, object]:
    try:
        dropin = sysctld.parse(text)
    except ParseError as error:
        raise AdvisorError(f"{name}: {error.message}", "write SETTING = VALUE, or SETTING: VALUE in YAML") from None
    if dropin.problems or not dropin.lines:
        why = dropin.problems[0] if dropin.problems else "it holds no settings"
        raise AdvisorError(f"{name}: {why}", "write SETTING = VALUE, or SETTING: VALUE in YAML")
    return {line.key: line.value for line in dropin.lines if line.value is not None and not line.glob}
