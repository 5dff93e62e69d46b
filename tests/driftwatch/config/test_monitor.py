"""The monitor file: what is refused, and with which words; what is accepted, and how it is read."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from driftwatch.config.loader import load_monitor

from .files import assert_refused, refusal, write


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"anotation": {}}, "anotation", "unknown key"),
        ({"annotation.overlaps": 3}, "annotation.overlaps", "unknown key"),
        ({"name": "Cats vs dogs"}, "name", "^[a-z]"),
        ({"classes": ["cat"]}, "classes", "at least 2"),
        ({"classes": ["cat", "cat"]}, "classes", "distinct"),
    ],
)
def test_a_bad_setting_is_refused_with_file_field_and_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)


def test_the_wrong_value_is_shown(tmp_path):
    assert "'large'" in refusal(write(tmp_path, {"images.min_side": "large"}))


@pytest.mark.parametrize("missing", ["name", "classes", "schedule.start_date", "storage"])
def test_a_missing_field_is_named(tmp_path, missing):
    path = write(tmp_path, without=missing)
    assert refusal(path).splitlines() == [f"{path}: 1 setting(s) refused:", f"  {missing}: Field required"]


def test_what_people_who_label_must_read_is_named(tmp_path):
    assert "annotation: people who label need question" in refusal(write(tmp_path, without="annotation.question"))


def test_every_bad_setting_of_a_file_is_told_at_once(tmp_path):
    message = refusal(write(tmp_path, {"annotation.overlap": 0, "classes": ["cat"], "colour": "red"}))
    assert "3 setting(s) refused" in message
    assert all(field in message for field in ("annotation.overlap", "classes", "colour"))


def test_the_shipped_monitor_is_valid(root):
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    assert monitor.classes == ("cat", "dog")
    assert (monitor.monitoring_dag_id, monitor.retraining_dag_id) == (
        "cats_vs_dogs_monitoring",
        "cats_vs_dogs_retraining",
    )


def test_settings_that_are_left_out_have_their_defaults(tmp_path):
    monitor = load_monitor(write(tmp_path))
    assert monitor.labels.overlap == 3
    assert monitor.publish.sinks == ("local",)
    assert monitor.retraining.retrain_on_backfill is False


def test_a_loaded_monitor_cannot_be_changed_at_any_depth(tmp_path):
    monitor = load_monitor(write(tmp_path))
    for section, field, value in (
        (monitor, "name", "other"),
        (monitor.labels, "overlap", 5),
        (monitor.labels.quality, "ban_days", 1),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, field, value)
