"""A project is made once, whatever is killed, sent twice, deleted or renamed; and it goes on, or goes away, when it should."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timedelta, timezone

import pytest

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.errors import NeedsAttention
from driftwatch.labels.backends.base import COMPLETED
from driftwatch.labels.backends.label_studio.client import LabelStudioApi
from driftwatch.labels.creation import renew_links

from .days import NOW, SIGNERS


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
    tomorrow = dataclasses.replace(old, store=monitor.day(old.store.date + timedelta(days=42)))
    old.store.storage.write_table(tomorrow.store.keys.manifest, table)
    tomorrow.create(NOW + timedelta(days=30))  # from its end to now 28 days have passed, and 42 between the days
    assert len(old.server.projects()) == 4
    third = dataclasses.replace(old, store=monitor.day(old.store.date + timedelta(days=41)))
    old.store.storage.write_table(third.store.keys.manifest, table)
    third.create(NOW + timedelta(days=45))
    left = [foreign.project, another.project, tomorrow.project, third.project]
    assert [str(project["id"]) for project in old.server.projects()] == left


def test_a_plan_says_what_was_learnt(day):
    plan = json.loads(day.store.storage.read_bytes(day.store.key(AnnotationPlan)))
    assert (plan["backend"], plan["state"], plan["creations"]) == ("label_studio", "opened", {"pool": 1, "import": 1})
    assert plan["project_id"] == plan["pool_id"]
