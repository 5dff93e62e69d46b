"""The WhyLabs stand-in's monitor configuration and notification actions."""

from __future__ import annotations

from .client import MODEL


def test_bad_monitor_configuration_is_refused(server):
    short = server.http.put(
        f"{MODEL}/monitor-config/analyzer/short", json={"id": "short", "config": {}, "targetMatrix": {}}
    )
    bare = server.http.put(f"{MODEL}/monitor-config/monitor/long-enough-id", json={"id": "long-enough-id"})
    missing = server.http.get(f"{MODEL}/monitor-config/analyzer/never-was-here")

    assert (short.status_code, bare.status_code, missing.status_code) == (400, 400, 404)
    assert "10 to 128 characters" in short.json()["message"]
    assert "analyzerIds, schedule, mode, actions" in bare.json()["message"]


def test_notification_actions_are_kept(server):
    base = "/v0/notification-settings/org-1/actions"
    body = {"url": "https://example.com/hook", "method": "POST", "headers": {}, "body": "{}"}
    server.http.put(f"{base}/WEBHOOK/airflow-hook", json=body).raise_for_status()

    (action,) = server.http.get(base).json()
    assert (action["id"], action["type"], action["payload"]["url"]) == ("airflow-hook", "WEBHOOK", body["url"])
    assert server.http.put(f"{base}/PIGEON/x", json=body).status_code == 400
