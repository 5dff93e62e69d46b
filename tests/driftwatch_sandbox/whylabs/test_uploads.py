"""The WhyLabs stand-in, over real HTTP, by whylogs' own writer, the official client, and plain requests: what is sent, counted and deleted."""

from __future__ import annotations

import re

import httpx
import pandas as pd
import pytest

from driftwatch.drift.whylogs_profiles import feature_profile, performance_profile

from .client import DAY, KEY, MIDNIGHT, MS, features, logged


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
