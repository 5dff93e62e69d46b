"""What is asked of whom, how often, and what an answer's status and headers mean."""

from __future__ import annotations

import email.utils
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

import httpx

from driftwatch.credentials import Access

_CALL = "driftwatch.call"


@dataclass(frozen=True)
class Limits:
    """How long and how often a service is asked.

    `timeout`: seconds for each connect, read and write. `retries`: repeats after the first try. `backoff`: seconds of the first
    pause; it doubles, up to a minute, and each is shortened by chance by up to a half, so that many tasks do not come back at once.
    `longest_pause`: a service that asks for a longer one is not asked again. `whole`: seconds from the first try after which no
    other begins, and no answer is read on (or `timeout`, where that is longer). `sleep`: for tests; time.sleep.
    """

    timeout: float = 30.0
    retries: int = 4
    backoff: float = 1.0
    longest_pause: float = 300.0
    whole: float = 900.0
    sleep: Callable[[float], None] | None = None


def limits_of(access: Access, timeout: float) -> Limits:
    """The limits in the extras of a connection, `timeout` and `retries`; `timeout` here is the service's default."""
    return Limits(access.number("timeout", timeout, 3600) or timeout, int(access.number("retries", 4, 100)))


def retry_after(response: httpx.Response) -> float | None:
    """Seconds that an answer asks to wait by its header Retry-After, as seconds or as a date (RFC 9110, 10.2.3)."""
    header = response.headers.get("Retry-After", "").strip()
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        moment = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or timezone.utc) - datetime.now(timezone.utc)).total_seconds())


@dataclass(frozen=True)
class Service:
    """Who is asked. `name`: for people. `connection`: where its address and secret come from, for messages. `secrets`: what no
    message shows. `asked_pause`: the seconds that an answer asks to wait, where a service has more than Retry-After. `before_try` is
    called before each try; what it raises stops the request."""

    name: str
    connection: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    asked_pause: Callable[[httpx.Response], float | None] = retry_after
    before_try: Callable[[httpx.Request], None] | None = None


@dataclass(frozen=True)
class Call:
    """How one request is treated: `httpx.Client.request(..., extensions=Call(...).extensions)`.

    `repeatable`: whether a repeat is harmless if nobody knows what became of the first try. By default every request is, except a POST
    or PATCH without an Idempotency-Key. `shown`: what messages name in place of a path that is a permission, such as a presigned one.
    """

    repeatable: bool | None = None
    shown: str | None = None

    @property
    def extensions(self) -> dict[str, Call]:
        return {_CALL: self}


def call_of(request: httpx.Request) -> Call:
    """How the request is to be treated."""
    return request.extensions.get(_CALL) or Call()


def target_of(request: httpx.Request) -> str:
    """Method and path, without a query, which may hold a permission."""
    return f"{request.method} {call_of(request).shown or request.url.path}"


def host_of(request: httpx.Request) -> str:
    """Scheme, host and port."""
    return f"{request.url.scheme}://{request.url.netloc.decode()}"


def is_temporary(status: int) -> bool:
    """Whether an answer's status may be another one soon."""
    return status in (408, 429) or status >= 500
