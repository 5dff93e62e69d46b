"""toloka-kit's client over the transport: what is sent once, which quotas are waited for, and which refusals are final."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.driftwatch.http.scripted import CUT, TOKEN, Scripted, answer
from toloka.client.exceptions import ApiError, InternalApiError, TooManyRequestsApiError

from driftwatch.errors import AccessRefused, NeedsAttention, RequestRefused
from driftwatch.http import Limits
from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient, TolokaUnreachable, refusal

ACCOUNT = answer(200, '{"id": "r-1", "balance": 12.5}')


def fault(status: int, code: str, **more: Any) -> bytes:
    """Toloka's own form of an error."""
    return answer(status, json.dumps({"code": code, "message": "no", "request_id": "r", **more}))


@pytest.fixture
def toloka() -> Iterator[Callable[..., tuple[DriftwatchTolokaClient, Scripted, list[float]]]]:
    """`toloka(answer, ...)`: a client of a server with these answers, and the pauses that it makes."""
    with ExitStack() as stack:

        def start(*answers: bytes) -> tuple[DriftwatchTolokaClient, Scripted, list[float]]:
            server, waits = Scripted(list(answers)), []
            stack.callback(server.end)
            limits = Limits(timeout=5, retries=2, sleep=waits.append)
            return DriftwatchTolokaClient(TOKEN, url=server.url, limits=limits), server, waits

        yield start


def test_the_request_is_toloka_kits_own(toloka):
    client, server, _ = toloka(ACCOUNT)
    assert client.get_requester().id == "r-1"
    (request,) = server.heard
    assert request.startswith(b"GET /api/v1/requester HTTP/1.1\r\n")
    assert f"Authorization: OAuth {TOKEN}".encode() in request
    assert b"User-Agent: python-toloka-client-" in request


@pytest.mark.parametrize("path", ["projects", "pools", "trainings", "skills", "projects/7/clone"])
@pytest.mark.parametrize("first", [CUT, fault(500, "INTERNAL_ERROR")])
def test_a_creation_is_sent_once_where_nobody_knows_what_became_of_it(toloka, path, first):
    client, server, _ = toloka(first, answer(201, "{}"))
    with pytest.raises((TolokaUnreachable, InternalApiError)) as raised:
        client._do_request_with_retries("post", f"/api/v1/{path}", content=b'{"a": 1}')
    assert len(server.heard) == 1
    if first == CUT:
        assert "sent once" in str(raised.value)
        assert "it looks for what arrived before it creates" in str(raised.value)


@pytest.mark.parametrize("path", ["tasks", "pools/7/open", "task-suites"])
@pytest.mark.parametrize("first", [CUT, fault(500, "INTERNAL_ERROR"), answer(502, "<h1>Bad gateway</h1>")])
def test_other_posts_are_repeated(toloka, path, first):
    client, server, _ = toloka(first, answer(200, "{}"))
    client._do_request_with_retries("post", f"/api/v1/{path}", content=b'{"a": 1}')
    assert server.bodies() == [b'{"a": 1}', b'{"a": 1}']


@pytest.mark.parametrize(
    ("interval", "header", "paused"),
    [("MIN", {}, [60]), ("MIN", {"Retry_After": "3"}, [3]), (None, {"Retry_After": "3"}, [3])],
)
def test_a_minutes_quota_is_waited_for(toloka, interval, header, paused):
    body = json.dumps({"code": "TOO_MANY_REQUESTS", "message": "no", "payload": {"interval": interval}})
    client, _, waits = toloka(answer(429, body, **header), ACCOUNT)
    assert client.get_requester().id == "r-1"
    assert waits == paused


@pytest.mark.parametrize("interval", ["HOUR", "DAY"])
def test_a_longer_quota_fails_at_once(toloka, interval):
    client, server, waits = toloka(fault(429, "TOO_MANY_REQUESTS", payload={"interval": interval}), ACCOUNT)
    with pytest.raises(TooManyRequestsApiError):
        client.get_requester()
    assert (waits, len(server.heard)) == ([], 1)


def test_what_is_looked_at_before_a_change_stops_each_try_and_no_reading(toloka):
    client, server, _ = toloka(fault(500, "INTERNAL_ERROR"))
    looks: list[int] = []

    def look() -> None:
        looks.append(1)
        if len(looks) == 2:
            raise ZeroDivisionError

    client.before_change = look
    with pytest.raises(InternalApiError):
        client.get_requester()
    assert (looks, len(server.heard)) == ([], 3)
    with pytest.raises(ZeroDivisionError):
        client._do_request_with_retries("patch", "/api/v1/assignments/1", content=b'{"status": "ACCEPTED"}')
    assert len(server.heard) == 4


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        (fault(401, "AUTHENTICATION_ERROR"), AccessRefused, "look at the token and the address"),
        (fault(403, "ACCESS_DENIED"), AccessRefused, "look at the token and the address"),
        (
            fault(400, "VALIDATION_ERROR", payload={"will_expire": {"code": "X"}}),
            RequestRefused,
            "will_expire.*correct what the section labels",
        ),
        (fault(404, "DOES_NOT_EXIST"), ApiError, "see in Toloka whether the pool is there"),
        (answer(407, "<h1>Who are you?</h1>"), Exception, "see in Toloka whether the pool is there"),
    ],
)
def test_final_refusals(toloka, said, kind, told):
    client, server, _ = toloka(said)
    with pytest.raises(kind) as raised:
        client.get_requester()
    final = refusal(raised.value)
    assert isinstance(final, NeedsAttention)
    assert re.search(told, str(final))
    assert len(server.heard) == 1


@pytest.mark.parametrize("said", [fault(500, "INTERNAL_ERROR"), answer(404, "<h1>Not here</h1>"), CUT])
def test_what_may_pass_is_no_refusal(toloka, said):
    client, _, _ = toloka(said)
    with pytest.raises(Exception, match=r".") as raised:
        client.get_requester()
    assert refusal(raised.value) is None
