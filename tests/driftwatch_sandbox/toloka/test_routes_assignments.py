"""The Toloka stand-in's contract, through toloka-kit's own client and plain requests: answers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from toloka.client import exceptions

from .tasks import URLS


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
