"""TensorFlow Serving's REST: rows and columns, signatures, versions and labels."""

from __future__ import annotations

import json

import numpy as np
import pytest

from driftwatch.http import ServiceError
from driftwatch.models.predictors.endpoint.plan import DoesNotFit

from ....http.scripted import Scripted, answer
from .conftest import ask, colours, expected, facts_of, pictures, predictor_at


@pytest.mark.parametrize("body", ["instances", "inputs"])
@pytest.mark.parametrize("outputs", [{"logits": "FP32"}, {"logits": "FP32", "classes": "INT64"}])
@pytest.mark.parametrize("datatype", ["FP32", "FP16", "UINT8"])
def test_rows_and_columns_give_the_same_scores(server, body, outputs, datatype):
    server.model.outputs, server.model.datatype = outputs, datatype
    images = pictures(5)
    found = ask(server.predictor("tensorflow", body=body), images)
    np.testing.assert_allclose(found.scores, expected(images), atol=1e-6)


def test_one_chance_for_each_image_may_be_a_plain_list(server):
    server.model.scores = lambda tensor, version: colours(tensor, version)[:, 0] / 20
    predictor = server.predictor("tensorflow", facts=facts_of("sigmoid"))
    raw, _ = predictor.answers(_asked(pictures(3)), 4)
    np.testing.assert_allclose(raw[:, 0], colours(pictures(3), "1")[:, 0] / 20)


def test_each_request_names_the_version_that_the_server_serves_then(server):
    ask(server.predictor("tensorflow", images_per_request=2, requests_at_once=1), pictures(4))
    assert server.asked() == [
        "GET /v1/models/colours",
        "GET /v1/models/colours/versions/1/metadata",
        *["GET /v1/models/colours", "POST /v1/models/colours/versions/1:predict"] * 2,
    ]


@pytest.mark.parametrize(("wanted", "version"), [("1", "1"), ("10", "10"), ("stable", "10"), (None, "10")])
def test_a_version_is_asked_by_its_number_or_its_label(server, wanted, version):
    server.model.versions = ["1", "9", "10"]
    assert ask(server.predictor("tensorflow", version=wanted), pictures(2)).versions == [version] * 2


def test_a_version_that_goes_away_before_it_is_asked_is_followed_by_the_next(server):
    server.model.versions = ["1"]
    predictor = server.predictor("tensorflow", requests_at_once=1, images_per_request=2)

    def replaced(tensor, version):
        return colours(tensor, version)

    server.model.scores = replaced
    real = server.model.version

    def gone(wanted):
        if wanted == "1" and server.model.requests:
            server.model.versions = ["2"]
        return real(wanted)

    server.model.version = gone  # between the look at the versions and the request
    assert ask(predictor, pictures(4)).versions == ["1", "1", "2", "2"]


@pytest.mark.parametrize(
    "predictions",
    [
        [{"logits": [1, 2, 3], "classes": 2}, 5],
        [5, {"logits": [1, 2, 3]}],
        {"logits": [[1, 2, 3]] * 2},
        "1, 2, 3",
        None,
        [None, [1]],
    ],
)
def test_what_is_no_table_of_answers_is_told_with_the_model(predictions):
    status = {"model_version_status": [{"version": "1", "state": "AVAILABLE"}]}
    image = {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": side} for side in (-1, 16, 16, 3)]}}
    scores = {
        name: {"dtype": kind, "tensor_shape": {}} for name, kind in (("logits", "DT_FLOAT"), ("classes", "DT_INT64"))
    }
    signature = {"serving_default": {"inputs": {"image": image}, "outputs": scores}}
    told = {"metadata": {"signature_def": {"signature_def": signature}}}
    said = [status, told, status, {"predictions": predictions}]
    server = Scripted([answer(200, json.dumps(body)) for body in said])
    with pytest.raises(
        ServiceError,
        match=r"the model 'colours' at \S+ (answered 2 images with what is no table|was asked for 2 images)",
    ):
        ask(predictor_at(server.url, "tensorflow"), pictures(2))
    server.end()


def test_another_signature_is_refused_with_those_there_are(server):
    with pytest.raises(
        DoesNotFit, match=r"has the signatures serving_default, and model\.endpoint\.signature is 'classify'"
    ):
        ask(server.predictor("tensorflow", signature="classify"), pictures(1))


def test_a_signature_that_takes_encoded_files_is_refused(server):
    server.model.datatype = "BYTES"
    with pytest.raises(DoesNotFit, match="'image' takes DT_STRING, and Driftwatch sends tensors"):
        ask(server.predictor("tensorflow"), pictures(1))


def _asked(images):
    from driftwatch.models.predictors.base import Asked

    return Asked([images])
