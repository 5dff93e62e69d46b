"""WhyLabs' refusals and failures, as errors that say what to check. The API key is in none of them."""

from __future__ import annotations

import httpx

from driftwatch.errors import AccessRefused, RequestRefused
from driftwatch.http import NoAnswer, ServiceError, is_temporary, said_by, tried, tries_of
from driftwatch.publish.errors import KeyAlreadyUsed, SinkError

_HINTS = {
    400: "the request itself was refused: tell the request id to WhyLabs' support",
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


def whylabs_error(what: str, response: httpx.Response, connection: str, hint: str | None = None) -> WhyLabsError:
    """The error for an answer that is no success. `what` was tried; `hint` replaces the API's own, for the upload URL."""
    status, tries = response.status_code, tries_of(response)
    if is_temporary(status):
        what = f"{what}, {tried(tries.count)}"
    reason, request_id = _reason(response)
    kind: type[WhyLabsError] = WhyLabsError
    if status == 400 and "Failed Idempotent request" in reason:
        kind = WhyLabsKeyAlreadyUsed
    elif hint is None:
        kind = _REFUSALS.get(status, WhyLabsError)
    if hint is None:
        passing = (
            "WhyLabs has a problem: try again later" if is_temporary(status) else "check the address in {connection}"
        )
        hint = _HINTS.get(status, passing).format(connection=connection)
    parts = [f"{what}: HTTP {status}", reason, f"request id {request_id}" if request_id else "", hint]
    return kind("; ".join(part for part in parts if part), status, request_id, tries.uncertain)


def without_answer(what: str, error: ServiceError, timeout: float) -> WhyLabsError:
    """The error for a request that got no answer, or could not be sent."""
    if not isinstance(error, NoAnswer):
        return WhyLabsRequestRefused(str(error))
    return WhyLabsError(
        f"{what}, {tried(error.tries)}: {error.cause}; {error.remedy} (the time limit is {timeout:g} s)",
        uncertain=error.uncertain,
    )


def _reason(response: httpx.Response) -> tuple[str, str | None]:
    """What the answer's body says, without a stop, and the request id that it names."""
    try:
        body = response.json()
        return str(body["message"]).rstrip(" ."), body.get("requestId")
    except (ValueError, KeyError, TypeError):
        return said_by(response), None
