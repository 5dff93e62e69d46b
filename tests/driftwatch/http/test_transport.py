"""The transport over real HTTP: what is repeated, how often and when, and what its errors say."""

from __future__ import annotations

import gzip
import logging
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from driftwatch.errors import RequestRefused
from driftwatch.http import Call, NoAnswer, tries_of
from driftwatch.outside import repeats

from .scripted import CUT, SILENCE, TOKEN, answer

ONCE = [CUT, answer(503)]


def test_a_503_that_passes_is_repeated_and_its_tries_are_told(serve, connect):
    server = serve(answer(503), answer(200, "fine"))
    response = connect(server.url).get("/x")
    assert (response.status_code, response.text) == (200, "fine")
    assert (tries_of(response).count, tries_of(response).uncertain) == (2, True)


def test_each_repeat_is_counted_for_the_metrics_and_a_first_try_is_none(serve, connect):
    before = Counter(repeats())
    assert connect(serve(answer(503), answer(503), answer(200)).url).get("/x").status_code == 200
    assert connect(serve(answer(200)).url).get("/x").status_code == 200
    assert sum((Counter(repeats()) - before).values()) == 2


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520])
def test_a_temporary_status_that_stays_is_given_back_after_all_tries(serve, connect, status):
    server = serve(answer(status))
    response = connect(server.url).get("/x")
    assert (response.status_code, tries_of(response).count, len(server.heard)) == (status, 3, 3)


@pytest.mark.parametrize("status", [200, 204, 400, 401, 403, 404, 409, 422])
def test_any_other_status_is_given_back_at_once(serve, connect, status):
    server = serve(answer(status))
    assert connect(server.url).get("/x").status_code == status
    assert len(server.heard) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for(serve, connect, waits, status):
    server = serve(answer(status, Retry_After="7"), answer(200))
    assert connect(server.url).get("/x").status_code == 200
    assert waits == [7]


def test_retry_after_may_be_a_date(serve, connect, waits):
    moment = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=30), usegmt=True)
    connect(serve(answer(429, Retry_After=moment), answer(200)).url).get("/x")
    (wait,) = waits
    assert 25 < wait <= 30


@pytest.mark.parametrize("moment", ["soon", "-5", "Thu, 99 Foo 2026", "1e3"])
def test_a_retry_after_that_says_nothing_is_not_waited_for(serve, connect, waits, moment):
    assert connect(serve(answer(429, Retry_After=moment), answer(200)).url).get("/x").status_code == 200
    assert waits[0] <= 1


def test_a_longer_pause_than_allowed_is_not_waited_for(serve, connect, waits):
    server = serve(answer(429, Retry_After="301"), answer(200))
    assert connect(server.url).get("/x").status_code == 429
    assert (waits, len(server.heard)) == ([], 1)


def test_without_retry_after_the_waits_double_up_to_a_minute(serve, connect, waits):
    connect(serve(answer(503)).url, retries=9, backoff=1).get("/x")
    full = [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert len(waits) == len(full)
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, full, strict=True))
    assert len({wait / most for wait, most in zip(waits, full, strict=True)}) > 1


@pytest.mark.parametrize("first", [CUT, b"HTTP/1.1 200 OK\r\n", b"no HTTP at all\r\n\r\n"])
def test_an_answer_that_breaks_off_is_asked_for_again(serve, connect, first):
    server = serve(first, answer(200, "whole"))
    assert connect(server.url).get("/x").text == "whole"
    assert len(server.heard) == 2


def test_a_compressed_answer_is_read_and_a_damaged_one_asked_for_again(serve, connect):
    body = gzip.compress(b"fine" * 100)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    server = serve(head + bytes(len(body)), head + body)
    assert connect(server.url).get("/x").text == "fine" * 100
    assert len(server.heard) == 2


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_may_do_harm_twice_is_sent_once_and_says_so(serve, connect, method):
    server = serve(CUT, answer(200))
    with pytest.raises(
        NoAnswer, match=f"Acme did not answer {method} /x at {server.url} .*not sent again.*whether it arrived"
    ) as raised:
        connect(server.url).request(method, "/x", content=b"pay")
    assert (raised.value.uncertain, raised.value.tries, server.bodies()) == (True, 1, [b"pay"])


def test_what_may_do_harm_twice_is_not_repeated_after_a_503_either(serve, connect):
    server = serve(answer(503), answer(200))
    response = connect(server.url).post("/x", content=b"pay")
    assert (response.status_code, tries_of(response).uncertain, len(server.heard)) == (503, True, 1)


def test_what_was_refused_for_the_rate_is_repeated_whatever_it_is(serve, connect):
    server = serve(answer(429), answer(200))
    response = connect(server.url).post("/x", content=b"pay")
    assert (response.status_code, tries_of(response).uncertain, server.bodies()) == (200, False, [b"pay", b"pay"])


@pytest.mark.parametrize("first", ONCE)
@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("POST", {"headers": {"Idempotency-Key": "k-1"}}),
        ("POST", {"extensions": Call(repeatable=True).extensions}),
        ("PUT", {}),
        ("DELETE", {}),
    ],
)
def test_what_is_harmless_twice_is_repeated_with_the_same_bytes(serve, connect, first, method, more):
    server = serve(first, answer(200))
    response = connect(server.url).request(method, "/x", content=b"once", **more)
    assert (response.status_code, server.bodies()) == (200, [b"once", b"once"])
    assert tries_of(response).uncertain


def test_what_is_declared_harmful_is_sent_once_whatever_its_method(serve, connect):
    server = serve(CUT, answer(200))
    with pytest.raises(NoAnswer):
        connect(server.url).put("/x", content=b"pay", extensions=Call(repeatable=False).extensions)
    assert len(server.heard) == 1


def test_a_streamed_body_is_sent_again_whole(serve, connect):
    server = serve(answer(503), answer(200))
    connect(server.url).put("/x", content=iter([b"one ", b"two"]))
    assert [b"one " in body and b"two" in body for body in server.bodies()] == [True, True]


def test_nobody_listening_is_tried_again_and_certain_not_to_have_arrived(serve, connect):
    server = serve(answer(200))
    server.end()
    with pytest.raises(
        NoAnswer, match=r"ConnectError.*tried 3 times; check the address in the Acme connection and the network"
    ) as raised:
        connect(server.url).post("/x")
    assert not raised.value.uncertain


def test_a_server_that_never_answers_is_given_up(serve, connect):
    server = serve(SILENCE)
    begun = time.monotonic()
    with pytest.raises(NoAnswer, match=r"ReadTimeout: timed out; the time limit is 0\.2 s\): tried 2 times"):
        connect(server.url, timeout=0.2, retries=1).get("/x")
    assert 0.4 <= time.monotonic() - begun < 3


def test_no_try_begins_after_the_whole_limit(serve, connect):
    server = serve(answer(503))
    begun = time.monotonic()
    response = connect(server.url, retries=100, backoff=0.2, whole=1, sleep=None).get("/x")
    assert response.status_code == 503
    assert time.monotonic() - begun <= 1.5
    assert 2 <= len(server.heard) <= 5


def test_an_answer_that_drips_is_given_up_after_the_whole_limit(connect):
    import socket

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        try:
            for _ in range(100):
                connection.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            return
        finally:
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        begun = time.monotonic()
        with pytest.raises(NoAnswer, match=r"ReadTimeout: the answer was not whole after 0\.5 s"):
            connect(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.4, whole=0.5, retries=3, sleep=None).get(
                "/x"
            )
        assert time.monotonic() - begun < 3
        thread.join(10)


def test_a_pause_that_a_service_asks_for_in_its_own_way(serve, connect, waits):
    asks = {"asked_pause": lambda response: 42.0 if response.text == "minute" else None}
    connect(serve(answer(429, "minute"), answer(200)).url, asks).get("/x")
    assert waits == [42]


def test_what_is_looked_at_before_each_try_stops_it(serve, connect):
    seen: list[str] = []

    def look(request) -> None:
        seen.append(request.method)
        if len(seen) == 2:
            raise ZeroDivisionError

    server = serve(answer(503))
    client = connect(server.url, {"before_try": look})
    with pytest.raises(ZeroDivisionError):
        client.get("/x")
    assert (seen, len(server.heard)) == (["GET", "GET"], 1)


def test_a_request_that_cannot_be_sent_is_not_sent_again(serve, connect, waits):
    server = serve(answer(200))
    with pytest.raises(
        RequestRefused, match=r"GET /x cannot be sent to Acme .*the address and the secret in the Acme connection"
    ):
        connect(server.url).get("/x", headers={"X-Note": "two\nlines"})
    assert (waits, server.heard) == ([], [])


def test_many_threads_share_a_client(serve, connect):
    server = serve(*[answer(503)] * 10, answer(200))
    client = connect(server.url, retries=20)
    with ThreadPoolExecutor(8) as pool:
        assert {response.status_code for response in pool.map(lambda _: client.get("/x"), range(40))} == {200}
    assert len(server.heard) == 50


@pytest.mark.parametrize("status", [401, 503])
def test_no_answer_shows_a_secret_that_the_server_repeats(serve, connect, status):
    server = serve(answer(status, f"who is {TOKEN}?", X_Said=TOKEN))
    response = connect(server.url).get("/x")
    assert response.text == "who is ***?"
    assert response.headers["X-Said"] == "***"
    assert tries_of(response).count == (3 if status == 503 else 1)
    assert TOKEN.encode() in server.heard[0]


def test_no_error_and_no_log_line_shows_a_secret(serve, connect, caplog):
    caplog.set_level(logging.INFO)
    server = serve(b"HTTP/1.1 " + TOKEN.encode() + b"\r\n\r\n")
    with pytest.raises(NoAnswer, match=r"\*\*\*") as raised:
        connect(server.url).get("/x")
    assert "Acme: GET /x: RemoteProtocolError" in caplog.text
    assert TOKEN not in caplog.text + "".join(traceback.format_exception(raised.value))


def test_the_query_of_an_address_is_in_no_error_and_no_log_line(serve, connect, caplog):
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.INFO, logger="httpx")  # Airflow sets it higher, in a process that has run tests of tasks
    client = connect(serve(answer(503), answer(200), CUT).url)
    client.put("/x?signature=abcdef")
    with pytest.raises(NoAnswer) as raised:
        client.put("/upload?signature=abcdef", extensions=Call(shown="upload").extensions)
    assert "Acme: PUT /x: HTTP 503; try 1, the next in" in caplog.text
    assert "HTTP Request: PUT http" in caplog.text
    assert str(raised.value).startswith("Acme did not answer PUT upload at http")
    assert "abcdef" not in caplog.text + str(raised.value)


def test_a_redirect_is_followed_where_asked_and_its_tries_count_together(serve, connect):
    end = serve(answer(403))
    begin = serve(answer(500), answer(307, Location=f"{end.url}/y"))
    response = connect(begin.url).put("/x", content=b"body", follow_redirects=True)
    assert (response.status_code, end.bodies()) == (403, [b"body"])
    assert tries_of(response).uncertain
