"""The Toloka stand-in's contract, through toloka-kit's own client and plain requests."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from uuid import uuid4

import httpx
import pytest
import toloka.client as toloka
from toloka.client import exceptions

PLAIN = httpx.Client(timeout=10)
URLS = [f"http://127.0.0.1:9/image-{number}.jpg" for number in range(30)]


def tasks(pool_id: str, count: int, **fields):
    return [
        toloka.Task(pool_id=pool_id, input_values={"image": URLS[i], "image_id": str(i)}, **fields)
        for i in range(count)
    ]


# Access


def test_the_requester_has_the_balance_as_a_decimal(market):
    assert market.kit.get_requester().balance == Decimal("1000.0")


@pytest.mark.parametrize("scheme", ["OAuth", "ApiKey"])
def test_both_authorisation_schemes_are_accepted(market, scheme):
    headers = {"Authorization": f"{scheme} AQAD-token"}
    assert PLAIN.get(f"{market.url}/api/v1/requester", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "OAuth other"}, {"Authorization": "Basic AQAD-token"}])
def test_a_wrong_token_is_an_authentication_error(market, headers):
    for path in ("/api/v1/requester", "/_sandbox/state", "/_sandbox/faults"):
        answer = PLAIN.get(market.url + path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "AUTHENTICATION_ERROR")


def test_another_account_is_denied(market):
    answer = market.http.get("/api/v1/requester", headers={"X-Act-Under-Account-ID": "someone"})
    assert (answer.status_code, answer.json()["code"]) == (403, "ACCESS_DENIED")


def test_an_unknown_path_answers_in_the_services_own_form(market):
    answer = market.http.get("/api/v1/no-such-thing")
    assert (answer.status_code, answer.json()["code"]) == (404, "DOES_NOT_EXIST")


# Projects and pools


def test_a_project_reads_back_as_it_was_created(market):
    created = market.project()
    read = market.kit.get_project(created.id)
    assert read == created
    assert read.status.value == "ACTIVE"
    assert read.task_spec.output_spec["result"].allowed_values == ["cat", "dog"]
    assert read.task_spec.view_spec.config.view.url.path == "image"


def test_writing_an_object_back_with_its_read_only_fields_changes_only_what_may_change(market):
    project = market.project()
    created = project.created
    project.public_name, project.created = "Renamed", datetime(2000, 1, 1, tzinfo=timezone.utc)
    updated = market.kit.update_project(project.id, project)
    assert (updated.public_name, updated.created) == ("Renamed", created)
    pool = market.pool(project.id)
    pool.status, pool.private_name = toloka.Pool.Status.OPEN, "Renamed"
    pool._unexpected["made_up"] = 1
    updated = market.kit.update_pool(pool.id, pool)
    assert (updated.private_name, updated.status.value) == ("Renamed", "CLOSED")
    assert "made_up" not in market.http.get(f"/api/v1/pools/{pool.id}").json()


def test_a_pool_keeps_its_rules_and_gives_each_collector_an_id(market):
    body = market.pool()
    body.quality_control.add_action(
        toloka.collectors.GoldenSet(history_size=10),
        toloka.actions.RestrictionV2(scope="PROJECT", duration=1, duration_unit="DAYS", private_comment="x"),
        [toloka.conditions.GoldenSetAnswersCount >= 3],
    )
    body.filter = toloka.filter.Languages.in_("EN")
    pool = market.kit.create_pool(body)
    assert pool.id != body.id
    assert pool.status.value == "CLOSED"
    assert pool.quality_control.configs[0].collector_config.uuid is not None
    assert pool.filter.and_[0].or_ == [body.filter]
    assert market.kit.get_pool(pool.id) == pool


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"project_id": "404"}, "project_id"),
        ({"project_id": None}, "project_id"),
        ({"reward_per_assignment": 0}, "reward_per_assignment"),
        ({"reward_per_assignment": "much"}, "reward_per_assignment"),
        ({"private_name": ""}, "private_name"),
        ({"may_contain_adult_content": None}, "may_contain_adult_content"),
        ({"will_expire": "tomorrow"}, "will_expire"),
        ({"will_expire": "2001-01-01T00:00:00"}, "will_expire"),
        ({"assignment_max_duration_seconds": 0}, "assignment_max_duration_seconds"),
        ({"defaults": {"default_overlap_for_new_tasks": 0}}, "defaults.default_overlap_for_new_tasks"),
        ({"mixer_config": {"real_tasks_count": 0, "golden_tasks_count": 0}}, "mixer_config"),
        ({"mixer_config": {"real_tasks_count": 3, "min_real_tasks_count": 4}}, "mixer_config.min_real_tasks_count"),
        ({"filter": {"category": "profile", "key": "langs", "operator": "IN", "value": "EN"}}, "filter.key"),
        (
            {
                "quality_control": {
                    "configs": [
                        {
                            "collector_config": {"type": "INCOME"},
                            "rules": [
                                {
                                    "conditions": [{"key": "fast_submitted_count", "operator": "GT", "value": 1}],
                                    "action": {"type": "APPROVE_ALL_ASSIGNMENTS"},
                                }
                            ],
                        }
                    ]
                }
            },
            "quality_control.configs.0.rules.0.conditions.0.key",
        ),
    ],
)
def test_an_impossible_pool_is_refused_with_the_fields_name(market, changes, field):
    body = market.http.get(f"/api/v1/pools/{market.pool().id}").json() | changes
    before = len(market.state()["pools"])
    answer = market.http.post("/api/v1/pools", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
    assert list(answer.json()["payload"]) == [field]
    assert len(market.state()["pools"]) == before


def test_an_impossible_project_is_a_validation_error_of_the_client(market):
    body = market.http.get(f"/api/v1/projects/{market.project().id}").json()
    body["task_spec"]["output_spec"]["result"]["type"] = "colour"
    del body["public_name"]
    answer = market.http.post("/api/v1/projects", json=body)
    assert set(answer.json()["payload"]) == {"public_name", "task_spec.output_spec.result.type"}


@pytest.mark.parametrize("path", ["projects", "pools", "trainings", "tasks", "assignments", "skills", "operations"])
def test_an_unknown_id_does_not_exist(market, path):
    answer = market.http.get(f"/api/v1/{path}/404")
    assert (answer.status_code, answer.json()["code"]) == (404, "DOES_NOT_EXIST")


# Opening, closing, archiving, cloning


def test_an_empty_pool_cannot_be_opened(market):
    with pytest.raises(exceptions.IncorrectActionsApiError) as caught:
        market.kit.open_pool(market.pool().id)
    assert (caught.value.status_code, caught.value.code) == (409, "EMPTY_POOL")


def test_opening_and_closing_are_operations_and_repeats_are_nothing_to_do(market):
    pool = market.pool()
    market.upload(pool.id, URLS[:2])
    operation = market.kit.open_pool_async(pool.id)
    assert (operation.status.value, operation.parameters.pool_id) == ("RUNNING", pool.id)
    assert market.finished(operation).status.value == "SUCCESS"
    assert market.kit.get_pool(pool.id).is_open()
    assert market.kit.open_pool_async(pool.id) is None
    market.finished(market.kit.close_pool_async(pool.id))
    closed = market.kit.get_pool(pool.id)
    assert (closed.status.value, closed.last_close_reason.value) == ("CLOSED", "MANUAL")
    assert market.kit.close_pool_async(pool.id) is None
    answer = market.http.post(f"/api/v1/pools/{pool.id}/close")
    assert (answer.status_code, answer.content) == (204, b"")


def test_the_clients_waiting_calls_work(market):
    pool = market.pool()
    created = market.kit.create_tasks(tasks(pool.id, 3), allow_defaults=True)
    assert sorted(created.items) == ["0", "1", "2"]
    assert [created.items[str(i)].input_values["image_id"] for i in range(3)] == ["0", "1", "2"]
    assert market.kit.open_pool(pool.id).is_open()


def test_an_open_pool_cannot_be_archived_and_an_archived_one_not_opened(market):
    pool = market.pool()
    market.upload(pool.id, URLS[:1])
    market.open(pool.id)
    answer = market.http.post(f"/api/v1/pools/{pool.id}/archive")
    assert answer.json()["code"] == "INAPPROPRIATE_STATUS"
    assert answer.json()["payload"]["appropriate_statuses"] == ["CLOSED"]
    market.finished(market.kit.close_pool_async(pool.id))
    market.finished(market.kit.archive_pool_async(pool.id))
    assert market.kit.get_pool(pool.id).is_archived()
    assert market.kit.archive_pool_async(pool.id) is None
    assert market.http.post(f"/api/v1/pools/{pool.id}/open").json()["code"] == "INAPPROPRIATE_STATUS"
    refused = market.http.post("/api/v1/tasks", json={"pool_id": pool.id, "input_values": {"image": URLS[0]}})
    assert refused.json()["code"] == "INAPPROPRIATE_STATUS"


def test_a_project_is_archived_after_its_pools(market):
    project = market.project()
    pool = market.pool(project.id)
    assert market.http.post(f"/api/v1/projects/{project.id}/archive").json()["code"] == "UNARCHIVED_POOLS_CONFLICT"
    market.finished(market.kit.archive_pool_async(pool.id))
    market.finished(market.kit.archive_project_async(project.id))
    assert market.kit.get_project(project.id).status.value == "ARCHIVED"


def test_a_clone_has_the_settings_but_not_the_tasks(market):
    pool = market.pool(private_name="original")
    market.upload(pool.id, URLS[:2])
    operation = market.finished(market.kit.clone_pool_async(pool.id))
    clone = market.kit.get_pool(operation.details.pool_id)
    assert (clone.private_name, clone.id != pool.id) == ("original", True)
    assert list(market.kit.get_tasks(pool_id=clone.id)) == []
    project, pools, trainings = (lambda r: (r.project, r.pools, r.trainings))(market.kit.clone_project(pool.project_id))
    assert project.id != pool.project_id
    assert (len(pools), len(trainings)) == (2, 0)


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


# Lists


def test_all_pages_of_a_list_are_read_in_order(market):
    pool = market.pool()
    created = market.upload(pool.id, URLS[:25])
    assert [task.id for task in market.kit.get_tasks(pool_id=pool.id, batch_size=10)] == [task.id for task in created]
    first = market.kit.find_tasks(pool_id=pool.id, limit=10, sort=["-id"])
    assert (len(first.items), first.has_more, first.items[0].id) == (10, True, created[-1].id)
    last = market.kit.find_tasks(pool_id=pool.id, limit=25)
    assert (len(last.items), last.has_more) == (25, False)


def test_bounds_on_ids_hold_together_with_the_position_of_the_next_page(market):
    pool = market.pool()
    ids = [task.id for task in market.upload(pool.id, URLS[:10])]
    found = market.kit.get_tasks(pool_id=pool.id, id_gte=ids[2], id_lte=ids[8], batch_size=3)
    assert [task.id for task in found] == ids[2:9]


def test_lists_filter_by_status_dates_and_name(market):
    moment = datetime.now(timezone.utc)
    project = market.project()
    first, second = market.pool(project.id), market.pool(project.id)
    market.finished(market.kit.archive_pool_async(first.id))
    assert [p.id for p in market.kit.get_pools(project_id=project.id, status="CLOSED")] == [second.id]
    assert [p.id for p in market.kit.get_pools(project_id=project.id, created_gte=moment)] == [first.id, second.id]
    late = moment + timedelta(minutes=1)
    assert list(market.kit.get_pools(project_id=project.id, created_gt=late)) == []
    skill = market.kit.create_skill(name="cats", hidden=True)
    market.kit.create_skill(name="dogs")
    assert [s.id for s in market.kit.get_skills(name="cats")] == [skill.id]


@pytest.mark.parametrize("query", ["private_comment=x", "limit=0", "limit=301", "sort=reward", "created_gt=soon"])
def test_a_search_that_the_service_does_not_know_is_refused(market, query):
    answer = market.http.get(f"/api/v1/pools?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")


# Answers


@pytest.fixture
def answered(market):
    """A pool judged by hand in which two workers answered two tasks each."""
    pool = market.pool(auto_accept_solutions=False, overlap=2)
    ids = [task.id for task in market.upload(pool.id, URLS[:2])]
    market.open(pool.id)
    for user, answers in {"ann": ("cat", "dog"), "bob": ("cat", "cat")}.items():
        assert market.answer(pool.id, user, dict(zip(ids, answers, strict=True)), seconds=30).status_code == 201
    return pool


def test_submitted_answers_are_accepted_or_rejected_once(market, answered):
    first, second = market.kit.get_assignments(pool_id=answered.id, status="SUBMITTED")
    assert (first.user_id, first.reward) == ("ann", Decimal("0.05"))
    assert [s.output_values["result"] for s in first.solutions] == ["cat", "dog"]
    assert (first.submitted - first.created).total_seconds() == pytest.approx(30)
    accepted = market.kit.accept_assignment(first.id, "thanks")
    assert (accepted.status.value, accepted.public_comment) == ("ACCEPTED", "thanks")
    assert market.kit.accept_assignment(first.id, "thanks").accepted == accepted.accepted
    with pytest.raises(exceptions.IncorrectActionsApiError) as caught:
        market.kit.reject_assignment(first.id, "no")
    assert caught.value.payload["appropriate_statuses"] == ["SUBMITTED"]
    assert market.kit.reject_assignment(second.id, "no").status.value == "REJECTED"
    assert market.kit.accept_assignment(second.id, "after all").status.value == "ACCEPTED"


def test_money_is_reserved_spent_and_released_with_the_fee(serve_market):
    market = serve_market(balance=10.0)
    pool = market.pool(auto_accept_solutions=False, reward_per_assignment=0.10)
    task = market.upload(pool.id, URLS[:1])[0]
    market.open(pool.id)
    ids = [market.answer(pool.id, user, {task.id: "cat"}).json()["id"] for user in ("ann", "bob", "cid")]
    assert market.state()["account"] == {"balance": 9.64, "reserved": 0.36, "spent": 0.0}
    market.kit.accept_assignment(ids[0], "yes")
    market.kit.reject_assignment(ids[1], "no")
    assert market.state()["account"] == {"balance": 9.76, "reserved": 0.12, "spent": 0.12}
    market.kit.accept_assignment(ids[1], "yes")
    assert market.state()["account"] == {"balance": 9.64, "reserved": 0.12, "spent": 0.24}
    assert market.kit.get_requester().balance == Decimal("9.64")


def test_a_rejected_answer_gives_its_place_back(market):
    pool = market.pool(auto_accept_solutions=False, overlap=1)
    task, _ = market.upload(pool.id, URLS[:2])
    market.open(pool.id)
    first = market.answer(pool.id, "ann", {task.id: "cat"}).json()
    assert market.answer(pool.id, "bob", {task.id: "dog"}).json()["code"] == "ALL_ASSIGNMENTS_EXHAUSTED"
    market.kit.reject_assignment(first["id"], "no")
    assert market.answer(pool.id, "ann", {task.id: "dog"}).json()["code"] == "CONFLICT_STATE"
    assert market.answer(pool.id, "bob", {task.id: "dog"}).status_code == 201


def test_answers_are_found_by_status_worker_and_task(market, answered):
    pages = list(market.kit.get_assignments(pool_id=answered.id, status=["SUBMITTED", "ACCEPTED"]))
    task_id = pages[0].tasks[1].id
    assert [p.id for p in market.kit.get_assignments(pool_id=answered.id, user_id="bob")] == [pages[1].id]
    assert [p.id for p in market.kit.get_assignments(task_id=task_id)] == [p.id for p in pages]
    assert list(market.kit.get_assignments(pool_id=answered.id, status="REJECTED")) == []


def test_the_table_of_answers_has_a_row_for_each_task(market, answered):
    first = next(iter(market.kit.get_assignments(pool_id=answered.id)))
    market.kit.accept_assignment(first.id, "yes")
    table = market.kit.get_assignments_df(answered.id, status=["APPROVED", "SUBMITTED"])
    assert len(table) == 4
    assert {"INPUT:image", "OUTPUT:result", "GOLDEN:result", "ASSIGNMENT:worker_id"} <= set(table.columns)
    assert sorted(table["ASSIGNMENT:status"]) == ["APPROVED", "APPROVED", "SUBMITTED", "SUBMITTED"]
    assert list(table[table["ASSIGNMENT:worker_id"] == "ann"]["OUTPUT:result"]) == ["cat", "dog"]


def test_analytics_tell_how_far_a_pool_is_and_what_it_cost(market, answered):
    names = toloka.analytics_request
    first = next(iter(market.kit.get_assignments(pool_id=answered.id)))
    market.kit.accept_assignment(first.id, "yes")
    requests = [
        names.CompletionPercentagePoolAnalytics(subject_id=answered.id),
        names.SpentBudgetPoolAnalytics(subject_id=answered.id),
        names.SubmittedAssignmentsCountPoolAnalytics(subject_id=answered.id),
        names.ApprovedAssignmentsCountPoolAnalytics(subject_id=answered.id),
        names.RealTasksCountPoolAnalytics(subject_id=answered.id),
        names.UniqueSubmittersCountPoolAnalytics(subject_id=answered.id),
        names.AvgSubmitAssignmentMillisPoolAnalytics(subject_id=answered.id),
    ]
    results = [item["result"] for item in market.finished(market.kit.get_analytics(requests)).details["value"]]
    assert results[0]["value"] == 100
    assert [float(value) for value in results[1:]] == [0.05, 2, 1, 2, 2, 30_000]


def test_a_pool_with_all_its_answers_closes_as_completed(market, answered):
    assert market.closed(answered.id).last_close_reason.value == "COMPLETED"


def test_dawid_skene_trusts_the_workers_who_agree_with_the_others(market):
    pool = market.pool(overlap=3)
    created = market.upload(pool.id, URLS[:8])
    truth = {task.id: "cat" if index % 2 else "dog" for index, task in enumerate(created)}
    market.open(pool.id)
    for user in ("ann", "bob"):
        market.answer(pool.id, user, truth)
    market.answer(pool.id, "spam", dict.fromkeys(truth, "cat"))
    market.closed(pool.id)
    operation = market.kit.aggregate_solutions_by_pool(
        type="DAWID_SKENE",
        pool_id=pool.id,
        fields=[toloka.aggregation.PoolAggregatedSolutionRequest.Field(name="result")],
    )
    market.finished(operation).raise_on_fail()
    found = list(market.kit.get_aggregated_solutions(operation.id, batch_size=3))
    assert {item.task_id: item.output_values["result"] for item in found} == truth
    assert all(0.9 < item.confidence <= 1 for item in found)


# Workers


def test_a_restricted_worker_is_listed_until_the_restriction_is_taken_back(market):
    project = market.project()
    restriction = market.kit.set_user_restriction(
        toloka.user_restriction.ProjectUserRestriction(user_id="ann", project_id=project.id, private_comment="spam")
    )
    again = market.kit.set_user_restriction(
        toloka.user_restriction.ProjectUserRestriction(user_id="ann", project_id=project.id, private_comment="worse")
    )
    assert again.id == restriction.id
    found = list(market.kit.get_user_restrictions(user_id="ann", project_id=project.id))
    assert [item.private_comment for item in found] == ["worse"]
    market.kit.delete_user_restriction(restriction.id)
    assert list(market.kit.get_user_restrictions(user_id="ann", project_id=project.id)) == []
    with pytest.raises(exceptions.DoesNotExistApiError):
        market.kit.delete_user_restriction(restriction.id)


def test_a_workers_skill_is_set_and_set_again(market):
    skill = market.kit.create_skill(name=f"skill {uuid4()}")
    market.kit.set_user_skill(skill_id=skill.id, user_id="ann", value=Decimal("71.6"))
    held = market.kit.set_user_skill(skill_id=skill.id, user_id="ann", value=Decimal("80"))
    assert (held.value, held.exact_value) == (80, Decimal("80.0"))
    assert [s.id for s in market.kit.get_user_skills(skill_id=skill.id)] == [held.id]
    market.kit.delete_user_skill(held.id)
    assert list(market.kit.get_user_skills(skill_id=skill.id)) == []


def test_a_training_shares_the_pools_ids_and_calls(market):
    training = market.kit.create_training(
        toloka.Training(
            project_id=market.project().id,
            private_name="exam",
            may_contain_adult_content=False,
            assignment_max_duration_seconds=600,
            mix_tasks_in_creation_order=True,
            shuffle_tasks_in_task_suite=True,
            training_tasks_in_task_suite_count=2,
            task_suites_required_to_pass=1,
        )
    )
    known = [toloka.Task.KnownSolution(output_values={"result": "cat"})]
    items = tasks(training.id, 2, known_solutions=known, message_on_unknown_solution="A cat has whiskers.")
    market.finished(market.kit.create_tasks_async(items, operation_id=uuid4())).raise_on_fail()
    market.finished(market.kit.open_pool_async(training.id))
    assert market.kit.get_training(training.id).is_open()
    assert market.kit.get_pool(training.id).type.value == "TRAINING"
    market.finished(market.kit.close_training_async(training.id))
    clone = market.finished(market.kit.clone_training_async(training.id)).details.training_id
    assert market.kit.get_training(clone).private_name == "exam"
    assert [t.id for t in market.kit.get_trainings(project_id=training.project_id)] == [training.id, clone]


def test_a_pool_past_its_expiry_closes_as_expired(market):
    pool = market.pool(will_expire=datetime.now(timezone.utc) + timedelta(seconds=1))
    market.upload(pool.id, URLS[:1])
    market.open(pool.id)
    assert market.closed(pool.id, seconds=5).last_close_reason.value == "EXPIRED"
    assert market.http.post(f"/api/v1/pools/{pool.id}/open").json()["code"] == "VALIDATION_ERROR"


def test_a_pool_opens_only_when_the_balance_covers_a_page(serve_market):
    market = serve_market(balance=0.05)
    pool = market.pool(reward_per_assignment=0.05)
    market.upload(pool.id, URLS[:1])
    answer = market.http.post(f"/api/v1/pools/{pool.id}/open")
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_ENOUGH_BALANCE")


def test_the_server_speaks_http_1_1_with_a_content_length(market):
    answer = market.http.get("/api/v1/pools")
    assert answer.http_version == "HTTP/1.1"
    assert int(answer.headers["content-length"]) == len(answer.content)
