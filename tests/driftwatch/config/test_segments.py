"""How the images are divided."""

from __future__ import annotations

from datetime import date

import pytest

from driftwatch.config.loader import load_monitor

from .files import assert_refused, write

TABLE = {"path": "metadata/{day}.csv", "key": "file", "column": "light"}
LOG = {"path": "logs/{day}.csv", "columns": {"key": "key", "prediction": "class", "segments": ["request.region"]}}


def test_each_of_the_three_sources_is_read(tmp_path):
    segments = {"camera": {"key": "^([^/]+)/"}, "light": {"table": TABLE}, "region": {"logged": "request.region"}}
    changes = {"segments": segments, "model.predictions": "logged", "model.logged": LOG}
    found = load_monitor(write(tmp_path, changes)).segments
    assert list(found) == ["camera", "light", "region"]
    assert [of.known_at_ingest for of in found.values()] == [True, True, False]
    assert found["light"].table.path_of(date(2026, 3, 4)) == "metadata/2026-03-04.csv"


def test_without_the_section_there_are_none(tmp_path):
    assert load_monitor(write(tmp_path)).segments == {}


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"segments": {"predicted_class": {"key": "^(.)"}}}, "segments", "a segmentation of every monitor already"),
        ({"segments": {"Camera": {"key": "^(.)"}}}, "segments", "'Camera' is no name: small letters"),
        ({"segments": {"camera": {"key": "door"}}}, "segments.camera.key", "such as ^([^/]+)/"),
        ({"segments": {"camera": {"key": "(("}}}, "segments.camera.key", "is no regular expression"),
        ({"segments": {"camera": {}}}, "segments.camera", "exactly one of key, table and logged"),
        ({"segments": {"light": {"key": "^(.)", "table": TABLE}}}, "segments.light", "key and table is given"),
        ({"segments": {"light": {"table": {**TABLE, "path": "metadata/{day}.xlsx"}}}}, "table.path", ".parquet"),
        ({"segments": {"light": {"table": {**TABLE, "path": "s3://b/m/{day}.csv"}}}}, "table.path", "without ://"),
        ({"segments": {"region": {"logged": "region"}}}, "segments.region.logged", "no section model.logged"),
        (
            {"segments": {"region": {"logged": "area"}}, "model.predictions": "logged", "model.logged": LOG},
            "segments.region.logged",
            "request.region",
        ),
        ({"segments": {f"s{n}": {"key": "^(.)"} for n in range(11)}}, "segments", "at most 10"),
    ],
)
def test_a_bad_segmentation_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)
