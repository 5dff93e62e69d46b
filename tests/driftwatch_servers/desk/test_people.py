"""Who gets in, for how long, and what other sites and wrong guesses come to."""

from __future__ import annotations

import httpx
import pytest
import sqlalchemy as sa

from driftwatch_servers.desk.database import Database
from driftwatch_servers.desk.tables import keys, sessions

from .desks import KEY, Desk, Person, running_desk


def test_a_token_that_was_stolen_is_worth_nothing_at_the_next_request(desk):
    desk.opened()
    ana = desk.person("ana")
    thief = Person(desk, ana.token)
    page = thief.take()
    desk.people.revoke("ana")
    for answer in (thief.give(page, page["tasks"][0]["id"]), ana.http.get("/pools")):
        assert answer.status_code == 401
    assert httpx.post(f"{desk.url}/login", json={"token": ana.token}).status_code == 401
    # ana goes on with a new token, on the page that she had; the thief's session stays dead.
    again = Person(desk, desk.people.add("ana", 30))
    assert again.take()["id"] == page["id"]
    assert thief.http.get("/pools").status_code == 401
    assert desk.given() == []


def test_a_token_ends_by_itself_and_the_session_with_it(desk):
    token = desk.people.add("ana", 0.1)
    ana = Person(desk, token)
    desk.clock.now += 0.1 * 86_400 + 1
    assert ana.http.get("/pools").status_code == 401
    assert httpx.post(f"{desk.url}/login", json={"token": token}).status_code == 401
    with pytest.raises(ValueError, match="printable"):
        desk.people.add("a\nb", 1)


def test_of_tokens_and_sessions_only_hashes_are_kept(desk, tmp_path):
    ana = desk.person("ana")
    cookie = ana.http.headers["Cookie"].split("=", 1)[1]
    with Database(f"sqlite:///{tmp_path}/desk.db").reading() as connection:
        kept = [str(row) for table in (keys, sessions) for row in connection.execute(sa.select(table))]
    assert len(kept) == 3
    assert not any(secret in row for row in kept for secret in (ana.token, cookie))


def test_somebody_who_has_a_token_gets_no_second_one(desk):
    desk.person("ana")
    with pytest.raises(ValueError, match="revoke it first"):
        desk.people.add("ana", 30)
    with pytest.raises(ValueError, match="'ben'"):
        desk.people.revoke("ben")


def login(desk: Desk, address: str, token: str = "a-wrong-guess") -> int:
    return httpx.post(f"{desk.url}/login", json={"token": token}, headers={"X-Forwarded-For": address}).status_code


def test_without_a_trusted_proxy_nobody_can_choose_the_address_by_which_guesses_are_counted(desk):
    assert [login(desk, f"10.0.0.{number}") for number in range(12)] == [401] * 10 + [429] * 2


def test_behind_a_trusted_proxy_each_client_is_counted_alone(tmp_path):
    with running_desk(f"sqlite:///{tmp_path}/desk.db", proxies=["127.0.0.0/8"]) as desk:
        token = desk.people.add("ana", 1)
        assert [login(desk, "10.0.0.1") for _ in range(11)] == [401] * 10 + [429]
        assert login(desk, "10.0.0.2", token) == 200
        # What the client itself puts before the proxy's own entry is not believed.
        assert login(desk, "10.0.0.9, 10.0.0.1") == 429


@pytest.mark.parametrize(
    ("headers", "heard"),
    [
        ({"Origin": "https://evil.example.org"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({}, True),
    ],
)
def test_what_another_sites_page_sends_with_somebodys_cookie_is_not_carried_out(desk, headers, heard):
    desk.opened()
    ana = desk.person("ana")
    page = ana.take()
    body = {"task_id": page["tasks"][0]["id"], "output_values": {"result": "cat"}}
    answer = ana.http.post(f"/pages/{page['id']}/answers", json=body, headers=headers)
    assert answer.status_code == (200 if heard else 403)
    assert len(desk.given()) == int(heard)
    assert ana.http.post(f"/pools/{KEY}/page", json={}, headers={"Origin": desk.url}).status_code == 200


def test_behind_a_proxy_with_tls_the_origin_is_the_address_that_the_browser_sees(tmp_path):
    with running_desk(f"sqlite:///{tmp_path}/desk.db", proxies=["127.0.0.1"]) as desk:
        ana = desk.person("ana")
        seen = {"Host": "labels.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.1"}
        for origin, status in (
            ("https://labels.example.org", 200),
            ("http://labels.example.org", 403),
            (desk.url, 403),
        ):
            assert ana.http.post("/logout", json={}, headers={**seen, "Origin": origin}).status_code == status
