"""Where a monitor keeps its things."""

from __future__ import annotations

import pytest

from driftwatch.config.loader import load_monitor

from .files import assert_refused, write


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        (
            {"storage.uri": "/data"},
            "storage.uri",
            "file:///absolute/folder, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix",
        ),
        (
            {"storage.uri": "file://relative"},
            "storage.uri",
            "file:///absolute/folder, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix",
        ),
        (
            {"storage.uri": "gcs://bucket"},
            "storage.uri",
            "file:///absolute/folder, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix",
        ),
        ({"storage.uri": "${DRIFTWATCH_NOT_SET}"}, "storage.uri", "DRIFTWATCH_NOT_SET is not set"),
        ({"storage.uri": "s3://${BUCKET:-b}/${"}, "storage.uri", "still has a"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)


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
