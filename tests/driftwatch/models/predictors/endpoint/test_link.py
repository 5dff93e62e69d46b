"""The requests to a model server: how many at once, who waits, and what comes back that is no answer."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from driftwatch.config.endpoint import EndpointConfig
from driftwatch.credentials import Access
from driftwatch.http import ServiceError, ServiceRefusedRequest
from driftwatch.models.predictors.endpoint.link import Link, Pressure, Reply, Stopped

from ....http.scripted import Scripted, answer


class Shape(Reply):
    shape: tuple[int, ...] = ()


def link(url: str = "http://127.0.0.1:9", **config) -> Link:
    section = EndpointConfig.model_validate({"connection": "c", "model": "cats", **config})
    return Link(Access("the Airflow connection c", url, "", {"retries": 0, "timeout": 2}), section)


def test_items_are_taken_as_answers_come_in():
    taken: list[int] = []

    def items():
        for number in range(30):
            taken.append(number)
            yield number

    with link(requests_at_once=2) as one:
        for found in one.in_order(items(), lambda number: number * 10):
            assert len(taken) <= found / 10 + 1 + 4
    assert len(taken) == 30


def test_the_first_failure_ends_those_that_wait():
    begun, free = [], threading.Event()

    def ask(number: int) -> int:
        begun.append(number)
        if number == 0:
            time.sleep(0.05)
            raise ServiceError("broken")
        one.pressure.sleep(60)  # as a request does that is asked to wait
        free.set()
        one.pressure.before_try(httpx.Request("GET", "http://127.0.0.1:9"))
        return number

    at = time.monotonic()
    with link(requests_at_once=3) as one, pytest.raises(ServiceError, match="broken"):
        list(one.in_order(range(100), ask))
    assert time.monotonic() - at < 20
    assert free.is_set()
    assert len(begun) <= 6


def test_a_request_of_a_set_that_has_failed_is_not_sent():
    pressure = Pressure(10)
    pressure.stopped.set()
    with pytest.raises(Stopped):
        pressure.before_try(httpx.Request("GET", "http://127.0.0.1:9"))


@pytest.mark.parametrize(("status", "waits"), [(429, True), (503, True), (500, False)])
def test_a_busy_server_is_waited_for_by_all(status, waits):
    pressure = Pressure(10)
    assert pressure.asked_pause(httpx.Response(status, headers={"Retry-After": "7"})) == 7
    assert (pressure.until > time.monotonic()) == waits
    pressure.asked_pause(httpx.Response(503, headers={"Retry-After": "86400"}))
    assert pressure.until < time.monotonic() + 11  # the longest pause that counts


@pytest.mark.parametrize("body", ["<html>login</html>", "[]", '{"shape": "wide"}', ""])
def test_what_is_no_answer_of_the_protocol_is_shown(body):
    server = Scripted([answer(200, body)])
    with link(server.url) as one, pytest.raises(
        ServiceError, match=r"answered 200 to GET /v2/models/cats at http://127\S+ with what is no answer of v2 .*check model\.endpoint\.protocol"
    ):  # fmt: skip
        one.read(one.get("v2/models/cats"), Shape)
    server.end()


def test_a_request_that_is_too_large_says_which_setting_makes_it_smaller():
    server = Scripted([answer(413, "too large")])
    with (
        link(server.url, images_per_request=64) as one,
        pytest.raises(ServiceRefusedRequest, match=r"413 .*set model\.endpoint\.images_per_request below 64"),
    ):
        one.post("v2/models/cats/infer", b"{}", {})
    server.end()


def test_the_connections_login_and_headers_go_with_each_request():
    server = Scripted([answer(200, "{}")])
    access = Access("c", f"{server.url}/gateway/", "secret-1", {"headers": {"X-Team": "cats"}}, login="cat")
    with Link(access, EndpointConfig.model_validate({"connection": "c", "model": "cats"})) as one:
        one.get("v2")
    heard = server.heard[0].decode()
    assert heard.startswith("GET /gateway/v2 HTTP/1.1")
    assert "authorization: basic y2f0onnly3jldc0x" in heard.lower()
    assert "x-team: cats" in heard.lower()
    server.end()


def test_null_is_as_good_as_nothing():
    assert Shape.model_validate_json('{"shape": null, "more": 1}').shape == ()
