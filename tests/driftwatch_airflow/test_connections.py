"""Connections as people fill them in: what is pasted around a token, missing connections, numbers that cannot be."""

from __future__ import annotations

import json

import pytest

from driftwatch.errors import NeedsAttention
from driftwatch_airflow.connections import server_of
from driftwatch_airflow.hooks.desk import DeskHook
from driftwatch_airflow.hooks.toloka import TolokaHook
from driftwatch_airflow.hooks.whylabs import WhyLabsHook

TOKEN = "AgAAAABs-very-secret-token"


KEY = "abcdefghij.a-very-secret-part"


HOOKS = {
    "toloka": (TolokaHook, TOKEN, "oauth token or api key"),
    "whylabs": (WhyLabsHook, KEY, "api key"),
    "driftwatch_desk": (DeskHook, TOKEN, "api token"),
}


@pytest.fixture
def connect(monkeypatch):
    def set_(name: str, **fields: object) -> None:
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))

    return set_


@pytest.mark.parametrize("service", HOOKS)
def test_a_token_pasted_with_its_line_end_works_and_is_hidden_in_logs(service, connect, monkeypatch):
    hidden: list[str] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", hidden.append)
    hook, secret, _ = HOOKS[service]
    connect(
        f"{service}_default",
        conn_type=service,
        host="https://service.example.org",
        password=f"{secret}\n",
        extra={"org_id": "org-1"},
    )
    hook().get_conn()
    assert secret in hidden


@pytest.mark.parametrize("service", HOOKS)
def test_the_test_button_refuses_a_token_of_two_lines_without_showing_it(service, connect):
    hook, secret, what = HOOKS[service]
    connect(f"{service}_default", conn_type=service, password=f"{secret}\n{secret}", extra={"org_id": "org-1"})
    ok, message = hook().test_connection()
    assert not ok
    assert secret not in message
    assert what in message.lower()
    assert f"{service}_default" in message


@pytest.mark.parametrize(
    ("field", "value"), [("timeout", "soon"), ("timeout", float("nan")), ("retries", -1), ("retries", 1e9)]
)
@pytest.mark.parametrize("service", HOOKS)
def test_a_number_that_cannot_be_names_its_field(service, field, value, connect):
    hook, secret, _ = HOOKS[service]
    extra = {"org_id": "org-1", field: value}
    connect(f"{service}_default", conn_type=service, host="https://service.example.org", password=secret, extra=extra)
    with pytest.raises(NeedsAttention, match=f"{service}_default has {field} .* a number from 0 to"):
        hook().get_conn()


@pytest.mark.parametrize("service", HOOKS)
def test_a_missing_connection_names_the_setting_and_is_not_tried_again(service):
    hook, _, _ = HOOKS[service]
    with pytest.raises(NeedsAttention, match=r"there is no Airflow connection 'gone', which \w+\.connection names"):
        hook("gone").get_conn()


@pytest.mark.parametrize(
    ("said", "address", "login", "secret"),
    [
        ({"conn_type": "http", "host": "models", "port": 8080}, "http://models:8080", "", ""),
        ({"conn_type": "http", "host": "models", "schema": "https"}, "https://models", "", ""),
        ({"conn_type": "https", "host": "models"}, "https://models", "", ""),
        ({"conn_type": "http", "host": "https://models/team", "password": "token-1\n"}, "https://models/team", "", "token-1"),
        ({"conn_type": "generic", "host": "models", "login": "cat", "password": "secret-1"}, "https://models", "cat", "secret-1"),
    ],
)  # fmt: skip
def test_a_teams_own_server_is_read_as_airflows_http_hook_reads_it(said, address, login, secret, connect):
    connect("cats", **said)
    access = server_of("cats", "model.endpoint.connection")
    assert (access.address, access.login, access.secret) == (address, login, secret)


def test_a_server_without_an_address_is_refused(connect):
    connect("cats", conn_type="http", password="token-1")
    with pytest.raises(
        NeedsAttention, match=r"the address \(host\) in the Airflow connection cats '': it must begin with"
    ):
        server_of("cats", "model.endpoint.connection")
