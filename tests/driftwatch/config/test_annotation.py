"""What is asked of annotators, and what it may cost."""

from __future__ import annotations

import pytest

from .files import assert_refused


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"annotation.overlap": 0}, "annotation.overlap", "greater than or equal to 1"),
        ({"annotation.tasks_per_page": 19}, "annotation", "at least 10 %"),
        ({"annotation.control_tasks": 0}, "annotation", "at least control_tasks_per_page"),
        ({"annotation.unclear_answer": "dog"}, "annotation.unclear_answer", "one of classes"),
        ({"annotation.on_tie": "coin"}, "annotation.on_tie", "'abstain', 'random_seeded' or 'first_class'"),
        ({"annotation.question": "Is it ${ANIMAL}?"}, "annotation.question", "replaced in storage.uri alone"),
        ({"annotation.sample_size": 1_000_000}, "annotation.sample_size", "less than or equal to 100000"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)
