"""What taking a day in leaves behind is read as its models say, and written again to the byte."""

from __future__ import annotations

from datetime import date

import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.ingest import Ingest, InputsIndex, LateFiles, ShardPlan
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config.images import ImagesConfig
from driftwatch.errors import DamagedArtifact
from driftwatch.images.ingest import DayModel, cut_into_shards
from driftwatch.images.inputs import write_index
from driftwatch.storage import Storage, StoredObject, open_storage

from . import samples
from .checks import read_whole

LAYOUT = MonitorKeys("demo")
DAY = LAYOUT.day(date(2026, 1, 10))


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


@pytest.mark.parametrize(
    ("kind", "whole"),
    [
        (Ingest, samples.INGEST),
        (Ingest, {**samples.INGEST, "late": 2, "reasons": {"truncated": 3}, "without_segment": {"camera": 4}}),
        (InputsIndex, samples.INPUTS_INDEX),
        (InputsIndex, samples.INPUTS_OF_A_CROP),
        (ShardPlan, samples.SHARD_PLAN),
        (LateFiles, samples.LATE_FILES),
    ],
)
def test_a_file_is_read_whole_and_written_again(storage, kind, whole):
    key = DAY.file(kind.file)
    storage.write_json(key, whole)
    read_whole(storage, key, kind)


def test_the_counts_add_up_and_what_is_absent_is_none(storage):
    storage.write_json(DAY.ingest, {**samples.INGEST, "listed": 305, "ignored": 5})
    found = read_whole(storage, DAY.ingest, Ingest)
    assert (found.day, found.delivered, found.late) == (date(2026, 1, 8), 300, 0)


@pytest.mark.parametrize("found", [{"input_size": 64, "input": {"height": 48, "width": 80}}, {}])
def test_an_index_that_says_the_pixels_twice_or_not_at_all_is_damaged(storage, found):
    storage.write_json(DAY.inputs_index, {"rows": [1], **found})
    with pytest.raises(DamagedArtifact, match=r"(?s)index\.json.*either input_size or input"):
        monitor_store(storage, LAYOUT).day(DAY.day).read(InputsIndex)


def test_the_plan_of_a_day_in_shards_and_the_index_are_what_their_writers_write(storage):
    listed = [StoredObject(f"{DAY.incoming}/{number:03d}.jpg", 9) for number in range(300)]
    store = monitor_store(storage, LAYOUT)
    config = store.config.model_copy(update={"images": ImagesConfig(shard_size=256)})
    cut_into_shards(store.with_config(config).day(DAY.day), DayModel("v0001-0a1b2c3d", ModelInput.square(64)), listed)
    plan = read_whole(storage, DAY.shard_plan, ShardPlan)
    assert (plan.shards, plan.listed, plan.input_size, plan.model_version) == (2, 300, 64, "v0001-0a1b2c3d")
    write_index(monitor_store(storage, LAYOUT).day(DAY.day), ModelInput.square(64), [256, 44])
    assert read_whole(storage, DAY.inputs_index, InputsIndex) == InputsIndex(input_size=64, rows=(256, 44))
