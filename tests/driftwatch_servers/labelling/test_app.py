"""The labelling page's server, without any Toloka: who gets in, what is answered, what a stranger or another site can do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from driftwatch_servers.labelling.app import COOKIE, FILES, HOURS, LARGEST_BODY, create_app
from driftwatch_servers.serving import running

from ...broken_bodies import BROKEN
from .memory import MemorySessions, MemorySource

TOKENS = {"ana": "token-of-ana-1", "ben": "token-of-ben-2"}


@pytest.fixture
def app() -> FastAPI:
    return create_app(MemorySource(), TOKENS, MemorySessions())


@pytest.fixture
def url(app: FastAPI) -> Iterator[str]:
    with running(app) as url:
        yield url


def person(url: str, name: str) -> httpx.Client:
    client = httpx.Client(base_url=url, timeout=20)
    session = client.post("/login", json={"token": TOKENS[name]}).raise_for_status().cookies[COOKIE]
    client.headers["Cookie"] = f"{COOKIE}={session}"  # a browser takes 127.0.0.1 for safe, httpx does not
    return client


def test_a_page_is_taken_answered_taken_back_and_handed_in(url: str) -> None:
    ana = person(url, "ana")
    (pool,) = ana.get("/pools").json()["pools"]
    assert (pool["id"], pool["closed_to_you"], pool["instructions"]) == ("pool", "", "<p>Look.</p>")
    page = ana.post("/pools/pool/page", json={}).json()["page"]
    assert [task["id"] for task in page["tasks"]] == ["a", "b", "c"]
    assert page["view"]["parts"][0] == {"kind": "image", "field": "image"}
    assert page["view"]["keys"]["2"] == {"field": "result", "value": "dog"}

    def give(task: str, value: str) -> httpx.Response:
        return ana.post("/pages/page/answers", json={"task_id": task, "output_values": {"result": value}})

    assert give("a", "cat").json() == {"answered": 1, "of": 3, "handed_in": False}
    assert give("b", "dog").json()["answered"] == 2
    assert ana.post("/pools/pool/page", json={}).json()["page"]["answers"]["a"] == {"result": "cat"}
    back = ana.post("/pools/pool/undo", json={}).json()["taken_back"]
    assert (back["task_id"], back["page"]["id"], list(back["page"]["answers"])) == ("b", "page", ["a"])
    refused = give("b", "cow")
    assert (refused.status_code, refused.json()) == (400, {"message": "result must be cat or dog"})
    give("b", "cat")
    assert give("c", "cat").json()["handed_in"] is True
    assert ana.get("/pools/pool/work").json() == {"answered": 3, "seconds": 12.5, "more": True}
    assert ana.post("/pages/page/skip", json={}).json() == {}
    assert ana.post("/pages/page/skip", json={}).status_code == 404


def test_a_page_that_is_not_there_for_somebody_is_null(url: str) -> None:
    person(url, "ana").post("/pools/pool/page", json={})
    ben = person(url, "ben")
    assert ben.post("/pools/pool/page", json={}).json() == {"page": None}
    assert ben.get("/pools").json()["pools"][0]["closed_to_you"] == "taken"
    assert ben.post("/pools/other/page", json={}).json() == {"message": "there is no pool 'other'"}


def test_the_cookie_is_no_token_goes_over_https_alone_and_is_worth_nothing_after_logout(url: str) -> None:
    client = httpx.Client(base_url=url)
    first = client.post("/login", json={"token": TOKENS["ana"]})
    second = client.post("/login", json={"token": TOKENS["ana"]})
    assert first.cookies[COOKIE] != second.cookies[COOKIE]
    assert TOKENS["ana"] not in str(first.headers)
    said = first.headers["set-cookie"].lower()
    rules = ("secure", "httponly", "samesite=strict", f"max-age={HOURS * 3600}", "path=/")
    assert all(f"; {rule}" in said for rule in rules)

    ana = person(url, "ana")
    assert ana.get("/pools").status_code == 200
    ana.post("/logout", json={}).raise_for_status()
    assert ana.get("/pools").status_code == 401
    assert person(url, "ben").get("/pools").status_code == 200
    token_as_cookie = httpx.get(f"{url}/pools", headers={"Cookie": f"{COOKIE}={TOKENS['ana']}"})
    assert token_as_cookie.status_code == 401


def test_somebody_whom_the_file_no_longer_names_is_out_at_once() -> None:
    sessions = MemorySessions()
    with running(create_app(MemorySource(), TOKENS, sessions)) as url:
        cookie = person(url, "ana").headers["Cookie"]
    with running(create_app(MemorySource(), {"ben": TOKENS["ben"]}, sessions)) as url:
        assert httpx.get(f"{url}/pools", headers={"Cookie": cookie}).status_code == 401
    with running(create_app(MemorySource(), TOKENS, sessions)) as url:
        assert httpx.get(f"{url}/pools", headers={"Cookie": cookie}).status_code == 200


def test_below_another_application_the_cookie_belongs_to_its_path(app: FastAPI) -> None:
    outer = FastAPI()
    outer.mount("/label", app)
    with running(outer) as url:
        said = httpx.post(f"{url}/label/login", json={"token": TOKENS["ana"]})
        assert "; path=/label;" in said.headers["set-cookie"].lower()
        assert person(f"{url}/label", "ana").get("/pools").status_code == 200
        assert httpx.get(f"{url}/label").headers["location"] == f"{url}/label/"


def test_after_ten_wrong_tokens_nobody_at_that_address_is_heard_for_a_minute(url: str) -> None:
    client = httpx.Client(base_url=url)
    said = [client.post("/login", json={"token": f"guess-number-{number}"}).status_code for number in range(12)]
    assert said == [401] * 10 + [429] * 2
    right = client.post("/login", json={"token": TOKENS["ana"]})
    assert right.status_code == 429
    assert 0 < int(right.headers["retry-after"]) <= 60


def test_without_a_login_there_is_nothing_but_the_pages_own_files(url: str) -> None:
    for method, path in (("GET", "/pools"), ("POST", "/pools/pool/page"), ("POST", "/pages/page/skip")):
        assert httpx.request(method, url + path, json={}).status_code == 401
    for path in ("/", *(f"/static/{name}" for name in FILES)):
        answer = httpx.get(url + path)
        assert answer.status_code == 200
        assert "default-src 'none'; script-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    for name in ("app.py", "..%2fapp.py", "%2e%2e/app.py"):
        assert httpx.get(f"{url}/static/{name}").status_code == 404
    assert httpx.get(f"{url}/docs").status_code == httpx.get(f"{url}/openapi.json").status_code == 404


def test_what_a_form_of_another_site_can_send_is_not_heard(url: str) -> None:
    ana = person(url, "ana")
    ana.post("/pools/pool/page", json={})
    body = b'{"task_id": "a", "output_values": {"result": "cat"}}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert ana.post("/pages/page/answers", content=body, headers={"Content-Type": kind}).status_code == 400
    assert ana.post("/pages/page/answers", content=body).status_code == 400
    json = {"Content-Type": "application/json"}
    assert ana.post("/pages/page/answers", content=body, headers=json).status_code == 200


def test_an_answer_larger_than_64_kb_is_refused_before_it_is_read(url: str) -> None:
    assert httpx.post(f"{url}/login", json={"token": "x" * LARGEST_BODY}).status_code == 413
    assert httpx.post(f"{url}/login", json={"token": "x" * (LARGEST_BODY - 100)}).status_code == 401


def test_no_route_answers_500_to_a_body_that_is_not_what_it_wants(app: FastAPI, url: str) -> None:
    failed = []
    client = person(url, "ana")
    client.headers["Content-Type"] = "application/json"
    client.post("/pools/pool/page", content=b"{}").raise_for_status()
    writes = {
        re.sub(r"\{[^}]*\}", lambda found: found[0][1:5], route.path)
        for route in app.routes
        if isinstance(route, APIRoute) and "POST" in route.methods
    }
    assert "/pages/page/answers" in writes
    for path in sorted(writes - {"/logout"}):
        for body in BROKEN:
            status = client.post(path, content=body).status_code
            if status >= 500:
                failed.append((path, body[:60], status))
    assert not failed
