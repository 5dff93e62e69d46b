"""Toloka's error answers: a status, a code that chooses the client's exception class, and a payload."""

from __future__ import annotations

from typing import Any

from driftwatch_sandbox.faults import plain_error_body


class ApiError(Exception):
    """Ends a request with an error answer."""

    def __init__(self, status: int, code: str, message: str, payload: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.payload = payload or {}

    def body(self) -> dict[str, Any]:
        return plain_error_body(self.code, self.message, self.payload)


def not_found(kind: str, object_id: str) -> ApiError:
    return ApiError(404, "DOES_NOT_EXIST", f"{kind} {object_id!r} does not exist", {"entity": kind, "id": object_id})


def conflict(code: str, message: str, **payload: Any) -> ApiError:
    return ApiError(409, code, message, payload)


def wrong_status(kind: str, object_id: str, status: str, *appropriate: str) -> ApiError:
    message = f"{kind} {object_id} is {status}; this needs {' or '.join(appropriate)}"
    return conflict("INAPPROPRIATE_STATUS", message, appropriate_statuses=list(appropriate))


def validation(errors: dict[str, dict[str, str]]) -> ApiError:
    """`errors` maps a field's path to its code and message."""
    return ApiError(400, "VALIDATION_ERROR", "Validation failed: " + ", ".join(errors), errors)


def field_error(field: str, code: str, message: str) -> ApiError:
    return validation({field: {"code": code, "message": message}})
