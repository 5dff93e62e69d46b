"""A day in a real Label Studio: what people do to it, what is a vote, and when it ends."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest
from tests.label_studio_server.running import label_studio_server, shared_server

from driftwatch.labels.assignments import LATE, SUBMITTED, VOID
from driftwatch.labels.backends.base import COMPLETED
from driftwatch.labels.backends.label_studio.backend import CLOSED
from driftwatch.labels.consensus import merge_day

from .days import labelled_day


@pytest.mark.timeout(1800)  # the first time, the database of the Postgres one is made
@pytest.mark.all_faults("the server takes a third of a second for each answer")
@pytest.mark.parametrize("postgres", [False, True], ids=["sqlite", "postgres"])
def test_three_people_label_a_day_with_three_votes_for_each_image(tmp_path, postgres):
    """tests/driftwatch_airflow/test_label_studio.py has a smaller day of two people in the plain suite."""
    sizes = {"images": 60, "control": 6, "overlap": 3, "price_per_hour": 36}
    folder = tmp_path / "server"
    folder.mkdir()
    if postgres:
        with label_studio_server(folder, postgres=True) as server:
            _three_people_label(labelled_day(server, tmp_path, **sizes))
    else:
        # A SQLite that three people write to at once answers 500 now and then.
        _three_people_label(labelled_day(shared_server(), tmp_path, **sizes), may_end=(httpx.HTTPStatusError,))


def _three_people_label(day, may_end=()):
    """`may_end`: errors after which a person stops."""
    plan = day.create()
    people = [day.server.people[name] for name in ("ann", "bob", "cy")]

    def label(person):
        with suppress(*may_end):
            person.label_all(day.project, day.truth.get)

    with ThreadPoolExecutor(len(people)) as threads:
        list(threads.map(label, people))  # raises what a person met
    for _ in range(10):
        _finish_what_a_busy_database_left(day, people)
        if not (state := day.backend.look(day.pool)).is_open:
            break
        time.sleep(1)
    done = day.backend.progress(day.pool)
    assert (state.is_open, state.close_reason) == (False, COMPLETED)
    assert (done.coverage, done.answers) == (1.0, 3 * len(plan.sample))
    assert done.hours == pytest.approx((len(plan.sample) + len(plan.control)) * 3 * 5 / 3600, abs=0.001)
    assert done.spent == pytest.approx(36 * done.hours, abs=0.01)
    day.store.storage.write_table(day.store.keys.assignments, day.backend.collect(day.pool))
    merged = merge_day(day.store, [image.image_id for image in plan.sample])
    assert (merged.consensus, merged.votes, merged.flagged) == (len(plan.sample), 3 * len(plan.sample), 0)
    labels = day.store.storage.read_table(day.store.keys.labels)
    assert dict(zip(labels["image_id"], labels["label"], strict=True)).items() <= day.truth.items()


def _finish_what_a_busy_database_left(day, people):
    """With SQLite a person may have stopped, and a lock of an image can be left behind; it would be free an hour later."""
    for task in day.server.tasks(day.project):
        given = {answer["completed_by"] for answer in task["annotations"]}
        for person in people:
            if int(person.id) not in given:
                person.submit(task["id"], day.truth[task["data"]["image_id"]])


@pytest.mark.all_faults("it asks for two thousand images")
@pytest.mark.timeout(1800)
def test_two_thousand_images_are_asked_in_a_minute_looked_at_in_seconds_and_collected_in_a_minute(new_day):
    day = new_day(images=2000, control=30, overlap=3)
    times = {}

    def timed(what, work):
        started = time.monotonic()
        result = work()
        times[what] = round(time.monotonic() - started, 1)
        return result

    timed("create", day.create)
    assert timed("look", lambda: day.backend.look(day.pool)).is_open
    day.server.answer_all(day.project, "cat", ("ann", "bob", "cy"))
    assert timed("look at the end", lambda: day.backend.look(day.pool)).close_reason == COMPLETED
    assert timed("progress", lambda: day.backend.progress(day.pool)).answers == 6000
    assert len(timed("collect", lambda: day.backend.collect(day.pool))) == 6090
    timed("close", lambda: day.backend.close(day.pool))
    logging.getLogger(__name__).warning("2,000 images: %s", times)
    assert times["create"] < 60, times
    assert times["look"] < 10, times
    assert times["collect"] < 60, times
    assert times["close"] < 30, times


def test_nothing_in_a_task_tells_the_answer_or_a_control_task(day):
    plan, tasks = day.plan, day.tasks()
    assert {task.image_id for task in plan.control} < set(tasks)
    for task in tasks.values():
        assert set(task["data"]) == {"image", "image_id"}
        assert (task["predictions"], task["overlap"], task["is_labeled"], task["meta"]) == ([], 2, False, {})
        assert not any(word in task["data"]["image"] for word in ("t/", "in/", "cat", "dog"))


def test_only_the_last_answer_of_a_person_counts_and_the_earlier_ones_are_kept(day):
    (image, task), *_ = [(i, t) for i, t in day.tasks().items() if i not in day.pool.known]
    for choice in ("cat", "dog"):
        day.server.people["ann"].submit(task["id"], choice)
    found = day.backend.collect(day.pool)
    assert (sorted(found["answer"]), set(found["status"])) == (["cat", "dog"], {SUBMITTED})
    assert day.backend.progress(day.pool).answers == 1
    day.store.storage.write_table(day.store.keys.assignments, found)
    assert merge_day(day.store, [image]).votes == 1
    labels = day.store.storage.read_table(day.store.keys.labels)
    assert labels["label"].tolist() == ["dog"]


def test_what_is_no_vote_is_kept_counts_for_nothing_and_is_said_by_its_reason(day, caplog):
    ann, bob, cy = (day.server.people[name] for name in ("ann", "bob", "cy"))
    task = next(iter(day.tasks().values()))["id"]
    ann.submit(task, "horse")
    ann.submit(task, "cat", completed_by=int(bob.id))  # sent by ann in bob's name
    ann.submit(task, "cat", was_cancelled=True)
    ann.http.post(f"/api/tasks/{task}/annotations", json={"result": []}).raise_for_status()
    changed = bob.submit(task, "cat").json()["id"]
    change = [{"from_name": "answer", "to_name": "image", "type": "choices", "value": {"choices": ["dog"]}}]
    ann.http.patch(f"/api/annotations/{changed}/", json={"result": change}).raise_for_status()
    for person in (ann, bob, cy):
        person.submit(task, "dog")
    with caplog.at_level(logging.WARNING):
        found = day.backend.collect(day.pool)
    assert found["status"].value_counts().to_dict() == {VOID: 6, SUBMITTED: 2}
    assert set(found.loc[found["status"] == SUBMITTED, "annotator_id"]) == {ann.id, bob.id}
    for said in ("is 'horse', which was not offered", "2 was changed or sent by somebody else", "1 was skipped",
                 "1 has not one choice", "1 came after 2 people had answered"):  # fmt: skip
        assert said in caplog.text
    day.store.storage.write_table(day.store.keys.assignments, found)
    assert merge_day(day.store, list(day.tasks())).annotators == 2


def test_nobody_is_offered_an_image_of_a_closed_day_and_what_still_comes_is_late(day, caplog):
    ann, bob, made = day.server.people["ann"], day.server.people["bob"], day.backend
    open_page = ann.next_task(day.project)
    other = next(task["id"] for task in day.tasks().values() if task["id"] != open_page["id"])
    early = bob.submit(other, "cat").json()["id"]
    made.close(day.pool)
    assert (made.look(day.pool).is_open, made.look(day.pool).close_reason) == (False, CLOSED)
    assert ann.next_task(day.project) is None
    first = made.collect(day.pool)
    assert first["status"].tolist() == [SUBMITTED]
    time.sleep(1.5)  # the server's clock is told in whole seconds
    ann.submit(open_page["id"], "cat")
    changed = [{"from_name": "answer", "to_name": "image", "type": "choices", "value": {"choices": ["dog"]}}]
    bob.http.patch(f"/api/annotations/{early}/", json={"result": changed}).raise_for_status()
    with caplog.at_level(logging.WARNING):
        found = day.backend.collect(day.pool)
    assert found["status"].tolist() == [LATE, LATE]
    assert "2 came, or was changed, after the day was closed" in caplog.text
    assert day.backend.progress(day.pool).answers == 0
    pinned = [project["pinned_at"] for project in day.server.projects()]
    assert pinned == [None]
