"""Retraining for some segments: whose labels are trained on and how often; what judges stays whole."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import CHALLENGER, GATE, SET
from driftwatch.artifacts.retraining import ChallengerNote, GateResult
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.retraining_segments import RetrainingSegments
from driftwatch.config.segments import SegmentConfig
from driftwatch.errors import NotEnoughLabels
from driftwatch.models import registry
from driftwatch.models.challenger import _parts
from driftwatch.models.dataset import collect_training_set
from driftwatch.models.gate import evaluate_challenger
from driftwatch.models.segment_choice import of_other_segments, segment_weights, segments_of
from driftwatch.models.training.batches import draw
from driftwatch.storage import open_storage
from driftwatch.view.gate import reason_text

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


def test_labels_of_no_named_segment_are_of_others_and_the_original_set_is_not(small_monitor, tmp_path) -> None:
    store = store_with(small_monitor, tmp_path, only={"camera": ["door-2"]})
    other = TABLE["image_id"][of_other_segments(store, TABLE)].tolist()
    assert other == ["i0", "i1", "i3", "i4", "i5"]  # o1 is of the original set
    assert not of_other_segments(store_with(small_monitor, tmp_path), TABLE).any()


def test_weights_make_labels_of_a_segment_more_frequent_and_keep_the_share_of_labels(small_monitor, tmp_path) -> None:
    store, none = store_with(small_monitor, tmp_path, weights={"camera": {"door-2": 3.0}}), np.zeros(len(TABLE), bool)
    found = segment_weights(store, TABLE, none)
    assert found[0] == 1.0
    train = found[[1, 2, 3, 6]]
    assert train.mean() == pytest.approx(1.0)
    assert train[2] / train[0] == pytest.approx(3.0)
    assert (segment_weights(store_with(small_monitor, tmp_path), TABLE, none) == 1.0).all()


def test_a_segment_that_is_on_bad_days_alone_takes_no_share_from_the_other_labels(small_monitor, tmp_path) -> None:
    store = store_with(small_monitor, tmp_path, weights={"camera": {"door-2": 3.0}})
    recent = TABLE["image_id"].isin(["i1", "i2"]).to_numpy()
    found = segment_weights(store, TABLE, recent)
    assert found[[2, 3]].tolist() == [0.5, 1.5]  # i1, i2
    assert found[[1, 6]].tolist() == [1.0, 1.0]  # i0, i5


DAY = date(2026, 1, 5)


@pytest.fixture
def cameras(world):
    """Makes a store of a day with an alert whose 100 labelled images are of ten cameras, with the settings of `retraining.segments`."""

    def store(min_new_labels: int = 10, **segments: object) -> MonitorStore:
        whole = world.config.model_dump()
        retraining = {"segments": segments, "min_new_labels": min_new_labels, "min_evaluation_labels": 5}
        divided = {
            "segments": {"camera": {"key": r"(\d)\d\.png$"}},
            "retraining": {**whole["retraining"], **retraining},
        }
        config = type(world.config).model_validate({**whole, **divided})
        if not world.storage.exists(world.layout.day(DAY).labels):
            type(world)(**{**vars(world), "config": config}).add_day(DAY, 100, verdict="alert")
        return monitor_store(world.storage, world.layout, config)

    return store


def labelled(store: MonitorStore) -> pd.DataFrame:
    """The labels of the set that was collected, with their camera."""
    table = store.storage.read_table(store.keys.retraining("r1", SET))
    return table.assign(camera=segments_of(store, table)["camera"])[table["day"] != ""]


def test_a_set_for_some_segments_has_their_labels_alone_and_is_judged_by_all(cameras) -> None:
    everything = cameras()
    whole = collect_training_set(everything, "r1", DAY, DAY)
    before = labelled(everything)
    store = cameras(only={"camera": ["3", "4"]})
    card = collect_training_set(store, "r1", DAY, DAY)
    found = labelled(store)
    learnt = found["split"] != "evaluation"
    assert set(found.loc[learnt, "camera"]) == {"3", "4"}
    judging = before["split"] == "evaluation"
    assert found.loc[~learnt, "image_id"].tolist() == before.loc[judging, "image_id"].tolist()
    assert found.loc[~learnt, "camera"].nunique() == 10
    assert card.new_labels + card.left_out["other_segments"] == whole.new_labels


def test_labels_of_other_segments_do_not_make_up_for_too_few(cameras) -> None:
    with pytest.raises(NotEnoughLabels, match=r"20 human labels .*'other_segments': \d+.*min_new_labels is 21"):
        collect_training_set(cameras(21, only={"camera": ["3", "4"]}), "r1", DAY, DAY)
    collect_training_set(cameras(20, only={"camera": ["3", "4"]}), "r1", DAY, DAY)


def test_labels_of_a_segment_with_a_weight_are_drawn_so_much_more_often(cameras) -> None:
    store = cameras(weights={"camera": {"3": 4.0}})
    collect_training_set(store, "r1", DAY, DAY)
    table = store.storage.read_table(store.keys.retraining("r1", SET))
    camera = segments_of(store, table)["camera"][table["split"] == "train"].to_numpy()
    plain, weighted = (_parts(of, table).learnt.weights for of in (cameras(), store))
    assert weighted.sum() == pytest.approx(plain.sum())
    assert np.array_equal(weighted[camera == None], plain[camera == None])  # noqa: E711 - the original set
    often, others = weighted[camera == "3"], weighted[camera == "4"]
    assert len(set(often)) == len(set(others)) == 1
    assert often[0] == pytest.approx(4 * others[0])
    drawn = camera[draw(weighted, 20_000, seed=1)]
    counts = pd.Series(drawn).value_counts()
    assert counts["3"] / len(often) == pytest.approx(4 * counts["4"] / len(others), rel=0.15)


def test_gate_json_has_both_models_by_segment_of_all_images_that_judge(cameras) -> None:
    store = cameras(only={"camera": ["3", "4"]})
    collect_training_set(store, "r1", DAY, DAY)
    champion = registry.champion_version(store)
    note = ChallengerNote(version=champion, parent=champion, requested_by="alice")
    store.write(store.keys.retraining("r1", CHALLENGER), note)
    found = evaluate_challenger(store, "r1", in_words=reason_text)
    assert store.read(store.keys.retraining("r1", GATE), GateResult) == found
    of_cameras = {each.name: each.n for each in found.segments if each.by == "camera"}
    judged = labelled(store)[lambda rows: rows["split"] == "evaluation"]
    assert of_cameras == judged["camera"].value_counts().to_dict()
    assert {each.by for each in found.segments} == {"camera", "predicted_class"}
    assert sum(each.n for each in found.segments if each.by == "predicted_class") == found.recent.n + found.clean.n
