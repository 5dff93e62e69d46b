"""Retraining for some segments: whose labels are trained on and how often; what judges stays whole."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.retraining_segments import RetrainingSegments
from driftwatch.config.segments import SegmentConfig
from driftwatch.models.segment_choice import of_other_segments, segment_weights, segments_of
from driftwatch.storage import open_storage

IDS = [f"i{place}" for place in range(6)]
TABLE = pd.DataFrame(
    {
        "image_id": ["o1", *IDS],
        "day": ["", *["2026-01-05"] * 6],
        "split": ["train", "train", "train", "train", "validation", "evaluation", "train"],
    }
)


def store_with(small_monitor, tmp_path: Path, **segments: object) -> MonitorStore:
    config = small_monitor(f"file://{tmp_path}")
    retraining = config.retraining.model_copy(update={"segments": RetrainingSegments(**segments)})
    divided = {"camera": SegmentConfig(key="^([^/]+)/")}
    config = config.model_copy(update={"segments": divided, "retraining": retraining})
    store = MonitorStore(open_storage(config.storage.uri), config)
    camera = ["door-1", "door-1", "door-2", "door-1", "door-1", None]
    manifest = {"image_id": IDS, "key": IDS, "status": "accepted", "segment.camera": camera}
    store.storage.write_table(store.keys.day(date(2026, 1, 5)).manifest, pd.DataFrame(manifest))
    return store


def test_the_segments_of_a_set_are_those_of_its_days_and_the_original_set_has_none(small_monitor, tmp_path) -> None:
    found = segments_of(store_with(small_monitor, tmp_path), TABLE)
    assert found["camera"].tolist() == [None, "door-1", "door-1", "door-2", "door-1", "door-1", None]


def test_only_labels_of_the_named_segments_are_trained_on_and_evaluation_stays(small_monitor, tmp_path) -> None:
    store = store_with(small_monitor, tmp_path, only={"camera": ["door-2"]})
    other = TABLE["image_id"][of_other_segments(store, TABLE)].tolist()
    assert other == ["i0", "i1", "i3", "i5"]  # i4 judges, o1 is of the original set
    assert not of_other_segments(store_with(small_monitor, tmp_path), TABLE).any()


def test_weights_make_labels_of_a_segment_more_frequent_and_keep_the_share_of_labels(small_monitor, tmp_path) -> None:
    store = store_with(small_monitor, tmp_path, weights={"camera": {"door-2": 3.0}})
    found = segment_weights(store, TABLE)
    assert found[0] == 1.0
    train = found[[1, 2, 3, 6]]
    assert train.mean() == pytest.approx(1.0)
    assert train[2] / train[0] == pytest.approx(3.0)
    assert (segment_weights(store_with(small_monitor, tmp_path), TABLE) == 1.0).all()
