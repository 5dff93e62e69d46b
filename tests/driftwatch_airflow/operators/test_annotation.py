"""Labelling: what creating the pool costs and leaves behind, and what the merge makes of its answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from driftwatch.errors import AccessRefused, NeedsAttention
from driftwatch.labels.backends.toloka.upload import TaskUpload
from driftwatch_airflow.operators.annotation import CreateAnnotationPoolOperator

DAY = "2026-11-20"


def test_a_dry_run_says_the_price_and_creates_nothing(day):
    with pytest.raises(AirflowSkipException, match=r"nothing was created; 12 images x 3 annotators .* = 0\.36 USD"):
        day.create(dry_run=True)
    assert list(day.client.get_projects()) == []
    assert not day.storage.exists(f"cats_vs_dogs/days/{DAY}/annotation.json")


def test_a_file_that_was_replaced_since_ingest_is_not_shown_and_a_dry_run_copies_nothing(day):
    day.storage.write_bytes("in/3.jpg", b"\xff\xd8\xffanother picture")
    with pytest.raises(AirflowSkipException, match=r"11 images \(1 left out, their files have changed since\)"):
        day.create(dry_run=True)
    assert day.storage.list(f"cats_vs_dogs/days/{DAY}/shown") == []
    assert day.create()["images"] == 11
    # What happens to the files after the plan is all the same: the copies were made before it.
    for number in range(12):
        day.storage.delete(f"in/{number}.jpg")
    assert day.create()["images"] == 11
    plan = day.storage.read_json(f"cats_vs_dogs/days/{DAY}/annotation.json")
    assert [entry["key"] for entry in plan["changed"]] == ["in/3.jpg"]


def test_creating_twice_gives_the_same_pool_and_a_link_to_it(day):
    first = day.create()
    assert day.create() == first
    assert first["images"] == 12
    operator = CreateAnnotationPoolOperator(task_id="create", monitor=day.monitor, day=DAY)
    with_link = day.context()
    operator.execute(with_link)
    (link,) = with_link["ti"].xcom.values()
    assert link.startswith(day.url)
    assert link.endswith(f"/pool/{first['pool_id']}")


def test_a_day_whose_pool_is_at_one_service_is_not_asked_about_at_another(day):
    pool = day.create()["pool_id"]
    labels = day.monitor.labels.model_copy(update={"backend": "desk"})
    day.monitor = day.monitor.model_copy(update={"labels": labels})
    for asked in ({}, {"dry_run": True}):
        with pytest.raises(NeedsAttention, match=r"made for toloka, and the labels of cats_vs_dogs come from desk now"):
            day.create(**asked)
    plan = day.storage.read_json(f"cats_vs_dogs/days/{DAY}/annotation.json")
    assert (plan["pool_id"], plan["state"]) == (pool, "opened")


def test_what_a_task_returns_is_small_json(day):
    assert len(json.dumps(day.create())) < 500


def test_a_refused_login_is_not_retried_and_shows_no_token(day, monkeypatch):
    monkeypatch.setenv(
        "AIRFLOW_CONN_TOLOKA_DEFAULT", json.dumps({"conn_type": "toloka", "host": day.url, "password": "stolen-token"})
    )
    with pytest.raises(AccessRefused) as refused:
        day.create()
    operator = CreateAnnotationPoolOperator(task_id="create", monitor=day.monitor, day=DAY)
    decision = operator.retry_policy.evaluate(refused.value, 1, 3)
    assert decision.action.value == "fail"
    assert "stolen-token" not in str(refused.value)


def test_the_campaign_records_its_pool_before_tasks_are_uploaded(day, monkeypatch):
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TaskUpload, "bring", killed)
    with pytest.raises(KeyboardInterrupt):
        day.create()
    recorded = day.storage.read_json(f"cats_vs_dogs/days/{DAY}/annotation.json")
    assert recorded["state"] == "created"
    assert recorded["pool_id"]


def test_nothing_that_an_annotator_sees_tells_a_control_task_from_another_or_its_class(day):
    day.create()
    (pool,) = day.client.get_pools()
    tasks = list(day.client.get_tasks(pool_id=pool.id))
    assert sum(bool(task.known_solutions) for task in tasks) == 4
    for task in tasks:
        address = task.input_values["image"].partition("?")[0]
        assert address == f"{day.url}/cats_vs_dogs/days/{DAY}/shown/{task.input_values['image_id']}.jpg"


def test_pages_are_judged_once_with_the_reason_and_rejected_answers_neither_vote_nor_cost(day):
    pool_id = day.create()["pool_id"]
    day.answers(pool_id, "ann", "cat")
    day.answers(pool_id, "haste", "dog", seconds=2)
    assert day.statuses(pool_id) == {"ann": "SUBMITTED", "haste": "SUBMITTED"}
    summary = day.merge()
    assert day.statuses(pool_id) == {"ann": "ACCEPTED", "haste": "REJECTED"}
    told = {page.user_id: page.public_comment for page in day.client.get_assignments(pool_id=pool_id)}
    assert told["haste"] == "answered in 2 s; reading the page takes at least 5 s"
    assert (summary["votes"], summary["spent"], summary["rejected_pages"]) == (12, 0.06, 1)
    assert set(day.storage.read_table(f"cats_vs_dogs/days/{DAY}/labels.parquet")["label"]) == {"cat"}
    assert day.merge() == summary
