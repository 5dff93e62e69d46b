"""The day's profile of parts: what it says, that a small day is as ever, and that its hash goes by the values alone."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.artifacts.ingest import InputsIndex
from driftwatch.artifacts.store import DayStore
from driftwatch.drift import day_profile as profiles
from driftwatch.drift import whylogs_profiles
from driftwatch.drift.day_profile import day_profile, hash_of_day, profile_shard
from driftwatch.drift.image_quality import build_image_reference, profile_day
from driftwatch.drift.value_sums import PREFIX
from driftwatch.drift.whylogs_profiles import content_hash, feature_profile, read_profile, summary
from driftwatch.images import judged, shards
from driftwatch.images.features import COLUMNS
from driftwatch.images.inputs import DayInputs
from driftwatch.images.judged import judged_features
from driftwatch.images.shard_files import shard_file
from driftwatch.images.shards import Shard, shards_of
from driftwatch.storage import Storage, open_storage, tables

from .days import a_day, count_in, features_of, monitor, put_features

IMAGES, BLOCK = 1000, 64


@pytest.fixture
def storage(tmp_path) -> Storage:
    storage = open_storage(f"file://{tmp_path}")
    build_image_reference(monitor(storage), "v1", features_of(400, 0))
    return storage


@pytest.fixture
def large(storage, monkeypatch) -> DayStore:
    """A day of 1,000 images, of which 300 are judged, and a profile that is exact up to 128 rows."""
    monkeypatch.setattr(tables, "ROWS", 128)
    monkeypatch.setattr(judged, "MOST", 300)
    monkeypatch.setattr(shards, "BLOCK", BLOCK)
    for module in (whylogs_profiles, profiles):
        monkeypatch.setattr(module, "EXACT_ROWS", 128)
    return taken_in(storage)


def taken_in(storage: Storage) -> DayStore:
    day = a_day(storage)
    put_features(day, features_of(IMAGES, 1))
    count_in(day)
    rows = tuple(min(BLOCK, IMAGES - start) for start in range(0, IMAGES, BLOCK))
    day.write(InputsIndex(rows=rows, input_size=32))
    return day


def of_shards(day: DayStore, size: int) -> list[Shard]:
    found = shards_of(IMAGES, size)
    assert sum(profile_shard(day, shard) for shard in found[::-1]) == IMAGES
    return found


def test_the_parts_of_all_shards_make_the_profile_of_all_rows_whatever_the_cuts(large):
    frame = features_of(IMAGES, 1).drop(columns="image_id")
    hashes = set()
    for size in (64, 192, 640):
        of_shards(large, size)
        made = day_profile(large, judged_features(large))
        said = summary(read_profile(made.payload))
        for name in frame.columns:
            assert said[name]["count"] == IMAGES
            assert said[name]["mean"] == pytest.approx(frame[name].mean())
            assert said[name]["stddev"] == pytest.approx(frame[name].std())
            assert (said[name]["min"], said[name]["max"]) == (frame[name].min(), frame[name].max())
            below = (frame[name] <= said[name]["median"]).mean()
            assert below == pytest.approx(0.5, abs=0.05)
        hashes.add(made.content_hash)
        profiles.remove_parts(large, 300)
    made = day_profile(large, judged_features(large))  # without parts
    assert summary(read_profile(made.payload))[frame.columns[0]]["count"] == IMAGES
    assert {*hashes, made.content_hash, hash_of_day(large)} == {made.content_hash}
    assert made.content_hash.startswith(PREFIX)


def test_the_parts_are_gone_when_the_day_is_profiled_and_a_repeat_says_the_same(large):
    of_shards(large, 192)
    large.storage.write_bytes(large.keys.shard(0, "predictions.parquet"), b"of another task")
    first = profile_day(large, "v1")
    assert [item.key for item in large.storage.list(large.keys.shards)] == [large.keys.shard(0, "predictions.parquet")]
    assert (first.n, first.of_images) == (300, IMAGES)
    assert hash_of_day(large) == first.content_hash == profile_day(large, "v1").content_hash


def test_parts_that_are_not_of_the_whole_day_are_not_merged(large):
    found = of_shards(large, 192)
    large.storage.delete(shard_file(large, DayInputs(large), found[1], "sums.npy"))
    said = summary(read_profile(day_profile(large, judged_features(large)).payload))
    assert said["image.Brightness.stddev"]["count"] == IMAGES


def test_parts_that_a_late_try_left_of_images_of_an_earlier_run_are_not_the_days(large):
    """As many as the shard has images."""
    index = large.read(InputsIndex)
    large.write(index.model_copy(update={"blocks": tuple(f"before{number:02d}" for number in range(len(index.rows)))}))
    put_features(large, features_of(IMAGES, 7))
    shard = of_shards(large, 192)[2]
    for item in large.storage.list(large.keys.shards):
        if not item.key.startswith(large.keys.shard(shard.number, "")):
            large.storage.delete(item.key)
    taken_in(large.storage)
    large.write(index.model_copy(update={"blocks": tuple(f"now{number:02d}" for number in range(len(index.rows)))}))
    for other in shards_of(IMAGES, 192):
        if other.number != shard.number:
            profile_shard(large, other)
    frame = features_of(IMAGES, 1)
    said = summary(read_profile(day_profile(large, judged_features(large)).payload))
    for name in COLUMNS:
        assert said[name]["mean"] == pytest.approx(frame[name].mean())
    profiles.remove_parts(large, 300)
    assert not large.storage.list(large.keys.shards)


def test_parts_of_shards_of_two_sizes_count_once(large):
    of_shards(large, 192)
    of_shards(large, 640)
    said = summary(read_profile(day_profile(large, judged_features(large)).payload))
    assert said["image.Brightness.stddev"]["count"] == IMAGES


def test_a_day_that_is_profiled_at_once_has_no_parts_and_the_bytes_and_the_hash_of_ever(storage, monkeypatch):
    monkeypatch.setattr(shards, "BLOCK", BLOCK)
    day = taken_in(storage)
    assert [profile_shard(day, shard) for shard in shards_of(IMAGES, 192)] == [0] * 6
    assert not storage.list(day.keys.shards)
    features = features_of(IMAGES, 1)
    made = day_profile(day, features)
    assert made == (feature_profile(features.drop(columns="image_id"), day.date), None)
    profile_day(day, "v1")
    assert hash_of_day(day) == content_hash(features.drop(columns="image_id"))


def test_a_value_that_differs_outside_the_sample_is_another_content(large):
    before = hash_of_day(large)
    features = features_of(IMAGES, 1)
    outside = int(np.flatnonzero(~features["image_id"].isin(judged_features(large)["image_id"]))[0])
    features.loc[outside, "image.Brightness.stddev"] += 1e-9
    put_features(large, features)
    assert hash_of_day(large) != before
