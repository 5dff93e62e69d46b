"""A large day is judged by its sample: the tables of all images are never held, and the verdict is that of the sample's images."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.reference import UsualPredictions
from driftwatch.drift import answers
from driftwatch.drift.answers import answers_of, own_answers, stored_answers
from driftwatch.drift.content import content_components
from driftwatch.drift.content_and_predictions import judge_content_and_predictions
from driftwatch.drift.days_features import features_of_days
from driftwatch.drift.image_quality import build_image_reference, profile_day
from driftwatch.drift.reference import Reference
from driftwatch.errors import MissingArtifact
from driftwatch.images import judged
from driftwatch.images.judged import judged_features
from driftwatch.storage import Storage, arrays, open_storage
from driftwatch.view.versions import versions

from .days import a_day, count_in, features_of, keep_answers, monitor, put_features, put_held_out, put_predictions, seen

IMAGES, MOST = 400, 150
OTHER = date(2026, 3, 5)
# Each tenth image nearly repeats another.
HASHES = [np.random.default_rng(row - (row % 10 == 9)).bytes(8).hex() for row in range(IMAGES)]


@pytest.fixture
def storage(tmp_path, monkeypatch) -> Storage:
    monkeypatch.setattr(judged, "MOST", MOST)
    storage = open_storage(f"file://{tmp_path}")
    build_image_reference(monitor(storage), "v1", features_of(400, 0))
    put_held_out(storage)
    return storage


@pytest.fixture
def no_whole_table(storage, monkeypatch):
    """From when it is called on, no table of all images may be read whole."""
    keys = a_day(storage).keys
    read = type(storage).read_bytes

    def of(self, key: str) -> bytes:
        assert key not in (keys.manifest, keys.features, keys.predictions, keys.embeddings), key
        return read(self, key)

    return lambda: monkeypatch.setattr(type(storage), "read_bytes", of)


def without(told: bytes, *names: str) -> dict:
    return {name: value for name, value in json.loads(told).items() if name not in ("day", *names)}


def test_image_quality_is_judged_as_on_a_day_of_the_samples_images_alone(storage, no_whole_table):
    day = a_day(storage)
    put_features(day, features_of(IMAGES, 1, blurred=60), phash=HASHES)
    count_in(day)
    no_whole_table()
    drift = profile_day(day, "v1")
    assert (drift.verdict, drift.n, drift.of_images) == ("drifted", MOST, IMAGES)
    sample = judged_features(day)
    other = a_day(storage, OTHER)
    hashes = storage.read_table(day.keys.judged)["phash"].tolist()
    put_features(other, sample, phash=hashes)
    count_in(other)
    alone = profile_day(other, "v1")
    assert alone.of_images is None
    leave_out = ("of_images", "content_hash", "hellinger", "trend")
    ours, theirs = (without(storage.read_bytes(of.keys.drift), *leave_out) for of in (day, other))
    assert ours == theirs
    assert day.read(DayDrift) == drift


def test_content_and_predictions_are_judged_by_the_sample(storage, no_whole_table):
    day = a_day(storage)
    put_predictions(day, *seen(IMAGES, 3, dogs=0.8))
    count_in(day)
    keep_answers(day)
    no_whole_table()
    drift = judge_content_and_predictions(day, "v1")
    for test in (drift.content, drift.predictions):
        assert (test.n, test.of_images) == (MOST, IMAGES)
    table, embeddings = stored_answers(day, "v1")
    assert len(table) == len(embeddings) == MOST
    assert drift.predictions.classes[1].day == pytest.approx((table["prediction"] == "dog").mean(), abs=1e-6)
    assert json.loads(storage.read_bytes(day.keys.day_map))["images"] == IMAGES
    assert day.read(ContentDrift) == drift


def test_a_baseline_takes_some_of_the_samples_answers_and_their_embeddings(storage, monkeypatch):
    day = a_day(storage)
    ids = put_predictions(day, *seen(IMAGES, 3))
    count_in(day)
    keep_answers(day)
    monkeypatch.setattr(answers, "MOST_ANSWERS", 40)
    table, embeddings = stored_answers(day, "v1")
    assert table["image_id"].tolist() == sorted(ids)[:40]
    np.testing.assert_array_equal(embeddings, storage.read_array(day.keys.embeddings)[:40])
    assert len(stored_answers(day, "v1")[0]) == 40


def test_the_components_of_a_large_day_come_piece_by_piece_and_are_those_of_the_whole(storage, monkeypatch):
    day = a_day(storage)
    put_predictions(day, *seen(IMAGES, 3))
    usual = day.monitor.find(day.monitor.keys.reference_predictions("v1"), UsualPredictions)
    whole = content_components(day, "v1", usual)
    count_in(day)
    keep_answers(day)
    for rows in (60, 10_000):
        monkeypatch.setattr(arrays.row_pieces, "__defaults__", (rows,))
        np.testing.assert_allclose(content_components(day, "v1", usual), whole.iloc[:MOST], rtol=1e-9)


def test_a_reference_of_days_is_made_of_their_samples(storage, no_whole_table):
    day = a_day(storage)
    put_features(day, features_of(IMAGES, 1), phash=HASHES)
    count_in(day)
    no_whole_table()
    found, ways = features_of_days(day.monitor, [day.date])
    assert ways == frozenset()
    assert found["image_id"].tolist() == judged_features(day)["image_id"].tolist()
    assert found["phash"].notna().all()


@pytest.mark.parametrize(("moved", "drifted"), [(0.0, 0), (0.4, 8)])
def test_half_of_the_images_see_what_all_of_them_see_where_the_reference_is_smaller_than_both(
    monkeypatch, moved, drifted
):
    monkeypatch.setattr(Reference, "splits", 500)
    found = []
    for seed in range(8):
        reference = Reference.build(features_of(400, seed), 0.01)
        day = features_of(4000, 100 + seed)
        day["image.Sharpness.laplacian"] += moved
        sample = day.sample(2000, random_state=seed)
        found.append((reference.test(day).drifted, reference.test(sample).drifted))
    assert [sum(of) for of in zip(*found, strict=True)] == [drifted, drifted]


def test_a_day_that_grew_beyond_the_sample_has_no_answers_until_it_is_answered_again(storage, monkeypatch):
    """Its predictions.parquet is of the smaller day: later days' baselines leave it out, and do not fail."""
    day = a_day(storage)
    put_predictions(day, *seen(IMAGES, 3))
    monkeypatch.setattr(judged, "MOST", 10 * IMAGES)
    count_in(day)
    assert len(stored_answers(day, "v1")[0]) == IMAGES
    monkeypatch.setattr(judged, "MOST", MOST)
    count_in(day)
    assert stored_answers(day, "v1") is own_answers(day, "v1") is None
    with pytest.raises(MissingArtifact, match="inputs"):
        answers_of(day, "v1")
    keep_answers(day)
    assert len(stored_answers(day, "v1")[0]) == MOST


def test_of_production_which_cannot_be_asked_again_the_missing_answers_are_named(storage, monkeypatch):
    day = a_day(storage)
    put_predictions(day, *seen(IMAGES, 3))
    count_in(day)
    monkeypatch.setattr(answers, "_is_logged", lambda day, version: True)
    assert own_answers(day, "v1") is None
    with pytest.raises(
        MissingArtifact, match=r"judged_predictions\.parquet does not exist: clear predict_labels of 2026-03-04"
    ):
        answers_of(day, "v1")


def test_which_version_serves_is_told_by_all_answers_and_a_canary_without_an_image_of_the_sample_does_no_harm(storage):
    day = a_day(storage)
    put_predictions(day, *seen(IMAGES, 3))
    count_in(day)
    sample = storage.read_table(day.keys.judged)["image_id"]
    table = storage.read_table(day.keys.predictions)
    few = table["image_id"].iloc[-3:]
    assert not few.isin(sample).any()
    # In the sample 7 and 8 answered as many, on the whole day 8 most.
    version = np.where(table["image_id"].isin(sample.iloc[: MOST // 2]), "7", "8")
    storage.write_table(
        day.keys.predictions, table.assign(model_version=np.where(table["image_id"].isin(few), "9", version))
    )
    keep_answers(day)
    drift = judge_content_and_predictions(day, "v1")
    found = [(row.version, row.n, row.of_images) for row in drift.versions]
    assert found == [("8", MOST // 2, IMAGES - MOST // 2 - 3), ("7", MOST // 2, MOST // 2), ("9", 0, 3)]
    assert drift.versions[2].verdict == "not_enough_evidence"
    shown = versions(None, drift)
    assert [row.answers for row in shown.rows] == ["322 images, 81 %", "75 images, 19 %", "3 images, 1 %"]
