"""Labelling: what creating the pool costs and leaves behind, and what the merge makes of its answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pandas as pd
import pytest
import yaml
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred
from tests.deferred import run_task

from driftwatch.config import MonitorConfig
from driftwatch.errors import AccessRefused, NeedsAttention
from driftwatch.labels.backends.toloka.upload import TaskUpload
from driftwatch_airflow.operators.annotation import (
    CreateAnnotationPoolOperator,
    connections_after,
    connections_of_waits,
)
from driftwatch_airflow.operators.forget import ForgetImagesOperator
from driftwatch_airflow.triggers.reach import ReachTrigger

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
    run_task(operator, with_link)
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


@pytest.mark.parametrize(
    ("gone", "setting"), [("TOLOKA_DEFAULT", "labels.connection"), ("WHYLABS_DEFAULT", "publish.connection")]
)
def test_a_connection_that_a_later_step_needs_is_missed_before_a_pool_is_bought(day, monkeypatch, gone, setting):
    monkeypatch.delenv(f"AIRFLOW_CONN_{gone}")
    with pytest.raises(NeedsAttention, match=f"no Airflow connection '{gone.lower()}', which {setting} names"):
        day.create()
    assert list(day.client.get_pools()) == []
    assert not day.storage.exists(f"cats_vs_dogs/days/{DAY}/annotation.json")


def test_one_that_the_triggerer_alone_lacks_is_missed_before_a_pool_is_bought(day, monkeypatch):
    """The task has it in its own environment, the triggerer has not."""
    operator = CreateAnnotationPoolOperator(task_id="create", monitor=day.monitor, day=DAY)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(day.context())
    _, stored = deferred.value.trigger.serialize()
    assert stored == {"connections": {"toloka_default": "labels.connection"}}
    with monkeypatch.context() as triggerer:
        triggerer.delenv("AIRFLOW_CONN_TOLOKA_DEFAULT")
        event = asyncio.run(anext(ReachTrigger(**stored).run())).payload
    with pytest.raises(
        NeedsAttention, match=r"in the triggerer there is no Airflow connection 'toloka_default'.*connections\.md"
    ):
        operator.create(day.context(), event)
    assert list(day.client.get_pools()) == []


def test_a_triggerer_that_cannot_look_is_asked_again(day, monkeypatch):
    operator = CreateAnnotationPoolOperator(task_id="create", monitor=day.monitor, day=DAY)

    def away(*_: Any) -> None:
        raise OSError("the vault is sealed: postgresql://reader:hunter2@db/airflow")

    monkeypatch.setattr("driftwatch_airflow.triggers.reach.connection_of", away)
    event = asyncio.run(anext(ReachTrigger({"toloka_default": "labels.connection"}).run())).payload
    # The event lies in Airflow's database, which takes no secrets out.
    assert event == {"missing": [], "failed": "OSError: the vault is sealed: postgresql://reader:***@db/airflow"}
    with pytest.raises(RuntimeError, match="the vault is sealed") as failed:
        operator.create(day.context(), event)
    assert operator.retry_policy.evaluate(failed.value, 1, 7).action.value != "fail"


@pytest.mark.parametrize(
    ("said", "here", "waiting"),
    [
        ({}, {"toloka_default", "whylabs_default", "driftwatch_images"}, {"toloka_default"}),
        ({"publish": {"alert_source": "either"}}, {"toloka_default", "whylabs_default", "driftwatch_images"}, {"toloka_default", "whylabs_default"}),
        ({"storage": {"uri": "s3://b/p", "connection": "aws"}, "labels": {"image_links": "aws"}}, {"toloka_default", "whylabs_default", "aws"}, {"toloka_default", "aws"}),
        ({"registry": {"mlflow": {"connection": "models"}}}, {"toloka_default", "whylabs_default", "driftwatch_images"}, {"toloka_default"}),
        ({"images": {"earlier": {"s3://old": "of_before"}}}, {"toloka_default", "whylabs_default", "driftwatch_images"}, {"toloka_default"}),
    ],
)  # fmt: skip
def test_the_connections_of_a_day_are_those_of_its_file_and_mlflow_and_earlier_places_hold_none_up(
    root, said, here, waiting
):
    raw = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text())
    raw["storage"]["uri"] = "file:///nowhere"
    monitor = MonitorConfig.model_validate(raw | {name: raw.get(name, {}) | values for name, values in said.items()})
    assert set(connections_after(monitor)) == here
    assert set(connections_of_waits(monitor)) == waiting


def test_a_backend_of_another_package_may_need_no_connection(root):
    raw = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text())
    raw["storage"]["uri"] = "file:///nowhere"
    monitor = MonitorConfig.model_validate(raw)
    monitor = monitor.model_copy(update={"labels": monitor.labels.model_copy(update={"backend": "house"})})
    assert connections_of_waits(monitor) == {}
    named = monitor.model_copy(update={"labels": monitor.labels.model_copy(update={"connection": "our_house"})})
    assert connections_of_waits(named) == {"our_house": "labels.connection"}


def test_answers_that_are_read_again_leave_forgotten_images_forgotten_and_lose_no_label(day):
    pool_id = day.create()["pool_id"]
    for user in ("ann", "bea", "cat"):
        day.answers(pool_id, user, "cat")
    labels = day.merge()
    keys = f"cats_vs_dogs/days/{DAY}"
    plan = day.storage.read_json(f"{keys}/annotation.json")
    gone = [plan["sample"][0]["image_id"], plan["control"][0]["image_id"]]
    context = day.context(images="\n".join(gone), apply=True)
    context["dag_run"].triggering_user_name = "ann"
    assert ForgetImagesOperator(task_id="forget", monitor=day.monitor).execute(context).startswith("receipt")
    before = {name: day.storage.read_table(f"{keys}/{name}.parquet") for name in ("assignments", "labels")}
    assert day.merge() == labels
    for name, table in before.items():
        again = day.storage.read_table(f"{keys}/{name}.parquet")
        assert not again["image_id"].isin(gone).any()
        order = [column for column in ("assignment_id", "image_id") if column in again]
        pd.testing.assert_frame_equal(again, table.sort_values(order, ignore_index=True))
