"""Which answers are votes, where no server is needed to see it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from driftwatch.labels.assignments import LATE, SUBMITTED, VOID
from driftwatch.labels.backends.base import Pool
from driftwatch.labels.backends.label_studio.answers import LONGEST_SECONDS, given, progress, table_of
from driftwatch.labels.backends.label_studio.records import Annotation, ExportedTask

START = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)
IMAGE, CONTROL = "a" * 64, "b" * 64
POOL = Pool("7", 1, 2, 0.0, 1, 36.0, {CONTROL: "dog"})


def annotation(number: int, person: int | None, choice: str = "cat", seconds: float | None = 10, **more) -> Annotation:
    at = START + timedelta(minutes=number)
    fields = {
        "id": number,
        "completed_by": person,
        "updated_by": person,
        "created_at": at,
        "updated_at": at,
        "lead_time": seconds,
        "result": [{"from_name": "answer", "value": {"choices": [choice]}}],
    }
    return Annotation.model_validate(fields | more)


def read(*annotations: Annotation, image: str = IMAGE, closed: datetime | None = None):
    task = ExportedTask(id=1, data={"image_id": image}, annotations=annotations)
    return list(given([task], {"cat", "dog"}, POOL.overlap, closed))


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (annotation(1, 5), ""),
        (annotation(1, None), "is of somebody who is deleted"),
        (annotation(1, 5, updated_by=6), "was changed or sent by somebody else"),
        (annotation(1, 5, updated_by=None), ""),
        (annotation(1, 5, was_cancelled=True), "was skipped"),
        (annotation(1, 5, result=None), "has not one choice"),
        (annotation(1, 5, result=[{"from_name": "answer", "value": {"choices": ["cat", "dog"]}}]), "has not one choice"),
        (annotation(1, 5, result=[{"from_name": "answer"}]), "has not one choice"),
        (annotation(1, 5, result=[{"from_name": "other", "value": {"choices": ["cat"]}}]), "has not one choice"),
        (annotation(1, 5, result=2 * annotation(1, 5).result), "has not one choice"),
        (annotation(1, 5, "horse"), "is 'horse', which was not offered"),
    ],
)  # fmt: skip
def test_a_vote_is_one_choice_that_was_offered_by_the_person_whose_it_is(one, why):
    assert [found.why for found in read(one)] == [why]


def test_at_most_as_many_people_count_as_were_wanted_and_those_who_came_first():
    found = read(annotation(1, 5), annotation(2, 6), annotation(3, 7), annotation(4, 5, "dog"))
    assert [one.why for one in found] == ["", "", "came after 2 people had answered", ""]


def test_one_who_came_after_the_close_takes_nobodys_place():
    found = read(annotation(1, 5, "horse"), annotation(2, 6), annotation(9, 7), closed=START + timedelta(minutes=5))
    table = table_of(found, POOL)
    assert table["status"].tolist() == [VOID, SUBMITTED, LATE]
    assert table["reward"].tolist() == [0.0, pytest.approx(0.1), 0.0]


def test_time_is_at_most_five_minutes_for_an_image_and_control_tasks_are_paid_and_no_part_of_coverage():
    found = [
        *read(annotation(1, 5, seconds=9999), annotation(2, 6, seconds=None)),
        *read(annotation(3, 5, "dog", seconds=60), image=CONTROL),
    ]
    done = progress(found, POOL)
    assert (done.coverage, done.answers, done.answers_wanted) == (1.0, 2, 2)
    assert done.hours == pytest.approx((LONGEST_SECONDS + 60) / 3600, abs=1e-4)
    assert done.spent == pytest.approx(36 * done.hours, abs=0.01)
    table = table_of(found, POOL)
    assert table["control"].tolist() == [False, False, True]
    assert table["known_label"].tolist() == [None, None, "dog"]
    assert table["annotator_id"].tolist() == ["5", "6", "5"]


def test_a_task_that_a_person_made_is_no_image_of_the_day():
    assert read(annotation(1, 5), image="holiday.jpg") == []
