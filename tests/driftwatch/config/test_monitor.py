"""The monitor file: what is refused, and with which words; what is accepted, and how it is read."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from driftwatch.config.monitor_files import load_monitor, monitor_files, monitors_folder
from driftwatch.errors import ConfigError

VALID: dict[str, Any] = {
    "name": "cats_vs_dogs",
    "classes": ["cat", "dog"],
    "schedule": {"start_date": "2026-01-01"},
    "storage": {"uri": "s3://bucket/driftwatch"},
    "annotation": {"project_name": "Cat or dog?", "question": "Which?", "instructions": "<p>Look.</p>"},
}


def write(folder: Path, changes: dict[str, Any] | None = None, without: str | None = None) -> Path:
    """A valid monitor file with some settings changed; keys are dotted, as in the messages."""
    settings = copy.deepcopy(VALID)
    for dotted, value in (changes or {}).items():
        *sections, field = dotted.split(".")
        target = settings
        for section in sections:
            target = target.setdefault(section, {})
        target[field] = value
    if without:
        *sections, field = without.split(".")
        target = settings
        for section in sections:
            target = target[section]
        del target[field]
    path = folder / "monitor.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_monitor(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"anotation": {}}, "anotation", "unknown key"),
        ({"annotation.overlaps": 3}, "annotation.overlaps", "unknown key"),
        ({"images.min_side": "large"}, "images.min_side", "valid integer"),
        ({"name": "Cats vs dogs"}, "name", "^[a-z]"),
        ({"classes": ["cat"]}, "classes", "at least 2"),
        ({"classes": ["cat", "cat"]}, "classes", "distinct"),
        ({"annotation.overlap": 0}, "annotation.overlap", "greater than or equal to 1"),
        ({"storage.uri": "/data"}, "storage.uri", "file:///absolute/folder and s3://bucket/prefix"),
        ({"storage.uri": "file://relative"}, "storage.uri", "file:///absolute/folder and s3://bucket/prefix"),
        ({"storage.uri": "gs://bucket"}, "storage.uri", "file:///absolute/folder and s3://bucket/prefix"),
        ({"storage.uri": "${DRIFTWATCH_NOT_SET}"}, "storage.uri", "DRIFTWATCH_NOT_SET is not set"),
        ({"annotation.tasks_per_page": 19}, "annotation", "at least 10 %"),
        ({"annotation.control_tasks": 0}, "annotation", "at least control_tasks_per_page"),
        ({"annotation.unclear_answer": "dog"}, "annotation.unclear_answer", "one of classes"),
        ({"annotation.on_tie": "coin"}, "annotation.on_tie", "'abstain', 'random_seeded' or 'first_class'"),
        ({"publish.sinks": ["whylabs"]}, "publish", "dataset is needed"),
        ({"publish.monitors": {"trailing_days": 3}}, "publish.monitors.trailing_days", "greater than or equal to 4"),
        ({"publish.monitors": {"trailing_days": 5}}, "publish.monitors", "trailing_min_days must not be more"),
        ({"publish.alert_source": "either"}, "publish", "needs whylabs among the sinks"),
        ({"publish": ["whylabs"]}, "publish", "dataset is needed"),
        ({"publish": ["whylab"]}, "publish.sinks.0", "'whylabs' or 'local'"),
        ({"publish": []}, "publish.sinks", "at least 1"),
        ({"publish": ["local", "local"]}, "publish.sinks", "named once"),
        ({"schedule.cron": "@daily"}, "schedule.cron", "unknown key"),
        ({"schedule.delivery_hours": -1}, "schedule.delivery_hours", "greater than or equal to 0"),
        ({"images.max_reject_share": 20}, "images.max_reject_share", "less than or equal to 1"),
        ({"notifiers": [{"notifier": "a.B", "on": ["drft"]}]}, "notifiers.0.on.0", "'drift'"),
    ],
)
def test_a_bad_setting_is_refused_with_file_field_and_what_is_allowed(tmp_path, changes, field, allowed):
    path = write(tmp_path, changes)
    message = refusal(path)
    assert str(path) in message
    assert field in message
    assert allowed in message


def test_the_wrong_value_is_shown(tmp_path):
    assert "'large'" in refusal(write(tmp_path, {"images.min_side": "large"}))


@pytest.mark.parametrize("missing", ["name", "classes", "schedule.start_date", "storage", "annotation.question"])
def test_a_missing_field_is_named(tmp_path, missing):
    path = write(tmp_path, without=missing)
    assert refusal(path).splitlines() == [f"{path}: 1 setting(s) refused:", f"  {missing}: Field required"]


def test_every_bad_setting_of_a_file_is_told_at_once(tmp_path):
    message = refusal(write(tmp_path, {"annotation.overlap": 0, "classes": ["cat"], "colour": "red"}))
    assert "3 setting(s) refused" in message
    assert all(field in message for field in ("annotation.overlap", "classes", "colour"))


@pytest.mark.parametrize(("text", "kind"), [("- cat\n- dog\n", "list"), ("", "NoneType"), ("cats", "str")])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text, kind):
    path = tmp_path / "monitor.yaml"
    path.write_text(text)
    message = refusal(path)
    assert str(path) in message
    assert "must hold a mapping" in message
    assert kind in message


def test_broken_yaml_is_refused_with_the_line(tmp_path):
    path = tmp_path / "monitor.yaml"
    path.write_text("name: cats\nclasses: [cat, dog\n")
    message = refusal(path)
    assert str(path) in message
    assert "line 3" in message


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "monitor.yaml"
    path.write_bytes(b"\xff\xfe\x00\x9f")
    assert f"{path}: cannot be read as YAML" in refusal(path)


def test_a_missing_file_is_named(tmp_path):
    assert refusal(tmp_path / "none.yaml") == f"{tmp_path / 'none.yaml'}: no such monitor file"


@pytest.mark.parametrize(
    ("variable", "expected"),
    [("s3://elsewhere/data/", "s3://elsewhere/data"), (None, "file:///var/driftwatch")],
    ids=["from the environment", "the default"],
)
def test_a_variable_in_the_storage_uri_is_expanded(tmp_path, monkeypatch, variable, expected):
    monkeypatch.delenv("DRIFTWATCH_STORAGE", raising=False)
    if variable:
        monkeypatch.setenv("DRIFTWATCH_STORAGE", variable)
    path = write(tmp_path, {"storage.uri": "${DRIFTWATCH_STORAGE:-file:///var/driftwatch}"})
    assert load_monitor(path).storage.uri == expected


def test_the_shipped_monitor_is_valid(root):
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    assert monitor.classes == ("cat", "dog")
    assert (monitor.monitoring_dag_id, monitor.retraining_dag_id) == (
        "cats_vs_dogs_monitoring",
        "cats_vs_dogs_retraining",
    )


def test_settings_that_are_left_out_have_their_defaults(tmp_path):
    monitor = load_monitor(write(tmp_path))
    assert monitor.annotation.overlap == 3
    assert monitor.publish.sinks == ("local",)
    assert monitor.retraining.retrain_on_backfill is False


def test_a_list_of_sinks_is_short_for_the_section(tmp_path):
    short, long = ({"publish": ["local"]}, {"publish": {"sinks": ["local"]}})
    assert load_monitor(write(tmp_path, short)).publish == load_monitor(write(tmp_path, long)).publish


def test_a_loaded_monitor_cannot_be_changed_at_any_depth(tmp_path):
    monitor = load_monitor(write(tmp_path))
    for section, field, value in (
        (monitor, "name", "other"),
        (monitor.annotation, "overlap", 5),
        (monitor.annotation.quality, "ban_days", 1),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, field, value)


def test_monitors_are_found_in_the_folder_of_the_environment_in_order(tmp_path, monkeypatch):
    for name in ("b.yml", "a.yaml", "notes.txt"):
        (tmp_path / name).touch()
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path))
    assert [path.name for path in monitor_files()] == ["a.yaml", "b.yml"]


def test_without_a_setting_the_shipped_folder_is_read(root, monkeypatch):
    monkeypatch.delenv("DRIFTWATCH_MONITORS", raising=False)
    assert monitors_folder() == root / "include/monitors"
