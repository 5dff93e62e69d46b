"""Waiting for annotators: what the sensor and its trigger make of each way in which a pool can end."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred

from driftwatch.config.monitor_files import load_monitor
from driftwatch.errors import AccessRefused, NeedsAttention, NotEnoughLabels
from driftwatch.labels.backends.toloka.client import TolokaUnreachable
from driftwatch.labels.backends.toloka.upload import TaskUpload
from driftwatch.storage import Storage
from driftwatch_airflow.hooks.toloka import TolokaHook
from driftwatch_airflow.operators.annotation import CreateAnnotationPoolOperator, MergeAnnotationsOperator
from driftwatch_airflow.sensors.annotation import AnnotationCompleteSensor
from driftwatch_airflow.triggers.annotation import AnnotationCompleteTrigger
from driftwatch_airflow.triggers.patience import pause
from driftwatch_sandbox.toloka.app import Settings, create_app
from driftwatch_servers.serving import running

TOKEN = "AQAD-token"
DAY = "2026-11-20"
NOW = datetime.now(timezone.utc)


class TaskInstance:
    """Takes XComs and has a start, as Airflow's has."""

    def __init__(self) -> None:
        self.start_date = NOW
        self.xcom: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcom[key] = value


def context(**params: Any) -> dict[str, Any]:
    return {"ti": TaskInstance(), "params": params, "dag_run": SimpleNamespace(run_type="manual"), "run_id": "r"}


@pytest.fixture
def day(tmp_path, root: Path, monkeypatch):
    """A stand-in, a monitor whose connections lead to it, and a manifest of twelve images."""
    import pandas as pd

    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    monitor = monitor.model_copy(
        update={"annotation": monitor.annotation.model_copy(update={"control_tasks": 4, "poll_seconds": 0.05})}
    )
    storage = Storage(f"file://{tmp_path}")

    def picture(key: str) -> str:
        data = b"\xff\xd8\xff" + key.encode()
        storage.write_bytes(key, data)
        return hashlib.sha256(data).hexdigest()

    rows = [(f"in/{number}.jpg", picture(f"in/{number}.jpg"), "accepted") for number in range(12)]
    keys = f"cats_vs_dogs/days/{DAY}"
    storage.write_table(f"{keys}/manifest.parquet", pd.DataFrame(rows, columns=["key", "image_id", "status"]))
    known = [
        (picture(f"t/{number}.jpg"), "cat" if number % 2 else "dog", "evaluation", f"t/{number}.jpg")
        for number in range(8)
    ]
    storage.write_table(
        "cats_vs_dogs/training/set.parquet", pd.DataFrame(known, columns=["image_id", "label", "split", "key"])
    )
    settings = Settings(database=tmp_path / "toloka.db", token=TOKEN, crowd=False, operation_seconds=0.05)
    with ExitStack() as server:
        url = server.enter_context(running(create_app(settings)))

        def back() -> None:
            server.enter_context(running(create_app(settings), int(url.rsplit(":", 1)[1])))

        monkeypatch.setenv(
            "AIRFLOW_CONN_TOLOKA_DEFAULT",
            json.dumps({"conn_type": "toloka", "host": url, "password": TOKEN, "extra": {"retries": 0, "timeout": 5}}),
        )
        monkeypatch.setenv(
            "AIRFLOW_CONN_DRIFTWATCH_IMAGES", json.dumps({"conn_type": "http", "host": url, "password": "secret"})
        )
        client = TolokaHook().get_conn()
        yield SimpleNamespace(monitor=monitor, storage=storage, url=url, client=client, away=server.close, back=back)


def create(day: Any, **params: Any) -> dict[str, Any]:
    return CreateAnnotationPoolOperator(task_id="create", monitor=day.monitor, day=DAY).execute(context(**params))


def sensor(day: Any, **changes: Any) -> AnnotationCompleteSensor:
    monitor = day.monitor.model_copy(update={"annotation": day.monitor.annotation.model_copy(update=changes)})
    return AnnotationCompleteSensor(task_id="wait", monitor=monitor, day=DAY)


def trigger_of(day: Any, **changes: Any) -> AnnotationCompleteTrigger:
    with pytest.raises(TaskDeferred) as deferred:
        sensor(day, **changes).execute(context())
    path, arguments = deferred.value.trigger.serialize()
    assert path == "driftwatch_airflow.triggers.annotation.AnnotationCompleteTrigger"
    assert deferred.value.method_name == "resume"
    return AnnotationCompleteTrigger(**arguments)


async def first_event(trigger: AnnotationCompleteTrigger) -> dict[str, Any]:
    async for event in trigger.run():
        return event.payload
    raise AssertionError("the trigger ended without an event")


def test_a_dry_run_says_the_price_and_creates_nothing(day):
    with pytest.raises(AirflowSkipException, match=r"nothing was created; 12 images x 3 annotators .* = 0\.36 USD"):
        create(day, dry_run=True)
    assert list(day.client.get_projects()) == []
    assert not day.storage.exists(f"cats_vs_dogs/days/{DAY}/annotation.json")


def test_a_file_that_was_replaced_since_ingest_is_not_shown_and_a_dry_run_copies_nothing(day):
    day.storage.write_bytes("in/3.jpg", b"\xff\xd8\xffanother picture")
    with pytest.raises(AirflowSkipException, match=r"11 images \(1 left out, their files have changed since\)"):
        create(day, dry_run=True)
    assert day.storage.list(f"cats_vs_dogs/days/{DAY}/shown") == []
    assert create(day)["images"] == 11
    # What happens to the files after the plan is all the same: the copies were made before it.
    for number in range(12):
        day.storage.delete(f"in/{number}.jpg")
    assert create(day)["images"] == 11
    plan = day.storage.read_json(f"cats_vs_dogs/days/{DAY}/annotation.json")
    assert [entry["key"] for entry in plan["changed"]] == ["in/3.jpg"]


def test_creating_twice_gives_the_same_pool_and_a_link_to_it(day):
    first = create(day)
    assert create(day) == first
    assert first["images"] == 12
    operator = CreateAnnotationPoolOperator(task_id="create", monitor=day.monitor, day=DAY)
    with_link = context()
    operator.execute(with_link)
    (link,) = with_link["ti"].xcom.values()
    assert link.startswith(day.url)
    assert link.endswith(f"/pool/{first['pool_id']}")


def test_what_a_task_returns_is_small_json(day):
    assert len(json.dumps(create(day))) < 500


def test_the_trigger_fires_when_the_pool_closes_and_the_day_fails_where_it_is_short(day):
    pool_id = create(day)["pool_id"]
    trigger = trigger_of(day)

    async def close_meanwhile() -> dict[str, Any]:
        waiting = asyncio.create_task(first_event(trigger))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await asyncio.to_thread(day.client.close_pool_async, pool_id)
        return await asyncio.wait_for(waiting, 10)

    event = asyncio.run(close_meanwhile())
    assert event == {"state": "closed", "reason": "MANUAL"}
    with pytest.raises(
        NotEnoughLabels, match=r"ended with MANUAL, 0 of 12 images answered, and annotation\.min_coverage is 80%"
    ):
        sensor(day).resume(context(), event)
    with pytest.raises(NotEnoughLabels, match=r"annotation\.on_short_pool is fail"):
        sensor(day, on_short_pool="fail").resume(context(), event)


def test_a_short_pool_with_enough_coverage_is_used_where_the_setting_says_so(day):
    pool_id = create(day)["pool_id"]
    day.client.wait_operation(day.client.close_pool_async(pool_id), disable_progress=True)
    done = sensor(day, min_coverage=0.0).execute(context())
    assert done["close_reason"] == "MANUAL"
    recorded = day.storage.read_json(f"cats_vs_dogs/days/{DAY}/annotation.json")
    assert (recorded["state"], recorded["close_reason"]) == ("closed", "MANUAL")


def test_the_deadline_ends_the_waiting(day):
    create(day)
    trigger = trigger_of(day)
    trigger.deadline = (NOW - timedelta(seconds=1)).isoformat()
    event = asyncio.run(first_event(trigger))
    assert event == {"state": "deadline", "reason": None}
    with pytest.raises(NotEnoughLabels, match="ended with the deadline"):
        sensor(day).resume(context(), event)


@pytest.mark.parametrize("links_last", [99, 2])
def test_a_pool_that_was_put_off_at_toloka_is_waited_for_as_long_as_its_links_last(day, links_last):
    pool = day.client.get_pool(create(day)["pool_id"])
    key, ends = f"cats_vs_dogs/days/{DAY}/annotation.json", NOW + timedelta(hours=links_last)
    ended = {"expires": (NOW - timedelta(hours=1)).isoformat(), "links_expire": ends.isoformat()}
    day.storage.write_json(key, day.storage.read_json(key) | ended)
    waited_for = datetime.fromisoformat(trigger_of(day).deadline)
    assert waited_for == min(ends, pool.will_expire.replace(tzinfo=timezone.utc)) > NOW


def test_a_refused_login_is_not_retried_and_shows_no_token(day, monkeypatch):
    monkeypatch.setenv(
        "AIRFLOW_CONN_TOLOKA_DEFAULT", json.dumps({"conn_type": "toloka", "host": day.url, "password": "stolen-token"})
    )
    with pytest.raises(AccessRefused) as refused:
        create(day)
    operator = CreateAnnotationPoolOperator(task_id="create", monitor=day.monitor, day=DAY)
    decision = operator.retry_policy.evaluate(refused.value, 1, 3)
    assert decision.action.value == "fail"
    assert "stolen-token" not in str(refused.value)


def test_the_connection_test_shows_the_account_and_refusals(day, monkeypatch):
    ok, message = TolokaHook().test_connection()
    assert ok, message
    assert "balance" in message
    monkeypatch.setenv(
        "AIRFLOW_CONN_TOLOKA_DEFAULT", json.dumps({"conn_type": "toloka", "host": day.url, "password": "no"})
    )
    ok, message = TolokaHook().test_connection()
    assert not ok
    assert "Admin > Connections" in message


def test_the_campaign_records_its_pool_before_tasks_are_uploaded(day, monkeypatch):
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TaskUpload, "bring", killed)
    with pytest.raises(KeyboardInterrupt):
        create(day)
    recorded = day.storage.read_json(f"cats_vs_dogs/days/{DAY}/annotation.json")
    assert recorded["state"] == "created"
    assert recorded["pool_id"]


def test_nothing_that_an_annotator_sees_tells_a_control_task_from_another_or_its_class(day):
    create(day)
    (pool,) = day.client.get_pools()
    tasks = list(day.client.get_tasks(pool_id=pool.id))
    assert sum(bool(task.known_solutions) for task in tasks) == 4
    for task in tasks:
        address = task.input_values["image"].partition("?")[0]
        assert address == f"{day.url}/cats_vs_dogs/days/{DAY}/shown/{task.input_values['image_id']}.jpg"


def answers(day: Any, pool_id: str, user: str, answer: str, seconds: float = 60, images: int = 12) -> None:
    """One page by `user`: the same answer on the first images of the day, the right one on control tasks."""
    tasks = list(day.client.get_tasks(pool_id=pool_id))
    real = sorted((task for task in tasks if not task.known_solutions), key=lambda task: task.input_values["image_id"])
    given = {task.id: {"result": answer} for task in real[:images]}
    given |= {task.id: task.known_solutions[0].output_values for task in tasks if task.known_solutions}
    http = httpx.Client(base_url=day.url, headers={"Authorization": f"OAuth {TOKEN}"})
    body = {"pool_id": pool_id, "user_id": user, "answers": given, "seconds": seconds}
    http.post("/_sandbox/answers", json=body).raise_for_status()


def merge(day: Any) -> dict[str, Any]:
    return MergeAnnotationsOperator(task_id="merge", monitor=day.monitor, day=DAY).execute(context())


def statuses(day: Any, pool_id: str) -> dict[str, str]:
    return {page.user_id: page.status.value for page in day.client.get_assignments(pool_id=pool_id)}


def test_pages_are_judged_once_with_the_reason_and_rejected_answers_neither_vote_nor_cost(day):
    pool_id = create(day)["pool_id"]
    answers(day, pool_id, "ann", "cat")
    answers(day, pool_id, "haste", "dog", seconds=2)
    assert statuses(day, pool_id) == {"ann": "SUBMITTED", "haste": "SUBMITTED"}
    summary = merge(day)
    assert statuses(day, pool_id) == {"ann": "ACCEPTED", "haste": "REJECTED"}
    told = {page.user_id: page.public_comment for page in day.client.get_assignments(pool_id=pool_id)}
    assert told["haste"] == "answered in 2 s; reading the page takes at least 5 s"
    assert (summary["votes"], summary["spent"], summary["rejected_pages"]) == (12, 0.06, 1)
    assert set(day.storage.read_table(f"cats_vs_dogs/days/{DAY}/labels.parquet")["label"]) == {"cat"}
    assert merge(day) == summary


def test_a_day_whose_coverage_was_enough_is_not_refused_when_it_runs_again_after_its_pages_were_rejected(day):
    pool_id = create(day)["pool_id"]
    answers(day, pool_id, "ann", "cat", images=6)
    answers(day, pool_id, "haste", "dog", seconds=2)
    day.client.wait_operation(day.client.close_pool_async(pool_id), disable_progress=True)
    first = sensor(day, min_coverage=0.9).execute(context())
    assert (first["coverage"], merge(day)["rejected_pages"]) == (1.0, 1)

    create(day)
    again = sensor(day, min_coverage=0.9).execute(context())
    assert again["coverage"] == 1.0
    assert again["spent"] < first["spent"]


def test_answers_that_come_after_the_deadline_are_taken_in_when_the_day_is_run_again(day):
    pool_id = create(day)["pool_id"]
    answers(day, pool_id, "ann", "cat", images=6)
    late = trigger_of(day)
    late.deadline = (NOW - timedelta(seconds=1)).isoformat()
    sensor(day, min_coverage=0.5).resume(context(), asyncio.run(first_event(late)))
    assert merge(day)["consensus"] == 6

    answers(day, pool_id, "bea", "dog")
    day.client.wait_operation(day.client.close_pool_async(pool_id), disable_progress=True)
    create(day)
    sensor(day, min_coverage=0.5).execute(context())
    again = merge(day)
    # Two who disagree on the first six are a tie; the others have one answer each.
    assert (again["tie"], again["consensus"], again["votes"]) == (6, 6, 18)
    assert statuses(day, pool_id) == {"ann": "ACCEPTED", "bea": "ACCEPTED"}
    assert len(list(day.client.get_pools())) == 1


def test_a_pool_that_costs_more_than_the_days_limit_is_closed_and_the_day_says_so(day):
    pool_id = create(day)["pool_id"]
    answers(day, pool_id, "ann", "cat", images=3)
    event = asyncio.run(first_event(trigger_of(day, max_cost_per_day=0.05)))
    assert event == {"state": "over_budget", "reason": None}
    with pytest.raises(NotEnoughLabels, match=r"ended with annotation\.max_cost_per_day.*raise that limit"):
        sensor(day).resume(context(), event)
    deadline = time.monotonic() + 5
    while day.client.get_pool(pool_id).is_open():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_toloka_may_be_away_as_long_as_the_pool_is_waited_for(day, capsys):
    """Its port is closed: at the task's own look, and for several of the trigger's."""
    pool_id = create(day)["pool_id"]
    day.client.wait_operation(day.client.close_pool_async(pool_id), disable_progress=True)
    day.away()
    trigger = trigger_of(day)
    look, failed = trigger._look, []

    def counted(client: Any) -> dict[str, Any] | None:
        try:
            return look(client)
        except TolokaUnreachable:
            failed.append(client)
            raise

    trigger._look = counted

    async def outage() -> dict[str, Any]:
        waiting = asyncio.create_task(first_event(trigger))
        while len(failed) < 3:
            assert not waiting.done(), waiting.result()
            await asyncio.sleep(0.02)
        await asyncio.to_thread(day.back)
        return await asyncio.wait_for(waiting, 10)

    assert asyncio.run(outage()) == {"state": "closed", "reason": "MANUAL"}
    said = capsys.readouterr().out
    assert f"Pool {pool_id}: look 1 failed in a row (TolokaUnreachable: Toloka did not answer" in said
    assert "look 3 failed in a row" in said


def test_toloka_away_beyond_the_deadline_is_left_to_the_tasks_retries_and_nothing_is_lost(day):
    pool_id = create(day)["pool_id"]
    trigger = trigger_of(day)
    trigger.deadline = (NOW - timedelta(seconds=1)).isoformat()
    day.away()
    event = asyncio.run(first_event(trigger))
    assert event == {"state": "deadline", "reason": None}
    with pytest.raises(TolokaUnreachable, match="clear the task and what follows it: nothing is paid twice"):
        sensor(day).resume(context(), event)
    day.back()
    assert create(day)["pool_id"] == pool_id
    assert day.client.get_pool(pool_id).is_open()


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("token", r"refused the login.*Admin > Connections"),
        ("pool", r"404 \(DOES_NOT_EXIST.*whether the pool is there"),
    ],
)
def test_what_waiting_cannot_mend_ends_it_at_once(day, monkeypatch, broken, said):
    create(day)
    trigger = trigger_of(day)
    if broken == "token":
        stolen = {"conn_type": "toloka", "host": day.url, "password": "stolen-token"}
        monkeypatch.setenv("AIRFLOW_CONN_TOLOKA_DEFAULT", json.dumps(stolen))
    else:
        trigger.pool_id = "999999999"
        plan = day.storage.read_json(f"cats_vs_dogs/days/{DAY}/annotation.json")
        day.storage.write_json(f"cats_vs_dogs/days/{DAY}/annotation.json", {**plan, "pool_id": trigger.pool_id})
    event = asyncio.run(first_event(trigger))
    assert event["state"] == "refused"
    for attempt in (lambda: sensor(day).resume(context(), event), lambda: sensor(day).execute(context())):
        with pytest.raises(NeedsAttention, match=said):
            attempt()


def test_a_storage_that_is_away_while_progress_is_written_does_not_end_the_wait(day, monkeypatch):
    create(day)
    waiting = sensor(day)
    write = Storage.write_json

    def away(self: Storage, key: str, value: Any) -> None:
        if key.endswith("annotation_progress.json"):
            raise PermissionError("the token has expired")
        write(self, key, value)

    monkeypatch.setattr(Storage, "write_json", away)
    with pytest.raises(TaskDeferred) as deferred:
        waiting.execute(context())
    trigger = deferred.value.trigger
    assert trigger._look(day.client) is None
    trigger.deadline = NOW.isoformat()
    assert asyncio.run(first_event(trigger))["state"] == "deadline"


def test_looks_that_fail_come_ever_less_often():
    assert [pause(60, failures) for failures in (0, 1, 2, 5, 5000)] == [60, 120, 240, 600, 600]
    assert pause(1800, 3) == 1800


def test_coverage_and_spend_are_shown_while_people_are_waited_for(day):
    pool_id = create(day)["pool_id"]
    answers(day, pool_id, "ann", "cat", images=3)
    waiting = context()
    with pytest.raises(TaskDeferred):
        sensor(day).execute(waiting)
    shown = waiting["ti"].xcom
    assert shown["progress"] == "3 of 12 images answered (25%), 3 of 36 answers, 0.06 USD spent"
    page = f"/driftwatch/m/cats_vs_dogs/days/{DAY}/#spend"
    assert any(str(value).endswith(page) for value in shown.values())
    key = f"cats_vs_dogs/days/{DAY}/annotation_progress.json"
    assert day.storage.read_json(key)["text"] == shown["progress"]


def test_each_link_of_a_task_keeps_its_own_address(day):
    create(day)
    operator = sensor(day)
    with pytest.raises(TaskDeferred):
        operator.execute(context())
    key = SimpleNamespace(dag_id="cats_vs_dogs_monitoring", run_id="by hand/1")
    addresses = {link.name: link.get_link(operator, ti_key=key) for link in operator.operator_extra_links}
    assert "/pool/" in addresses["Toloka pool"]
    assert addresses["Label spend so far"].endswith("#spend")
    assert addresses["Monitor page"] == "/driftwatch/dag/cats_vs_dogs_monitoring/run/by%20hand%2F1"
