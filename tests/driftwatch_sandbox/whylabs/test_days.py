"""The WhyLabs stand-in's days: merged, kept apart, deleted, kept over a restart."""

from __future__ import annotations

from datetime import timedelta

from driftwatch.drift.whylogs_profiles import feature_profile, performance_profile
from driftwatch_sandbox.whylabs.app import create_app
from driftwatch_sandbox.whylabs.store import Settings
from driftwatch_servers.serving import running

from .client import DAY, KEY, MS, ORG, Server, features


def test_the_same_profile_twice_shows_as_doubled_counts(server):
    payload = feature_profile(features(40), DAY)
    performance = performance_profile(["cat", "dog"], ["cat", "cat"], [0.9, 0.6], DAY)
    for body in (payload, performance, payload, performance):
        server.upload(body)

    day = server.day()
    assert day["columns"]["image.width"]["count"] == 80
    assert day["confusion"]["counts"] == [[2, 0], [2, 0]]
    assert len(day["upload_ids"]) == 4


def test_days_are_kept_apart_by_their_timestamp_in_utc(server):
    server.upload(feature_profile(features(3), DAY), MS)
    server.upload(feature_profile(features(4), DAY), MS + 86_399_999)
    server.upload(feature_profile(features(5), DAY + timedelta(1)), MS + 86_400_000)

    counts = {day: found["columns"]["image.width"]["count"] for day, found in server.state()["days"].items()}
    assert counts == {"2026-01-02": 7, "2026-01-03": 5}


def test_deleting_a_day_takes_its_time_and_leaves_the_others(serve):
    server = serve(delete_seconds=0.6)
    server.upload(feature_profile(features(3), DAY), MS)
    server.upload(feature_profile(features(5), DAY), MS + 86_400_000)
    span = {"profile_start_timestamp": MS, "profile_end_timestamp": MS + 86_400_000}
    answer = server.http.delete(f"{ORG}/dataset-profiles/models/model-1", params=span)
    requests = f"{ORG}/dataset-profiles/delete-requests/dataset-profiles"

    assert answer.json() == {"id": "org-1/model-1"}
    assert server.http.get(requests).json()[0]["status"] == "PENDING"
    assert set(server.state()["days"]) == {"2026-01-02", "2026-01-03"}
    import time

    time.sleep(0.7)
    assert server.http.get(requests).json()[0]["status"] == "COMPLETED"
    assert set(server.state()["days"]) == {"2026-01-03"}


def test_everything_survives_a_restart(tmp_path):
    app_1 = create_app(str(tmp_path / "w.db"), Settings(api_key=KEY))
    with running(app_1) as url:
        server = Server(url)
        server.upload(feature_profile(features(6), DAY), **{"X-WHYLABS-IDEMPOTENCY-KEY": "k-1"})
        before = server.state()
    with running(create_app(str(tmp_path / "w.db"), Settings(api_key=KEY))) as url:
        server = Server(url)
        assert server.state() == before
        server.upload(feature_profile(features(6), DAY), **{"X-WHYLABS-IDEMPOTENCY-KEY": "k-1"})
        assert server.day()["columns"]["image.width"]["count"] == 6
