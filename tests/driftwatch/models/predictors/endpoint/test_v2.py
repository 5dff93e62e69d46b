"""The Open Inference Protocol v2: as JSON and as bytes, by version, and with several outputs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from driftwatch.http import ServiceError
from driftwatch.models.predictors.endpoint.plan import DoesNotFit
from driftwatch.models.predictors.endpoint.v2 import HEADER

from ....http.scripted import Scripted, answer
from .conftest import ask, expected, facts_of, pictures, predictor_at

ABOUT = json.dumps({"name": "colours", "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 16, 16, 3]}]})


@pytest.mark.parametrize("datatype", ["FP32", "FP64", "UINT8"])
@pytest.mark.parametrize("binary", [False, True])
def test_tensors_of_each_datatype_arrive_as_they_are(server, datatype, binary):
    server.model.datatype, server.model.binary = datatype, binary
    images = pictures(5)
    np.testing.assert_allclose(ask(server.predictor(), images).scores, expected(images), atol=1e-6)


def test_bytes_are_sent_where_the_server_lists_them_or_the_monitor_file_says_so():
    scores = {"outputs": [{"name": "logits", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}
    for listed, binary, sent in (
        (["binary_tensor_data"], None, b"octet-stream"),
        (["binary_tensor_data"], False, b"application/json"),
        ([], True, b"octet-stream"),
        ([], None, b"application/json"),
    ):
        asks_for_it = [answer(200, json.dumps({"extensions": listed}))] if binary is None else []
        server = Scripted([answer(200, ABOUT), answer(200), *asks_for_it, answer(200, json.dumps(scores))])
        ask(predictor_at(server.url, **({} if binary is None else {"binary": binary})), pictures(1))
        assert sent in server.heard[-1].split(b"\r\n\r\n")[0]
        server.end()


def test_a_gateway_without_the_servers_own_page_gets_json():
    scores = {"outputs": [{"name": "logits", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}
    server = Scripted([answer(200, ABOUT), answer(200), answer(404, "no route"), answer(200, json.dumps(scores))])
    assert len(ask(predictor_at(server.url), pictures(1)).scores) == 1
    server.end()


def test_half_precision_goes_as_bytes_alone(server):
    server.model.datatype, server.model.outputs = "FP16", {"logits": "FP16"}
    with pytest.raises(DoesNotFit, match=r"takes FP16, which has no JSON form"):
        ask(server.predictor(), pictures(2))
    server.model.binary = True
    images = pictures(2)
    np.testing.assert_allclose(ask(server.predictor(), images).scores, expected(images), atol=2e-3)


@pytest.mark.parametrize("binary", [False, True])
def test_the_named_output_is_read_whatever_stands_before_it(server, binary):
    server.model.binary = binary
    server.model.outputs = {"logits": "FP32", "label": "INT64", "features": "FP32"}
    images = pictures(4)
    found = ask(server.predictor(facts=facts_of(name="logits")), images)
    np.testing.assert_allclose(found.scores, expected(images), atol=1e-6)


def test_bytes_of_a_later_output_stand_behind_those_of_the_earlier_ones():
    label, logits = np.array([7], "<i8").tobytes(), np.array([[1, 2, 3]], "<f4").tobytes()
    outputs = [
        {"name": "label", "datatype": "INT64", "shape": [1], "parameters": {"binary_data_size": len(label)}},
        {"name": "logits", "datatype": "FP32", "shape": [1, 3], "parameters": {"binary_data_size": len(logits)}},
    ]
    head = json.dumps({"model_version": 3, "outputs": outputs}).encode()
    body = head + label + logits
    reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n%s: %d\r\n\r\n" % (
        len(body),
        HEADER.encode(),
        len(head),
    )
    server = Scripted([answer(200, ABOUT), answer(200), reply + body])
    predictor = predictor_at(server.url, binary=True, facts=facts_of(name="logits"))
    raw, versions = predictor.answers(_one(), 1)
    assert (raw.tolist(), versions) == ([[1, 2, 3]], ["3"])
    server.end()
    cut = Scripted(
        [
            answer(200, ABOUT),
            answer(200),
            reply.replace(str(len(body)).encode(), str(len(body) - 5).encode()) + body[:-5],
        ]
    )
    with pytest.raises(ServiceError, match="answered 1 images with what is no table of numbers"):
        predictor_at(cut.url, binary=True, facts=facts_of(name="logits")).answers(_one(), 1)
    cut.end()


def test_class_numbers_are_no_scores():
    labels = {"outputs": [{"name": "predict", "datatype": "INT64", "shape": [1, 1], "data": [2]}]}
    server = Scripted([answer(200, ABOUT), answer(200), answer(200, "{}"), answer(200, json.dumps(labels))])
    with pytest.raises(
        DoesNotFit, match=r"its output 'predict' is INT64, and scores are FP16, FP32, FP64: set model\.output_name"
    ):
        ask(predictor_at(server.url), pictures(1))
    server.end()


def test_a_version_is_asked_by_its_name(server):
    server.model.versions = ["1", "2", "rc 3"]
    images = pictures(3)
    found = ask(server.predictor(version="2"), images)
    np.testing.assert_allclose(found.scores, expected(images, "2"), atol=1e-6)
    assert ask(server.predictor(version="rc 3"), images).versions == ["rc 3"] * 3


def _one():
    from driftwatch.models.predictors.base import Asked

    return Asked([pictures(1)])
