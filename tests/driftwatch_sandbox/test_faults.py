"""Injected faults as toloka-kit's client meets them."""

from __future__ import annotations

import json
import time
from uuid import uuid4

import httpx
import pytest
import toloka.client as toloka
from toloka.client import exceptions

URL = "http://127.0.0.1:9/image.jpg"


@pytest.fixture(autouse=True)
def no_faults_left(market):
    yield
    market.http.delete("/_sandbox/faults")
    market.http.delete("/_sandbox/requests")


def requests(market) -> list[dict]:
    return market.http.get("/_sandbox/requests").json()


def skills(market, name: str) -> int:
    return len(market.http.get("/api/v1/skills", params={"name": name}).json()["items"])


def test_an_error_before_the_work_leaves_nothing_behind(market):
    market.fault(method="POST", path_regex="/v1/skills", fault="error_before")
    with pytest.raises(exceptions.InternalApiError):
        market.kit.create_skill(name="before")
    assert skills(market, "before") == 0
    market.kit.create_skill(name="before")
    assert skills(market, "before") == 1


def test_an_error_after_the_work_leaves_the_work_done(market):
    market.fault(method="POST", path_regex="/v1/skills", fault="error_after_commit")
    with pytest.raises(exceptions.InternalApiError):
        market.kit.create_skill(name="after")
    assert skills(market, "after") == 1


def test_a_lost_answer_to_tasks_with_an_operation_id_is_repeated_without_doubling_them(market):
    pool, operation_id = market.pool(), uuid4()
    task = toloka.Task(pool_id=pool.id, input_values={"image": URL, "image_id": "1"})
    market.fault(method="POST", path_regex="/v1/tasks", fault="drop_after")
    with pytest.raises(httpx.TransportError):
        market.kit.create_tasks_async([task], operation_id=operation_id, allow_defaults=True)
    operation = market.kit.create_tasks_async([task], operation_id=operation_id, allow_defaults=True)
    market.finished(operation).raise_on_fail()
    assert len(list(market.kit.get_tasks(pool_id=pool.id))) == 1


def test_a_connection_that_breaks_before_the_work_leaves_nothing_behind(market):
    market.fault(path_regex="/v1/skills", fault="drop_before")
    with pytest.raises(httpx.TransportError):
        market.kit.create_skill(name="dropped")
    assert skills(market, "dropped") == 0
    first = requests(market)[0]
    assert (first["status"], first["fault"]) == (None, "drop_before")


def test_a_slow_answer_comes_after_work_that_is_done(market):
    market.fault(method="POST", path_regex="/v1/skills", fault="slow", seconds=1)
    with pytest.raises(httpx.ReadTimeout):
        market.http.post("/api/v1/skills", json={"name": "slow"}, timeout=0.2)
    assert skills(market, "slow") == 1


def test_a_rate_limit_says_when_to_come_back(market):
    market.fault(path_regex="/v1/requester", fault="rate_limit", seconds=3)
    answer = market.http.get("/api/v1/requester")
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (429, "3", "TOO_MANY_REQUESTS")
    market.fault(path_regex="/v1/requester", fault="rate_limit_quota")
    with pytest.raises(exceptions.TooManyRequestsApiError) as caught:
        market.kit.get_requester()
    assert caught.value.payload == {"interval": "MIN"}


def test_a_proxys_page_is_not_json(market):
    market.fault(path_regex="/v1/requester", fault="html_502")
    with pytest.raises(json.JSONDecodeError):
        market.kit.get_requester()


def test_a_refusal_with_any_status_and_code_can_be_injected(market):
    market.fault(path_regex="/v1/requester", fault="error_before", status=403, code="ACCESS_DENIED")
    with pytest.raises(exceptions.AccessDeniedApiError):
        market.kit.get_requester()


def test_an_operation_can_fail_and_then_has_done_nothing(market):
    pool = market.pool()
    task = toloka.Task(pool_id=pool.id, input_values={"image": URL, "image_id": "1"})
    market.fault(method="POST", path_regex="/v1/tasks", fault="operation_fail")
    operation = market.finished(market.kit.create_tasks_async([task], operation_id=uuid4(), allow_defaults=True))
    with pytest.raises(exceptions.FailedOperation):
        operation.raise_on_fail()
    log = list(market.kit.get_operation_log(operation.id))
    assert [(item.success, "__item_idx" in item.input) for item in log] == [(False, False)]
    assert list(market.kit.get_tasks(pool_id=pool.id)) == []


def test_a_lagging_list_hides_what_is_young(market):
    project = market.project()
    market.fault(method="GET", path_regex="/v1/projects$", fault="list_lag", seconds=30)
    assert project.id not in [p.id for p in market.kit.find_projects(limit=300, sort=["-id"]).items]
    assert project.id in [p.id for p in market.kit.find_projects(limit=300, sort=["-id"]).items]


@pytest.mark.parametrize("reason", ["EXPIRED", "NOT_ENOUGH_BALANCE", "BLOCKED"])
def test_a_pool_can_close_for_any_reason_while_it_is_watched(market, reason):
    pools = [market.pool(), market.pool()]
    for pool in pools:
        market.upload(pool.id, [URL])
        market.open(pool.id)
    market.fault(method="GET", path_regex=f"/v1/pools/{pools[0].id}", fault="close_pool", close_pool=reason)
    closed = market.kit.get_pool(pools[0].id)
    assert (closed.status.value, closed.last_close_reason.value) == ("CLOSED", reason)
    assert market.kit.get_pool(pools[1].id).is_open()


def test_a_fault_holds_as_often_as_it_was_asked_for(market):
    market.fault(path_regex="/v1/requester", fault="error_before", times=2)
    statuses = [market.http.get("/api/v1/requester").status_code for _ in range(3)]
    market.fault(path_regex="/v1/requester", fault="error_before", times=None)
    statuses += [market.http.get("/api/v1/requester").status_code for _ in range(3)]
    market.http.delete("/_sandbox/faults")
    statuses.append(market.http.get("/api/v1/requester").status_code)
    assert statuses == [500, 500, 200, 500, 500, 500, 200]


@pytest.mark.parametrize(
    "wrong", [{"fault": "explode"}, {"fault": "slow", "path_regex": "("}, {"fault": "slow", "x": 1}]
)
def test_a_fault_that_cannot_be_is_refused(market, wrong):
    assert market.http.post("/_sandbox/faults", json=wrong).status_code == 400
    assert market.http.get("/_sandbox/faults").json() == []


def test_requests_are_recorded_with_what_was_answered(market):
    market.http.get("/api/v1/skills?name=x")
    market.http.get("/api/v1/skills/404")
    seen = [(r["method"], r["path"], r["query"], r["status"]) for r in requests(market)]
    assert seen == [("GET", "/api/v1/skills", "name=x", 200), ("GET", "/api/v1/skills/404", "", 404)]


def test_the_clients_own_retries_survive_an_error(market):
    kit = type(market.kit)("AQAD-token", url=market.url, retries=2)
    market.fault(path_regex="/v1/requester", fault="error_before")
    began = time.monotonic()
    assert kit.get_requester().balance > 0
    assert time.monotonic() - began < 5
