"""The Toloka stand-in's contract, through toloka-kit's own client and plain requests: answers, money and workers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from uuid import uuid4

import pytest
import toloka.client as toloka
from toloka.client import exceptions

from .tasks import URLS, tasks

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
