"""The requests to a model server, and how many of them at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from driftwatch.config.endpoint import EndpointConfig
from driftwatch.credentials import Access
from driftwatch.http import (
    Call,
    Service,
    ServiceError,
    client_for,
    error_of,
    host_of,
    limits_of,
    retry_after,
    said_by,
    target_of,
)

Item = TypeVar("Item")
Found = TypeVar("Found")
R = TypeVar("R", bound="Reply")
NAME = "Model server"
TIMEOUT = 60.0
_BUSY = (429, 503)
_ASKS_AGAIN = Call(repeatable=True)  # a model that answers twice has done nothing twice


class Reply(BaseModel):
    """What a server answers, as far as Driftwatch reads it. A field that is null is as good as none."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        return {name: part for name, part in value.items() if part is not None} if isinstance(value, dict) else value


class Stopped(ServiceError):
    """Another request of the same images has failed for good, so this one is not sent any more."""


@dataclass
class Pressure:
    """Where the server asks one request to wait, all of them wait. `longest`: the longest pause in seconds that counts."""

    longest: float
    stopped: threading.Event = field(default_factory=threading.Event)
    until: float = 0.0

    def asked_pause(self, response: httpx.Response) -> float | None:
        pause = retry_after(response)
        if response.status_code in _BUSY:
            self.until = max(self.until, time.monotonic() + min(pause or 0.0, self.longest))
        return pause

    def before_try(self, request: httpx.Request) -> None:
        self.sleep(self.until - time.monotonic())
        if self.stopped.is_set():
            raise Stopped("another request failed")

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.stopped.wait(seconds)


class Link:
    """One model server. Safe to use from many threads. Use it in a `with` block: at its end no connection stays open."""

    def __init__(self, access: Access, config: EndpointConfig) -> None:
        limits = limits_of(access, TIMEOUT)
        self.config, self.connection = config, access.name
        self.pressure = Pressure(limits.longest_pause)
        self._service = Service(NAME, access.name, access.secrets, self.pressure.asked_pause, self.pressure.before_try)
        limits = replace(limits, sleep=self.pressure.sleep)
        self._client = client_for(self._service, limits, base_url=access.address, headers=access.headers)

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str) -> httpx.Response:
        """The answer at the path. Raises ServiceError."""
        return self._checked(self._client.get(path))

    def read(self, response: httpx.Response, kind: type[R], head: bytes | None = None) -> R:
        """The JSON object of an answer, or of its `head`. Raises ServiceError where it is none, or another: a proxy may have answered."""
        try:
            return kind.model_validate_json(response.content if head is None else head)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in error.errors()[:3])
            raise ServiceError(
                f"{NAME} answered {response.status_code} to {target_of(response.request)} at {host_of(response.request)} with what is no "
                f"answer of {self.config.protocol} ({wrong}): {said_by(response)[:100] or '(empty body)'}; check model.endpoint.protocol, "
                f"and that the address in {self.connection} is the server's",
                response.status_code,
            ) from error

    def post(self, path: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        """The answer to a request that may be sent again. Raises ServiceError."""
        return self._checked(
            self._client.post(path, content=content, headers=headers, extensions=_ASKS_AGAIN.extensions)
        )

    def in_order(self, items: Iterable[Item], ask: Callable[[Item], Found]) -> Iterator[Found]:
        """What `ask` finds for each item, in order. `requests_at_once` items are asked at the same time, and as many wait for their turn:
        the others are not taken from `items` yet. The first failure ends all."""
        waiting: deque[Future[Found]] = deque()
        at_once = self.config.requests_at_once
        with ThreadPoolExecutor(at_once) as pool:
            try:
                for item in items:
                    if len(waiting) == 2 * at_once:
                        yield waiting.popleft().result()
                    waiting.append(pool.submit(ask, item))
                while waiting:
                    yield waiting.popleft().result()
            finally:
                if waiting:
                    self.pressure.stopped.set()
                    pool.shutdown(wait=False, cancel_futures=True)

    def _checked(self, response: httpx.Response) -> httpx.Response:
        if response.is_success:
            return response
        config = self.config
        version = f" and version {config.version!r}" if config.version else ""
        remedy = f"check model.endpoint.model {config.model!r}{version}, and that the address in {self.connection} is the server's"
        if response.status_code == 413:
            remedy = f"set model.endpoint.images_per_request below {config.images_per_request}"
        elif response.status_code != 404:
            remedy = "look at what it says, at model.endpoint and at model.input"
        raise error_of(response, self._service, remedy)
