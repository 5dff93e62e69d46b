"""Songbird's error answers: a status and the body {"message", "requestId", "type"}."""

from __future__ import annotations

import uuid
from typing import Any


class ApiError(Exception):
    """Ends a request with an error answer; `kind` is the body's `type`."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind

    def body(self) -> dict[str, Any]:
        return error_body(self.kind, str(self), {})


def error_body(kind: str, message: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Also the form of injected faults (`driftwatch_sandbox.faults.ErrorBody`)."""
    return {"message": message, "requestId": str(uuid.uuid4()), "type": kind, **payload}


def invalid(message: str) -> ApiError:
    return ApiError(400, "IllegalArgumentException", message)


def not_found(message: str) -> ApiError:
    return ApiError(404, "ResourceNotFound", message)
