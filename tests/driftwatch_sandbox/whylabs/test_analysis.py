"""The WhyLabs stand-in analyses days as the service does, over real HTTP."""

from __future__ import annotations

from datetime import timedelta

import httpx

from driftwatch.drift.whylogs_profiles import feature_profile, performance_profile

from .client import DAY, MODEL, MS, ORG, Server, features


def drift_monitor(reference_id: str) -> dict[str, dict]:
    analyzer = {
        "id": "image-drift-analyzer",
        "schedule": {"type": "fixed", "cadence": "daily"},
        "targetMatrix": {"type": "column", "include": ["image.Brightness.mean"], "exclude": [], "segments": []},
        "config": {
            "type": "drift",
            "algorithm": "hellinger",
            "metric": "histogram",
            "threshold": 0.7,
            "minBatchSize": 1,
            "baseline": {"type": "Reference", "profileId": reference_id},
        },
    }
    fixed = {
        "id": "accuracy-floor-analyzer",
        "schedule": {"type": "fixed", "cadence": "daily"},
        "targetMatrix": {"type": "dataset", "segments": []},
        "config": {"type": "fixed", "metric": "classification.accuracy", "lower": 0.8},
    }
    monitor = {
        "id": "image-drift-monitor",
        "analyzerIds": [analyzer["id"], fixed["id"]],
        "schedule": {"type": "immediate"},
        "severity": 3,
        "mode": {"type": "DIGEST"},
        "actions": [{"type": "global", "target": "airflow-hook"}],
    }
    return {"analyzer": analyzer, "fixed": fixed, "monitor": monitor}


def results(server: Server, **more: object) -> list[dict]:
    body = {"interval": "2026-01-01T00:00:00Z/P30D", "offset": 0, "limit": 100, **more}
    answer = server.http.post(f"{ORG}/dataset/model-1/data/analysis-results", json=body)
    return answer.raise_for_status().json()["results"]


def test_monitors_find_the_drifted_day_and_not_analysed_is_no_row(server):
    reserved = server.http.post(
        f"{ORG}/log/reference/model-1", json={"alias": "champion-1", "datasetTimestamp": MS, "region": None}
    ).json()
    httpx.put(reserved["uploadUrl"], content=feature_profile(features(200), DAY))
    parts = drift_monitor(reserved["id"])
    config = f"{MODEL}/monitor-config"
    for kind, document in (
        ("analyzer", parts["analyzer"]),
        ("analyzer", parts["fixed"]),
        ("monitor", parts["monitor"]),
    ):
        server.http.put(f"{config}/{kind}/{document['id']}", json=document).raise_for_status()
    server.upload(feature_profile(features(100), DAY), MS)
    server.upload(feature_profile(features(100, shift=80), DAY), MS + 86_400_000)
    server.upload(performance_profile(["cat"] * 4, ["cat", "cat", "cat", "dog"], [1.0] * 4, DAY), MS + 86_400_000)

    assert results(server, onlyAnomalies=False) == []
    # The day has no performance, so that the floor has nothing to judge: no row, rather than a row without an anomaly.
    assert server.http.post("/_sandbox/analyse?dataset=model-1&day=2026-01-02").json() == {"results": 1}
    assert results(server) == []
    assert [row["analyzerId"] for row in results(server, onlyAnomalies=False)] == ["image-drift-analyzer"]
    server.http.post("/_sandbox/analyse?dataset=model-1&day=2026-01-03").raise_for_status()
    anomalies = results(server)

    assert {(row["analyzerId"], row["datasetTimestamp"]) for row in anomalies} == {
        ("image-drift-analyzer", MS + 86_400_000),
        ("accuracy-floor-analyzer", MS + 86_400_000),
    }
    assert all(row["monitorIds"] == ["image-drift-monitor"] for row in anomalies)
    by_id = {row["analyzerId"]: row for row in anomalies}
    assert by_id["accuracy-floor-analyzer"]["metricValue"] == 0.75
    assert by_id["image-drift-analyzer"]["metricValue"] > 0.9
    document = server.http.get(f"{config}/v3").json()
    assert [len(document[kind]) for kind in ("analyzers", "monitors")] == [2, 1]


def test_a_trailing_window_needs_its_batches(server):
    analyzer = {
        "id": "accuracy-trailing",
        "schedule": {"type": "fixed", "cadence": "daily"},
        "targetMatrix": {"type": "dataset", "segments": []},
        "config": {
            "type": "stddev",
            "metric": "classification.accuracy",
            "factor": 3,
            "minBatchSize": 4,
            "baseline": {"type": "TrailingWindow", "size": 7},
        },
    }
    server.http.put(f"{MODEL}/monitor-config/analyzer/accuracy-trailing", json=analyzer).raise_for_status()
    for number, right in enumerate([9, 8, 9, 8, 1]):
        predictions = ["cat"] * right + ["dog"] * (10 - right)
        server.upload(performance_profile(["cat"] * 10, predictions, [1.0] * 10, DAY), MS + number * 86_400_000)
    for number in (1, 4):
        day = DAY + timedelta(number)
        server.http.post(f"/_sandbox/analyse?dataset=model-1&day={day}").raise_for_status()

    (anomaly,) = results(server)
    assert anomaly["datasetTimestamp"] == MS + 4 * 86_400_000
    (failed,) = [row for row in results(server, onlyAnomalies=False, includeFailures=True) if row["failedAnalysis"]]
    assert (failed["failureType"], failed["isAnomaly"]) == ("InsufficientBaseline", False)
    assert "4 are needed" in failed["failureExplanation"]


def put_floor(server: Server, lower: float = 0.8, **changes: object) -> None:
    document = {**drift_monitor("none")["fixed"], **changes}
    document["config"] = {**document["config"], "lower": lower}
    answer = server.http.put(f"{MODEL}/monitor-config/analyzer/{document['id']}", json=document)
    answer.raise_for_status()


def eventually(look, seconds: float = 10):
    """What `look` finds, once it finds something."""
    import time

    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "nothing was found in time"
        time.sleep(0.02)
    return found


def performance(right: int, wrong: int) -> bytes:
    return performance_profile(
        ["cat"] * (right + wrong), ["cat"] * right + ["dog"] * wrong, [1.0] * (right + wrong), DAY
    )


def test_a_day_is_analysed_by_itself_once_its_delay_is_over_and_late_performance_is_not_missed(serve):
    server = serve(analyse_seconds=0.3)
    put_floor(server)
    server.upload(feature_profile(features(40), DAY))
    assert results(server, onlyAnomalies=False) == []
    eventually(lambda: server.http.get("/_sandbox/analysed?dataset=model-1").json() == ["2026-01-02"])
    assert results(server, onlyAnomalies=False) == []

    server.upload(performance(3, 1))
    assert results(server, onlyAnomalies=False) == []
    (row,) = eventually(lambda: results(server, onlyAnomalies=False))
    assert (row["isAnomaly"], row["metricValue"]) == (True, 0.75)


def test_a_day_that_was_analysed_is_not_analysed_again_until_it_is_deleted(serve):
    server = serve(analyse_seconds=0)
    put_floor(server)
    server.upload(performance(3, 1))
    eventually(lambda: results(server))
    server.upload(performance(30, 0))
    eventually(lambda: server.http.get("/_sandbox/analysed?dataset=model-1").json() == ["2026-01-02"])
    assert [row["metricValue"] for row in results(server, onlyAnomalies=False)] == [0.75]

    span = {"profile_start_timestamp": MS, "profile_end_timestamp": MS + 86_400_000}
    server.http.delete(f"{ORG}/dataset-profiles/models/model-1", params=span).raise_for_status()
    server.upload(performance(30, 0))
    eventually(lambda: [row["metricValue"] for row in results(server, onlyAnomalies=False)] == [1.0])


def test_a_new_analyzer_sees_the_days_that_are_there_and_one_that_is_off_sees_none(serve):
    server = serve(analyse_seconds=0)
    server.upload(performance(3, 1))
    put_floor(server, schedule=None)
    eventually(lambda: server.http.get("/_sandbox/analysed?dataset=model-1").json() == ["2026-01-02"])
    assert results(server, onlyAnomalies=False) == []

    put_floor(server)
    eventually(lambda: results(server))
    document = server.http.get(f"{MODEL}/monitor-config/analyzer/accuracy-floor-analyzer").json()
    assert document["metadata"]["version"] == 2


def test_a_one_sided_window_does_not_mind_a_better_day(server):
    config = {"type": "stddev", "metric": "classification.accuracy", "factor": 1, "minBatchSize": 4}
    config["baseline"] = {"type": "TrailingWindow", "size": 7}
    for name, more in (("accuracy-both-sides", {}), ("accuracy-lower-side", {"thresholdType": "lower"})):
        put_floor(server, id=name, config={**config, **more})
    for number, right in enumerate([8, 7, 8, 7, 10]):
        server.upload(performance(right, 10 - right), MS + number * 86_400_000)
    server.http.post("/_sandbox/analyse?dataset=model-1&day=2026-01-06").raise_for_status()

    assert [row["analyzerId"] for row in results(server)] == ["accuracy-both-sides"]
