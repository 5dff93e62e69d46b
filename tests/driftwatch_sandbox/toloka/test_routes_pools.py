"""The Toloka stand-in's contract, through toloka-kit's own client and plain requests: pools and trainings."""

from __future__ import annotations

from uuid import uuid4

import pytest
import toloka.client as toloka
from toloka.client import exceptions

from .tasks import URLS, tasks


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
