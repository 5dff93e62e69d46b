"""The plan of a day's annotation: the same for the same day, within the limits, never naming a class to annotators."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import ExamConfig
from driftwatch.errors import ChangedImage, DriftwatchError
from driftwatch.labels.plan import describe, plan_labelling

from .planning import DAY, NOW, changed, of_day, plan, write_manifest


def test_the_sample_is_random_by_day_and_the_same_in_any_row_order(storage, monitor):
    first = plan(storage, monitor)
    write_manifest(storage, MonitorKeys(monitor.name), DAY, 100, order=-1)
    assert plan(storage, monitor) == first
    other = date(2026, 11, 21)
    write_manifest(storage, MonitorKeys(monitor.name), other, 100)
    drawn, again = ({image.image_id for image in p.sample} for p in (first, plan(storage, monitor, other)))
    assert len(drawn) == len(again) == 40
    assert drawn != again


def test_only_accepted_images_are_sampled_once_each(storage, monitor):
    ids = [image.image_id for image in plan(storage, monitor).sample]
    assert len(set(ids)) == len(ids)
    assert "bad" not in ids


def test_control_tasks_come_from_images_that_no_model_is_trained_on_with_classes_in_turn(storage, monitor):
    control = plan(storage, monitor).control
    assert len(control) == 10
    assert all(int(task.image_id.removeprefix("known")) >= 30 for task in control)
    assert sorted(task.label for task in control) == ["cat"] * 5 + ["dog"] * 5


def test_too_few_known_images_for_control_tasks_are_named(storage, monitor):
    layout = MonitorKeys(monitor.name)
    storage.write_table(layout.training_set, storage.read_table(layout.training_set).head(30))
    with pytest.raises(DriftwatchError, match=r"set\.parquet has 0 images outside its train split"):
        plan(storage, monitor)


def test_a_recorded_plan_is_kept_whatever_the_settings_have_become(storage, monitor):
    recorded = plan(storage, monitor)
    of_day(storage, monitor).write(recorded)
    assert plan(storage, changed(monitor, sample_size=5, seed=9)) == recorded


def test_a_plan_of_which_nobody_was_asked_is_made_anew_for_those_who_label_now(storage, monitor):
    first = plan(storage, monitor).model_copy(update={"state": "creating_project", "project_id": "7"})
    of_day(storage, monitor).write(first)
    desk = changed(monitor, backend="desk", price_per_hour=18)
    found = plan(storage, desk)
    assert (found.backend, found.state, found.project_id) == ("desk", "planned", None)
    assert found.sample == first.sample
    assert found.cost.hours
    of_day(storage, monitor).write(first.model_copy(update={"creations": {"pool": 1}}))
    assert plan(storage, desk).backend == "toloka"


def test_a_recorded_plan_ends_as_it_says_only_once_its_pool_was_asked_for(storage, monitor):
    later = NOW + timedelta(hours=200)
    monitor = changed(monitor, exam=ExamConfig(tasks=4))
    day = of_day(storage, monitor)

    def planned(recorded, now):
        day.write(recorded)
        return plan_labelling(day, now)

    recorded = plan(storage, monitor)
    exam = recorded.exam.model_copy(update={"links_end": later + timedelta(hours=167)})
    ends = {"expires": later + timedelta(hours=48), "links_expire": later + timedelta(hours=52), "exam": exam}
    assert planned(recorded, later) == recorded.model_copy(update=ends)
    for asked in ({"creations": {"pool": 1}}, {"pool_id": "7"}):
        asked_for = recorded.model_copy(update=asked)
        assert planned(asked_for, later) == asked_for


def test_a_plan_says_the_same_before_and_after_it_is_read_again(storage, monitor):
    day = of_day(storage, changed(monitor, exam=ExamConfig(tasks=4)))
    made = plan_labelling(day, NOW + timedelta(microseconds=7))
    day.write(made)
    assert day.read(AnnotationPlan) == made


def test_a_plan_is_kept_whose_control_tasks_lie_where_images_layout_leads(storage, monitor, tmp_path):
    """Their keys are whole addresses, and the monitor's own storage refuses those."""
    photo, recorded = tmp_path / "cameras" / "1.jpg", plan(storage, monitor)
    photo.parent.mkdir()
    photo.touch()
    control = (recorded.control[0].model_copy(update={"key": f"file://{photo}"}), *recorded.control[1:])
    of_day(storage, monitor).write(recorded.model_copy(update={"control": control}))
    assert plan(storage, monitor).control == control
    photo.unlink()
    assert plan(storage, monitor).control == recorded.control


def test_a_plan_whose_images_are_gone_is_made_again_as_long_as_no_pool_was_asked_for(storage, monitor):
    layout, day, recorded = MonitorKeys(monitor.name), of_day(storage, monitor), plan(storage, monitor)
    learnt = {"project_id": "p1", "state": "creating_exam", "creations": {"project": 1, "exam": 1}}
    day.write(recorded.model_copy(update=learnt))
    assert plan(storage, monitor) == recorded.model_copy(update=learnt)

    storage.delete(recorded.control[0].key)
    again = plan(storage, monitor)
    assert again.sample == recorded.sample
    assert recorded.control[0] not in again.control
    assert again.model_dump().items() >= learnt.items()

    write_manifest(storage, layout, DAY, 20)  # the day was taken in again, with fewer images
    assert len(plan(storage, monitor).sample) == 20
    day.write(recorded.model_copy(update={"creations": {"pool": 1}}))
    assert plan(storage, monitor).sample == recorded.sample


def test_images_that_come_before_a_pool_was_asked_for_take_part_in_the_sample_and_later_ones_do_not(storage, monitor):
    recorded = plan(storage, monitor)
    write_manifest(storage, MonitorKeys(monitor.name), DAY, 200)
    drawn = plan(storage, monitor).sample
    for asked, sample in (({}, drawn), ({"pool_id": "7"}, recorded.sample)):
        of_day(storage, monitor).write(recorded.model_copy(update=asked))
        assert plan(storage, monitor).sample == sample
    assert len(drawn) == 40
    assert drawn != recorded.sample


def test_a_file_that_was_replaced_is_left_out_of_the_sample_and_of_the_control_tasks_and_named(
    storage, monitor, caplog
):
    whole, day = plan(storage, monitor), of_day(storage, monitor)
    replaced = {whole.sample[0].image_id, whole.sample[7].image_id, whole.control[3].image_id}
    found = plan_labelling(day, NOW, lambda image_id, key: image_id not in replaced)
    assert len(found.sample) == 40
    assert {image.image_id for image in found.changed} == replaced & {image.image_id for image in whole.sample}
    assert not replaced & {image.image_id for image in [*found.sample, *found.control]}
    assert "2 images are left out of the sample" in caplog.text
    assert "40 images (2 left out, their files have changed since)" in describe(found, monitor.labels)
    assert "changed" not in whole.stored()
    with pytest.raises(ChangedImage, match=r"none of 100 images can be shown.*clear ingest_images"):
        plan_labelling(day, NOW, lambda image_id, key: "known" in image_id)


def test_a_plan_for_another_service_that_was_not_asked_for_a_pool_is_made_anew_without_what_it_had_learnt(
    storage, monitor
):
    day = of_day(storage, monitor)
    made = plan_labelling(day, NOW)
    day.write(made.model_copy(update={"backend": "desk", "project_id": "7", "creations": {"project": 1}}))
    assert plan_labelling(day, NOW) == made
