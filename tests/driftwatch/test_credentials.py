"""A token pasted badly is mended or refused, and no message of any service shows it."""

from __future__ import annotations

import logging
import traceback

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse

from driftwatch.credentials import (
    Access,
    hiding,
    redacted,
    server_access,
    usable_address,
    usable_secret,
    without_secrets,
)
from driftwatch.errors import AccessRefused, NeedsAttention, RequestRefused
from driftwatch.http import Limits
from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient, TolokaError
from driftwatch.publish.whylabs.api import WhyLabsApi
from driftwatch.publish.whylabs.errors import WhyLabsAccessRefused
from driftwatch_servers.serving import running

TOKEN = "AgAAAABs-very-secret-token"
KEY = "abcdefghij.a-very-secret-part"


@pytest.fixture(scope="module")
def echo():
    """A server, such as a proxy in debug mode, whose errors repeat what it was sent: as JSON below /json, else as a page."""
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    def answer(path: str, request: Request):
        sent = " ".join(request.headers.values())
        status = int(request.headers.get("x-status", 401))
        body = {"code": "AUTHENTICATION_ERROR", "message": f"who is {sent}?"}
        return JSONResponse(body, status) if "pool" not in path else HTMLResponse(f"<h1>Sent: {sent}</h1>", status)

    with running(app) as url:
        yield url


@pytest.mark.parametrize("pasted", ["{}\n", "\r\n{}\r\n", " {}\t", "\ufeff{}".replace("\ufeff", "\u00a0")])
def test_blanks_and_line_ends_around_a_secret_are_left_out(pasted):
    assert usable_secret(pasted.format(TOKEN), "the token") == TOKEN


@pytest.mark.parametrize(
    "bad", [f"{TOKEN}\n{TOKEN}", f"{TOKEN} 2", f"{TOKEN}\x00", f"“{TOKEN}”", f"{TOKEN}é", "\u200b" + TOKEN]
)
def test_a_secret_that_no_header_can_carry_is_refused_unseen(bad):
    with pytest.raises(AccessRefused, match="the token cannot be sent: its character") as refused:
        usable_secret(bad, "the token")
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize("empty", [None, "", " \n"])
def test_an_empty_secret_is_refused(empty):
    with pytest.raises(AccessRefused, match="the token is empty"):
        usable_secret(empty, "the token")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://me:word@toloka.dev", "password field"),
        ("toloka.dev", "must begin with https://"),
        ("ftp://toloka.dev", "must begin with https://"),
        ("https://", "must begin with https://"),
        ("https://toloka.dev/?token=1", "must begin with https://"),
        ("https://tol\noka.dev", "no address"),
        ("https://h:99999", "its port"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(address, said):
    with pytest.raises(NeedsAttention, match=said) as refused:
        usable_address(address, "the address")
    assert "word" not in str(refused.value).replace("password", "")


def test_an_address_may_have_a_path_and_blanks_around_it():
    assert usable_address(" http://127.0.0.1:8081/toloka/ \n", "the address") == "http://127.0.0.1:8081/toloka"


def test_the_longest_secret_is_hidden_first_and_short_ones_hide_no_words():
    assert redacted("key=abcdef.ghijkl:org and on", ["ghijkl", "abcdef.ghijkl:org", "on"]) == "key=*** and on"


def whole(error: BaseException, caplog) -> str:
    return "".join(traceback.format_exception(error)) + caplog.text


@pytest.mark.parametrize("end", ["", "\n"])
def test_no_error_of_toloka_shows_the_token_that_a_server_repeats(echo, caplog, end):
    caplog.set_level(logging.DEBUG)
    client = DriftwatchTolokaClient(TOKEN + end, url=echo, limits=Limits(retries=0))
    refused = (AccessRefused, r"refused the login .*OAuth \*\*\* .*look at the token")
    answered = (TolokaError, r"answered 401 to GET /api/v1/pools/1 .*OAuth \*\*\* ")
    for call, (error, said) in ((client.get_requester, refused), (lambda: client.get_pool("1"), answered)):
        with pytest.raises(error, match=said) as raised:
            call()
        assert TOKEN not in whole(raised.value, caplog)


@pytest.mark.parametrize("end", ["", "\n", ":org-1\n"])
def test_no_error_of_whylabs_shows_the_key_or_a_part_of_it(echo, caplog, end):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(WhyLabsAccessRefused, match=r"HTTP 401; .*\*\*\*.*check the API key") as raised:
        WhyLabsApi(echo, KEY + end, "org-1", limits=Limits(retries=0)).check()
    assert "very-secret" not in whole(raised.value, caplog)


def test_an_answer_without_its_secret_reads_as_before():
    headers = {"Content-Type": "text/plain; charset=latin-1"}
    asked = httpx.Request("GET", "https://acme.example")
    answer = httpx.Response(400, headers=headers, content=f"für {TOKEN}".encode("latin-1"), request=asked)
    assert without_secrets(answer, [TOKEN]).text == "für ***"


def test_a_broken_connection_whose_message_holds_the_token_is_told_without_it():
    with pytest.raises(httpx.RemoteProtocolError, match=r"^illegal line '\*\*\*'$") as raised, hiding([TOKEN]):
        raise httpx.RemoteProtocolError(f"illegal line '{TOKEN}'")
    assert TOKEN not in "".join(traceback.format_exception(raised.value))


def test_a_request_that_cannot_be_sent_is_not_sent_again(echo):
    slept: list[float] = []
    client = DriftwatchTolokaClient(TOKEN, url=echo, limits=Limits(sleep=slept.append))
    with pytest.raises(RequestRefused, match="cannot be sent"):
        client._do_request_with_retries("GET", "/api/v1/pools", headers={"X-Note": "two\nlines"})
    assert slept == []


@pytest.mark.parametrize(
    ("access", "headers"),
    [
        (Access("c", "http://s", ""), {}),
        (Access("c", "http://s", TOKEN), {"Authorization": f"Bearer {TOKEN}"}),
        (Access("c", "http://s", "pass:word", login="cat"), {"Authorization": "Basic Y2F0OnBhc3M6d29yZA=="}),
        (Access("c", "http://s", "", {"headers": {"Host": "cats.example"}}), {"Host": "cats.example"}),
    ],
)
def test_a_teams_own_server_is_asked_with_what_its_connection_has(access, headers):
    assert access.headers == headers


def test_every_form_in_which_a_secret_is_sent_is_one_that_no_message_shows():
    access = Access("c", "http://s", TOKEN, {"headers": {"X-Api-Key": KEY}}, login="cat")
    assert {TOKEN, KEY, access.headers["Authorization"].split(" ")[1]} <= set(access.secrets)


@pytest.mark.parametrize("headers", ["Host: x", {"Host": 1}])
def test_headers_that_are_none_name_the_connection(headers):
    with pytest.raises(NeedsAttention, match="c has headers in its extras that are no mapping of texts"):
        Access("c", "http://s", "", {"headers": headers}).headers  # noqa: B018


def test_a_command_outside_of_tasks_reads_connections_by_what_is_installed_beside_the_domain(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_CATS", "http://cat:secret-1@127.0.0.1:8080")
    access = server_access("cats", "model.endpoint.connection")
    assert (access.address, access.login, access.secret) == ("http://127.0.0.1:8080", "cat", "secret-1")
    with pytest.raises(NeedsAttention, match=r"no Airflow connection 'dogs', which model\.endpoint\.connection names"):
        server_access("dogs", "model.endpoint.connection")
