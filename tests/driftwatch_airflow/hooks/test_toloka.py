"""TolokaHook: its connection test."""

from __future__ import annotations

import json

from driftwatch_airflow.hooks.toloka import TolokaHook


def test_the_connection_test_shows_the_account_and_refusals(day, monkeypatch):
    ok, message = TolokaHook().test_connection()
    assert ok, message
    assert "balance" in message
    monkeypatch.setenv(
        "AIRFLOW_CONN_TOLOKA_DEFAULT", json.dumps({"conn_type": "toloka", "host": day.url, "password": "no"})
    )
    ok, message = TolokaHook().test_connection()
    assert not ok
    assert "Admin > Connections" in message
