"""A day's images are answered by a model server: each image by the version that answered it, however the server behaves."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from driftwatch.errors import NeedsAttention
from driftwatch.http import NoAnswer, ServiceError, ServiceRefusedAccess, ServiceRefusedRequest
from driftwatch.models.predictors.base import Asked

from ....http.scripted import CUT, Scripted, answer
from .conftest import TOKEN, VERSION, ask, colours, expected, facts_of, pictures, predictor_at


@pytest.mark.parametrize("at_once", [1, 8])
def test_each_image_has_the_scores_that_the_server_gave_it(server, protocol, at_once):
    images = pictures(61)
    predictor = server.predictor(protocol, requests_at_once=at_once, images_per_request=3)
    found = predictor.predict(Asked(iter([images[:20], images[20:20], images[20:]])), 256)
    np.testing.assert_allclose(found.scores, expected(images), atol=1e-6)
    assert (found.embeddings, found.versions) == (None, ["1"] * 61)
    assert sorted(server.model.requests) == [2, 2] + [3] * 19  # no request goes beyond a block
    assert server.model.most_at_once <= at_once


def test_requests_are_answered_at_the_same_time_and_kept_in_order(server, protocol):
    met = threading.Barrier(4, timeout=10)

    def slow_first(tensor, version):
        met.wait()  # nobody is answered before four have asked
        time.sleep(0.05 if tensor[0, 0, 0, 0] > 120 else 0)
        return colours(tensor, version)

    server.model.scores = slow_first
    images = pictures(8)
    found = ask(server.predictor(protocol, requests_at_once=4, images_per_request=1), images)
    np.testing.assert_allclose(found.scores, expected(images), atol=1e-6)


def test_images_are_read_as_answers_come_in(server, protocol):
    read: list[int] = []

    def blocks():
        for number in range(40):
            read.append(number)
            assert number <= len(server.model.requests) + 5, "more of the day is in memory than asked for"
            yield pictures(2)

    found = server.predictor(protocol, requests_at_once=2).predict(Asked(blocks()), 2)
    assert (len(found.scores), len(read)) == (80, 40)


def test_an_empty_day_has_a_place_for_each_class(server, protocol):
    assert server.predictor(protocol).predict(Asked([]), 4).scores.shape == (0, 3)


def test_the_preprocessing_of_the_monitor_file_is_what_the_server_is_sent(server, protocol):
    server.model.shape = (-1, 3, 16, 16)
    facts = facts_of(colour="bgr", scale=1 / 255, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), layout="nchw")
    sent: list[np.ndarray] = []
    server.model.scores = lambda tensor, version: sent.append(tensor) or colours(tensor, version)
    images = pictures(3)
    ask(server.predictor(protocol, facts=facts), images)
    wanted = (images[..., ::-1].astype("float32") / 255 - 0.5) / 0.25
    np.testing.assert_allclose(sent[0], wanted.transpose(0, 3, 1, 2), atol=1e-6)


def test_a_model_of_a_fixed_batch_is_asked_for_whole_batches(server, protocol):
    server.model.shape = (4, 16, 16, 3)
    images = pictures(10)
    found = ask(server.predictor(protocol, images_per_request=3), images)
    np.testing.assert_allclose(found.scores, expected(images), atol=1e-6)
    assert server.model.requests == [4, 4, 4]


@pytest.mark.parametrize("protocol", ["v2", "tensorflow"])
def test_a_new_version_in_the_middle_of_a_day_stands_beside_its_own_answers(server, protocol):
    def released(tensor, version):
        if len(server.model.requests) == 3:
            server.model.versions = ["1", "2"]
        if len(server.model.requests) == 5:
            server.model.versions = ["2"]  # the old one is taken away
        return colours(tensor, version)

    server.model.scores = released
    images = pictures(14)
    found = ask(server.predictor(protocol, requests_at_once=1, images_per_request=2), images)
    assert found.versions == ["1"] * 6 + ["2"] * 8
    wanted = np.concatenate([expected(images[:6]), expected(images[6:], "2")])
    np.testing.assert_allclose(found.scores, wanted, atol=1e-6)


@pytest.mark.parametrize(
    "fault", ["drop_before", "drop_after", "error_before", "error_after_commit", "html_502", "rate_limit_quota"]
)
def test_what_passes_is_asked_again_and_no_image_is_lost(server, protocol, fault):
    server.fault(fault, times=2)
    images = pictures(9)
    found = ask(server.predictor(protocol, requests_at_once=3), images, 2)
    np.testing.assert_allclose(found.scores, expected(images), atol=1e-6)
    assert found.versions == ["1"] * 9


@pytest.mark.parametrize(
    "fault", ["rate_limit", pytest.param("unavailable", marks=pytest.mark.all_faults("one wait is in the plain suite"))]
)
def test_where_one_request_is_asked_to_wait_all_of_them_wait(server, protocol, fault):
    images, answered = pictures(12), []

    def noted(tensor, version):
        time.sleep(0.2)  # meanwhile the one that is refused is known
        answered.append(time.monotonic())
        return colours(tensor, version)

    server.model.scores = noted
    server.fault(fault, times=1, seconds=1)
    begun = time.monotonic()
    found = ask(server.predictor(protocol, requests_at_once=3, images_per_request=1), images, 1)
    np.testing.assert_allclose(found.scores, expected(images), atol=1e-6)
    assert len(answered) == 12
    assert len([moment for moment in answered if moment < begun + 1]) <= 2  # the two that were under way


def test_an_answer_that_takes_too_long_is_asked_again(server, protocol):
    server.fault("slow", times=1, seconds=3)
    found = ask(server.predictor(protocol, extras={"timeout": 0.5}), pictures(3))
    assert len(found.scores) == 3


def test_an_answer_that_is_cut_short_is_asked_again_and_then_told():
    about = '{"name": "colours", "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 16, 16, 3]}]}'
    silent = Scripted([answer(200, about), answer(200), answer(200, "{}"), CUT])
    predictor = predictor_at(silent.url, extras={"retries": 1, "timeout": 2})
    with pytest.raises(
        NoAnswer, match=r"did not answer POST /v2/models/colours/infer at http.*tried 2 times; check the address in"
    ):
        ask(predictor, pictures(2))
    silent.end()


def test_a_server_that_stays_broken_fails_the_task_once_and_asks_no_more(server, protocol):
    server.fault("error_before", times=None)
    predictor = server.predictor(protocol, requests_at_once=2, images_per_request=1, extras={"retries": 1})
    with pytest.raises(
        ServiceError,
        match=r"Model server answered 500 to POST /v\d/models/colours\S* at http://127\S+ after 2 tries: .*run the task again later",
    ):
        ask(predictor, pictures(40), 1)
    tried = len([one for one in server.asked() if one.startswith("POST")])
    assert tried <= 12  # of 40 images


def test_a_refused_login_names_the_connection_and_shows_no_secret(server, protocol):
    wrong = predictor_at(server.url, protocol, token="another-secret")
    with pytest.raises(
        ServiceRefusedAccess, match=r"401 .*check the secret .*in the Airflow connection colours"
    ) as refused:
        ask(wrong, pictures(1))
    assert "another-secret" not in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_nobody_at_the_address_names_it(protocol):
    with pytest.raises(
        NoAnswer, match=r"Model server did not answer GET /v\d/models/colours at http://127\.0\.0\.1:9 "
    ):
        ask(predictor_at("http://127.0.0.1:9", protocol, extras={"retries": 0}), pictures(1))


def test_a_model_that_is_not_there_is_named_with_what_to_check(server, protocol):
    with pytest.raises(
        ServiceRefusedRequest,
        match=r"404 to GET /v\d/models/cats/versions/7 at .*check model\.endpoint\.model 'cats' and version '7'",
    ):
        ask(server.predictor(protocol, model="cats", version="7"), pictures(1))


def test_a_model_that_is_still_loading_is_a_matter_of_time(server, protocol):
    server.model.loading = True
    with pytest.raises(ServiceError, match=r"the model 'colours' at http.*run the task again later") as refused:
        ask(server.predictor(protocol), pictures(1))
    assert not isinstance(refused.value, NeedsAttention)


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        (lambda tensor: colours(tensor, "1")[:-1], r"was asked for 4 images and answered \[3, 3\]"),
        (
            lambda tensor: colours(tensor, "1")[:, :2],
            r"gives \[4, 2\], and model\.output logits of 3 classes is \[n, 3\]",
        ),
    ],
)
def test_an_answer_of_another_shape_is_refused_with_both(server, protocol, scores, told):
    server.model.scores = lambda tensor, version: scores(tensor)
    with pytest.raises((ServiceError, NeedsAttention), match=told):
        ask(server.predictor(protocol), pictures(4))


def test_scores_that_are_no_numbers_are_refused_with_the_images(server, protocol):
    def broken(tensor, version):
        found = colours(tensor, version)
        found[tensor[:, 0, 0, 1] > 120] = np.nan
        return found

    server.model.scores = broken
    with pytest.raises(
        NeedsAttention, match=r"the model 'colours' at http\S+ answers image id1, id4 with scores that are no numbers"
    ):
        ask(server.predictor(protocol), pictures(6), 6, image_ids=[f"id{n}" for n in range(6)])
    with pytest.raises(NeedsAttention, match=r"answers image 1, 4, 7 and 2 more with"):
        ask(server.predictor(protocol), pictures(15), 15)


def test_two_models_of_one_name_are_told(server, protocol):
    server.model.scores = lambda tensor, version: colours(tensor, version)[:, : 3 - (len(server.model.requests) > 1)]
    with pytest.raises(NeedsAttention, match="some images with 2 numbers and others with 3: two models share the name"):
        ask(server.predictor(protocol, requests_at_once=1), pictures(8), 4)


def test_a_version_that_the_server_does_not_tell_is_the_registrys():
    about = '{"name": "colours", "versions": [], "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 16, 16, 3]}]}'
    scores = '{"outputs": [{"name": "logits", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}'
    server = Scripted([answer(200, about), answer(200), answer(200, "{}"), answer(200, scores)])
    assert ask(predictor_at(server.url), pictures(1)).versions == [VERSION]
    server.end()
