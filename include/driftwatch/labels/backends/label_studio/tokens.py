"""The tokens of Label Studio: a legacy token is sent as it is, a personal access token only buys access tokens, which live five minutes."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

import httpx

from driftwatch.http import Call, ServiceError

# An access token lives 300 seconds.
_GOOD_FOR = 240.0
_REFRESH = "/api/token/refresh/"


def is_personal(token: str) -> bool:
    """Whether it is a personal access token: a JWT, which has two dots."""
    return token.count(".") == 2


def auth_of(token: str, refused: Callable[[httpx.Response], ServiceError]) -> httpx.Auth:
    """How requests are signed in with the token. `refused` makes the error for a token that is not taken."""
    return _Personal(token, refused) if is_personal(token) else _Legacy(token)


class _Legacy(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Token {self._token}"
        yield request


class _Personal(httpx.Auth):
    """A new access token after four minutes, and once more where one is refused: a request that was refused with 401 did nothing."""

    requires_response_body = True

    def __init__(self, token: str, refused: Callable[[httpx.Response], ServiceError]) -> None:
        self._token, self._refused = token, refused
        self._access, self._good_until = "", 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if time.monotonic() >= self._good_until:
            yield from self._refresh(request)
        request.headers["Authorization"] = f"Bearer {self._access}"
        response = yield request
        if response.status_code == 401:
            yield from self._refresh(request)
            request.headers["Authorization"] = f"Bearer {self._access}"
            yield request

    def _refresh(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        address = str(request.url).partition("/api/")[0] + _REFRESH
        asked = {"refresh": self._token}
        extensions = {**request.extensions, **Call(repeatable=True).extensions}
        response = yield httpx.Request("POST", address, json=asked, extensions=extensions)
        if not response.is_success:
            raise self._refused(response)
        self._access, self._good_until = response.json()["access"], time.monotonic() + _GOOD_FOR
