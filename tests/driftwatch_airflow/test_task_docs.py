"""What stands beside each task."""

from __future__ import annotations

import pytest

from driftwatch_airflow.task_docs import _WHAT_AND_WHEN, what_to_do


def test_what_to_do_follows_a_pointer_to_another_task():
    assert what_to_do("upload_performance") == what_to_do("upload_features")
    assert what_to_do("upload_features").startswith("The message is the answer of the sink")
    assert what_to_do("of_somebody_else") == "See its log."


@pytest.mark.parametrize("task_id", _WHAT_AND_WHEN)
def test_no_pointer_leads_nowhere(task_id):
    assert what_to_do(task_id) != "See its log."
    assert not what_to_do(task_id).startswith("As ")
