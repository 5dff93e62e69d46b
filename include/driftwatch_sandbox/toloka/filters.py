"""Pool filters: which workers may see a pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from driftwatch_sandbox.toloka.fields import Errors, error
from driftwatch_sandbox.toloka.store import Document

_PROFILE = [
    "gender",
    "country",
    "citizenship",
    "education",
    "adult_allowed",
    "date_of_birth",
    "city",
    "languages",
    "verified",
]
_COMPUTED = [
    "client_type",
    "region_by_phone",
    "region_by_ip",
    "device_category",
    "os_family",
    "os_version",
    "user_agent_type",
    "user_agent_family",
    "user_agent_version",
    "os_version_major",
    "os_version_minor",
    "os_version_bugfix",
    "user_agent_version_major",
    "user_agent_version_minor",
    "user_agent_version_bugfix",
    "rating",
]
OPERATORS = ("EQ", "NE", "GT", "GTE", "LT", "LTE", "IN", "NOT_IN")


def compare(left: Any, operator: str, right: Any) -> bool:
    """Whether one condition of a filter or rule is met. A number that is missing is neither greater nor less than anything."""
    if operator in ("EQ", "NE"):
        return (left == right) == (operator == "EQ")
    if operator in ("IN", "NOT_IN"):
        members = left if isinstance(left, (list, tuple, set)) else [left]
        wanted = right if isinstance(right, list) else [right]
        return any(value in members for value in wanted) == (operator == "IN")
    if left is None or right is None:
        return False
    if operator == "GT":
        return left > right
    if operator == "GTE":
        return left >= right
    if operator == "LT":
        return left < right
    return left <= right


def check_filter(condition: Any, path: str = "filter") -> Errors:
    if condition is None:
        return {}
    if not isinstance(condition, dict):
        return {path: error("OBJECT_EXPECTED", "a condition is needed")}
    for junction in ("and", "or"):
        if junction in condition:
            errors: Errors = {}
            for index, part in enumerate(condition[junction]):
                errors |= check_filter(part, f"{path}.{junction}.{index}")
            return errors
    if condition.get("operator") not in OPERATORS:
        return {f"{path}.operator": error("UNKNOWN_ENUM_VALUE", f"allowed: {', '.join(OPERATORS)}")}
    keys = {"profile": _PROFILE, "computed": _COMPUTED, "skill": None}
    category, key = condition.get("category"), condition.get("key")
    if category not in keys:
        return {f"{path}.category": error("UNKNOWN_ENUM_VALUE", f"allowed: {', '.join(keys)}")}
    allowed = keys[category]
    if allowed is not None and key not in allowed:
        return {f"{path}.key": error("UNKNOWN_ENUM_VALUE", f"{key!r} is not one of {', '.join(allowed)}")}
    return {}


def matches(condition: Document | None, profile: Document, skill: Callable[[str], float | None]) -> bool:
    """Whether a worker passes: `profile` holds profile and computed values, `skill` gives a skill's value by its id."""
    if condition is None:
        return True
    if "and" in condition:
        return all(matches(part, profile, skill) for part in condition["and"])
    if "or" in condition:
        return any(matches(part, profile, skill) for part in condition["or"])
    value = skill(condition["key"]) if condition["category"] == "skill" else profile.get(condition["key"])
    return compare(value, condition["operator"], condition.get("value"))
