"""The transport: sends a request, and sends it again where that is harmless and may help."""

from __future__ import annotations

import logging
import random
import ssl
import time
from typing import Any, cast

import httpx
from tenacity import RetryCallState, Retrying, stop_after_attempt, stop_before_delay

from driftwatch.credentials import hiding, without_secrets
from driftwatch.http.answers import Tries, note_tries
from driftwatch.http.errors import CannotBeSent, NoAnswer, ServiceError, tried
from driftwatch.http.policy import Limits, Service, call_of, host_of, is_temporary, target_of
from driftwatch.http.routes import Routes
from driftwatch.outside import note_repeat, touching

log = logging.getLogger(__name__)
_LONGEST_BACKOFF = 60.0
# Faults of a request itself: sent again they fail again.
_NEVER_SENT = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)
# The service has not seen the request: no connection was made.
_NOT_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_BROKEN = (httpx.TransportError, httpx.DecodingError)


def client_for(service: Service, limits: Limits, **options: Any) -> httpx.Client:
    """An httpx client over the transport. `options`: those of httpx.Client, like base_url and headers."""
    # httpx logs each address at INFO, and the query of a presigned one is a permission. Adding the same filter again does nothing.
    logging.getLogger("httpx").addFilter(_no_queries)
    return httpx.Client(transport=RetryingTransport(service, limits), timeout=limits.timeout, **options)


class RetryingTransport(httpx.BaseTransport):
    """Sends each request within `limits`; safe to use from many threads. The environment's proxies are used as httpx does."""

    def __init__(self, service: Service, limits: Limits) -> None:
        self.service = service
        self.limits = limits
        self._inner = Routes()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return _Exchange(self.service, self.limits, self._inner, request).carry_out()

    def close(self) -> None:
        self._inner.close()


class _Exchange:
    """One request and its repeats."""

    def __init__(self, service: Service, limits: Limits, inner: httpx.BaseTransport, request: httpx.Request) -> None:
        self.service, self.limits, self.inner, self.request = service, limits, inner, request
        self.call = call_of(request)
        self.target = target_of(request)
        self.end = time.monotonic() + max(limits.whole, limits.timeout)
        self.tries, self.uncertain = 0, False

    def carry_out(self) -> httpx.Response:
        self.request.read()  # so that the same bytes can be sent again
        retrying = Retrying(
            retry=self._again,
            wait=self._pause,
            stop=stop_after_attempt(self.limits.retries + 1) | stop_before_delay(self.limits.whole),
            sleep=self.limits.sleep or time.sleep,
            before_sleep=self._report,
            retry_error_callback=lambda state: cast(Any, state.outcome).result(),
        )
        try:
            response = retrying(self._once)
        except _BROKEN as error:
            raise self._without_answer(error) from error
        note_tries(response, Tries(self.tries, self.uncertain))
        return response

    def _once(self) -> httpx.Response:
        self.tries += 1
        if self.service.before_try:
            self.service.before_try(self.request)
        name = self.service.name.lower().replace(" ", "-")
        with touching(f"{name} {self.target}"), hiding(self.service.secrets):
            return without_secrets(self._whole(self.inner.handle_request(self.request)), self.service.secrets)

    def _whole(self, response: httpx.Response) -> httpx.Response:
        """The answer with its body, so that a connection which breaks in the middle is a failed try."""
        chunks = []
        try:
            for chunk in cast(httpx.SyncByteStream, response.stream):
                chunks.append(chunk)
                if time.monotonic() > self.end:
                    raise httpx.ReadTimeout(f"the answer was not whole after {self.limits.whole:g} s")
        finally:
            response.close()
        kept = {name: value for name, value in response.extensions.items() if name != "network_stream"}
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            content=b"".join(chunks),
            request=self.request,
            extensions=kept,
        )

    def _again(self, state: RetryCallState) -> bool:
        outcome = cast(Any, state.outcome)
        error = outcome.exception()
        if error is None:
            response = outcome.result()
            failed, unknown = is_temporary(response.status_code), response.status_code != 429
            passing = (self.service.asked_pause(response) or 0) <= self.limits.longest_pause if failed else False
        else:
            failed, unknown = isinstance(error, _BROKEN), not isinstance(error, (*_NOT_ARRIVED, *_NEVER_SENT))
            passing = not isinstance(error, _NEVER_SENT) and not _untrusted(error)
        self.uncertain = self.uncertain or (failed and unknown)
        return failed and passing and (self._repeatable or not unknown)

    @property
    def _repeatable(self) -> bool:
        if self.call.repeatable is not None:
            return self.call.repeatable
        return self.request.method not in ("POST", "PATCH") or "Idempotency-Key" in self.request.headers

    def _pause(self, state: RetryCallState) -> float:
        outcome = cast(Any, state.outcome)
        asked = None if outcome.failed else self.service.asked_pause(outcome.result())
        if asked is not None:
            return asked
        full = min(self.limits.backoff * 2 ** (state.attempt_number - 1), _LONGEST_BACKOFF)
        return full * random.uniform(0.5, 1)  # noqa: S311

    def _report(self, state: RetryCallState) -> None:
        outcome = cast(Any, state.outcome)
        cause = _cause(outcome.exception()) if outcome.failed else f"HTTP {outcome.result().status_code}"
        note_repeat(self.service.name)
        pause = state.next_action.sleep if state.next_action else 0.0
        log.warning("%s: %s: %s; try %d, the next in %.1f s", self.service.name, self.target, cause, self.tries, pause)

    def _without_answer(self, error: Exception) -> ServiceError:
        name, connection, cause = self.service.name, self.service.connection, _cause(error)
        if isinstance(error, _NEVER_SENT):
            look = f"check the address and the secret in {connection} for a sign that no request can carry, such as a line end"
            return CannotBeSent(f"{self.target} cannot be sent to {name} ({cause}): {look}")
        remedy = f"check the address in {connection} and the network"
        if _untrusted(error):
            remedy = f"its certificate is not trusted here: name your authority's file in SSL_CERT_FILE, or correct the address in {connection}"
        tries = tried(self.tries)
        if self.uncertain and not self._repeatable:
            tries = "not sent again, since that could do it twice: look whether it arrived before you send it again"
        where = f"{self.target} at {host_of(self.request)}"
        message = f"{name} did not answer {where} ({cause}; the time limit is {self.limits.timeout:g} s)"
        return NoAnswer(f"{message}: {tries}; {remedy}", cause, self.tries, remedy, self.uncertain)


def _cause(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error) or 'the connection broke'}"


def _untrusted(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


class _NoQueries(logging.Filter):
    """Leaves the query of each address out of a log line."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(a.copy_with(query=None) if isinstance(a, httpx.URL) else a for a in record.args)
        return True


_no_queries = _NoQueries()
