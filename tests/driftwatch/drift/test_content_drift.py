"""Content and predictions are judged against held-out images, each with its own verdict, beside image quality."""

from __future__ import annotations

import hashlib
import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.stores import day_store, monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.drift.content import compare_shares
from driftwatch.drift.content_drift import build_content_reference, judge_answers, usual_answers
from driftwatch.drift.dependence import bursts
from driftwatch.drift.reference import CONTENT, Reference
from driftwatch.models.splits import COLUMNS, TRAIN, decide_splits
from driftwatch.storage import Storage, open_storage

LAYOUT = MonitorKeys("cats")
DAY = LAYOUT.day(date(2026, 3, 4))
WIDTH = 24


def config(**profiling) -> MonitorConfig:
    return MonitorConfig.model_validate(
        {
            "name": "cats",
            "classes": ["cat", "dog"],
            "schedule": {"start_date": "2026-03-01"},
            "storage": {"uri": "file:///unused"},
            "annotation": {"project_name": "p", "question": "q", "instructions": "i"},
            "profiling": profiling,
        }
    )


def seen(n: int, seed: int, dogs: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings and answers of n images, a share of them dogs."""
    rng = np.random.default_rng(seed)
    is_dog = rng.random(n) < dogs
    embeddings = rng.normal(size=(n, WIDTH)) @ np.random.default_rng(0).normal(size=(WIDTH, WIDTH))
    embeddings[:, 0] += 2 * is_dog
    return embeddings.astype("float16"), np.where(is_dog, "dog", "cat")


def put_reference(storage: Storage, held_out: int = 300, fitted: float = 0.5) -> int:
    """600 images trained on, which the model has `fitted`: their embeddings are smaller than those of new images."""
    trained, new = seen(600, 1), seen(held_out, 2)
    table = pd.DataFrame(
        {
            "trained_on": np.arange(600 + held_out) < 600,
            "held_out": np.arange(600 + held_out) >= 600,
            "prediction": np.concatenate([trained[1], new[1]]),
        }
    )
    return build_content_reference(
        monitor_store(storage, LAYOUT, config()), "v1", table, np.concatenate([fitted * trained[0], new[0]])
    )


def put_day(storage: Storage, embeddings: np.ndarray, answers: np.ndarray, **manifest) -> list[str]:
    ids = [f"{number:064x}" for number in range(len(answers))]
    storage.write_table(
        DAY.manifest,
        pd.DataFrame(
            {
                "key": [f"{DAY.incoming}/{name}" for name in ids],
                "image_id": ids,
                "status": "accepted",
                "phash": None,
                **manifest,
            }
        ),
    )
    storage.write_table(DAY.features, pd.DataFrame({"image_id": ids, "image.Brightness.stddev": 50.0}))
    score = np.where(answers == "dog", 0.9, 0.1)
    columns = {
        "image_id": ids,
        "prediction": answers,
        "score.cat": 1 - score,
        "score.dog": score,
        "model_version": "v1",
    }
    storage.write_table(DAY.predictions, pd.DataFrame(columns))
    storage.write_array(DAY.embeddings, embeddings)
    return ids


def verdicts(drift: dict) -> tuple[str, str]:
    return drift["content"]["verdict"], drift["predictions"]["verdict"]


@pytest.fixture
def storage(tmp_path) -> Storage:
    storage = open_storage(f"file://{tmp_path}")
    assert put_reference(storage) == 300
    return storage


def test_a_calm_day_is_ok_though_the_model_has_fitted_its_training_images(storage):
    put_day(storage, *seen(120, 3))
    drift = judge_answers(day_store(storage, DAY, config()), "v1")
    assert verdicts(drift) == ("ok", "ok")
    assert drift == json.loads(storage.read_bytes(DAY.content_drift))
    assert (drift["content"]["false_alarm_rate"], drift["predictions"]["false_alarm_rate"]) == (0.0025, 0.0025)
    assert drift["reference_images"] == 300
    assert len(Reference.load(storage, LAYOUT, "v1", CONTENT).features) == 300


def test_other_answers_are_prediction_drift_with_the_shares(storage):
    embeddings, _ = seen(120, 3)
    answers = np.where(np.arange(120) < 100, "cat", "dog")
    put_day(storage, embeddings, answers)
    drift = judge_answers(day_store(storage, DAY, config()), "v1")
    assert verdicts(drift) == ("ok", "drifted")
    dog = drift["predictions"]["classes"][1]
    assert (dog["name"], dog["day"]) == ("dog", pytest.approx(20 / 120, abs=1e-5))
    assert dog["reference"] == pytest.approx(0.5, abs=0.1)


def test_another_mix_of_the_same_classes_is_drift_of_the_predictions_alone(storage):
    put_day(storage, *seen(200, 3, dogs=0.85))
    drift = judge_answers(day_store(storage, DAY, config(false_alarm_rate=0.2)), "v1")
    assert verdicts(drift) == ("ok", "drifted")
    assert 100 < drift["content"]["reference_of_mix"] < drift["reference_images"] == 300


def test_new_content_is_found_with_its_images_and_repeats_to_the_byte(storage):
    embeddings, answers = seen(120, 3)
    embeddings[:40] = embeddings[:40] * 2.5
    ids = put_day(storage, embeddings, answers)
    drift = judge_answers(day_store(storage, DAY, config()), "v1")
    assert verdicts(drift) == ("drifted", "ok")
    assert "distance" in drift["content"]["drifted_features"]
    assert set(drift["content"]["examples"]) <= set(ids[:40])
    before = storage.read_bytes(DAY.content_drift)
    judge_answers(day_store(storage, DAY, config()), "v1")
    assert storage.read_bytes(DAY.content_drift) == before


def test_a_burst_is_one_answer(storage):
    embeddings, answers = seen(130, 3)
    embeddings[60:], answers[60:] = embeddings[60], "dog"
    put_day(storage, embeddings, answers)
    assert verdicts(judge_answers(day_store(storage, DAY, config()), "v1"))[1] == "drifted"
    rng = np.random.default_rng(0)
    put_day(storage, embeddings, answers, phash=[rng.bytes(8).hex() for _ in range(60)] + ["00ff" * 4] * 70)
    drift = judge_answers(day_store(storage, DAY, config()), "v1")
    assert verdicts(drift) == ("ok", "ok")
    assert (drift["predictions"]["effective_n"], drift["content"]["effective_n"]) == (61, 61)


def test_too_few_images_and_too_few_held_out_ones_are_not_enough_evidence(storage, tmp_path):
    put_day(storage, *seen(29, 3))
    drift = judge_answers(day_store(storage, DAY, config()), "v1")
    assert verdicts(drift) == ("not_enough_evidence", "not_enough_evidence")
    assert "min_images is 30" in drift["content"]["reason"]
    put_day(storage, *seen(0, 3))
    assert verdicts(judge_answers(day_store(storage, DAY, config()), "v1"))[0] == "not_enough_evidence"
    put_day(storage, *seen(100, 3))
    assert "earlier Driftwatch" in judge_answers(day_store(storage, DAY, config()), "v7")["predictions"]["reason"]
    small = open_storage(f"file://{tmp_path}/small")
    assert put_reference(small, held_out=49) == 49
    put_day(small, *seen(100, 3))
    found = judge_answers(day_store(small, DAY, config()), "v1")
    assert verdicts(found) == ("not_enough_evidence", "not_enough_evidence")
    assert "49 held-out images; 50 are needed" in found["content"]["reason"]


def training_set(k: int, rng: np.random.Generator) -> pd.DataFrame:
    """22 images a class; of every other class all are near-duplicates of three pictures. The holdout is made as an import makes it."""
    code = np.repeat(np.arange(k), 22)
    pose = [f"{c} {n % 3}" if c % 2 else f"{c} {n}" for n, c in enumerate(code)]
    names = np.array([f"{place:02d}" for place in range(k)])
    table = pd.DataFrame({"label": names[code], "phash": [hashlib.sha256(p.encode()).hexdigest()[:16] for p in pose]})
    table["image_id"] = [hashlib.sha256(rng.bytes(9)).hexdigest() for _ in code]
    right = rng.random(len(code)) < 0.9
    return table.assign(prediction=np.where(right, table["label"], names[(code + 1) % k]))


def test_a_balanced_day_of_many_classes_alarms_no_more_than_stated_though_near_duplicates_leave_the_holdout_uneven():
    """By the held-out images alone, near-duplicates once, the classes with three pictures seem rare: p = 1e-6 and less on such days."""
    alarms = 0
    for number in range(3):
        rng = np.random.default_rng(number)
        table = training_set(40, rng)
        split = decide_splits(pd.DataFrame(columns=COLUMNS), table, 0.15).set_index("image_id")["split"]
        held_out = (
            ~pd.Series(bursts(table)).duplicated().to_numpy() & (table["image_id"].map(split) != TRAIN).to_numpy()
        )
        names = sorted(set(table["label"]))
        usual = usual_answers(table, held_out, names)
        for n in (100, 1000):
            code = np.arange(n) % 40
            answer = np.where(rng.random(n) < 0.9, code, (code + 1) % 40)
            alarms += compare_shares(np.bincount(answer, minlength=40), usual, 0.01, 0).p_value <= 0.01
    assert alarms == 0
    ours = np.bincount(np.r_[rng.integers(0, 40, 400), np.zeros(250, int)], minlength=40)
    assert compare_shares(ours, usual, 0.01, 0).p_value < 0.001  # one class that has become frequent is found
