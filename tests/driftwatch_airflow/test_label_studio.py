"""The tasks of a day that people label in a real Label Studio: its connection, its end, and image links that end sooner."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from tests.deferred import run_task
from tests.driftwatch.labels.backends.label_studio.days import LabelledDay, labelled_day
from tests.label_studio_server.running import SECONDS, VERSION, LabelStudio, shared_server

from driftwatch.errors import NotEnoughLabels
from driftwatch_airflow.hooks.label_studio import LabelStudioHook
from driftwatch_airflow.operators.annotation import CreateAnnotationPoolOperator, MergeAnnotationsOperator
from driftwatch_airflow.sensors.annotation import WaitForAnnotationsOperator
from driftwatch_airflow.triggers.annotation import AnnotationCompleteTrigger

NOW = datetime.now(timezone.utc)


class TaskInstance:
    start_date = NOW

    def xcom_push(self, key: str, value: Any) -> None:
        json.dumps(value)


def context() -> Any:
    return {"ti": TaskInstance(), "params": {}, "dag_run": SimpleNamespace(run_type="manual"), "run_id": "r"}


def connect(patch: pytest.MonkeyPatch, server: LabelStudio, token: str) -> None:
    found = {"conn_type": "label_studio", "host": server.url, "password": token}
    extra = {"timeout": SECONDS, "retries": 0}
    patch.setenv("AIRFLOW_CONN_LABEL_STUDIO_DEFAULT", json.dumps({**found, "extra": extra}))


@pytest.fixture
def day(tmp_path, monkeypatch) -> LabelledDay:
    server = shared_server()
    server.clear()
    connect(monkeypatch, server, server.token)
    images = {"conn_type": "http", "host": "http://127.0.0.1:9", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_DRIFTWATCH_IMAGES", json.dumps(images))
    return labelled_day(server, tmp_path, poll_seconds=0.05)


def task(kind: type, day: LabelledDay) -> Any:
    return kind(task_id="t", monitor=day.store.config, day=str(day.store.date))


def waiting(day: LabelledDay) -> AnnotationCompleteTrigger:
    """What the task defers to, made anew of its stored form as the triggerer does."""
    with pytest.raises(TaskDeferred) as deferred:
        task(WaitForAnnotationsOperator, day).execute(context())
    stored = json.loads(json.dumps(deferred.value.trigger.serialize()[1]))
    return AnnotationCompleteTrigger(**stored)


def ends(trigger: AnnotationCompleteTrigger, **wait: Any) -> Any:
    trigger.wait = trigger.wait.model_copy(update=wait)
    return asyncio.run(anext(trigger.run())).payload


def test_a_day_is_asked_waited_for_and_merged(day):
    made = run_task(task(CreateAnnotationPoolOperator, day), context())
    trigger = waiting(day)
    assert trigger.wait.pool == day.pool
    assert trigger.wait.known == {known.image_id: known.label for known in day.plan.control}
    assert trigger.wait.renew_at is None  # the image server's links outlive the day
    for name in ("ann", "bob"):
        day.server.people[name].label_all(made["pool_id"], day.truth.get)
    event = ends(trigger)
    assert event == {"state": "closed", "reason": "COMPLETED"}
    done = task(WaitForAnnotationsOperator, day).resume(context(), event)
    assert done["coverage"] == 1.0
    assert {found["overlap"] for found in day.tasks().values()} == {0}  # nobody can change a vote unseen
    merged = task(MergeAnnotationsOperator, day).execute(context())
    assert (merged["consensus"], merged["votes"], merged["spent"]) == (3, 6, 0.0)


def test_the_deadline_closes_the_day_since_the_server_does_not(day):
    run_task(task(CreateAnnotationPoolOperator, day), context())
    trigger = waiting(day)
    event = ends(trigger, deadline=NOW - timedelta(seconds=1))
    assert event == {"state": "deadline", "reason": None}
    assert day.backend.look(day.pool).is_open
    with pytest.raises(NotEnoughLabels, match=r"ended with the deadline, 0 of 3 images.*raise expire_hours"):
        task(WaitForAnnotationsOperator, day).resume(context(), event)
    assert day.server.people["ann"].next_task(day.project) is None


def test_image_links_that_end_before_the_day_are_renewed_and_the_wait_goes_on(day):
    run_task(task(CreateAnnotationPoolOperator, day), context())
    soon = NOW + timedelta(minutes=1)
    day.store.write(day.plan.model_copy(update={"links_expire": soon}))
    trigger = waiting(day)
    assert trigger.wait.deadline == day.plan.expires  # not the end of the links
    assert trigger.wait.renew_at is not None
    event = ends(trigger, renew_at=NOW)
    assert event == {"state": "renew", "reason": None}
    before = {found["data"]["image"] for found in day.tasks().values()}
    with pytest.raises(TaskDeferred) as deferred:
        task(WaitForAnnotationsOperator, day).resume(context(), event)
    assert deferred.value.trigger.wait.renew_at is None
    assert day.plan.links_expire == day.plan.expires + timedelta(hours=4)
    links = {found["data"]["image"] for found in day.tasks().values()}
    assert len(links) == len(before) == 4
    assert all(f"expires={int(day.plan.links_expire.timestamp())}" in link for link in links)


@pytest.mark.parametrize("kind", ["legacy", "personal access"])
def test_the_connection_test_says_who_it_is_which_version_and_which_tokens_are_taken(day, monkeypatch, kind):
    connect(monkeypatch, day.server, day.server.token if kind == "legacy" else day.server.personal_token)
    ok, message = LabelStudioHook().test_connection()
    assert ok, message
    assert message == (
        f"Label Studio {VERSION} at {day.server.url}, signed in as owner@example.org with a {kind} token; "
        "it takes personal access and legacy tokens"
    )


def test_a_kind_of_token_that_is_switched_off_is_told(day, monkeypatch):
    def allow(legacy: bool) -> None:
        body = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": legacy}
        headers = {"Authorization": day.server.owner.headers["Authorization"]}
        if legacy:
            access = day.server.owner.post("/api/token/refresh/", json={"refresh": day.server.personal_token}).json()
            headers = {"Authorization": f"Bearer {access['access']}"}
        day.server.owner.post("/api/jwt/settings", json=body, headers=headers).raise_for_status()

    assert day.server.personal_token
    allow(False)
    try:
        ok, message = LabelStudioHook().test_connection()
    finally:
        allow(True)
    assert not ok
    assert "legacy token" in message
    assert "Admin > Connections" in message
    assert day.server.token not in message


def test_an_empty_address_names_the_field(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LABEL_STUDIO_DEFAULT", json.dumps({"conn_type": "label_studio", "password": "t"}))
    ok, message = LabelStudioHook().test_connection()
    assert not ok
    assert "has no address" in message
