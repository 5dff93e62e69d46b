"""Where a monitor keeps its things."""

from __future__ import annotations

import pytest

from driftwatch.config.loader import load_monitor

from .files import assert_refused, refusal, write


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


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("storage.uri", "s3://AKIAIOSFODNN7EXAMPLE:hunter2@bucket/prefix"),
        ("storage.uri", "https://reader:hunter2@example.org"),
        ("images.layout.paths", ["s3://reader:hunter2@bucket/{day}"]),
        ("model.logged.path", "az://reader:hunter2@container/{day}.csv"),
    ],
)
def test_a_login_in_an_address_is_refused_and_not_shown(tmp_path, field, value):
    more = {"model.predictions": "logged"} if field.startswith("model") else {}
    message = refusal(write(tmp_path, {field: value, **more}))
    assert f"{field}" in message
    assert "holds a user or a password before its @" in message
    assert "hunter2" not in message
