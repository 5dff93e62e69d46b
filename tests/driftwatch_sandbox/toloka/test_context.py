"""Access to the stand-in's API, and the form of its answers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from .tasks import PLAIN


def test_the_server_speaks_http_1_1_with_a_content_length(market):
    answer = market.http.get("/api/v1/pools")
    assert answer.http_version == "HTTP/1.1"
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_the_requester_has_the_balance_as_a_decimal(market):
    assert market.kit.get_requester().balance == Decimal("1000.0")


@pytest.mark.parametrize("scheme", ["OAuth", "ApiKey"])
def test_both_authorisation_schemes_are_accepted(market, scheme):
    headers = {"Authorization": f"{scheme} AQAD-token"}
    assert PLAIN.get(f"{market.url}/api/v1/requester", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "OAuth other"}, {"Authorization": "Basic AQAD-token"}])
def test_a_wrong_token_is_an_authentication_error(market, headers):
    for path in ("/api/v1/requester", "/_sandbox/state", "/_sandbox/faults"):
        answer = PLAIN.get(market.url + path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "AUTHENTICATION_ERROR")


def test_another_account_is_denied(market):
    answer = market.http.get("/api/v1/requester", headers={"X-Act-Under-Account-ID": "someone"})
    assert (answer.status_code, answer.json()["code"]) == (403, "ACCESS_DENIED")


def test_an_unknown_path_answers_in_the_services_own_form(market):
    answer = market.http.get("/api/v1/no-such-thing")
    assert (answer.status_code, answer.json()["code"]) == (404, "DOES_NOT_EXIST")


@pytest.mark.parametrize("path", ["projects", "pools", "trainings", "tasks", "assignments", "skills", "operations"])
def test_an_unknown_id_does_not_exist(market, path):
    answer = market.http.get(f"/api/v1/{path}/404")
    assert (answer.status_code, answer.json()["code"]) == (404, "DOES_NOT_EXIST")
