"""What stands beside each task."""

from __future__ import annotations

from driftwatch_airflow.task_docs import what_to_do


def test_what_to_do_follows_a_pointer_to_another_task():
    assert what_to_do("upload_performance") == what_to_do("upload_features")
    assert what_to_do("upload_features").startswith("The message is the sink's answer.")
    assert what_to_do("of_somebody_else") == "See its log."
