"""toloka-kit's client over the project's transport.

toloka-kit 1.2 cannot send a request on tenacity >= 8.4.2, never honours Retry-After, retries the POSTs that create projects
and pools (which cost money and have no idempotency key), and dies with a KeyError or a JSONDecodeError on a proxy's error page.
Two overridden methods replace all of that; nothing is patched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
from toloka.client import TolokaClient
from toloka.client.exceptions import ApiError, raise_on_api_error

from driftwatch.credentials import usable_address, usable_secret
from driftwatch.errors import AccessRefused, DriftwatchError, NeedsAttention, RequestRefused
from driftwatch.http import Call, Limits, NoAnswer, Service, client_for, is_temporary, retry_after

# Creating one of these twice makes two of them, so such a POST reaches Toloka once; a repeated run finds it by its marker.
_CREATES = re.compile(r"^/api/v1/(projects|pools|trainings|skills)(/\w+/clone)?$")
_QUOTA_SECONDS = {"MIN": 60.0}
DEFAULT_LIMITS = Limits(timeout=20)


class TolokaError(DriftwatchError):
    """Toloka answered something that is not its own error format, such as a proxy's page."""

    def __init__(self, message: str, response: httpx.Response) -> None:
        super().__init__(message)
        self.response = response


class TolokaUnreachable(DriftwatchError):
    """No answer came: the network, a time limit, or a broken connection."""


def _raise_on_error(response: httpx.Response) -> None:
    if response.is_success:
        return
    try:
        body = response.json()
    except json.JSONDecodeError:
        body = None
    if isinstance(body, dict) and "code" in body:
        code, message = body["code"], body.get("message")
        if code in ("AUTHENTICATION_ERROR", "ACCESS_DENIED"):
            raise AccessRefused(
                f"Toloka refused the login ({code}: {message}): look at the token and the address of the toloka connection "
                "under Admin > Connections; sandbox and production have different tokens"
            )
        if code == "VALIDATION_ERROR":
            fields = "; ".join(f"{name}: {problem}" for name, problem in (body.get("payload") or {}).items())
            raise RequestRefused(
                f"Toloka found {response.request.url.path} invalid ({message}): {fields or 'no field named'}; correct "
                "what the section labels of the monitor file says of it"
            )
        raise_on_api_error(response)
    text = re.sub(r"<[^>]*>|\s+", " ", response.text).strip()[:200]
    raise TolokaError(
        f"Toloka answered {response.status_code} to {response.request.method} {response.request.url.path} "
        f"without an error of its own (a proxy in between?): {text or '(empty body)'}; "
        "check the address of the toloka connection, and whether Toloka is well, then run the task again",
        response,
    )


def refusal(error: Exception) -> NeedsAttention | None:
    """The error as one that asking again cannot help, for whoever waits; None where it may pass.

    Final are a refused login, and Toloka's own answer that a request is wrong, such as that there is no such pool. What a proxy in
    between answers passes with its trouble, unless it asks for a login itself.
    """
    if isinstance(error, NeedsAttention):
        return error
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if isinstance(error, ApiError):
        final, said = 400 <= status < 500 and not is_temporary(status), f"{error.code}: {error.message}"
    else:
        final, said = isinstance(error, TolokaError) and status in (401, 403, 407), str(error)
    if not final:
        return None
    return NeedsAttention(
        f"Toloka refused with {status} ({said}): see in Toloka whether the pool is there, and whether the toloka connection under "
        "Admin > Connections leads to the account that it was made in"
    )


def _asked_pause(response: httpx.Response) -> float | None:
    """Seconds that Toloka asks to wait: Retry-After, else a minute where the minute's quota is used up.

    Hour and day quotas are longer than a task should hold a worker for: the task fails and says so.
    """
    quota = _quota(response)
    if quota not in (None, "MIN"):
        return float("inf")
    asked = retry_after(response)
    return _QUOTA_SECONDS.get(quota or "") if asked is None and response.status_code == 429 else asked


def _quota(response: httpx.Response) -> str | None:
    try:
        payload = response.json().get("payload") or {}
    except (ValueError, AttributeError):
        return None
    found: str | None = payload.get("interval")
    return found


class DriftwatchTolokaClient(TolokaClient):
    """TolokaClient whose requests time out, and are repeated only where that is harmless. No error shows its token.

    `connection`: where address and token come from, for messages. `before_change` is called before each request that may change
    something; what it raises stops the request.
    """

    before_change: Callable[[], None] | None = None

    def __init__(
        self, token: str, *, url: str, limits: Limits = DEFAULT_LIMITS, connection: str = "the Toloka connection"
    ) -> None:
        token = usable_secret(token, f"the token in {connection}")
        url = usable_address(url, f"the address in {connection}")
        service = Service("Toloka", connection, (token,), _asked_pause, self._before_try)
        self._client = client_for(service, limits, base_url=url)
        super().__init__(token, url=url, timeout=limits.timeout, retries=0)
        self._client.headers.update(self._headers)

    def _session_for_thread(self, thread_id: int) -> httpx.Client:
        return self._client  # which many threads may use

    def _before_try(self, request: httpx.Request) -> None:
        if self.before_change and request.method != "GET":
            self.before_change()

    def _do_request_with_retries(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        creates = method.lower() == "post" and bool(_CREATES.match(path))
        call = Call(repeatable=not creates, shown=path)
        try:
            response = self._session.request(method, path, extensions=call.extensions, **kwargs)
        except NoAnswer as error:
            tries = (
                "sent once, since a repeat could make a second one; run the task again: it looks for what arrived before it creates"
                if creates and error.uncertain
                else f"tried {error.tries} times; {error.remedy}, then clear the task and what follows it: nothing is paid twice"
            )
            raise TolokaUnreachable(
                f"Toloka did not answer {method.upper()} {path} ({error.cause}; the time limit is {self.default_timeout:g} s): {tries}"
            ) from error
        _raise_on_error(response)
        return response
