"""The Toloka stand-in's contract, through toloka-kit's own client and plain requests: tasks, operations and lists."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
import toloka.client as toloka
from toloka.client import exceptions

from .tasks import URLS, tasks

# Tasks and operations


def test_creating_tasks_is_running_first_and_then_successful_with_a_log(market):
    pool, operation_id = market.pool(), uuid4()
    items = tasks(pool.id, 2)
    for index, item in enumerate(items):
        item._unexpected["__item_idx"] = str(index)
    operation = market.kit.create_tasks_async(items, operation_id=operation_id, allow_defaults=True)
    assert (operation.id, operation.status.value) == (str(operation_id), "RUNNING")
    done = market.finished(operation)
    assert (done.status.value, done.progress, done.details["success_count"]) == ("SUCCESS", 100, 2)
    log = list(market.kit.get_operation_log(operation.id))
    assert [(item.type, item.success, item.input["__item_idx"]) for item in log] == [
        ("TASK_CREATE", True, "0"),
        ("TASK_CREATE", True, "1"),
    ]
    created = list(market.kit.get_tasks(pool_id=pool.id))
    assert [task.id for task in created] == [item.output["task_id"] for item in log]
    assert [task.overlap for task in created] == [3, 3]
    assert all(re.fullmatch(rf"{int(pool.id):010x}--[0-9a-f]{{24}}", task.id) for task in created)
    assert "__item_idx" not in market.http.get(f"/api/v1/tasks/{created[0].id}").json()


def test_a_repeated_operation_id_creates_nothing_more(market):
    pool, operation_id = market.pool(), uuid4()
    first = market.kit.create_tasks_async(tasks(pool.id, 3), operation_id=operation_id, allow_defaults=True)
    again = market.kit.create_tasks_async(tasks(pool.id, 3), operation_id=operation_id, allow_defaults=True)
    market.finished(first)
    assert again.id == first.id
    url = f"/api/v1/tasks?operation_id={operation_id}&async_mode=true"
    answer = market.http.post(url, json=[])
    assert (answer.status_code, answer.json()["code"]) == (409, "OPERATION_ALREADY_EXISTS")
    assert len(list(market.kit.get_tasks(pool_id=pool.id))) == 3


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"image_id": "1"}, "input_values.image", "VALUE_REQUIRED"),
        ({"image": "", "image_id": "1"}, "input_values.image", "VALUE_REQUIRED"),
        ({"image": "s3://bucket/cat.jpg", "image_id": "1"}, "input_values.image", "INVALID_URL_SYNTAX"),
        ({"image": "http://h/two words.jpg", "image_id": "1"}, "input_values.image", "INVALID_URL_SYNTAX"),
        ({"image": URLS[0], "image_id": 1}, "input_values.image_id", "STRING_EXPECTED"),
        ({"image": URLS[0], "image_id": "1", "model": "cat"}, "input_values.model", "VALUE_NOT_ALLOWED"),
    ],
)
def test_values_that_do_not_fit_the_project_are_refused(market, values, field, code):
    body = {"pool_id": market.pool().id, "input_values": values, "overlap": 1}
    answer = market.http.post("/api/v1/tasks", json=body)
    assert answer.status_code == 400
    assert {name: error["code"] for name, error in answer.json()["payload"].items()} == {field: code}


def test_a_known_solution_must_be_an_allowed_answer(market):
    pool = market.pool()
    wrong = [toloka.Task.KnownSolution(output_values={"result": "horse"})]
    with pytest.raises(exceptions.ValidationApiError) as caught:
        market.kit.create_tasks(tasks(pool.id, 1, known_solutions=wrong), allow_defaults=True)
    assert list(caught.value.payload["0"]) == ["known_solutions.0.output_values.result"]


def test_one_invalid_item_fails_the_whole_batch_unless_it_may_be_skipped(market):
    pool = market.pool()
    items = [*tasks(pool.id, 2), toloka.Task(pool_id=pool.id, input_values={"image_id": "2"})]
    strict = market.finished(market.kit.create_tasks_async(items, operation_id=uuid4(), allow_defaults=True))
    assert strict.status.value == "FAIL"
    log = list(market.kit.get_operation_log(strict.id))
    assert [(item.type, item.success, list(item.output)) for item in log] == [
        ("TASK_VALIDATE", False, ["input_values.image"])
    ]
    assert list(market.kit.get_tasks(pool_id=pool.id)) == []
    lenient = market.kit.create_tasks(items, allow_defaults=True, skip_invalid_items=True)
    assert (sorted(lenient.items), sorted(lenient.validation_errors)) == (["0", "1"], ["2"])


def test_overlap_comes_from_the_task_the_defaults_or_is_endless_for_control_tasks(market):
    pool = market.pool(overlap=2)
    known = [toloka.Task.KnownSolution(output_values={"result": "cat"})]
    items = [
        toloka.Task(pool_id=pool.id, input_values={"image": URLS[0], "image_id": "a"}, overlap=5),
        toloka.Task(pool_id=pool.id, input_values={"image": URLS[1], "image_id": "b"}),
        toloka.Task(pool_id=pool.id, input_values={"image": URLS[2], "image_id": "c"}, known_solutions=known),
        toloka.Task(
            pool_id=pool.id, input_values={"image": URLS[3], "image_id": "d"}, infinite_overlap=True, overlap=None
        ),
    ]
    market.finished(market.kit.create_tasks_async(items, operation_id=uuid4(), allow_defaults=True)).raise_on_fail()
    found = {t.input_values["image_id"]: (t.overlap, t.infinite_overlap) for t in market.kit.get_tasks(pool_id=pool.id)}
    assert found == {"a": (5, False), "b": (2, False), "c": (None, True), "d": (None, True)}
    refused = market.finished(market.kit.create_tasks_async(items[1:2], operation_id=uuid4()))
    assert [list(item.output) for item in market.kit.get_operation_log(refused.id)] == [["overlap"]]


def test_an_empty_list_without_a_body_is_an_operation_on_nothing(market):
    answer = market.http.post(f"/api/v1/tasks?async_mode=true&operation_id={uuid4()}")
    assert answer.status_code == 202
    done = market.finished(market.kit.get_operation(answer.json()["id"]))
    assert (done.status.value, done.details["total_count"]) == ("SUCCESS", 0)


def test_tasks_can_be_created_at_once_and_the_pool_opened_with_them(market):
    pool = market.pool()
    result = market.kit.create_tasks(tasks(pool.id, 2), allow_defaults=True, async_mode=False, open_pool=True)
    assert sorted(result.items) == ["0", "1"]
    assert market.kit.get_pool(pool.id).is_open()


def test_the_overlap_can_be_changed_but_not_below_the_answers_given(market):
    pool = market.pool()
    task = market.upload(pool.id, URLS[:1])[0]
    market.open(pool.id)
    for user in ("ann", "bob"):
        assert market.answer(pool.id, user, {task.id: "cat"}).status_code == 201
    assert market.kit.patch_task_overlap_or_min(task.id, toloka.task.TaskOverlapPatch(overlap=1)).overlap == 2
    assert market.kit.patch_task_overlap_or_min(task.id, toloka.task.TaskOverlapPatch(overlap=7)).overlap == 7
    assert market.kit.patch_task(task.id, toloka.task.TaskPatch(infinite_overlap=True)).overlap is None
