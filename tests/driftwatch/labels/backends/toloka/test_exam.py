"""The exam is one training for all days, as long as its links last."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from driftwatch.artifacts.annotation import ExamPlan, KnownImage

from .campaigns import NOW, PLAN, id_of


def exam(links_end: datetime) -> ExamPlan:
    keys = [f"t/{number}.jpg" for number in range(4)]
    tasks = tuple(KnownImage(image_id=id_of(key), key=key, label="dog") for key in keys)
    return ExamPlan(tasks=tasks, passing_percent=75, retry_after_days=30, links_end=links_end)


def test_the_exam_admits_annotators_and_serves_the_next_day_too_while_its_links_last(toloka):
    first = toloka.carry_out(exam=exam(NOW + timedelta(days=6)))
    (training,) = toloka.client.get_trainings()
    assert training.is_open()
    known = list(toloka.client.get_tasks(pool_id=training.id))
    assert {task.known_solutions[0].output_values["result"] for task in known} == {"dog"}
    assert {task.message_on_unknown_solution for task in known} == {"The right answer is dog."}
    requirement = toloka.client.get_pool(first.pool_id).quality_control.training_requirement
    assert (requirement.training_pool_id, requirement.training_passing_skill_value) == (training.id, 75)

    toloka.storage.delete(PLAN)
    toloka.carry_out(day=date(2026, 11, 21), exam=exam(NOW + timedelta(days=7)))
    assert [item.id for item in toloka.client.get_trainings()] == [training.id]

    toloka.storage.delete(PLAN)
    late = {"links_expire": NOW + timedelta(days=6, hours=1), "exam": exam(NOW + timedelta(days=8))}
    toloka.carry_out(day=date(2026, 11, 22), **late)
    assert len(list(toloka.client.get_trainings())) == 2
