"""The trigger that looks at a pool until it ends."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from driftwatch.errors import NotEnoughLabels
from driftwatch.labels.backends.toloka.client import TolokaUnreachable
from driftwatch.storage import Storage
from driftwatch_airflow.triggers.annotation import AnnotationCompleteTrigger, PoolWait

NOW = datetime.now(timezone.utc)


DAY = "2026-11-20"
# As version 0.1 stored it; the triggerer of a later version must still resume the task.
STORED_BY_0_1 = {
    "toloka_conn_id": "toloka_default",
    "pool_id": "17",
    "deadline": "2026-11-20T18:00:00+00:00",
    "poll_seconds": 60.0,
    "images": 12,
    "overlap": 3,
    "fee_share": 0.3,
    "max_cost": 20.0,
    "storage_uri": "file:///data",
    "storage_connection": None,
    "progress_key": "cats_vs_dogs/days/2026-11-20/annotation_progress.json",
}


async def first_event(trigger: AnnotationCompleteTrigger) -> dict[str, Any]:
    return (await anext(trigger.run())).payload


def test_a_task_that_an_earlier_version_deferred_is_resumed():
    """Through the database's own encoding, by the path that it keeps."""
    from airflow._shared.module_loading import import_string
    from airflow.models.trigger import Trigger
    from airflow.serialization.decoders import smart_decode_trigger_kwargs

    path = "driftwatch_airflow.triggers.annotation.AnnotationCompleteTrigger"
    row = Trigger(classpath=path, kwargs=STORED_BY_0_1)
    kwargs = {name: smart_decode_trigger_kwargs(value) for name, value in row.kwargs.items()}
    trigger = import_string(row.classpath)(**kwargs)
    assert trigger.wait == PoolWait(**STORED_BY_0_1)
    assert trigger.wait.deadline == datetime(2026, 11, 20, 18, tzinfo=timezone.utc)
    # What is stored today has the same form: a worker may be newer than its triggerer.
    assert AnnotationCompleteTrigger(trigger.wait).serialize() == (path, STORED_BY_0_1)


def test_another_backend_is_stored_by_its_name():
    wait = PoolWait(**STORED_BY_0_1, backend="our_desk")
    assert wait.stored() == {**STORED_BY_0_1, "backend": "our_desk"}
    assert PoolWait(**STORED_BY_0_1).label_backend().name == "toloka"


def test_what_was_stored_and_cannot_be_names_the_field():
    with pytest.raises(ValueError, match="pool_id"):
        AnnotationCompleteTrigger(**{name: value for name, value in STORED_BY_0_1.items() if name != "pool_id"})


def test_the_trigger_fires_when_the_pool_closes_and_the_day_fails_where_it_is_short(day):
    pool_id = day.create()["pool_id"]
    trigger = day.trigger()

    async def close_meanwhile() -> dict[str, Any]:
        waiting = asyncio.create_task(first_event(trigger))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await asyncio.to_thread(day.client.close_pool_async, pool_id)
        return await asyncio.wait_for(waiting, 10)

    event = asyncio.run(close_meanwhile())
    assert event == {"state": "closed", "reason": "MANUAL"}
    with pytest.raises(
        NotEnoughLabels, match=r"ended with MANUAL, 0 of 12 images answered, and labels\.min_coverage is 80%"
    ):
        day.sensor().resume(day.context(), event)
    with pytest.raises(NotEnoughLabels, match=r"labels\.on_short_pool is fail"):
        day.sensor(on_short_pool="fail").resume(day.context(), event)


def test_the_deadline_ends_the_waiting(day):
    day.create()
    trigger = day.trigger(ends=NOW - timedelta(seconds=1))
    event = day.event(trigger)
    assert event == {"state": "deadline", "reason": None}
    with pytest.raises(NotEnoughLabels, match="ended with the deadline"):
        day.sensor().resume(day.context(), event)


@pytest.mark.parametrize("links_last", [99, 2])
def test_a_pool_that_was_put_off_at_toloka_is_waited_for_as_long_as_its_links_last(day, links_last):
    pool = day.client.get_pool(day.create()["pool_id"])
    key, ends = f"cats_vs_dogs/days/{DAY}/annotation.json", NOW + timedelta(hours=links_last)
    ended = {"expires": (NOW - timedelta(hours=1)).isoformat(), "links_expire": ends.isoformat()}
    day.storage.write_json(key, day.storage.read_json(key) | ended)
    waited_for = day.trigger().wait.deadline
    assert waited_for == min(ends, pool.will_expire.replace(tzinfo=timezone.utc)) > NOW


def test_an_end_that_a_person_puts_off_while_it_is_waited_for_is_waited_for(day):
    pool_id = day.create()["pool_id"]
    trigger = day.trigger()
    later = trigger.wait.ends + timedelta(hours=3)
    moved = day.client.get_pool(pool_id)
    moved.will_expire = later
    day.client.update_pool(pool_id, moved)
    event = day.event(trigger)
    assert event == {"state": "moved", "reason": None}
    with pytest.raises(TaskDeferred) as deferred:
        day.sensor().resume(day.context(), event)
    wait = deferred.value.trigger.wait
    assert trigger.wait.deadline < wait.deadline == wait.ends == later


def test_a_pool_that_costs_more_than_the_days_limit_is_closed_and_the_day_says_so(day):
    pool_id = day.create()["pool_id"]
    day.answers(pool_id, "ann", "cat", images=3)
    event = day.event(day.trigger(max_cost_per_day=0.05))
    assert event == {"state": "over_budget", "reason": None}
    with pytest.raises(NotEnoughLabels, match=r"ended with labels\.max_cost_per_day.*raise that limit"):
        day.sensor().resume(day.context(), event)
    deadline = time.monotonic() + 5
    while day.client.get_pool(pool_id).is_open():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_toloka_may_be_away_as_long_as_the_pool_is_waited_for(day, capsys):
    """Its port is closed: at the task's own look, and for several of the trigger's."""
    pool_id = day.create()["pool_id"]
    day.client.wait_operation(day.client.close_pool_async(pool_id), disable_progress=True)
    day.away()
    trigger = day.trigger()
    look, failed = trigger._look, []

    def counted(backend: Any) -> dict[str, Any] | None:
        try:
            return look(backend)
        except TolokaUnreachable:
            failed.append(backend)
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


def test_a_storage_that_is_away_while_progress_is_written_does_not_end_the_wait(day, monkeypatch):
    day.create()
    waiting = day.sensor()
    write = Storage.write_json

    def away(self: Storage, key: str, value: Any) -> None:
        if key.endswith("annotation_progress.json"):
            raise PermissionError("the token has expired")
        write(self, key, value)

    monkeypatch.setattr(Storage, "write_json", away)
    with pytest.raises(TaskDeferred) as deferred:
        waiting.execute(day.context())
    trigger = deferred.value.trigger
    assert trigger._look(trigger.wait.label_backend()) is None
    trigger.wait = trigger.wait.model_copy(update={"deadline": NOW})
    assert day.event(trigger)["state"] == "deadline"
