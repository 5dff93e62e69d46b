"""What is asked of annotators, and what it may cost."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from driftwatch.config import LabelsConfig
from driftwatch.config.loader import load_monitor

from .files import assert_refused, refusal, write


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"annotation.overlap": 0}, "annotation.overlap", "greater than or equal to 1"),
        ({"annotation.tasks_per_page": 19}, "annotation", "at least 10 %"),
        ({"annotation.control_tasks": 0}, "annotation", "at least control_tasks_per_page"),
        ({"annotation.unclear_answer": "dog"}, "labels.unclear_answer", "one of classes"),
        ({"annotation.on_tie": "coin"}, "annotation.on_tie", "'abstain', 'random_seeded' or 'first_class'"),
        ({"annotation.question": "Is it ${ANIMAL}?"}, "annotation.question", "replaced in storage.uri alone"),
        ({"annotation.sample_size": 1_000_000}, "annotation.sample_size", "less than or equal to 100000"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)


TABLE = {"covers": "all", "path": "truth/{day}.csv", "columns": {"key": "file", "label": "truth"}}
PEOPLE = {"project_name": "p", "question": "q", "instructions": "i"}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"backend": "none", "sample_size": 10}, "no other settings but blur: remove sample_size"),
        ({"backend": "table"}, "needs the section labels.table"),
        ({"backend": "table", "table": TABLE, "overlap": 2}, "table does not use overlap"),
        ({"backend": "table", "table": TABLE, "check_with": "none"}, "are no people"),
        ({"backend": "desk", **PEOPLE, "check_with": "toloka"}, "check_with is for backend: table"),
        ({"backend": "desk", **PEOPLE, "reward_per_page": 0.07, "exam": {}}, "desk does not use exam, reward_per_page"),
        ({"backend": "toloka", **PEOPLE, "price_per_hour": 18}, "toloka does not use price_per_hour"),
        ({"backend": "label_studio", **PEOPLE, "tasks_per_page": 8}, "label_studio does not use tasks_per_page"),
        ({"backend": "desk", **PEOPLE, "wait_days": 3}, "desk does not use wait_days"),
        ({"backend": "desk", "question": " "}, "need project_name, question, instructions"),
    ],
)
def test_a_setting_that_the_backend_does_not_use_is_refused(labels, message):
    with pytest.raises(ValidationError, match=message):
        LabelsConfig.model_validate(labels)


def test_the_old_section_is_toloka_and_both_at_once_are_refused(tmp_path):
    assert load_monitor(write(tmp_path)).labels.backend == "toloka"
    assert "keep labels alone" in refusal(write(tmp_path, {"labels": {"backend": "none"}}))


def test_a_monitor_without_labels_is_valid_and_its_connection_follows_the_backend(tmp_path):
    assert load_monitor(write(tmp_path, without="annotation")).labels.backend == "none"
    desk = LabelsConfig(backend="desk", **PEOPLE)
    assert (desk.people, desk.connection_id, desk.fee) == ("desk", "driftwatch_desk_default", 0)
    table = LabelsConfig.model_validate({"backend": "table", "table": TABLE, "check_with": "label_studio", **PEOPLE})
    assert (table.people, table.connection_id) == ("label_studio", "label_studio_default")
