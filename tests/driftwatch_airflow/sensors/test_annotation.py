"""Waiting for annotators: what the task makes of each way in which a pool can end."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred

from driftwatch.errors import NeedsAttention
from driftwatch.labels.backends.toloka.client import TolokaUnreachable

NOW = datetime.now(timezone.utc)


DAY = "2026-11-20"


def test_a_short_pool_with_enough_coverage_is_used_where_the_setting_says_so(day):
    pool_id = day.create()["pool_id"]
    day.client.wait_operation(day.client.close_pool_async(pool_id), disable_progress=True)
    done = day.sensor(min_coverage=0.0).execute(day.context())
    assert done["close_reason"] == "MANUAL"
    recorded = day.storage.read_json(f"cats_vs_dogs/days/{DAY}/annotation.json")
    assert (recorded["state"], recorded["close_reason"]) == ("closed", "MANUAL")


def test_a_day_whose_coverage_was_enough_is_not_refused_when_it_runs_again_after_its_pages_were_rejected(day):
    pool_id = day.create()["pool_id"]
    day.answers(pool_id, "ann", "cat", images=6)
    day.answers(pool_id, "haste", "dog", seconds=2)
    day.client.wait_operation(day.client.close_pool_async(pool_id), disable_progress=True)
    first = day.sensor(min_coverage=0.9).execute(day.context())
    assert (first["coverage"], day.merge()["rejected_pages"]) == (1.0, 1)

    day.create()
    again = day.sensor(min_coverage=0.9).execute(day.context())
    assert again["coverage"] == 1.0
    assert again["spent"] < first["spent"]


def test_answers_that_come_after_the_deadline_are_taken_in_when_the_day_is_run_again(day):
    pool_id = day.create()["pool_id"]
    day.answers(pool_id, "ann", "cat", images=6)
    late = day.trigger(ends=NOW - timedelta(seconds=1))
    day.sensor(min_coverage=0.5).resume(day.context(), day.event(late))
    assert day.merge()["consensus"] == 6

    day.answers(pool_id, "bea", "dog")
    day.client.wait_operation(day.client.close_pool_async(pool_id), disable_progress=True)
    day.create()
    day.sensor(min_coverage=0.5).execute(day.context())
    again = day.merge()
    # Two who disagree on the first six are a tie; the others have one answer each.
    assert (again["tie"], again["consensus"], again["votes"]) == (6, 6, 18)
    assert day.statuses(pool_id) == {"ann": "ACCEPTED", "bea": "ACCEPTED"}
    assert len(list(day.client.get_pools())) == 1


def test_toloka_away_beyond_the_deadline_is_left_to_the_tasks_retries_and_nothing_is_lost(day):
    pool_id = day.create()["pool_id"]
    trigger = day.trigger(ends=NOW - timedelta(seconds=1))
    day.away()
    event = day.event(trigger)
    assert event == {"state": "deadline", "reason": None}
    with pytest.raises(TolokaUnreachable, match="clear the task and what follows it: nothing is paid twice"):
        day.sensor().resume(day.context(), event)
    day.back()
    assert day.create()["pool_id"] == pool_id
    assert day.client.get_pool(pool_id).is_open()


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("token", r"refused the login.*Admin > Connections"),
        ("pool", r"404 \(DOES_NOT_EXIST.*whether the pool is there"),
    ],
)
def test_what_waiting_cannot_mend_ends_it_at_once(day, monkeypatch, broken, said):
    day.create()
    trigger = day.trigger()
    if broken == "token":
        stolen = {"conn_type": "toloka", "host": day.url, "password": "stolen-token"}
        monkeypatch.setenv("AIRFLOW_CONN_TOLOKA_DEFAULT", json.dumps(stolen))
    else:
        gone = "999999999"
        trigger.wait = trigger.wait.model_copy(update={"pool_id": gone})
        plan = day.storage.read_json(f"cats_vs_dogs/days/{DAY}/annotation.json")
        day.storage.write_json(f"cats_vs_dogs/days/{DAY}/annotation.json", {**plan, "pool_id": gone})
    event = day.event(trigger)
    assert event["state"] == "refused"
    for attempt in (lambda: day.sensor().resume(day.context(), event), lambda: day.sensor().execute(day.context())):
        with pytest.raises(NeedsAttention, match=said):
            attempt()


def test_the_old_name_is_the_same_task_and_says_the_new_one():
    from driftwatch_airflow.sensors import annotation

    with pytest.warns(DeprecationWarning, match="AnnotationCompleteSensor is now called WaitForAnnotationsOperator"):
        from driftwatch_airflow.sensors.annotation import AnnotationCompleteSensor
    assert AnnotationCompleteSensor is annotation.WaitForAnnotationsOperator


def test_the_trigger_asks_the_service_that_the_task_asks(day, monkeypatch):
    from driftwatch_airflow.sensors import annotation

    day.create()
    sensor = day.sensor()
    assert "backend" not in sensor._wait(sensor._plan).stored()  # a triggerer of version 0.1 reads it too
    other = SimpleNamespace(name="our_desk", knows_truth=True, renews_links=False)
    monkeypatch.setattr(annotation, "label_backend_of", lambda monitor, plan: other)
    sensor = day.sensor()
    assert sensor._wait(sensor._plan).stored()["backend"] == "our_desk"


def test_coverage_and_spend_are_shown_while_people_are_waited_for(day):
    pool_id = day.create()["pool_id"]
    day.answers(pool_id, "ann", "cat", images=3)
    waiting = day.context()
    with pytest.raises(TaskDeferred):
        day.sensor().execute(waiting)
    shown = waiting["ti"].xcom
    assert shown["progress"] == "3 of 12 images answered (25%), 3 of 36 answers, 0.06 USD spent"
    page = f"/driftwatch/m/cats_vs_dogs/days/{DAY}/#spend"
    assert any(str(value).endswith(page) for value in shown.values())
    key = f"cats_vs_dogs/days/{DAY}/annotation_progress.json"
    assert day.storage.read_json(key)["text"] == shown["progress"]


def test_late_images_are_labelled_in_a_pool_of_their_own_within_the_days_limit_and_merged_with_the_others(day):
    first = day.create()["pool_id"]
    for who in ("ann", "bea", "cy"):
        day.answers(first, who, "cat")
    deadline = time.monotonic() + 30
    while day.client.get_pool(first).is_open():  # the service closes it by itself, a moment after the last answer
        assert time.monotonic() < deadline
        time.sleep(0.05)
    day.sensor().execute(day.context())
    day.late_images(12)
    created = day.create()
    assert (created["images"], created["cost"]) == (24, 0.72)
    with pytest.raises(TaskDeferred) as deferred:
        day.sensor().execute(day.context())
    assert deferred.value.kwargs == {"number": 1}
    assert deferred.value.trigger.wait.pool_id == created["pool_id"] != first
    assert deferred.value.trigger.wait.max_cost == pytest.approx(20 - 0.18)  # the first pool has cost three pages
    day.answers(created["pool_id"], "ann", "dog")
    day.client.wait_operation(day.client.close_pool_async(created["pool_id"]), disable_progress=True)
    event = day.event(deferred.value.trigger)
    done = day.sensor().resume(day.context(), event, **deferred.value.kwargs)
    assert (done["close_reason"], done["coverage"]) == ("MANUAL", 1.0)
    assert (day.merge()["sampled"], day.merge()["labelled"], day.merge()["votes"]) == (24, 24, 48)
    recorded = day.storage.read_json(f"cats_vs_dogs/days/{DAY}/annotation.json")
    assert [part["close_reason"] for part in (recorded, *recorded["supplements"])] == ["COMPLETED", "MANUAL"]
    assert recorded["supplements"][0]["progress"]["answered_images"] == 12
    progress = day.storage.read_json(f"cats_vs_dogs/days/{DAY}/annotation_progress.json")
    assert (progress["images"], progress["answers"]) == (24, 48)
    assert day.create() == created
    assert len(list(day.client.get_pools())) == 2


def test_late_images_that_the_day_cannot_pay_for_leave_it_as_it_was_and_the_log_says_so(day, caplog):
    first = day.create()
    day.monitor = day.monitor.model_copy(
        update={"labels": day.monitor.labels.model_copy(update={"max_cost_per_day": 0.5})}
    )
    day.late_images(12)
    with pytest.raises(AirflowSkipException, match=r"nobody is asked about 12 images .*max_cost_per_day 0\.50"):
        day.create(dry_run=True)
    assert day.create() == first
    assert "nobody is asked about 12 images that came later: labelling 2026-11-20 would cost 0.72 USD" in caplog.text
    assert len(list(day.client.get_pools())) == 1
