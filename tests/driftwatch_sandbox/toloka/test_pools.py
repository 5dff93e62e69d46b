"""The Toloka stand-in's contract, through toloka-kit's own client and plain requests: access, projects and pools."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

import pytest
import toloka.client as toloka
from toloka.client import exceptions

from .tasks import PLAIN, URLS, tasks

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
