"""The WhyLabs stand-in's errors have the service's form."""

from __future__ import annotations

from .client import MS


def test_faults_are_injected_in_songbirds_form(server):
    server.http.post("/_sandbox/faults", json={"path_regex": "/v1/log/async", "fault": "error_before", "status": 503})

    body = {"datasetTimestamp": MS}
    failed = server.http.post("/v1/log/async", json=body, headers={"X-WHYLABS-RESOURCE": "model-1"})

    assert failed.status_code == 503
    assert {"message", "requestId", "type"} <= set(failed.json())
    assert server.reserve()["id"]
