"""The day's map: small, repeatable, and with a change of the day as one of its directions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftwatch.artifacts.day_map import DayMap
from driftwatch.artifacts.store import DayStore
from driftwatch.drift import day_map
from driftwatch.drift.content import Content
from driftwatch.drift.content_and_predictions import build_held_out_references, judge_content_and_predictions
from driftwatch.storage import open_storage

from .days import a_day, monitor, put_held_out, put_predictions, seen


@pytest.fixture
def day(tmp_path) -> DayStore:
    storage = open_storage(f"file://{tmp_path}")
    trained, new = seen(200, 1), seen(120, 2)
    table = pd.DataFrame(
        {
            "image_id": [f"{number:064x}" for number in range(1000, 1320)],
            "trained_on": np.arange(320) < 200,
            "held_out": np.arange(320) >= 200,
            "prediction": np.concatenate([trained[1], new[1]]),
        }
    )
    build_held_out_references(
        monitor(storage), "v1", table, Content("embeddings", np.concatenate([trained[0], new[0]]))
    )
    return a_day(storage)


def mapped(day: DayStore, moved: float = 0.0) -> DayMap:
    embeddings, predictions = seen(80, 3)
    put_predictions(day, embeddings + np.float16(moved), predictions)
    judge_content_and_predictions(day, "v1")
    return day.read(DayMap)


def test_each_point_is_an_image_of_the_day_or_of_the_held_out_ones(day):
    found = mapped(day)
    assert found.of_day.images == tuple(f"{number:064x}" for number in range(80))
    assert found.of_reference.images == tuple(f"{number:064x}" for number in range(1200, 1320))
    assert {len(found.of_day.x), len(found.of_day.y)} == {found.images} == {80}
    assert 1 > found.shares[0] >= found.shares[1] > 0


def test_a_changed_day_lies_apart_from_the_reference(day):
    here, there = (np.array(points.x) for points in (mapped(day, moved=12).of_day, day.read(DayMap).of_reference))
    assert abs(here.mean() - there.mean()) > 3 * max(here.std(), there.std())


def test_the_same_day_gives_the_same_bytes_and_a_large_one_a_sample_of_it(day, monkeypatch):
    mapped(day)
    first = day.storage.read_bytes(day.key(DayMap))
    mapped(day)
    assert day.storage.read_bytes(day.key(DayMap)) == first
    monkeypatch.setattr(day_map, "MOST_POINTS", 30)
    found = mapped(day)
    assert (found.images, len(found.of_day.images)) == (80, 30)


def test_of_a_version_of_an_early_driftwatch_the_reference_s_ids_are_not_known(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    put_held_out(storage, 100)
    found = mapped(a_day(storage))
    assert found.of_reference.images == ("",) * 100


def test_a_day_that_cannot_be_compared_has_no_map_and_keeps_no_old_one(day):
    mapped(day)
    day.storage.delete(day.keys.embeddings)
    embeddings, predictions = seen(80, 3)
    put_predictions(day, embeddings[:, :5], predictions)
    judge_content_and_predictions(day, "v1")
    assert day.find(DayMap) is None
