"""Content and predictions are judged against held-out images, each with its own verdict, beside image quality."""

from __future__ import annotations

import numpy as np
import pytest
from tests.driftwatch.artifacts.checks import read_whole

from driftwatch.artifacts.drift import ContentDrift
from driftwatch.drift import Reference
from driftwatch.drift.content_and_predictions import judge_content_and_predictions
from driftwatch.drift.reference import CONTENT
from driftwatch.storage import Storage, open_storage

from .days import a_day, monitor, put_held_out, put_predictions, seen


def verdicts(drift: ContentDrift) -> tuple[str, str]:
    return drift.content.verdict, drift.predictions.verdict


@pytest.fixture
def storage(tmp_path) -> Storage:
    storage = open_storage(f"file://{tmp_path}")
    assert put_held_out(storage) == 300
    return storage


def test_a_calm_day_is_ok_though_the_model_has_fitted_its_training_images(storage):
    put_predictions(a_day(storage), *seen(120, 3))
    drift = judge_content_and_predictions(a_day(storage), "v1")
    assert verdicts(drift) == ("ok", "ok")
    assert drift == a_day(storage).read(ContentDrift)
    assert (drift.content.false_alarm_rate, drift.predictions.false_alarm_rate) == (0.0025, 0.0025)
    assert drift.reference_images == 300
    assert len(Reference.load(monitor(storage), "v1", CONTENT).features) == 300


def test_other_predictions_are_drift_of_the_predictions_with_the_shares(storage):
    embeddings, _ = seen(120, 3)
    predictions = np.where(np.arange(120) < 100, "cat", "dog")
    put_predictions(a_day(storage), embeddings, predictions)
    drift = judge_content_and_predictions(a_day(storage), "v1")
    assert verdicts(drift) == ("ok", "drifted")
    dog = drift.predictions.classes[1]
    assert (dog.name, dog.day) == ("dog", pytest.approx(20 / 120, abs=1e-5))
    assert dog.reference == pytest.approx(0.5, abs=0.1)


def test_another_mix_of_the_same_classes_is_drift_of_the_predictions_alone(storage):
    put_predictions(a_day(storage), *seen(200, 3, dogs=0.85))
    drift = judge_content_and_predictions(a_day(storage, false_alarm_rate=0.2), "v1")
    assert verdicts(drift) == ("ok", "drifted")
    assert 100 < drift.content.reference_of_mix < drift.reference_images == 300


def test_new_content_is_found_with_its_images_and_repeats_to_the_byte(storage):
    embeddings, predictions = seen(120, 3)
    embeddings[:40] = embeddings[:40] * 2.5
    ids = put_predictions(a_day(storage), embeddings, predictions)
    drift = judge_content_and_predictions(a_day(storage), "v1")
    assert verdicts(drift) == ("drifted", "ok")
    assert "distance" in drift.content.drifted_features
    assert set(drift.content.examples) <= set(ids[:40])
    before = storage.read_bytes(a_day(storage).keys.content_drift)
    judge_content_and_predictions(a_day(storage), "v1")
    assert storage.read_bytes(a_day(storage).keys.content_drift) == before


def test_a_burst_is_one_prediction(storage):
    embeddings, predictions = seen(130, 3)
    embeddings[60:], predictions[60:] = embeddings[60], "dog"
    put_predictions(a_day(storage), embeddings, predictions)
    assert verdicts(judge_content_and_predictions(a_day(storage), "v1"))[1] == "drifted"
    rng = np.random.default_rng(0)
    put_predictions(
        a_day(storage), embeddings, predictions, phash=[rng.bytes(8).hex() for _ in range(60)] + ["00ff" * 4] * 70
    )
    drift = judge_content_and_predictions(a_day(storage), "v1")
    assert verdicts(drift) == ("ok", "ok")
    assert (drift.predictions.effective_n, drift.content.effective_n) == (61, 61)


def test_too_few_images_and_too_few_held_out_ones_are_not_enough_evidence(storage, tmp_path):
    put_predictions(a_day(storage), *seen(29, 3))
    drift = judge_content_and_predictions(a_day(storage), "v1")
    assert verdicts(drift) == ("not_enough_evidence", "not_enough_evidence")
    assert "min_images is 30" in drift.content.reason
    put_predictions(a_day(storage), *seen(0, 3))
    assert verdicts(judge_content_and_predictions(a_day(storage), "v1"))[0] == "not_enough_evidence"
    put_predictions(a_day(storage), *seen(100, 3))
    found = judge_content_and_predictions(a_day(storage), "v7")
    assert "the reference of v7 is of an earlier Driftwatch" in found.content.reason
    assert (found.reference_images, found.predictions.classes) == (0, ())
    small = open_storage(f"file://{tmp_path}/small")
    assert put_held_out(small, held_out=49) == 49
    put_predictions(a_day(small), *seen(100, 3))
    found = judge_content_and_predictions(a_day(small), "v1")
    assert verdicts(found) == ("not_enough_evidence", "not_enough_evidence")
    assert "49 held-out images; 50 are needed" in found.content.reason


def test_the_predictions_of_each_version_are_in_the_file(storage):
    day = a_day(storage)
    put_predictions(day, *seen(120, 3))
    judge_content_and_predictions(day, "v1")
    assert "versions" not in storage.read_json(day.keys.content_drift)
    table = storage.read_table(day.keys.predictions)
    storage.write_table(day.keys.predictions, table.assign(model_version=["8"] * 40 + ["7"] * 80))
    judge_content_and_predictions(day, "v1")
    found = read_whole(storage, day.keys.content_drift, ContentDrift)
    assert [(test.version, test.n) for test in found.versions] == [("7", 80), ("8", 40)]
