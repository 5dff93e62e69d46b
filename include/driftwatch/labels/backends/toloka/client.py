"""toloka-kit's client with retries of its own.

toloka-kit 1.2 cannot send a request on tenacity >= 8.4.2, never honours Retry-After, retries the POSTs that create projects
and pools (which cost money and have no idempotency key), and dies with a KeyError or a JSONDecodeError on a proxy's error page.
One overridden method replaces all of that; nothing is patched.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import tenacity
from toloka.client import TolokaClient
from toloka.client.exceptions import ApiError, raise_on_api_error

from driftwatch.credentials import hiding, usable_address, usable_secret, without_secrets
from driftwatch.errors import AccessRefused, DriftwatchError, NeedsAttention, RequestRefused
from driftwatch.outside import certificates, touching

log = logging.getLogger(__name__)

# Faults of a request itself: sent again they fail again.
_NEVER_PASSING = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)
_RETRIED_STATUS = {408, 429, 500, 502, 503, 504}
# Creating one of these twice makes two of them, so such a POST reaches Toloka once; a repeated run finds it by its marker.
_CREATES = re.compile(r"^/api/v1/(projects|pools|trainings|skills)(/\w+/clone)?$")
_QUOTA_SECONDS = {"MIN": 60.0}
MAX_PAUSE_SECONDS = 300.0


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
                f"Toloka found {response.request.url.path} invalid ({message}): {fields or 'no field named'}"
            )
        raise_on_api_error(response)
    text = re.sub(r"<[^>]*>|\s+", " ", response.text).strip()[:200]
    raise TolokaError(
        f"Toloka answered {response.status_code} to {response.request.method} {response.request.url.path} "
        f"without an error of its own (a proxy in between?): {text or '(empty body)'}",
        response,
    )


def _response_of(state: tenacity.RetryCallState) -> httpx.Response | None:
    error = state.outcome.exception() if state.outcome else None
    return getattr(error, "response", None)


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, httpx.TransportError):
        return not isinstance(error, _NEVER_PASSING)
    response = getattr(error, "response", None)
    if not isinstance(error, ApiError | TolokaError) or response is None or response.status_code not in _RETRIED_STATUS:
        return False
    # Hour and day quotas, and longer pauses than a task should hold a worker for, are not waited for: the task fails and says so.
    return (_asked_pause(response) or 0) <= MAX_PAUSE_SECONDS and _quota(response) in (None, "MIN")


def refusal(error: Exception) -> NeedsAttention | None:
    """The error as one that asking again cannot help, for whoever waits; None where it may pass.

    Final are a refused login, and Toloka's own answer that a request is wrong, such as that there is no such pool. What a proxy in
    between answers passes with its trouble, unless it asks for a login itself.
    """
    if isinstance(error, NeedsAttention):
        return error
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if isinstance(error, ApiError):
        final, said = 400 <= status < 500 and status not in _RETRIED_STATUS, f"{error.code}: {error.message}"
    else:
        final, said = isinstance(error, TolokaError) and status in (401, 403, 407), str(error)
    if not final:
        return None
    return NeedsAttention(
        f"Toloka refused with {status} ({said}): see in Toloka whether the pool is there, and whether the toloka connection under "
        "Admin > Connections leads to the account that it was made in"
    )


def _is_unheard(error: BaseException) -> bool:
    """A refusal for the rate of requests, before anything was done: the only failure after which a creation is sent again."""
    return _is_passing(error) and getattr(getattr(error, "response", None), "status_code", None) == 429


def _asked_pause(response: httpx.Response) -> float | None:
    """Seconds that Toloka asks to wait: the header Retry-After, else a minute where the minute's quota is used up."""
    header = response.headers.get("Retry-After", "")
    if header.isdigit():
        return float(header)
    return _QUOTA_SECONDS.get(_quota(response) or "") if response.status_code == 429 else None


def _quota(response: httpx.Response) -> str | None:
    try:
        payload = response.json().get("payload") or {}
    except (json.JSONDecodeError, AttributeError):
        return None
    return payload.get("interval")


class DriftwatchTolokaClient(TolokaClient):
    """TolokaClient whose requests time out, and are retried only where a repeat is harmless. No error shows its token.

    `retries`: repeats after the first try. `backoff_seconds`: first pause; it doubles, up to a minute. `connection`: where address
    and token come from, for messages. `before_change` is called before each request that may change something; what it raises stops
    the request.
    """

    before_change: Callable[[], None] | None = None

    def __init__(
        self,
        token: str,
        *,
        url: str,
        timeout: float = 20.0,
        retries: int = 4,
        backoff_seconds: float = 1.0,
        sleep: Callable[[float], None] | None = None,
        connection: str = "the Toloka connection",
    ) -> None:
        token = usable_secret(token, f"the token in {connection}")
        url = usable_address(url, f"the address in {connection}")
        self._secrets = (token,)
        super().__init__(token, url=url, timeout=timeout, retries=0, verify=certificates())
        self._timeout_seconds = timeout
        self._repeats = retries
        self._sleep = sleep or time.sleep
        self._backoff = tenacity.wait_exponential_jitter(initial=backoff_seconds, max=60)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        response = _response_of(state)
        asked = _asked_pause(response) if response is not None else None
        return self._backoff(state) if asked is None else asked

    def _do_request_with_retries(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        what = f"{method.upper()} {path}"
        creates = method.lower() == "post" and _CREATES.match(path)

        def once() -> httpx.Response:
            if self.before_change and method.lower() != "get":
                self.before_change()
            with touching(f"toloka {what}"), hiding(self._secrets):
                response = self._session.request(method, path, **kwargs)
            _raise_on_error(without_secrets(response, self._secrets))
            return response

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_is_unheard if creates else _is_passing),
            stop=tenacity.stop_after_attempt(self._repeats + 1),
            wait=self._pause,
            sleep=self._sleep,
            before_sleep=tenacity.before_sleep_log(log, logging.WARNING),
            reraise=True,
        )
        try:
            return retrying(once)
        except _NEVER_PASSING as error:
            raise RequestRefused(f"{what} cannot be sent to Toloka ({type(error).__name__}: {error})") from error
        except httpx.TransportError as error:
            tries = (
                "sent once, since a repeat could make a second one; run the task again: it looks for what arrived before it creates"
                if creates
                else f"tried {self._repeats + 1} times; check the address of the toloka connection and the network, then clear the "
                "task and what follows it: nothing is paid twice"
            )
            raise TolokaUnreachable(
                f"Toloka did not answer {what} ({type(error).__name__}: {error or 'the connection broke'}; the time limit is "
                f"{self._timeout_seconds:g} s): {tries}"
            ) from error
