"""WhyLabsHook: a client from an Airflow connection, lazily, and a connection test that people can read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date

import pytest

from driftwatch.errors import NeedsAttention
from driftwatch_airflow.hooks.whylabs import WhyLabsHook
from driftwatch_sandbox.whylabs.app import create_app
from driftwatch_sandbox.whylabs.store import Settings
from driftwatch_servers.serving import running

KEY = "abcdefghij.very-secret"


@pytest.fixture
def connect(monkeypatch):
    """Sets the connection whylabs_default, as a deployment does by an environment variable."""

    def set_(**fields: object) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_WHYLABS_DEFAULT", json.dumps({"conn_type": "whylabs", **fields}))

    return set_


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with running(create_app(str(tmp_path_factory.mktemp("w") / "w.db"), Settings(api_key=KEY))) as url:
        yield url


def test_the_client_is_made_of_the_connections_fields(connect):
    connect(host="https://whylabs.example/", password=KEY, extra={"org_id": "org-5", "timeout": 7, "retries": 0})
    api = WhyLabsHook(dataset="model-3").get_conn()

    assert (api.endpoint, api.organisation, api.dataset) == ("https://whylabs.example", "org-5", "model-3")
    assert (api.limits.timeout, api.limits.retries) == (7.0, 0)


def test_fields_that_are_left_out_have_defaults(connect):
    connect(password=f"{KEY}:org-8")
    api = WhyLabsHook().get_conn()

    assert (api.endpoint, api.organisation) == ("https://api.whylabsapp.com", "org-8")
    assert (api.limits.timeout, api.limits.retries) == (30.0, 4)


def test_a_connection_given_as_uri_works(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_WHYLABS_DEFAULT", f"whylabs://:{KEY}@127.0.0.1:8082/http?org_id=org-1")

    assert WhyLabsHook().get_conn().endpoint == "http://127.0.0.1:8082"


def test_nothing_is_read_before_it_is_needed(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_WHYLABS_DEFAULT", raising=False)

    hook = WhyLabsHook("no_such_connection", dataset="model-1")
    with pytest.raises(NeedsAttention, match="there is no Airflow connection 'no_such_connection'"):
        hook.get_conn()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"extra": {"org_id": "org-1"}}, "password (API key) of the Airflow connection whylabs_default"),
        ({"password": KEY}, "set org_id in the extras of the Airflow connection whylabs_default"),
        (
            {"password": KEY, "extra": {"org_id": "org-1", "timeout": "soon"}},
            "whylabs_default has timeout",
        ),
    ],
)
def test_an_incomplete_connection_is_named(connect, fields, said):
    connect(**fields)

    with pytest.raises(NeedsAttention, match=re.escape(said)):
        WhyLabsHook().get_conn()


def test_the_connection_test_succeeds_and_says_what_it_found(connect, url):
    connect(host=url, password=KEY, extra={"org_id": "org-1"})

    assert WhyLabsHook().test_connection() == (True, f"{url}: org-1 has 1 dataset(s): model-1")
    assert WhyLabsHook(dataset="model-1").test_connection()[0] is True


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": "abcdefghij.wrong-key", "extra": {"org_id": "org-1"}}, "the Airflow connection whylabs_default"),
        ({"password": KEY, "extra": {"org_id": "org-2"}}, "HTTP 403"),
        ({"extra": {"org_id": "org-1"}}, "password (API key) of the Airflow connection whylabs_default"),
    ],
)
def test_the_connection_test_fails_with_the_reason_and_without_the_key(connect, url, fields, said):
    connect(host=url, **fields)
    ok, message = WhyLabsHook().test_connection()

    assert not ok
    assert said in message
    assert "wrong-key" not in message
    assert "very-secret" not in message


def test_importing_the_hook_imports_no_heavy_library():
    code = (
        "import sys; import driftwatch_airflow.hooks.whylabs\n"
        "print(sorted({'whylogs', 'pandas', 'numpy', 'tensorflow', 'toloka'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_a_profiles_page_is_where_people_look_at_the_api_that_the_connection_names(connect):
    day = date(2026, 11, 20)
    connect(password=f"{KEY}:org-8")
    page = "/resources/model-3/profiles?profile=1795132800000&targetOrgId=org-8"
    assert WhyLabsHook(dataset="model-3").profile_url(day) == f"https://hub.whylabsapp.com{page}"
    connect(host="https://own.example", password=f"{KEY}:org-8", extra={"hub_url": "https://look.example/"})
    assert WhyLabsHook(dataset="model-3").profile_url(day) == f"https://look.example{page}"
    connect(host="https://own.example", password=f"{KEY}:org-8")
    assert WhyLabsHook(dataset="model-3").profile_url(day) is None
