"""What came back: how many tries it took, and the error for an answer that is no success."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from driftwatch.http.errors import ServiceError, ServiceRefusedAccess, ServiceRefusedRequest
from driftwatch.http.policy import Service, host_of, is_temporary, target_of

_TRIES = "driftwatch.tries"


@dataclass(frozen=True)
class Tries:
    """`count`: how often a request was sent. `uncertain`: one of the tries that failed may have had its effect."""

    count: int
    uncertain: bool


def note_tries(response: httpx.Response, tries: Tries) -> None:
    """Keeps them with the answer."""
    response.extensions[_TRIES] = tries


def tries_of(response: httpx.Response) -> Tries:
    """What it took to get an answer, the redirects before it included."""
    all_tries: list[Tries] = [answer.extensions[_TRIES] for answer in (*response.history, response)]
    return Tries(all_tries[-1].count, any(tries.uncertain for tries in all_tries))


def error_of(response: httpx.Response, service: Service, remedy: str | None = None) -> ServiceError:
    """The error for an answer that is no success, for services without a form of their own. `remedy`: what to do about a request that was
    found wrong."""
    status, tries = response.status_code, tries_of(response)
    told = f" after {tries.count} tries" if tries.count > 1 else ""
    where = f"{target_of(response.request)} at {host_of(response.request)}"
    message = f"{service.name} answered {status} to {where}{told}: {said_by(response) or '(empty body)'}"
    kind: type[ServiceError] = ServiceRefusedRequest
    remedy = remedy or f"check that the address in {service.connection} is {service.name}'s"
    if status in (401, 407):
        kind, remedy = ServiceRefusedAccess, f"check the secret and the address in {service.connection}"
    elif status == 403:
        kind, remedy = ServiceRefusedAccess, f"check what the account in {service.connection} may do"
    elif is_temporary(status):
        kind, remedy = ServiceError, "it may pass: run the task again later"
    return kind(f"{message}; {remedy}", status, tries.uncertain)


def said_by(response: httpx.Response) -> str:
    """The beginning of an answer's text on one line, without a stop; of a page, such as a proxy's, that it is one."""
    if "html" in response.headers.get("Content-Type", ""):
        return "an HTML page, so probably from a proxy"
    return " ".join(response.text.split())[:200].rstrip(" .")
