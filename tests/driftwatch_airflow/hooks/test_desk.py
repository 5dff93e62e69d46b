"""DeskHook: its connection test, against a desk that runs."""

from __future__ import annotations

import json

from driftwatch_airflow.hooks.desk import DeskHook
from driftwatch_servers.desk.app import Settings, create_app
from driftwatch_servers.serving import running


def test_the_connection_test_shows_whose_token_it_is_and_refusals(tmp_path, monkeypatch):
    def connect(**fields: object) -> tuple[bool, str]:
        found = {"conn_type": "driftwatch_desk", "host": url, "extra": {"retries": 0}, **fields}
        monkeypatch.setenv("AIRFLOW_CONN_DRIFTWATCH_DESK_DEFAULT", json.dumps(found))
        return DeskHook().test_connection()

    with running(create_app(Settings(f"sqlite:///{tmp_path}/desk.db", token="right-token"))) as url:
        ok, message = connect(password="right-token")
        assert (ok, message) == (True, "The desk knows this token as airflow; 0 people may label")
        ok, message = connect(password="wrong-token")
        assert not ok
        assert "Admin > Connections" in message
        assert "wrong-token" not in message
        ok, message = connect(password="right-token", host=f"{url}/elsewhere")
        assert not ok
    ok, message = connect(password="right-token", host=url)
    assert (ok, "did not answer" in message) == (False, True)
    ok, message = connect(password="right-token", host="")
    assert "the address in the Airflow connection driftwatch_desk_default" in message
