"""A day in a real Label Studio: what people do to it, what is a vote, when it ends, and what is never asked twice."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
import time
from datetime import datetime, timedelta, timezone

import jwt
import pytest
from tests.driftwatch.artifacts import samples
from tests.label_studio_server.running import SECRET_KEY, label_studio_server, shared_server

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.errors import DriftwatchError, NeedsAttention
from driftwatch.http import ServiceError
from driftwatch.labels.assignments import LATE, SUBMITTED, VOID
from driftwatch.labels.backends.base import COMPLETED
from driftwatch.labels.backends.label_studio.backend import CLOSED, LabelStudioBackend
from driftwatch.labels.backends.label_studio.client import LabelStudioApi
from driftwatch.labels.backends.label_studio.project import new_project
from driftwatch.labels.consensus import merge_day
from driftwatch.labels.creation import renew_links

from ..label_studio_service import site_of
from .days import NOW, SIGNERS, labelled_day


@pytest.mark.parametrize("postgres", [False, True], ids=["sqlite", "postgres"])
def test_three_people_label_a_day_with_three_votes_for_each_image(tmp_path, postgres, request):
    """Of sixty images with --all-faults, of twenty in the plain suite."""
    whole = request.config.getoption("--all-faults")
    sizes = {"images": 60 if whole else 20, "control": 6, "overlap": 3, "price_per_hour": 36}
    if postgres and not whole:
        pytest.skip("with --all-faults: it starts another server")
    folder = tmp_path / "server"
    folder.mkdir()
    if postgres:
        with label_studio_server(folder, postgres=True) as server:
            _three_people_label(labelled_day(server, tmp_path, **sizes))
    else:
        _three_people_label(labelled_day(shared_server(), tmp_path, **sizes))


def _three_people_label(day):
    plan = day.create()
    people = [day.server.people[name] for name in ("ann", "bob", "cy")]
    threads = [threading.Thread(target=person.label_all, args=(day.project, day.truth.get)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _finish_what_a_busy_database_left(day, people)
    done, state = day.backend.progress(day.pool), day.backend.look(day.pool)
    assert (state.is_open, state.close_reason) == (False, COMPLETED)
    assert (done.coverage, done.answers) == (1.0, 3 * len(plan.sample))
    assert done.hours == pytest.approx((len(plan.sample) + 6) * 3 * 5 / 3600, abs=0.001)
    assert done.spent == pytest.approx(36 * done.hours, abs=0.01)
    day.store.storage.write_table(day.store.keys.assignments, day.backend.collect(day.pool))
    merged = merge_day(day.store, [image.image_id for image in plan.sample])
    assert (merged.consensus, merged.votes, merged.flagged) == (len(plan.sample), 3 * len(plan.sample), 0)
    labels = day.store.storage.read_table(day.store.keys.labels)
    assert dict(zip(labels["image_id"], labels["label"], strict=True)).items() <= day.truth.items()


def _finish_what_a_busy_database_left(day, people):
    """With SQLite a lock of an image can be left behind; it would be free an hour later."""
    for task in day.server.tasks(day.project):
        given = {answer["completed_by"] for answer in task["annotations"]}
        for person in people:
            if int(person.id) not in given:
                person.submit(task["id"], day.truth[task["data"]["image_id"]])


def test_two_thousand_images_are_asked_in_a_minute_looked_at_in_seconds_and_collected_in_a_minute(new_day, request):
    if not request.config.getoption("--all-faults"):
        pytest.skip("with --all-faults")
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
    assert (found["answer"].tolist(), set(found["status"])) == (["cat", "dog"], {SUBMITTED})
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


def test_a_task_that_somebody_deleted_is_told_and_put_back_and_other_answers_stay(day):
    kept, gone = [task["id"] for task in day.tasks().values()][:2]
    day.server.people["ann"].submit(kept, "cat")
    day.server.owner.delete(f"/api/tasks/{gone}/").raise_for_status()
    for asked in (day.backend.look, day.backend.progress, day.backend.collect):
        with pytest.raises(NeedsAttention, match=r"lacks 1 of 4 images.*clear create_annotation_pool"):
            asked(day.pool)
    day.create()
    assert sorted(day.tasks()) == sorted({*day.pool.known, *(image.image_id for image in day.plan.sample)})
    assert {task["overlap"] for task in day.tasks().values()} == {2}
    assert (day.backend.look(day.pool).is_open, len(day.backend.collect(day.pool))) == (True, 1)


def test_a_deleted_project_is_an_error_and_never_a_day_without_answers(day):
    day.server.clear()
    for asked in (day.backend.look, day.backend.progress, day.backend.collect, day.backend.close):
        with pytest.raises(NeedsAttention, match=r"project \d+ is not in the Label Studio at http"):
            asked(day.pool)
    with pytest.raises(NeedsAttention, match=r"after its annotation\.json is deleted"):
        day.create()
    assert day.server.projects() == []


def test_a_renamed_project_is_found_by_its_id(day):
    day.set(title="Cats of Friday")
    assert day.create().pool_id == day.project
    assert len(day.server.projects()) == 1
    assert day.backend.look(day.pool).is_open


def test_an_end_that_a_person_puts_off_holds_and_a_description_without_one_says_what_to_write(day):
    day.set(description="Ours. Answers count until 2030-01-31T18:00:00Z. Thanks!")
    assert day.backend.look(day.pool).ends == datetime(2030, 1, 31, 18, tzinfo=timezone.utc)
    assert day.create().expires == datetime(2030, 1, 31, 18, tzinfo=timezone.utc)
    day.set(description="Ours.")
    with pytest.raises(NeedsAttention, match=r"write `Answers count until"):
        day.backend.look(day.pool)


def test_an_import_that_arrives_twice_is_offered_to_nobody(new_day):
    """As after an answer that was lost: the server did it, and the task is run again."""
    day = new_day()
    plan = day.create()
    lost = [{"data": task["data"]} for task in day.tasks().values()]
    day.set(maximum_annotations=0)
    day.server.owner.post(f"/api/projects/{day.project}/import", json=lost).raise_for_status()
    assert len(day.server.tasks(day.project)) == 8
    assert day.create().pool_id == plan.pool_id
    assert {task["overlap"] for task in day.tasks().values()} == {2}  # each image is there once
    assert day.server.people["ann"].label_all(day.project, day.truth.get) == 4


def test_an_import_that_arrives_when_the_day_is_open_changes_neither_its_end_nor_its_tasks(new_day):
    day = new_day(overlap=1, control=0)
    day.create()
    sent_before = {**day.plan.creations, "import": 2}
    day.store.write(day.plan.model_copy(update={"creations": sent_before}))
    day.set(maximum_annotations=0)
    day.create()  # opened task by task now, since an import may still be under way
    late = [{"data": task["data"]} for task in day.tasks().values()]
    day.server.owner.post(f"/api/projects/{day.project}/import", json=late).raise_for_status()
    assert day.backend.look(day.pool).is_open
    assert day.server.people["ann"].label_all(day.project, day.truth.get) == 3
    state = day.backend.look(day.pool)
    assert (state.is_open, state.close_reason) == (False, COMPLETED)
    assert day.backend.progress(day.pool).answers == 3


@pytest.mark.parametrize("what", ["change_project", "change_task"])
def test_a_project_that_is_opened_task_by_task_is_pinned_wherever_that_is_killed(day, monkeypatch, what):
    day.store.write(day.plan.model_copy(update={"creations": {**day.plan.creations, "import": 2}}))
    day.set(maximum_annotations=0, pinned_at=None)
    with monkeypatch.context() as patch:
        patch.setattr(LabelStudioApi, what, _killed)
        with pytest.raises(KeyboardInterrupt):
            day.create()
    day.create()
    assert {task["overlap"] for task in day.tasks().values()} == {2}
    assert all(project["pinned_at"] for project in day.server.projects())


def _killed(*_, **__):
    raise KeyboardInterrupt


def test_a_day_that_ended_too_early_goes_on_though_its_close_was_killed_before_the_tasks(day, monkeypatch):
    day.store.write(day.plan.model_copy(update={"creations": {**day.plan.creations, "import": 2}}))
    day.set(maximum_annotations=0)
    day.create()  # opened task by task
    with monkeypatch.context() as patch:
        patch.setattr(LabelStudioApi, "change_task", _killed)
        with pytest.raises(KeyboardInterrupt):
            day.backend.close(day.pool)
    day.create(NOW + timedelta(hours=49))
    state = day.backend.look(day.pool)
    assert (state.is_open, state.ends) == (True, day.plan.expires)


def test_a_day_that_ended_too_early_goes_on_when_it_is_run_again_after_its_end(day):
    day.server.people["ann"].submit(next(iter(day.tasks().values()))["id"], "cat")
    day.backend.close(day.pool)
    later = NOW + timedelta(hours=49)
    assert day.create(later).expires == later.replace(microsecond=0) + timedelta(hours=48)
    state = day.backend.look(day.pool)
    assert (state.is_open, state.ends) == (True, day.plan.expires)
    assert day.server.people["bob"].label_all(day.project, day.truth.get) == 4
    links = {task["data"]["image"] for task in day.tasks().values()}
    assert all(f"expires={int(day.plan.links_expire.timestamp())}" in link for link in links)
    assert len(day.backend.collect(day.pool)) == 5


def test_links_are_renewed_for_images_that_are_still_asked_about(day):
    before = {image: task["data"]["image"] for image, task in day.tasks().items()}
    done = next(iter(day.tasks()))
    for name in ("ann", "bob"):
        day.server.people[name].submit(day.tasks()[done]["id"], "cat")
    until = NOW.replace(microsecond=0) + timedelta(hours=99)
    assert renew_links(day.store, day.backend, SIGNERS, NOW, until).links_expire == until == day.plan.links_expire
    after = day.tasks()
    assert [image for image in after if after[image]["data"]["image"] == before[image]] == [done]
    assert {task["overlap"] for task in after.values()} == {2}
    assert day.backend.look(day.pool).is_open


def test_collected_projects_of_long_ago_are_deleted_with_the_next_creation_and_no_others(new_day):
    old = new_day()
    old.create()
    old.store.write(old.plan.model_copy(update={"state": "closed"}))
    foreign = new_day()
    foreign.create()
    monitor = old.store.monitor
    another = dataclasses.replace(old, store=monitor.day(old.store.date + timedelta(days=40)))
    for name in ("manifest",):
        table = old.store.storage.read_table(getattr(old.store.keys, name))
        old.store.storage.write_table(getattr(another.store.keys, name), table)
    another.create(NOW)
    assert len(old.server.projects()) == 3  # its answers were not collected
    old.store.storage.write_table(old.store.keys.assignments, old.backend.collect(old.pool))
    third = dataclasses.replace(old, store=monitor.day(old.store.date + timedelta(days=41)))
    old.store.storage.write_table(third.store.keys.manifest, table)
    third.create(NOW + timedelta(days=45))
    assert [str(p["id"]) for p in old.server.projects()] == [foreign.project, another.project, third.project]


def test_a_personal_token_whose_access_token_expires_in_the_middle_goes_on(new_day):
    day = new_day()
    site = site_of(day.server, day.server.personal_token)
    made = LabelStudioBackend(lambda: site.access("label_studio_default", "token"))
    assert made.api.personal
    day.site = dataclasses.replace(site)
    assert made.api.person().email == "owner@example.org"
    auth = made.api._http.auth
    claims = jwt.decode(auth._access, options={"verify_signature": False})
    auth._access = jwt.encode({**claims, "exp": int(time.time()) - 60}, SECRET_KEY, "HS256")
    expired = auth._access
    assert made.api.person().email == "owner@example.org"
    assert auth._access != expired
    assert day.create().state == "opened"  # with a client of its own


def test_a_personal_token_that_was_revoked_is_refused_and_not_shown(new_day):
    day = new_day()
    day.site = site_of(day.server, "aaaa.bbbb.cccc")
    with pytest.raises(NeedsAttention, match=r"refused the login.*Admin > Connections") as refused:
        day.create()
    assert "aaaa" not in str(refused.value)
    assert day.server.projects() == []


def test_what_is_found_wrong_names_the_field_and_is_final(new_day):
    day = new_day()
    with pytest.raises(DriftwatchError, match=r"label_config") as wrong:
        day.backend.api.create_project({"title": "cats", "label_config": "<View>"})
    assert isinstance(day.backend.refusal(wrong.value), NeedsAttention)


def test_a_hundred_classes_and_odd_names_are_taken_as_they_are(new_day):
    day = new_day()
    classes = ('say "cat"', "dog & <wolf>", *(f"class {number}" for number in range(98)))
    config = day.store.config.model_copy(update={"classes": classes})
    plan = AnnotationPlan.model_validate_json(json.dumps({**samples.PLAN, "project_id": None, "pool_id": None}))
    api = LabelStudioBackend(lambda: day.site.access("c", "token")).api
    made = api.create_project(new_project(config, plan))
    assert api.project(str(made)).choices == {*classes, "unclear"}


def test_an_address_that_is_not_label_studios_is_told(new_day):
    day = new_day()
    day.site = site_of(day.server, url=f"{day.server.url}/elsewhere")
    with pytest.raises(ServiceError, match=r"elsewhere|Label Studio"):
        day.create()


def test_a_plan_says_what_was_learnt(day):
    plan = json.loads(day.store.storage.read_bytes(day.store.key(AnnotationPlan)))
    assert (plan["backend"], plan["state"], plan["creations"]) == ("label_studio", "opened", {"pool": 1, "import": 1})
    assert plan["project_id"] == plan["pool_id"]
