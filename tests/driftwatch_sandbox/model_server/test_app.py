"""The stand-in speaks both protocols as the real servers do: the forms below are those of their documents."""

from __future__ import annotations

import json

import httpx
import numpy as np
import pytest

from driftwatch_sandbox.model_server.app import create_app
from driftwatch_sandbox.model_server.model import ServedModel
from driftwatch_servers.serving import running


@pytest.fixture(scope="module")
def http():
    model = ServedModel("sums", (-1, 2), lambda tensor, version: tensor.sum(axis=1, keepdims=True), versions=["1", "3"])
    with running(create_app(model, "secret")) as url, httpx.Client(base_url=url) as client:
        client.headers["Authorization"] = "Bearer secret"
        yield client


def test_tensorflow_serving_tells_its_versions_and_predicts_in_rows_and_columns(http):
    states = http.get("/v1/models/sums").json()["model_version_status"]
    assert [(one["version"], one["state"]) for one in states] == [("1", "AVAILABLE"), ("3", "AVAILABLE")]
    rows = http.post("/v1/models/sums/versions/3:predict", json={"instances": [[1, 2], [3, 4]]}).json()
    columns = http.post("/v1/models/sums/versions/3:predict", json={"inputs": {"image": [[1, 2], [3, 4]]}}).json()
    assert (rows, columns) == ({"predictions": [[3.0], [7.0]]}, {"outputs": [[3.0], [7.0]]})
    refused = http.post("/v1/models/sums/versions/2:predict", json={"instances": [[1, 2]]})
    assert (refused.status_code, refused.json()) == (
        404,
        {"error": "Servable not found for request: Specific(sums, 2)"},
    )


def test_the_open_inference_protocol_answers_in_json_and_in_bytes(http):
    about = http.get("/v2/models/sums").json()
    assert about["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [-1, 2]}]
    given = {"name": "image", "datatype": "FP32", "shape": [2, 2]}
    answer = http.post("/v2/models/sums/infer", json={"inputs": [{**given, "data": [1, 2, 3, 4]}]}).json()
    assert answer["model_version"] == "3"
    assert answer["outputs"] == [{"name": "scores", "datatype": "FP32", "shape": [2, 1], "data": [3.0, 7.0]}]

    raw = np.array([1, 2, 3, 4], "<f4").tobytes()
    asked = {
        "inputs": [{**given, "parameters": {"binary_data_size": len(raw)}}],
        "parameters": {"binary_data_output": True},
    }
    head = json.dumps(asked).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    found = http.post("/v2/models/sums/versions/1/infer", content=head + raw, headers=headers)
    end = int(found.headers["Inference-Header-Content-Length"])
    assert json.loads(found.content[:end])["outputs"][0]["parameters"] == {"binary_data_size": 8}
    assert np.frombuffer(found.content[end:], "<f4").tolist() == [3, 7]


def test_nobody_is_let_in_without_the_token(http):
    assert http.get("/v2/models/sums", headers={"Authorization": "Bearer no"}).status_code == 401


def test_a_busy_server_says_when_to_come_back(http):
    http.post("/_sandbox/faults", json={"fault": "unavailable", "seconds": 7})
    busy = http.get("/v2/models/sums")
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "7")
    assert http.get("/v2/models/sums").status_code == 200
