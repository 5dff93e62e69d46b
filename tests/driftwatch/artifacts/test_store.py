"""A monitor's store reads and writes by kind, and lists its days."""

from __future__ import annotations

from datetime import date

import pytest

from driftwatch.artifacts.ingest import Ingest, LateFiles
from driftwatch.artifacts.models import ChampionPointer
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import MissingArtifact
from driftwatch.storage import open_storage

from . import samples

DAY = date(2026, 1, 10)


@pytest.fixture
def store(tmp_path, small_monitor) -> MonitorStore:
    config = small_monitor(f"file://{tmp_path}")
    return MonitorStore(open_storage(config.storage.uri), config)


def test_a_days_artifact_lies_under_its_own_name(store):
    day = store.day(DAY)
    assert (day.find(LateFiles), day.has(LateFiles), store.days()) == (None, False, [])
    with pytest.raises(MissingArtifact, match=r"2026-01-10/late_files\.json"):
        day.read(LateFiles)
    day.write(LateFiles(files=2))
    assert day.storage.read_json(day.keys.late_files) == {"files": 2, "schema_version": 1}
    assert (day.read(LateFiles), day.find(LateFiles), day.has(LateFiles)) == (*[LateFiles(files=2)] * 2, True)
    assert store.days() == [DAY]


def test_what_version_0_1_wrote_is_read(store):
    day = store.day(DAY)
    day.storage.write_json(day.keys.ingest, samples.INGEST)
    assert day.read(Ingest).model_version == samples.INGEST["model_version"]
    assert day.config is store.config


def test_the_monitors_own_artifacts_are_read_by_key(store):
    assert store.find(store.keys.champion, ChampionPointer) is None
    store.write(store.keys.champion, ChampionPointer(version="v0001-0a1b2c3d", previous=None))
    assert store.storage.read_json(store.keys.champion) == {"previous": None, "schema_version": 1, "version": "v0001-0a1b2c3d"}  # fmt: skip
    assert store.read(store.keys.champion, ChampionPointer).champions == ("v0001-0a1b2c3d",)
