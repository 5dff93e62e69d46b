"""The WhyLabs stand-in, over real HTTP: whylogs' own writer, the official client, and plain requests."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone

import httpx
import numpy as np
import pandas as pd
import pytest

from driftwatch.profiling.whylogs_profiles import feature_profile, performance_profile
from driftwatch_sandbox.serving import running
from driftwatch_sandbox.whylabs.app import create_app
from driftwatch_sandbox.whylabs.store import Settings

KEY = "abcdefghij.secret-part"
DAY = date(2026, 1, 2)
MIDNIGHT = datetime(2026, 1, 2, tzinfo=timezone.utc)
MS = int(MIDNIGHT.timestamp() * 1000)
ORG = "/v0/organizations/org-1"
MODEL = f"{ORG}/models/model-1"


def features(rows: int = 40, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame({"image.Brightness.mean": rng.normal(100 + shift, 10, rows), "image.width": [320] * rows})


class Server:
    """A client with the key, and the state by day."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, headers={"X-API-Key": KEY}, timeout=10)

    def state(self) -> dict:
        return self.http.get("/_sandbox/state").raise_for_status().json()["datasets"]["model-1"]

    def day(self, day: date = DAY) -> dict:
        return self.state()["days"][day.isoformat()]

    def reserve(self, timestamp: int = MS, **headers: str) -> dict:
        body = {"datasetTimestamp": timestamp, "segmentTags": [], "region": None}
        answer = self.http.post("/v1/log/async", json=body, headers={"X-WHYLABS-RESOURCE": "model-1", **headers})
        return answer.raise_for_status().json()

    def upload(self, payload: bytes, timestamp: int = MS, **headers: str) -> str:
        reserved = self.reserve(timestamp, **headers)
        assert httpx.put(reserved["uploadUrl"], content=payload).status_code == 200
        return reserved["id"]


@pytest.fixture
def serve(tmp_path):
    """Starts servers over one database file; each ends with the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(**settings: object) -> Server:
            app = create_app(str(tmp_path / "whylabs.db"), Settings(api_key=KEY, **settings))
            server = Server(stack.enter_context(running(app)))
            stack.enter_context(server.http)  # open connections would hold up the server's end
            return server

        yield start


@pytest.fixture
def server(serve) -> Server:
    return serve()


@pytest.fixture
def writer(server, monkeypatch):
    """whylogs' own writer, pointed at the server as a user would: by environment variables."""
    for name in ("WHYLABS_PRIVATE_API_ENDPOINT", "WHYLABS_API_KEY", "WHYLABS_DEFAULT_ORG_ID", "WHYLOGS_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WHYLABS_API_ENDPOINT", server.url)
    from whylogs.api.whylabs.session import session_manager
    from whylogs.api.whylabs.session.whylabs_client_cache import WhylabsClientCache
    from whylogs.api.writer.whylabs import WhyLabsWriter

    session_manager.SessionManager.reset()
    WhylabsClientCache.reset()
    yield lambda: WhyLabsWriter(org_id="org-1", api_key=f"{KEY}:org-1", dataset_id="model-1")
    session_manager.SessionManager.reset()


def logged(rows: int = 40):
    from whylogs.core import DatasetProfile

    profile = DatasetProfile(dataset_timestamp=MIDNIGHT)
    profile.track(pandas=features(rows))
    return profile.view()


def test_whylogs_own_writer_is_understood(server, writer):
    ok, upload_id = writer().write(logged(40))

    assert ok is True
    day = server.day()
    assert day["upload_ids"] == [upload_id]
    assert day["columns"]["image.Brightness.mean"]["count"] == 40
    assert day["columns"]["image.Brightness.mean"]["mean"] == pytest.approx(features()["image.Brightness.mean"].mean())


def test_whylogs_own_writer_with_performance_metrics(server, writer):
    import whylogs as why

    frame = pd.DataFrame({"t": ["cat", "cat", "dog"], "p": ["cat", "dog", "dog"], "s": [0.9, 0.6, 0.8]})
    results = why.log_classification_metrics(
        frame, target_column="t", prediction_column="p", score_column="s", dataset_timestamp=MIDNIGHT
    )
    ok, _ = writer().write(results)

    assert ok is True
    assert server.day()["confusion"] == {"labels": ["cat", "dog"], "counts": [[1, 1], [0, 1]]}


def test_whylogs_own_writer_with_a_reference(server, writer):
    ok, reference_id = writer().option(reference_profile_name="champion-3").write(logged(25))

    assert ok is True
    state = server.state()
    assert state["days"] == {}
    (reference,) = state["references"]
    assert (reference["id"], reference["alias"]) == (reference_id, "champion-3")
    assert reference["profiles"][0]["columns"]["image.width"]["count"] == 25


@pytest.mark.parametrize("as_zip", [False, True])
def test_whylogs_own_writer_with_segments(server, writer, as_zip):
    import whylogs as why
    from whylogs.core import DatasetSchema
    from whylogs.core.segmentation_partition import segment_on_column

    # numpy 2 has no unicode_, which whylogs needs for text columns unless they are of type object
    frame = features(30).assign(camera=pd.Series(["a"] * 10 + ["b"] * 20, dtype=object))
    results = why.log(frame, schema=DatasetSchema(segments=segment_on_column("camera")))
    results.set_dataset_timestamp(MIDNIGHT)
    ok, _ = writer().write(results, zip=as_zip)

    assert ok is True
    segments = server.day()["segments"]
    assert {name: part["columns"]["image.width"]["count"] for name, part in segments.items()} == {
        "camera=a": 10,
        "camera=b": 20,
    }


def test_whylogs_own_writer_with_a_segmented_reference(server, writer):
    import whylogs as why
    from whylogs.core import DatasetSchema
    from whylogs.core.segmentation_partition import segment_on_column

    frame = features(30).assign(camera=pd.Series(["a"] * 10 + ["b"] * 20, dtype=object))
    results = why.log(frame, schema=DatasetSchema(segments=segment_on_column("camera")))
    results.set_dataset_timestamp(MIDNIGHT)
    ok, _ = writer().option(reference_profile_name="by-camera").write(results)

    assert ok is True
    parts = server.state()["references"]
    assert sorted(part["profiles"][0]["columns"]["image.width"]["count"] for part in parts) == [10, 20]


def test_a_transaction_counts_when_it_is_committed_and_not_when_it_is_aborted(server, writer):
    from whylogs.api.writer.whylabs_client import TransactionAbortedException

    aborted = writer()
    aborted.start_transaction()
    assert aborted.write(logged(5))[0] is True
    aborted.abort_transaction()
    with pytest.raises(TransactionAbortedException):
        aborted.commit_transaction()
    committed = writer()
    committed.start_transaction()
    assert committed.write(logged(7))[0] is True
    assert server.state()["days"] == {}
    assert len(committed.transaction_status()["files"]) == 1
    committed.commit_transaction()

    assert server.day()["columns"]["image.width"]["count"] == 7


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


def test_a_repeated_idempotency_key_gets_the_same_upload_and_counts_once(server):
    payload = feature_profile(features(40), DAY)
    first = server.upload(payload, **{"X-WHYLABS-IDEMPOTENCY-KEY": "k-1"})
    second = server.upload(payload, **{"X-WHYLABS-IDEMPOTENCY-KEY": "k-1"})
    other = server.upload(payload, **{"X-WHYLABS-IDEMPOTENCY-KEY": "k-2"})

    assert first == second != other
    assert server.day()["columns"]["image.width"]["count"] == 80


def test_a_repeated_idempotency_key_is_refused_in_the_strict_mode(serve):
    server = serve(idempotency="refuse")
    server.upload(feature_profile(features(4), DAY), **{"X-WHYLABS-IDEMPOTENCY-KEY": "k-1"})

    with pytest.raises(httpx.HTTPStatusError) as refused:
        server.reserve(**{"X-WHYLABS-IDEMPOTENCY-KEY": "k-1"})

    assert refused.value.response.status_code == 400
    assert refused.value.response.json()["message"] == "Failed Idempotent request. Idempotency key: k-1"


def test_an_upload_url_dies_and_cannot_be_forged(serve):
    server = serve(url_seconds=-1)
    url = server.reserve()["uploadUrl"]

    expired = httpx.put(url, content=b"WHY1")
    forged = httpx.put(re.sub(r"expires=\d+", "expires=99999999999999", url), content=b"WHY1")

    assert (expired.status_code, forged.status_code) == (403, 403)
    assert "Request has expired" in expired.text
    assert "SignatureDoesNotMatch" in forged.text
    assert server.state()["days"] == {}


def test_bytes_that_are_no_profile_are_taken_and_then_show_as_an_error(server):
    upload_id = server.upload(b"not a profile at all")

    state = server.state()
    assert state["days"] == {}
    (upload,) = state["uploads"]
    assert upload["id"] == upload_id
    assert "not a readable whylogs profile" in upload["error"]


@pytest.mark.parametrize(
    ("request_", "status", "kind"),
    [
        ({"headers": {"X-API-Key": "wrong"}}, 401, "Unauthorized"),
        ({"headers": {"X-API-Key": f"{KEY}:org-9"}}, 403, "Forbidden"),
        ({"headers": {"X-WHYLABS-RESOURCE": "model-9"}}, 404, "ResourceNotFound"),
        ({"headers": {"X-WHYLABS-RESOURCE": ""}}, 404, "ResourceNotFound"),
        ({"json": {"datasetTimestamp": MS, "region": "mars"}}, 400, "IllegalArgumentException"),
        ({"json": {"datasetTimestamp": "yesterday"}}, 400, "ConversionErrorException"),
        ({"url": "/v0/organizations/org-9/log/reference/model-1"}, 403, "Forbidden"),
        ({"url": "/v1/no-such-route"}, 404, "NotFound"),
    ],
)
def test_wrong_requests_get_songbirds_errors(server, request_, status, kind):
    url = request_.get("url", "/v1/log/async")
    headers = {"X-WHYLABS-RESOURCE": "model-1", **request_.get("headers", {})}
    answer = server.http.post(url, json=request_.get("json", {"datasetTimestamp": MS}), headers=headers)

    assert answer.status_code == status
    assert answer.json()["type"] == kind
    assert set(answer.json()) == {"message", "requestId", "type"}


def test_an_upload_without_the_resource_header_is_refused(server):
    answer = server.http.post("/v1/log/async", json={"datasetTimestamp": MS})

    assert (answer.status_code, answer.json()["message"]) == (400, "Missing required header: X-WHYLABS-RESOURCE")


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


def test_the_official_client_deletes_and_reads_back(server):
    whylabs_client = pytest.importorskip("whylabs_client")
    from whylabs_client.api.data_api import DataApi
    from whylabs_client.api.dataset_profile_api import DatasetProfileApi
    from whylabs_client.model.metric_timeseries_request import MetricTimeseriesRequest

    server.upload(performance_profile(["cat", "dog", "dog"], ["cat", "dog", "cat"], [0.9, 0.8, 0.7], DAY))
    configuration = whylabs_client.Configuration(host=server.url, api_key={"ApiKeyAuth": KEY})
    with whylabs_client.ApiClient(configuration) as client:

        def accuracy() -> list:
            body = MetricTimeseriesRequest(interval="2026-01-01T00:00:00Z/P7D", metric="classification.accuracy")
            return DataApi(client).metric_timeseries_data("org-1", "model-1", body)["data"]

        (point,) = accuracy()
        assert (point.timestamp, point.value) == (MS, pytest.approx(2 / 3))
        profiles = DatasetProfileApi(client)
        profiles.delete_dataset_profiles(
            "org-1", "model-1", profile_start_timestamp=MS, profile_end_timestamp=MS + 86_400_000
        )
        assert accuracy() == []
        (deletion,) = profiles.list_delete_dataset_profiles_requests("org-1")
        assert deletion.delete_gte == MS


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


def test_faults_are_injected_in_songbirds_form(server):
    server.http.post("/_sandbox/faults", json={"path_regex": "/v1/log/async", "fault": "error_before", "status": 503})

    body = {"datasetTimestamp": MS}
    failed = server.http.post("/v1/log/async", json=body, headers={"X-WHYLABS-RESOURCE": "model-1"})

    assert failed.status_code == 503
    assert {"message", "requestId", "type"} <= set(failed.json())
    assert server.reserve()["id"]


@pytest.mark.parametrize(
    ("fault", "said"), [("url_expired", "Request has expired"), ("url_refused", "SignatureDoesNotMatch")]
)
def test_an_upload_url_fails_on_request_as_s3s_do_and_takes_nothing(server, fault, said):
    server.http.post("/_sandbox/faults", json={"path_regex": "/upload/", "fault": fault}).raise_for_status()
    url = server.reserve()["uploadUrl"]
    refused = httpx.put(url, content=feature_profile(features(4), DAY))

    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/xml")
    assert said in refused.text
    assert server.state()["days"] == {}
    assert httpx.put(url, content=feature_profile(features(4), DAY)).status_code == 200


def test_the_command_serves_says_so_and_stops_on_sigterm(tmp_path):
    command = [sys.executable, "-m", "driftwatch_sandbox.whylabs", "--port", "0", "--database", str(tmp_path / "w.db")]
    process = subprocess.Popen(
        [*command, "--api-key", KEY, "--dataset", "a", "--dataset", "b"], stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        url = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)[1]
        assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
        models = httpx.get(f"{url}{ORG}/models", headers={"X-API-Key": KEY}).json()
        assert [item["id"] for item in models["items"]] == ["a", "b"]
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
