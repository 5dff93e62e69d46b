"""Lines as SageMaker's data capture and KServe's request logger write them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from typing import Any

import pytest

from driftwatch.artifacts.answers import Answers
from driftwatch.models.logged.day import answer_day
from driftwatch.models.logged.presets import events_of
from driftwatch.storage import open_storage

from .days import DAY, IMAGES, a_day, image_id, jsonl_of, put

VERSION = "v0001-00000000"


def body(number: int) -> bytes:
    """The bytes of the image: `days.image_id` is their sha256."""
    return b"image %d" % number


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def captured(number: int, output: dict[str, Any], **about: Any) -> dict[str, Any]:
    request = {"observedContentType": "image/jpeg", "mode": "INPUT", "data": b64(body(number)), "encoding": "BASE64"}
    return {
        "captureData": {"endpointInput": request, "endpointOutput": {"mode": "OUTPUT", **output}},
        "eventMetadata": {"eventId": f"e{number}", "inferenceTime": "2026-03-04T10:00:00Z", **about},
        "eventVersion": "0",
    }


CSV_OUTPUT = {"observedContentType": "text/csv; charset=utf-8", "encoding": "CSV", "data": "0.25,0.75"}
JSON_OUTPUT = {"observedContentType": "application/json", "encoding": "JSON", "data": '{"probabilities": [[0.25, 0.75]], "label": "dog"}'}  # fmt: skip
RAW_OUTPUT = {"observedContentType": "application/json", "encoding": "BASE64", "data": b64(b"[0.25, 0.75]")}


@pytest.mark.parametrize(
    ("output", "columns"),
    [
        (CSV_OUTPUT, {}),
        (RAW_OUTPUT, {}),
        (JSON_OUTPUT, {"scores": "response.probabilities"}),
        (JSON_OUTPUT, {"prediction": "response.label", "scores": "response.probabilities"}),
    ],
)
def test_a_capture_file_tells_image_scores_time_and_variant(tmp_path, output, columns):
    day = a_day(tmp_path, format="sagemaker", columns=columns, path="demo/answers/{day}/**/*.jsonl")
    put(day, "my-endpoint/blue/2026/03/04/10/1.jsonl", jsonl_of([captured(n, output) for n in range(IMAGES)]))
    found = answer_day(day, VERSION, open_storage)
    assert (found.used, found.refused, found.versions) == (IMAGES, 0, {"blue": IMAGES})
    table = day.storage.read_table(day.keys.predictions)
    assert table["image_id"].tolist() == [image_id(number) for number in range(IMAGES)]
    assert table["score.dog"].unique().tolist() == [0.75]


def test_a_capture_of_a_batch_and_a_body_that_is_no_line_are_counted_and_the_others_used(tmp_path):
    day = a_day(tmp_path, format="sagemaker", columns={}, max_unanswered=0.1)
    rows = [captured(n, CSV_OUTPUT) for n in range(IMAGES - 6)]
    bodies = ["0.25,0.75\n0.9,0.1", '"0.25,0.75', "0.25\r0.75", "[" * 100_000]
    rows += [captured(IMAGES - 6 + n, {"encoding": "CSV", "data": text}) for n, text in enumerate(bodies)]
    both = json.dumps({"instances": [{"b64": b64(body(number))} for number in (98, 99)]})
    rows.append(captured(98, {"encoding": "JSON", "data": "[0.25, 0.75]"}))  # the chance of each of two images
    rows[-1]["captureData"]["endpointInput"] = {
        "observedContentType": "application/json",
        "encoding": "JSON",
        "data": both,
    }
    put(day, "capture.jsonl", jsonl_of(rows))
    found = answer_day(day, VERSION, open_storage)
    assert (found.used, found.rows) == (IMAGES - 6, IMAGES - 1)
    assert found.reasons == {"no_payload": 3, "several_images": 1, "scores_missing": 1}


def test_the_inference_id_may_tell_the_image_and_a_line_without_a_response_is_counted(tmp_path):
    day = a_day(tmp_path, format="sagemaker", columns={"key": "key"})
    rows = [captured(n, CSV_OUTPUT, inferenceId=f"{n:04d}.jpg") for n in range(IMAGES)]
    rows += [
        {"captureData": {"endpointInput": {}}, "eventMetadata": {}},
        captured(1, {"encoding": "BASE64", "data": "%%"}),
    ]
    put(day, "capture.jsonl", jsonl_of(rows))
    found = answer_day(day, VERSION, open_storage)
    assert (found.used, found.reasons, found.versions) == (
        IMAGES,
        {"no_payload": 1, "no_response": 1},
        {"unknown": IMAGES},
    )


def event(number: int, kind: str, data: Any, **more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": f"org.kubeflow.serving.inference.{kind}",
        "source": "http://localhost:9081/",
        "id": f"event-{number}",
        "time": "2026-03-04T10:00:00.123456Z",
        "inferenceservicename": "cats",
        "data": data,
        **more,
    }


def v1(numbers: list[int]) -> tuple[Any, Any]:
    instances = [{"image_bytes": {"b64": b64(body(number))}} for number in numbers]
    return {"instances": instances}, {"predictions": [[0.25, 0.75]] * len(numbers)}


def v2(numbers: list[int]) -> tuple[Any, Any]:
    names = [f"{number:04d}.jpg" for number in numbers]
    asked = {
        "inputs": [
            {"name": "file", "shape": [len(numbers)], "datatype": "BYTES", "data": names},
            {"name": "pixels", "shape": [len(numbers), 2], "datatype": "FP32", "data": [0.0] * 2 * len(numbers)},
        ]
    }
    output = {"name": "scores", "shape": [len(numbers), 2], "datatype": "FP32", "data": [0.25, 0.75] * len(numbers)}
    return asked, {"model_name": "cats", "model_version": "3", "outputs": [output]}


@pytest.mark.parametrize(("payload", "columns", "version"), [(v1, {}, "cats"), (v2, {"key": "request.file"}, "3")])
@pytest.mark.parametrize("batch", [1, 25])
def test_each_image_of_a_batch_has_a_row_and_a_request_may_stand_in_another_file(
    tmp_path, payload, columns, version, batch
):
    day = a_day(tmp_path, format="kserve", columns=columns)
    pairs = [payload(list(range(start, start + batch))) for start in range(0, IMAGES, batch)]
    put(day, "a.jsonl", jsonl_of([event(n, "response", answer) for n, (_, answer) in enumerate(pairs)]))
    put(day, "b.jsonl", jsonl_of([event(n, "request", json.dumps(asked)) for n, (asked, _) in enumerate(pairs)]))
    found = answer_day(day, VERSION, open_storage)
    assert (found.rows, found.used, found.versions) == (IMAGES, IMAGES, {version: IMAGES})
    assert [file.rows for file in found.log] == [IMAGES, 0]
    table = day.storage.read_table(day.keys.predictions)
    assert table["image_id"].tolist() == [hashlib.sha256(body(number)).hexdigest() for number in range(IMAGES)]


def test_events_that_do_not_fit_are_counted_and_a_request_without_a_response_is_an_unanswered_image(tmp_path):
    day = a_day(tmp_path, format="kserve", columns={}, max_without_image=0.1)
    events = []
    for number in range(IMAGES - 1):
        asked, answer = v1([number])
        events += [event(number, "request", asked), event(number, "response", answer)]
    events.append(event(99, "request", v1([99])[0]))
    events.append(event(200, "response", v1([5])[1]))  # no request: no image
    events.append(event(201, "response", "no json"))
    events.append(event(202, "request", v1([1, 2])[0]))
    events.append(event(202, "response", v1([1])[1]))  # of a batch of two, one answer
    events.append(event(203, "feedback", {}))
    put(day, "a.jsonl", jsonl_of(events))
    found = answer_day(day, VERSION, open_storage)
    assert (found.used, found.unanswered) == (99, 1)
    assert found.reasons == {"no_key": 1, "no_payload": 2, "no_response": 1}
    assert found == day.read(Answers)
    assert found.day == DAY


def test_answers_without_ids_are_of_no_image_and_not_all_of_the_last_one(tmp_path):
    day = a_day(tmp_path, format="kserve", columns={}, max_unanswered=1)
    pairs = [(number, *v1([number])) for number in range(10)]
    events = [
        {**event(number, kind, data), "id": None}
        for number, asked, answer in pairs
        for kind, data in (("request", asked), ("response", answer))
    ]
    put(day, "a.jsonl", jsonl_of(events))
    found = answer_day(day, VERSION, open_storage)
    assert (found.rows, found.used, found.earlier, found.reasons) == (10, 0, 0, {"no_key": 10})


def test_an_id_that_two_requests_have_is_of_neither_and_one_that_was_sent_twice_is(tmp_path):
    day = a_day(tmp_path, format="kserve", columns={}, max_unanswered=1)
    events = []
    for number, name in ((0, 7), (1, 7), (2, 8), (2, 8)):
        asked, answer = v1([number])
        events += [event(name, "request", asked), event(name, "response", answer)]
    put(day, "a.jsonl", jsonl_of(events))
    found = answer_day(day, VERSION, open_storage)
    assert (found.rows, found.used, found.earlier, found.reasons) == (4, 1, 1, {"no_key": 2})


@pytest.mark.parametrize(
    "odd",
    [
        {"outputs": [{"name": "p", "shape": [10**9, 2], "datatype": "FP32", "data": []}]},
        {"outputs": [{"name": "p", "shape": [3, 2], "datatype": "FP32", "data": [0.5, 0.5]}]},
        {"predictions": "0.25"},
        {"predictions": {"probabilities": [[0.25, 0.75]], "classes": ["cat"]}},
    ],
    ids=["of a thousand million images", "of more images than numbers", "a text", "a mapping"],
)
def test_a_response_that_is_no_list_of_as_many_answers_is_one_that_cannot_be_read(odd):
    broken: Counter[str] = Counter()
    assert [*events_of([event(1, "response", odd)], broken)] == []
    assert broken == {"no_payload": 1}


def test_a_request_that_is_nested_too_deep_is_none():
    """Some Pythons read more of it than they can walk through."""
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    broken: Counter[str] = Counter()
    events = [*events_of([event(1, "request", {"instances": [deep]}), event(2, "request", v1([2])[0])], broken)]
    assert ([one.id for one in events], broken.total()) == (["event-2"], 0)


@pytest.mark.parametrize("kind", ["request", "response"])
def test_an_event_whose_id_is_no_text_stops_nothing(tmp_path, kind):
    day = a_day(tmp_path, format="kserve", columns={}, max_unanswered=1)
    asked, answer = v1([1])
    odd = {**event(5, kind, asked if kind == "request" else answer), "id": {"of": ["a", "proxy"]}}
    put(day, "a.jsonl", jsonl_of([odd, event(1, "request", asked), event(1, "response", answer)]))
    found = answer_day(day, VERSION, open_storage)
    assert (found.used, found.refused) == (1, 0 if kind == "request" else 1)


def test_an_image_in_a_tensor_of_texts_is_told_by_its_bytes_and_not_kept():
    image, pixels = bytes(3000), [0.5] * 4000
    tensors = [
        {"name": "image", "shape": [1], "datatype": "BYTES", "data": [b64(image)]},
        {"name": "pixels", "shape": [1, 4000], "datatype": "FP32", "data": pixels},
        {"name": "file", "shape": [1], "datatype": "BYTES", "data": ["a.jpg"]},
    ]
    scores = {"outputs": [{"name": "p", "shape": [1, 4000], "datatype": "FP32", "data": pixels}]}
    request, response = events_of([event(1, "request", {"inputs": tensors}), event(1, "response", scores)], Counter())
    assert request.digests == (hashlib.sha256(image).hexdigest(),)
    assert request.parts == ({"image": None, "pixels": None, "file": "a.jpg"},)
    assert response.parts == (pixels,)
