"""One request to WhyLabs: its time limit, and what is repeated, when and how often."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from driftwatch.credentials import hiding, without_secrets
from driftwatch.outside import certificates, touching
from driftwatch.publish.whylabs_errors import WhyLabsError, WhyLabsRequestRefused, error_of

log = logging.getLogger(__name__)
# httpx logs every URL at INFO, and a presigned upload URL is a permission to write.
logging.getLogger("httpx").setLevel(logging.WARNING)
_MAX_WAIT_SECONDS = 120.0
# Faults of a request itself: sent again they fail again.
_NEVER_PASSING = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)


class _Passing(Exception):
    """A failure that may pass: `response` is None where the connection broke."""

    def __init__(self, cause: str, response: httpx.Response | None) -> None:
        super().__init__(cause)
        self.response = response


@dataclass(frozen=True)
class Transport:
    """`timeout`: seconds for each connect, read and write. `retries`: how often a request is repeated after 429, 5xx or a
    broken connection, after `backoff` seconds, then twice that and so on, or as long as Retry-After says. `connection`: where
    the address and the key come from, for messages. `secrets`: what no message may show."""

    timeout: float = 30
    retries: int = 4
    backoff: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    connection: str = "the WhyLabs connection"
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(timeout=self.timeout, verify=certificates(), **options)

    def request(
        self, client: httpx.Client, method: str, url: str, what: str, **arguments: Any
    ) -> tuple[httpx.Response, bool]:
        """The first answer that is neither 429 nor 5xx, and whether an earlier try broke off and may have had its effect.

        Raises WhyLabsError when the tries are used up."""
        broken = False

        def once() -> httpx.Response:
            nonlocal broken
            try:
                # The address of an upload is a permission to write, and is named nowhere.
                with touching(f"whylabs {method} {url if url.startswith('/') else 'upload'}"), hiding(self.secrets):
                    response = without_secrets(client.request(method, url, **arguments), self.secrets)
            except _NEVER_PASSING as error:
                raise WhyLabsRequestRefused(f"{what} cannot be sent ({type(error).__name__}: {error})") from error
            except httpx.TransportError as error:
                broken = broken or not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                raise _Passing(str(error) or type(error).__name__, None) from error
            if response.status_code == 429 or response.status_code >= 500:
                broken = broken or response.status_code >= 500
                raise _Passing(f"HTTP {response.status_code}", response)
            return response

        def report(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            pause = state.next_action.sleep if state.next_action else 0.0
            log.warning("WhyLabs: %s: %s; try %d, the next in %.1f s", what, error, state.attempt_number, pause)

        retrying = Retrying(
            stop=stop_after_attempt(self.retries + 1),
            wait=self._pause,
            retry=retry_if_exception_type(_Passing),
            before_sleep=report,
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return retrying(once), broken
        except _Passing as error:
            tries = f"{what}, tried {self.retries + 1} times"
            if error.response is not None:
                raise error_of(tries, error.response, broken, self.connection) from error
            raise WhyLabsError(
                f"{tries}: {error}; check the address in {self.connection} and the network"
                f" (the time limit is {self.timeout:g} s)",
                uncertain=broken,
            ) from error

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        response = error.response if isinstance(error, _Passing) else None
        asked = response.headers.get("Retry-After", "") if response is not None else ""
        if asked.isdigit():
            return min(float(asked), _MAX_WAIT_SECONDS)
        full = min(self.backoff * 2 ** (state.attempt_number - 1), _MAX_WAIT_SECONDS)
        return full * random.uniform(0.5, 1)  # noqa: S311
