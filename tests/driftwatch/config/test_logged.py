"""The section model.logged: what it needs, and what it refuses with the reason."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError
from tests.stores import SMALLEST

from driftwatch.config import MonitorConfig
from driftwatch.config.logged import LoggedConfig

COLUMNS = {"key": "file", "prediction": "class"}
DAY = date(2026, 3, 4)


def monitor(**changes: Any) -> MonitorConfig:
    section = {"path": "logs/{day}.csv", "columns": COLUMNS, **changes}
    return MonitorConfig.model_validate({**SMALLEST, "model": {"predictions": "logged", "logged": section}})


def logged(**changes: Any) -> LoggedConfig:
    found = monitor(**changes).model.logged
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "of_day"),
    [
        ("logs/{day}.csv", "logs/2026-03-04.csv"),
        ("logs/{day:%Y/%m/%d}/*.parquet", "logs/2026/03/04/*.parquet"),
        ("s3://lake/x/{day:%Y}/{day:%j}.csv", "s3://lake/x/2026/063.csv"),
        ("file:///lake/{day:%Y%m%d}/**/*", "file:///lake/20260304/**/*"),
    ],
)
def test_the_day_stands_in_the_path(path, of_day):
    assert logged(path=path).path_of(DAY) == of_day


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("logs/all.csv", "names no day"),
        ("logs/{day:}.csv", "has no format"),
        ("logs/{day:yyyy}.csv", "has no format"),
        ("logs/{date}.csv", "allowed in braces"),
        ("/logs/{day}.csv", "allowed are a path below"),
        ("logs/../{day}.csv", "without '..'"),
        ("file://logs/{day}.csv", "allowed are a path below"),
        ("{day}.csv", "needs a folder"),
        ("*/{day}.csv", "needs a folder"),
        ("s3://lake/{day}.csv", "needs a folder"),
        ("logs/${HOME}/{day}.csv", "would stay as it is"),
    ],
)
def test_another_path_is_refused(path, why):
    with pytest.raises(ValidationError, match=why):
        logged(path=path)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"columns": {"prediction": "class"}}, "columns.key or columns.image_id is needed"),
        ({"columns": {"key": "file"}}, "columns.prediction or columns.scores is needed"),
        ({"columns": {**COLUMNS, "image_id": "sha"}}, "keep one"),
        ({"columns": {**COLUMNS, "segments": ["a.camera", "b.camera"]}}, "the same last part"),
        ({"columns": {**COLUMNS, "scores": {"cat": "c"}}}, r"missing \['dog'\]"),
        ({"columns": {**COLUMNS, "scores": {"cat": "c", "dog": "d", "cow": "e"}}}, r"wrong \['cow'\]"),
        ({"classes": {"n1": "cow"}}, r"model.logged.classes must name classes .* wrong \['cow'\]"),
        ({"classes": {"n1": "cat", "N1": "dog"}}, "distinct"),
        ({"separator": ";;"}, "separator"),
        ({"class_numbers": 2}, "class_numbers"),
        ({"key_pattern": "("}, "no regular expression"),
        ({"key_pattern": "abc"}, "needs a group"),
        ({"wait_hours": -1}, "wait_hours"),
    ],
)
def test_what_cannot_be_read_is_refused(changes, why):
    with pytest.raises(ValidationError, match=why):
        logged(**changes)


def test_numbers_of_columns_and_classes_may_be_written_as_numbers():
    found = logged(header=False, columns={"key": 0, "scores": {"cat": 1, "dog": 2}}, classes={7: "cat"})
    assert (found.columns.key, found.columns.scores, found.classes) == ("0", {"cat": "1", "dog": "2"}, {"7": "cat"})


@pytest.mark.parametrize("name", ["sagemaker", "kserve"])
def test_a_preset_needs_no_columns(name):
    assert logged(format=name, columns=None).columns.key is None


def test_predictions_logged_needs_the_section():
    with pytest.raises(ValidationError, match=r"needs the section model\.logged"):
        MonitorConfig.model_validate({**SMALLEST, "model": {"predictions": "logged"}})
