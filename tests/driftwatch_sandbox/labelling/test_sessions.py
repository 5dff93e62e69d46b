"""Logins of the labelling page: the cookie tells no token and ends, and guessing comes to a halt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from driftwatch_sandbox.toloka.labelling.routes import COOKIE
from driftwatch_sandbox.toloka.labelling.sessions import HOURS, Guesses, Sessions
from driftwatch_sandbox.toloka.store import Store

from .people import TOKENS, person


@pytest.fixture
def clock() -> Any:
    class Clock:
        now = 1000.0

        def __call__(self) -> float:
            return self.now

    return Clock()


def test_the_cookie_is_no_token_goes_over_https_alone_and_is_worth_nothing_after_logout(market: Any) -> None:
    client = httpx.Client(base_url=f"{market.url}/label")
    first = client.post("/login", json={"token": TOKENS["ana"]})
    second = client.post("/login", json={"token": TOKENS["ana"]})
    assert first.cookies[COOKIE] != second.cookies[COOKIE]
    assert TOKENS["ana"] not in str(first.headers)
    said = first.headers["set-cookie"].lower()
    assert all(f"; {word}" in said for word in ("secure", "httponly", "samesite=strict", f"max-age={HOURS * 3600}"))

    ana = person(market, "ana")
    assert ana.get("/pools").status_code == 200
    ana.post("/logout", json={}).raise_for_status()
    assert ana.get("/pools").status_code == 401
    assert person(market, "ben").get("/pools").status_code == 200
    token_as_cookie = httpx.get(f"{market.url}/label/pools", headers={"Cookie": f"{COOKIE}={TOKENS['ana']}"})
    assert token_as_cookie.status_code == 401


def test_a_session_ends_by_itself_and_the_store_holds_none_that_could_be_used(tmp_path: Path, clock: Any) -> None:
    store = Store(str(tmp_path / "t.db"))
    sessions = Sessions(store, clock)
    secret = sessions.open("ana")
    assert sessions.name(secret) == "ana"
    assert secret not in str(store.find("sessions", []))
    clock.now += HOURS * 3600
    assert sessions.name(secret) is None
    sessions.open("ben")
    assert [found["name"] for found in store.find("sessions", [])] == ["ben"]
    store.close()


def test_after_ten_wrong_tokens_nobody_at_that_address_is_heard_for_a_minute(market: Any) -> None:
    client = httpx.Client(base_url=f"{market.url}/label")
    said = [client.post("/login", json={"token": f"guess-number-{number}"}).status_code for number in range(12)]
    assert said == [401] * 10 + [429] * 2
    right = client.post("/login", json={"token": TOKENS["ana"]})
    assert right.status_code == 429
    assert 0 < int(right.headers["retry-after"]) <= 60


def test_other_addresses_are_heard_until_too_many_guess_and_everybody_after_the_minute(clock: Any) -> None:
    guesses = Guesses(most=3, seconds=60, clock=clock)
    for _ in range(3):
        guesses.wrong("a")
    assert guesses.wait("a") == 60
    assert guesses.wait("b") == 0
    for number in range(27):
        guesses.wrong(f"many-{number}")
    assert guesses.wait("b") == 60
    clock.now += 61
    assert guesses.wait("a") == guesses.wait("b") == 0
    guesses.wrong("a")
    assert set(guesses._wrong) == {"a", ""}  # what is long past takes no memory


def test_somebody_whom_the_file_no_longer_names_is_out_at_once(
    serve_market: Callable[..., Any], market: Any, tmp_path: Path
) -> None:
    from driftwatch_sandbox.private_files import write_private

    session = person(market, "ana").headers["Cookie"]
    other = tmp_path / "others.json"
    write_private(other, '{"ben": "token-of-ben-2"}')
    later = serve_market(people=other)  # over the same database
    assert httpx.get(f"{later.url}/label/pools", headers={"Cookie": session}).status_code == 401
