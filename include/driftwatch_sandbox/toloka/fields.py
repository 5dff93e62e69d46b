"""The types of a project's input and output fields, and values checked against them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from driftwatch_sandbox.toloka.store import Document

Errors = dict[str, dict[str, str]]


def error(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_url(value: Any) -> bool:
    if not isinstance(value, str) or any(character.isspace() for character in value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


_TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "boolean": (lambda value: isinstance(value, bool), "BOOLEAN_EXPECTED"),
    "string": (lambda value: isinstance(value, str), "STRING_EXPECTED"),
    "integer": (_is_whole, "INTEGER_EXPECTED"),
    "float": (_is_number, "FLOAT_EXPECTED"),
    "url": (_is_url, "INVALID_URL_SYNTAX"),
    "file": (lambda value: isinstance(value, str), "STRING_EXPECTED"),
    "coordinates": (
        lambda value: isinstance(value, str) and bool(re.fullmatch(r"-?[\d.]+,\s*-?[\d.]+", value)),
        "INVALID_COORDINATES_SYNTAX",
    ),
    "json": (lambda value: isinstance(value, (dict, list, str)), "JSON_EXPECTED"),
}


def check_spec(spec: Any, path: str) -> Errors:
    """Errors in an input_spec or output_spec."""
    if not isinstance(spec, dict) or not spec:
        return {path: error("EMPTY_OBJECT_NOT_ALLOWED", "at least one field is needed")}
    errors: Errors = {}
    for name, field in spec.items():
        kind = field.get("type") if isinstance(field, dict) else None
        if not isinstance(kind, str) or kind.removeprefix("array_") not in _TYPES:
            allowed = ", ".join(_TYPES)
            errors[f"{path}.{name}.type"] = error("UNKNOWN_ENUM_VALUE", f"{kind!r}; allowed: {allowed}, array_...")
            continue
        is_type, code = _TYPES[kind.removeprefix("array_")]
        for index, value in enumerate(field.get("allowed_values") or []):
            if not is_type(value):
                errors[f"{path}.{name}.allowed_values.{index}"] = error(code, f"{value!r} is not a {kind}")
    return errors


def check_values(values: Any, spec: Document, path: str, partial: bool = False) -> Errors:
    """Checks the values of one task or solution against its spec, and returns the errors. `partial`: required fields may be missing."""
    if not isinstance(values, dict):
        return {path: error("OBJECT_EXPECTED", "an object with the fields of the project's specification is needed")}
    errors: Errors = {}
    for name in values.keys() - spec.keys():
        errors[f"{path}.{name}"] = error("VALUE_NOT_ALLOWED", f"no such field; the project has {', '.join(spec)}")
    for name, field in spec.items():
        value = values.get(name)
        if value is None or value == "":
            if field.get("required", True) and not partial:
                errors[f"{path}.{name}"] = error("VALUE_REQUIRED", "Value must be present and not empty")
            continue
        problem = _check_value(value, field)
        if problem:
            errors[f"{path}.{name}"] = problem
    return errors


def _check_value(value: Any, field: Document) -> dict[str, str] | None:
    kind = field["type"]
    if not kind.startswith("array_"):
        return _check_one(value, kind, field)
    if not isinstance(value, list):
        return error("ARRAY_EXPECTED", f"{value!r} is not an array")
    if len(value) < (field.get("min_size") or 0):
        return error("ARRAY_SIZE_LESS_THAN_MIN", f"fewer than {field['min_size']} values")
    if field.get("max_size") is not None and len(value) > field["max_size"]:
        return error("ARRAY_SIZE_GREATER_THAN_MAX", f"more than {field['max_size']} values")
    problems = (_check_one(item, kind.removeprefix("array_"), field) for item in value)
    return next((problem for problem in problems if problem), None)


def _check_one(value: Any, kind: str, field: Document) -> dict[str, str] | None:
    is_type, code = _TYPES[kind]
    if not is_type(value):
        return error(code, f"{value!r} is not a {kind}")
    if field.get("allowed_values") and value not in field["allowed_values"]:
        allowed = ", ".join(map(str, field["allowed_values"]))
        return error("VALUE_NOT_ALLOWED", f"{value!r} is not one of {allowed}")
    if isinstance(value, str):
        if field.get("min_length") is not None and len(value) < field["min_length"]:
            return error("STRING_LENGTH_LESS_THAN_MIN", f"shorter than {field['min_length']}")
        if field.get("max_length") is not None and len(value) > field["max_length"]:
            return error("STRING_LENGTH_GREATER_THAN_MAX", f"longer than {field['max_length']}")
        if field.get("pattern") and not re.fullmatch(field["pattern"], value):
            return error("PATTERN_MISMATCH", f"{value!r} does not match {field['pattern']}")
    elif _is_number(value):
        if field.get("min_value") is not None and value < field["min_value"]:
            return error("VALUE_LESS_THAN_MIN", f"{value} is less than {field['min_value']}")
        if field.get("max_value") is not None and value > field["max_value"]:
            return error("VALUE_GREATER_THAN_MAX", f"{value} is greater than {field['max_value']}")
    return None
