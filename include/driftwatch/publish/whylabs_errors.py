"""WhyLabs' refusals and failures, as errors that say what to check. The API key is in none of them."""

from __future__ import annotations

import httpx

from driftwatch.errors import AccessRefused, RequestRefused
from driftwatch.publish.errors import KeyAlreadyUsed, SinkError

_HINTS = {
    400: "the request itself was refused",
    401: "check the API key: the password of {connection}",
    403: "check that the API key in {connection} belongs to the organisation and may do this (a write-only key cannot read)",
    404: "check the dataset id (publish.dataset in the monitor file) and the organisation id in {connection}",
    429: "WhyLabs limits the rate of requests: try again later",
}
UPLOAD_HINT = "the upload URL has expired or was refused: running the task again asks for a new one"


class WhyLabsError(SinkError):
    """`status`: the HTTP status, None where there was no answer; `request_id`: what WhyLabs' support asks for."""

    def __init__(
        self, message: str, status: int | None = None, request_id: str | None = None, uncertain: bool = False
    ) -> None:
        super().__init__(message, uncertain)
        self.status = status
        self.request_id = request_id


class WhyLabsAccessRefused(WhyLabsError, AccessRefused):
    """The API key is unknown (401), or may not do this (403)."""


class WhyLabsRequestRefused(WhyLabsError, RequestRefused):
    """The request is invalid (400), or names a dataset that does not exist (404)."""


class WhyLabsKeyAlreadyUsed(WhyLabsError, KeyAlreadyUsed):
    """WhyLabs keeps an idempotency key for two days and answers its second use with 400."""


_REFUSALS = {
    400: WhyLabsRequestRefused,
    401: WhyLabsAccessRefused,
    403: WhyLabsAccessRefused,
    404: WhyLabsRequestRefused,
}


def error_of(
    what: str, response: httpx.Response, uncertain: bool, connection: str, hint: str | None = None
) -> WhyLabsError:
    """The error for an answer that is no success. `what` was tried; `hint` replaces the API's own, for the upload URL."""
    status = response.status_code
    reason, request_id = _reason(response)
    kind: type[WhyLabsError] = WhyLabsError
    if status == 400 and "Failed Idempotent request" in reason:
        kind = WhyLabsKeyAlreadyUsed
    elif hint is None:
        kind = _REFUSALS.get(status, WhyLabsError)
    if hint is None:
        passing = "WhyLabs has a problem: try again later" if status >= 500 else ""
        hint = _HINTS.get(status, passing).format(connection=connection)
    parts = [f"{what}: HTTP {status}", reason, f"request id {request_id}" if request_id else "", hint]
    return kind("; ".join(part for part in parts if part), status, request_id, uncertain)


def _reason(response: httpx.Response) -> tuple[str, str | None]:
    """What the answer's body says, and the request id that it names."""
    if "html" in response.headers.get("Content-Type", ""):
        return "an HTML page, so probably from a proxy", None
    try:
        body = response.json()
        return str(body["message"]), body.get("requestId")
    except (ValueError, KeyError, TypeError):
        return " ".join(response.text.split())[:200], None
